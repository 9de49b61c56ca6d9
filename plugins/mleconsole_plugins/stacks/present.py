"""Present: what `py-spy dump` said of all ranks, as a tree: equal stacks as one, then what could not be read."""

from __future__ import annotations

from collections.abc import Mapping

from mleconsole.api import Outcome, Process, Subject, Tone, Tree, TreeNode, View
from mleconsole_plugins.stacks.choose import LEFT_OUT
from mleconsole_plugins.stacks.merge import Class, classes, fold_labels, normal
from mleconsole_plugins.stacks.parse import Dump, Frame, parse, refusal


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
