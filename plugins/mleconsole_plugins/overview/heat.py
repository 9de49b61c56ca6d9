"""The heat map: every GPU of every node as one cell of the chosen metric."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import nan
from typing import NamedTuple, overload

from mleconsole.api import Absent, Fleet, Gpu, GpuFacts, Grid, GridGroup, Host, Key, Subject
from mleconsole.api.tools import host_silence, natural, short_name, silence

Value = float | int | Absent | None
_NOT_READ = Absent("not read yet")


class Metric(NamedTuple):
    """What a cell shows: `value(gpu, facts)` and the scale [low, high] in `unit`."""

    title: str
    unit: str
    low: float
    high: float
    value: Callable[[Gpu, GpuFacts | None], Value]


def _power(gpu: Gpu, facts: GpuFacts | None) -> Value:
    return _share(gpu.power_watts, facts.power_limit_watts if facts is not None else _NOT_READ)


def _memory(gpu: Gpu, facts: GpuFacts | None) -> Value:
    return _share(gpu.memory_used_mib, facts.memory_total_mib if facts is not None else _NOT_READ)


def _share(part: float | Absent, whole: float | Absent) -> Value:
    if isinstance(part, Absent):
        return part
    if isinstance(whole, Absent):
        return whole
    return 100.0 * part / whole if whole > 0 else _NOT_READ


#: Power is first: it tells work from waiting, which GPU-Util does not.
METRICS: Mapping[str, Metric] = {
    "power": Metric("power, % of limit", "%", 0.0, 100.0, _power),
    "util": Metric("GPU-Util, % of time with any kernel", "%", 0.0, 100.0, lambda gpu, facts: gpu.util_percent),
    "temperature": Metric("temperature", "°C", 20.0, 90.0, lambda gpu, facts: gpu.temperature_celsius),
    "memory": Metric("memory, % used", "%", 0.0, 100.0, _memory),
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
        title=f"GPUs by node · {metric.title}",
        empty="No host is known yet. `r` asks again, `@` shows what was asked.",
    )


def _silent(fleet: Fleet, host: Host | None, epoch: float) -> str:
    return host_silence(host, fleet.now, epoch) if host is not None and host.state != "live" else ""


def _group(host: str, slot: Mapping[Key, Gpu], facts: Mapping[Key, GpuFacts], metric: Metric, reason: str) -> GridGroup:
    values: list[float] = []
    reasons: dict[int, str] = {}
    keys = list(slot)
    if len(keys) > 10:  # "10" sorts before "2", and a slot keeps the order in which the host told it
        keys.sort(key=lambda key: int(key[1]))
    for place, key in enumerate(keys):
        value = metric.value(slot[key], facts.get(key))
        if isinstance(value, (int, float)):
            values.append(value)
        else:
            values.append(nan)
            reasons[place] = value.reason if isinstance(value, Absent) else "not told"
    return GridGroup(short_name(host), values, _Subjects(keys), reasons, reason, Subject("host", (host,)))
