"""Simulated: a simulated cluster in another process, and the console on it."""

from __future__ import annotations

import json
import os
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.processes import die_with_parent
from bench.terminal import Terminal

FOLDER = Path(__file__).parents[1]
CONSOLE = Path(sys.executable).with_name("mleconsole")


class Simulated:
    """`with Simulated(nodes=64, jobs=2000) as cluster: ...`."""

    def __init__(self, nodes: int, jobs: int, gpus: int = 8) -> None:
        self.nodes, self.jobs, self.gpus = nodes, jobs, gpus
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        argv = [sys.executable, "-m", "simulated.server", "--folder", str(self.folder)]
        for name, value in (("nodes", nodes), ("jobs", jobs), ("gpus", gpus)):
            argv += [f"--{name}", str(value)]
        self._server = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # asyncio's complaints about connections that a storm or a client cut
            env={**os.environ, "PYTHONPATH": str(FOLDER)},
            preexec_fn=die_with_parent,
        )
        self.where = self._answer(60.0)
        self.config = self.where["config"]

    @property
    def pid(self) -> int:
        return self._server.pid

    @property
    def env(self) -> dict[str, str]:
        """A home of its own for the console."""
        names = ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
        return dict.fromkeys(names, str(self.folder / "home"))

    def console(self, *words: str) -> Terminal:
        """`mleconsole connect` on it, in a terminal."""
        (self.folder / "home").mkdir(exist_ok=True)
        return Terminal([str(CONSOLE), "connect", self.config, *words], self.env)

    def stats(self) -> dict[str, Any]:
        """What the servers count."""
        return self._ask(b"stats\n")

    def drop(self) -> dict[str, Any]:
        """Close every connection."""
        return self._ask(b"drop\n")

    def all_answer(self, terminal: Terminal, timeout: float = 300.0) -> float:
        """Read `terminal` until an agent runs on every node; the seconds it took from the console's start."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.stats()["agents"] == self.nodes:
                return time.monotonic() - terminal.started
            terminal.drain(0.25)
        raise TimeoutError(f"{self.stats()['agents']} of {self.nodes} agents run after {timeout:g} s")

    def agents_left(self, patience: float = 5.0) -> int:
        """Agents and connections that stay after everything was closed."""
        deadline = time.monotonic() + patience
        while True:
            stats = self.stats()
            left = int(stats["agents"]) + int(stats["login_connections"])
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.1)

    def _ask(self, line: bytes) -> dict[str, Any]:
        assert self._server.stdin is not None
        self._server.stdin.write(line)
        self._server.stdin.flush()
        return self._answer(20.0)

    def _answer(self, timeout: float) -> dict[str, Any]:
        assert self._server.stdout is not None
        if not select.select([self._server.stdout], [], [], timeout)[0]:
            raise TimeoutError("the simulated cluster does not answer")
        found: dict[str, Any] = json.loads(self._server.stdout.readline() or b"{}")
        return found

    def close(self) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Simulated:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
