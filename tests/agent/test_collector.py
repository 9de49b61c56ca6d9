"""The collector on this very machine: a real agent is started, read, killed, started anew and ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mleconsole.api import Danger, Host, Machine, Plan, Step
from mleconsole.config.schema import Config
from mleconsole.plugin import Registry
from mleconsole.session import Session, open_session


def until(true: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait for the collector's thread: the only place of these tests that passes time."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"not true within {seconds:g} s"
        time.sleep(0.02)
    return found


def agents() -> set[int]:
    """Agents that this process started, by the program they were given."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if b"mleconsole-agent" in command and parent == os.getpid():
            found.add(int(folder.name))
    return found


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    for name in ("CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    registry = Registry.load({"slurm": False})
    session = open_session(Config("here"), registry, None)
    session.need(frozenset({"machine"}))
    session.start()
    yield session
    session.stop()
    until(lambda: not agents(), 5)


def test_this_machine_is_a_cluster_of_one(session: Session) -> None:
    until(lambda: session.status.login == "live" and not session.waiting_for())
    (machine,) = session.store.fleet.of(Machine)
    (host,) = session.store.fleet.of(Host)
    assert host.state == "live" and machine.cores == os.cpu_count()
    serial = session.store.serial
    until(lambda: session.store.serial > serial + 2)
    age = session.store.fleet.age(machine)
    assert isinstance(age, float) and age < 5.0, "it is sampled on and on"


def test_an_agent_that_is_killed_comes_back(session: Session) -> None:
    until(lambda: not session.waiting_for() and session.store.fleet.count(Machine))
    (old,) = until(agents)
    os.kill(old, signal.SIGKILL)
    until(lambda: agents() - {old}, 10)
    until(lambda: next(session.store.fleet.of(Host)).state == "live")


def test_a_plan_runs_here_and_a_failure_is_in_words(session: Session) -> None:
    until(lambda: session.status.login == "live")
    steps = (Step("login", ("echo", "a b")), Step("login", ("sh", "-c", "echo no such thing >&2; exit 3")))
    outcome = session.perform(Plan("try", steps, Danger.READS)).result(20)
    assert [completed.text or completed.words() for _, completed in outcome.results] == ["a b\n", "no such thing"]


def test_read_only_is_kept_at_the_transport(tmp_path: Path) -> None:
    session = open_session(Config("here"), Registry.load({"slurm": False}), None, read_only=True)
    session.start()
    try:
        until(lambda: session.status.login == "live")
        mark = tmp_path / "changed"
        plan = Plan("change", (Step("login", ("touch", str(mark))),), Danger.CHANGES)
        ((_, completed),) = session.perform(plan).result(20).results
        assert not completed.ok and "read-only" in completed.words() and not mark.exists()
    finally:
        session.stop()
