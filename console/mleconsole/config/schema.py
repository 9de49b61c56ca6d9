"""Config: what a cluster.yaml may say. The smallest is one line: `login: alice@login.example.org`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class ConfigError(Exception):
    """Bad input, in one sentence with file and line where there is one. Commands print it and exit with 2."""


class Config(msgspec.Struct, frozen=True):
    """A resolved Target. `login` is "" for the Target `local` (this machine is the login host)."""

    name: str  # what the top line calls the cluster
    login: str = ""  # user@host[:port], or an alias of the user's ssh config
    nodes: str = ""  # "" all that are discovered; "mine"; or a nodeset such as node[01-16]
    ssh_config: str = ""  # a file instead of ~/.ssh/config
    filesystems: tuple[str, ...] = ()  # mount paths to watch; () the agent's own choice
    interval: float = 1.0  # seconds between GPU samples
    read_only: bool = False
    teams: Mapping[str, tuple[str, ...]] = {}
    sudo: tuple[str, ...] = ()
    plugins: Mapping[str, Any] = {}  # plugin id -> its own options; false disables it
    tools: Mapping[str, str] = {}  # program -> absolute path on the nodes (py-spy)
    keys: Mapping[str, str] = {}  # action or pane id -> key
    source: str = ""  # the file it came from, or ""
