"""Flow: where the groups of a heat map stand on a screen of a given size. Pure.

Three ways, the roomiest that fits: every group with its label, down a column, then the next, each cell as wide as there
is room for; groups side by side with one label a line; one cell a group, in tens, with one label a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mleconsole_widgets.cells import width_of

MARGIN = 1
GAP = 2
TEN = 10  # folded cells stand in tens
SCROLLED = 1.2  # screens that whole groups may need before they are folded
WIDEST = 12  # a cell that is wider says no more
TILE = 4  # from this width a cell is a tile: its number on its colour, and a blank after it
AIRY = 6  # from this width of a cell there is room for whole labels


class Flow(NamedTuple):
    """`total` groups of `cells` cells on `rows` lines of `columns` groups; `label` is the cells of a label."""

    total: int
    columns: int
    rows: int
    cells: int
    label: int
    labelled: bool  # every group has its label, and groups go down the columns
    folded: bool  # one cell a group
    span: int = 1  # cells of the screen for one cell
    tall: int = 1  # lines of the screen for one row

    @property
    def tiles(self) -> bool:
        """Cells are wide enough for their numbers."""
        return self.span >= TILE

    @property
    def lines(self) -> int:
        """Lines of the screen; none is blank at the end."""
        return self.rows * self.tall - self.tall + 1

    @property
    def group_width(self) -> int:
        """Cells of the screen for the cells of one group."""
        return self.cells * self.span

    def in_row(self, row: int) -> range:
        """The groups on a line, left to right."""
        if self.labelled:
            return range(row, self.total, self.rows)
        return range(row * self.columns, min((row + 1) * self.columns, self.total))

    def row_of(self, group: int) -> int:
        return group % self.rows if self.labelled else group // self.columns

    def below(self, group: int, lines: int) -> int:
        """The group so many lines below (above, when negative); as far as there are any."""
        if self.labelled:
            row = min(max(0, group % self.rows + lines), self.rows - 1)
            return min(group - group % self.rows + row, self.total - 1)
        row = min(max(0, group // self.columns + lines), self.rows - 1)
        wanted = row * self.columns + group % self.columns
        return wanted if wanted < self.total else max(0, wanted - self.columns)

    def beside(self, group: int, across: int) -> int | None:
        """The group right of it (left, when negative); at the end of a line the next line's; None at the very end."""
        if not self.labelled:
            wanted = group + across
            return wanted if 0 <= wanted < self.total else None
        wanted = group + across * self.rows
        if 0 <= wanted < self.total:
            return wanted
        row = group % self.rows + across
        if not 0 <= row < min(self.rows, self.total):
            return None
        return row if across > 0 else self.in_row(row)[-1]

    def start(self, place: int) -> int:
        """Cells from the left to the cells of the group that is the `place`-th on its line."""
        if self.labelled:
            return MARGIN + place * (self.label + 1 + self.group_width + GAP) + self.label + 1
        if self.folded:
            return MARGIN + self.label + 1 + place + place // TEN
        return MARGIN + self.label + 1 + place * (self.cells + 1)

    def at(self, x: int, row: int) -> tuple[int, int] | None:
        """(group, cell) drawn at `x` on a line, or None."""
        if not 0 <= row < self.rows:
            return None
        for place, group in enumerate(self.in_row(row)):
            start = self.start(place)
            first = start - self.label - 1 if self.labelled else start
            if first <= x < start + self.group_width:
                return group, max(0, x - start) // self.span
        return None


def most_columns(label: int, cells: int, width: int) -> int:
    """How many labelled groups of so many narrow cells stand side by side."""
    return max(1, (width - MARGIN + GAP) // (label + 1 + cells + GAP))


def flow(total: int, label: int, cells: int, width: int, height: int) -> Flow:
    """Stand `total` groups of at most `cells` cells on `width` x `height`. What does not fit even folded scrolls."""
    most = most_columns(label, cells, width)
    columns = min(most, max(1, -(-total // height)))
    rows = max(1, -(-total // columns))
    if rows <= height or total <= 1:
        columns = max(1, -(-total // rows))
        span = ((width - MARGIN + GAP) // columns - GAP - label - 1) // cells
        span = min(max(1, span), WIDEST)
        tall = 2 if span >= TILE and rows * 2 - 1 <= height else 1
        return Flow(total, columns, rows, cells, label, True, cells == 1, span, tall)
    room = width - MARGIN - label - 1
    columns = max(1, (room + 1) // (cells + 1))
    columns = max(1, columns - columns % 4) if columns > 4 else columns  # a round number of nodes a line
    rows = -(-total // columns)
    if rows <= height * SCROLLED and cells > 1:
        return Flow(total, columns, rows, cells, label, False, False)
    columns = min(max(1, (room + 1) // (TEN + 1)), -(-total // TEN)) * TEN
    return Flow(total, columns, max(1, -(-total // columns)), 1, label, False, True)


def compact(labels: Sequence[str], cells: int, width: int) -> int:
    """The fewest lines on which every group has its label and all its cells."""
    label = max((width_of(words) for words in short_labels(labels)), default=0)
    return -(-len(labels) // most_columns(label, max(1, cells), width))


def stand(labels: Sequence[str], cells: int, width: int, height: int) -> tuple[list[str], Flow]:
    """The labels to show, and where their groups of at most `cells` cells stand; labels are whole where cells are
    wide."""
    for shown in (list(labels), short_labels(labels)):
        label = max((width_of(words) for words in shown), default=0)
        plan = flow(len(shown), label, max(1, cells), width, max(1, height))
        if plan.labelled and plan.span >= AIRY:
            break
    return shown, plan


def short_labels(labels: Sequence[str]) -> list[str]:
    """Labels without the beginning that all share, as far as something remains: node01, node02 -> 01, 02."""
    if len(labels) < 2:
        return list(labels)
    low, high = min(labels), max(labels)
    same = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    shared = len(low[:same].rstrip("0123456789"))
    short = [label[shared:] for label in labels]
    return short if all(short) else list(labels)
