"""The command log: every remote command this console ran, with its time, length, exit status and bytes.

The list says each in few words; Enter shows one exactly as the shell got it.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Sequence

from textual import on

from mleconsole.app.screens.framed import Hub
from mleconsole.app.screens.looking import ViewScreen
from mleconsole.model.absent import Absent
from mleconsole.model.format import count_bytes
from mleconsole.model.record import Subject
from mleconsole.model.view import Column, Fact, Facts, Section, Sections, Style, Table, Text, Tone
from mleconsole.transport.interface import LogEntry
from mleconsole_widgets import messages

_AGENT = re.compile(r"stdin\.buffer\.read\((\d+)\).*mleconsole-agent", re.DOTALL)
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


def in_words(argv: Sequence[str]) -> str:
    """A command in few words: without the environment that is set for it; the agent by its name."""
    for word in argv:
        if (agent := _AGENT.search(word)) is not None:
            return f"agent (python3, {count_bytes(int(agent[1]))} on stdin)"
    words = list(argv)
    if words[:1] == ["env"]:
        while len(words) > 2 and (words[0] == "env" or _SETTING.match(words[0])):
            words.pop(0)
    return shlex.join(words)


def command_view(entry: LogEntry, started: float) -> Sections:
    """One command, and exactly what the remote shell got."""
    took = "runs on, or was let go" if entry.exit_status is None and not entry.trouble else entry.trouble or "ended"
    facts = (
        Fact("Host", entry.host),
        Fact("By", entry.way),
        Fact("Began", _clock(started)),
        Fact("Took", round(entry.seconds, 3), Style.NUMBER, "s"),
        Fact("Exit status", Absent(took) if entry.exit_status is None else entry.exit_status, Style.NUMBER),
        Fact("Came back", entry.bytes_in, Style.BYTES),
        Fact("End", took, tone=Tone.WARN if entry.trouble else Tone.PLAIN),
    )
    return Sections(
        (
            Section("facts", Facts(facts), min_height=2),
            Section("argv", Text(entry.quoted or shlex.join(entry.argv), "What the shell got"), weight=3),
            Section("words", Text("\n".join(entry.argv), "Word by word"), weight=3),
        )
    )


def _clock(epoch: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(epoch))


def commands_view(entries: Sequence[LogEntry], started: Callable[[LogEntry], float]) -> Table:
    """Newest first; `started` gives an entry's epoch seconds on this machine."""

    def tone(entry: LogEntry) -> Tone:
        return Tone.WARN if entry.trouble or entry.exit_status else Tone.PLAIN

    return Table(
        columns=(
            Column("started", "TIME", lambda e: started(e), Style.TIME, screen=False),
            Column("clock", "TIME", lambda e: _clock(started(e)), priority=1, json=False),
            Column("host", "HOST", lambda e: e.host, priority=0),
            Column("way", "BY", lambda e: e.way, priority=6),
            Column(
                "exit_status",
                "EXIT",
                lambda e: Absent(e.trouble or "no exit status") if e.exit_status is None else e.exit_status,
                Style.NUMBER,
                priority=2,
                tone=tone,
            ),
            Column("seconds", "TOOK", lambda e: round(e.seconds, 3), Style.NUMBER, unit="s", priority=3),
            Column("bytes_in", "IN", lambda e: e.bytes_in, Style.BYTES, priority=4),
            Column("command", "COMMAND", lambda e: in_words(e.argv), priority=0, json=False),
            Column("quoted", "WHAT THE SHELL GOT", lambda e: e.quoted, screen=False),
            Column("trouble", "TROUBLE", lambda e: e.trouble or None, priority=5, tone=tone),
        ),
        rows=tuple(reversed(entries)),
        subject=_subject,
        empty="No remote command yet: the first is the login.",
    )


def _subject(entry: LogEntry) -> Subject:
    return Subject("command", (entry.host, repr(entry.started), entry.quoted))


class CommandsScreen(ViewScreen):
    """Follows the log while it is shown."""

    def __init__(
        self, hub: Hub, entries: Callable[[], Sequence[LogEntry]], started: Callable[[LogEntry], float]
    ) -> None:
        self._entries = entries
        self._started = started
        self._count = -1
        view = commands_view(entries(), started)
        super().__init__(hub, "every remote command", view, "Enter: exactly what the shell got")

    def beat(self) -> None:
        """About once a second: show what came since."""
        entries = self._entries()
        if len(entries) != self._count:
            self._count = len(entries)
            self.show(commands_view(entries, self._started))

    @on(messages.Opened)
    def _opened(self, message: messages.Opened) -> None:
        """Show one command in full."""
        message.stop()
        for entry in self._entries():
            if _subject(entry) == message.subject:
                view = command_view(entry, self._started(entry))
                self.app.push_screen(ViewScreen(self.hub, in_words(entry.argv)[:60], view))
                return
