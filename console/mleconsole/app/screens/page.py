"""Page: one place's view on the screen, with what it last showed and why it is off when its plugin failed."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget

from mleconsole.app.guarded import guarded
from mleconsole.app.trail import Place
from mleconsole.model.view import Text, Tone, View
from mleconsole_widgets.view import ViewWidget

SETTLE_SECONDS = 0.15


class Picture(ViewWidget):
    """A ViewWidget that keeps what a plugin's functions raise in their cells, and shows another sort of view twice.

    Twice, because a widget that is mounted while something asks where another one is can miss its Resize (Textual's
    compositor then takes it for one that was there before) and would stay empty until the next data.
    """

    def show(self, view: View) -> None:
        another = type(view) is not type(self.view)
        super().show(guarded(view))
        if another and self.is_attached:
            self.set_timer(SETTLE_SECONDS, self._again)

    def _again(self) -> None:
        if self.view is not None:
            super().show(self.view)


class Page(Container):
    """Keeps its cursor, filter, sort and scroll while another page is shown, for it stays mounted."""

    DEFAULT_CSS = """
    Page { width: 1fr; height: 1fr; }
    """

    def __init__(self, place: Place, ready: Callable[[Page], None]) -> None:
        super().__init__()
        self.place = place
        self._tell_ready = ready
        self.shown: View | None = None
        self.seeking = False  # its first part is awaited
        self.was_in: Widget | None = None  # the part that had the focus when the page was left

    def compose(self) -> ComposeResult:
        yield Picture()

    def on_mount(self) -> None:
        self.call_after_refresh(self._tell_ready, self)

    def show(self, view: View) -> None:
        """Draw `view`; the parts that stay the same keep their state."""
        self.shown = view
        self.query_one(Picture).show(view)

    def show_sentence(self, sentence: str, tone: Tone = Tone.PLAIN) -> None:
        self.show(Text(sentence, tone=tone))
