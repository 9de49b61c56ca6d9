"""The heat map: every GPU of every node as one cell of the chosen metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import nan
from operator import attrgetter
from typing import NamedTuple, overload

from mleconsole.api import Absent, Fleet, Gpu, GpuFacts, Grid, GridGroup, Host, Key, Subject
from mleconsole.api.tools import host_silence, natural, short_name, silence

_NOT_READ = Absent("not read yet")


class Metric(NamedTuple):
    """What a cell shows on the scale [low, high] in `unit`: the field of a Gpu, or with `limit` how many per cent it
    is of that field of its GpuFacts."""

    title: str
    unit: str
    low: float
    high: float
    field: str
    limit: str = ""


#: Power is first: it tells work from waiting, which GPU-Util does not.
METRICS: Mapping[str, Metric] = {
    "power": Metric("power of limit", "%", 0.0, 100.0, "power_watts", "power_limit_watts"),
    "util": Metric("GPU-Util (time with any kernel)", "%", 0.0, 100.0, "util_percent"),
    "temperature": Metric("temperature", "°C", 20.0, 90.0, "temperature_celsius"),
    "memory": Metric("memory used", "%", 0.0, 100.0, "memory_used_mib", "memory_total_mib"),
}


class _Subjects(Sequence[Subject]):
    """The subjects of one node's cells, made when one is asked for."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> Subject: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Subject]: ...
    def __getitem__(self, index: int | slice) -> Subject | Sequence[Subject]:
        if isinstance(index, slice):
            return _Subjects(self._keys[index])
        return Subject("gpu", self._keys[index])

    def __iter__(self) -> Iterator[Subject]:
        return (Subject("gpu", key) for key in self._keys)


def grid(fleet: Fleet, name: str, epoch: float) -> Grid:
    """All GPUs by node. A host that shows none is one group with the reason; one that fell silent keeps its last
    values and says since when."""
    metric = METRICS.get(name) or METRICS["power"]
    slots, told = fleet.hosts(Gpu), fleet.hosts(GpuFacts)
    hosts = {host.name: host for host in fleet.of(Host)}
    groups = []
    for host in sorted(slots.keys() | hosts.keys(), key=natural):
        slot = slots.get(host)
        if slot:
            groups.append(_group(host, slot, told.get(host) or {}, metric, _silent(fleet, hosts.get(host), epoch)))
        elif host in hosts:
            reason = silence(fleet, hosts[host], "gpus", "no GPU answers here", epoch)
            groups.append(GridGroup(short_name(host), (), (), reason=reason, subject=Subject("host", (host,))))
    return Grid(
        metric=metric.title,
        unit=metric.unit,
        low=metric.low,
        high=metric.high,
        groups=groups,
        title=f"GPUs by node · {metric.title}, {metric.unit}",
        empty="No host is known yet. `r` asks again, `@` shows what was asked.",
    )


def _silent(fleet: Fleet, host: Host | None, epoch: float) -> str:
    return host_silence(host, fleet.now, epoch) if host is not None and host.state != "live" else ""


def _group(host: str, slot: Mapping[Key, Gpu], facts: Mapping[Key, GpuFacts], metric: Metric, reason: str) -> GridGroup:
    """One node's cells. Written for speed: it runs for every GPU whenever new values came."""
    values: list[float] = []
    reasons: dict[int, str] = {}
    keys = list(slot)
    if len(keys) > 10:  # "10" sorts before "2", and a slot keeps the order in which the host told it
        keys.sort(key=lambda key: int(key[1]))
    read = attrgetter(metric.field)
    limit = attrgetter(metric.limit) if metric.limit else None
    for key in keys:
        value = read(slot[key])
        if limit is not None and not isinstance(value, Absent):
            told = facts.get(key)
            whole = limit(told) if told is not None else _NOT_READ
            value = whole if isinstance(whole, Absent) else 100.0 * value / whole if whole > 0 else _NOT_READ
        if isinstance(value, Absent):
            reasons[len(values)] = value.reason
            value = nan
        values.append(value)
    return GridGroup(short_name(host), values, _Subjects(keys), reasons, reason, Subject("host", (host,)))
