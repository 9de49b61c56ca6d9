"""Details: what Enter opens on a job and on a node: facts, GPUs, processes, steps, and the past of its GPUs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan, nan

import msgspec

from mleconsole.api import (
    CLUSTER,
    Absent,
    Alert,
    Chart,
    ChartLine,
    Column,
    Fact,
    Facts,
    Fleet,
    Focus,
    Gpu,
    GpuFacts,
    GpuUse,
    History,
    Job,
    Pane,
    Process,
    Section,
    Sections,
    Severity,
    Style,
    Subject,
    Table,
    Text,
    Tone,
    View,
)
from mleconsole_plugins.slurm.clock import cluster_now, elapsed
from mleconsole_plugins.slurm.hostlist import expand
from mleconsole_plugins.slurm.jobs import JobRow, Unfit, folded, jobs_table, unfit_nodes
from mleconsole_plugins.slurm.kinds import SlurmStep
from mleconsole_plugins.slurm.nodes import NodeRow, rows
from mleconsole_plugins.slurm.placement import raw_id
from mleconsole_plugins.slurm.reasons import helps, why
from mleconsole_plugins.slurm.states import PENDING_STATES, RUNNING_STATES, state_text

CHARTED = 64  # GPUs at most behind one line of a chart


class GpuRow(msgspec.Struct, frozen=True):
    """One GPU of the job or node."""

    gpu: Gpu
    facts: GpuFacts | None
    use: GpuUse | None
    age: float | Absent

    @property
    def memory_total(self) -> int | Absent:
        return self.facts.memory_total_mib if self.facts is not None else Absent("not read")

    @property
    def limit(self) -> float | Absent:
        return self.facts.power_limit_watts if self.facts is not None else Absent("not read")


GPU_COLUMNS = (
    Column("node", "NODE", lambda row: row.gpu.host, priority=0),
    Column("gpu", "GPU", lambda row: row.gpu.index, Style.NUMBER, priority=0),
    Column("job_id", "JOB", lambda row: row.use.job_id if row.use else Absent("not joined yet"), priority=4),
    Column("util_percent", "UTIL", lambda row: row.gpu.util_percent, Style.PERCENT, unit="%", priority=1),
    Column("power_watts", "POWER", lambda row: row.gpu.power_watts, Style.NUMBER, unit="W", priority=1),
    Column("power_limit_watts", "OF", lambda row: row.limit, Style.NUMBER, unit="W", priority=5),
    Column("memory_used_mib", "MEM", lambda row: row.gpu.memory_used_mib, Style.MIB, priority=2),
    Column("memory_total_mib", "OF", lambda row: row.memory_total, Style.MIB, priority=5),
    Column("temperature_celsius", "TEMP", lambda row: row.gpu.temperature_celsius, Style.NUMBER, unit="°C", priority=3),
    Column("sm_clock_mhz", "CLOCK", lambda row: row.gpu.sm_clock_mhz, Style.NUMBER, unit="MHz", priority=3),
)
PROCESS_COLUMNS = (
    Column("rank", "RANK", lambda row: row.rank, Style.NUMBER, priority=1),
    Column("node", "NODE", lambda row: row.host, priority=0),
    Column("pid", "PID", lambda row: row.pid, Style.NUMBER, priority=0),
    Column("user", "USER", lambda row: row.user, priority=4),
    Column("gpus", "GPUS", lambda row: tuple(str(index) for index in row.gpus), Style.NAMES, priority=2),
    Column("memory_mib", "GPU MEM", lambda row: row.memory_mib, Style.MIB, priority=3),
    Column("job_id", "JOB", lambda row: row.job_id, priority=6),
    Column("command", "COMMAND", lambda row: row.command, width=48, priority=2),
)
STEP_COLUMNS = (
    Column("step_id", "STEP", lambda row: row.step_id, priority=0),
    Column("name", "NAME", lambda row: row.name, width=30, priority=1),
    Column("tasks", "TASKS", lambda row: row.tasks, Style.NUMBER, priority=2),
    Column("node_list", "NODES", lambda row: row.node_list, priority=2),
    Column("start_time", "STARTED", lambda row: row.start_time, Style.TIME, priority=3),
)


def jobs_of(fleet: Fleet, subject: Subject | None) -> tuple[Job, ...]:
    """The jobs a subject names: one, or every task of an array; () when they are gone."""
    if subject is None or subject.kind != Job.kind_name or not subject.key:
        return ()
    slot = fleet.on(Job, CLUSTER)
    job = slot.get(subject.key)
    if job is not None:
        return (job,)
    return tuple(job for job in slot.values() if job.array_id == subject.key[0] or raw_id(job) == subject.key[0])


def job_view(fleet: Fleet, history: History, focus: Focus) -> View:
    """One job, or an array."""
    jobs = jobs_of(fleet, focus.subject)
    if not jobs:
        name = focus.subject.key[0] if focus.subject is not None and focus.subject.key else "That job"
        return Text(f"{name} is no longer in the queue: it ended. Esc goes back; `sacct -j {name}` tells how it ended.")
    now = cluster_now(fleet, focus)
    if len(jobs) > 1:
        row = folded(jobs)[0]
        tasks = jobs_table([JobRow((job,)) for job in row.jobs], fleet.slot_age(Job, CLUSTER), now, title="Tasks")
        return Sections(
            (Section("array", _array_facts(row, unfit_nodes(fleet))), Section("tasks", tasks, weight=3)), title=row.id
        )
    job = jobs[0]
    facts = Section("facts", job_facts(job, fleet, now), weight=2, min_height=6)
    if job.state not in RUNNING_STATES:
        return Sections((facts,), title=f"job {job.job_id}")
    names = expand(job.node_list)
    gpus = gpus_of(fleet, names, job.job_id)
    number = raw_id(job)
    processes = [p for name in names for p in fleet.on(Process, name).values() if p.job_id == number]
    steps = [step for step in fleet.of(SlurmStep) if step.job_id in (job.job_id, number)]
    return Sections(
        (
            facts,
            Section("gpus", gpu_table(gpus, f"GPUs of job {job.job_id}", focus.alerts), weight=3),
            Section(
                "power", _chart(history, gpus, "power_watts", "Power, mean of its GPUs", "W"), column=1, priority=6
            ),
            Section("util", _chart(history, gpus, "util_percent", "Util, mean of its GPUs", "%"), column=1, priority=7),
            Section("processes", process_table(fleet, processes), column=1, weight=2, priority=4),
            Section("steps", _steps(fleet, steps), priority=5),
        ),
        title=f"job {job.job_id}",
    )


def job_facts(job: Job, fleet: Fleet, now: float | Absent) -> Facts:
    """What the scheduler tells of a job."""
    waits = job.state in PENDING_STATES
    facts = [
        Fact("Name", job.name),
        Fact("User", job.user),
        Fact("Account", job.account),
        Fact("State", job.state, tone=Tone.STRONG),
        Fact("Partition", job.partition),
        Fact("QOS", job.qos),
        Fact("Submitted", job.submit_time, Style.TIME, id="submit_time"),
    ]
    if waits:
        facts += [
            Fact("Why", why(job.reason).words if job.reason else "not looked at by the scheduler yet", id="why"),
            Fact("What helps", helps(job.reason, job.job_id, job.dependency) or "waiting"),
            Fact("Reason", job.reason),
            Fact("Starts", job.extra.get("start_estimate", Absent("not planned")), Style.TIME, id="start_estimate"),
            Fact("Priority", job.priority, Style.NUMBER),
        ]
    else:
        facts += [
            Fact("Started", job.start_time, Style.TIME, id="start_time"),
            Fact("Runs for", elapsed(job, now), Style.DURATION, id="elapsed_seconds"),
            Fact("Node list", job.node_list),
        ]
    facts += [
        Fact("Limit", job.limit_seconds, Style.DURATION, id="limit_seconds"),
        Fact("Nodes", job.nodes, Style.NUMBER),
        Fact("GPUs", job.gpus, Style.NUMBER),
        Fact("CPUs", job.cpus, Style.NUMBER),
        Fact("Dependency", job.dependency),
        Fact("Folder", job.work_dir, id="work_dir"),
    ]
    return Facts(tuple(fact for fact in facts if fact.value != ""), f"job {job.job_id}", job.subject)


def _array_facts(row: JobRow, unfit: Unfit) -> Facts:
    facts = [Fact("Name", row.job.name), Fact("User", row.job.user), Fact("Tasks", row.tasks, Style.NUMBER)]
    facts += [Fact(state.capitalize().replace("_", " "), count, Style.NUMBER) for state, count in row.counts.items()]
    if row.pending is not None:
        facts.append(Fact("Why", row.why(unfit)))
    return Facts(tuple(facts), f"array {row.job.array_id}", row.subject)


def gpus_of(fleet: Fleet, names: Iterable[str], job_id: str = "") -> list[GpuRow]:
    """GPUs on these nodes; with a job, those that are known to be its, and all of a node where none is."""
    found: list[GpuRow] = []
    for name in names:
        facts, uses = fleet.on(GpuFacts, name), fleet.on(GpuUse, name)
        age = fleet.slot_age(Gpu, name)
        on_node = [GpuRow(gpu, facts.get(gpu.key), uses.get(gpu.key), age) for gpu in fleet.on(Gpu, name).values()]
        its = [row for row in on_node if row.use is not None and row.use.job_id == job_id] if job_id else on_node
        found += its or on_node
    return found


def gpu_table(gpus: Sequence[GpuRow], title: str, alerts: Iterable[Alert] = ()) -> Table:
    """GPUs with their values, and what is wrong with one in words."""
    wrong = {alert.subject: alert for alert in alerts if alert.subject.kind == Gpu.kind_name}

    def note(row: GpuRow) -> str:
        alert = wrong.get(row.gpu.subject)
        return alert.sentence.partition(": ")[2] or alert.sentence if alert is not None else ""

    def tone(row: GpuRow) -> Tone:
        alert = wrong.get(row.gpu.subject)
        return Tone.PLAIN if alert is None else Tone.BAD if alert.severity is Severity.CRITICAL else Tone.WARN

    noted = Column("note", "NOTE", note, width=60, priority=2, tone=tone, json=False)
    return Table(
        columns=(*GPU_COLUMNS, noted) if any(row.gpu.subject in wrong for row in gpus) else GPU_COLUMNS,
        rows=gpus,
        subject=lambda row: row.gpu.subject,
        age=lambda row: row.age,
        title=title,
        empty="No GPU of these nodes has told anything: is it a GPU node, and do we reach it?",
    )


def process_table(fleet: Fleet, processes: Iterable[Process]) -> Table:
    """Processes, by rank where they have one."""
    found = sorted(processes, key=lambda p: (p.rank if isinstance(p.rank, int) else 1 << 30, p.host, p.pid))
    return Table(
        columns=PROCESS_COLUMNS,
        rows=found,
        subject=lambda row: row.subject,
        age=lambda row: fleet.slot_age(Process, row.host),
        stale_after=30.0,
        title="Processes",
        empty="No process of it was seen on nodes that we reach.",
    )


def _steps(fleet: Fleet, steps: Sequence[SlurmStep]) -> Table:
    age = fleet.slot_age(SlurmStep, CLUSTER)
    return Table(
        columns=STEP_COLUMNS,
        rows=sorted(steps, key=lambda step: step.step_id),
        subject=lambda row: row.subject,
        age=lambda row: age,
        stale_after=60.0,
        title="Steps",
        empty="No step runs.",
    )


def _chart(history: History, gpus: Sequence[GpuRow], field: str, title: str, unit: str) -> Chart:
    """Mean and lowest GPU over time; of many GPUs, a sample."""
    sample = gpus[:: max(1, -(-len(gpus) // CHARTED))]
    series = [history.series(Gpu, row.gpu.key, field) for row in sample]
    series = [one for one in series if one.times]
    if not series:
        return Chart(title, unit, ())
    times = series[0].times
    means: list[float] = []
    lows: list[float] = []
    for values in zip(*(one.values for one in series), strict=False):
        told = [value for value in values if not isnan(value)]
        means.append(sum(told) / len(told) if told else nan)
        lows.append(min(told) if told else nan)
    lines = [ChartLine("mean", times, means)]
    if len(series) > 1:
        lines.append(ChartLine("lowest", times, lows))
    if len(sample) < len(gpus):
        title = f"{title} (every {max(1, -(-len(gpus) // CHARTED))}th of {len(gpus)})"
    return Chart(title, unit, tuple(lines), high=100.0 if unit == "%" else None)


def node_view(fleet: Fleet, history: History, focus: Focus) -> View:
    """One node."""
    name = focus.subject.key[0] if focus.subject is not None and focus.subject.key else ""
    row = next((row for row in rows(fleet) if row.name == name), None)
    if row is None:
        return Text(f"{name or 'That node'} is not known any more. Esc goes back.")
    now = cluster_now(fleet, focus)
    gpus = gpus_of(fleet, [name])
    age = fleet.slot_age(Job, CLUSTER)
    running = jobs_table([JobRow((job,)) for job in row.jobs], age, now, title="Jobs", empty="No job runs here.")
    return Sections(
        (
            Section("facts", node_facts(row), weight=2, min_height=6),
            Section("gpus", gpu_table(gpus, f"GPUs of {name}", focus.alerts), weight=2),
            Section("jobs", running, priority=4),
            Section(
                "power", _chart(history, gpus, "power_watts", "Power, mean of its GPUs", "W"), column=1, priority=6
            ),
            Section("processes", process_table(fleet, fleet.on(Process, name).values()), column=1, weight=2),
        ),
        title=f"node {name}",
    )


def node_facts(row: NodeRow) -> Facts:
    """What Slurm and the machine tell of a node."""
    facts: list[Fact] = []
    node, machine = row.node, row.machine
    if node is not None:
        facts += [
            Fact("State", state_text(node.state, node.flags), tone=row.tone),
            Fact("Reason", row.reason),
            Fact("Said by", node.reason_user if row.reason else "", id="by"),
            Fact("Since", node.reason_time if row.reason else "", Style.TIME, id="reason_time"),
            Fact("Partitions", node.partitions, Style.NAMES),
            Fact("GPUs allocated", node.gpus_alloc, Style.NUMBER, id="gpus_alloc"),
            Fact("GPUs", node.gpus_total, Style.NUMBER, id="gpus_total"),
            Fact("CPUs allocated", node.cpus_alloc, Style.NUMBER, id="cpus_alloc"),
            Fact("CPUs", node.cpus_total, Style.NUMBER, id="cpus_total"),
        ]
    if row.host is not None:
        facts += [Fact("Reached", row.host.state), Fact("How", row.host.reason or row.host.reach, id="host_reason")]
    facts += [
        Fact("CPU in use", row.of_machine("cpu_percent"), Style.PERCENT, "%", id="cpu_percent"),
        Fact("Memory used", row.of_machine("memory_used_mib"), Style.MIB, id="memory_used_mib"),
        Fact("Memory", row.of_machine("memory_total_mib"), Style.MIB, id="memory_total_mib"),
        Fact("Load", row.of_machine("load1"), Style.NUMBER, id="load1"),
    ]
    if machine is not None:
        facts += [Fact("Kernel", machine.kernel), Fact("Boot id", machine.boot_id)]
    return Facts(tuple(fact for fact in facts if fact.value != ""), f"node {row.name}", row.subject)


JOB_PANE = Pane(
    id="job",
    title="Job",
    view=job_view,
    needs=("squeue", "slurm_clock", "steps", "gpus", "gpu_facts", "processes"),
    detail_of=(Job.kind_name,),
    order=41,
)
NODE_PANE = Pane(
    id="node",
    title="Node",
    view=node_view,
    needs=("nodes", "squeue", "slurm_clock", "machine", "gpus", "gpu_facts", "processes"),
    detail_of=("node", "host"),
    order=31,
)
