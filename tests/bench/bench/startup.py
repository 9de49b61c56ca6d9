"""Startup: from exec to the first bytes of content, and to live widgets beside the smallest Textual app there is."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from bench.cluster import Simulated
from bench.processes import cpu_seconds
from bench.rows import Row
from bench.terminal import Terminal

MINIMAL = Path(__file__).parent / "programs" / "minimal.py"
SKELETON = rb"connecting to"
REFERENCE = 138  # milliseconds
WIDGETS = rb"Disks"  # a word of the pane line, which the first frame has not


def measure(small: bool, notes: list[str]) -> list[Row]:
    times = 3 if small else 11
    content: list[float] = []
    live: list[float] = []
    minimal: list[float] = []
    cpu: list[float] = []
    least: list[float] = []
    with Simulated(4, 200) as cluster:
        for turn in range(times + 1):  # the first turn warms caches
            with Terminal([sys.executable, str(MINIMAL)]) as terminal:
                smallest = terminal.until(rb"minimal content")[0] - terminal.started
                base = cpu_seconds(terminal.pid)
                terminal.settle(0.1)
            with cluster.console() as terminal:
                first = terminal.until(SKELETON)[0] - terminal.started
                widgets = terminal.until(WIDGETS)[0] - terminal.started
                used = cpu_seconds(terminal.pid)
                terminal.settle(0.1, 1.0)
            if turn:
                content.append(first * 1000)
                live.append(widgets * 1000)
                minimal.append(smallest * 1000)
                cpu.append(used * 1000)
                least.append(base * 1000)
    middle = statistics.median
    ratio = middle(a / b for a, b in zip(live, minimal, strict=True))
    n = f"median of {times}"
    notes.append(
        f"The smallest Textual app takes {middle(least):.0f} ms of CPU to start on this machine as it is now; "
        f"it took {REFERENCE} where the targets were set: times and CPU compare by that."
    )
    return [
        Row("visible content after exec", middle(content), "ms", 30, n),
        Row("live widgets, of a minimal Textual app", ratio, "x", 1.4, f"{n}, in rotation"),
        Row("live widgets after exec", middle(live), "ms", None, f"{n}; the minimal app {middle(minimal):.0f} ms"),
        Row("CPU until live widgets", middle(cpu), "ms", 2000 if small else None, n, small),
    ]
