"""Records: one line of squeue or sinfo to a Job, Node, Partition or step; the formats asked for stand beside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from msgspec import convert
from msgspec.structs import replace

from mleconsole.api import CLUSTER, Absent, Job, Node, Partition
from mleconsole_plugins.slurm.gres import gpu_count, gpu_indices
from mleconsole_plugins.slurm.kinds import SlurmStep
from mleconsole_plugins.slurm.states import PENDING_STATES, node_state
from mleconsole_plugins.slurm.text import GROUP, UNIT
from mleconsole_plugins.slurm.times import duration, epoch

#: What many jobs have in common: these fields come as one, cut by GROUP, so that each combination is read once.
JOB_GROUP = (
    "UserName", "State", "Partition", "Account", "QOS", "TimeLimit", "NumNodes", "NumCPUs", "tres-alloc", "Reason",
)  # fmt: skip
#: Fields of `squeue --Format`; the two of free text stand last. `tres-alloc` is what a pending job asked for.
JOB_FIELDS = (
    "JobArrayID", "JobID", "SubmitTime", "StartTime", "NodeList", "PriorityLong", "Dependency", *JOB_GROUP, "WorkDir",
    "Name",
)  # fmt: skip
#: Fields of `sinfo --Node --Format`: a line per node and partition; only what changes seldom.
NODE_FIELDS = (
    "NodeHost", "NodeAddr", "StateComplete", "CPUsState", "Memory", "Gres", "GresUsed", "Timestamp", "User",
    "PartitionName", "Reason",
)  # fmt: skip
PARTITION_FIELDS = ("PartitionName", "Partition", "Available", "Time", "NodeAIOT")
#: `squeue --steps --format`: id, nodes, tasks, start, user, name.
STEP_FORMAT = ("%i", "%N", "%A", "%S", "%u", "%j")

NOT_STARTED = Absent("not started")
NO_GPUS_TOLD = Absent("the scheduler tells no GPU count")
_NOTHING = frozenset({"", "(null)", "N/A", "None", "none", "n/a"})
_SPLITS = len(JOB_FIELDS) - len(JOB_GROUP)
_NOT_TOLD = Absent("not told")
_AT_ONCE = 256


class _Group(NamedTuple):
    """The fields of JOB_GROUP, read: those of Job from user to qos, and the rest."""

    waits: bool
    user: str
    told: tuple[str, str, str, str]  # state, partition, account, qos
    limit: float | Absent
    nodes: int
    asked: tuple[int | Absent, int | Absent, str]  # cpus, gpus, reason


@lru_cache(maxsize=16384)
def _group(text: str) -> _Group | None:
    fields = text.split(GROUP)
    if len(fields) != len(JOB_GROUP):
        return None
    user, state, partition, account, qos, limit, nodes, cpus, tres, reason = fields
    gpus = gpu_count(tres)
    return _Group(
        state in PENDING_STATES,
        user,
        (state, partition, said(account), said(qos)),
        duration(limit),
        whole(nodes),
        (
            int(cpus) if cpus.isdigit() else _NOT_TOLD,
            NO_GPUS_TOLD if gpus is None else gpus,
            said(reason),
        ),
    )


def said(text: str) -> str:
    """The text, "" for Slurm's words for nothing."""
    return "" if text in _NOTHING else text


def jobs_from(lines: Sequence[str]) -> list[Job | None]:
    """Jobs from records of squeue; None for one that has another number of fields or no job's number in front."""
    found: list[Job | None] = []
    for start in range(0, len(lines), _AT_ONCE):
        rows = [_row(line) for line in lines[start : start + _AT_ONCE]]
        # from rows it costs half of what calling Job with twenty names does; a few at a time stay in the cache
        found += convert(rows, list[Job | None])
    return found


def _row(line: str) -> tuple[object, ...] | None:
    fields = line.split(UNIT, _SPLITS)
    if len(fields) <= _SPLITS or not fields[0][:1].isdigit():
        return None
    id, raw, submit, start, node_list, priority, dependency, shared, work_dir, name = fields
    group = _group(shared)
    if group is None:
        return None
    waits, user, (state, partition, account, qos), limit, nodes, (cpus, gpus, reason) = group
    array = task = ""
    extra: dict[str, object] | None = None
    if raw != id:  # a task or the waiting tasks of an array, or a part of a heterogeneous job
        extra = {"raw_id": raw}
        number, bar, rest = id.partition("_")
        if bar:
            array, task = number, rest.strip("[]")
    begun: float | Absent = NOT_STARTED
    if start.isdigit():
        if waits:
            extra = extra or {}
            extra["start_estimate"] = float(start)
        else:
            begun = float(start)
    elif not waits:
        begun = epoch(start, NOT_STARTED)
    row = (
        id,
        array,
        task,
        user,
        name,
        state,
        partition,
        account,
        qos,
        float(submit) if submit.isdigit() else epoch(submit),
        begun,
        limit,
        nodes,
        node_list,
        cpus,
        gpus,
        reason,
        int(priority) if priority.isdigit() else _NOT_TOLD,
        "" if dependency == "(null)" else dependency,
        work_dir,
    )
    return row if extra is None else (*row, CLUSTER, extra)


#: Shared by all records that have nothing more to say; never written to.
NOTHING_EXTRA: dict[str, object] = {}


def whole(text: str) -> int:
    """A count; sinfo and squeue may write `1.2K`. What is no number is 0."""
    if text.isdigit():
        return int(text)
    try:
        return int(float(text[:-1]) * 1000) if text[-1:] in "Kk" and text else int(text.partition("-")[0])
    except ValueError:
        return 0


def node_from(line: str) -> tuple[Node, str] | None:
    """(Node, partition) from one record of `sinfo --Node`, or None when it can't be read."""
    fields = line.split(UNIT, len(NODE_FIELDS) - 1)
    if len(fields) != len(NODE_FIELDS) or not fields[0]:
        return None
    name, address, state, cpus, memory, gres, used, stamp, by, partition, reason = fields
    base, flags = node_state(state)
    allocated, _, _, total = ([*cpus.split("/"), "", "", "", ""])[:4]
    extra: dict[str, object] = {}
    if address not in _NOTHING and address != name:
        extra["address"] = address
    gpus, gpus_used = gpu_count(gres), gpu_count(used)
    indices = gpu_indices(used)
    if indices is not None:
        extra["gpu_indices_used"] = indices
    has_reason = reason not in _NOTHING
    node = Node(
        name=name,
        state=base,
        flags=flags,
        reason=reason if has_reason else Absent("no reason given"),
        reason_user=by if has_reason and by not in (*_NOTHING, "Unknown") else Absent("not told"),
        reason_time=epoch(stamp) if has_reason else Absent("not told"),
        partitions=(partition,) if partition else (),
        cpus_total=int(total) if total.isdigit() else Absent("not told"),
        cpus_alloc=int(allocated) if allocated.isdigit() else Absent("not told"),
        gpus_total=gpus or 0,
        gpus_alloc=gpus_used or 0,
        memory_mib=int(memory) if memory.isdigit() else Absent("not told"),
        extra=extra if extra else NOTHING_EXTRA,
    )
    return node, partition


def merged(nodes: Iterable[tuple[Node, str]]) -> dict[tuple[str, ...], Node]:
    """{key: Node}: the lines of one node, one a partition, as one record with its partitions by name."""
    partitions: dict[str, set[str]] = {}
    first: dict[str, Node] = {}
    for node, partition in nodes:
        first.setdefault(node.name, node)
        if partition:
            partitions.setdefault(node.name, set()).add(partition)
    found: dict[tuple[str, ...], Node] = {}
    for name, node in first.items():
        names = tuple(sorted(partitions.get(name, ())))
        found[(name,)] = node if names == node.partitions else replace(node, partitions=names)
    return found


def partition_from(line: str) -> Partition | None:
    """A Partition from one record of sinfo, or None when it can't be read."""
    fields = line.split(UNIT)
    if len(fields) != len(PARTITION_FIELDS) or fields[4].count("/") != 3:
        return None
    name, starred, available, limit, counts = fields
    allocated, idle, other, total = (whole(count) for count in counts.split("/"))
    return Partition(
        name=name,
        default=starred == f"{name}*",
        up=available == "up",
        nodes_alloc=allocated,
        nodes_idle=idle,
        nodes_other=other,
        nodes_total=total,
        limit_seconds=duration(limit),
    )


def step_from(line: str) -> SlurmStep | None:
    """A step from one record of `squeue --steps`, or None when it can't be read."""
    fields = line.split(UNIT, len(STEP_FORMAT) - 1)
    if len(fields) != len(STEP_FORMAT) or "." not in fields[0]:
        return None
    id, node_list, tasks, start, user, name = fields
    return SlurmStep(
        step_id=id,
        job_id=id.partition(".")[0],
        name=name,
        user=user,
        node_list=node_list,
        tasks=int(tasks) if tasks.isdigit() else Absent("not told"),
        start_time=epoch(start),
    )
