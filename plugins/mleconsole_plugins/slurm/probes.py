"""Probes: what is asked of Slurm on the login host. Parsers are pure; what did not change is not parsed again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mleconsole.api import (
    CLUSTER,
    Answer,
    CommandProbe,
    Completed,
    Job,
    Key,
    Node,
    Observation,
    Partition,
    ProbeTrouble,
    Situation,
)
from mleconsole_plugins.slurm.kinds import SlurmAccess, SlurmClock, SlurmStep
from mleconsole_plugins.slurm.records import (
    JOB_FIELDS,
    JOB_GROUP,
    NODE_FIELDS,
    PARTITION_FIELDS,
    STEP_FORMAT,
    jobs_from,
    merged,
    node_from,
    partition_from,
    step_from,
)
from mleconsole_plugins.slurm.text import RECORD, UNIT, answered, columns, records

#: Digits instead of local times, and whole lists of array tasks.
ENV = ("env", "SLURM_TIME_FORMAT=%s", "SLURM_BITSTR_LEN=0")
UNCHANGED = Observation({}, CLUSTER)


class Remembered(NamedTuple):
    """What a parser keeps of its last answer: its bytes, and what each line of it became."""

    raw: bytes
    lines: Mapping[str, Any]


def squeue_argv(situation: Situation) -> tuple[str, ...]:
    """Without --array: squeue then leaves the waiting tasks of an array on one line, which is how they are kept."""
    return (*ENV, "squeue", "--noheader", "--all", f"--Format={columns(JOB_FIELDS, JOB_GROUP)}")


def sinfo_argv(situation: Situation) -> tuple[str, ...]:
    """sinfo, not scontrol: its answer holds nothing that changes by itself (load, free memory, times)."""
    return (*ENV, "sinfo", "--Node", "--noheader", "--all", f"--Format={columns(NODE_FIELDS)}")


def partitions_argv(situation: Situation) -> tuple[str, ...]:
    return (*ENV, "sinfo", "--noheader", "--all", f"--Format={columns(PARTITION_FIELDS)}")


def steps_argv(situation: Situation) -> tuple[str, ...]:
    return (*ENV, "squeue", "--steps", "--noheader", "--all", f"--format={UNIT.join(STEP_FORMAT)}{RECORD[0]}")


def clock_argv(situation: Situation) -> tuple[str, ...]:
    return ("date", f"+%s {situation.user.replace('%', '')}")


def access_argv(situation: Situation) -> tuple[str, ...]:
    return ("sacctmgr", "--noheader", "--parsable2", "show", "user", situation.user, "format=user,adminlevel")


def _changed(
    done: Completed, memory: Remembered | None, command: str, read: Callable[[Sequence[str]], Iterable[Any]]
) -> Remembered:
    """The lines of an answer with what each became; a line known from the last answer is not read again."""
    lines = records(answered(done, command), command)
    before: Mapping[str, Any] = memory.lines if memory is not None else {}
    values = list(map(before.get, lines))
    if None in values:
        new = [line for line, value in zip(lines, values, strict=True) if value is None]
        fresh = iter(read(new))
        values = [next(fresh) if value is None else value for value in values]
    return Remembered(done.stdout, dict(zip(lines, values, strict=True)))


def _notice(command: str, lines: Mapping[str, object]) -> str:
    """What to say about lines that could not be read. Raises ProbeTrouble when none could."""
    odd = [line for line, value in lines.items() if value is None]
    if not odd:
        return ""
    if len(odd) == len(lines):
        raise ProbeTrouble(f"{command} answers in a form that this console does not know; nothing of it is shown")
    example = odd[0].replace(UNIT, " ")[:60]
    return f"{len(odd)} of {len(lines)} lines of {command} could not be read and are left out, such as: {example}"


def _unchanged(done: Completed, memory: Remembered | None) -> bool:
    return memory is not None and done.ok and done.stdout == memory.raw


def _jobs(lines: Sequence[str]) -> list[tuple[Key, Job] | None]:
    return [None if job is None else ((job.job_id,), job) for job in jobs_from(lines)]


def parse_squeue(done: Completed, memory: Remembered | None) -> Answer:
    """Job records of the whole queue."""
    if _unchanged(done, memory):
        return Answer(UNCHANGED, memory)
    kept = _changed(done, memory, "squeue", _jobs)
    notice = _notice("squeue", kept.lines)
    slot = dict(pair for pair in kept.lines.values() if pair is not None) if notice else dict(kept.lines.values())
    return Answer(Observation({Job: slot}, CLUSTER, notice), kept)


def parse_nodes(done: Completed, memory: Remembered | None) -> Answer:
    """Node records."""
    if _unchanged(done, memory):
        return Answer(UNCHANGED, memory)
    kept = _changed(done, memory, "sinfo", lambda lines: map(node_from, lines))
    notice = _notice("sinfo", kept.lines)
    return Answer(Observation({Node: merged(p for p in kept.lines.values() if p is not None)}, CLUSTER, notice), kept)


def parse_partitions(done: Completed, memory: Remembered | None) -> Answer:
    """Partition records."""
    if _unchanged(done, memory):
        return Answer(UNCHANGED, memory)
    kept = _changed(done, memory, "sinfo", lambda lines: map(partition_from, lines))
    notice = _notice("sinfo", kept.lines)
    slot = {partition.key: partition for partition in kept.lines.values() if partition is not None}
    return Answer(Observation({Partition: slot}, CLUSTER, notice), kept)


def parse_steps(done: Completed, memory: Remembered | None) -> Answer:
    """SlurmStep records of all running jobs."""
    if _unchanged(done, memory):
        return Answer(UNCHANGED, memory)
    kept = _changed(done, memory, "squeue --steps", lambda lines: map(step_from, lines))
    notice = _notice("squeue --steps", kept.lines)
    slot = {step.key: step for step in kept.lines.values() if step is not None}
    return Answer(Observation({SlurmStep: slot}, CLUSTER, notice), kept)


def parse_clock(done: Completed, memory: object) -> Answer:
    """The login host's clock, and as whom we asked."""
    digits, _, user = answered(done, "date").strip().partition(" ")
    if not digits.isdigit():
        raise ProbeTrouble("date told no time")
    clock = SlurmClock(epoch=float(digits), user=user)
    return Answer(Observation({SlurmClock: {clock.key: clock}}, CLUSTER))


def parse_access(done: Completed, memory: object) -> Answer:
    """The AdminLevel of the account we ask as; a cluster without accounting has none."""
    slot = {}
    for line in answered(done, "sacctmgr").splitlines():
        user, bar, level = line.strip().partition("|")
        if bar and user:
            access = SlurmAccess(user=user, admin_level=level)
            slot[access.key] = access
    return Answer(Observation({SlurmAccess: slot}, CLUSTER))


PROBES = (
    CommandProbe("squeue", squeue_argv, 2.0, parse_squeue, deadline=20.0, always=True, requires="squeue"),
    CommandProbe("nodes", sinfo_argv, 5.0, parse_nodes, deadline=20.0, always=True, requires="sinfo"),
    CommandProbe("partitions", partitions_argv, 10.0, parse_partitions, deadline=20.0, requires="sinfo"),
    CommandProbe("steps", steps_argv, 15.0, parse_steps, deadline=20.0, requires="squeue"),
    CommandProbe("slurm_clock", clock_argv, 60.0, parse_clock, deadline=10.0, requires="date"),
    CommandProbe("slurm_access", access_argv, 600.0, parse_access, deadline=6.0, requires="sacctmgr"),
)
