"""Keys: from the byte of a Down key at the pty to the bytes of the cursor on another row, while data flows."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Iterator

from bench.cluster import Simulated
from bench.rows import Row
from bench.terminal import CURSOR, Missing, Terminal

DOWN = b"\x1b[B"
JOB = CURSOR + rb"(\d+)"


class Storm:
    """Drops all connections again as soon as all are back."""

    def __init__(self, cluster: Simulated) -> None:
        self._cluster = cluster
        self._asked = 0.0
        self.drops = 0

    def step(self) -> None:
        """Called between keys."""
        if time.monotonic() - self._asked < 0.5:
            return
        if self._cluster.stats()["agents"] == self._cluster.nodes:
            self._cluster.drop()
            self.drops += 1
        self._asked = time.monotonic()


def presses(terminal: Terminal, count: int, storm: Storm | None = None, patience: float = 3.0) -> list[float]:
    """Milliseconds of each press, sorted. A press that shows nothing within `patience` s raises Missing."""
    wanted = re.compile(JOB)
    rest = random.Random(1)
    here = b""
    found: list[float] = []
    for turn in range(count + 5):  # the first five only find out where the cursor is
        pressed = time.monotonic()
        terminal.press(DOWN)
        text = bytearray()
        while True:
            data = terminal.read(patience - (time.monotonic() - pressed))
            now = time.monotonic()
            text += data
            new = next((match[1] for match in wanted.finditer(text) if match[1] != here), None)
            if new is not None:
                here = new
                break
            if now - pressed > patience:
                if turn < 5:
                    break
                raise Missing(
                    f"after key {turn} no new row under the cursor within {patience:g} s (it was on {here!r})"
                )
        if turn >= 5:
            found.append((now - pressed) * 1000)
        if storm is not None:
            storm.step()
        terminal.drain(rest.uniform(0.02, 0.05))
    return sorted(found)


def at(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))]


def apart(terminal: Terminal, cluster: Simulated) -> None:
    """The console on a core of its own, cluster and key presses on another, and nearly no other work beside them.

    Not by real-time scheduling: equal threads of it never preempt each other, and two share Python's lock.
    """
    cores = sorted(os.sched_getaffinity(0))
    for pid, core, nice in ((terminal.pid, 0, -19), (os.getpid(), -1, -20), (cluster.pid, -1, -5)):
        for thread in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(thread), {cores[core]})
            os.setpriority(os.PRIO_PROCESS, int(thread), nice)


def measure(small: bool, notes: list[str]) -> Iterator[Row]:
    nodes, jobs, count = (64, 2_000, 60) if small else (1_024, 20_000, 300)
    alone = not small and os.geteuid() == 0
    where = f"{nodes:,} nodes x 8 GPUs, {jobs:,} jobs, {count} keys"
    with Simulated(nodes, jobs) as cluster:
        with cluster.console("--pane", "jobs") as terminal:
            terminal.until(rb"Disks")
            cluster.all_answer(terminal)
            terminal.press(b"tt")  # from my jobs to my team's to all
            terminal.drain(2.0 if small else 8.0)
            if alone:
                apart(terminal, cluster)
            for name, storm, target in (("", None, 25), (" in a connect storm", Storm(cluster), 45)):
                began = time.monotonic()
                taken = presses(terminal, count, storm)
                how = f"{where}, p50 {at(taken, 0.5):.1f}, p95 {at(taken, 0.95):.1f}, max {taken[-1]:.1f}"
                if storm is not None:
                    how += f", {storm.drops} drops in {time.monotonic() - began:.0f} s"
                yield Row(f"key to paint p99{name}", at(taken, 0.99), "ms", None if small else target, how)
        left = cluster.agents_left()
    yield Row("agents and connections left by a closed console", left, "", 0, "", True)
    if alone:
        notes.append(
            "Keys: the console on one core, cluster and key presses on the other, all before other work of the machine."
        )
