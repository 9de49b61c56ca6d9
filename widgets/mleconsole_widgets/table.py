"""ViewTable: a Table of any length; only the visible window is ever formatted."""

from __future__ import annotations

from collections.abc import Callable, KeysView
from typing import Any, ClassVar, NamedTuple

from rich.style import Style as RichStyle
from textual.binding import Binding, BindingType
from textual.strip import Strip

from mleconsole.model.absent import Absent
from mleconsole.model.query import bind, parse
from mleconsole.model.record import Subject
from mleconsole.model.view import Column, Style, Table, Tone
from mleconsole_widgets.ages import is_stale, stale_age, with_ages
from mleconsole_widgets.cells import cell_text, cell_tone, cut, end_cut, escape, fit, width_of
from mleconsole_widgets.columns import GAP, Placed, place, title_of
from mleconsole_widgets.lines import strip_of
from mleconsole_widgets.messages import MarksChanged
from mleconsole_widgets.order import order
from mleconsole_widgets.rows import RowView

MARGIN = 2
_SAMPLE = 200  # rows whose widths are looked at when columns are new
_WIDEST_SEEN = 300


class _Cells(NamedTuple):
    """The formatted cells of one row: words and tone by column id."""

    words: dict[str, str]
    tones: dict[str, Tone]


class ViewTable(RowView):
    """Cursor, marks, sort and filter stay with their subjects while new Tables are shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "mark", show=False),
        Binding("v", "range", "mark to here", show=False),
    ]

    def __init__(self, table: Table | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._table = Table((), (), lambda row: None, empty="")
        self._rows: list[int] = []  # indices of table.rows in the order shown
        self._sort: tuple[str, bool] | None = None
        self._chosen_sort = False
        self._filter = ""
        self._unreadable = ""  # why the filter line is no query
        self._test: Callable[[Any], bool] | None = None
        self._marks: dict[Subject, int] = {}  # with the index in table.rows where each was last
        self._anchor: Subject | None = None
        self._widths: dict[str, int] = {}
        self._width_key: tuple[str, ...] = ()
        self._cells: dict[int, _Cells] = {}
        self._placed: list[Placed] | None = None
        self._ages = False  # a column of ages is shown: something is stale
        self._heads: list[Strip] | None = None
        if table is not None:
            self.show(table)

    # ------------------------------------------------------------------ what the screen asks

    @property
    def table(self) -> Table:
        return self._table

    @property
    def marks(self) -> KeysView[Subject]:
        """The marked subjects, in the order in which they were marked."""
        return self._marks.keys()

    @property
    def filter_text(self) -> str:
        return self._filter

    @property
    def sorted_by(self) -> tuple[str, bool] | None:
        """(column id, descending), or None: as given."""
        return self._sort

    def sortable(self) -> list[Column]:
        """The columns of the screen that one can sort by."""
        return [column for column in self._table.columns if column.screen and column.style is not Style.SPARK]

    def show(self, table: Table) -> None:
        """Draw `table`. The cursor stays on its subject; the given sort holds until the person chooses one."""
        subject, index, at = self.subject, self.cursor, self._row_index
        ids = tuple(column.id for column in table.columns if column.screen)
        new = ids != self._width_key
        if new:
            self._width_key = ids
            self._widths.clear()
            self._ages = False
        if new or not self._chosen_sort:
            self._sort = (table.sort, table.descending) if table.sort else None
            self._chosen_sort = False
        self._table = table
        self._bind()
        self._arrange()
        self._keep_cursor(subject, index, at)
        self._keep_marks()
        self._fresh()

    def sort(self, column_id: str, descending: bool = False) -> None:
        """Sort by a column from now on; unknown values come last. An id that is no column: the order as given."""
        subject, index, at = self.subject, self.cursor, self._row_index
        known = any(column.id == column_id for column in self._table.columns)
        self._sort = (column_id, descending) if known else None
        self._chosen_sort = True
        self._arrange()
        self._keep_cursor(subject, index, at)
        self._fresh()

    def filter(self, text: str) -> str | None:
        """Show only the rows that match (`mleconsole.model.query`). When it can't be read: why, and the rows stay."""
        subject, index, at = self.subject, self.cursor, self._row_index
        self._filter = text
        reason = self._bind()
        if reason is None:
            self._arrange()
            self._keep_cursor(subject, index, at)
        self._fresh()
        return reason

    def copy_text(self) -> str:
        """The marked rows, else the one under the cursor: cells separated by tabs, one row a line."""
        rows = self._table.rows
        columns = [column for column in self._table.columns if column.screen and column.style is not Style.SPARK]
        if self._marks:
            picked = [rows[i] for i in self._rows if self._table.subject(rows[i]) in self._marks]
        else:
            picked = [rows[self._rows[self.cursor]]] if self._rows else []
        return "\n".join("\t".join(cell_text(c.value(row), c.style) for c in columns) for row in picked)

    # ------------------------------------------------------------------ order

    def _bind(self) -> str | None:
        query = parse(self._filter)
        if isinstance(query, str):
            self._unreadable = query
            return query
        self._unreadable = ""
        self._test = bind(query, self._table) if query.terms else None
        return None

    def _arrange(self) -> None:
        column = None
        if self._sort is not None:
            column = next((column for column in self._table.columns if column.id == self._sort[0]), None)
        descending = self._sort is not None and self._sort[1]
        self._rows = order(self._table.rows, column, descending, self._test)

    @property
    def _row_index(self) -> int:
        """Where in table.rows the cursor's row is."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else -1

    def _find(self, subject: Subject, hint: int) -> int | None:
        """Where in table.rows a subject is; mostly where it was."""
        of, rows = self._table.subject, self._table.rows
        if 0 <= hint < len(rows) and of(rows[hint]) == subject:
            return hint
        return next((index for index, row in enumerate(rows) if of(row) == subject), None)

    def _keep_cursor(self, subject: Subject | None, index: int, at: int) -> None:
        """On `subject` again wherever it is now; where it was on the screen, when it is gone."""
        self.cursor = min(max(0, index), max(0, len(self._rows) - 1))
        if subject is None or not self._rows or self.subject_at(self.cursor) == subject:
            return
        found = self._find(subject, at)
        if found is not None:
            try:
                self.cursor = self._rows.index(found)
            except ValueError:  # it is there, and filtered away
                pass

    def _keep_marks(self) -> None:
        """Marks of subjects that are gone go too."""
        before = len(self._marks)
        found = {subject: self._find(subject, hint) for subject, hint in self._marks.items()}
        self._marks = {subject: index for subject, index in found.items() if index is not None}
        if len(self._marks) != before:
            self.post_message(MarksChanged(len(self._marks)))

    def _fresh(self) -> None:
        """What is shown changed: format the window, place the columns, paint what differs."""
        self._cells.clear()
        self._strips.clear()
        self._heads = None
        self._placed = None
        self.extend()
        self.reveal()
        self.repaint()
        self.tell()

    # ------------------------------------------------------------------ cells

    def _columns(self) -> tuple[Column, ...]:
        return with_ages(self._table) if self._ages else self._table.columns

    def _format(self, index: int) -> _Cells:
        found = self._cells.get(index)
        if found is not None:
            return found
        row = self._table.rows[index]
        stale = is_stale(self._table, row)
        if stale and not self._ages and stale_age(self._table, row) is not None:
            self._ages = True
        words: dict[str, str] = {}
        tones: dict[str, Tone] = {}
        widths = self._widths
        for column in self._columns():
            if not column.screen:
                continue
            value = column.value(row)
            text = cell_text(value, column.style, column.width, scale=column.scale)
            words[column.id] = text
            tones[column.id] = cell_tone(column, row, value, stale=stale)
            size = width_of(text)
            if size > widths.get(column.id, 0):
                widths[column.id] = min(size, _WIDEST_SEEN)
        found = self._cells[index] = _Cells(words, tones)
        return found

    @property
    def placed(self) -> list[Placed]:
        """The columns that are drawn. Widths only grow while the columns stay the same, so that nothing jumps."""
        if self._placed is None:
            rows = self._rows
            if not self._widths and rows:
                step = max(1, len(rows) // _SAMPLE)
                for index in rows[::step]:
                    self._format(index)
            ages = self._ages
            top = self.scroll_offset.y
            for index in rows[top : top + self.room.height]:
                self._format(index)
            if self._ages and not ages:  # the first stale row brings the column of ages
                self._cells.clear()
            self._placed = place(self._columns(), self._widths, self.room.width, MARGIN)
        return self._placed

    # ------------------------------------------------------------------ lines

    @property
    def row_count(self) -> int:
        return len(self._rows)

    @property
    def row_width(self) -> int:
        placed = self.placed
        return placed[-1].start + placed[-1].width if placed else 0

    @property
    def empty_words(self) -> str:
        if self._table.rows and self._filter:
            return f"None of {len(self._table.rows):,} rows matches. Esc shows all of them again."
        return escape(self._table.empty)

    def _notices(self) -> list[tuple[str, Tone]]:
        """The sentences on top, as many as leave the rows their room."""
        notices = [(self._unreadable, Tone.WARN)] if self._unreadable else []
        notices += [(notice, Tone.QUIET) for notice in self._table.notices]
        return notices[: max(1, self.room.height // 3)]

    @property
    def head_count(self) -> int:
        return len(self._notices()) + bool(self._table.rows)

    def heads(self) -> list[Strip]:
        if self._heads is None:
            room = max(1, self.room.width - 3)
            lines = [(end_cut(escape(words), room), tone) for words, tone in self._notices()]
            self._heads = [self.text_line(f"  {words}", tone) for words, tone in lines]
            if self._table.rows:
                self._heads.append(self._cropped(self._header()))
        return self._heads

    def _header(self) -> Strip:
        head, plain = self.tone(Tone.QUIET), self.rich_style
        bold = head + RichStyle(bold=True)
        pieces = [(" " * MARGIN, head)]
        for column, _, width, right in self.placed:
            sorted_here = self._sort is not None and self._sort[0] == column.id
            title = title_of(column)
            if sorted_here and self._sort is not None:
                arrow = "▾" if self._sort[1] else "▴"
                title = f"{arrow}{title}" if right else f"{title}{arrow}"
            pieces.append((fit(title, width, right=right), bold if sorted_here else head))
            pieces.append((" " * GAP, head))
        return strip_of(pieces[:-1], max(self.row_width, self.room.width), plain)

    def row_strip(self, index: int, selected: bool) -> Strip:
        cells = self._format(self._rows[index])
        style = self.selected if selected else self.tone
        plain = style(Tone.PLAIN)
        gap = " " * GAP
        marked = bool(self._marks) and self.subject_at(index) in self._marks
        pieces = [("▪ " if marked else "  ", plain)]
        for column, _, width, right in self.placed:
            words = cut(cells.words.get(column.id, ""), width)
            pad = " " * (width - width_of(words))
            if right and pad:
                pieces.append((pad, plain))
            pieces.append((words, style(cells.tones.get(column.id, Tone.PLAIN))))
            pieces.append((gap if right else pad + gap, plain))
        return strip_of(pieces[:-1], max(self.row_width, self.room.width), plain)

    def subject_at(self, index: int) -> Subject | None:
        return self._table.subject(self._table.rows[self._rows[index]]) if index < len(self._rows) else None

    def reason_at(self, index: int) -> str:
        row = self._table.rows[self._rows[index]]
        reasons: dict[str, list[str]] = {}
        for column in self._table.columns:
            if column.screen and isinstance(value := column.value(row), Absent):
                reasons.setdefault(value.reason, []).append(column.title)
        told = [
            escape(reason) if len(titles) > 2 else f"{escape(', '.join(titles))}: {escape(reason)}"
            for reason, titles in reasons.items()
        ]
        return "; ".join(told)

    def fit_in(self) -> None:
        self._heads = None
        self._placed = None
        super().fit_in()

    def forget_lines(self) -> None:
        super().forget_lines()
        self._heads = None

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        self._heads = None
        super().watch_scroll_x(old_value, new_value)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if round(old_value) != round(new_value):
            self._seen_more()
        super().watch_scroll_y(old_value, new_value)

    def _seen_more(self) -> None:
        """Rows that come into view may need wider columns."""
        before = self._placed
        self._placed = None
        if before is not None and self.placed != before:
            self._heads = None
            self._strips.clear()
            self.set_extent(max(self.row_width, 1) if self.row_count else 1, self.row_count + self.head_count)

    # ------------------------------------------------------------------ marks and clicks

    def action_mark(self) -> None:
        """Mark or unmark the row under the cursor and go on to the next."""
        subject = self.subject
        if subject is None:
            return
        if subject in self._marks:
            del self._marks[subject]
        else:
            self._marks[subject] = self._row_index
        self._anchor = subject
        self._marked()
        self.action_move(1)

    def action_range(self) -> None:
        """Mark all rows from the last mark to the cursor."""
        subjects = [self.subject_at(index) for index in range(self.row_count)]
        start = subjects.index(self._anchor) if self._anchor in subjects else self.cursor
        for subject in subjects[min(start, self.cursor) : max(start, self.cursor) + 1]:
            if subject is not None:
                self._marks[subject] = self._row_index
        self._anchor = self.subject
        self._marked()

    def unmark(self) -> None:
        """Forget all marks."""
        self._marks.clear()
        self._anchor = None
        self._marked()

    def _marked(self) -> None:
        self._strips.clear()
        self.repaint()
        self.post_message(MarksChanged(len(self._marks)))

    def head_clicked(self, x: int, y: int) -> None:
        if y != self.head_count - 1:
            return
        for column, start, width, _ in self.placed:
            if start <= x < start + width + GAP and column in self.sortable():
                self.sort(column.id, self._sort == (column.id, False))
                return
