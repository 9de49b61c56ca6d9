"""Rules on GPUs: each iterates the fleet once and is quiet on healthy, idle and stale data."""

from __future__ import annotations

from collections.abc import Iterator

from mleconsole.api import Absent, Alert, Fleet, Gpu, GpuFacts, History, Host, Key, Node, Rule, Severity, Subject, known
from mleconsole.api.tools import count, short_name
from mleconsole_plugins.nvidia import judge
from mleconsole_plugins.nvidia.judge import Finding

SETTLE_SECONDS = 60.0  # a host that was just reached may still fetch what it reads GPUs with


def _alert(key: Key, found: Finding) -> Alert:
    return Alert(found.severity, Subject("gpu", key), found.sentence, evidence=found.evidence, host=key[0])


def _samples(fleet: Fleet) -> Iterator[tuple[Key, Gpu, GpuFacts | None]]:
    """Every GPU whose host's samples are fresh, with its facts."""
    for host, slot in fleet.hosts(Gpu).items():
        if not judge.fresh(fleet, host):
            continue
        facts = fleet.on(GpuFacts, host)
        for key, gpu in slot.items():
            yield key, gpu, facts.get(key)


def _facts(fleet: Fleet) -> Iterator[tuple[Key, GpuFacts]]:
    for host, slot in fleet.hosts(GpuFacts).items():
        age = fleet.slot_age(GpuFacts, host)
        if known(age) and age <= judge.FACTS_FRESH_SECONDS:
            yield from slot.items()


def gpu_lost(fleet: Fleet, history: History) -> Iterator[Alert]:
    """NVML says "GPU is lost" in place of a value."""
    for key, gpu, _ in _samples(fleet):
        doubtful = isinstance(gpu.power_watts, Absent) or isinstance(gpu.temperature_celsius, Absent)
        if doubtful and (found := judge.lost(gpu)) is not None:
            yield _alert(key, found)


def gpu_missing(fleet: Fleet, history: History) -> Iterator[Alert]:
    """Fewer GPUs answer than the scheduler counts on that node (book, G1: nodes come with a GPU too few)."""
    for node in fleet.of(Node):
        host = fleet.on(Host, node.name).get((node.name,))
        if not known(node.gpus_total) or host is None or host.state != "live":
            continue
        seen = fleet.seen(node.name, "gpus")
        if seen is None or fleet.now - host.since < SETTLE_SECONDS:
            continue
        here = len(fleet.on(Gpu, node.name))
        if here >= node.gpus_total or (here and not judge.fresh(fleet, node.name)):
            continue
        why = f" ({seen.trouble.reason})" if seen.trouble is not None else ""
        answer = "answers" if here == 1 else "answer"
        yield Alert(
            Severity.WARNING,
            Subject("node", node.key),
            f"{short_name(node.name)}: {count(here, 'GPU')} {answer}{why}, the scheduler counts {node.gpus_total}",
            host=node.name,
        )


def gpu_spins(fleet: Fleet, history: History) -> Iterator[Alert]:
    """See :func:`judge.spins`."""
    for key, found in judge.spins(fleet, history):
        yield _alert(key, found)


def gpu_throttled(fleet: Fleet, history: History) -> Iterator[Alert]:
    """See :func:`judge.throttled`."""
    for key, gpu, facts in _samples(fleet):
        if gpu.throttle and (found := judge.throttled(gpu, facts)) is not None:
            yield _alert(key, found)


def gpu_pcie(fleet: Fleet, history: History) -> Iterator[Alert]:
    """See :func:`judge.pcie`."""
    for key, gpu, facts in _samples(fleet):
        if facts is not None and (found := judge.pcie(gpu, facts, history, fleet.now)) is not None:
            yield _alert(key, found)


def gpu_ecc(fleet: Fleet, history: History) -> Iterator[Alert]:
    """See :func:`judge.ecc`."""
    for key, facts in _facts(fleet):
        if (found := judge.ecc(facts)) is not None:
            yield _alert(key, found)


def gpu_rows(fleet: Fleet, history: History) -> Iterator[Alert]:
    """See :func:`judge.rows`."""
    for key, facts in _facts(fleet):
        if (found := judge.rows(facts)) is not None:
            yield _alert(key, found)


def gpu_nvlink(fleet: Fleet, history: History) -> Iterator[Alert]:
    """See :func:`judge.nvlink`."""
    for key, facts in _facts(fleet):
        if (found := judge.nvlink(facts, fleet.on(GpuFacts, facts.host))) is not None:
            yield _alert(key, found)


RULES = (
    Rule("gpu_lost", gpu_lost),
    Rule("gpu_missing", gpu_missing),
    Rule("gpu_spins", gpu_spins),
    Rule("gpu_throttled", gpu_throttled),
    Rule("gpu_ecc", gpu_ecc),
    Rule("gpu_rows", gpu_rows),
    Rule("gpu_pcie", gpu_pcie),
    Rule("gpu_nvlink", gpu_nvlink),
)
