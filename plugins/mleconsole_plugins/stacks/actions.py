"""Actions: the Python stacks of a process or of all ranks of a job, by `py-spy dump --nonblocking`, merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mleconsole.api import (
    Action,
    Danger,
    Fleet,
    Job,
    Outcome,
    Plan,
    Process,
    Situation,
    Step,
    Subject,
    View,
)
from mleconsole_plugins.stacks.choose import LEFT_OUT, choose, label_of, processes_of


def guard(fleet: Fleet, targets: Sequence[Subject], situation: Situation) -> str | None:
    """Why no stack can be had."""
    if not targets:
        return "select a job or a process first"
    chosen = choose(fleet, targets, situation)
    if chosen.processes:
        return None
    if chosen.left_out:
        label, reason = chosen.left_out[0]
        more = len(chosen.left_out) - 1
        return f"{label}: {reason}{f' (and {more} more)' if more else ''}"
    subject = targets[0]
    if subject.kind == Process.kind_name:
        return f"process {' '.join(subject.key)} is gone"
    return f"no Python process of job {subject.key[0]} was seen on the nodes that we reach"


def plan(fleet: Fleet, targets: Sequence[Subject], inputs: Mapping[str, Any], situation: Situation) -> Plan:
    """One `py-spy dump --nonblocking` a process, on its own host. It does not pause the process."""
    chosen = choose(fleet, targets, situation)
    if not chosen.processes:
        raise ValueError(guard(fleet, targets, situation) or "there is nothing to ask")
    steps = tuple(
        Step(p.host, (str(p.pyspy), "dump", "--nonblocking", "--pid", str(p.pid)), label=label_of(p), deadline=20.0)
        for p in chosen.processes
    )
    left = tuple(f"{LEFT_OUT}{label}: {reason}" for label, reason in chosen.left_out)
    name = targets[0].key[0] if targets[0].kind == Job.kind_name else label_of(processes_of(fleet, targets)[0])
    return Plan(f"Stacks of {name}", steps, Danger.READS, consequences=left)


def present(outcome: Outcome) -> View:
    """Classes of equal stacks, the smallest first; what reads and merges them is imported with the first of them."""
    from mleconsole_plugins.stacks.present import present as present_stacks

    return present_stacks(outcome)


def target(fleet: Fleet, word: str) -> Subject | None:
    """`48213` is a job, `node03:41733` a process."""
    host, colon, pid = word.rpartition(":")
    if colon and pid.isdigit() and host:
        return Subject(Process.kind_name, (host, pid))
    if word[:1].isdigit() and word.replace("_", "").replace("+", "").isdigit():
        return Subject(Job.kind_name, (word,))
    return None


STACKS = Action(
    id="stacks",
    title="Python stacks of all its ranks",
    danger=Danger.READS,
    kinds=(Process.kind_name, Job.kind_name),
    plan=plan,
    guard=guard,
    keys=("D",),
    present=present,
    help="py-spy dump --nonblocking of every rank, equal stacks as one. Nothing is paused.",
    needs=("processes", "squeue"),
    target=target,
)
