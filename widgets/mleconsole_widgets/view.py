"""ViewWidget: draws any View with the widget for its type, and keeps that widget while the type stays the same."""

from __future__ import annotations

from typing import Any, Protocol, cast

from textual.widget import Widget

from mleconsole.model.record import Subject
from mleconsole.model.view import Chart, Facts, Form, Grid, Log, Matrix, Sections, Table, Text, Tree, View


class Drawing(Protocol):
    """The widget that draws views of one type: `show` takes that type alone."""

    @property
    def subject(self) -> Subject | None: ...
    def show(self, view: Any) -> None: ...


class ViewWidget(Widget, can_focus=False):
    """`show(view)` at any time, also before it is mounted."""

    DEFAULT_CSS = """
    ViewWidget { width: 1fr; height: 1fr; background: $background; }
    """

    def __init__(self, view: View | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = view
        self._drawing: Drawing | None = None
        self._type: type[View] | None = None

    @property
    def view(self) -> View | None:
        """What is shown now."""
        return self._view

    @property
    def drawing(self) -> Drawing | None:
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
        if self._drawing is not None and type(view) is self._type and not isinstance(view, Form):
            self._drawing.show(view)
        else:
            self._replace(view)

    def _replace(self, view: View) -> None:
        old, self._drawing, self._type = self._drawing, _draw(view), type(view)
        if old is not None:
            cast(Widget, old).remove()
        self.mount(cast(Widget, self._drawing))


def _draw(view: View) -> Drawing:
    """Each widget is imported with the first view of its type: a page can be painted before most of them are."""
    match view:
        case Table():
            from mleconsole_widgets.table import ViewTable

            return ViewTable(view)
        case Grid():
            from mleconsole_widgets.grid import HeatGrid

            return HeatGrid(view)
        case Matrix():
            from mleconsole_widgets.matrix import MatrixGrid

            return MatrixGrid(view)
        case Tree():
            from mleconsole_widgets.tree import ViewTree

            return ViewTree(view)
        case Chart():
            from mleconsole_widgets.chart import BrailleChart

            return BrailleChart(view)
        case Facts():
            from mleconsole_widgets.facts import FactsPanel

            return FactsPanel(view)
        case Log():
            from mleconsole_widgets.log import LogPanel

            return LogPanel(view)
        case Sections():
            from mleconsole_widgets.sections import SectionsWidget

            return SectionsWidget(view, ViewWidget)
        case Form():  # a form is filled in a dialog; here it can only be told of
            return _words(Text("\n".join(f"{field.title}: {field.help}".rstrip(": ") for field in view.fields)))
        case Text():
            return _words(view)


def _words(view: Text) -> Drawing:
    from mleconsole_widgets.text import TextPanel

    return TextPanel(view)
