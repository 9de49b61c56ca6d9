"""Order: which rows of a table are shown, and in which order. Pure; unknown values come last either way round."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from mleconsole.model.absent import Absent
from mleconsole.model.view import Column

_DIGITS = re.compile(r"([0-9]+)")


def natural(text: str) -> tuple[Any, ...]:
    """A sort key that puts node9 before node10 and job 999 before 1000: words and numbers in turn, words first."""
    parts: list[Any] = _DIGITS.split(text.lower())
    parts[1::2] = [int(part) if len(part) < 4000 else 0 for part in parts[1::2]]
    return tuple(parts)


def order(
    rows: Sequence[Any], column: Column | None, descending: bool, test: Callable[[Any], bool] | None
) -> list[int]:
    """Indices of the rows for which `test` holds, sorted by a column (stable), or as they were given."""
    shown = list(range(len(rows))) if test is None else [i for i, row in enumerate(rows) if test(row)]
    if column is None:
        return shown
    value = column.value
    numbers: list[tuple[float, int]] = []
    words: dict[str, list[int]] = {}
    unknown: list[int] = []
    for index in shown:
        told = value(rows[index])
        kind = type(told)
        if kind is float or kind is int or kind is bool:
            if told == told:
                numbers.append((told, index))
            else:
                unknown.append(index)
        elif told is None or kind is Absent or told == "":
            unknown.append(index)
        else:
            words.setdefault(told if kind is str else _words(told), []).append(index)
    numbers.sort(key=_first, reverse=descending)
    ordered = [index for _, index in numbers]
    named = [index for word in sorted(words, key=natural, reverse=descending) for index in words[word]]
    return (named + ordered if descending else ordered + named) + unknown


def _first(pair: tuple[float, int]) -> float:
    return pair[0]


def _words(value: Any) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(map(str, sorted(value, key=str) if isinstance(value, set | frozenset) else value))
    return str(value)
