"""Fleet: the frozen snapshot of the cluster, {kind: {host: {key: record}}}, with the time of each (host, probe)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from mleconsole.model.absent import Absent
from mleconsole.model.record import Key, Kind, Record, Subject

R = TypeVar("R", bound=Record)
Slot = Mapping[Key, Any]  # all records of one kind on one host
_EMPTY: Mapping[str, Slot] = {}


class Seen(NamedTuple):
    """When a probe last answered on a host (console monotonic seconds), and its present trouble if it has one."""

    at: float
    trouble: Absent | None = None


class Observation(NamedTuple):
    """What one answer of one probe says: whole slots {kind: {key: record}} that replace that host's old ones.

    A kind that is not named keeps its records and only its time is renewed (an unchanged answer).
    """

    records: Mapping[Kind, Slot] = {}
    host: str = ""  # empty: the host that answered; CLUSTER for records of the scheduler
    notice: str = ""  # one sentence for the user, such as "squeue answered in a format newer than this console"


class Fleet:
    """A frozen snapshot; a new one is made for every tick and never changed afterwards."""

    __slots__ = ("_kinds", "_seen", "_source", "now", "serial")

    def __init__(
        self,
        kinds: Mapping[Kind, Mapping[str, Slot]] | None = None,
        seen: Mapping[tuple[str, str], Seen] | None = None,
        source: Mapping[tuple[Kind, str], str] | None = None,
        now: float = 0.0,
        serial: int = 0,
    ) -> None:
        self._kinds = kinds or {}
        self._seen = seen or {}
        self._source = source or {}
        self.now = now  # console monotonic seconds at which this snapshot was made
        self.serial = serial

    def of(self, kind: type[R]) -> Iterator[R]:
        """All records of `kind`, host by host."""
        for slot in self._kinds.get(kind, _EMPTY).values():
            yield from slot.values()

    def on(self, kind: type[R], host: str) -> Mapping[Key, R]:
        """The records of `kind` that `host` told."""
        return self._kinds.get(kind, _EMPTY).get(host, {})

    def hosts(self, kind: type[R]) -> Mapping[str, Mapping[Key, R]]:
        """{host: {key: record}} of one kind."""
        return self._kinds.get(kind, _EMPTY)

    def get(self, kind: type[R], key: Key) -> R | None:
        """The record of that key, or None. Keys of per-host kinds begin with the host."""
        slots = self._kinds.get(kind, _EMPTY)
        if key and (slot := slots.get(key[0])) is not None and (found := slot.get(key)) is not None:
            return found  # type: ignore[no-any-return]
        for slot in slots.values():
            if (found := slot.get(key)) is not None:
                return found  # type: ignore[no-any-return]
        return None

    def kinds(self) -> tuple[Kind, ...]:
        return tuple(self._kinds)

    def find(self, subject: Subject) -> Record | None:
        """The record a Subject names."""
        for kind in self._kinds:
            if kind.kind_name == subject.kind:
                return self.get(kind, subject.key)
        return None

    def count(self, kind: type[R]) -> int:
        return sum(len(slot) for slot in self._kinds.get(kind, _EMPTY).values())

    def seen(self, host: str, probe: str) -> Seen | None:
        return self._seen.get((host, probe))

    def all_seen(self) -> Mapping[tuple[str, str], Seen]:
        """{(host, probe): Seen} of every probe that was ever asked."""
        return self._seen

    def age(self, record: Record) -> float | Absent:
        """Seconds since the slot of `record` was last confirmed by its probe."""
        return self.slot_age(type(record), getattr(record, "host"))  # noqa: B009

    def slot_age(self, kind: Kind, host: str) -> float | Absent:
        probe = self._source.get((kind, host))
        seen = self._seen.get((host, probe)) if probe is not None else None
        if seen is None:
            return Absent("never answered")
        return max(0.0, self.now - seen.at)

    def trouble(self, kind: Kind, host: str) -> Absent | None:
        """Why the slot of `kind` on `host` is not fresh, or None when its probe's last answer was good."""
        probe = self._source.get((kind, host))
        seen = self._seen.get((host, probe)) if probe is not None else None
        return seen.trouble if seen is not None else None

    def parts(
        self,
    ) -> tuple[Mapping[Kind, Mapping[str, Slot]], Mapping[tuple[str, str], Seen], Mapping[tuple[Kind, str], str]]:
        """The maps behind this snapshot, for `fold` alone; never change them."""
        return self._kinds, self._seen, self._source


class Arrival(NamedTuple):
    """One probe's answer on one host as it reaches the fold: an Observation, or the trouble it had."""

    host: str
    probe: str
    at: float
    observation: Observation | None = None
    trouble: Absent | None = None


def fold(fleet: Fleet, arrivals: list[Arrival], now: float) -> Fleet:
    """One batch upsert of `arrivals` into `fleet`; it names no kind. An older answer never replaces a newer one."""
    old_kinds, old_seen, old_source = fleet.parts()
    kinds: dict[Kind, Mapping[str, Slot]] = dict(old_kinds)
    seen = dict(old_seen)
    source = dict(old_source)
    fresh: dict[Kind, dict[str, Slot]] = {}
    for arrival in arrivals:
        observation = arrival.observation
        host = (observation.host if observation is not None else "") or arrival.host
        before = seen.get((host, arrival.probe))
        if before is not None and before.at > arrival.at:
            continue
        if observation is None:
            # The last good time stays: ages keep growing while a probe is in trouble.
            seen[host, arrival.probe] = Seen(before.at if before is not None else arrival.at, arrival.trouble)
            continue
        seen[host, arrival.probe] = Seen(arrival.at, None)
        for kind, slot in observation.records.items():
            if kind not in fresh:
                fresh[kind] = dict(kinds.get(kind, {}))
            fresh[kind][host] = slot
            source[kind, host] = arrival.probe
    kinds.update(fresh)
    return Fleet(kinds, seen, source, now, fleet.serial + 1)
