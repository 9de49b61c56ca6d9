"""Modules that the console carries: cached once on the host, taken from the host, or run from memory."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mleconsole.api import Plugin
from mleconsole.collect import frames

FANCY = b"VALUE = 41\nPAD = '" + b"x" * 50_000 + b"'\n"
HASH = hashlib.sha256(FANCY).hexdigest()[:16]
SOURCE = "def use(state): return state['module']('fancy_module').VALUE + 1\nSAMPLERS = {'use': use}"


@pytest.fixture
def user(plugin: Callable[..., Plugin], tmp_path: Path) -> Plugin:
    """A plugin whose sampler imports `fancy_module`, which is installed beside the console."""
    (tmp_path / "fancy_module.py").write_bytes(FANCY)
    return plugin(SOURCE, "use", modules=("fancy_module",))


def cache(home: Path) -> dict[str, bytes]:
    folder = home / ".cache/mleconsole"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def fed(running: Any) -> Any:
    """Answer its want; its word about the cache."""
    want = running.wait("want", "fancy_module")
    assert want.hash == HASH
    running.say(running.bundle.module(want.name))
    found: dict[str, Any] = {}
    while len(found) < 2:
        frame = running.wait(None, where=lambda frame: frame.type in ("s", "kept"))
        found[frame.type] = frame
    assert found["s"].data == b"42"
    return found["kept"]


def test_wanted_once_and_cached(agent: Any, user: Plugin, home: Path) -> None:
    assert fed(agent(user)).reason == ""
    assert cache(home) == {f"fancy_module-{HASH}.py": FANCY}
    assert os.stat(home / ".cache/mleconsole").st_mode & 0o077 == 0
    again = agent(user)
    assert again.wait("s", "use").data == b"42"
    assert not [frame for frame in again.frames if frame.type == "want"]
    assert cache(home) == {f"fancy_module-{HASH}.py": FANCY}


def test_there_is_one_cache_file(agent: Any, user: Plugin, home: Path) -> None:
    folder = home / ".cache/mleconsole"
    folder.mkdir(parents=True)
    (folder / "fancy_module-0123456789abcdef.py").write_text("an older version")
    left_behind = folder / ".fancy_module-x.py.node9.77"
    left_behind.write_text("half")
    os.utime(left_behind, (time.time() - 3600,) * 2)
    being_written = folder / ".fancy_module-x.py.node8.78"
    being_written.write_text("half")
    assert fed(agent(user)).reason == ""
    assert set(cache(home)) == {f"fancy_module-{HASH}.py", being_written.name}


def test_a_damaged_cache_file_is_replaced(agent: Any, user: Plugin, home: Path) -> None:
    folder = home / ".cache/mleconsole"
    folder.mkdir(parents=True)
    (folder / f"fancy_module-{HASH}.py").write_text("VALUE = 'somebody else wrote this'")
    fed(agent(user))
    assert cache(home) == {f"fancy_module-{HASH}.py": FANCY}


@pytest.mark.parametrize("place", ["/dev/null/home", "", "relative/home"])
def test_without_a_home_it_runs_from_memory(agent: Any, user: Plugin, place: str) -> None:
    assert "runs from memory" in fed(agent(user, env={"HOME": place})).reason


def test_without_room_it_runs_from_memory_and_leaves_nothing(agent: Any, user: Plugin, home: Path) -> None:
    tight = ("sh", "-c", 'ulimit -f 16; exec "$@"', "sh")  # no file beyond 8 KiB: writing fails half-way
    assert "runs from memory" in fed(agent(user, argv=tight)).reason
    assert cache(home) == {}


def test_the_cache_home_of_the_user_is_kept_to(agent: Any, user: Plugin, home: Path, tmp_path: Path) -> None:
    assert fed(agent(user, env={"XDG_CACHE_HOME": str(tmp_path / "elsewhere")})).reason == ""
    assert cache(home) == {}
    assert [path.name for path in (tmp_path / "elsewhere/mleconsole").iterdir()] == [f"fancy_module-{HASH}.py"]


def test_another_source_than_wanted_is_not_run(agent: Any, user: Plugin, home: Path) -> None:
    running = agent(user)
    running.wait("want", "fancy_module")
    running.say(frames.module("fancy_module", b"VALUE = 0"))
    running.say(frames.module("never_wanted", b"VALUE = 0"))
    running.say(running.bundle.module("fancy_module"))
    assert running.wait("s", "use").data == b"42"


def test_the_hosts_own_is_used_when_it_has_one(agent: Any, plugin: Callable[..., Plugin]) -> None:
    source = "def use(state): return state['module']('pynvml').__file__\nSAMPLERS = {'use': use}"
    folder = Path(sys.executable).parent
    if not (folder / "python3").exists() or not folder.joinpath("../lib").exists():
        pytest.skip(f"{folder} has no python3 with its own packages")
    running = agent(plugin(source, "use", modules=("pynvml",)), env={"PATH": f"{folder}:/usr/bin:/bin"})
    assert json.loads(running.wait("s", "use").data).endswith("pynvml.py")
    assert not [frame for frame in running.frames if frame.type == "want"]


def test_two_agents_that_cache_at_the_same_time_do_not_disturb_each_other(agent: Any, user: Plugin, home: Path) -> None:
    several = [agent(user) for _ in range(4)]
    for running in several:
        running.wait("want", "fancy_module")
    for running in several:
        running.say(running.bundle.module("fancy_module"))
    for running in several:
        assert running.wait("s", "use").data == b"42"
        reasons = [frame.reason for frame in running.frames if frame.type == "kept"]
        assert (reasons or [running.wait("kept").reason]) == [""]
    assert cache(home) == {f"fancy_module-{HASH}.py": FANCY}
