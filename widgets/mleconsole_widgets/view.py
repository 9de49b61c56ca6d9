"""ViewWidget: draws any View with the widget for its type, and keeps that widget while the type stays the same."""

from __future__ import annotations

from textual.widget import Widget

from mleconsole.model.record import Subject
from mleconsole.model.view import Chart, Facts, Form, Grid, Log, Matrix, Sections, Table, Text, Tree, View
from mleconsole_widgets.chart import BrailleChart
from mleconsole_widgets.facts import FactsPanel
from mleconsole_widgets.grid import HeatGrid
from mleconsole_widgets.log import LogPanel
from mleconsole_widgets.matrix import MatrixGrid
from mleconsole_widgets.sections import SectionsWidget
from mleconsole_widgets.table import ViewTable
from mleconsole_widgets.text import TextPanel
from mleconsole_widgets.tree import ViewTree

Drawing = ViewTable | HeatGrid | MatrixGrid | ViewTree | BrailleChart | FactsPanel | LogPanel | TextPanel


class ViewWidget(Widget, can_focus=False):
    """`show(view)` at any time, also before it is mounted."""

    DEFAULT_CSS = """
    ViewWidget { width: 1fr; height: 1fr; background: $background; }
    """

    def __init__(self, view: View | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = view
        self._drawing: Drawing | SectionsWidget | None = None

    @property
    def view(self) -> View | None:
        """What is shown now."""
        return self._view

    @property
    def drawing(self) -> Drawing | SectionsWidget | None:
        """The widget that draws it."""
        return self._drawing

    @property
    def subject(self) -> Subject | None:
        """What the cursor is on."""
        return self._drawing.subject if self._drawing is not None else None

    def render(self) -> str:
        """Nothing: what is seen is the drawing that lies on it."""
        return ""

    def on_mount(self) -> None:
        if self._view is not None:
            self.show(self._view)

    def show(self, view: View) -> None:
        """Draw `view`. Of the same type as before: in place, with cursor, scroll, sort and marks kept."""
        self._view = view
        if not self.is_attached:
            return
        drawing = self._drawing
        match view:
            case Table() if isinstance(drawing, ViewTable):
                drawing.show(view)
            case Grid() if isinstance(drawing, HeatGrid):
                drawing.show(view)
            case Matrix() if isinstance(drawing, MatrixGrid):
                drawing.show(view)
            case Tree() if isinstance(drawing, ViewTree):
                drawing.show(view)
            case Chart() if isinstance(drawing, BrailleChart):
                drawing.show(view)
            case Facts() if isinstance(drawing, FactsPanel):
                drawing.show(view)
            case Log() if isinstance(drawing, LogPanel):
                drawing.show(view)
            case Text() if isinstance(drawing, TextPanel):
                drawing.show(view)
            case Sections() if isinstance(drawing, SectionsWidget):
                drawing.show(view)
            case _:
                self._replace(_draw(view))

    def _replace(self, drawing: Drawing | SectionsWidget) -> None:
        old, self._drawing = self._drawing, drawing
        if old is not None:
            old.remove()
        self.mount(drawing)


def _draw(view: View) -> Drawing | SectionsWidget:
    match view:
        case Table():
            return ViewTable(view)
        case Grid():
            return HeatGrid(view)
        case Matrix():
            return MatrixGrid(view)
        case Tree():
            return ViewTree(view)
        case Chart():
            return BrailleChart(view)
        case Facts():
            return FactsPanel(view)
        case Log():
            return LogPanel(view)
        case Sections():
            return SectionsWidget(view, ViewWidget)
        case Form():  # a form is filled in a dialog; here it can only be told of
            return TextPanel(Text("\n".join(f"{field.title}: {field.help}".rstrip(": ") for field in view.fields)))
        case Text():
            return TextPanel(view)
