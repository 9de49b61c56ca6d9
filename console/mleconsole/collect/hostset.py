"""Which hosts get an agent: what the discoveries found, narrowed by the person's `nodes`. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from mleconsole.api import LOGIN, Fleet, Situation
from mleconsole.config.schema import Config
from mleconsole.plugin import Registry


def wanted_hosts(
    fleet: Fleet,
    registry: Registry,
    config: Config,
    situation: Situation,
    troubles: Mapping[str, str],
    answered: bool,
) -> dict[str, str] | None:
    """{name: address} of the hosts to watch, or None while that is not known yet.

    Without any discovery that finds a host (no scheduler on the login host), the login host itself is watched: a
    single GPU server is a cluster of one. A scheduler that is only down is waited for.
    """
    found: dict[str, str] = {}
    mine: set[str] = set()
    for plugin in registry.plugins.values():
        for discovery in plugin.discoveries:
            if any(fleet.count(kind) for kind in discovery.kinds):
                found.update({host.name: host.address or host.name for host in discovery.hosts(fleet)})
                if discovery.mine is not None:
                    mine.update(discovery.mine(fleet, situation.user))
    if config.nodes and config.nodes != "mine":
        from ClusterShell.NodeSet import NodeSet  # costs 40 ms, and few ask for it

        return {name: found.get(name, name) for name in NodeSet(config.nodes)}  # type: ignore[no-untyped-call]
    if not found:
        if not answered:
            return None
        missing = [trouble for trouble in troubles.values() if "is not found on the login host" in trouble]
        return {LOGIN: ""} if missing or not troubles else None
    if config.nodes == "mine":
        return {name: address for name, address in found.items() if name in mine}
    return found
