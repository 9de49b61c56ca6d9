"""Cells: words fitted to a number of terminal cells. Pure; widths are those of a terminal, not of characters."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len, set_cell_size

from mleconsole.model.absent import Absent
from mleconsole.model.format import DOT, NUMERIC, cell_text, escape
from mleconsole.model.view import Column, Style, Tone

__all__ = [
    "DOT",
    "cell_text",
    "cell_tone",
    "cut",
    "end_cut",
    "escape",
    "fit",
    "middle_cut",
    "right_aligned",
    "width_of",
]


def width_of(text: str) -> int:
    """Terminal cells of `text`."""
    return len(text) if text.isascii() else cell_len(text)


def end_cut(text: str, width: int) -> str:
    """The beginning of `text` in at most `width` cells, with `…` where something is left out."""
    if width_of(text) <= width:
        return text
    if width < 1:
        return ""
    return set_cell_size(text, width - 1).rstrip() + "…"


def middle_cut(text: str, width: int) -> str:
    """A name in at most `width` cells: its middle goes, its beginning and its end, where ids have digits, stay."""
    if width_of(text) <= width:
        return text
    if width < 5:
        return end_cut(text, width)
    digits = len(text) - len(text.rstrip("0123456789"))
    tail_width = max(min(digits, width - 3), (width - 1) // 3)
    tail = _ending(text, tail_width)
    head = set_cell_size(text, width - 1 - width_of(tail)).rstrip()
    return f"{head}…{tail}"


def _ending(text: str, width: int) -> str:
    at, room = len(text), width
    while at > 0:
        room -= cell_len(text[at - 1])
        if room < 0:
            break
        at -= 1
    while at < len(text) and cell_len(text[at]) == 0:  # a combining mark without its letter
        at += 1
    return text[at:]


def cut(text: str, width: int) -> str:
    """Sentences lose their end, names their middle."""
    if width_of(text) <= width:
        return text
    return end_cut(text, width) if " " in text else middle_cut(text, width)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` cut and padded to exactly `width` cells."""
    size = width_of(text)
    if size > width:
        text = cut(text, width)
        size = width_of(text)
    pad = " " * (width - size)
    return pad + text if right else text + pad


def right_aligned(column: Column) -> bool:
    """Numbers are, whatever the column says."""
    return column.right or column.style in NUMERIC


def cell_tone(column: Column, row: Any, value: Any, *, stale: bool = False) -> Tone:
    """What a cell's colour means: an absent value is quiet, a stale one fades, a warning stays one."""
    tone = column.tone(row) if column.tone is not None else Tone.PLAIN
    if tone in (Tone.WARN, Tone.BAD):
        return tone
    if isinstance(value, Absent):
        return Tone.QUIET
    if stale:
        return Tone.STALE
    return Tone.QUIET if tone is Tone.PLAIN and column.style is Style.SPARK else tone
