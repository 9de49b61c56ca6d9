"""Peers: what else is used for this, on the real test cluster in the same run (root): clush, an ssh loop, turm, ...

A snapshot of all GPUs while one is lost at one node; and the queue of a cluster with many held jobs on a terminal.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.cluster import CONSOLE
from bench.keys import DOWN, at
from bench.processes import cpu_seconds, descendants
from bench.rows import Row
from bench.terminal import Missing, Terminal

WHEELS = ("clustershell", "turm", "lazyslurm-py", "slurm-monitor-top")
NODES, GPUS, LOST = 4, 8, ("node02", 5)
JOBS = 1_000
TIMES = 5
SNAPSHOT = """
import json, pynvml as n
n.nvmlInit()
print(json.dumps([[i, (h := n.nvmlDeviceGetHandleByIndex(i)) and n.nvmlDeviceGetUUID(h),
    n.nvmlDeviceGetUtilizationRates(h).gpu, n.nvmlDeviceGetMemoryInfo(h).used, n.nvmlDeviceGetTemperature(h, 0),
    n.nvmlDeviceGetPowerUsage(h), n.nvmlDeviceGetClockInfo(h, 1)] for i in range(n.nvmlDeviceGetCount())]))
"""


def measure(small: bool, notes: list[str]) -> Iterator[Row]:
    if small:
        return
    if os.geteuid() != 0:
        notes.append("Peers: not measured: the test cluster needs root.")
        return
    sys.path.insert(0, str(Path(__file__).parents[2] / "cluster"))
    from testbed.cluster import Cluster

    with tempfile.TemporaryDirectory(prefix="bench-") as made:
        install(Path(made), notes)
        cluster = Cluster.up(nodes=NODES, gpus=GPUS, name="bench", db=False, owner=os.getpid(), timeout=180)
        try:
            home = cluster.layout.run / "home" / "alice"
            shutil.copytree(made, home / "peers", dirs_exist_ok=True)
            (home / "peers").chmod(0o755)
            (home / "snapshot.py").write_text(SNAPSHOT)
            cluster.set_gpu(LOST[0], LOST[1], lost=1)
            yield from snapshots(cluster, Path(made), notes)
            yield from queues(cluster, Path(made), notes)
        finally:
            cluster.down()


def install(folder: Path, notes: list[str]) -> None:
    """The peers for the Python of the cluster's login host, each by itself."""
    for wheel in WHEELS:
        argv = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--target",
            str(folder / wheel),
        ]
        argv += ["--python-version", "3.11", "--only-binary=:all:", wheel]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=180, check=False)
        if done.returncode:
            notes.append(f"{wheel}: not obtainable: {done.stderr.strip().splitlines()[-1][:100]}")


# -- a snapshot of all GPUs ------------------------------------------------------------------------------------------


def snapshots(cluster: Any, peers: Path, notes: list[str]) -> Iterator[Row]:
    names = ",".join(cluster.layout.node_names)
    probe = "/opt/venv/bin/python /home/alice/snapshot.py"
    login = cluster.host("login")
    clush = f"PYTHONPATH=~/peers/clustershell python3 -m ClusterShell.CLI.Clush -w {names} '{probe}'"
    loop = f"for n in {names.replace(',', ' ')}; do ssh -o BatchMode=yes $n '{probe}' & done; wait"
    ways: list[tuple[str, Sequence[str], Callable[[str], int], str]] = [
        ("ssh loop", login.argv(["sh", "-c", loop], "alice"), nested, "on the login host, in parallel"),
        ("mleconsole show gpus", console_argv(cluster), told, "from outside, agents started and ended"),
    ]
    if (peers / "clustershell").exists():
        ways.insert(0, ("clush", login.argv(["sh", "-c", clush], "alice"), nested, "on the login host"))
    for name, argv, count, how in ways:
        walls, cpus, got = [], [], 0
        for _ in range(TIMES):
            before, began = children(), time.monotonic()
            done = subprocess.run(
                argv, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
            )
            walls.append(time.monotonic() - began)
            cpus.append(children() - before)
            got = count(done.stdout)
        told_by = f"{how}; {statistics.median(cpus):.2f} s CPU of the client; median of {TIMES}"
        yield Row(f"{name}: GPU snapshot of {NODES} nodes", statistics.median(walls), "s", None, told_by)
        of = NODES * GPUS - 1
        yield Row(f"{name}: good GPUs missed while one is lost", of - got, "", 0 if count is told else None, f"of {of}")


def console_argv(cluster: Any) -> list[str]:
    return [str(CONSOLE), "show", "gpus", str(cluster.config_path()), "--json"]


def children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def nested(text: str) -> int:
    """GPUs in lines that hold a JSON list of lists."""
    return sum(len(json.loads(found)) for found in re.findall(r"\[\[.*\]\]", text))


def told(text: str) -> int:
    """GPUs with a utilisation in the console's JSON."""
    return sum(1 for row in json.loads(text or "[]") if isinstance(row.get("util_percent"), int | float))


# -- the queue on a terminal -----------------------------------------------------------------------------------------


def queues(cluster: Any, peers: Path, notes: list[str]) -> Iterator[Row]:
    submit = f"seq 1 {JOBS} | xargs -P4 -I@ sbatch -Q --hold --job-name=bench@ --wrap 'sleep 9'"
    cluster.run("login", ["sh", "-c", submit], user="alice", timeout=120)
    login = cluster.host("login")
    rivals = {
        "turm": ["/home/alice/peers/turm/bin/turm"],
        "slurm-monitor-top": ["python3", "-c", "from slurm_top.cli import main; main()"],
        "lazyslurm-py": ["python3", "-m", "lazyslurm"],
    }
    ways = {name: on_terminal(login, name, argv) for name, argv in rivals.items() if (peers / name).exists()}
    ways["mleconsole connect --pane jobs"] = [str(CONSOLE), "connect", str(cluster.config_path()), "--pane", "jobs"]
    for name, argv in ways.items():
        try:
            yield from queue(name, argv)
        except Missing as missing:
            notes.append(f"{name}: {str(missing)[:160]}")


def on_terminal(login: Any, wheel: str, argv: Sequence[str]) -> list[str]:
    """The command that runs `argv` as alice on the login host, in front of the terminal."""
    environment = ["env", "COLORTERM=truecolor", f"PYTHONPATH=/home/alice/peers/{wheel}"]
    found: list[str] = login.argv([*environment, *argv], "alice", 200)
    found.insert(found.index("timeout") + 1, "--foreground")
    return found


def queue(name: str, argv: Sequence[str]) -> Iterator[Row]:
    five = rb"(?:bench\d+.*?){5}"
    with Terminal(argv) as terminal:
        content = terminal.until(b"(?s)" + five)[0] - terminal.started
        terminal.drain(5.0)
        before, began = tree(terminal.pid), time.monotonic()
        terminal.drain(10.0)
        idle = 100 * (tree(terminal.pid) - before) / (time.monotonic() - began)
        keys = []
        for _ in range(50):
            pressed = time.monotonic()
            terminal.press(DOWN)
            keys.append((terminal.until(b"(?s).", 5.0)[0] - pressed) * 1000)
            terminal.drain(0.12)
        keys.sort()
    yield Row(f"{name}: content of {JOBS:,} jobs", content, "s", None, "from exec to five job names")
    yield Row(f"{name}: idle CPU", idle, "% of a core", None, "10 s, with its helpers")
    yield Row(
        f"{name}: down key p50",
        at(keys, 0.5),
        "ms",
        None,
        f"50 keys, p99 {at(keys, 0.99):.0f}, to the first bytes",
    )


def tree(pid: int) -> float:
    """CPU of a process, its children and what they waited for."""
    return sum(map(cpu_seconds, {pid, *descendants(pid)}))
