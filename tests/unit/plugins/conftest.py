"""A small cluster to judge: the builder with which tests of panes and rules make their fleets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from mleconsole.api import (
    CLUSTER,
    Absent,
    Fleet,
    Gpu,
    GpuFacts,
    GpuUse,
    History,
    Host,
    Job,
    Keep,
    Machine,
    Mount,
    Node,
    Observation,
    Partition,
    Port,
    Process,
    Record,
)
from mleconsole.model.fleet import Arrival, fold

GIB = 1024
TB = 10**12


class Builder:
    """Gathers records, folds them into a Fleet at `now`, and lets time pass with :meth:`tick`."""

    def __init__(self, now: float = 10_000.0) -> None:
        self.now = now
        self.fleet = Fleet()
        self.records: dict[tuple[str, str], dict[type[Record], dict[Any, Record]]] = {}
        self.troubles: dict[tuple[str, str], str] = {}

    def put(self, probe: str, *records: Any) -> Builder:
        """Records that `probe` tells on their host."""
        for record in records:
            slots = self.records.setdefault((record.host, probe), {})
            slots.setdefault(type(record), {})[record.key] = record
        return self

    def nothing(self, host: str, probe: str, kind: type[Record]) -> Builder:
        """An answer without any record."""
        self.records.setdefault((host, probe), {})[kind] = {}
        return self

    def trouble(self, host: str, probe: str, reason: str) -> Builder:
        self.troubles[host, probe] = reason
        return self

    def host(self, name: str, state: str = "live", reason: str = "", ago: float = 600.0, **more: Any) -> Builder:
        reach = "login" if state == "live" else ""
        return self.put(
            "reach",
            Host(name=name, state=state, reason=reason, reach=reach, since=self.now - ago, host=name, **more),
        )

    def gpu(self, host: str, index: int = 0, limit: float | Absent = 700.0, **more: Any) -> Builder:
        """A healthy busy GPU, but for what `more` says; fields of GpuFacts go there."""
        live: dict[str, Any] = {
            "util_percent": 97.0,
            "power_watts": 640.0,
            "memory_used_mib": 70 * GIB,
            "temperature_celsius": 63,
            "sm_clock_mhz": 1935,
            "throttle": (),
            "memory_util_percent": 55.0,
        }
        fixed: dict[str, Any] = {
            "uuid": f"GPU-{host}-{index}",
            "name": "NVIDIA H100 80GB HBM3",
            "memory_total_mib": 80 * GIB,
            "power_limit_watts": limit,
            "sm_clock_max_mhz": 1980,
            "ecc_corrected": 0,
            "ecc_uncorrected": 0,
            "remapped_rows": 0,
            "remap_pending": False,
            "remap_failed": False,
            "pcie_gen": 5,
            "pcie_gen_max": 5,
            "pcie_width": 16,
            "pcie_width_max": 16,
            "nvlinks_up": 18,
            "nvlinks_total": 18,
            "nvlink_errors": 0,
            "driver": "550.54",
        }
        for name, value in more.items():
            (fixed if name in fixed else live)[name] = value
        return self.put("gpus", Gpu(index=index, host=host, **live)).put(
            "gpu_facts", GpuFacts(index=index, host=host, **fixed)
        )

    def use(self, host: str, index: int, job: str | Absent, user: str | Absent = "alice", **more: Any) -> Builder:
        return self.put("gpu_use", GpuUse(index=index, job_id=job, user=user, host=host, **more))

    def job(self, job_id: str, user: str = "alice", state: str = "RUNNING", **more: Any) -> Builder:
        return self.put(
            "squeue",
            Job(job_id=job_id, user=user, name=more.pop("name", "llama"), state=state, partition="gpu", **more),
        )

    def node(self, name: str, gpus: int = 8, state: str = "allocated", **more: Any) -> Builder:
        return self.put("nodes", Node(name=name, state=state, gpus_total=gpus, **more))

    def partition(self, name: str, alloc: int, idle: int, other: int) -> Builder:
        return self.put(
            "partitions",
            Partition(
                name=name,
                default=name == "gpu",
                up=True,
                nodes_alloc=alloc,
                nodes_idle=idle,
                nodes_other=other,
                nodes_total=alloc + idle + other,
            ),
        )

    def process(
        self, host: str, pid: int, gpus: tuple[int, ...] = (0,), job: str | Absent = "48213", **more: Any
    ) -> Builder:
        memory = more.pop("memory_mib", 60 * GIB if gpus else Absent("holds no GPU memory"))
        user = more.pop("user", "alice")
        return self.put(
            "processes",
            Process(
                pid=pid,
                user=user,
                command="python train.py",
                gpus=gpus,
                memory_mib=memory,
                job_id=job,
                host=host,
                **more,
            ),
        )

    def mount(self, host: str, path: str, used: Any, size: Any = 100 * TB, **more: Any) -> Builder:
        values: dict[str, Any] = {"inodes_used": 1_000, "inodes_total": 1_000_000, "source": "fs", "fstype": "nfs4"}
        return self.put("mounts", Mount(path=path, used_bytes=used, size_bytes=size, host=host, **(values | more)))

    def shared(self, hosts: Iterable[str], path: str, used: Any, **more: Any) -> Builder:
        for host in hosts:
            self.mount(host, path, used, shared=True, fsid=f"nfs4:fs:{path}", **more)
        return self

    def port(self, host: str, name: str = "mlx5_0", state: Any = "active", rate: Any = 400.0, **more: Any) -> Builder:
        values: dict[str, Any] = {"layer": "infiniband", "rx_bytes": 1, "tx_bytes": 1, "errors": 0}
        values |= {"rx_gbps": 120.0, "tx_gbps": 118.0}
        return self.put("ports", Port(name=name, state=state, rate_gbps=rate, host=host, **(values | more)))

    def machine(self, host: str) -> Builder:
        return self.put(
            "machine",
            Machine(
                cpu_percent=31.0,
                memory_used_mib=900_000,
                memory_total_mib=2_000_000,
                load1=60.1,
                cores=96,
                host=host,
            ),
        )

    def queue(self) -> Builder:
        """A queue that was asked and answered, be it empty."""
        self.records.setdefault((CLUSTER, "squeue"), {}).setdefault(Job, {})
        return self

    def build(self, seconds: float = 0.0) -> Fleet:
        """Let `seconds` pass and fold everything that was put as having arrived now."""
        self.now += seconds
        arrivals = [
            Arrival(host, probe, self.now, Observation(dict(slots))) for (host, probe), slots in self.records.items()
        ]
        arrivals += [
            Arrival(host, probe, self.now, trouble=Absent(reason)) for (host, probe), reason in self.troubles.items()
        ]
        self.fleet = fold(self.fleet, arrivals, self.now)
        return self.fleet

    def silent(self, seconds: float) -> Fleet:
        """Let `seconds` pass without any answer."""
        self.now += seconds
        self.fleet = fold(self.fleet, [], self.now)
        return self.fleet

    def remember(self, history: History, ticks: int, every: float = 4.0) -> Fleet:
        """The same answers again and again, each remembered."""
        for _ in range(ticks):
            history.remember(self.build(every))
        return self.fleet


@pytest.fixture
def build() -> Callable[[], Builder]:
    """A new Builder."""
    return Builder


@pytest.fixture
def past() -> Callable[..., History]:
    """A History that keeps fields of a kind."""

    def make(kind: type[Record], *fields: str) -> History:
        return History([Keep(kind, field) for field in fields], 150)

    return make


@pytest.fixture
def rows() -> Callable[[Any], list[dict[str, Any]]]:
    """The cells of all JSON columns of a Table, row by row."""

    def read(table: Any) -> list[dict[str, Any]]:
        return [{column.id: column.value(row) for column in table.columns if column.json} for row in table.rows]

    return read


@pytest.fixture
def screen() -> Callable[[Any], list[dict[str, Any]]]:
    """The cells of all screen columns of a Table, row by row, each as (value, tone)."""

    def read(table: Any) -> list[dict[str, Any]]:
        return [
            {
                column.id: (column.value(row), column.tone(row) if column.tone is not None else None)
                for column in table.columns
                if column.screen
            }
            for row in table.rows
        ]

    return read
