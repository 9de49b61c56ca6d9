"""Nodes: what Slurm says of each node beside what the machine itself says; and the partitions."""

from __future__ import annotations

import msgspec

from mleconsole.api import (
    CLUSTER,
    LOGIN,
    Absent,
    Column,
    Fleet,
    Focus,
    History,
    Host,
    Job,
    Machine,
    Node,
    Pane,
    Partition,
    Style,
    Subject,
    Table,
    Tone,
    known,
)
from mleconsole_plugins.slurm.placement import jobs_by_node
from mleconsole_plugins.slurm.states import is_down, is_drained, state_text

_SILENT = {
    "waiting": "waits to be connected",
    "connecting": "is being connected",
    "lost": "can't be reached",
    "refused": "does not let us in",
    "left_out": "left out by --nodes",
    "signed_out": "signed out",
}


class NodeRow(msgspec.Struct, frozen=True):
    """One node with all that is known of it; `node` is None on a machine that Slurm does not know."""

    name: str
    node: Node | None
    host: Host | None
    machine: Machine | None
    jobs: tuple[Job, ...]
    age: float | Absent

    @property
    def subject(self) -> Subject:
        return Subject(Node.kind_name, (self.name,)) if self.node is not None else Subject(Host.kind_name, (self.name,))

    @property
    def state(self) -> str:
        if self.node is not None:
            return state_text(self.node.state, self.node.flags)
        return self.host.state if self.host is not None else "unknown"

    @property
    def reason(self) -> str:
        """Slurm's reason (drained because ...); "" when it gives none."""
        if self.node is not None and known(self.node.reason):
            return self.node.reason
        return ""

    @property
    def silence(self) -> Absent:
        """Why the machine itself tells nothing."""
        if self.host is None:
            return Absent("not asked by this console")
        words = _SILENT.get(self.host.state, "has not answered yet")
        return Absent(f"{words}: {self.host.reason}" if self.host.reason else words)

    def of_machine(self, field: str) -> object:
        return getattr(self.machine, field) if self.machine is not None else self.silence

    @property
    def tone(self) -> Tone:
        if self.node is None:
            return Tone.PLAIN
        if is_down(self.node.state, self.node.flags):
            return Tone.BAD
        return Tone.WARN if is_drained(self.node.flags) else Tone.PLAIN


def rows(fleet: Fleet) -> list[NodeRow]:
    """All nodes of Slurm, then hosts that it does not know, by name."""
    placed = jobs_by_node(fleet)
    nodes = {node.name: node for node in fleet.of(Node)}
    hosts = {host.name: host for host in fleet.of(Host)}
    node_age = fleet.slot_age(Node, CLUSTER)
    found = []
    for name in [*nodes, *(name for name in hosts if name not in nodes and (name != LOGIN or not nodes))]:
        machine = fleet.on(Machine, name).get((name,))
        age = fleet.slot_age(Machine, name) if machine is not None else node_age
        found.append(NodeRow(name, nodes.get(name), hosts.get(name), machine, placed.get(name, ()), age))
    found.sort(key=lambda row: row.name)
    return found


def _jobs(row: NodeRow) -> str:
    return ",".join(job.job_id for job in row.jobs)


NODE_COLUMNS = (
    Column("node", "NODE", lambda row: row.name, priority=0),
    Column("state", "STATE", lambda row: row.state, priority=0, tone=lambda row: row.tone),
    Column("reason", "REASON", lambda row: row.reason, width=36, priority=3),
    Column("cpu_percent", "CPU", lambda row: row.of_machine("cpu_percent"), Style.PERCENT, unit="%", priority=2),
    Column("memory_used_mib", "MEM", lambda row: row.of_machine("memory_used_mib"), Style.MIB, priority=2),
    Column("memory_total_mib", "OF", lambda row: row.of_machine("memory_total_mib"), Style.MIB, priority=5),
    Column("load1", "LOAD", lambda row: row.of_machine("load1"), Style.NUMBER, priority=6),
    Column("gpus_alloc", "GPUS", lambda row: row.node.gpus_alloc if row.node else None, Style.NUMBER, priority=3),
    Column("gpus_total", "OF", lambda row: row.node.gpus_total if row.node else None, Style.NUMBER, priority=5),
    Column("cpus_alloc", "CPUS", lambda row: row.node.cpus_alloc if row.node else None, Style.NUMBER, priority=7),
    Column("cpus_total", "OF", lambda row: row.node.cpus_total if row.node else None, Style.NUMBER, priority=8),
    Column("jobs", "JOBS", _jobs, width=30, priority=4),
    Column("partitions", "PARTITIONS", lambda row: row.node.partitions if row.node else (), Style.NAMES, priority=7),
    Column("host", "REACHED", lambda row: row.host.state if row.host else row.silence, priority=4),
    Column("host_reason", "HOW", lambda row: row.host.reason if row.host else "", width=40, priority=8),
    Column("reason_user", "BY", lambda row: row.node.reason_user if row.node else None, priority=9, screen=False),
    Column("reason_time", "SINCE", lambda row: row.node.reason_time if row.node else None, Style.TIME, priority=8),
)


def view(fleet: Fleet, history: History, focus: Focus) -> Table:
    """The nodes pane."""
    seen = fleet.seen(CLUSTER, "nodes")
    old = seen is not None and seen.trouble is not None
    return Table(
        columns=NODE_COLUMNS,
        rows=rows(fleet),
        subject=lambda row: row.subject,
        age=lambda row: row.age,
        stale_after=15.0,
        title="nodes",
        empty="No node is known yet." if not old else f"Slurm tells no nodes: {seen.trouble}.",  # type: ignore[union-attr]
        notices=(f"Slurm's word on the nodes is old: {seen.trouble.reason}",) if old else (),  # type: ignore[union-attr]
    )


PARTITION_COLUMNS = (
    Column("partition", "PARTITION", lambda row: row.name, priority=0),
    Column("default", "DEFAULT", lambda row: row.default, priority=6),
    Column("up", "UP", lambda row: row.up, priority=1, tone=lambda row: Tone.PLAIN if row.up else Tone.WARN),
    Column("nodes_alloc", "ALLOC", lambda row: row.nodes_alloc, Style.NUMBER, priority=1),
    Column("nodes_idle", "IDLE", lambda row: row.nodes_idle, Style.NUMBER, priority=1),
    Column("nodes_other", "OTHER", lambda row: row.nodes_other, Style.NUMBER, priority=2),
    Column("nodes_total", "NODES", lambda row: row.nodes_total, Style.NUMBER, priority=2),
    Column("limit_seconds", "LIMIT", lambda row: row.limit_seconds, Style.DURATION, priority=3),
)


def partitions_view(fleet: Fleet, history: History, focus: Focus) -> Table:
    """The partitions pane."""
    age = fleet.slot_age(Partition, CLUSTER)
    seen = fleet.seen(CLUSTER, "partitions")
    trouble = seen.trouble if seen is not None else None
    return Table(
        columns=PARTITION_COLUMNS,
        rows=sorted(fleet.of(Partition), key=lambda row: row.name),
        subject=lambda row: row.subject,
        age=lambda row: age,
        stale_after=60.0,
        title="partitions",
        empty=f"Slurm tells no partitions: {trouble}." if trouble else "No partition is known yet.",
        notices=(f"The partitions are old: {trouble.reason}",) if trouble else (),
    )


PANE = Pane(
    id="nodes",
    title="Nodes",
    view=view,
    key="3",
    needs=("nodes", "machine", "squeue"),
    order=30,
    help="Every node: Slurm's state and reason, and its own load.",
)
PARTITIONS_PANE = Pane(id="partitions", title="Partitions", view=partitions_view, needs=("partitions",), order=35)
