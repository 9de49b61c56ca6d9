"""Faults of the network: links down, frames lost or late, a slow port."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from testbed.network import BRIDGES, port
from testbed.shell import TestbedError, sh

if TYPE_CHECKING:
    from testbed.cluster import Cluster

DELAY = Path(__file__).parent / "lib" / "delay.py"


class WireFaults:
    """Interfaces are eth0 (cluster network), ib0 (fabric), and on the login host ext0 (towards this machine)."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.switch = cluster.layout.netns("sw")

    @contextlib.contextmanager
    def link_down(self, host: str, interface: str = "eth0") -> Iterator[None]:
        """The cable is out at the switch: nothing arrives, nobody is told."""
        self.set_link(host, interface, "down")
        try:
            yield
        finally:
            self.set_link(host, interface, "up")

    def set_link(self, host: str, interface: str, state: str) -> None:
        """Pull or plug the cable."""
        sh("ip", "-n", self.switch, "link", "set", port(host, interface), state)

    @contextlib.contextmanager
    def loss(self, host: str, percent: int, interface: str = "eth0") -> Iterator[None]:
        """That part of what the host receives is lost."""
        machine, table = self.cluster.host(host), f"loss_{interface}"
        rules = f"""table inet {table} {{
  chain input {{
    type filter hook input priority 0;
    iifname {interface} numgen random mod 100 < {percent} drop
  }}
}}
"""
        done = machine.run(["nft", "-f", "-"], input=rules)
        if done.returncode != 0:
            raise TestbedError(f"{host}: nft: {done.stderr.strip()}")
        try:
            yield
        finally:
            machine.run(["nft", "delete", "table", "inet", table])

    @contextlib.contextmanager
    def delay(
        self, host: str, ms: float, interface: str = "eth0", jitter_ms: float = 0, loss: float = 0
    ) -> Iterator[None]:
        """Everything to and from the host comes ms later, each way (so a round trip takes twice that)."""
        self._checksums(host, interface, "off")
        argv = ["ip", "netns", "exec", self.switch, "python3", str(DELAY), port(host, interface), BRIDGES[interface]]
        process = subprocess.Popen([*argv, str(ms), str(loss), str(jitter_ms)], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "forwarding":
                raise TestbedError(f"the forwarder for {host} {interface} did not start")
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
            if process.stdout is not None:
                process.stdout.close()
            self._checksums(host, interface, "on")

    @contextlib.contextmanager
    def slow_link(self, host: str, mbit: int, interface: str = "ib0") -> Iterator[None]:
        """The port runs at that many Mbit/s, both ways."""
        ends = [(self.cluster.layout.netns(host), interface), (self.switch, port(host, interface))]
        shape = ["root", "tbf", "rate", f"{mbit}mbit", "burst", "256kb", "latency", "50ms"]
        try:
            for namespace, name in ends:
                sh("tc", "-n", namespace, "qdisc", "replace", "dev", name, *shape)
            yield
        finally:
            for namespace, name in ends:
                sh("tc", "-n", namespace, "qdisc", "del", "dev", name, "root", check=False)

    def _checksums(self, host: str, interface: str, state: str) -> None:
        """A frame copied in user space needs its checksum, which a veth pair otherwise leaves out."""
        namespace = self.cluster.layout.netns(host)
        sh("ip", "netns", "exec", namespace, "ethtool", "-K", interface, "tx", state, check=False)
