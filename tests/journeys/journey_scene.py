"""A made-up cluster of eight nodes and a plugin of panes, actions and workflows that use every part of the API.

Run as a program it shows the console over that cluster on this terminal: python tests/journeys/journey_scene.py [title]
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mleconsole.api import (
    CLUSTER,
    LOGIN,
    Absent,
    Action,
    Alert,
    Column,
    Completed,
    Danger,
    Event,
    Evidence,
    Fact,
    Facts,
    Field,
    Fleet,
    Focus,
    Gpu,
    GpuUse,
    Grid,
    GridGroup,
    History,
    Host,
    Job,
    Keep,
    Log,
    Node,
    Outcome,
    Pane,
    Plan,
    Plugin,
    Report,
    Rule,
    Section,
    Sections,
    Seen,
    Severity,
    Situation,
    Step,
    Style,
    Subject,
    Switch,
    Table,
    Text,
    Unreadable,
    View,
    Workflow,
    known,
)
from mleconsole.collect.status import Status
from mleconsole.collect.still import StillCollector
from mleconsole.config.schema import Config
from mleconsole.plugin import Registry
from mleconsole.session import Session
from mleconsole.store import Store

NODES = tuple(f"node{n:02}" for n in range(1, 9))
HOSTILE = "x[/y][@click=app.quit]\x1b[31m\u202egnp.exe"
NOW = 1000.0
EPOCH = 1_795_000_000.0
LIVE = Status("alice@login", "live", "", 0.0, 8, 7, 0.8)
JOBS = ("48213", "48377", "48401", "48402")


def fleet(now: float = NOW, serial: int = 1) -> Fleet:
    """Eight nodes with eight GPUs each, one of them silent; four jobs, one with a hostile name."""
    gpus: dict[str, dict[Any, Any]] = {}
    uses: dict[str, dict[Any, Any]] = {}
    hosts: dict[str, dict[Any, Any]] = {}
    seen: dict[tuple[str, str], Seen] = {}
    source: dict[Any, str] = {}
    for number, name in enumerate(NODES):
        silent = name == "node07"
        state = "lost" if silent else "live"
        hosts[name] = {(name,): Host(name=name, state=state, reason="no answer for 12m" if silent else "", host=name)}
        seen[name, "gpu"] = Seen(now - (720.0 if silent else 1.0), Absent("no answer for 12m") if silent else None)
        source[Gpu, name] = "gpu"
        gpus[name], uses[name] = {}, {}
        for index in range(8):
            slow = name == "node03" and index == 3
            gpu = Gpu(
                index=index,
                util_percent=Absent("no answer for 12m") if silent else 100.0 if number < 6 else 0.0,
                power_watts=Absent("no answer for 12m") if silent else 71.0 if slow or number >= 6 else 600.0 + index,
                memory_used_mib=Absent("no answer for 12m") if silent else 70_000 + 10 * index,
                temperature_celsius=41 if slow else 63,
                host=name,
            )
            gpus[name][gpu.key] = gpu
            job = JOBS[0] if number < 4 else JOBS[1] if number < 6 else Absent("no job")
            use = GpuUse(index=index, job_id=job, user="alice" if known(job) else Absent("no job"), host=name)
            uses[name][use.key] = use
    nodes = {
        (name,): Node(name=name, state="allocated" if number < 6 else "idle", gpus_total=8, partitions=("gpu",))
        for number, name in enumerate(NODES)
    }
    jobs = {
        (JOBS[0],): Job(job_id=JOBS[0], user="alice", name="llama-70b", state="RUNNING", partition="gpu", nodes=4),
        (JOBS[1],): Job(job_id=JOBS[1], user="alice", name=HOSTILE, state="RUNNING", partition="gpu", nodes=2),
        (JOBS[2],): Job(job_id=JOBS[2], user="bob", name="sweep", state="PENDING", partition="dev", nodes=1),
        (JOBS[3],): Job(job_id=JOBS[3], user="bob", name="eval", state="PENDING", partition="dev", nodes=1),
    }
    kinds: dict[Any, dict[str, Any]] = {
        Host: hosts,
        Gpu: gpus,
        GpuUse: uses,
        Node: {CLUSTER: nodes},
        Job: {CLUSTER: jobs},
    }
    return Fleet(kinds, seen, source, now, serial)


ALERTS = (
    Alert(Severity.CRITICAL, Subject("gpu", ("node03", "3")), "power 71 W while 7 peers draw 600 W", "scene.power"),
    Alert(Severity.WARNING, Subject("node", ("node07",)), "no answer by ssh for 12m", "scene.silent"),
)


# ---------------------------------------------------------------------- panes


def gpu_table(fleet: Fleet, history: History, focus: Focus) -> View:
    metric = focus.options.get("metric", "power")
    return Table(
        columns=(
            Column("host", "NODE", lambda g: g.host, priority=0),
            Column("index", "GPU", lambda g: g.index, Style.NUMBER, priority=0),
            Column("util_percent", "UTIL", lambda g: g.util_percent, Style.PERCENT, unit="%", priority=2),
            Column("power_watts", "POWER", lambda g: g.power_watts, Style.NUMBER, unit="W", priority=1),
            Column("memory_used_mib", "MEM", lambda g: g.memory_used_mib, Style.MIB, unit="GiB", priority=4),
            Column("temperature_celsius", "TEMP", lambda g: g.temperature_celsius, Style.NUMBER, unit="C", priority=6),
            Column("shown", "SHOWN", lambda g: metric, priority=7),
        ),
        rows=tuple(fleet.of(Gpu)),
        subject=lambda g: g.subject,
        age=fleet.age,
        empty="No GPU answered yet.",
    )


def job_table(fleet: Fleet, history: History, focus: Focus) -> View:
    rows = [job for job in fleet.of(Job) if focus.options.get("scope") == "all" or job.user == focus.user]
    return Table(
        columns=(
            Column("job_id", "JOB", lambda j: j.job_id, priority=0),
            Column("user", "USER", lambda j: j.user, priority=3),
            Column("name", "NAME", lambda j: j.name, priority=1),
            Column("state", "STATE", lambda j: j.state, priority=0),
            Column("nodes", "NODES", lambda j: j.nodes, Style.NUMBER, priority=2),
        ),
        rows=rows,
        subject=lambda j: j.subject,
        empty=f"No jobs of {focus.user}. `A` shows all {fleet.count(Job)}.",
    )


def job_detail(fleet: Fleet, history: History, focus: Focus) -> View:
    job = fleet.get(Job, focus.subject.key) if focus.subject is not None else None
    if job is None:
        return Text("This job is not in the queue any more.")
    return Sections(
        (
            Section("facts", Facts((Fact("name", job.name), Fact("state", job.state), Fact("nodes", job.nodes)))),
            Section("log", Log(("step 1", "step 2"), title="Log"), weight=2),
        )
    )


def node_detail(fleet: Fleet, history: History, focus: Focus) -> View:
    name = focus.subject.key[0] if focus.subject is not None else ""
    rows = tuple(fleet.on(Gpu, name).values())
    view = gpu_table(fleet, history, focus)
    assert isinstance(view, Table)
    return Table(view.columns, rows, view.subject, view.age, empty="This node told nothing.")


def overview(fleet: Fleet, history: History, focus: Focus) -> View:
    groups = []
    for host, slot in fleet.hosts(Gpu).items():
        values, reasons = [], {}
        for index, gpu in enumerate(slot.values()):
            values.append(100 * gpu.power_watts / 700 if known(gpu.power_watts) else math.nan)
            if not known(gpu.power_watts):
                reasons[index] = str(gpu.power_watts)
        subjects = [gpu.subject for gpu in slot.values()]
        groups.append(GridGroup(host, values, subjects, reasons, subject=Subject("node", (host,))))
    alerts = Table(
        columns=(
            Column("severity", "", lambda a: "!" if a.severity == Severity.CRITICAL else "▲", priority=0),
            Column("subject", "ABOUT", lambda a: " ".join(a.subject.key), priority=0),
            Column("sentence", "WHAT", lambda a: a.sentence, priority=0),
        ),
        rows=focus.alerts,
        subject=lambda a: a.subject,
        title="Alerts",
        empty="No alerts.",
    )
    grid = Grid("power", "% of limit", 0.0, 100.0, groups, title="GPUs by node", empty="No GPU answered yet.")
    return Sections((Section("grid", grid, weight=2, priority=0), Section("alerts", alerts, priority=1)))


def raising(fleet: Fleet, history: History, focus: Focus) -> View:
    raise KeyError("no such field")


# ---------------------------------------------------------------------- actions


def ids(targets: Sequence[Subject]) -> tuple[str, ...]:
    return tuple(subject.key[0] for subject in targets)


def plan_cancel(fleet: Fleet, targets: Sequence[Subject], inputs: Mapping[str, Any], situation: Situation) -> Plan:
    return Plan(
        f"Cancel job {' '.join(ids(targets))}",
        (Step(LOGIN, ("scancel", *ids(targets))),),
        Danger.DESTROYS,
        ("frees 4 nodes, 32 GPUs",),
    )


def guard_cancel(fleet: Fleet, targets: Sequence[Subject], situation: Situation) -> str | None:
    for subject in targets:
        job = fleet.get(Job, subject.key)
        if job is None:
            return f"job {subject.key[0]} is gone"
        if job.user != situation.user:
            return f"job {job.job_id} belongs to {job.user}"
    return None


def plan_drain(fleet: Fleet, targets: Sequence[Subject], inputs: Mapping[str, Any], situation: Situation) -> Plan:
    if not inputs.get("reason"):
        raise ValueError("a drain needs a reason")
    argv = ("scontrol", "update", f"nodename={','.join(ids(targets))}", "state=drain", f"reason={inputs['reason']}")
    return Plan(f"Drain {' '.join(ids(targets))}", (Step(LOGIN, argv),), Danger.CHANGES)


def plan_look(fleet: Fleet, targets: Sequence[Subject], inputs: Mapping[str, Any], situation: Situation) -> Plan:
    steps = tuple(Step(host, ("uptime",)) for host in ids(targets))
    return Plan(f"Uptime of {len(steps)} nodes", steps, Danger.READS)


def plan_shell(fleet: Fleet, targets: Sequence[Subject], inputs: Mapping[str, Any], situation: Situation) -> Plan:
    host = ids(targets)[0]
    return Plan(f"Shell on {host}", (Step(host, ("true",)),), Danger.READS, local=True)


async def unused(work: object) -> Report:
    raise AssertionError("the still collector's procedure runs in its place")


def plugin() -> Plugin:
    return Plugin(
        id="scene",
        title="scene",
        keeps=(Keep(Gpu, "power_watts"),),
        rules=(Rule("scene.power", lambda fleet, history: ()), Rule("scene.silent", lambda fleet, history: ())),
        panes=(
            Pane("overview", "Overview", overview, "1", needs=("gpu",), help="The cluster at a glance."),
            Pane(
                "gpus",
                "GPUs",
                gpu_table,
                "2",
                needs=("gpu",),
                switches=(Switch("gpus.metric", "m", "metric", ("power", "util", "memory")),),
            ),
            Pane("jobs", "Jobs", job_table, "4", switches=(Switch("scope", "A", "scope", ("mine", "all")),)),
            Pane("raising", "Raising", raising, "9"),
            Pane("job", "Job", job_detail, detail_of=("job",)),
            Pane("node", "Node", node_detail, detail_of=("node", "host")),
        ),
        actions=(
            Action("job.cancel", "Cancel job", Danger.DESTROYS, ("job",), plan_cancel, guard_cancel, ("X",)),
            Action(
                "node.drain",
                "Drain node",
                Danger.CHANGES,
                ("node",),
                plan_drain,
                keys=("w",),
                inputs=(Field("reason", "reason"),),
            ),
            Action("node.uptime", "Uptime", Danger.READS, ("node",), plan_look, keys=("u",)),
            Action("node.shell", "Shell", Danger.READS, ("node",), plan_shell, keys=("S",)),
            Action("bad.key", "Destroy by d", Danger.DESTROYS, ("job",), plan_cancel, keys=("d",)),
        ),
        workflows=(Workflow("triage", "Triage", Danger.READS, unused, ("job",), ("D",)),),
    )


# ---------------------------------------------------------------------- the session


@dataclass
class Scene:
    """A session over the still cluster; `ran` is what was run; hold answers back with `gate`."""

    situation: Situation = field(default_factory=lambda: Situation(user="alice"))
    keys: Mapping[str, str] = field(default_factory=dict)
    status: Status = field(default_factory=lambda: LIVE)
    ran: list[Step] = field(default_factory=list)
    gate: asyncio.Event | None = None
    failing: frozenset[str] = frozenset()
    plugins: tuple[Plugin, ...] = field(default_factory=lambda: (plugin(),))
    first: Callable[[], Fleet] = fleet
    signed_in_again: int = 0

    def session(self) -> Session:
        registry = Registry(self.plugins)
        keeps = [keep for one in self.plugins for keep in one.keeps]
        store = Store(History(keeps))
        self.collector = StillCollector(
            store,
            self.first(),
            status=lambda: self.status,
            alerts=ALERTS,
            situation=self.situation,
            respond=self.respond,
            procedure=self.procedure,
            on_sign_in=self.sign_in,
        )
        config = Config(name="prod", login="alice@login", keys=self.keys)
        return Session(config, registry, store, self.collector)

    def sign_in(self) -> None:
        self.signed_in_again += 1

    async def respond(self, step: Step) -> Completed:
        self.ran.append(step)
        if self.gate is not None:
            await self.gate.wait()
        if step.host in self.failing:
            return Completed(step.host, step.argv, None, trouble=Absent("permission denied"))
        return Completed(step.host, step.argv, 0, b"up 3 days\n" if step.argv == ("uptime",) else b"", seconds=0.1)

    async def procedure(
        self, workflow: str, subjects: Sequence[Subject], inputs: Mapping[str, Any], on_event: Callable[[Event], None]
    ) -> Report:
        on_event(Event("asking 32 ranks", 1, 2))
        if self.gate is not None:
            await self.gate.wait()
        on_event(Event("comparing", 2, 2))
        return Report(
            "hang",
            "rank 27 never launched all_reduce #20530",
            "HIGH",
            (Evidence("py-spy", "1 class of 1, 1 of 31", 3.0), Evidence("power", "gpu3 71 W", 1.0)),
            (Unreadable("kernel log", "node05", "permission denied", "ask for group adm"),),
            (("scontrol", "show", "job", "48213"),),
            exit_status=1,
        )


__all__ = ["Outcome", "Scene", "fleet", "plugin"]

if __name__ == "__main__":
    from mleconsole.app.start import run_app

    scene = Scene()
    sys.exit(
        run_app(
            lambda ask: scene.session(), title=sys.argv[1] if len(sys.argv) > 1 else "prod", login_text="alice@login"
        )
    )
