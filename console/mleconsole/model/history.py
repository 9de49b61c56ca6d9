"""History: bounded float matrices per (kind, field); rows by key, one column a tick, gaps as NaN."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from math import isnan, nan
from typing import NamedTuple

from mleconsole.model.absent import number
from mleconsole.model.fleet import Fleet
from mleconsole.model.record import Key, Kind

DEFAULT_POINTS = 120


class Keep(NamedTuple):
    """A plugin's declaration that a numeric field of a kind is to be remembered."""

    kind: Kind
    field: str


class Series(NamedTuple):
    """The past of one field of one record: equal-length seconds (console monotonic) and values (NaN is a gap)."""

    times: Sequence[float]
    values: Sequence[float]

    def last(self) -> float | None:
        """The newest value that is no gap."""
        return next((v for v in reversed(self.values) if not isnan(v)), None)


class _Matrix:
    """points x keys floats; row = tick (a ring), column = key, so that a tick is one slice assignment."""

    def __init__(self, points: int) -> None:
        self.points = points
        self.columns: dict[Key, int] = {}
        self.width = 0
        self.rows: list[array[float]] = [array("f") for _ in range(points)]

    def write(self, row: int, values: dict[Key, float]) -> None:
        columns = self.columns
        for key in values:
            if key not in columns:
                columns[key] = len(columns)
        line = array("f", [nan]) * len(columns)
        for key, value in values.items():
            line[columns[key]] = value
        self.rows[row] = line

    def forget(self, live: set[Key]) -> None:
        """Drop the columns of keys that are gone, when they outnumber the living."""
        if len(self.columns) <= 2 * len(live) + 64:
            return
        kept = [(key, column) for key, column in self.columns.items() if key in live]
        for index, line in enumerate(self.rows):
            self.rows[index] = array("f", [line[c] if c < len(line) else nan for _, c in kept])
        self.columns = {key: index for index, (key, _) in enumerate(kept)}

    def read(self, key: Key, order: Iterable[int]) -> list[float]:
        column = self.columns.get(key)
        if column is None:
            return []
        return [line[column] if column < len(line) else nan for line in (self.rows[i] for i in order)]


def _filled(rows: Sequence[array[float]]) -> array[float]:
    """The first row with its gaps filled from the following ones."""
    found = array("f", rows[0])
    for row in rows[1:]:
        found.extend([nan] * (len(row) - len(found)))
        if not any(value != value for value in found):
            break
        for at, value in enumerate(row):
            if found[at] != found[at]:
                found[at] = value
    return found


class History:
    """The remembered past. One writer (the collector's tick); readers take copies by :meth:`series`."""

    def __init__(self, keeps: Iterable[Keep] = (), points: int = DEFAULT_POINTS) -> None:
        self.points = points
        self._keeps = tuple(keeps)
        self._matrices = {(keep.kind, keep.field): _Matrix(points) for keep in self._keeps}
        self._times = array("d", [nan]) * points
        self._next = 0
        self._filled = 0

    def remember(self, fleet: Fleet, fresh_within: float = 15.0) -> None:
        """Write one column from `fleet`; slots older than `fresh_within` seconds are gaps."""
        row = self._next
        for keep in self._keeps:
            values: dict[Key, float] = {}
            for host, slot in fleet.hosts(keep.kind).items():
                age = fleet.slot_age(keep.kind, host)
                if not isinstance(age, float) or age > fresh_within:
                    continue
                for key, record in slot.items():
                    value = number(getattr(record, keep.field))
                    if value is not None:
                        values[key] = value
            matrix = self._matrices[keep.kind, keep.field]
            matrix.write(row, values)
            if row == 0:
                matrix.forget({key for slot in fleet.hosts(keep.kind).values() for key in slot})
        self._times[row] = fleet.now
        self._next = (row + 1) % self.points
        self._filled = min(self._filled + 1, self.points)

    def _order(self, last: int | None = None) -> list[int]:
        count = self._filled if last is None else min(last, self._filled)
        return [(self._next - count + i) % self.points for i in range(count)]

    def series(self, kind: Kind, key: Key, field: str, last: int | None = None) -> Series:
        """The past of one field, oldest first; empty when it is not declared or not seen yet."""
        matrix = self._matrices.get((kind, field))
        if matrix is None:
            return Series((), ())
        order = self._order(last)
        values = matrix.read(key, order)
        if not values:
            return Series((), ())
        return Series([self._times[i] for i in order], values)

    def grown(self, kind: Kind, field: str, last: int, slack: int = 8) -> dict[Key, float]:
        """{key: newest value minus oldest} of the last `last` points, for all keys at once and without those at which
        nothing changed. A gap at either end is bridged by up to `slack` points."""
        matrix = self._matrices.get((kind, field))
        order = self._order(last)
        if matrix is None or len(order) < 2:
            return {}
        rows = [matrix.rows[index] for index in order]
        old, new = _filled(rows[:slack]), _filled(rows[: -slack - 1 : -1])
        width = min(len(old), len(new))
        changes = ((key, new[at] - old[at]) for key, at in matrix.columns.items() if at < width and new[at] != old[at])
        return {key: change for key, change in changes if change == change}  # what is not, is a gap still

    def fields(self) -> tuple[Keep, ...]:
        return self._keeps
