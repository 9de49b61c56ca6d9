"""Choose: which processes of a job are worth a stack: one a rank, no launchers, no helpers that inherited a rank."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mleconsole.api import Fleet, Job, Process, Situation, Subject, known

#: How a plan's sentence about a process that is not asked begins; its label and the reason follow.
LEFT_OUT = "not asked: "

#: Programs that start ranks and are none; they wait for their children and nothing else.
LAUNCHER = re.compile(
    r"(?:^|[\s/])(?:torchrun|mpirun|mpiexec|srun|horovodrun|deepspeed|accelerate|colossalai)(?:\s|$)"
    r"|-m\s+(?:torch\.distributed\.(?:run|launch)|accelerate\.commands\.launch|deepspeed\.launcher)"
    r"|multiprocessing\.(?:resource_tracker|forkserver)|\bpy-spy\b|\bipykernel\b"
)


class Chosen(NamedTuple):
    """Processes to ask, and why others are not: (label, reason)."""

    processes: tuple[Process, ...]
    left_out: tuple[tuple[str, str], ...] = ()


def label_of(process: Process) -> str:
    """`rank 3`, or `pid 123 on node03`."""
    return f"rank {process.rank}" if known(process.rank) else f"pid {process.pid} on {process.host}"


def ids_of(fleet: Fleet, subject: Subject) -> frozenset[str]:
    """The numbers under which the processes of a job, or of an array's tasks, name it."""
    name = subject.key[0] if subject.key else ""
    job = fleet.get(Job, subject.key)
    jobs = [job] if job is not None else [task for task in fleet.of(Job) if task.array_id == name]
    return frozenset({name, *(str(task.extra.get("raw_id", task.job_id)) for task in jobs)})


def processes_of(fleet: Fleet, targets: Sequence[Subject]) -> list[Process]:
    """Every process that the subjects name."""
    found: dict[tuple[str, ...], Process] = {}
    for subject in targets:
        if subject.kind == Process.kind_name:
            process = fleet.get(Process, subject.key)
            if process is not None:
                found[process.key] = process
        else:
            ids = ids_of(fleet, subject)
            found.update(
                {p.key: p for p in ranks_of(p for p in fleet.of(Process) if known(p.job_id) and p.job_id in ids)}
            )
    return list(found.values())


def ranks_of(processes: Iterable[Process]) -> list[Process]:
    """One process a rank: the one that holds a GPU, then the oldest; without ranks every Python but launchers."""
    pythons = [p for p in processes if p.python and not (known(p.command) and LAUNCHER.search(p.command))]
    best: dict[tuple[str, int], Process] = {}
    for process in pythons:
        if not known(process.rank):
            continue
        key = (process.job_id if known(process.job_id) else "", process.rank)
        if key not in best or _order(process) < _order(best[key]):
            best[key] = process
    if best:
        return [best[key] for key in sorted(best)]
    return sorted(pythons, key=lambda p: (p.host, p.pid))


def _order(process: Process) -> tuple[bool, float, int]:
    return (not process.gpus, process.started if known(process.started) else float("inf"), process.pid)


def choose(fleet: Fleet, targets: Sequence[Subject], situation: Situation) -> Chosen:
    """Who can be asked, and who not and why."""
    ask: list[Process] = []
    left: list[tuple[str, str]] = []
    for process in processes_of(fleet, targets):
        reason = why_not(process, situation)
        if reason is None:
            ask.append(process)
        else:
            left.append((label_of(process), reason))
    return Chosen(tuple(ask), tuple(left))


def why_not(process: Process, situation: Situation) -> str | None:
    """Why this process can't be asked, or None."""
    if not process.python:
        return f"pid {process.pid} on {process.host} is no Python process"
    if known(process.user) and situation.user not in ("", "root", process.user):
        return f"it belongs to {process.user}; only {process.user} and root may read its stacks"
    if not known(process.pyspy):
        return f"no py-spy on {process.host} ({process.pyspy}); install it there, or name it under `tools: py-spy:`"
    return None
