"""MatrixGrid: n x n values between the same things, a cell each, with a cursor that tells the value in words."""

from __future__ import annotations

from math import isnan, nan
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from mleconsole.model.format import significant
from mleconsole.model.record import Subject
from mleconsole.model.view import Matrix, Tone
from mleconsole_widgets.cells import escape, fit, width_of
from mleconsole_widgets.flow import short_labels
from mleconsole_widgets.legend import legend
from mleconsole_widgets.lines import LineView, Piece, strip_of
from mleconsole_widgets.ramps import Ramp, levels_of, ramp

ABSENT = 255
_REVERSE = Style(reverse=True)


class MatrixGrid(LineView):
    """Rows are where it comes from, columns where it goes; wide and long ones scroll under their labels."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(0, -1)", "up", show=False),
        Binding("down,j", "move(0, 1)", "down", show=False),
        Binding("left,h", "move(-1, 0)", "left", show=False),
        Binding("right,l", "move(1, 0)", "right", show=False),
        Binding("pageup,ctrl+u", "move(0, -10)", "page up", show=False),
        Binding("pagedown,ctrl+d", "move(0, 10)", "page down", show=False),
        Binding("home,g", "move(-10000, -10000)", "first", show=False),
        Binding("end,G", "move(10000, 10000)", "last", show=False),
    ]

    def __init__(self, matrix: Matrix | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._matrix = matrix or Matrix("", "", 0.0, 1.0, (), ())
        self._labels: list[str] = []
        self._levels: list[bytes] = []
        self._ramp: Ramp = ramp(0, True)
        self._row = 0
        self._column = 0
        if matrix is not None:
            self.show(matrix)

    @property
    def subject(self) -> Subject | None:
        return None

    def show(self, matrix: Matrix) -> None:
        """Draw `matrix`; the cursor stays on its pair."""
        names = (self._called(self._row), self._called(self._column))
        self._matrix = matrix
        labels = list(matrix.labels)
        if names[0] in labels and names[1] in labels:
            self._row, self._column = labels.index(names[0]), labels.index(names[1])
        last = max(0, len(labels) - 1)
        self._row, self._column = min(self._row, last), min(self._column, last)
        self._labels = short_labels([escape(label) for label in labels])
        self._grade()
        self._extend()
        self.repaint()

    def _called(self, index: int) -> str:
        labels = self._matrix.labels
        return labels[index] if index < len(labels) else ""

    def _grade(self) -> None:
        matrix = self._matrix
        if self.is_attached:
            self._ramp = ramp(self.colours, self.app.current_theme.dark)
        levels = self._ramp.levels
        self._levels = [levels_of(row, matrix.low, matrix.high, levels) for row in matrix.values]

    def on_mount(self) -> None:
        self._grade()

    def forget_lines(self) -> None:
        super().forget_lines()
        self._grade()

    def fit_in(self) -> None:
        self.forget_lines()
        self._extend()
        self.refresh()

    # ------------------------------------------------------------------ layout

    @property
    def label_width(self) -> int:
        return min(20, max((width_of(label) for label in self._labels), default=0))

    @property
    def pitch(self) -> int:
        """Cells from one column to the next: three where there is room, else two."""
        return 3 if 2 + self.label_width + 1 + 3 * len(self._labels) <= self.room.width else 2

    @property
    def _edge(self) -> int:
        return 2 + self.label_width + 1

    def _extend(self) -> None:
        self.set_extent(self._edge + self.pitch * len(self._labels), len(self._labels) + 3)

    def line(self, y: int) -> Strip:
        height = self.room.height
        if y == height - 1:
            return self._legend()
        if y == height - 2:
            return self.blank()
        first = self.scroll_offset.x // self.pitch
        last = min(len(self._labels), first + max(0, self.room.width - self._edge) // self.pitch)
        if y == 0:
            return self._head(first, last)
        row = y - 1 + self.scroll_offset.y
        return self._cells(row, first, last) if row < len(self._levels) else self.blank()

    def _head(self, first: int, last: int) -> Strip:
        """Labels of the columns, as many as fit without touching."""
        quiet, strong = self.tone(Tone.QUIET), self.tone(Tone.STRONG)
        pieces: list[Piece] = [(" " * self._edge, quiet)]
        size = max((width_of(label) for label in self._labels), default=1)
        each = max(1, -(-(size + 1) // self.pitch))
        for column in range(first, last, each):
            style = strong if column <= self._column < column + each and self.has_focus else quiet
            span = min(each, last - column) * self.pitch
            pieces.append((fit(self._labels[column] if width_of(self._labels[column]) < span + 1 else "", span), style))
        return strip_of(pieces, self.room.width, self.rich_style)

    def _cells(self, row: int, first: int, last: int) -> Strip:
        plain, quiet = self.rich_style, self.tone(Tone.QUIET)
        styles, steps = self._ramp.styles(plain), self._ramp.steps
        here = row == self._row and self.has_focus
        label = fit(self._labels[row], self.label_width, right=True)
        pieces: list[Piece] = [(f"  {label} ", self.tone(Tone.STRONG) if here else quiet)]
        wide = self.pitch - 1
        for column, step in enumerate(self._levels[row][first:last], first):
            character, style = (self._ramp.absent, quiet) if step == ABSENT else (steps[step][0], styles[step])
            text = character.ljust(wide) if step == ABSENT else character * wide
            if column == self._column and here:
                text, style = ("◆" if step != ABSENT else "·").ljust(wide), self.tone(Tone.STRONG) + _REVERSE
            pieces.append((text, style))
            pieces.append((" ", plain))
        return strip_of(pieces, self.room.width, plain)

    def _legend(self) -> Strip:
        matrix, plain, quiet = self._matrix, self.rich_style, self.tone(Tone.QUIET)
        pieces = legend(self._ramp, self._ramp.styles(plain), matrix.low, matrix.high, matrix.unit, quiet)
        pieces.append((f"   {self._ramp.absent} not measured   ", quiet))
        if self.has_focus and self._labels:
            pieces.append((self.words_here(), plain))
        return strip_of(pieces, self.room.width, plain)

    def words_here(self) -> str:
        """What is under the cursor: `node01 → node06: 1.02 Gb/s`."""
        values = self._matrix.values
        value = values[self._row][self._column] if self._row < len(values) else nan
        unit = "" if isnan(value) else f" {escape(self._matrix.unit)}"
        pair = f"{escape(self._called(self._row))} → {escape(self._called(self._column))}"
        return f"{pair}: {'not measured' if isnan(value) else significant(value)}{unit}"

    # ------------------------------------------------------------------ cursor

    def action_move(self, across: int, down: int) -> None:
        self._go(self._row + down, self._column + across)

    def _go(self, row: int, column: int) -> None:
        last = len(self._labels) - 1
        if last < 0:
            return
        self._row, self._column = min(max(0, row), last), min(max(0, column), last)
        rows = max(1, self.room.height - 3)
        columns = max(1, (self.room.width - self._edge) // self.pitch)
        top, left = self.scroll_offset.y, self.scroll_offset.x // self.pitch
        y = min(max(top, self._row - rows + 1), self._row)
        x = min(max(left, self._column - columns + 1), self._column)
        if (x, y) != (left, top):
            self.scroll_to(x=x * self.pitch, y=y, animate=False, immediate=True, force=True)
        self.repaint()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or not 0 < offset.y < self.room.height - 2 or offset.x < self._edge:
            return
        event.stop()
        column = (offset.x - self._edge) // self.pitch + self.scroll_offset.x // self.pitch
        self._go(offset.y - 1 + self.scroll_offset.y, column)
