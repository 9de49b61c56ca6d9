"""Columns: which columns of a table are drawn and how wide, on a screen of a given width. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mleconsole.model.format import BAR_CELLS, SPARK_CELLS, escape
from mleconsole.model.view import Column, Style
from mleconsole_widgets.cells import right_aligned, width_of

GAP = 2
WIDEST = 40  # cells of a column whose width is not given, as long as others want the room
LEAST = 12  # cells to which words are squeezed before a column is dropped
READ = 30  # cells of words, if they have as many, that are shown before less important columns are
WHOLE = 48  # the same, before less important words are
EXTRA = 7  # columns of this priority and above give way to all words of what is never dropped
_WORDS = (Style.TEXT, Style.NAMES)


class Placed(NamedTuple):
    """A column on the screen: `start` in cells from the left of the row, `width` in cells."""

    column: Column
    start: int
    width: int
    right: bool


def title_of(column: Column) -> str:
    """The header's words: the title, then the unit."""
    return escape(f"{column.title} {column.unit}".rstrip())


def natural_width(column: Column, widest: int) -> int:
    """Cells a column would like, given the `widest` cell seen in it."""
    title = width_of(title_of(column)) + 1  # room for the arrow of the sort
    if column.width and column.style in _WORDS:
        return max(min(column.width, widest), title, 1)
    if column.width:
        return max(column.width, title)
    if column.style is Style.SPARK:
        return max(SPARK_CELLS, title)
    if column.style is Style.BAR:
        return max(BAR_CELLS, title)
    return max(widest, title, 1)


def _least(column: Column, natural: int) -> int:
    """Cells below which it is better dropped. What is never dropped (ids, nodes) is not squeezed below 40 either."""
    if column.style not in _WORDS:
        return natural
    return min(natural, WIDEST if column.priority == 0 else max(LEAST, width_of(title_of(column)) + 1))


def _short(kept: Sequence[Column], sizes: Mapping[str, int], natural: Mapping[str, int], enough: int) -> Column | None:
    """The most important column whose words are squeezed below `enough` cells."""
    squeezed = [column for column in kept if sizes[column.id] < min(natural[column.id], enough)]
    return min(squeezed, key=lambda column: column.priority, default=None)


def place(columns: Sequence[Column], widths: Mapping[str, int], room: int, margin: int = 2) -> list[Placed]:
    """The columns that fit `room` cells: the highest priority number is dropped first, 0 never.

    `widths` are the widest cells seen by column id. What is left over goes to squeezed words, first the more important.
    """
    kept = [column for column in columns if column.screen]
    natural = {column.id: natural_width(column, widths.get(column.id, 0)) for column in kept}
    sizes = {column.id: _least(column, natural[column.id]) for column in kept}

    def total() -> int:
        return margin + sum(sizes[column.id] for column in kept) + GAP * max(0, len(kept) - 1)

    def drop_one() -> bool:
        """Drop the least important column, the rightmost of equals; what is never dropped stays."""
        worst = max((column.priority for column in kept), default=0)
        if worst <= 0 or len(kept) == 1:
            return False
        del kept[max(i for i, column in enumerate(kept) if column.priority == worst)]
        return True

    while total() > room and drop_one():
        pass
    if total() > room and (words := [column for column in kept if column.style in _WORDS]):
        widest = max(words, key=lambda column: sizes[column.id])  # rather a shorter sentence than one to scroll
        sizes[widest.id] = max(min(sizes[widest.id], READ), sizes[widest.id] - total() + room)
    for enough in (READ, WHOLE):
        # Words that matter more are read in part only: less important columns make room for them, up to READ; those
        # that are squeezed themselves, up to WHOLE.
        while (short := _short(kept, sizes, natural, enough)) is not None:
            wish = min(natural[short.id], enough)
            if room - total() >= wish - sizes[short.id]:
                sizes[short.id] = wish
                continue
            last = max(reversed(kept), key=lambda column: column.priority)
            squeezed = sizes[last.id] < min(natural[last.id], READ)
            if last.priority <= short.priority or (enough == WHOLE and not squeezed) or not drop_one():
                break
    while any(sizes[column.id] < natural[column.id] - max(0, room - total()) for column in kept if not column.priority):
        if max(column.priority for column in kept) < EXTRA or not drop_one():
            break
    left = room - total()
    ranked = sorted(kept, key=lambda column: column.priority)
    for limit in (WIDEST, None):
        for column in ranked:
            wish = natural[column.id] if limit is None else min(natural[column.id], max(limit, sizes[column.id]))
            more = min(max(0, left), wish - sizes[column.id])
            if more > 0:
                sizes[column.id] += more
                left -= more
    placed, at = [], margin
    for column in kept:
        placed.append(Placed(column, at, sizes[column.id], right_aligned(column)))
        at += sizes[column.id] + GAP
    return placed
