"""Frame: the words of the top line, the pane line and the key line, from values. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mleconsole.api import Alert, Gpu, Pane, Severity
from mleconsole.app.keys import COMMANDS, Entry, shown
from mleconsole.app.lines import Piece
from mleconsole.app.trail import Place
from mleconsole.app.words import ago, clock, subject_words
from mleconsole.model.fleet import Fleet
from mleconsole.model.format import escape
from mleconsole.model.view import Tone
from mleconsole.plugin import Registry

if TYPE_CHECKING:
    from mleconsole.collect.status import Status

BOTTOM_KEYS = 5


def crumbs(title: str, places: Sequence[Place], panes: Mapping[str, Pane]) -> list[Piece]:
    """`prod ▸ Jobs ▸ job 48213`: the last one never goes."""
    words = [escape(title)]
    for index, place in enumerate(places):
        if place.subject is not None:
            words.append(subject_words(place.subject))
        elif place.pane in panes:
            words.append(panes[place.pane].title)
        else:
            words.append(place.pane if index else "")
    words = [word for word in words if word]
    pieces = []
    for index, word in enumerate(words):
        last = index == len(words) - 1
        text = word if last else f"{word} ▸"
        pieces.append(Piece(text, 0 if last else 4 - (index == 0), Tone.STRONG if last else Tone.QUIET))
    return pieces


def top_right(status: Status, fleet: Fleet, epoch: float, *, paused: bool, read_only: bool) -> list[Piece]:
    """Who, hosts answered of known, GPUs, what we cost, the clock."""
    gpus = fleet.count(Gpu)
    missing = status.hosts_known - status.hosts_answered
    hosts = f"{status.hosts_answered}/{status.hosts_known} nodes" if status.hosts_known else ""
    return [
        Piece("paused: p goes on", 0, Tone.WARN) if paused else Piece(""),
        Piece("read-only", 1, Tone.QUIET) if read_only else Piece(""),
        Piece(escape(status.who), 3, Tone.QUIET),
        Piece(hosts, 2, Tone.PLAIN if missing else Tone.QUIET),
        Piece(f"{gpus} GPUs" if gpus else "", 4, Tone.QUIET),
        Piece(f"{status.cpu_percent:.1f} % CPU", 5, Tone.QUIET),
        Piece(clock(epoch), 1, Tone.QUIET),
    ]


def login_words(status: Status, now: float | None, *, reached: bool = True) -> str:
    """One sentence when the login does not stand, with what happens or is to be done next; else "".

    Without `now` it has no age (for a text that is not painted every second); `reached`: it stood before.
    """
    why = f": {escape(status.sentence)}" if status.sentence else ""
    if status.login == "lost" and not reached:
        return f"{escape(status.who)} is not reached{why}; retrying"
    if status.login == "lost":
        since = f" {ago(now - status.since)} ago" if status.since and now is not None else ""
        return f"login lost{since}{why}; retrying"
    if status.login == "signed_out":
        return f"signed out{why}; press r to sign in"
    if status.login == "refused":
        return f"login refused{why}; press r to try again"
    if status.login == "connecting":
        return f"connecting to {escape(status.who)}{why} ..."
    return ""


def alert_counts(registry: Registry, alerts: Sequence[Alert]) -> dict[str, tuple[int, Severity]]:
    """{pane: (alerts it should be looked at for, the worst)}: all of them for the pane `alerts`; for another pane those
    about its kind (pane gpus: kinds gpu, gpu_...), or else those of its plugin's rules when it is the plugin's only
    numbered pane."""
    found: dict[str, tuple[int, Severity]] = {}
    if not alerts:
        return found
    panes = [pane for pane in registry.panes.values() if pane.key]
    owners = {pane.id: registry.owner("panes", pane.id) for pane in panes}
    rules = {alert.rule: registry.owner("rules", alert.rule) for alert in alerts}
    for pane in panes:
        only = sum(owner == owners[pane.id] for owner in owners.values()) == 1
        mine = [
            alert
            for alert in alerts
            if pane.id == "alerts"
            or pane.id.startswith(alert.subject.kind)
            or (only and owners[pane.id] and rules[alert.rule] == owners[pane.id])
        ]
        if mine:
            found[pane.id] = (len(mine), max(alert.severity for alert in mine))
    return found


def pane_line(
    panes: Sequence[Pane], root: str, counts: Mapping[str, tuple[int, Severity]], broken: Mapping[str, str]
) -> list[Piece]:
    """`1 Overview  2 GPUs ...`: the current one stands out, one with alerts carries their count."""
    pieces = []
    for pane in panes:
        count, worst = counts.get(pane.id, (0, Severity.NOTICE))
        text = pane.title + (f" {count}" if count else "") + (" off" if pane.id in broken else "")
        tone = Tone.STRONG if pane.id == root else Tone.QUIET
        here = pane.id == root
        if count and worst is not Severity.NOTICE and not here:
            tone = Tone.BAD if worst is Severity.CRITICAL else Tone.WARN
        if not pane.key and not here:
            continue
        priority = 0 if here else 1 + 2 * int(not count) + int(not pane.key)
        pieces.append(Piece(text, priority, tone, f"pane:{pane.id}", pane.key, here))
    return pieces


def short_pane_line(pieces: Sequence[Piece]) -> list[Piece]:
    """The same with digits alone, for when a sentence needs the room."""
    return [piece if not piece.priority else piece._replace(text="") for piece in pieces]


def key_line(entries: Mapping[str, Entry], *, detail: bool, subject: bool) -> list[Piece]:
    """The five keys that matter for what is selected, then `? more`: opening, what can be done to it now, the pane's
    own switches, then the general ones."""
    ranked: list[tuple[int, Entry]] = []
    shorts = {command.id: command.short for command in COMMANDS}
    for entry in entries.values():
        if entry.reason is not None or not entry.short:
            continue
        if entry.role in ("action", "workflow"):
            ranked.append((2 if subject else 5, entry))
        elif entry.role == "switch":
            ranked.append((3, entry))
        elif entry.id == "back":
            ranked.append((0 if detail else 9, entry))
        elif entry.id == "open" and subject:
            ranked.append((1, entry))
        elif entry.id == "actions" and subject:
            ranked.append((4, entry))
        elif entry.role == "command" and entry.id in ("filter", "mark", "sort") and shorts[entry.id]:
            ranked.append((6 + ("filter", "sort", "mark").index(entry.id), entry))
    ranked.sort(key=lambda item: item[0])
    seen: set[str] = set()
    pieces: list[Piece] = []
    for rank, entry in ranked:
        if entry.id in seen or rank == 9 or len(pieces) == BOTTOM_KEYS:
            continue
        seen.add(entry.id)
        pieces.append(Piece(escape(entry.short), 1 + rank, Tone.QUIET, f"key:{entry.key}", shown(entry.key)))
    more = next((entry for entry in entries.values() if entry.id == "help"), None)
    if more is not None:
        pieces.append(Piece("more", 0, Tone.QUIET, f"key:{more.key}", shown(more.key)))
    return pieces
