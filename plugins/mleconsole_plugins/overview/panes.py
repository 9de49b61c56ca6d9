"""The overview: heat map, partitions, my jobs, alerts; and the alerts pane."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mleconsole.api import (
    CLUSTER,
    Absent,
    Alert,
    Column,
    Fleet,
    Focus,
    Gpu,
    GpuFacts,
    GpuUse,
    History,
    Job,
    Pane,
    Partition,
    Section,
    Sections,
    Severity,
    Style,
    Subject,
    Switch,
    Table,
    Tone,
    known,
)
from mleconsole.api.tools import cluster_silence, count
from mleconsole_plugins.overview.heat import METRICS, grid

SEVERITIES = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.NOTICE: "notice"}
MARKS = {Severity.CRITICAL: "!", Severity.WARNING: "▲", Severity.NOTICE: "·"}
TONES = {Severity.CRITICAL: Tone.BAD, Severity.WARNING: Tone.WARN, Severity.NOTICE: Tone.QUIET}
TOP_ALERTS = 50
NO_ALERTS = "No alerts: nothing that is watched looks wrong. `2` shows all GPUs."


def overview(fleet: Fleet, history: History, focus: Focus) -> Sections:
    """The whole cluster on one page."""
    top = sorted(focus.alerts, key=lambda alert: (-alert.severity, alert.since))[:TOP_ALERTS]
    parts = [
        Section("gpus", grid(fleet, focus.options.get("metric", "power"), focus.epoch), weight=3, priority=0),
        Section("alerts", alerts_table(top, fleet.now, len(focus.alerts)), min_height=4, priority=1),
        Section("jobs", my_jobs(fleet, focus), column=1, weight=2, priority=2),
    ]
    shares = partitions(fleet)
    if shares is not None:
        parts.insert(2, Section("partitions", shares, column=1, priority=3))
    return Sections(tuple(parts), title="Overview")


# ------------------------------------------------------------------ alerts


def alerts_table(found: Sequence[Alert], now: float, total: int | None = None) -> Table:
    """Alerts as rows; Enter opens what one is about."""
    more = f", {count(len(found), 'first one', 'first ones')} of {total:,}" if total and total > len(found) else ""
    return Table(
        columns=(
            Column("mark", "", lambda a: MARKS[a.severity], width=1, priority=0, tone=_alert_tone, json=False),
            Column("severity", "SEVERITY", lambda a: SEVERITIES[a.severity], screen=False),
            Column("subject", "ABOUT", lambda a: str(a.subject), screen=False),
            Column("host", "HOST", lambda a: a.host or None, screen=False),
            Column("sentence", "WHAT", lambda a: a.sentence, width=100, priority=0),
            Column("since_seconds", "FOR", lambda a: max(0.0, now - a.since), Style.DURATION, priority=1),
            Column("rule", "RULE", lambda a: a.rule or None, priority=8),
            Column("evidence", "EVIDENCE", lambda a: a.evidence, Style.NAMES, priority=8),
        ),
        rows=found,
        subject=_alert_subject,
        title=f"Alerts{more}",
        empty=NO_ALERTS,
    )


def _alert_tone(alert: Alert) -> Tone:
    return TONES[alert.severity]


def _alert_subject(alert: Alert) -> Subject:
    return alert.subject


def alerts(fleet: Fleet, history: History, focus: Focus) -> Table:
    """All alerts, most severe first, then oldest first."""
    return alerts_table(sorted(focus.alerts, key=lambda alert: (-alert.severity, alert.since)), fleet.now)


# ------------------------------------------------------------------ partitions


def partitions(fleet: Fleet) -> Table | None:
    """Allocated, idle, other, total nodes of each partition; None where there is no scheduler."""
    silent = cluster_silence(fleet, "partitions")
    rows = sorted(fleet.of(Partition), key=lambda part: (not part.default, part.name))
    if not rows and silent:
        return None
    age = fleet.slot_age(Partition, CLUSTER)
    return Table(
        columns=(
            Column("partition", "PARTITION", lambda part: part.name + ("*" if part.default else ""), priority=0),
            Column("nodes_alloc", "ALLOC", lambda part: part.nodes_alloc, Style.NUMBER, priority=1),
            Column("nodes_idle", "IDLE", lambda part: part.nodes_idle, Style.NUMBER, priority=1),
            Column("nodes_other", "OTHER", lambda part: part.nodes_other, Style.NUMBER, priority=2),
            Column("nodes_total", "NODES", lambda part: part.nodes_total, Style.NUMBER, priority=2),
            Column("state", "STATE", lambda part: "up" if part.up else "down", priority=6),
        ),
        rows=rows,
        subject=lambda part: part.subject,
        age=lambda part: age,
        stale_after=90.0,
        title="Partitions",
        empty="The scheduler has not told its partitions yet." if silent is None else "The scheduler has no partition.",
    )


# ------------------------------------------------------------------ my jobs

_ORDER = {"RUNNING": 0, "COMPLETING": 1, "PENDING": 3}
_SHORT = {
    "RUNNING": "R", "PENDING": "PD", "COMPLETING": "CG", "SUSPENDED": "S", "CONFIGURING": "CF", "STOPPED": "ST",
}  # fmt: skip


class _Load:
    """Mean power (of the limit) and GPU-Util of the GPUs of each of some jobs."""

    def __init__(self, fleet: Fleet, jobs: set[str]) -> None:
        self._shares: dict[str, list[tuple[float, float]]] = {}
        for host, uses in fleet.hosts(GpuUse).items() if jobs else ():
            for key, use in uses.items():
                if use.job_id not in jobs or not known(use.job_id):
                    continue
                gpu, facts = fleet.on(Gpu, host).get(key), fleet.on(GpuFacts, host).get(key)
                if gpu is None or facts is None or not known(gpu.power_watts) or not known(facts.power_limit_watts):
                    continue
                util = gpu.util_percent if known(gpu.util_percent) else 0.0
                if facts.power_limit_watts > 0:
                    share = 100.0 * gpu.power_watts / facts.power_limit_watts
                    self._shares.setdefault(use.job_id, []).append((share, util))

    def mean(self, job: Job, part: int) -> float | Absent | None:
        shares = self._shares.get(job.job_id)
        if shares:
            return sum(pair[part] for pair in shares) / len(shares)
        return None if job.state == "PENDING" else Absent("none of its GPUs was seen")


def cluster_epoch(fleet: Fleet, epoch: float) -> float:
    """The scheduler's own time now where a plugin tells it (a record `slurm_clock`), else the console's wall clock;
    start times are the scheduler's."""
    clock = fleet.find(Subject("slurm_clock", ("clock",)))
    told = getattr(clock, "epoch", None)
    if clock is not None and isinstance(told, (int, float)):
        age = fleet.age(clock)
        if known(age):
            return float(told) + age
    return epoch


def elapsed(now: float) -> Callable[[Job], float | Absent | None]:
    """Seconds a job has run at the scheduler's time `now`; None (nothing to say) while it waits."""

    def seconds(job: Job) -> float | Absent | None:
        if job.state == "PENDING":
            return None
        if not known(job.start_time):
            return job.start_time
        return float(max(0, round(now - job.start_time))) if now > 0 else Absent("the cluster's time is not known yet")

    return seconds


def my_jobs(fleet: Fleet, focus: Focus) -> Table:
    """The person's own jobs: running ones first, then those that wait."""
    mine = [job for job in fleet.of(Job) if job.user == focus.user] if focus.user else []
    mine.sort(key=lambda job: (_ORDER.get(job.state, 2), job.job_id))
    load = _Load(fleet, {job.job_id for job in mine if job.state != "PENDING"})
    age = fleet.slot_age(Job, CLUSTER)
    return Table(
        columns=(
            Column("job_id", "JOB", lambda job: job.job_id, priority=0),
            Column("name", "NAME", lambda job: job.name, width=18, priority=2),
            Column("state", "ST", lambda job: job.state, json=True, screen=False),
            Column("st", "ST", lambda job: _SHORT.get(job.state, job.state), priority=0, json=False),
            Column("elapsed_seconds", "TIME", elapsed(cluster_epoch(fleet, focus.epoch)), Style.DURATION, priority=1),
            Column("nodes", "NODES", lambda job: job.nodes, Style.NUMBER, priority=3),
            Column("gpus", "GPUS", lambda job: job.gpus, Style.NUMBER, priority=4),
            Column("power_percent", "POWER", lambda job: load.mean(job, 0), Style.PERCENT, "%", priority=3),
            Column("util_percent", "UTIL", lambda job: load.mean(job, 1), Style.PERCENT, "%", priority=4),
            Column("why", "WHY / WHERE", _why, priority=2),
        ),
        rows=mine,
        subject=lambda job: job.subject,
        age=lambda job: age,
        stale_after=70.0,
        title=f"Jobs of {focus.user}" if focus.user else "My jobs",
        empty=_no_jobs(fleet, focus.user),
    )


def _why(job: Job) -> str:
    return job.reason if job.state == "PENDING" else job.node_list


def _no_jobs(fleet: Fleet, user: str) -> str:
    silent = cluster_silence(fleet, "squeue")
    if silent is None:
        return "The queue has not been told yet."
    if silent:
        return f"No jobs can be shown: {silent}."
    total = fleet.count(Job)
    whose = f"No jobs of {user}." if user else "Whose jobs are yours is not known yet."
    return f"{whose} `4` shows {f'all {total:,}' if total else 'the queue, which is empty'}."


PANES = (
    Pane(
        id="overview",
        title="Overview",
        view=overview,
        key="1",
        needs=("gpus", "gpu_facts", "processes", "squeue", "partitions"),
        switches=(Switch("metric", "m", "metric", tuple(METRICS)),),
        order=10,
        help="Every GPU by node; power tells work from waiting. `m` changes the metric.",
    ),
    Pane(
        id="alerts",
        title="Alerts",
        view=alerts,
        key="8",
        needs=("gpus", "gpu_facts", "mounts", "ports", "processes", "machine", "squeue", "nodes"),
        order=80,
        help="What looks wrong now. Enter opens what an alert is about.",
    ),
)
