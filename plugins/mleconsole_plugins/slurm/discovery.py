"""Discovery: the hosts of a cluster are the nodes that Slurm knows and that exist; down ones are worth a try."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mleconsole.api import Discovery, Fleet, Found, Job, Node
from mleconsole_plugins.slurm.hostlist import expand
from mleconsole_plugins.slurm.states import RUNNING_STATES, is_there


def hosts(fleet: Fleet) -> Sequence[Found]:
    """Every node but those of the future and those that are powered off."""
    return [
        Found(node.name, str(node.extra.get("address", "")))
        for node in fleet.of(Node)
        if is_there(node.state, node.flags)
    ]


def mine(fleet: Fleet, user: str) -> Iterable[str]:
    """The nodes on which `user` has a job."""
    found: set[str] = set()
    for job in fleet.of(Job):
        if job.user == user and job.state in RUNNING_STATES:
            found.update(expand(job.node_list))
    return found


DISCOVERY = Discovery(id="slurm", kinds=(Node,), hosts=hosts, mine=mine)
