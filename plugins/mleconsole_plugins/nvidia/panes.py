"""The GPUs pane and the page of one GPU. GPU-Util never stands alone: power and clock are beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

from mleconsole.api import (
    Absent,
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
    Host,
    Key,
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
from mleconsole.api.tools import ages, duration, host_of, host_silence, natural, percent, recent, silence
from mleconsole_plugins.nvidia import judge
from mleconsole_plugins.nvidia.judge import Finding

NO_GPU = -1  # the index in the one row of a host that shows no GPU
_TONES = {Severity.CRITICAL: Tone.BAD, Severity.WARNING: Tone.WARN, Severity.NOTICE: Tone.QUIET}


def rows(fleet: Fleet, epoch: float) -> tuple[list[Gpu], list[str]]:
    """All GPUs in the order of their hosts, and one row with the reason for every host that shows none; with it the
    names of the latter."""
    found: list[Gpu] = []
    silent: list[str] = []
    slots = fleet.hosts(Gpu)
    names = set(slots)
    hosts = {host.name: host for host in fleet.of(Host)}
    for name in sorted(names.union(hosts), key=natural):
        slot = slots.get(name)
        if slot:
            found.extend(sorted(slot.values(), key=_index))
        elif (host := hosts.get(name)) is not None:
            silent.append(name)
            found.append(_no_gpu(name, silence(fleet, host, "gpus", "no GPU answers here", epoch)))
    return found, silent


def _index(gpu: Gpu) -> int:
    return gpu.index


def _no_gpu(host: str, reason: str) -> Gpu:
    absent = Absent(reason)
    return Gpu(
        index=NO_GPU,
        util_percent=absent,
        memory_util_percent=absent,
        power_watts=absent,
        memory_used_mib=absent,
        temperature_celsius=absent,
        sm_clock_mhz=absent,
        throttle=absent,
        host=host,
    )


class _Joins:
    """What the columns look up beside the GPU's own sample. Nothing is looked up before a cell is asked for."""

    def __init__(self, fleet: Fleet, history: History, focus: Focus) -> None:
        self.fleet, self.history, self.focus = fleet, history, focus
        self.facts_of = fleet.hosts(GpuFacts)
        self.uses = fleet.hosts(GpuUse)
        self._notes: dict[Key, tuple[str, Tone]] = {}
        self._silences: dict[str, str] = {}

    def facts(self, gpu: Gpu) -> GpuFacts | None:
        return self.facts_of.get(gpu.host, {}).get(gpu.key)

    def fact(self, field: str, gpu: Gpu) -> Any:
        facts = self.facts(gpu)
        if facts is not None:
            return getattr(facts, field)
        return gpu.power_watts if gpu.index == NO_GPU else Absent("not read yet")

    def use(self, field: str, gpu: Gpu) -> Any:
        use = self.uses.get(gpu.host, {}).get(gpu.key)
        if use is not None:
            return getattr(use, field)
        return gpu.power_watts if gpu.index == NO_GPU else Absent("no job known")

    @cached_property
    def _spins(self) -> dict[Key, Finding]:
        return dict(judge.spins(self.fleet, self.history))

    @cached_property
    def _since(self) -> dict[Key, float]:
        return {a.subject.key: a.since for a in self.focus.alerts if a.subject.kind == "gpu" and a.rule == "gpu_spins"}

    def _silence(self, name: str) -> str:
        words = self._silences.get(name)
        if words is None:
            host = host_of(self.fleet, name)
            words = host_silence(host, self.fleet.now, self.focus.epoch) if host is not None else ""
            self._silences[name] = words
        return words

    def note(self, gpu: Gpu) -> tuple[str, Tone]:
        """The note on one GPU and its colour, judged once."""
        if gpu.index == NO_GPU:
            return str(gpu.power_watts), Tone.STALE
        key = gpu.key
        found = self._notes.get(key)
        if found is None:
            found = self._notes[key] = self._judged(gpu, key)
        return found

    def _judged(self, gpu: Gpu, key: Key) -> tuple[str, Tone]:
        host = gpu.host
        facts = self.facts(gpu)
        spinning = self._spins.get(key) if judge.idles_in_kernel(gpu, facts) else None
        found = judge.of_gpu(gpu, facts, self.fleet, self.history)
        if spinning is not None and (found is None or found.severity < spinning.severity):
            since = self._since.get(key)
            lasting = f" for {duration(self.fleet.now - since)}" if since else ""
            return f"{spinning.note}{lasting}", _TONES[spinning.severity]
        if found is not None:
            return found.note, _TONES[found.severity]
        use = self.uses.get(host, {}).get(key)
        if use is not None and use.orphan:
            return "memory held by no live job", Tone.STRONG
        if words := self._silence(host):
            return words, Tone.STALE
        trouble = self.fleet.trouble(Gpu, host)
        return (trouble.reason, Tone.STALE) if trouble is not None else ("", Tone.PLAIN)

    def note_text(self, gpu: Gpu) -> str:
        return self.note(gpu)[0]

    def note_tone(self, gpu: Gpu) -> Tone:
        return self.note(gpu)[1]

    def spin_tone(self, gpu: Gpu) -> Tone:
        """Power carries the colour of a spinning GPU: it is what gives it away."""
        suspect = judge.idles_in_kernel(gpu, self.facts(gpu))
        return Tone.BAD if suspect and gpu.key in self._spins else Tone.PLAIN

    def throttle_tone(self, gpu: Gpu) -> Tone:
        return Tone.WARN if gpu.throttle and judge.throttled(gpu, self.facts(gpu)) is not None else Tone.PLAIN

    def spark(self, gpu: Gpu) -> Sequence[float]:
        return recent(self.history, Gpu, gpu.key, "util_percent")


def _gpu_index(gpu: Gpu) -> int | Absent:
    return gpu.index if gpu.index != NO_GPU else gpu.power_watts  # type: ignore[return-value]


def columns(joins: _Joins) -> tuple[Column, ...]:
    """The JSON keys first and in their published order, then what only the screen shows."""
    fact: Callable[[str], Callable[[Gpu], Any]] = lambda field: partial(joins.fact, field)  # noqa: E731
    return (
        Column("node", "NODE", lambda gpu: gpu.host, priority=0),
        Column("gpu", "GPU", _gpu_index, Style.NUMBER, width=3, priority=0),
        Column("uuid", "UUID", fact("uuid"), screen=False),
        Column("util_percent", "UTIL", lambda gpu: gpu.util_percent, Style.PERCENT, "%", priority=1),
        Column(
            "power_watts", "POWER", lambda gpu: gpu.power_watts, Style.NUMBER, "W", priority=1, tone=joins.spin_tone
        ),
        Column("power_limit_watts", "LIMIT", fact("power_limit_watts"), Style.NUMBER, "W", priority=6),
        Column("memory_used_mib", "MEM", lambda gpu: gpu.memory_used_mib, Style.MIB, priority=3),
        Column("memory_total_mib", "OF", fact("memory_total_mib"), Style.MIB, priority=7),
        Column(
            "temperature_celsius",
            "TEMP",
            lambda gpu: gpu.temperature_celsius,
            Style.NUMBER,
            "°C",
            priority=4,
            tone=joins.throttle_tone,
        ),
        Column("sm_clock_mhz", "CLOCK", lambda gpu: gpu.sm_clock_mhz, Style.NUMBER, "MHz", priority=3),
        Column("job_id", "JOB", partial(joins.use, "job_id"), priority=1),
        Column("user", "USER", partial(joins.use, "user"), priority=5),
        Column(
            "util_history",
            "UTIL 10 min",
            joins.spark,
            Style.SPARK,
            width=15,
            priority=6,
            scale=(0.0, 100.0),
            json=False,
        ),
        Column("note", "NOTE", joins.note_text, width=60, priority=2, tone=joins.note_tone, json=False),
    )


def _subject(gpu: Gpu) -> Subject:
    return gpu.subject if gpu.index != NO_GPU else Subject("host", (gpu.host,))


def gpus(fleet: Fleet, history: History, focus: Focus) -> Table:
    """Every GPU of every known host; a host that shows none has one row that says why."""
    found, _ = rows(fleet, focus.epoch)
    age_of = ages(fleet, Gpu)
    never = Absent("never answered")
    return Table(
        columns=columns(_Joins(fleet, history, focus)),
        rows=found,
        subject=_subject,
        age=lambda gpu: age_of.get(gpu.host, never),
        stale_after=35.0,
        title="GPUs",
        empty="No host is known yet. `r` asks again, `@` shows what was asked.",
    )


#: (field, title, unit, the highest value or the fact that has it, what one unit is in the field's own)
_CHARTS = (
    ("power_watts", "Power", "W", "power_limit_watts", 1),
    ("util_percent", "GPU-Util (share of time with any kernel, not load)", "%", 100.0, 1),
    ("sm_clock_mhz", "SM clock", "MHz", "sm_clock_max_mhz", 1),
    ("memory_used_mib", "Memory used", "GiB", "memory_total_mib", 1024),
    ("temperature_celsius", "Temperature", "°C", 100.0, 1),
)


def gpu(fleet: Fleet, history: History, focus: Focus) -> View:
    """One GPU: facts, the last ten minutes, and the processes that hold it."""
    subject = focus.subject
    found = fleet.get(Gpu, subject.key) if subject is not None else None
    if subject is None or found is None:
        return Text(
            f"No GPU {' '.join(subject.key) if subject else ''} answers now. Esc goes back; `2` shows all GPUs.",
            title="GPU",
        )
    joins = _Joins(fleet, history, focus)
    facts = joins.facts(found)
    charts = []
    for order, (field, title, unit, top, one) in enumerate(_CHARTS):
        series = history.series(Gpu, found.key, field)
        limit = getattr(facts, top, None) if isinstance(top, str) else top
        high = limit / one if isinstance(limit, (int, float)) else None
        values = series.values if one == 1 else [value / one for value in series.values]
        lines = (ChartLine(title, series.times, values),) if len(series.times) else ()
        charts.append(Section(field, Chart(title, unit, lines, 0.0, high), column=1, min_height=6, priority=3 + order))
    return Sections(
        (
            Section("facts", _facts(found, joins), weight=2, priority=0),
            Section("processes", _processes(fleet, found), priority=1),
            *charts,
        ),
        title=judge.gpu_words(found.key),
    )


def _facts(found: Gpu, joins: _Joins) -> Facts:
    fact = partial(joins.fact, gpu=found)
    note, tone = joins.note(found)
    throttle = found.throttle if isinstance(found.throttle, Absent) else ", ".join(found.throttle) or "none"
    number, mib = Style.NUMBER, Style.MIB
    told = [
        Fact("Node", found.host),
        Fact("GPU", found.index, number),
        Fact("Name", fact("name")),
        Fact("UUID", fact("uuid"), id="uuid"),
        Fact("Driver", fact("driver")),
        Fact("Job", joins.use("job_id", found), id="job_id"),
        Fact("User", joins.use("user", found)),
        Fact("GPU-Util", found.util_percent, Style.PERCENT, "%", id="util_percent"),
        Fact("Power", found.power_watts, number, "W", joins.spin_tone(found), "power_watts"),
        Fact("Power limit", fact("power_limit_watts"), number, "W", id="power_limit_watts"),
        Fact("Power of limit", percent(found.power_watts, fact("power_limit_watts")), Style.PERCENT, "%"),
        Fact("SM clock", found.sm_clock_mhz, number, "MHz", id="sm_clock_mhz"),
        Fact("SM clock, highest", fact("sm_clock_max_mhz"), number, "MHz", id="sm_clock_max_mhz"),
        Fact("Throttled by", throttle, tone=joins.throttle_tone(found), id="throttle"),
        Fact("Temperature", found.temperature_celsius, number, "°C", id="temperature_celsius"),
        Fact("Memory used", found.memory_used_mib, mib, id="memory_used_mib"),
        Fact("Memory", fact("memory_total_mib"), mib, id="memory_total_mib"),
        Fact("Memory bandwidth in use", found.memory_util_percent, Style.PERCENT, "%", id="memory_util_percent"),
        Fact("ECC errors, corrected", fact("ecc_corrected"), number, id="ecc_corrected"),
        Fact("ECC errors, uncorrectable", fact("ecc_uncorrected"), number, id="ecc_uncorrected"),
        Fact("Remapped rows", fact("remapped_rows"), number, id="remapped_rows"),
        Fact("Remap pending", _yes(fact("remap_pending")), id="remap_pending"),
        Fact("Remap failed", _yes(fact("remap_failed")), id="remap_failed"),
        Fact("PCIe", _pair(fact("pcie_gen"), fact("pcie_width"), "gen{} x{}"), id="pcie"),
        Fact("PCIe, highest", _pair(fact("pcie_gen_max"), fact("pcie_width_max"), "gen{} x{}"), id="pcie_max"),
        Fact("NVLinks up", _pair(fact("nvlinks_up"), fact("nvlinks_total"), "{} of {}"), id="nvlinks_up"),
        Fact("NVLink errors", fact("nvlink_errors"), number, id="nvlink_errors"),
        Fact("Age", joins.fleet.age(found), Style.DURATION, id="age_seconds"),
    ]
    if note:
        told.insert(0, Fact("Note", note, tone=tone))
    return Facts(tuple(told), title="Facts", subject=found.subject)


def _yes(value: Any) -> Any:
    return value if isinstance(value, Absent) else "yes" if value else "no"


def _pair(one: Any, other: Any, shape: str) -> Any:
    for value in (one, other):
        if isinstance(value, Absent):
            return value
    return shape.format(one, other)


def _processes(fleet: Fleet, found: Gpu) -> Table:
    held = [process for process in fleet.on(Process, found.host).values() if found.index in process.gpus]
    return Table(
        columns=(
            Column("pid", "PID", lambda process: process.pid, right=True, priority=0),
            Column("user", "USER", lambda process: process.user, priority=1),
            Column("job_id", "JOB", lambda process: process.job_id, priority=1),
            Column("rank", "RANK", lambda process: process.rank, Style.NUMBER, priority=3),
            Column("memory_mib", "MEM", lambda process: process.memory_mib, Style.MIB, priority=2),
            Column("command", "COMMAND", lambda process: process.command, priority=2),
        ),
        rows=held,
        subject=lambda process: process.subject,
        age=fleet.age,
        stale_after=35.0,
        title="Processes on it",
        empty=_no_process(fleet, found.host),
    )


def _no_process(fleet: Fleet, host: str) -> str:
    seen = fleet.seen(host, "processes")
    if seen is None:
        return "Its processes are not told yet."
    if seen.trouble is not None:
        return f"Its processes can't be read: {seen.trouble.reason}."
    return "No process holds this GPU."


PANES = (
    Pane(
        id="gpus",
        title="GPUs",
        view=gpus,
        key="2",
        needs=("gpus", "gpu_facts", "processes", "squeue"),
        order=20,
        help="Every GPU with power and clock beside GPU-Util: 100 % alone does not mean that it computes.",
    ),
    Pane(
        id="gpu",
        title="GPU",
        view=gpu,
        needs=("gpus", "gpu_facts", "processes", "squeue"),
        detail_of=("gpu",),
        order=21,
        help="One GPU: facts and error counters, ten minutes of history, the processes that hold it.",
    ),
)
