"""Ages: whether a row is older than it should be, and the column that then tells how old it is. Pure."""

from __future__ import annotations

from typing import Any

from mleconsole.model.absent import Absent, number
from mleconsole.model.view import Column, Style, Table

AGE = "age_seconds"


def is_stale(table: Table, row: Any) -> bool:
    """Older than the table's `stale_after`, or of no known age where the table knows ages."""
    if table.age is None:
        return False
    seconds = table.age(row)
    return isinstance(seconds, Absent) or seconds > table.stale_after


def stale_age(table: Table, row: Any) -> float | None:
    """The age of a stale row in seconds; None for one that is fresh or of no known age."""
    seconds = number(table.age(row)) if table.age is not None else None
    return seconds if seconds is not None and seconds > table.stale_after else None


def with_ages(table: Table) -> tuple[Column, ...]:
    """The table's columns and one of the ages of stale rows, when it has none of its own."""
    if table.age is None or any(column.id == AGE and column.screen for column in table.columns):
        return table.columns
    age = Column(AGE, "AGE", lambda row: stale_age(table, row), Style.DURATION, width=4, priority=1)
    return (*table.columns, age)
