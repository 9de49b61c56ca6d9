"""RowView: lines that are rows with a cursor on one of them; moving, scrolling, clicking and opening."""

from __future__ import annotations

from collections import OrderedDict
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from mleconsole.model.record import Subject
from mleconsole.model.view import Tone
from mleconsole_widgets.cells import end_cut
from mleconsole_widgets.lines import LineView
from mleconsole_widgets.messages import CursorMoved, Opened

_CACHED = 2_000
_SIDEWAYS = 8


class RowView(LineView):
    """Subclasses give `row_count`, `heads()`, `row_strip()`, `subject_at()`; the cursor is an index of their rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "one row up", show=False),
        Binding("down,j", "move(1)", "one row down", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "one page up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "one page down", show=False),
        Binding("home,g", "first", "first row", show=False),
        Binding("end,G", "last", "last row", show=False),
        Binding("left,h", "sideways(-1)", "left", show=False),
        Binding("right,l", "sideways(1)", "right", show=False),
        Binding("enter", "open", "open", show=False),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.cursor = 0
        self._strips: OrderedDict[tuple[int, bool], Strip] = OrderedDict()
        self._told: tuple[Subject | None, str] | None = None

    # ------------------------------------------------------------------ what subclasses give

    @property
    def row_count(self) -> int:
        raise NotImplementedError

    @property
    def row_width(self) -> int:
        """Cells of a whole row."""
        return 0

    def heads(self) -> list[Strip]:
        """Lines above the rows that do not scroll up and down."""
        return []

    @property
    def head_count(self) -> int:
        """How many `heads()` there are."""
        return 0

    def row_strip(self, index: int, selected: bool) -> Strip:
        """The whole strip of a row, at least as wide as the screen."""
        raise NotImplementedError

    def subject_at(self, index: int) -> Subject | None:
        raise NotImplementedError

    def reason_at(self, index: int) -> str:
        """Why cells of a row are absent, in escaped words; "" when none is."""
        return ""

    @property
    def empty_words(self) -> str:
        return ""

    # ------------------------------------------------------------------ state

    @property
    def subject(self) -> Subject | None:
        """What the cursor is on."""
        return self.subject_at(self.cursor) if 0 <= self.cursor < self.row_count else None

    @property
    def page_rows(self) -> int:
        """How many rows are visible."""
        return max(1, self.room.height - self.head_count)

    def forget_lines(self) -> None:
        super().forget_lines()
        self._strips.clear()

    def extend(self) -> None:
        """Tell the scroll bars how much there is, keep the cursor among the rows and tell where it is."""
        if self.ready:
            self.set_extent(max(self.row_width, 1) if self.row_count else 1, self.row_count + self.head_count)
        self.cursor = min(max(0, self.cursor), max(0, self.row_count - 1))

    def tell(self) -> None:
        """Say where the cursor is, when that is new and the person is in this part."""
        if not self.has_focus:
            return
        subject = self.subject
        reason = self.reason_at(self.cursor) if 0 <= self.cursor < self.row_count else ""
        if (subject, reason) != self._told:
            self._told = (subject, reason)
            self.post_message(CursorMoved(subject, reason).set_sender(self))  # whoever showed it: all above us hear it

    def on_focus(self) -> None:
        self._told = None  # another part spoke last
        self.tell()

    # ------------------------------------------------------------------ lines

    def line(self, y: int) -> Strip:
        heads = self.heads()
        if y < len(heads):
            return heads[y]
        if not self.row_count:
            return self._empty_line(y - len(heads))
        index = y - len(heads) + self.scroll_offset.y
        if index >= self.row_count:
            return self.blank()
        return self._cropped(self._row(index))

    def _row(self, index: int) -> Strip:
        key = (index, index == self.cursor)
        found = self._strips.get(key)
        if found is None:
            found = self._strips[key] = self.row_strip(*key)
            if len(self._strips) > _CACHED:
                self._strips.popitem(last=False)
        return found

    def _cropped(self, strip: Strip) -> Strip:
        left, width = self.scroll_offset.x, self.room.width
        if not left and strip.cell_length == width:
            return strip
        return strip.crop(left, left + width).adjust_cell_length(width, self.rich_style)

    def _empty_line(self, y: int) -> Strip:
        lines = self.empty_words.split("\n")
        if y >= len(lines):
            return self.blank()
        return self.text_line("  " + end_cut(lines[y], max(1, self.room.width - 4)), Tone.QUIET)

    # ------------------------------------------------------------------ moving

    def go(self, index: int) -> None:
        """Put the cursor on a row and scroll as little as needed to see it."""
        index = min(max(0, index), max(0, self.row_count - 1))
        before, self.cursor = self.cursor, index
        scrolled = self.reveal()
        if before != index and not scrolled:
            top = self.scroll_offset.y - self.head_count
            self.paint_lines([y for y in (before - top, index - top) if 0 <= y < self.room.height])
        self.tell()

    def reveal(self) -> bool:
        """Scroll until the cursor is visible; True when that moved anything."""
        top, rows = self.scroll_offset.y, self.page_rows
        wanted = min(max(top, self.cursor - rows + 1), self.cursor)
        if wanted == top or not self.ready:
            return False
        self.scroll_to(y=wanted, animate=False, immediate=True, force=True)
        return self.scroll_offset.y != top

    def action_move(self, rows: int) -> None:
        self.go(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        step = max(1, self.page_rows - 1)
        top = max(0, min(self.scroll_offset.y + pages * step, max(0, self.row_count - self.page_rows)))
        self.cursor_to_page(top, self.cursor + pages * step)

    def cursor_to_page(self, top: int, index: int) -> None:
        before = self.scroll_offset.y
        self.scroll_to(y=top, animate=False, immediate=True, force=True)
        self.go(index)
        if self.scroll_offset.y != before:
            self.refresh()

    def action_first(self) -> None:
        self.go(0)

    def action_last(self) -> None:
        self.go(self.row_count - 1)

    def action_sideways(self, steps: int) -> None:
        self.scroll_to(x=max(0, self.scroll_offset.x + steps * _SIDEWAYS), animate=False, immediate=True, force=True)

    def action_open(self) -> None:
        subject = self.subject
        if subject is not None:
            self.post_message(Opened(subject))

    def index_at(self, y: int) -> int | None:
        """The row that is drawn on visible line `y`."""
        heads = self.head_count
        index = y - heads + self.scroll_offset.y
        return index if y >= heads and index < self.row_count else None

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        index = self.index_at(offset.y)
        if index is None:
            self.head_clicked(offset.x + self.scroll_offset.x, offset.y)
            return
        self.go(index)
        if event.chain == 2:
            self.action_open()

    def head_clicked(self, x: int, y: int) -> None:
        """A line above the rows was clicked, `x` cells from the left of a row."""

    def fit_in(self) -> None:
        self.forget_lines()
        self.extend()
        self.reveal()
        self.refresh()
