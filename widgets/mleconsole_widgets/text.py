"""TextPanel: words folded to the width, that scroll when there are many."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import chop_cells
from textual.binding import Binding, BindingType
from textual.strip import Strip

from mleconsole.model.record import Subject
from mleconsole.model.view import Text, Tone
from mleconsole_widgets.cells import escape, width_of
from mleconsole_widgets.lines import LineView

SCROLL_KEYS: list[BindingType] = [
    Binding("up,k", "scroll_lines(-1)", "up", show=False),
    Binding("down,j", "scroll_lines(1)", "down", show=False),
    Binding("pageup,ctrl+u", "scroll_pages(-1)", "page up", show=False),
    Binding("pagedown,ctrl+d", "scroll_pages(1)", "page down", show=False),
    Binding("home,g", "scroll_start", "start", show=False),
    Binding("end,G", "scroll_finish", "end", show=False),
]


def folded(text: str, width: int) -> list[str]:
    """`text` escaped and folded at spaces to lines of at most `width` cells; its line ends stay."""
    lines: list[str] = []
    room = max(1, width)
    for given in text.split("\n"):
        line = escape(given.expandtabs(8) if "\t" in given else given)
        if width_of(line) <= room:
            lines.append(line)
            continue
        lines.extend(_fold(line, room))
    return lines


def _fold(line: str, room: int) -> list[str]:
    out: list[str] = []
    indent = " " * min(len(line) - len(line.lstrip(" ")), room // 2)
    now = ""
    for word in line.split(" "):
        joined = f"{now} {word}" if now else (word or " ") if not out else f"{indent}{word}"
        if width_of(joined) <= room:
            now = joined
            continue
        if now.strip():
            out.append(now.rstrip())
        pieces = chop_cells(f"{indent if out else ''}{word}", room) or [""]
        out.extend(pieces[:-1])
        now = pieces[-1]
    if now.strip():
        out.append(now.rstrip())
    return out or [""]


class ScrollLines(LineView):
    """Lines without a cursor: the keys scroll."""

    BINDINGS: ClassVar[list[BindingType]] = SCROLL_KEYS

    @property
    def subject(self) -> Subject | None:
        """What this panel is about as a whole."""
        return None

    def _scroll(self, y: float) -> None:
        self.scroll_to(y=max(0, min(y, self.max_scroll_y)), animate=False, immediate=True, force=True)

    def action_scroll_lines(self, lines: int) -> None:
        self._scroll(self.scroll_offset.y + lines)

    def action_scroll_pages(self, pages: int) -> None:
        self._scroll(self.scroll_offset.y + pages * max(1, self.room.height - 1))

    def action_scroll_start(self) -> None:
        self._scroll(0)

    def action_scroll_finish(self) -> None:
        self._scroll(self.max_scroll_y)

    def fit_in(self) -> None:
        self.forget_lines()
        self.lay_out()
        self.refresh()

    def lay_out(self) -> None:
        """The width is known or new."""


class TextPanel(ScrollLines):
    """Shows a Text."""

    def __init__(self, text: Text | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = text or Text("")
        self._lines: list[str] = []

    def show(self, text: Text) -> None:
        """Draw `text`; where one had scrolled to stays."""
        if text != self._text:
            self._text = text
            self.lay_out()
            self.repaint()

    def lay_out(self) -> None:
        self._lines = folded(self._text.text, self.room.width - 4) if self.room.width else []
        self.set_extent(1, len(self._lines))

    def line(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        if index >= len(self._lines):
            return self.blank()
        tone = self._text.tone if self._text.tone is not Tone.PLAIN else Tone.PLAIN
        return self.text_line(f"  {self._lines[index]}", tone)
