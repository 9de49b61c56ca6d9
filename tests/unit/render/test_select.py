"""Filters and sorting of printed tables."""

from __future__ import annotations

from math import nan
from typing import Any

import pytest

from mleconsole.api import Absent, Column, Section, Sections, Style, Table, Text
from mleconsole.render.select import NoColumn, pick

ROWS = (
    {"node": "node01", "gpus": 8, "users": ("alice", "bob"), "power": 640.0},
    {"node": "node02", "gpus": 2, "users": (), "power": Absent("Alice was here")},
    {"node": "node03", "gpus": 4, "users": ("carol",), "power": nan},
    {"node": "login", "gpus": None, "users": ("alice",), "power": 70.0},
)


STYLES = {"users": Style.NAMES, "gpus": Style.NUMBER, "power": Style.NUMBER}


def table() -> Table:
    return Table(
        tuple(
            Column(name, name, lambda row, name=name: row[name], STYLES.get(name, Style.TEXT))  # type: ignore[misc]
            for name in ROWS[0]
        ),
        ROWS,
        lambda row: None,
    )


def names(view: Any) -> list[str]:
    return [row["node"] for row in view.rows]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["node01", "node02", "node03", "login"]),
        ("ALICE", ["node01", "login"]),
        ("node !bob", ["node02", "node03"]),
        ("users:alice node:node", ["node01"]),
        ("gpus:>2", ["node01", "node03"]),
    ],
)
def test_queries_are_those_of_the_filter_line(query: str, found: list[str]) -> None:
    assert names(pick(table(), query)) == found


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("gpus", ["node02", "node03", "node01", "login"]),
        ("-gpus", ["node01", "node03", "node02", "login"]),
        ("-power", ["node01", "login", "node02", "node03"]),
        ("node", ["login", "node01", "node02", "node03"]),
    ],
)
def test_unknown_values_sort_last_either_way(sort: str, found: list[str]) -> None:
    assert names(pick(table(), sort=sort)) == found


def test_nothing_left_is_not_nothing_there() -> None:
    picked = pick(table(), "nosuch")
    assert isinstance(picked, Table)
    assert picked.empty == "None of 4 rows matches nosuch."


def test_tables_in_sections() -> None:
    view = Sections((Section("a", table()), Section("b", Text("x"))))
    picked = pick(view, "bob")
    assert isinstance(picked, Sections)
    assert names(picked.sections[0].view) == ["node01"]


def test_what_can_not_be_picked_is_one_sentence() -> None:
    with pytest.raises(NoColumn, match=r"no column is called gpu; there are: node, gpus, users, power"):
        pick(table(), sort="-gpu")
    with pytest.raises(ValueError, match="can't be read"):
        pick(table(), "/(/")
    with pytest.raises(ValueError, match="no table"):
        pick(Text("x"), "alice")


def test_words_sort_by_the_numbers_in_them() -> None:
    rows = [{"node": "node10"}, {"node": "node9"}]
    view = Table((Column("node", "NODE", lambda row: row["node"]),), rows, lambda row: None)
    assert names(pick(view, sort="node")) == ["node9", "node10"]
