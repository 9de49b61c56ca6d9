"""Format: raw values -> the words of a cell, the same on every surface.

Pure. `cell_text` and `escape` never raise and never let a control character through.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from math import floor, isfinite, isinf, isnan
from typing import Any

from mleconsole.model.absent import Absent
from mleconsole.model.view import Style

DOT = "·"  # stands for a value that is unknown
SPARK_CELLS = 10
BAR_CELLS = 10

#: Styles whose cells are numbers: right-aligned, compared by size.
NUMERIC = frozenset({Style.NUMBER, Style.PERCENT, Style.MIB, Style.BYTES, Style.DURATION})

_SPARKS = "▁▂▃▄▅▆▇"  # no full block: lines that stand under each other stay apart
_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u034f\u180b\u180c\u180d\u180f")  # drawn as nothing, yet letters
_MARKS = ("Mn", "Me")
_MOST_MARKS = 2  # combining marks on one letter; more are no writing


def escape(text: object) -> str:
    """`text` on one line: controls as `\\x1b`, format, bidi and invisible characters as `⟨202e⟩`."""
    words = text if isinstance(text, str) else str(text)
    if words.isascii() and words.isprintable():
        return words
    return _escaped(words)


def _escaped(words: str) -> str:
    out: list[str] = []
    marks = _MOST_MARKS  # a mark at the very beginning has no letter to sit on
    for character in words:
        if " " <= character <= "~":
            out.append(character)
            marks = 0
            continue
        if unicodedata.category(character) in _MARKS:
            marks += 1
            hidden = marks > _MOST_MARKS or "\ufe00" <= character <= "\ufe0f" or character >= "\U000e0100"
        else:
            marks = 0
            hidden = not character.isprintable()
        if not hidden and character not in _BLANK_LETTERS:
            out.append(character)
            continue
        marks = _MOST_MARKS
        code = ord(character)
        named = _NAMED.get(character)
        out.append(named if named is not None else f"\\x{code:02x}" if code < 0xA0 else f"⟨{code:04x}⟩")
    return "".join(out)


def significant(value: float) -> str:
    """Whole numbers in full, from 10,000 on with commas; others with three significant digits: 41,200 71.3 0.8."""
    if isinstance(value, int):
        return str(value) if -10_000 < value < 10_000 else f"{value:,}" if abs(value) < 10**15 else _power(value)
    if isnan(value):
        return DOT
    if isinf(value):
        return "∞" if value > 0 else "-∞"
    size = abs(value)
    if size == 0:
        return "0"
    if size < 0.001 or size >= 1e15:
        return _power(value)
    if size >= 99.95:
        return significant(round(value))
    digits = 1 if size >= 9.995 else 2 if size >= 0.9995 else 3
    words = f"{value:.{digits}f}"
    return words.rstrip("0").rstrip(".") if value == round(value) or size < 1 else words


def _power(value: float) -> str:
    """1.2e-5."""
    try:
        mantissa, _, exponent = f"{value:.1e}".partition("e")
    except OverflowError:
        return "∞" if value > 0 else "-∞"
    return f"{mantissa}e{int(exponent)}"


def percent(value: float) -> str:
    """0..100 without a sign: whole from 10 on, else one decimal. What is not quite 100 or 0 never looks so."""
    if not isfinite(value):
        return significant(value)
    if 0 < value < 0.05:
        return "<0.1"
    if 99.5 <= value < 100:
        return f"{floor(value * 10) / 10:.1f}"
    if abs(value) < 9.95 and round(value, 1) != round(value):
        return f"{value:.1f}"
    return f"{value:.0f}".replace("-0", "0") if abs(value) < 0.5 else f"{value:.0f}"


def mib(value: float) -> str:
    """MiB in words: `812 MiB`, above 10 GiB `71.2 GiB`, above 1,000 GiB `1.9 TiB`."""
    if not isfinite(value):
        return significant(value)
    size = abs(value)
    if size < 10 * 1024:
        return f"{value:.0f} MiB"
    if size < 1000 * 1024:
        return f"{value / 1024:.1f} GiB"
    return f"{value / 1024**2:.1f} TiB"


def count_bytes(value: float) -> str:
    """Bytes in decimal units, two to three digits: `812B`, `12M`, `340G`, `1.2T`."""
    if not isfinite(value):
        return significant(value)
    size, unit, units = abs(value), 0, "BkMGTPE"
    while size >= 999.5 and unit < len(units) - 1:
        size, unit = size / 1000, unit + 1
    sign = "-" if value < 0 else ""
    if size == 0:
        return "0"
    if unit and size < 9.95:
        return f"{sign}{size:.1f}{units[unit]}"
    return f"{sign}{size:.0f}{units[unit]}" if size < 10**6 else f"{sign}{_power(size)}{units[unit]}"


def duration(seconds: float) -> str:
    """Seconds as people say them: `4s`, `12m`, `3h05`, `1d04`, from five days on `5d`."""
    if not isfinite(seconds):
        return significant(seconds)
    if seconds < 0:
        return f"-{duration(-seconds)}"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 60:
        return f"{minutes}m"
    if hours < 24:
        return f"{hours}h{minutes % 60:02d}"
    return f"{days}d{hours % 24:02d}" if days < 5 else f"{days}d" if days < 10**6 else f"{_power(days)}d"


def clock_time(epoch: float, now: float | None = None) -> str:
    """Epoch seconds as local time: today `12:04`, within half a year `21 Nov 12:04`, else `2025-11-21`."""
    try:
        then = datetime.fromtimestamp(epoch)
        present = datetime.fromtimestamp(time.time() if now is None else now)
    except (ValueError, OverflowError, OSError):
        return DOT
    if then.date() == present.date():
        return f"{then:%H:%M}"
    if abs((present - then).days) < 180:
        return f"{then.day} {then:%b %H:%M}"
    return f"{then:%Y-%m-%d}"


def spark(values: Sequence[float], low: float | None = None, high: float | None = None, width: int = 0) -> str:
    """A line of blocks, newest at the right, exactly `width` cells (10 when 0); NaN is a gap. Several values to a cell
    are averaged; without `low` or `high` the data give them."""
    cells = width if width > 0 else SPARK_CELLS
    count = len(values)
    bottom = low if low is not None and isfinite(low) else min(filter(isfinite, values), default=0.0)
    top = high if high is not None and isfinite(high) else max(filter(isfinite, values), default=0.0)
    span = top - bottom
    factor = len(_SPARKS) / span if span > 0 else 0.0
    out = []
    for cell in range(cells):
        if count <= cells:
            first = count - cells + cell
            here = values[first : first + 1] if first >= 0 else ()
        else:
            first = cell * count // cells
            here = values[first : max(first + 1, (cell + 1) * count // cells)]
        total = sum(here)
        if not isfinite(total):
            here = [value for value in here if isfinite(value)]
            total = sum(here)
        if not here:
            out.append(" ")
            continue
        level = (total / len(here) - bottom) * factor
        out.append(_SPARKS[int(min(6, max(0, level)))] if isfinite(level) else _SPARKS[-1])
    return "".join(out)


def bar(value: float, width: int = 0) -> str:
    """0..100 as a line of exactly `width` cells (10 when 0), in steps of half a cell; only 0 is empty."""
    cells = width if width > 0 else BAR_CELLS
    if isnan(value):
        return DOT.ljust(cells)
    share = min(100.0, max(0.0, value)) / 100
    halves = max(1, round(share * cells * 2)) if share > 0 else 0
    return ("━" * (halves // 2) + "╸" * (halves % 2)).ljust(cells)


_WORDS: dict[Style, Callable[[float], str]] = {
    Style.NUMBER: significant,
    Style.PERCENT: percent,
    Style.MIB: mib,
    Style.BYTES: count_bytes,
    Style.DURATION: duration,
    Style.TIME: clock_time,
}


def cell_text(value: Any, style: Style, width: int = 0, *, scale: tuple[float, float] | None = None) -> str:
    """A cell's words. Absent: `·`; None: nothing. `width` is for sparks and bars, `scale` a spark's (low, high)."""
    if value is None:
        return ""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Absent):
        return DOT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        words = _WORDS.get(style)
        if words is not None:
            try:
                return words(value)
            except OverflowError:  # an int beyond all floats
                return "∞" if value > 0 else "-∞"
        if style is Style.BAR:
            return bar(min(100, max(0, value)) if value == value else value, width)
        return significant(value) if isinstance(value, float) else str(value) if abs(value) < 10**15 else _power(value)
    if isinstance(value, list | tuple | set | frozenset) or hasattr(value, "__len__"):
        if style is Style.SPARK:
            return _spark(value, scale, width)
        items = sorted(map(str, value)) if isinstance(value, set | frozenset) else value
        return ",".join(DOT if isinstance(item, Absent) else escape(item) for item in items)
    return escape(value)


def _spark(values: Sequence[float], scale: tuple[float, float] | None, width: int) -> str:
    try:
        low, high = scale or (None, None)
        return spark(values, low, high, width)
    except (TypeError, ValueError):  # not numbers
        return DOT
