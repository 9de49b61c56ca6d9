"""What a cluster is made of: its name, number, hosts, addresses and folders; values only, nothing is done here."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from testbed.shell import TestbedError

USERS = {"alice": 2001, "bob": 2002, "oper": 2003}
LOGIN = "login"
MAX_NODES = 64
FOLDER = Path(__file__).resolve().parent.parent  # tests/cluster
DEFAULT_NAME = "tb"


@dataclass(frozen=True)
class Layout:
    """One cluster's shape. The number makes its networks its own, so that several can run side by side."""

    name: str
    number: int
    nodes: int = 4
    gpus: int = 8
    suite: str = "bookworm"
    db: bool = True
    torch: bool = False
    login_max_startups: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,10}", self.name):
            raise TestbedError(f"cluster name {self.name!r}: at most 11 of a-z, 0-9 and -, a letter first")
        if not 1 <= self.nodes <= MAX_NODES:
            raise TestbedError(f"{self.nodes} nodes: from 1 to {MAX_NODES}")

    @property
    def run(self) -> Path:
        """The run folder: a tmpfs while the cluster is up, gone when it is down."""
        return run_folder(self.name)

    @property
    def node_names(self) -> list[str]:
        """node01, node02, ..."""
        return [f"node{index:02d}" for index in range(1, self.nodes + 1)]

    @property
    def hosts(self) -> list[str]:
        """The login host, then the nodes."""
        return [LOGIN, *self.node_names]

    @property
    def node_range(self) -> str:
        """The nodes as Slurm writes them."""
        return f"node[{self.node_names[0][4:]}-{self.node_names[-1][4:]}]" if self.nodes > 1 else "node01"

    @property
    def access_network(self) -> str:
        """The machine and the login host."""
        return f"10.98.{self.number}"

    @property
    def cluster_network(self) -> str:
        """The login host and the nodes, eth0."""
        return f"10.99.{self.number}"

    @property
    def fabric_network(self) -> str:
        """The nodes among themselves, ib0."""
        return f"10.97.{self.number}"

    @property
    def login_address(self) -> str:
        """Where the machine reaches the login host."""
        return f"{self.access_network}.2"

    def address(self, host: str) -> str:
        """A host's address on eth0."""
        return f"{self.cluster_network}.{self.index(host)}"

    def fabric_address(self, host: str) -> str:
        """A node's address on ib0."""
        return f"{self.fabric_network}.{self.index(host)}"

    @staticmethod
    def index(host: str) -> int:
        """The last number of a host's addresses."""
        return 250 if host == LOGIN else int(host.removeprefix("node"))

    def netns(self, host: str) -> str:
        """The network namespace of a host, or of the switch ("sw")."""
        return f"{self.name}-{host}"

    @property
    def access_interface(self) -> str:
        """The machine's end of the access network."""
        return f"{self.name}-acc"

    def as_dict(self) -> dict[str, Any]:
        """For the registry."""
        return asdict(self)


def run_folder(name: str) -> Path:
    """tests/cluster/run for the default name, tests/cluster/run-NAME for another."""
    return FOLDER / ("run" if name == DEFAULT_NAME else f"run-{name}")
