"""The disks pane, shared file systems told once, and the page of one file system."""

from __future__ import annotations

from functools import partial
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
    History,
    Host,
    Mount,
    Pane,
    Section,
    Sections,
    Severity,
    Style,
    Switch,
    Table,
    Text,
    Tone,
    View,
)
from mleconsole.api.tools import ages, natural, percent, silence
from mleconsole_plugins.disks.folding import Disk, fold
from mleconsole_plugins.disks.rules import level, unanswering
from mleconsole_plugins.disks.runway import Runway, runway

FOLDED, FLAT = "fold", "flat"
STALE_AFTER = 135.0  # an unchanged answer travels once a minute, of a hidden pane more seldom
_TONES = {Severity.CRITICAL: Tone.BAD, Severity.WARNING: Tone.WARN, Severity.NOTICE: Tone.QUIET}


def bytes_percent(disk: Disk) -> float | Absent:
    return percent(disk.mount.used_bytes, disk.mount.size_bytes)


def inodes_percent(disk: Disk) -> float | Absent:
    return percent(disk.mount.inodes_used, disk.mount.inodes_total)


def _tone(mount: Mount, share: object) -> Tone:
    found = level(mount, share)
    return Tone.PLAIN if found is None else _TONES[found]


def _note(disk: Disk) -> str:
    return disk.reason or unanswering(disk.mount)


class _Runways:
    """The runway of each row, computed when a cell is first asked for."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._known: dict[tuple[str, ...], Runway | None] = {}

    def of(self, disk: Disk) -> Runway | None:
        key = disk.mount.key
        if key not in self._known:
            self._known[key] = runway(disk.mount, self._history)
        return self._known[key]

    def rate(self, disk: Disk) -> int | None:
        found = self.of(disk)
        return None if found is None else int(found.rate * 3600)

    def left(self, disk: Disk) -> float | None:
        found = self.of(disk)
        return None if found is None else found.seconds


def disks(fleet: Fleet, history: History, focus: Focus) -> Table:
    """Every watched file system; hosts that tell none have a row with the reason."""
    flat = focus.options.get("fold", FOLDED) == FLAT
    found = list(fold(fleet, flat))
    told = {name for name, slot in fleet.hosts(Mount).items() if slot}
    reasons: dict[str, list[str]] = {}
    for host in fleet.of(Host):
        if host.name not in told:
            reason = silence(fleet, host, "mounts", "no file system is watched here", focus.epoch)
            reasons.setdefault(reason, []).append(host.name)
    for reason, names in reasons.items():
        found += [_silent(name, reason) for name in sorted(names, key=natural)]
    age_of = ages(fleet, Mount)
    never = Absent("never answered")
    return Table(
        columns=_columns(_Runways(history)),
        rows=found,
        subject=lambda disk: disk.mount.subject if not disk.reason else None,
        age=lambda disk: age_of.get(disk.mount.host, never),
        stale_after=STALE_AFTER,
        title="Disks",
        empty="No file system has been told yet. `filesystems:` in cluster.yaml names those to watch.",
    )


def _silent(host: str, reason: str) -> Disk:
    absent = Absent(reason)
    mount = Mount(
        path="",
        source="",
        fstype="",
        used_bytes=absent,
        size_bytes=absent,
        inodes_used=absent,
        inodes_total=absent,
        host=host,
    )
    return Disk(mount, (host,), host, reason)


def _columns(runways: _Runways) -> tuple[Column, ...]:
    return (
        Column("host", "HOST", lambda disk: disk.host_words, priority=1, width=24),
        Column(
            "mount",
            "MOUNT",
            lambda disk: Absent(disk.reason) if disk.reason else disk.mount.path,
            priority=0,
        ),
        Column(
            "used_bytes",
            "USED",
            lambda disk: disk.mount.used_bytes,
            Style.BYTES,
            priority=2,
            tone=lambda disk: _tone(disk.mount, bytes_percent(disk)),
        ),
        Column("size_bytes", "SIZE", lambda disk: disk.mount.size_bytes, Style.BYTES, priority=2),
        Column("inodes_used", "INODES", lambda disk: disk.mount.inodes_used, Style.NUMBER, priority=7, screen=False),
        Column("inodes_total", "OF", lambda disk: disk.mount.inodes_total, Style.NUMBER, priority=7, screen=False),
        Column(
            "used_percent",
            "USED",
            bytes_percent,
            Style.PERCENT,
            "%",
            priority=0,
            tone=lambda disk: _tone(disk.mount, bytes_percent(disk)),
        ),
        Column("used_bar", "", bytes_percent, Style.BAR, width=10, priority=5, json=False),
        Column(
            "inodes_percent",
            "INODES",
            inodes_percent,
            Style.PERCENT,
            "%",
            priority=3,
            tone=lambda disk: _tone(disk.mount, inodes_percent(disk)),
        ),
        Column("fill_bytes_per_hour", "FILLS", runways.rate, Style.BYTES, "/h", priority=5),
        Column("full_in_seconds", "FULL IN", runways.left, Style.DURATION, priority=4),
        Column("hosts", "HOSTS", lambda disk: len(disk.hosts), Style.NUMBER, priority=6),
        Column("fstype", "TYPE", lambda disk: disk.mount.fstype or None, priority=6),
        Column("source", "SOURCE", lambda disk: disk.mount.source or None, priority=8),
        Column("note", "NOTE", _note, priority=2, width=60, json=False, tone=_note_tone),
    )


def _note_tone(disk: Disk) -> Tone:
    if disk.reason:
        return Tone.STALE
    return Tone.BAD if unanswering(disk.mount) else Tone.PLAIN


def mount(fleet: Fleet, history: History, focus: Focus) -> View:
    """One file system: facts, every host that sees it, the remembered past."""
    subject = focus.subject
    found = fleet.get(Mount, subject.key) if subject is not None else None
    if found is None:
        name = " ".join(subject.key) if subject is not None else ""
        return Text(f"{name} is not mounted any more. Esc goes back; `5` shows all.", title="Disk")
    disk = Disk(found, (found.host,), found.host)
    others = [one for one in fold(fleet, flat=True) if _same(one.mount, found)]
    runways = _Runways(history)
    age_of = ages(fleet, Mount)
    size = found.size_bytes if isinstance(found.size_bytes, int) else None
    parts: list[Section] = [
        Section("facts", _facts(disk, runways, len(others), fleet), priority=0),
        Section(
            "used",
            _chart(found, history, "used_bytes", "Used", *drawn_in(size), size),
            column=1,
            min_height=6,
            priority=2,
        ),
        Section("inodes", _chart(found, history, "inodes_used", "Inodes used", "", 1.0, None), column=1, priority=3),
    ]
    if len(others) > 1:
        seen_by = Table(
            columns=(
                Column("host", "HOST", lambda one: one.mount.host, priority=0),
                Column("used_percent", "USED", bytes_percent, Style.PERCENT, "%", priority=1),
                Column("used_bytes", "USED", lambda one: one.mount.used_bytes, Style.BYTES, priority=2),
                Column("note", "NOTE", _note, priority=3, json=False, tone=_note_tone),
            ),
            rows=others,
            subject=lambda one: one.mount.subject,
            age=lambda one: age_of.get(one.mount.host, Absent("never answered")),
            stale_after=STALE_AFTER,
            title="As its hosts see it",
        )
        parts.insert(1, Section("hosts", seen_by, weight=2, priority=1))
    return Sections(tuple(parts), title=f"{found.path} on {found.host}")


def _same(one: Mount, other: Mount) -> bool:
    return one.path == other.path and (one.host == other.host or (one.shared and one.fsid == other.fsid != ""))


def drawn_in(size: int | None) -> tuple[str, float]:
    """The unit in which a disk of so many bytes is drawn, and its bytes."""
    units = (("B", 1.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("PB", 1e15))
    return next((one for one in reversed(units) if (size or 0) >= 2 * one[1]), units[0])


def _chart(found: Mount, history: History, field: str, title: str, unit: str, one: float, high: float | None) -> Chart:
    """The history of a field, drawn in units of `one`."""
    series = history.series(Mount, found.key, field)
    values = series.values if one == 1 else [value / one for value in series.values]
    lines = (ChartLine(title, series.times, values),) if len(series.times) else ()
    return Chart(title, unit, lines, None, None if high is None else high / one)


def _facts(disk: Disk, runways: _Runways, hosts: int, fleet: Fleet) -> Facts:
    found = disk.mount
    share: Any = bytes_percent(disk)
    inodes: Any = inodes_percent(disk)
    fact = partial(Fact, tone=_tone(found, share))
    told = [
        Fact("Mount", found.path),
        Fact("Host", found.host),
        Fact("Source", found.source),
        Fact("Type", found.fstype, id="fstype"),
        Fact("Shared", "yes" if found.shared else "no"),
        Fact("Hosts that mount it", hosts, Style.NUMBER, id="hosts"),
        fact("Used", found.used_bytes, Style.BYTES, id="used_bytes"),
        Fact("Size", found.size_bytes, Style.BYTES, id="size_bytes"),
        fact("Used of size", share, Style.PERCENT, "%", id="used_percent"),
        Fact("Inodes used", found.inodes_used, Style.NUMBER, id="inodes_used"),
        Fact("Inodes", found.inodes_total, Style.NUMBER, id="inodes_total"),
        Fact("Inodes used of all", inodes, Style.PERCENT, "%", _tone(found, inodes), "inodes_percent"),
        Fact("Age", fleet.age(found), Style.DURATION, id="age_seconds"),
    ]
    if (rate := runways.rate(disk)) is not None:
        told.append(Fact("Fills by", rate, Style.BYTES, "/h", id="fill_bytes_per_hour"))
        told.append(Fact("Full in", runways.left(disk), Style.DURATION, id="full_in_seconds"))
    if reason := unanswering(found):
        told.insert(0, Fact("Note", reason, tone=Tone.BAD))
    return Facts(tuple(told), title="Facts", subject=found.subject)


PANES = (
    Pane(
        id="disks",
        title="Disks",
        view=disks,
        key="5",
        needs=("mounts",),
        switches=(Switch("fold", "f", "fold", (FOLDED, FLAT)),),
        order=50,
        help="File systems in bytes and inodes. A shared one is one row; `f` shows what every host sees.",
    ),
    Pane(
        id="mount",
        title="Disk",
        view=mount,
        needs=("mounts",),
        detail_of=("mount",),
        order=51,
        help="One file system: how full, how fast it fills, and what each host sees.",
    ),
)
