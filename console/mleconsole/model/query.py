"""Query: the small language of the filter line: `word`, `!word`, `column:text`, `column:>90`, `/regex/`. Pure.

All terms must hold. `word` is looked for in the text columns that are on the screen, whatever its case; "two words" in
quotes are one. A column is named by its id, its title or the beginning of one that is unambiguous; a name that is no
column makes the term a plain word (`12:04`). Numbers may carry a unit: `mem:>40G`, `age:>12m`. Unknown values are
found by `column:·` alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import isnan
from typing import Any

import msgspec

from mleconsole.model.absent import Absent, number
from mleconsole.model.format import NUMERIC, cell_text
from mleconsole.model.view import Column, Style, Table

Test = Callable[[Any], bool]

_TOKEN = re.compile(r'!?/(?:\\.|[^/\\])+/(?=\s|$)|(?:[^\s"]|"[^"]*"?)+')
_COLUMN = re.compile(r"(?P<name>[^\W\d]\w*)(?P<sign>:(?:>=|<=|>|<|=)?|>=|<=|>|<|=)(?P<value>.*)", re.DOTALL)
_NUMBER = re.compile(r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(?P<unit>[a-z%°]*)", re.IGNORECASE)
_TEXTS = frozenset({Style.TEXT, Style.NAMES})
_BYTES = {"": 1.0, "b": 1.0} | {unit: 1000.0 ** (i + 1) for i, unit in enumerate("kmgtpe")}
_MIB = {"": 1.0, "m": 1.0, "k": 1 / 1024, "g": 1024.0, "t": 1024.0**2}
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Term(msgspec.Struct, frozen=True):
    """One condition. With a `column` its `sign` is `:` (contains), `=`, `>`, `<`, `>=` or `<=`."""

    text: str  # as it was typed, without `!` and quotes; lower case
    negated: bool = False
    pattern: re.Pattern[str] | None = None
    column: str = ""
    sign: str = ""
    value: str = ""


class Query(msgspec.Struct, frozen=True):
    """Conditions that must all hold; none: every row."""

    terms: tuple[Term, ...] = ()


def parse(text: str) -> Query | str:
    """The Query of what was typed, or one sentence saying why it is none."""
    terms = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        negated = token.startswith("!")
        body = token[1:] if negated else token
        if len(body) > 2 and body.startswith("/") and body.endswith("/"):
            try:
                terms.append(Term(body.lower(), negated, re.compile(body[1:-1], re.IGNORECASE)))
            except (re.error, RecursionError, OverflowError) as error:
                return f"the pattern {body} can't be read: {error}"
            continue
        plain = body.replace('"', "").lower()
        if not plain:  # a sign still being typed
            continue
        found = _COLUMN.fullmatch(body)
        if found is None:
            terms.append(Term(plain, negated))
        else:
            sign = found["sign"]
            sign = sign[1:] if len(sign) > 1 and sign[0] == ":" else sign
            value = found["value"].replace('"', "").strip().lower()
            terms.append(Term(plain, negated, None, found["name"].lower(), sign, value))
    return Query(tuple(terms))


def bind(query: Query, table: Table, shown: Sequence[Column] | None = None) -> Test:
    """`query` as a test of rows of `table`; words are looked for in `shown` (all columns of the screen by default)."""
    tests = [_test(term, table, shown) for term in query.terms]
    if not tests:
        return lambda row: True
    return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)


def matches(query: Query, table: Table, row: Any) -> bool:
    """Whether one row is shown. For many rows :func:`bind` once."""
    return bind(query, table)(row)


def find_column(table: Table, name: str) -> Column | None:
    """The column called so: by id, by title, by the beginning of one alone; whatever the case."""
    wanted = name.lower()
    exact = [column for column in table.columns if column.id.lower() == wanted]
    exact += [column for column in table.columns if column.title.lower() == wanted]
    if exact:
        return exact[0]
    begins = [c for c in table.columns if c.id.lower().startswith(wanted) or c.title.lower().startswith(wanted)]
    on_screen = [column for column in begins if column.screen]
    return begins[0] if len(begins) == 1 else on_screen[0] if len(on_screen) == 1 else None


def _test(term: Term, table: Table, shown: Sequence[Column] | None) -> Test:
    test = _positive(term, table, shown)
    return (lambda row: not test(row)) if term.negated else test


def _positive(term: Term, table: Table, shown: Sequence[Column] | None) -> Test:
    if term.column and (column := find_column(table, term.column)) is not None:
        if not term.value:  # still being typed
            return lambda row: not term.negated
        return _column_test(column, term.sign, term.value)
    texts = [c for c in (table.columns if shown is None else shown) if c.screen and c.style in _TEXTS]
    values = tuple((column.value, column.style) for column in texts)
    pattern, word = term.pattern, term.text

    def found(row: Any) -> bool:
        for value, style in values:
            told = value(row)
            text = told if type(told) is str else _text(told, style)
            if word in text.lower() if pattern is None else pattern.search(text):
                return True
        return False

    return found


def _text(value: Any, style: Style) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Absent):
        return ""
    return cell_text(value, style)


def _column_test(column: Column, sign: str, word: str) -> Test:
    value, style = column.value, column.style
    limit = quantity(word, style)
    if sign == ":":
        if limit is not None and style in NUMERIC:
            return lambda row: number(value(row)) == limit
        return lambda row: word in cell_text(value(row), style).lower()
    if limit is None:
        if sign == "=":
            return lambda row: cell_text(value(row), style).lower() == word
        return lambda row: False
    compare = _COMPARE[sign]

    def holds(row: Any) -> bool:
        told = value(row)
        found = number(told)
        if found is None and isinstance(told, str):
            found = quantity(told, style)
        return found is not None and not isnan(found) and compare(found, limit)

    return holds


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}


def quantity(text: str, style: Style) -> float | None:
    """A typed number with its unit, in the unit of a column's raw values; None when it is no number."""
    found = _NUMBER.fullmatch(text.strip().replace(",", ""))
    if found is None:
        return None
    unit = found["unit"].lower()
    if style is Style.DURATION:
        factor = _SECONDS.get(unit)
    elif style is Style.BYTES:
        factor = _BYTES.get(unit[:1])
    elif style is Style.MIB:
        factor = _MIB.get(unit[:1])
    else:
        factor = 1.0 if style in NUMERIC or not unit else None
    return None if factor is None else float(found["number"]) * factor
