"""Jobs: the queue as a table; whose jobs, and whether an array's tasks are one row, are the pane's switches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from msgspec.structs import replace

from mleconsole.api import (
    CLUSTER,
    Absent,
    Column,
    Fleet,
    Focus,
    History,
    Job,
    Node,
    Pane,
    Style,
    Subject,
    Switch,
    Table,
    Tone,
    known,
)
from mleconsole.model.view import Value
from mleconsole_plugins.slurm.clock import cluster_now, elapsed
from mleconsole_plugins.slurm.gres import index_list
from mleconsole_plugins.slurm.hostlist import expand, fold
from mleconsole_plugins.slurm.reasons import helps, why
from mleconsole_plugins.slurm.states import CODES, PENDING_STATES, RUNNING_STATES, is_down, is_drained

SCOPE = Switch("scope", "t", "whose jobs", ("mine", "team", "all"))
ARRAYS = Switch("arrays", "f", "tasks of arrays", ("auto", "fold", "flat"))
#: {partition: (nodes that are down or drained, nodes)}
Unfit = Mapping[str, tuple[int, int]]
#: Reasons behind which broken nodes may stand.
_FOR_NODES = ("Resources", "Priority", "ReqNodeNotAvail", "Nodes required", "PartitionNodeLimit")
_ORDER = {"RUNNING": 0, "COMPLETING": 0, "CONFIGURING": 0, "PENDING": 1}


class JobRow:
    """One job, or all tasks of an array: `jobs` are the records behind it, the one that tells most first."""

    def __init__(self, jobs: tuple[Job, ...]) -> None:
        self.jobs = jobs

    @property
    def job(self) -> Job:
        return self.jobs[0]

    @property
    def folded(self) -> bool:
        return len(self.jobs) > 1

    @cached_property
    def tasks(self) -> int:
        return sum(task_count(job) for job in self.jobs)

    @cached_property
    def counts(self) -> dict[str, int]:
        """{state: tasks}."""
        found: dict[str, int] = {}
        for job in self.jobs:
            found[job.state] = found.get(job.state, 0) + task_count(job)
        return found

    @property
    def subject(self) -> Subject:
        return Subject(Job.kind_name, (self.job.array_id,) if self.folded else self.job.key)

    @property
    def id(self) -> str:
        """As squeue prints it; all tasks of an array as `48401×12`."""
        return f"{self.job.array_id}×{self.tasks}" if self.folded else self.job.job_id

    @property
    def short(self) -> str:
        """The same for the screen: the waiting tasks of an array as a count, too."""
        return f"{self.job.array_id}×{self.tasks}" if self.folded or "[" in self.job.job_id else self.job.job_id

    @property
    def state(self) -> str:
        if not self.folded:
            return self.job.state
        return " ".join(f"{state} {count}" for state, count in self.counts.items())

    @property
    def code(self) -> str:
        """The same in the codes of squeue: `R 2 PD 2`."""
        if not self.folded:
            return CODES.get(self.job.state, self.job.state)
        return " ".join(f"{CODES.get(state, state)} {count}" for state, count in self.counts.items())

    @property
    def running(self) -> tuple[Job, ...]:
        return tuple(job for job in self.jobs if job.state in RUNNING_STATES)

    @property
    def nodes(self) -> int:
        if not self.folded or not self.running:
            return self.job.nodes
        return len({name for job in self.running for name in expand(job.node_list)})

    @property
    def gpus(self) -> int | Absent:
        if not self.folded or not self.running:
            return self.job.gpus
        told = [job.gpus for job in self.running if known(job.gpus)]
        return sum(told) if told else self.job.gpus

    @property
    def node_list(self) -> str:
        if not self.folded:
            return self.job.node_list
        return fold(name for job in self.running for name in expand(job.node_list))

    @cached_property
    def pending(self) -> Job | None:
        return next((job for job in self.jobs if job.state in PENDING_STATES), None)

    @property
    def reason(self) -> str:
        """The scheduler's own word for a job that waits, else ""."""
        return self.pending.reason if self.pending is not None else ""

    def why(self, unfit: Unfit) -> str:
        """Why it waits, in plain words, with what would help; where it runs."""
        job = self.pending
        if job is None:
            return self.node_list
        if not job.reason:
            return "was not looked at by the scheduler yet"
        parts = [why(job.reason).words]
        if job.reason.startswith(_FOR_NODES) and job.partition in unfit:
            bad, total = unfit[job.partition]
            parts.append(f"{bad} of {total} nodes of {job.partition} are down or drained")
        help = helps(job.reason, job.array_id or job.job_id, job.dependency)
        return "; ".join([*parts, help] if help else parts)


def unfit_nodes(fleet: Fleet) -> Unfit:
    """{partition: (nodes that are down or drained, nodes)} where there are such."""
    counts: dict[str, list[int]] = {}
    for node in fleet.on(Node, CLUSTER).values():
        bad = is_down(node.state, node.flags) or is_drained(node.flags)
        for partition in node.partitions:
            count = counts.setdefault(partition, [0, 0])
            count[0] += bad
            count[1] += 1
    return {partition: (bad, total) for partition, (bad, total) in counts.items() if bad}


def task_count(job: Job) -> int:
    """Tasks of an array that stand behind one record: `3-9%2` is seven."""
    task = job.array_task.partition("%")[0]
    if not task or task.isdigit():
        return 1
    total = 0
    for part in task.split(","):
        span, _, step = part.partition(":")
        low, dash, high = span.partition("-")
        if dash and low.isdigit() and high.isdigit():
            total += max(0, (int(high) - int(low)) // (int(step) if step.isdigit() and int(step) else 1) + 1)
        else:
            total += len(index_list(span)) or 1
    return max(1, total)


def team(fleet: Fleet, focus: Focus) -> frozenset[str]:
    """The users of one's teams; without teams in the configuration, those who share one's Slurm accounts."""
    named = focus.situation.team_of(focus.user)
    if len(named) > 1:
        return named
    accounts = {job.account for job in fleet.of(Job) if job.user == focus.user and job.account}
    return named | {job.user for job in fleet.of(Job) if job.account in accounts}


def chosen(fleet: Fleet, focus: Focus) -> tuple[list[Job], str]:
    """(jobs of the scope, the scope)."""
    scope = focus.options.get("scope", "mine")
    jobs = list(fleet.on(Job, CLUSTER).values())
    if scope == "mine":
        return [job for job in jobs if job.user == focus.user], scope
    if scope == "team":
        users = team(fleet, focus)
        return [job for job in jobs if job.user in users], scope
    return jobs, scope


def folded(jobs: Iterable[Job]) -> list[JobRow]:
    """One row a job; the tasks of an array are one row, where its first task stood."""
    arrays: dict[str, list[Job]] = {}
    for job in jobs:
        arrays.setdefault(job.array_id or job.job_id, []).append(job)
    return [JobRow(tuple(sorted(tasks, key=lambda job: _ORDER.get(job.state, 2)))) for tasks in arrays.values()]


#: (what it was made from, rows, scope): a frozen queue gives the same rows until another answer comes.
_last: tuple[object, list[JobRow], str] = (None, [], "")


def rows(fleet: Fleet, focus: Focus) -> tuple[list[JobRow], str]:
    """(rows, scope): running ones first, then waiting ones in the scheduler's order."""
    global _last
    slot = fleet.on(Job, CLUSTER)
    wanted = (focus.user, focus.options.get("scope"), focus.options.get("arrays"), focus.situation.teams)
    made_from, found, scope = _last
    if isinstance(made_from, tuple) and made_from[0] is slot and made_from[1] == wanted:
        return found, scope
    jobs, scope = chosen(fleet, focus)
    arrays = focus.options.get("arrays", "auto")
    if arrays == "fold" or (arrays == "auto" and scope != "all"):
        found = folded(jobs)
    else:
        found = [JobRow((job,)) for job in jobs]
    found.sort(key=lambda row: _ORDER.get(row.jobs[0].state, 2))
    _last = ((slot, wanted), found, scope)
    return found, scope


def empty_words(fleet: Fleet, focus: Focus, scope: str) -> str:
    """What an empty table means and what to do next."""
    seen = fleet.seen(CLUSTER, "squeue")
    if seen is None:
        return "The queue was not read yet."
    total = fleet.count(Job)
    if not total:
        return f"Nothing is known of the queue: {seen.trouble}." if seen.trouble else "The queue is empty."
    if scope == "mine":
        return f"No jobs of {focus.user}. `t` shows the team's, then all {total:,}."
    return f"No jobs of {focus.user}'s team. `t` shows all {total:,}."


def notices(fleet: Fleet) -> tuple[str, ...]:
    """Why the queue on screen is old, when it is."""
    seen = fleet.seen(CLUSTER, "squeue")
    if seen is None or seen.trouble is None or not fleet.count(Job):
        return ()
    return (f"The queue is {int(fleet.now - seen.at)} s old: {seen.trouble.reason}",)


def _tone(row: JobRow) -> Tone:
    job = row.pending
    if job is not None and why(job.reason).action:
        return Tone.WARN
    return Tone.PLAIN if job is None else Tone.QUIET


def job_columns(now: float | Absent, unfit: Unfit) -> tuple[Column, ...]:
    """The columns of a table of JobRows, when it is `now` (epoch seconds) on the cluster."""
    values: dict[str, Callable[[JobRow], Value]] = {
        "elapsed_seconds": lambda row: elapsed(row.job, now),
        "why": lambda row: row.why(unfit),
    }
    return tuple(replace(c, value=values[c.id]) if c.id in values else c for c in _COLUMNS)


_COLUMNS = (
    Column("job_id", "JOB", lambda row: row.id, priority=0, screen=False),
    Column("job", "JOB", lambda row: row.short, priority=0, json=False),
    Column("user", "USER", lambda row: row.job.user, priority=2),
    Column("state", "STATE", lambda row: row.state, priority=0, screen=False),
    Column("st", "ST", lambda row: row.code, priority=0, json=False),
    Column("partition", "PARTITION", lambda row: row.job.partition, priority=6),
    Column("name", "NAME", lambda row: row.job.name, width=24, priority=1),
    Column("elapsed_seconds", "TIME", lambda row: row.job.start_time, Style.DURATION, priority=3),
    Column("limit_seconds", "LIMIT", lambda row: row.job.limit_seconds, Style.DURATION, priority=5),
    Column("node_list", "NODE LIST", lambda row: row.node_list, priority=8, screen=False),
    Column("nodes", "NODES", lambda row: row.nodes, Style.NUMBER, priority=4),
    Column("gpus", "GPUS", lambda row: row.gpus, Style.NUMBER, priority=3),
    Column("reason", "REASON", lambda row: row.reason, priority=7, screen=False),
    Column("why", "WHY / WHERE", lambda row: row.why({}), width=60, priority=2, tone=_tone),
    Column("account", "ACCOUNT", lambda row: row.job.account, priority=9, screen=False),
    Column("qos", "QOS", lambda row: row.job.qos, priority=9, screen=False),
    Column("submit_time", "SUBMITTED", lambda row: row.job.submit_time, Style.TIME, priority=9, screen=False),
    Column("start_time", "STARTED", lambda row: row.job.start_time, Style.TIME, priority=9, screen=False),
    Column(
        "start_estimate",
        "STARTS",
        lambda row: row.job.extra.get("start_estimate", Absent("not planned")) if row.pending else None,
        Style.TIME,
        priority=6,
    ),
    Column("priority", "PRIORITY", lambda row: row.job.priority, Style.NUMBER, priority=9, screen=False),
    Column("array_id", "ARRAY", lambda row: row.job.array_id, priority=9, screen=False),
    Column("array_task", "TASK", lambda row: row.job.array_task, priority=9, screen=False),
    Column("cpus", "CPUS", lambda row: row.job.cpus, Style.NUMBER, priority=9, screen=False),
    Column("dependency", "DEPENDENCY", lambda row: row.job.dependency, priority=9, screen=False),
    Column("work_dir", "FOLDER", lambda row: row.job.work_dir, priority=9, screen=False),
)


def view(fleet: Fleet, history: History, focus: Focus) -> Table:
    """The jobs pane."""
    found, scope = rows(fleet, focus)
    return jobs_table(
        found,
        fleet.slot_age(Job, CLUSTER),
        cluster_now(fleet, focus),
        unfit_nodes(fleet),
        title=f"jobs: {scope}",
        empty=empty_words(fleet, focus, scope),
        notices=notices(fleet),
    )


def jobs_table(
    found: Sequence[JobRow],
    age: float | Absent,
    now: float | Absent,
    unfit: Unfit = {},  # noqa: B006 - never changed
    *,
    title: str = "",
    empty: str = "No jobs.",
    notices: tuple[str, ...] = (),
) -> Table:
    """Any jobs as a table."""
    return Table(
        columns=job_columns(now, unfit),
        rows=found,
        subject=lambda row: row.subject,
        age=lambda row: age,
        stale_after=30.0,
        title=title,
        empty=empty,
        notices=notices,
    )


PANE = Pane(
    id="jobs",
    title="Jobs",
    view=view,
    key="4",
    needs=("squeue", "slurm_clock"),
    switches=(SCOPE, ARRAYS),
    order=40,
    help="The queue, why jobs wait, and where they run.",
)
