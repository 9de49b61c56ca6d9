"""The cluster of the tests in this folder: one for the whole run, stood up when the first test asks for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from testbed import Cluster, TestbedError, rootfs
from testbed.cluster import TOOLS, need_root
from testbed.shell import need_tools

NAME = os.environ.get("MLECONSOLE_TESTBED_NAME", "tb-test")
KEEP = bool(os.environ.get("MLECONSOLE_TESTBED_KEEP"))


def why_not() -> str | None:
    """Why no cluster can stand on this machine, in one sentence."""
    try:
        need_root()
        need_tools([*TOOLS, "mmdebstrap", "gcc"])
    except TestbedError as error:
        return str(error)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the cluster, and build the root file system before any test's time limit runs."""
    ours = [item for item in items if "cluster" in getattr(item, "fixturenames", ())]
    for item in ours:
        item.add_marker(pytest.mark.cluster)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the root file system (once, half a minute) before the first test's time limit runs."""
    chosen = any("cluster" in getattr(item, "fixturenames", ()) for item in session.items)
    if chosen and not session.config.option.collectonly and why_not() is None:
        rootfs.ensure("bookworm")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A login host and four nodes. MLECONSOLE_TESTBED_KEEP=1 reuses a healthy one and leaves it standing."""
    reason = why_not()
    if reason and os.environ.get("CI"):
        pytest.fail(f"the real cluster must run in CI: {reason}")
    if reason:
        pytest.skip(reason)
    standing = Cluster.up(name=NAME, owner=os.getpid(), fresh=not KEEP)
    try:
        yield standing
    finally:
        if not KEEP:
            standing.down()


@pytest.fixture(autouse=True)
def tidy(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test starts with idle GPUs and an empty queue."""
    yield
    if "cluster" in request.fixturenames:
        standing: Cluster = request.getfixturevalue("cluster")
        standing.reset_gpus()
        standing.cancel_all()
