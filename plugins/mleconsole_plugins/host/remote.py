"""Samplers of a host's own load. Runs inside the agent: stdlib only, Python 3.6."""

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

FIRST_SPAN = 0.25  # seconds over which the very first sample measures


class Missing(Exception):
    """What is asked for is not there; the text says why."""


def read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def absent(reason: str) -> "Dict[str, str]":
    return {"absent": reason}


def cpu_times(text: str) -> "Tuple[int, int, int]":
    """(busy, total) in ticks since boot, and the cores that are on line, from /proc/stat."""
    busy = total = cores = 0
    for line in text.splitlines():
        words = line.split()
        if words and words[0] == "cpu":
            ticks = [int(word) for word in words[1:9]]  # guest time is in user time already
            total = sum(ticks)
            busy = total - sum(ticks[3:5])  # idle and iowait
        elif words and words[0].startswith("cpu"):
            cores += 1
    return busy, total, cores


def memory(text: str) -> "Tuple[Any, Any]":
    """(used, total) MiB from /proc/meminfo; used is what new work can't have."""
    values = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if words and words[0].isdigit():
            values[name] = int(words[0])
    total = values.get("MemTotal")
    free = values.get("MemAvailable", values.get("MemFree"))
    if total is None or free is None:
        return absent("/proc/meminfo does not tell"), absent("/proc/meminfo does not tell")
    return (total - free) // 1024, total // 1024


def sample_machine(state: "Dict[str, Any]") -> "List[List[Any]]":
    """One row of Machine."""
    root = state.get("proc", "/proc")
    try:
        now = cpu_times(read(root + "/stat"))
        if "before" not in state:
            state["before"] = now
            time.sleep(FIRST_SPAN)
            now = cpu_times(read(root + "/stat"))
    except (OSError, ValueError) as error:
        raise Missing("/proc/stat can't be read: %s" % error) from None
    before, state["before"] = state["before"], now
    span = now[1] - before[1]
    cpu = round(100.0 * (now[0] - before[0]) / span, 1) if span > 0 else absent("no time passed on its clock")  # type: Any
    try:
        used, total = memory(read(root + "/meminfo"))
    except OSError as error:
        used = total = absent("/proc/meminfo can't be read: %s" % error.strerror)
    try:
        load = float(read(root + "/loadavg").split()[0])  # type: Any
    except (OSError, ValueError, IndexError):
        load = absent("/proc/loadavg can't be read")
    if "facts" not in state:
        try:
            boot = read(root + "/sys/kernel/random/boot_id").strip()  # type: Any
        except OSError as error:
            boot = absent("boot_id can't be read: %s" % error.strerror)
        state["facts"] = [boot, os.uname().release]
    row = [cpu, used, total, load, now[2] or os.cpu_count() or absent("not told")]
    return [[*row, *state["facts"], round(time.time(), 1)]]


SAMPLERS = {"machine": sample_machine}
