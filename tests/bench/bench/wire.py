"""Bytes: the real agent on this machine under the real pynvml and the stand-in NVML, every value of which moves."""

from __future__ import annotations

import os
import random
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench.processes import cpu_seconds, die_with_parent, memory_mb
from bench.rows import Row
from mleconsole.api import AgentProbe
from mleconsole.collect import frames
from mleconsole.collect.bundle import make_bundle
from mleconsole.plugin import Registry

GPUS = 8
TESTBED = Path(__file__).parents[2] / "cluster"
#: Values of one GPU and their ranges.
VALUES = {
    "util": (0, 100), "mem_util": (0, 100), "mem_used_mib": (4, 81559), "temp": (28, 90), "power_mw": (70_000, 700_000),
    "clk_sm": (345, 1980), "throttle": (0, 4),
}  # fmt: skip


def library(folder: Path) -> Path:
    """The stand-in library under the name that pynvml asks for."""
    sys.path.insert(0, str(TESTBED))
    from testbed.rootfs import nvml_library

    (folder / "libnvidia-ml.so.1").symlink_to(nvml_library())
    return folder


def move(file: Path, holders: list[int], random: random.Random) -> None:
    """Other values of everything."""
    lines = [f"count {GPUS}"]
    for gpu in range(GPUS):
        lines += [f"{gpu}.{name} {random.randint(low, high)}" for name, (low, high) in VALUES.items()]
        lines.append(f"{gpu}.proc {holders[gpu]} {random.randint(1000, 80_000)}")
    new = file.with_suffix(".new")
    new.write_text("\n".join(lines) + "\n")
    new.rename(file)


def measure(small: bool, notes: list[str]) -> Iterator[Row]:
    seconds = 10.0 if small else 40.0
    with tempfile.TemporaryDirectory(prefix="bench-") as made:
        folder = Path(made)
        try:
            where = library(folder)
        except Exception as error:  # no gcc on this machine
            notes.append(f"bytes: not measured: {error}")
            return
        holders = [
            subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
            for _ in range(GPUS)
        ]
        try:
            yield from agent(folder, where, [holder.pid for holder in holders], seconds)
        finally:
            for holder in holders:
                holder.kill()
                holder.wait()


def agent(folder: Path, where: Path, holders: list[int], seconds: float) -> Iterator[Row]:
    registry = Registry.load()
    probes = [probe for probe in registry.probes.values() if isinstance(probe, AgentProbe)]
    bundle = make_bundle(registry.plugins.values())
    settings = {
        "periods": {probe.sampler: probe.period for probe in probes},
        "deadlines": {probe.sampler: probe.deadline for probe in probes},
        "on_change": [probe.sampler for probe in probes if probe.on_change],
    }
    values, moves = folder / "gpus.conf", random.Random(3)
    move(values, holders, moves)
    environment = {**os.environ, "FAKE_NVML": str(values), "LD_LIBRARY_PATH": str(where), "HOME": str(folder)}
    process = subprocess.Popen(
        bundle.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, preexec_fn=die_with_parent
    )
    assert process.stdin is not None and process.stdout is not None

    def say(data: bytes) -> None:
        process.stdin.write(data)  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]

    say(bundle.first_bytes(settings))
    reader, seen = frames.FrameReader(), Counter[str]()
    began = time.monotonic()
    warm, taken, cpu, moved = 8.0, 0, 0.0, began
    measuring = False
    try:
        while (now := time.monotonic()) < began + warm + seconds:
            if not measuring and now > began + warm:
                measuring, taken, cpu = True, 0, cpu_seconds(process.pid)
                seen.clear()
            if now - moved > 0.5:
                moved = now
                move(values, holders, moves)
            if not select.select([process.stdout], [], [], 0.2)[0]:
                continue
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data:
                raise RuntimeError(f"the agent ended with {process.wait()}")
            taken += len(data)
            for frame in reader.feed(data):
                seen[frame.name if frame.type == "s" else frame.type] += 1
                if frame.type == "want":
                    say(bundle.module(frame.name))
                if frame.type == "a":
                    raise RuntimeError(f"the agent can't sample {frame.name}: {frame.reason}")
        used = cpu_seconds(process.pid) - cpu
        memory = memory_mb(process.pid)
    finally:
        process.stdin.close()
        try:
            process.wait(5)
            left = 0
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            left = 1
    how = ", ".join(f"{count} {name}" for name, count in sorted(seen.items()))
    yield Row("bytes per node and sample", taken / max(1, seen["gpus"]), "B", 750, f"{seconds:.0f} s: {how}", True)
    if not seen["gpus"]:
        raise RuntimeError("the agent gave no sample of GPUs")
    yield Row("agent CPU", 100 * used / seconds, "% of a core", None if seconds < 20 else 1, f"{memory:.0f} MB, niced")
    yield Row("agent left after its stdin ended", left, "", 0, "", True)
