"""Processes: what they cost, by /proc; and none of ours that outlives its part."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
_SUBREAPER, _DEATH_SIGNAL = 36, 1
_prctl = ctypes.CDLL(None).prctl


def adopt_orphans() -> None:
    """From now on what our children leave behind becomes our child, so that it can be counted and ended."""
    _prctl(_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """For preexec_fn: SIGKILL when the parent ends, however it ends."""
    _prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command: state, ppid, ...; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def cpu_seconds(pid: int) -> float:
    """CPU of a process and of its children that ended; 0 when it is gone."""
    fields = _stat(pid)
    return sum(int(field) for field in fields[11:15]) / TICKS if fields else 0.0


def memory_mb(pid: int) -> float:
    """Resident memory in MB (10^6); 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0


def descendants(pid: int) -> set[int]:
    """Everything below a process that still runs; zombies do not."""
    parents: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := _stat(int(entry))) and fields[0] != "Z":
            parents.setdefault(int(fields[1]), []).append(int(entry))
    found: set[int] = set()
    wait = [pid]
    while wait:
        for child in parents.get(wait.pop(), []):
            if child not in found:
                found.add(child)
                wait.append(child)
    return found


def left_of(before: set[int], patience: float = 5.0) -> set[int]:
    """Descendants of ours that were not there `before` and stay for longer than `patience` seconds."""
    deadline = time.monotonic() + patience
    while (left := descendants(os.getpid()) - before) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def end_all(pids: set[int]) -> None:
    """SIGTERM, a second of patience, SIGKILL."""
    for what in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, what)
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline and any(_stat(pid) and _stat(pid)[0] != "Z" for pid in pids):
            time.sleep(0.05)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
