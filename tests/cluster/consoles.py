"""Starting the console on the test cluster: in a pty, or as a plain command, with a home of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from terminal import Terminal
from testbed import Cluster

MLECONSOLE = [sys.executable, "-m", "mleconsole"]
AGENT = "mleconsole-agent"  # what the bootstrap's command line holds


def environment(home: Path) -> dict[str, str]:
    """A home of its own, so that nobody's known hosts, configuration or ssh agent are read or written."""
    home.mkdir(parents=True, exist_ok=True)
    names = ("CONFIG", "DATA", "STATE", "CACHE")
    return {
        "HOME": str(home),
        "SSH_AUTH_SOCK": "",
        **{f"XDG_{name}_HOME": str(home / name.lower()) for name in names},
    }


def connect(config: Path | str, home: Path, *options: str, size: tuple[int, int] = (200, 50)) -> Terminal:
    """`mleconsole connect CONFIG` in a real pty."""
    return Terminal([*MLECONSOLE, "connect", str(config), *options], environment(home), size)


def command(home: Path, *argv: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """`mleconsole ARGV` with no terminal at all."""
    return subprocess.run(
        [*MLECONSOLE, *argv],
        env={**os.environ, **environment(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        start_new_session=True,
    )


def show(home: Path, pane: str, config: Path | str, *options: str, timeout: float = 60) -> Any:
    """The JSON that `mleconsole show PANE CONFIG --json` prints."""
    done = command(home, "show", pane, str(config), "--json", *options, timeout=timeout)
    assert done.returncode == 0, f"exit {done.returncode}: {done.stderr}"
    return json.loads(done.stdout)


def gpu_row(text: str, node: str, gpu: int) -> str:
    """The line of one GPU on the GPUs pane, or ""."""
    for line in text.splitlines():
        if re.search(rf"\b{node}\s+{gpu}\b", line):
            return line
    return ""


def agents(cluster: Cluster, user: str = "alice") -> dict[str, list[str]]:
    """{host: command lines} of what the console started there and still runs."""
    found: dict[str, list[str]] = {}
    for host in (*cluster.layout.node_names, "login"):
        lines = [p.command for p in cluster.processes(host) if p.user == user and AGENT in p.command]
        if lines:
            found[host] = lines
    return found
