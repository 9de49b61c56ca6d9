"""Which clusters are up on this machine, whose they are, and which numbers they use: /run/mleconsole-testbed."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from testbed.shell import TestbedError, sh

FOLDER = Path("/run/mleconsole-testbed")
NUMBERS = range(0, 64)


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Only one process at a time brings a cluster up or down."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def read(name: str) -> dict[str, Any] | None:
    """What is recorded of a cluster: its layout, run folder, owner; None when there is nothing."""
    try:
        record: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return record


def write(name: str, record: dict[str, Any]) -> None:
    """Record a cluster, whole or not at all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    new = FOLDER / f".{name}.new"
    new.write_text(json.dumps(record, indent=1))
    new.rename(FOLDER / f"{name}.json")


def remove(name: str) -> None:
    """Forget a cluster; the folder goes with the last one."""
    (FOLDER / f"{name}.json").unlink(missing_ok=True)


def names() -> list[str]:
    """Every recorded cluster."""
    return sorted(file.stem for file in FOLDER.glob("*.json"))


def free_number() -> int:
    """The smallest number whose networks neither a cluster nor a route of this machine uses."""
    taken = {record["layout"]["number"] for name in names() if (record := read(name))}
    routes = sh("ip", "-4", "route", "show", "table", "all")
    for number in NUMBERS:
        if number not in taken and not any(f"10.{net}.{number}." in routes for net in (97, 98, 99)):
            return number
    raise TestbedError("every network number of the testbed is taken: bring some clusters down")


def alive(pid: int | None) -> bool:
    """Whether the process that owns a cluster still runs."""
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
