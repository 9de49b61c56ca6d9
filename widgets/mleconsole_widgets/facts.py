"""FactsPanel: labels and values about one thing, in as many columns as there is room for."""

from __future__ import annotations

from typing import NamedTuple

from textual.strip import Strip

from mleconsole.model.absent import Absent
from mleconsole.model.record import Subject
from mleconsole.model.view import Fact, Facts, Style, Tone
from mleconsole_widgets.cells import DOT, cell_text, escape, fit, width_of
from mleconsole_widgets.lines import Piece, strip_of
from mleconsole_widgets.text import ScrollLines, folded

MARGIN = 2
GAP = 3
MOST_COLUMNS = 3
FEW = 6  # so many facts stand in one column
LONG = 28  # a longer value has lines to itself


class Told(NamedTuple):
    """One fact, or one line of a long one, in words."""

    label: str
    value: str
    tone: Tone


class Sizes(NamedTuple):
    """Cells of a label and of a value."""

    label: int
    value: int


def told(fact: Fact) -> Told:
    """The words of a fact; an absent value tells its reason."""
    value = fact.value
    label = escape(fact.label)
    if isinstance(value, Absent):
        return Told(label, f"{DOT} {escape(value.reason)}", Tone.QUIET)
    unit = f" {escape(fact.unit)}" if fact.unit and value is not None else ""
    width = 20 if fact.style in (Style.SPARK, Style.BAR) else 0
    return Told(label, cell_text(value, fact.style, width) + unit, fact.tone)


def layout(facts: Facts, width: int) -> tuple[list[list[Told]], Sizes]:
    """The lines of `facts` at `width` cells: as many facts a line as leave most values whole; long ones are folded."""
    items = [told(fact) for fact in facts.facts]
    label = min(max((width_of(one.label) for one in items), default=0), max(4, width // 2))
    short = [width_of(one.value) for one in items if width_of(one.value) <= LONG]
    each = label + 2 + max(short, default=0) + GAP
    columns = 1 if len(items) <= FEW else max(1, min(MOST_COLUMNS, (width - MARGIN + GAP) // each))
    sizes = Sizes(label, max(1, (width - MARGIN + GAP) // columns - label - 2 - GAP))
    alone = max(1, width - MARGIN - label - 3)
    lines: list[list[Told]] = []
    run: list[Told] = []

    def end_run() -> None:
        """The short facts so far, down the columns."""
        rows = -(-len(run) // columns)
        lines.extend(run[row::rows] for row in range(rows))
        run.clear()

    for one in items:
        if width_of(one.value) <= sizes.value:
            run.append(one)
            continue
        end_run()
        for index, words in enumerate(folded(one.value, alone)):
            lines.append([Told(one.label if not index else "", words, one.tone)])
    end_run()
    return lines, sizes


class FactsPanel(ScrollLines):
    """Shows Facts; a value too long for its column has lines to itself and is never cut."""

    def __init__(self, facts: Facts | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._facts = facts or Facts(())
        self._rows: list[list[Told]] = []
        self._sizes = Sizes(0, 1)

    @property
    def subject(self) -> Subject | None:
        return self._facts.subject

    def show(self, facts: Facts) -> None:
        """Draw `facts`; where one had scrolled to stays."""
        self._facts = facts
        self.lay_out()
        self.repaint()

    def lay_out(self) -> None:
        if self.room.width:
            self._rows, self._sizes = layout(self._facts, self.room.width)
            self.set_extent(1, len(self._rows))

    def line(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        if index >= len(self._rows):
            return self.blank()
        plain, quiet = self.rich_style, self.tone(Tone.QUIET)
        row = self._rows[index]
        pieces: list[Piece] = [(" " * MARGIN, plain)]
        for place, one in enumerate(row):
            pieces.append((f"{fit(one.label, self._sizes.label)}  ", quiet))
            words = one.value if place == len(row) - 1 else fit(one.value, self._sizes.value + GAP)
            pieces.append((words, self.tone(one.tone)))
        return strip_of(pieces, self.room.width, plain)
