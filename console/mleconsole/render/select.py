"""Select: which rows of a View's tables are printed, and in which order. Queries are those of the filter line."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from mleconsole.api.tools import natural
from mleconsole.model.absent import Absent, number
from mleconsole.model.query import Query, bind, parse
from mleconsole.model.view import Sections, Table, View

Rank = tuple[int, float, tuple[Any, ...]]


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
    parsed = parse(query)
    if isinstance(parsed, str):
        raise ValueError(parsed)
    return _pick(view, parsed, query, sort)


def _tables(view: View) -> list[Table]:
    if isinstance(view, Table):
        return [view]
    return [table for part in view.sections for table in _tables(part.view)] if isinstance(view, Sections) else []


def _pick(view: View, query: Query, typed: str, sort: str) -> View:
    if isinstance(view, Sections):
        parts = (replace(part, view=_pick(part.view, query, typed, sort)) for part in view.sections)
        return replace(view, sections=tuple(parts))
    if not isinstance(view, Table):
        return view
    test = bind(query, view)
    rows = [row for row in view.rows if test(row)]
    if view.rows and not rows:
        view = replace(view, empty=f"None of {len(view.rows)} rows matches {typed}.")
    column = sort.removeprefix("-")
    if any(known.id == column for known in view.columns):
        return ordered(replace(view, rows=rows, sort=column, descending=sort.startswith("-")))
    return replace(view, rows=rows)


def ordered(table: Table) -> Table:
    """The rows in the order that the table's `sort` asks for; unknown values come last either way."""
    column = next((column for column in table.columns if column.id == table.sort), None)
    if column is None:
        return table
    known: list[tuple[Rank, Any]] = []
    unknown: list[Any] = []
    for row in table.rows:
        value = column.value(row)
        if value is None or isinstance(value, Absent) or value != value:
            unknown.append(row)
        else:
            known.append((_rank(value), row))
    known.sort(key=lambda pair: pair[0], reverse=table.descending)
    return replace(table, rows=[*(row for _, row in known), *unknown])


def _rank(value: Any) -> Rank:
    """Numbers before words; in words, node9 before node10."""
    found = number(value)
    if found is not None:
        return (0, found, ())
    words = ",".join(map(str, value)) if isinstance(value, (tuple, list, frozenset, set)) else str(value)
    return (1, 0.0, natural(words.lower()))
