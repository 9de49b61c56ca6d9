"""First data: until the GPUs of all nodes are known, beside bare asyncssh that does the same and nothing else."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.cluster import Simulated
from bench.processes import die_with_parent
from bench.rows import Row

PROGRAMS = Path(__file__).parent / "programs"


def run(cluster: Simulated, program: str, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(PROGRAMS / program), *words],
        stdout=subprocess.PIPE,
        env={**os.environ, **cluster.env},
        preexec_fn=die_with_parent,
        timeout=60,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    if told["nodes"] != cluster.nodes:
        raise RuntimeError(f"{program} reached {told['nodes']} of {cluster.nodes} nodes")
    return told


def measure(small: bool, notes: list[str]) -> Iterator[Row]:
    nodes, times = 64, 1 if small else 7
    bare: list[dict[str, Any]] = []
    ours: list[dict[str, Any]] = []
    screen: list[float] = []
    with Simulated(nodes, 2_000) as cluster:
        for turn in range(times + 1):
            pair = run(cluster, "bare.py", str(cluster.folder)), run(cluster, "headless.py", cluster.config, str(nodes))
            if turn:
                bare.append(pair[0])
                ours.append(pair[1])
        yield from compared(bare, ours, times, small)
        for _ in range(0 if small else 3):
            with cluster.console() as terminal:
                at, _ = terminal.until(rb"64/64")
                screen.append(at - terminal.started)
    if screen:
        yield Row("64/64 nodes on screen after exec", statistics.median(screen), "s", None, "median of 3")


def compared(bare: list[dict[str, Any]], ours: list[dict[str, Any]], times: int, small: bool) -> list[Row]:
    """Ours beside bare asyncssh."""

    def middle(rows: list[dict[str, Any]], what: str) -> float:
        return statistics.median(row[what] for row in rows)

    def ratio(what: str) -> float:
        return statistics.median(b[what] / a[what] for a, b in zip(bare, ours, strict=True))

    how = f"{middle(ours, 'seconds'):.2f} s beside {middle(bare, 'seconds'):.2f} s; medians of {times}, in rotation"
    cpu = f"{middle(ours, 'cpu'):.2f} s beside {middle(bare, 'cpu'):.2f} s"
    return [
        Row("first data of 64 nodes, of bare asyncssh", ratio("seconds"), "x", None if small else 1.2, how),
        Row("CPU of the client for it, of bare asyncssh", ratio("cpu"), "x", 4 if small else None, cpu, small),
    ]
