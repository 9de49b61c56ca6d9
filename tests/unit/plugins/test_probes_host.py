"""The machine sampler on a /proc of our own and on this machine's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mleconsole.api import Absent, Machine
from mleconsole_plugins.host import remote
from mleconsole_plugins.host.probes import KEEPS, parse_machine


def write(root: Path, busy: int, idle: int) -> None:
    cores = "".join(f"cpu{n} 1 0 0 1 0 0 0 0 0 0\n" for n in range(4))
    (root / "stat").write_text(f"cpu  {busy} 0 0 {idle} 50 0 0 0 999 0\n{cores}btime 1700000000\n")
    (root / "meminfo").write_text("MemTotal: 1048576 kB\nMemFree: 1024 kB\nMemAvailable: 786432 kB\n")
    (root / "loadavg").write_text("3.25 2.00 1.00 2/300 4242\n")
    (root / "sys/kernel/random").mkdir(parents=True, exist_ok=True)
    (root / "sys/kernel/random/boot_id").write_text("1234-abcd\n")


def sample(state: dict[str, Any]) -> Machine:
    (records,) = parse_machine(msgspec.json.encode(remote.sample_machine(state)), "node01").records.values()
    (record,) = records.values()
    assert isinstance(record, Machine)
    return record


def test_load_since_the_last_sample(tmp_path: Path) -> None:
    write(tmp_path, 100, 900)
    state: dict[str, Any] = {"options": {}, "proc": str(tmp_path), "before": (100, 1050, 4)}
    write(tmp_path, 175, 925)
    record = sample(state)
    assert record.cpu_percent == 75.0
    assert (record.memory_used_mib, record.memory_total_mib, record.load1, record.cores) == (256, 1024, 3.25, 4)
    assert (record.boot_id, record.kernel) == ("1234-abcd", os.uname().release)
    assert isinstance(record.clock_epoch, float) and record.clock_epoch > 1e9
    assert sample(state).cpu_percent == Absent("no time passed on its clock")


def test_what_is_not_there_is_absent_by_itself(tmp_path: Path) -> None:
    write(tmp_path, 100, 900)
    for name in ("meminfo", "loadavg", "sys/kernel/random/boot_id"):
        (tmp_path / name).unlink()
    record = sample({"options": {}, "proc": str(tmp_path), "before": (0, 0, 4)})
    assert record.memory_used_mib == Absent("/proc/meminfo can't be read: No such file or directory")
    assert record.load1 == Absent("/proc/loadavg can't be read")
    assert isinstance(record.boot_id, Absent)
    assert record.cpu_percent == pytest.approx(9.5, abs=0.1)


def test_without_proc_it_is_missing(tmp_path: Path) -> None:
    with pytest.raises(remote.Missing, match="can't be read"):
        remote.sample_machine({"options": {}, "proc": str(tmp_path / "none")})


def test_this_machine() -> None:
    record = sample({"options": {}})
    assert isinstance(record.cpu_percent, float) and 0.0 <= record.cpu_percent <= 100.0
    assert record.cores == os.cpu_count()
    assert record.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_keeps_are_fields() -> None:
    assert {keep.field for keep in KEEPS} >= {"cpu_percent", "memory_used_mib"}
    assert all(keep.field in Machine.__struct_fields__ for keep in KEEPS)
