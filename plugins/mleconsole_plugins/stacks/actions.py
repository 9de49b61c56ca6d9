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
    Tone,
    Tree,
    TreeNode,
    View,
)
from mleconsole_plugins.stacks.choose import choose, label_of, processes_of
from mleconsole_plugins.stacks.merge import Class, classes, fold_labels, normal
from mleconsole_plugins.stacks.parse import Dump, Frame, parse, refusal

LEFT_OUT = "not asked: "


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
    """Classes of equal stacks, the smallest first; then what could not be read, and why."""
    dumps: dict[str, Dump] = {}
    subjects: dict[str, Subject] = {}
    failed: dict[str, list[str]] = {}
    for step, done in outcome.results:
        label = step.label or f"pid {step.argv[-1]} on {step.host}"
        subjects[label] = Subject(Process.kind_name, (step.host, step.argv[-1]))
        dump = parse(done.text) if done.ok else None
        if dump is None:
            failed.setdefault(refusal(done), []).append(label)
        else:
            dumps[label] = dump
    for sentence in outcome.plan.consequences:
        if sentence.startswith(LEFT_OUT):
            label, _, reason = sentence.removeprefix(LEFT_OUT).partition(": ")
            failed.setdefault(reason, []).append(label)
    total = len(dumps) + sum(len(labels) for labels in failed.values())
    if len(dumps) == 1 and total == 1:
        roots = _threads(*next(iter(dumps.items())), subjects)
    else:
        stacks = {label: _main_frames(dump) for label, dump in dumps.items()}
        roots = [_class(one, len(dumps), subjects) for one in classes(stacks)]
    roots += [
        TreeNode(
            f"no stack of {fold_labels(labels)}", (TreeNode(reason),), tone=Tone.WARN, note=f"{len(labels)} of {total}"
        )
        for reason, labels in failed.items()
    ]
    return Tree(
        tuple(roots), title=f"{outcome.plan.title}: {len(dumps)} of {total} read", empty="No process was asked."
    )


def _main_frames(dump: Dump) -> tuple[Frame, ...]:
    main = dump.main
    return main.frames if main is not None else ()


def _class(one: Class, total: int, subjects: Mapping[str, Subject]) -> TreeNode:
    """A class: where its ranks are innermost; below it the way there, innermost first."""
    top = str(one.spots[0]) if one.spots else "no Python frame"
    note = f"{len(one.labels)} of {total}: {fold_labels(one.labels)}"
    subject = subjects.get(one.labels[0]) if len(one.labels) == 1 else None
    return TreeNode(top, tuple(TreeNode(str(spot)) for spot in one.spots[1:]), subject=subject, note=note)


def _threads(label: str, dump: Dump, subjects: Mapping[str, Subject]) -> list[TreeNode]:
    """One process: all its threads, the main one first."""
    main = dump.main
    ordered = sorted(dump.threads, key=lambda thread: thread is not main)
    return [
        TreeNode(
            thread.name or f"thread {thread.id}",
            tuple(TreeNode(str(frame)) for frame in normal(thread.frames)),
            subject=subjects.get(label) if thread is main else None,
            note=f"{label}, {thread.state}" if thread is main else thread.state,
        )
        for thread in ordered
    ]


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
