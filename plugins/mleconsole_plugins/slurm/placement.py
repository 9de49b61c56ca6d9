"""Placement: which jobs run on which node, computed once per answer of squeue."""

from __future__ import annotations

from collections.abc import Mapping

from mleconsole.api import CLUSTER, Fleet, Job
from mleconsole.model.fleet import Slot
from mleconsole_plugins.slurm.hostlist import expand
from mleconsole_plugins.slurm.states import RUNNING_STATES

Placed = Mapping[str, tuple[Job, ...]]
_last: tuple[Slot, Placed] = ({}, {})


def jobs_by_node(fleet: Fleet) -> Placed:
    """{node: its running jobs}. Slots are frozen, so the last one's result is kept until another slot comes."""
    global _last
    slot = fleet.on(Job, CLUSTER)
    known, placed = _last
    if known is slot:
        return placed
    found: dict[str, list[Job]] = {}
    for job in slot.values():
        if job.node_list and job.state in RUNNING_STATES:
            for name in expand(job.node_list):
                found.setdefault(name, []).append(job)
    placed = {name: tuple(jobs) for name, jobs in found.items()}
    _last = (slot, placed)
    return placed


def raw_id(job: Job) -> str:
    """The plain number under which nodes know the job (an array's task has one of its own)."""
    return str(job.extra.get("raw_id", job.job_id))
