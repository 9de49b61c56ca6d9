"""Row: one measured number beside its target; and the tables made of rows, for a terminal and for the README."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

README = Path(__file__).parents[3] / "README.md"
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


class Row(NamedTuple):
    """`value` is to be at most `target`; without a target it is told only. `gate`: a run fails when it is missed."""

    name: str
    value: float
    unit: str
    target: float | None = None
    how: str = ""
    gate: bool = False
    part: str = ""

    @property
    def met(self) -> bool:
        return self.target is None or self.value <= self.target

    @property
    def verdict(self) -> str:
        return "" if self.target is None else "met" if self.met else "MISSED"

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        target = "" if self.target is None else f"≤ {number(self.target)} {self.unit}"
        return self.name, f"{number(self.value)} {self.unit}".strip(), target.strip(), self.verdict, self.how

    @classmethod
    def of(cls, told: Sequence[Any]) -> Row:
        return cls(*told)


def number(value: float) -> str:
    """Three digits that count, and no more of them than that: 4.31, 43.1, 4,310."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f}"


def text_table(rows: Iterable[Row]) -> str:
    """For a terminal."""
    lines = [("", "measured", "target", "", "how"), *(row.cells for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    return "\n".join(
        "  ".join((*(cell.ljust(w) for cell, w in zip(line, widths, strict=False)), line[4])) for line in lines
    )


def markdown_table(rows: Iterable[Row]) -> str:
    """For the README."""
    lines = [("", "measured", "target", "", "how"), ("---", "---:", "---", "---", "---")]
    lines += [tuple(cell.replace("|", "\\|") for cell in row.cells) for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_readme(rows: Sequence[Row], notes: Sequence[str], readme: Path = README) -> str | None:
    """Put the table between the markers of the README; a sentence when it has none."""
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return f"{readme.name} has no place for the table: {BEGIN} ... {END}"
    told = "\n".join(notes)
    readme.write_text(f"{before}{BEGIN}\n\n{told}\n\n{markdown_table(rows)}\n\n{END}{after}", encoding="utf-8")
    return None
