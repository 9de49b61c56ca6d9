"""The same agent with the samplers of all plugins, under every Python that this machine has."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from mleconsole.api import AgentProbe, Plugin
from mleconsole_plugins.disks import probes as disks
from mleconsole_plugins.host import probes as host
from mleconsole_plugins.network import probes as network
from mleconsole_plugins.nvidia import probes as nvidia
from mleconsole_plugins.processes import probes as processes

ROOT = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
PYTHONS = sorted(
    path for path in ROOT.glob("*/bin/python3") if re.match(r"3\.([6-9]|\d\d)\.", path.parent.parent.name)
) or [pytest.param(None, marks=pytest.mark.skip(f"no other Python: {ROOT} is empty"))]


def real(id: str, probes: tuple[AgentProbe, ...], *modules: str) -> Plugin:
    return Plugin(id, id, probes=probes, remote=f"mleconsole_plugins.{id}.remote", modules=modules)


ALL = (
    real("disks", disks.PROBES),
    real("host", host.PROBES),
    real("network", network.PROBES),
    real("nvidia", nvidia.PROBES, "pynvml"),
    real("processes", processes.PROBES, "pynvml"),
)


@pytest.mark.parametrize("python", PYTHONS, ids=lambda path: path.parent.parent.name if path else "none")
def test_agent_runs(agent: Any, gpus: Any, home: Path, tmp_path: Path, python: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python3").symlink_to(python)
    running = agent(*ALL, env={**gpus.env, "PATH": f"{folder}:/usr/bin:/bin"})
    hello = running.wait("hello")
    assert hello.python == python.parent.parent.name
    assert set(hello.samplers) == {"gpus", "gpu_facts", "machine", "mounts", "ports", "processes"}
    want = running.wait("want", "pynvml")
    running.say(running.bundle.module(want.name))
    waiting = {*hello.samplers, "pynvml"}
    while waiting:
        frame = running.wait(None, where=lambda frame: frame.type in ("s", "kept") and frame.name in waiting)
        waiting.discard(frame.name)
        if frame.type == "kept":
            continue
        rows = json.loads(frame.data)
        assert isinstance(rows, list)
        if frame.name in ("gpus", "gpu_facts"):
            assert len(rows) == 8
            assert not [cell for row in rows for cell in row if isinstance(cell, dict)], "every field is told"
    assert not [frame.reason for frame in running.frames if frame.type == "a"]
    running.process.stdin.close()
    assert running.ended() == 0
    assert [path.name for path in (home / ".cache/mleconsole").iterdir()] == [f"pynvml-{want.hash}.py"]
