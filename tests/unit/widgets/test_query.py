"""The filter line: which rows it shows, and that nothing one can type breaks it."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mleconsole.model.absent import Absent
from mleconsole.model.query import Query, find_column, matches, parse
from mleconsole.model.view import Column, Style, Table


class Row(NamedTuple):
    name: Any
    user: Any
    util: Any
    memory: Any
    age: Any


ROWS = (
    Row("train-llama", "alice", 97.0, 72908, 40.0),
    Row("eval", "bob", 4.0, 512, 900.0),
    Row("Sweep 7", "alice", Absent("driver too old"), Absent("driver too old"), 7300.0),
)
TABLE = Table(
    (
        Column("name", "NAME", lambda r: r.name),
        Column("user", "USER", lambda r: r.user),
        Column("util_percent", "UTIL", lambda r: r.util, Style.PERCENT),
        Column("memory_mib", "MEM", lambda r: r.memory, Style.MIB),
        Column("age_seconds", "AGE", lambda r: r.age, Style.DURATION),
        Column("hidden", "HIDDEN", lambda r: "secret", screen=False),
    ),
    ROWS,
    lambda r: None,
)


def found(text: str) -> list[str]:
    query = parse(text)
    assert isinstance(query, Query), query
    return [row.name for row in ROWS if matches(query, TABLE, row)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["train-llama", "eval", "Sweep 7"]),
        ("LLAMA", ["train-llama"]),
        ("alice !llama", ["Sweep 7"]),
        ('"sweep 7"', ["Sweep 7"]),
        ("secret", []),
        ("hidden:secret", ["train-llama", "eval", "Sweep 7"]),
        ("user:bob", ["eval"]),
        ("!user:bob", ["train-llama", "Sweep 7"]),
        ("util:>90", ["train-llama"]),
        ("util>90", ["train-llama"]),
        ("util:<=4", ["eval"]),
        ("util:4", ["eval"]),
        ("util:·", ["Sweep 7"]),
        ("mem:>40G", ["train-llama"]),
        ("mem:<1g", ["eval"]),
        ("age:>12m age:<2h", ["eval"]),
        ("/^e.al$/", ["eval"]),
        ("!/e/", []),
        ("nosuch:thing", []),
        ("user:", ["train-llama", "eval", "Sweep 7"]),
        ("!user:", ["train-llama", "eval", "Sweep 7"]),
        ("util:>", ["train-llama", "eval", "Sweep 7"]),
    ],
)
def test_what_is_found(text: str, names: list[str]) -> None:
    assert found(text) == names


def test_an_unfinished_pattern_says_so() -> None:
    reason = parse("/[/")
    assert isinstance(reason, str) and "/[/" in reason


def test_columns_are_named_by_a_beginning_that_is_clear() -> None:
    assert find_column(TABLE, "UTIL") is TABLE.columns[2]
    assert find_column(TABLE, "me") is TABLE.columns[3]
    assert find_column(TABLE, "nosuch") is None


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from('!:/"<>=()[]*+\\ utilmemage019Gm'))))
def test_nothing_typed_breaks_it(text: str) -> None:
    query = parse(text)
    if isinstance(query, Query):
        assert all(isinstance(matches(query, TABLE, row), bool) for row in ROWS)


@given(st.text("abc !:", max_size=12))
def test_a_term_and_its_negation_part_the_rows(text: str) -> None:
    word = text.strip(" !:").split(" ")[0].split(":")[0].strip("!")
    if word:
        assert sorted(found(word) + found(f"!{word}")) == sorted(row.name for row in ROWS)
