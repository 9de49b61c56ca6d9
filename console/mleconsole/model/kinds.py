"""The core Kinds: what a cluster consists of. Units are in the names; unknown values are Absent."""

from __future__ import annotations

from typing import Any, ClassVar

from mleconsole.model.absent import Absent
from mleconsole.model.record import Key, Record

Int = int | Absent
Float = float | Absent
Str = str | Absent

#: The pseudo-host under which cluster-wide records (jobs, nodes, partitions) are kept: they come from the scheduler.
CLUSTER = "cluster"


class Host(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """A machine we run argv on and how that stands. Written by the collector itself, never by a probe."""

    kind_name: ClassVar[str] = "host"

    name: str
    state: str  # waiting | connecting | live | lost | refused | left_out | signed_out
    reason: str = ""  # why it is not live, in words
    reach: str = ""  # id of the Reach in use: login | relay | srun | local
    since: float = 0.0  # console monotonic seconds at which `state` began
    agent: str = ""  # "", "starting", "running"
    agent_cpu_percent: Float = Absent("not measured yet")
    bytes_per_sample: Float = Absent("not measured yet")
    host: str = ""
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return (self.name,)


class Gpu(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """One GPU's changing values, sampled about once a second."""

    kind_name: ClassVar[str] = "gpu"

    index: int
    util_percent: Float = Absent("not sampled")
    memory_util_percent: Float = Absent("not sampled")
    power_watts: Float = Absent("not sampled")
    memory_used_mib: Int = Absent("not sampled")
    temperature_celsius: Int = Absent("not sampled")
    sm_clock_mhz: Int = Absent("not sampled")
    throttle: tuple[str, ...] | Absent = Absent("not sampled")  # reasons in force, e.g. ("hw_thermal",)
    host: str = ""
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return (self.host, str(self.index))


class GpuFacts(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """One GPU's facts and error counters: they change seldom and travel on change."""

    kind_name: ClassVar[str] = "gpu_facts"

    index: int
    uuid: Str = Absent("not read")
    name: Str = Absent("not read")
    memory_total_mib: Int = Absent("not read")
    power_limit_watts: Float = Absent("not read")
    sm_clock_max_mhz: Int = Absent("not read")
    ecc_corrected: Int = Absent("not read")
    ecc_uncorrected: Int = Absent("not read")
    remapped_rows: Int = Absent("not read")  # correctable + uncorrectable remaps
    remap_pending: bool | Absent = Absent("not read")
    remap_failed: bool | Absent = Absent("not read")
    pcie_gen: Int = Absent("not read")
    pcie_gen_max: Int = Absent("not read")
    pcie_width: Int = Absent("not read")
    pcie_width_max: Int = Absent("not read")
    nvlinks_up: Int = Absent("not read")
    nvlinks_total: Int = Absent("not read")
    nvlink_errors: Int = Absent("not read")
    driver: Str = Absent("not read")
    host: str = ""
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return (self.host, str(self.index))


class Process(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """A process that holds a GPU or belongs to a Slurm job. `gpus` are indices, `rank` the training rank."""

    kind_name: ClassVar[str] = "process"

    pid: int
    user: Str
    command: Str
    gpus: tuple[int, ...] = ()
    memory_mib: Int = Absent("holds no GPU memory")  # summed over its GPUs
    job_id: Str = Absent("no job")
    step_id: Str = Absent("no step")
    rank: Int = Absent("no rank in its environment")
    local_rank: Int = Absent("no rank in its environment")
    python: bool = False  # its executable is a Python interpreter
    started: Float = Absent("not read")  # the host's own epoch seconds; data, never arithmetic across hosts
    pyspy: Str = Absent("py-spy not found")  # absolute path of a py-spy that fits, on that host
    host: str = ""
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return (self.host, str(self.pid))


class Machine(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """A host's own load: CPU, memory, load average."""

    kind_name: ClassVar[str] = "machine"

    cpu_percent: Float
    memory_used_mib: Int
    memory_total_mib: Int
    load1: Float
    cores: Int
    boot_id: Str = Absent("not read")
    kernel: Str = Absent("not read")
    clock_epoch: Float = Absent("not read")  # the host's clock at the sample; only to show its skew
    host: str = ""
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return (self.host,)


class Mount(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """A mounted file system as one host sees it, in bytes and inodes."""

    kind_name: ClassVar[str] = "mount"

    path: str
    source: str
    fstype: str
    used_bytes: Int
    size_bytes: Int
    inodes_used: Int
    inodes_total: Int
    shared: bool = False  # the same file system on several hosts
    fsid: str = ""  # equal on all hosts that mount the same shared file system
    host: str = ""
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return (self.host, self.path)


class Port(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """A network or InfiniBand port. Counters are the host's raw totals; rates are made by History."""

    kind_name: ClassVar[str] = "port"

    name: str
    layer: str  # ethernet | infiniband
    state: Str
    rate_gbps: Float  # 10^9 bits/s
    rx_bytes: Int
    tx_bytes: Int
    errors: Int
    rx_gbps: Float = Absent("needs two samples")  # measured on the host between two of its samples
    tx_gbps: Float = Absent("needs two samples")
    host: str = ""
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return (self.host, self.name)


class Job(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """A batch job or one task of an array, as the scheduler tells it. Times are the scheduler's epoch seconds."""

    kind_name: ClassVar[str] = "job"

    job_id: str  # as squeue prints it: 48213, 48401_7
    array_id: str = ""  # 48401 for a task of an array, else ""
    array_task: str = ""  # 7, or 3-9%2 for the tasks not yet split off
    user: str
    name: str
    state: str  # RUNNING, PENDING, ...
    partition: str
    account: str = ""
    qos: str = ""
    submit_time: Float = Absent("not told")
    start_time: Float = Absent("not started")
    limit_seconds: Float = Absent("no limit")
    nodes: int = 0
    node_list: str = ""  # folded, as the scheduler gives it: node[01-04]
    cpus: Int = Absent("not told")
    gpus: Int = Absent("not told")
    reason: str = ""  # the scheduler's word: Resources, Priority, ...
    priority: Int = Absent("not told")
    dependency: str = ""
    work_dir: str = ""
    host: str = CLUSTER
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return (self.job_id,)


class Node(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """A compute node as the scheduler sees it."""

    kind_name: ClassVar[str] = "node"

    name: str
    state: str  # base state in lower case: idle, mixed, allocated, down ...
    flags: tuple[str, ...] = ()  # drain, not_responding, reboot ... in lower case
    reason: Str = Absent("no reason given")
    reason_user: Str = Absent("not told")
    reason_time: Float = Absent("not told")
    partitions: tuple[str, ...] = ()
    cpus_total: Int = Absent("not told")
    cpus_alloc: Int = Absent("not told")
    gpus_total: Int = Absent("not told")
    gpus_alloc: Int = Absent("not told")
    memory_mib: Int = Absent("not told")
    host: str = CLUSTER
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return (self.name,)


class Partition(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """A partition and its node counts: allocated, idle, other, total."""

    kind_name: ClassVar[str] = "partition"

    name: str
    default: bool
    up: bool
    nodes_alloc: int
    nodes_idle: int
    nodes_other: int
    nodes_total: int
    limit_seconds: Float = Absent("no limit")
    host: str = CLUSTER
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return (self.name,)


class GpuUse(Record, frozen=True, gc=False, array_like=True, kw_only=True):
    """Derived: the job and the user that hold a GPU (by its processes, else by the scheduler's allocation)."""

    kind_name: ClassVar[str] = "gpu_use"

    index: int
    job_id: Str
    user: Str
    orphan: bool = False  # memory held by a process of no live job
    host: str = ""
    extra: dict[str, Any] = {}

    @property
    def key(self) -> Key:
        return (self.host, str(self.index))
