"""Jobs: a long queue through the real parser: the first answer, the same again, and one in a hundred lines changed."""

from __future__ import annotations

import gc
import statistics
import time
import zlib
from typing import Any

from simulated.slurm import Slurm

from bench.rows import Row
from mleconsole.api import CommandProbe, Completed, Job
from mleconsole.plugin import Registry


def measure(small: bool, notes: list[str]) -> list[Row]:
    count = 2_000 if small else 20_000
    probe = Registry.load().probes["squeue"]
    assert isinstance(probe, CommandProbe)
    slurm = Slurm(1_024, 8, count)
    ends = slurm.answer("squeue")
    first: list[float] = []
    same: list[float] = []
    changed: list[float] = []
    for _ in range(3 if small else 9):
        gc.collect()
        answer, taken = timed(probe, ends, None)
        first.append(taken)
        same.append(timed(probe, ends, answer.memory)[1])
        ends = slurm.answer("squeue")
        answer, taken = timed(probe, ends, answer.memory)
        changed.append(taken)
        (slots,) = [slot for kind, slot in answer.observation.records.items() if kind is Job]
        assert len(slots) == count, f"{len(slots)} of {count} jobs came out of the parser"
    data = ends.encode()
    middle = statistics.median
    return [
        Row(f"{count:,} jobs, first answer", middle(first), "ms CPU", 100 if small else None, "median", small),
        Row(f"{count:,} jobs, unchanged", middle(same), "ms CPU", 20 if small else None, "median", small),
        Row(f"{count:,} jobs, 1 % changed", middle(changed), "ms CPU", None, "median"),
        Row(f"{count:,} jobs, bytes per poll", len(data), "B", None, f"{len(zlib.compress(data, 6)):,} B deflated"),
        Row("bytes per job", len(data) / count, "B", 250, "", small),
    ]


def timed(probe: CommandProbe, text: str, memory: Any) -> tuple[Any, float]:
    """(the answer, milliseconds of CPU)."""
    done = Completed("login", (), 0, text.encode())
    began = time.process_time()
    answer = probe.parse(done, memory)
    return answer, (time.process_time() - began) * 1000
