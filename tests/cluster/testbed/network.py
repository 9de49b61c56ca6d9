"""The cluster's wires: a namespace per host, and a switch namespace with one bridge per network.

    machine  NAME-acc  --- brA ---  ext0 login eth0 --- br0 --- eth0 node01 ib0 --- br1 (nodes only)

Routes of type "unreachable" come first: without them a connection to a node's address would follow the machine's
default route out of the machine.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator

from testbed.layout import LOGIN, Layout
from testbed.polling import wait_until
from testbed.shell import sh

BRIDGES = {"ext0": "brA", "eth0": "br0", "ib0": "br1"}


def port(host: str, interface: str) -> str:
    """The switch's end of a host's wire."""
    return f"{host}.{interface}"


def wires(layout: Layout) -> Iterator[tuple[str, str, str]]:
    """Every (host, interface, address)."""
    yield LOGIN, "ext0", layout.login_address
    for host in layout.hosts:
        yield host, "eth0", layout.address(host)
        if host != LOGIN:
            yield host, "ib0", layout.fabric_address(host)


def up(layout: Layout) -> None:
    """Create namespaces, bridges, wires and routes."""
    for net in (layout.cluster_network, layout.fabric_network):
        sh("ip", "route", "replace", "unreachable", f"{net}.0/24")
    switch = layout.netns("sw")
    sh("ip", "netns", "add", switch)
    lines = ["link set lo up"]
    for bridge in BRIDGES.values():
        lines += [f"link add {bridge} type bridge", f"link set {bridge} up"]
    for host in layout.hosts:
        sh("ip", "netns", "add", layout.netns(host))
    for host, interface, _ in wires(layout):
        name = port(host, interface)
        lines.append(f"link add {name} type veth peer name {interface} netns {layout.netns(host)}")
        lines.append(f"link set {name} master {BRIDGES[interface]} up")
    lines.append(f"link add access type veth peer name {layout.access_interface} netns 1")
    lines.append(f"link set access master {BRIDGES['ext0']} up")
    _batch(switch, lines)
    for host in layout.hosts:
        inside = ["link set lo up"]
        for other, interface, address in wires(layout):
            if other == host:
                inside += [f"addr add {address}/24 dev {interface}", f"link set {interface} up"]
        _batch(layout.netns(host), inside)
    sh("ip", "addr", "add", f"{layout.access_network}.1/24", "dev", layout.access_interface)
    sh("ip", "link", "set", layout.access_interface, "up")


def down(name: str, number: int | None) -> None:
    """Kill what lives in the cluster's namespaces and take everything of it away; needs no run folder."""
    ours = namespaces(name)
    for namespace in ours:
        for pid in sh("ip", "netns", "pids", namespace, check=False).split():
            _kill(int(pid))

    def empty() -> bool:
        return not any(sh("ip", "netns", "pids", namespace, check=False).split() for namespace in ours)

    wait_until(empty, timeout=15, what=f"the processes of cluster {name} are gone")
    for namespace in ours:
        sh("ip", "netns", "del", namespace, check=False)
    sh("ip", "link", "del", f"{name}-acc", check=False)
    if number is not None:
        for net in (97, 99):
            sh("ip", "route", "del", "unreachable", f"10.{net}.{number}.0/24", check=False)


def namespaces(name: str) -> list[str]:
    """The network namespaces that belong to a cluster (and not to one whose name merely starts alike)."""
    listed = [line.split()[0] for line in sh("ip", "netns", "list").splitlines() if line.strip()]
    return [namespace for namespace in listed if re.fullmatch(re.escape(name) + r"-(sw|login|node\d+)", namespace)]


def _batch(namespace: str, lines: list[str]) -> None:
    sh("ip", "-n", namespace, "-batch", "-", stdin="\n".join(lines) + "\n")


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
