"""Dialog: the frame of all questions: one box over the dimmed screen, words, then buttons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from mleconsole_widgets.cells import escape

Answer = TypeVar("Answer")


def words(text: str) -> Content:
    """Text as it is: escaped line by line, never markup."""
    return Content("\n".join(escape(line.expandtabs(8)) for line in text.split("\n")))


class Dialog(ModalScreen[Answer | None], Generic[Answer]):
    """Subclasses give `body()` and `buttons()`; `given_up` is what Esc answers."""

    ALLOW_SELECT = False
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "no", show=False),
        Binding("left,up", "app.focus_previous", "before", show=False),
        Binding("right,down", "app.focus_next", "next", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
    ]
    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 55%; }
    Dialog > #box {
        width: 84; max-width: 96%; height: auto; max-height: 92%; padding: 1 2;
        background: $background; color: $foreground; border: round $foreground 45%;
        border-title-color: $foreground; border-title-style: bold; border-title-background: $background;
        border-title-align: left;
    }
    Dialog #words { height: auto; max-height: 62vh; background: $background; scrollbar-size: 1 1;
        scrollbar-color: $foreground 30%; scrollbar-color-hover: $foreground 50%; scrollbar-color-active: $foreground;
        scrollbar-background: $background; scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
    }
    Dialog #words > Static { width: 1fr; height: auto; background: $background; }
    Dialog #buttons { height: auto; align-horizontal: right; margin-top: 1; background: $background; }
    Dialog Input { height: 1; border: none; padding: 0 1; background: $panel; color: $foreground; width: 1fr; }
    Dialog Input:focus { border: none; }
    Dialog .quiet { color: $foreground 65%; }
    Dialog .warn { color: $warning; }
    Dialog .bad { color: $error; text-style: bold; }
    Dialog .strong { text-style: bold; }
    Dialog .gap { margin-top: 1; }
    """

    given_up: ClassVar[object] = None

    def __init__(self, title: str) -> None:
        super().__init__()
        self._heading = title

    def compose(self) -> ComposeResult:
        box = Widget(id="box")
        box.styles.layout = "vertical"
        box.border_title = words(self._heading) if self._heading.strip() else None
        with box:
            with VerticalScroll(id="words", can_focus=False):
                yield from self.body()
            buttons = list(self.buttons())
            if buttons:
                yield Horizontal(*buttons, id="buttons")

    def body(self) -> Iterable[Widget]:
        """What stands in the box."""
        return ()

    def buttons(self) -> Iterable[Widget]:
        return ()

    def said(self, text: str, classes: str = "") -> Static:
        """Words in the body."""
        return Static(words(text), markup=False, classes=classes)

    def action_page(self, pages: int) -> None:
        scroll = self.query_one("#words", VerticalScroll)
        scroll.scroll_relative(y=pages * max(1, scroll.size.height - 1), animate=False)

    def action_give_up(self) -> None:
        self.dismiss(self.given_up)  # type: ignore[arg-type]

    def on_click(self, event: events.Click) -> None:
        """A click beside the box does nothing: a question wants an answer."""
        event.stop()
