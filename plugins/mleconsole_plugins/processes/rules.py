"""The rule on orphans: GPU memory that no live job holds, for longer than a job takes to end."""

from __future__ import annotations

from collections.abc import Iterator

from mleconsole.api import Alert, Fleet, History, Process, Rule, Severity, Subject, known
from mleconsole.api.tools import FRESH_SECONDS, count, known_points, short_name
from mleconsole_plugins.processes.derive import GpuOrphan

#: Slurm gives a cancelled job KillWait (30 s) and its step UnkillableStepTimeout (60 s) to be gone (slurm.conf(5)).
GRACE_SECONDS = 60.0
ON_CHANGE_SECONDS = 60.0  # an unchanged list of processes travels once a minute
GAP_SECONDS = 40.0  # an idle console asks every 30 s


def held_for(orphan: GpuOrphan, history: History, now: float) -> float:
    """Seconds since which it has been an orphan without a break, as far as this console has seen."""
    points = known_points(history.series(GpuOrphan, orphan.key, "memory_mib"))
    begin = now
    for at, _ in reversed(points):
        if begin - at > GAP_SECONDS:
            break
        begin = at
    return now - begin


def orphan_memory(fleet: Fleet, history: History) -> Iterator[Alert]:
    """GPU memory of no live job for more than 60 s (GRACE_SECONDS): the next job on that GPU runs out of memory."""
    for host, slot in fleet.hosts(GpuOrphan).items():
        age = fleet.slot_age(Process, host)
        if not known(age) or age > FRESH_SECONDS + ON_CHANGE_SECONDS:
            continue
        for orphan in slot.values():
            seconds = held_for(orphan, history, fleet.now)
            if seconds <= GRACE_SECONDS:
                continue
            of = f" of {orphan.user}" if known(orphan.user) else ""
            job = f"whose job {orphan.job_id} has ended" if known(orphan.job_id) else "of no live job"
            pids = ", ".join(str(pid) for pid in orphan.pids[:3]) + (" ..." if len(orphan.pids) > 3 else "")
            yield Alert(
                Severity.WARNING,
                Subject("gpu", orphan.key),
                f"{short_name(host)} gpu{orphan.index}: {_memory(orphan.memory_mib)} held by "
                f"{count(len(orphan.pids), 'process', 'processes')}{of} ({pids}), {job}",
                evidence=tuple(f"pid {pid}" for pid in orphan.pids),
                since=fleet.now - seconds,
                host=host,
            )


def _memory(mib: int) -> str:
    return f"{mib / 1024:.1f} GiB" if mib >= 1024 else f"{mib} MiB"


RULES = (Rule("orphan_memory", orphan_memory),)
