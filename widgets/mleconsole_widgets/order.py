"""Order: which rows of a table are shown, and in which order. Pure; unknown values come last either way round."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from mleconsole.model.absent import Absent
from mleconsole.model.view import Column

_DIGITS = re.compile(r"0*([0-9]+)")


@lru_cache(maxsize=1 << 15)
def natural(text: str) -> str:
    """A sort key that puts node9 before node10 and job 999 before 1000: a number counts by its length first."""
    return _DIGITS.sub(_by_length, text.lower())


def _by_length(digits: re.Match[str]) -> str:
    number = digits[1]
    return f"{chr(48 + min(len(number), 60))}{number}"


def order(
    rows: Sequence[Any], column: Column | None, descending: bool, test: Callable[[Any], bool] | None
) -> list[int]:
    """Indices of the rows for which `test` holds, sorted by a column (stable), or as they were given."""
    shown = list(range(len(rows))) if test is None else [i for i, row in enumerate(rows) if test(row)]
    if column is None:
        return shown
    value = column.value
    keys: dict[int, Any] = {index: value(rows[index]) for index in shown}
    kinds = set(map(type, keys.values()))
    if kinds <= _NUMBERS:
        words: dict[str, list[int]] = {}
        numbers = [index for index, told in keys.items() if told == told]
        unknown = [index for index, told in keys.items() if told != told]
    else:
        numbers, words, unknown = _sorted_out(keys)
    numbers.sort(key=keys.__getitem__, reverse=descending)
    named = [index for word in sorted(words, key=natural, reverse=descending) for index in words[word]]
    return (named + numbers if descending else numbers + named) + unknown


_NUMBERS = {float, int, bool}


def _sorted_out(keys: dict[int, Any]) -> tuple[list[int], dict[str, list[int]], list[int]]:
    """Numbers, words (with the indices of each) and what is unknown."""
    numbers: list[int] = []
    words: dict[str, list[int]] = {}
    unknown: list[int] = []
    for index, told in keys.items():
        kind = type(told)
        if kind in _NUMBERS:
            (numbers if told == told else unknown).append(index)
        elif told is None or kind is Absent or told == "":
            unknown.append(index)
        else:
            words.setdefault(told if kind is str else _words(told), []).append(index)
    return numbers, words, unknown


def _words(value: Any) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(map(str, sorted(value, key=str) if isinstance(value, set | frozenset) else value))
    return str(value)
