"""The command log: every remote command this console ran, with its time, length, exit status and bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mleconsole.app.screens.framed import Hub
from mleconsole.app.screens.looking import ViewScreen
from mleconsole.model.absent import Absent
from mleconsole.model.view import Column, Style, Table, Tone
from mleconsole.transport.interface import LogEntry


def commands_view(entries: Sequence[LogEntry], started: Callable[[LogEntry], float]) -> Table:
    """Newest first; `started` gives an entry's epoch seconds on this machine."""

    def tone(entry: LogEntry) -> Tone:
        return Tone.WARN if entry.trouble or entry.exit_status else Tone.PLAIN

    return Table(
        columns=(
            Column("started", "TIME", lambda e: started(e), Style.TIME, priority=1),
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
            Column("command", "COMMAND", lambda e: e.quoted, width=0, priority=0),
            Column("trouble", "TROUBLE", lambda e: e.trouble or None, priority=5, tone=tone),
        ),
        rows=tuple(reversed(entries)),
        subject=lambda entry: None,
        empty="No remote command yet: the first is the login.",
    )


class CommandsScreen(ViewScreen):
    """Follows the log while it is shown."""

    def __init__(
        self, hub: Hub, entries: Callable[[], Sequence[LogEntry]], started: Callable[[LogEntry], float]
    ) -> None:
        self._entries = entries
        self._started = started
        self._count = -1
        view = commands_view(entries(), started)
        super().__init__(hub, "every remote command", view, "what we ran, as the shell got it")

    def beat(self) -> None:
        """About once a second: show what came since."""
        entries = self._entries()
        if len(entries) != self._count:
            self._count = len(entries)
            self.show(commands_view(entries, self._started))
