"""Select: which rows of a View's tables are printed, and in which order.

A query is words that all must hold: `word` stands somewhere in the row, `!word` does not, `column:word` stands in that
column, `column>9`, `column<9` and `column=9` compare a number. Case does not matter; unknown values match nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mleconsole.model.absent import Absent, number
from mleconsole.model.view import Column, Sections, Table, View

_TERM = re.compile(r"(?P<column>[a-z_][a-z0-9_]*)(?P<sign>[:=<>])(?P<word>.+)")
Test = Callable[[Any], bool]


class NoColumn(ValueError):
    """No table has the column `word`; `known` are those that there are."""

    def __init__(self, word: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no column is called {word}; there are: {', '.join(known)}")
        self.word = word
        self.known = known


def pick(view: View, query: str = "", sort: str = "") -> View:
    """`view` with its tables filtered and sorted; `sort` is a column id, -id for the other way round.

    Raises ValueError with a sentence when there is no table, NoColumn when none has that column.
    """
    if not query.strip() and not sort:
        return view
    tables = list(_tables(view))
    if not tables:
        raise ValueError("this pane has no table to filter or sort")
    column = sort.removeprefix("-")
    known = dict.fromkeys(column.id for table in tables for column in table.columns)
    if sort and column not in known:
        raise NoColumn(column, tuple(known))
    return _pick(view, query, sort)


def _tables(view: View) -> list[Table]:
    if isinstance(view, Table):
        return [view]
    return [table for part in view.sections for table in _tables(part.view)] if isinstance(view, Sections) else []


def _pick(view: View, query: str, sort: str) -> View:
    if isinstance(view, Sections):
        return replace(
            view, sections=tuple(replace(part, view=_pick(part.view, query, sort)) for part in view.sections)
        )
    if not isinstance(view, Table):
        return view
    rows = filtered(view, query)
    if view.rows and not rows:
        view = replace(view, empty=f"None of {len(view.rows)} rows matches {query}.")
    column = sort.removeprefix("-")
    if any(known.id == column for known in view.columns):
        return ordered(replace(view, rows=rows, sort=column, descending=sort.startswith("-")))
    return replace(view, rows=rows)


def filtered(table: Table, query: str) -> list[Any]:
    """The rows for which every word of `query` holds."""
    tests = [_test(table, term) for term in query.split()]
    return [row for row in table.rows if all(test(row) for test in tests)]


def ordered(table: Table) -> Table:
    """The rows in the order that the table's `sort` asks for; unknown values come last either way."""
    column = next((column for column in table.columns if column.id == table.sort), None)
    if column is None:
        return table
    known: list[tuple[tuple[int, float, str], Any]] = []
    unknown: list[Any] = []
    for row in table.rows:
        value = column.value(row)
        if value is None or isinstance(value, Absent) or value != value:
            unknown.append(row)
        else:
            known.append((_rank(value), row))
    known.sort(key=lambda pair: pair[0], reverse=table.descending)
    return replace(table, rows=[*(row for _, row in known), *unknown])


def _rank(value: Any) -> tuple[int, float, str]:
    """Numbers before words; numbers inside of words count as letters, for node names are zero-padded."""
    found = number(value)
    return (0, found, "") if found is not None else (1, 0.0, _text(value))


def _test(table: Table, term: str) -> Test:
    if term.startswith("!") and len(term) > 1:
        inner = _test(table, term[1:])
        return lambda row: not inner(row)
    match = _TERM.fullmatch(term)
    column = next((column for column in table.columns if match and column.id == match["column"]), None)
    if match is not None and column is not None:
        return _column_test(column, match["sign"], match["word"].lower())
    word = term.lower()
    columns = table.columns
    return lambda row: any(word in _text(column.value(row)) for column in columns)


def _column_test(column: Column, sign: str, word: str) -> Test:
    try:
        limit = float(word)
    except ValueError:
        limit = None

    def holds(row: Any) -> bool:
        value = column.value(row)
        found = number(value)
        if sign == ":":
            return word in _text(value)
        if found is None or limit is None:
            return sign == "=" and _text(value) == word
        return found == limit if sign == "=" else found > limit if sign == ">" else found < limit

    return holds


def _text(value: Any) -> str:
    if value is None or isinstance(value, Absent):
        return ""
    if isinstance(value, (tuple, list, frozenset, set)):
        return " ".join(str(item) for item in value).lower()
    return str(value).lower()
