"""Orphans: GPU memory that no live job holds, as records of their own, so that their age can be remembered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mleconsole.api import (
    CLUSTER,
    Absent,
    Derive,
    Fleet,
    Gpu,
    GpuUse,
    Job,
    Keep,
    Key,
    Node,
    Process,
    Record,
    known,
)

#: States in which a job rightly holds no memory: it waits to begin, or it has ended (COMPLETING still ends).
_ENDED = ("COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE")
_NOT_LIVE = frozenset(("PENDING", "OUT_OF_MEMORY", "REVOKED", *_ENDED))


class GpuOrphan(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """Memory of one GPU held by processes of no live job, in MiB as far as the processes tell it."""

    kind_name: ClassVar[str] = "gpu_orphan"

    index: int
    memory_mib: int
    pids: tuple[int, ...]
    user: str | Absent
    job_id: str | Absent  # the job they were of, where that is known; it lives no more
    host: str = ""
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return (self.host, str(self.index))


def live_jobs(fleet: Fleet) -> frozenset[str] | None:
    """Ids of all jobs that may hold GPUs (of array tasks the array's too); None when the queue is not known now."""
    queue = fleet.seen(CLUSTER, "squeue")
    if CLUSTER not in fleet.hosts(Job) or queue is None or queue.trouble is not None:
        return None
    live: set[str] = set()
    for job in fleet.of(Job):
        if job.state not in _NOT_LIVE:
            live.add(job.job_id)
            raw = job.extra.get("raw_id")  # the plain number of a task, 48402 beside 48401_7
            if isinstance(raw, str):
                live.add(raw)
            if job.array_id:
                live.add(job.array_id)
    return frozenset(live)


def orphaned(process: Process, live: frozenset[str] | None, uses: Mapping[Key, GpuUse]) -> bool:
    """Whether this process holds GPU memory although it belongs to no live job.

    Its own job decides where that is known. Where it is not (cgroups may be hidden from us), the join of GPUs and jobs
    decides: memory on a GPU that the scheduler gave to a live job is that job's.
    """
    if live is None or not process.gpus or not known(process.memory_mib) or process.memory_mib <= 0:
        return False
    if known(process.job_id):
        return process.job_id not in live
    held = [uses.get((process.host, str(index))) for index in process.gpus]
    return any(use is not None and use.orphan for use in held)


def managed(fleet: Fleet) -> frozenset[str]:
    """Hosts that the scheduler manages: on the others (the login host) nobody needs a job."""
    return frozenset(node.name for node in fleet.of(Node))


def orphans(fleet: Fleet) -> Mapping[type[Record], Mapping[str, Mapping[Any, Any]]]:
    """{GpuOrphan: {host: {key: record}}}, one record a GPU."""
    found: dict[str, dict[Key, GpuOrphan]] = {}
    live = live_jobs(fleet)
    if live is None:
        return {GpuOrphan: found}
    nodes = managed(fleet)
    for host, slot in fleet.hosts(Process).items():
        if host not in nodes:
            continue
        uses = fleet.on(GpuUse, host)
        left = [process for process in slot.values() if process.gpus and orphaned(process, live, uses)]
        if left:
            found[host] = _by_gpu(host, left)
    return {GpuOrphan: found}


def _by_gpu(host: str, left: list[Process]) -> dict[Key, GpuOrphan]:
    records: dict[Key, GpuOrphan] = {}
    for index in sorted({index for process in left for index in process.gpus}):
        here = [process for process in left if index in process.gpus]
        record = GpuOrphan(
            index=index,
            memory_mib=sum(process.memory_mib for process in here if isinstance(process.memory_mib, int)),
            pids=tuple(process.pid for process in here),
            user=here[0].user,
            job_id=here[0].job_id,
            host=host,
        )
        records[record.key] = record
    return records


#: GPUs are among the needs only so that it is told anew with every tick: its past must have no gaps.
DERIVES = (Derive("gpu_orphans", (Process, Job, Gpu), orphans),)
ORPHAN_KEEPS = (Keep(GpuOrphan, "memory_mib"),)
