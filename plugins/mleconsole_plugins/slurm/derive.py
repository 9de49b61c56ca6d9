"""Derive: whose each GPU is. Its processes say so first, then the scheduler's allocation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mleconsole.api import CLUSTER, Absent, Derive, Fleet, GpuFacts, GpuUse, Job, Kind, Node, Process, known
from mleconsole.model.fleet import Slot
from mleconsole_plugins.slurm.placement import jobs_by_node, raw_id
from mleconsole_plugins.slurm.states import RUNNING_STATES

NO_JOB = Absent("no job")
SHARED = Absent("several jobs share this node; none of their processes was seen on this GPU")
NOT_LIVE = Absent("no live job")

Uses = dict[tuple[str, ...], GpuUse]
#: host -> (what it was computed from, the result): slots are frozen, so the same ones give the same again.
_last: dict[str, tuple[Slot, Slot, tuple[Job, ...], Node | None, bool, Uses]] = {}


def gpu_uses(fleet: Fleet) -> Mapping[Kind, Mapping[str, Uses]]:
    """{GpuUse: {host: {key: GpuUse}}} for every host whose GPUs are known."""
    placed = jobs_by_node(fleet)
    nodes = fleet.on(Node, CLUSTER)
    queue = fleet.seen(CLUSTER, "squeue")
    # an orphan is memory that no live job holds: only a fresh queue can say so, and only of a node of the cluster
    fresh = queue is not None and queue.trouble is None
    queue_now = _queue(fleet) if fresh else _Queue({}, 0)
    found: dict[str, Uses] = {}
    for host in fleet.hosts(GpuFacts).keys() | fleet.hosts(Process).keys():
        facts, processes = fleet.on(GpuFacts, host), fleet.on(Process, host)
        jobs, node = placed.get(host, ()), nodes.get((host,))
        last = _last.get(host)
        if (
            last is not None
            and last[0] is facts
            and last[1] is processes
            and last[2] == jobs
            and last[3] is node
            and last[4] is fresh
        ):
            found[host] = last[5]
            continue
        uses = _on_host(host, facts, processes, jobs, node, queue_now, fresh and node is not None)
        _last[host] = (facts, processes, jobs, node, fresh, uses)
        found[host] = uses
    for gone in [host for host in tuple(_last) if host not in found]:
        _last.pop(gone, None)
    return {GpuUse: found}


class _Queue(NamedTuple):
    """{plain number: job that may have processes}, and the highest number that was given to any job."""

    live: Mapping[str, Job]
    newest: int


_known: tuple[Slot, _Queue] = ({}, _Queue({}, 0))


def _queue(fleet: Fleet) -> _Queue:
    global _known
    slot = fleet.on(Job, CLUSTER)
    if _known[0] is slot:
        return _known[1]
    numbered = {raw_id(job): job for job in slot.values()}
    newest = max((int(number) for number in numbered if number.isdigit()), default=0)
    queue = _Queue({number: job for number, job in numbered.items() if job.state in RUNNING_STATES}, newest)
    _known = (slot, queue)
    return queue


def _on_host(
    host: str,
    facts: Slot,
    processes: Slot,
    jobs: tuple[Job, ...],
    node: Node | None,
    queue: _Queue,
    may_orphan: bool,
) -> Uses:
    by_gpu: dict[int, list[Process]] = {}
    for process in processes.values():
        for index in process.gpus:
            by_gpu.setdefault(index, []).append(process)
    here = {raw_id(job): job for job in jobs}
    found: Uses = {}
    for index in sorted({fact.index for fact in facts.values()} | by_gpu.keys()):
        held = by_gpu.get(index)
        if held:
            use = _by_processes(host, index, held, jobs, here, queue, may_orphan)
        else:
            job_id, user = _by_allocation(index, jobs, node)
            use = GpuUse(index=index, job_id=job_id, user=user, host=host)
        found[use.key] = use
    return found


def _by_processes(
    host: str,
    index: int,
    held: list[Process],
    jobs: tuple[Job, ...],
    here: Mapping[str, Job],
    queue: _Queue,
    may_orphan: bool,
) -> GpuUse:
    """The live job of the processes. Others' environments can't be read: then the job that their user has here."""
    for process in held:
        number = process.job_id
        job = (here.get(number) or queue.live.get(number)) if isinstance(number, str) else None
        if job is not None:
            return GpuUse(index=index, job_id=job.job_id, user=job.user, host=host)
    biggest = max(held, key=lambda process: process.memory_mib if isinstance(process.memory_mib, int) else -1)
    user = biggest.user
    if isinstance(biggest.job_id, str):
        # a job younger than the last answer of squeue is no orphan
        young = biggest.job_id.isdigit() and 0 < queue.newest < int(biggest.job_id)
        if not may_orphan or young:
            return GpuUse(index=index, job_id=biggest.job_id, user=user, host=host)
        return GpuUse(index=index, job_id=NOT_LIVE, user=user, orphan=True, host=host)
    theirs = [job for job in jobs if job.user == user]
    if len(theirs) == 1:
        return GpuUse(index=index, job_id=theirs[0].job_id, user=user, host=host)
    if theirs:
        return GpuUse(index=index, job_id=SHARED, user=user, host=host)
    if may_orphan and known(user):
        return GpuUse(index=index, job_id=NOT_LIVE, user=user, orphan=True, host=host)
    return GpuUse(index=index, job_id=NO_JOB, user=user, host=host)


def _by_allocation(index: int, jobs: tuple[Job, ...], node: Node | None) -> tuple[str | Absent, str | Absent]:
    """(job, user) that the scheduler gave the GPU to: certain when one job alone has GPUs on the node."""
    with_gpus = [job for job in jobs if isinstance(job.gpus, int) and job.gpus > 0]
    used: Any = node.extra.get("gpu_indices_used") if node is not None else None
    if not with_gpus or (used is not None and index not in used):
        return NO_JOB, NO_JOB
    if len(with_gpus) > 1:
        return SHARED, SHARED
    job = with_gpus[0]
    if used is not None:
        return job.job_id, job.user
    total = node.gpus_total if node is not None else Absent("not told")
    if isinstance(total, int) and isinstance(job.gpus, int) and job.gpus == total * max(1, job.nodes):
        return job.job_id, job.user
    return SHARED, SHARED


DERIVE = Derive(id="gpu_use", needs=(Process, Job, Node, GpuFacts), derive=gpu_uses)
