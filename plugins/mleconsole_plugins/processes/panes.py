"""The processes pane: who holds which GPU, and what nobody's job holds; and the page of one process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mleconsole.api import (
    Absent,
    Column,
    Fact,
    Facts,
    Fleet,
    Focus,
    GpuUse,
    History,
    Host,
    Pane,
    Process,
    Style,
    Switch,
    Table,
    Text,
    Tone,
    View,
    known,
)
from mleconsole.api.tools import ages, count, host_silence, natural
from mleconsole_plugins.processes.derive import GpuOrphan, live_jobs, managed, orphaned
from mleconsole_plugins.processes.rules import GRACE_SECONDS, held_for

HOLDERS, ALL = "gpu holders", "all"
NO_GPU = Absent("holds no GPU")
ORPHAN = "no live job holds this memory"


def gpu_of(process: Process) -> Any:
    """The index of its GPU, a tuple of indices when it holds several, Absent when it holds none."""
    match process.gpus:
        case ():
            return NO_GPU
        case (one,):
            return one
    return process.gpus


class _Orphans:
    """Whether a process is an orphan, and whether it has been one for longer than a job takes to end."""

    def __init__(self, fleet: Fleet, history: History) -> None:
        self._live, self._nodes, self._uses = live_jobs(fleet), managed(fleet), fleet.hosts(GpuUse)
        self._lasting = {
            (record.host, pid)
            for record in fleet.of(GpuOrphan)
            if held_for(record, history, fleet.now) > GRACE_SECONDS
            for pid in record.pids
        }

    def __call__(self, process: Process) -> bool:
        return process.host in self._nodes and orphaned(process, self._live, self._uses.get(process.host, {}))

    def tone(self, process: Process) -> Tone:
        if not self(process):
            return Tone.PLAIN
        return Tone.WARN if (process.host, process.pid) in self._lasting else Tone.STRONG

    def note(self, process: Process) -> str:
        return ORPHAN if self(process) else ""


def processes(fleet: Fleet, history: History, focus: Focus) -> Table:
    """Processes that hold a GPU, or all that belong to jobs as well; orphans are marked."""
    everything = focus.options.get("show", HOLDERS) == ALL
    slots = fleet.hosts(Process)
    found: list[Process] = []
    for host in sorted(slots, key=natural):
        here = [process for process in slots[host].values() if everything or process.gpus]
        here.sort(key=lambda process: (not process.gpus, process.gpus, process.pid))
        found.extend(here)
    orphan = _Orphans(fleet, history)
    age_of = ages(fleet, Process)
    never = Absent("never answered")
    return Table(
        columns=(
            Column("node", "NODE", lambda process: process.host, priority=0),
            Column("pid", "PID", lambda process: process.pid, right=True, priority=0),
            Column("user", "USER", lambda process: process.user, priority=1),
            Column("job_id", "JOB", lambda process: process.job_id, priority=1, tone=orphan.tone),
            Column("gpu", "GPU", gpu_of, right=True, priority=1),
            Column("memory_mib", "MEM", lambda process: process.memory_mib, Style.MIB, priority=1, tone=orphan.tone),
            Column("command", "COMMAND", lambda process: process.command, priority=2),
            Column("step_id", "STEP", lambda process: process.step_id, priority=7),
            Column("rank", "RANK", lambda process: process.rank, right=True, priority=4),
            Column("orphan", "ORPHAN", orphan, screen=False),
            Column("note", "NOTE", orphan.note, width=60, priority=3, tone=orphan.tone, json=False),
        ),
        rows=found,
        subject=lambda process: process.subject,
        age=lambda process: age_of.get(process.host, never),
        stale_after=35.0,
        title="Processes",
        empty=_empty(fleet, everything),
        notices=_notices(fleet, focus.epoch),
    )


def _empty(fleet: Fleet, everything: bool) -> str:
    others = fleet.count(Process)
    if not any(True for _ in fleet.of(Host)):
        return "No host is known yet. `r` asks again, `@` shows what was asked."
    if not fleet.hosts(Process):
        return "No host has told its processes yet."
    if everything or not others:
        return "No process holds a GPU and none belongs to a job. `2` shows the GPUs, `4` the jobs."
    return f"No process holds a GPU. `a` shows all {count(others, 'process', 'processes')} of jobs."


def _notices(fleet: Fleet, epoch: float) -> tuple[str, ...]:
    """What could not be read: reasons with how many hosts have them, the most frequent first."""
    reasons: dict[str, list[str]] = {}
    for host in fleet.of(Host):
        reason = host_silence(host, fleet.now, epoch)
        if not reason:
            seen = fleet.seen(host.name, "processes")
            reason = seen.trouble.reason if seen is not None and seen.trouble is not None else ""
        if reason:
            reasons.setdefault(reason, []).append(host.name)
    told = sorted(reasons.items(), key=lambda item: -len(item[1]))
    sentences = [
        f"{hosts[0] if len(hosts) == 1 else count(len(hosts), 'host')}: {reason}" for reason, hosts in told[:3]
    ]
    if len(told) > 3:
        rest = sum(len(hosts) for _, hosts in told[3:])
        sentences.append(f"{count(rest, 'more host')} not read: `:hosts` says why")
    return tuple(sentences)


def process(fleet: Fleet, history: History, focus: Focus) -> View:
    """All that is known of one process."""
    subject = focus.subject
    found = fleet.get(Process, subject.key) if subject is not None else None
    if found is None:
        return Text("This process is not there any more. Esc goes back; `7` shows all.", title="Process")
    orphan = _Orphans(fleet, history)
    is_python = "yes" if found.python else "no"
    pyspy = found.pyspy if found.python or known(found.pyspy) else Absent("not a Python program")
    told: Sequence[Fact] = (
        Fact("Node", found.host),
        Fact("PID", found.pid, id="pid"),
        Fact("User", found.user),
        Fact("Command", found.command),
        Fact("Job", found.job_id, tone=orphan.tone(found), id="job_id"),
        Fact("Step", found.step_id, id="step_id"),
        Fact("Rank", found.rank),
        Fact("Local rank", found.local_rank),
        Fact("GPU", gpu_of(found)),
        Fact("GPU memory", found.memory_mib, Style.MIB, tone=orphan.tone(found), id="memory_mib"),
        Fact("Started, by its host's clock", found.started, Style.TIME, id="started"),
        Fact("Python", is_python),
        Fact("py-spy", pyspy, id="pyspy"),
        Fact("Age", fleet.age(found), Style.DURATION, id="age_seconds"),
    )  # fmt: skip
    note = (Fact("Note", ORPHAN, tone=orphan.tone(found)),) if orphan(found) else ()
    return Facts((*note, *told), title=f"Process {found.pid} on {found.host}", subject=found.subject)


PANES = (
    Pane(
        id="processes",
        title="Processes",
        view=processes,
        key="7",
        needs=("processes", "squeue"),
        switches=(Switch("show", "a", "show", (HOLDERS, ALL)),),
        order=70,
        help="Who holds which GPU. Memory that no live job holds is marked: the next job there runs out of memory.",
    ),
    Pane(
        id="process",
        title="Process",
        view=process,
        needs=("processes", "squeue"),
        detail_of=("process",),
        order=71,
        help="One process: its job, rank, GPU and memory.",
    ),
)
