"""Cost: CPU and memory of the console with its TUI painting, and what it asks of the cluster meanwhile."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from bench.cluster import Simulated
from bench.processes import cpu_seconds, descendants, left_of, memory_mb
from bench.rows import Row

#: nodes -> (CPU % of a core, MB)
TARGETS: dict[int, tuple[float | None, float | None]] = {64: (None, None), 256: (8, 150), 1024: (25, 260)}
PANES = ("overview", "gpus", "jobs")


def measure(small: bool, notes: list[str]) -> Iterator[Row]:
    for nodes in (64,) if small else TARGETS:
        yield from on(nodes, small)


def on(nodes: int, small: bool) -> list[Row]:
    """One size of cluster."""
    jobs, seconds = (2_000, 10.0) if small else (20_000, 20.0)
    most_cpu, most_memory = (None, None) if small else TARGETS[nodes]
    rows: list[Row] = []
    with Simulated(nodes, jobs) as cluster:
        before = descendants(os.getpid())
        with cluster.console() as terminal:
            terminal.until(rb"Disks")
            cluster.all_answer(terminal)
            terminal.drain(5.0)
            for pane in PANES[:1] if small else PANES:
                if pane != PANES[0]:
                    terminal.press(str({"gpus": 2, "jobs": 4}[pane]).encode())
                    terminal.press(b"tt" if pane == "jobs" else b"")
                    terminal.drain(3.0)
                stats, cpu, began = cluster.stats(), cpu_seconds(terminal.pid), time.monotonic()
                painted = terminal.drain(seconds)
                took, used = time.monotonic() - began, cpu_seconds(terminal.pid) - cpu
                after = cluster.stats()
                how = f"{seconds:.0f} s, {painted / took / 1000:.0f} kB/s to the terminal"
                target = most_cpu if pane == PANES[0] else None
                rows.append(Row(f"CPU, {nodes:,} nodes, {pane}", 100 * used / took, "% of a core", target, how))
                if pane == PANES[0]:
                    rows += counts(stats, after, took, nodes, small)
            rows.append(Row(f"memory, {nodes:,} nodes", memory_mb(terminal.pid), "MB", most_memory))
            if small:
                rows.append(Row("CPU since start", cpu_seconds(terminal.pid), "s", 15, "", True))
        agents = cluster.agents_left()
        left = len(left_of(before | {cluster.pid}))
    if small or nodes == 64:
        rows.append(Row("agents and connections left after closing", agents, "", 0, "", True))
        rows.append(Row("processes left after closing", left, "", 0, "", True))
    return rows


def counts(before: dict[str, float], after: dict[str, float], took: float, nodes: int, small: bool) -> list[Row]:
    """What the cluster saw within `took` seconds."""
    if not small and nodes != 64:
        return []
    samples = after["samples"] - before["samples"]
    per_minute = (after["commands"] - before["commands"]) * 60 / took
    per_sample = (after["agent_bytes"] - before["agent_bytes"]) / max(1, samples)
    return [
        Row("login connections", after["login_connections"], "", 2, f"{nodes} nodes", True),
        Row(
            "remote commands per minute",
            per_minute,
            "",
            75 if small else 60,
            f"{took:.0f} s, all probes of Slurm",
            True,
        ),
        Row("bytes per node and sample, replayed", per_sample, "B", 750, "recorded frames with moving values", True),
        Row("agents not running", nodes - after["agents"], "", 0, f"of {nodes}", True),
    ]
