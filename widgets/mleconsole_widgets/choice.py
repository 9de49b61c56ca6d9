"""Choice and Toggle: the one-line buttons and switches of dialogs."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mleconsole_widgets.cells import end_cut, escape, width_of


class Choice(Widget, can_focus=True):
    """A button of one line: Enter, space or a click presses it."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "press", "press", show=False)]
    DEFAULT_CSS = """
    Choice { width: auto; height: 1; margin-left: 2; background: $panel; color: $foreground; }
    Choice:focus { background: $foreground; color: $background; text-style: bold; }
    Choice.-danger { color: $error; }
    Choice.-danger:focus { background: $error; color: $background; }
    """

    class Pressed(Message):
        """The button was pressed."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

        @property
        def control(self) -> Choice:
            """For `@on(Choice.Pressed, "#id")`."""
            return self.choice

    def __init__(self, words: str, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.words = escape(words)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return min(width_of(self.words) + 4, container.width)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        text = f"  {end_cut(self.words, max(1, width - 4))}  "
        return Strip([Segment(text, self.rich_style)]).adjust_cell_length(width, self.rich_style)

    def action_press(self) -> None:
        self.post_message(self.Pressed(self))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_press()


class Toggle(Widget, can_focus=True):
    """`[x] words`: space, Enter or a click turns it."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("space,enter", "turn", "turn", show=False)]
    DEFAULT_CSS = """
    Toggle { width: 1fr; height: 1; background: $background; color: $foreground; }
    Toggle:focus { text-style: reverse; }
    """

    def __init__(self, words: str, value: bool = False, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.words = escape(words)
        self.value = value

    def render_line(self, y: int) -> Strip:
        text = end_cut(f"[{'x' if self.value else ' '}] {self.words}", max(1, self.size.width))
        return Strip([Segment(text, self.rich_style)]).adjust_cell_length(self.size.width, self.rich_style)

    def action_turn(self) -> None:
        self.value = not self.value
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.focus()
        self.action_turn()
