"""Job: one argv on one host while it runs: its output so far, what it may not exceed, and how it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mleconsole.model.absent import Absent
from mleconsole.model.plan import Completed
from mleconsole.transport.interface import LogEntry
from mleconsole.transport.quote import quote

TAIL = 4096  # bytes of a stream's stderr that are kept


@dataclass(slots=True)
class Job:
    """`limit` bounds stdout and stderr together, in bytes; beyond it the program is killed."""

    host: str
    argv: tuple[str, ...]
    started: float
    limit: int
    exit_status: int | None = None
    trouble: str = ""
    waits: str = ""  # what it waits for before it begins
    bytes_in: int = 0
    _out: list[bytes] = field(default_factory=list)
    _err: list[bytes] = field(default_factory=list)
    _full: bool = False
    _kill: Callable[[], None] | None = None

    def started_as(self, kill: Callable[[], None]) -> None:
        """It runs, and `kill` ends it; its first output may have come, and been too much, before we are told."""
        self._kill = kill
        if self._full:
            kill()

    def out(self, data: bytes) -> None:
        self._take(self._out, data)

    def err(self, data: bytes) -> None:
        self._take(self._err, data)

    def tail(self, data: bytes) -> None:
        """stderr of a stream: the last TAIL bytes are kept."""
        self._err = [b"".join((*self._err, data))[-TAIL:]]

    def late(self, deadline: float | None) -> None:
        """The deadline passed (None: another limit of time did)."""
        if not self._full:
            within = f"within {deadline:g} s" if deadline is not None else "in time"
            self.trouble = f"{self.waits} {within}" if self.waits else f"no end {within}; it was stopped"

    def completed(self, now: float) -> Completed:
        return Completed(
            self.host,
            self.argv,
            None if self.trouble else self.exit_status,
            b"".join(self._out),
            b"".join(self._err),
            now - self.started,
            Absent(self.trouble) if self.trouble else None,
        )

    def entry(self, now: float, way: str) -> LogEntry:
        try:
            quoted = quote(self.argv)
        except ValueError:
            quoted = ""  # it was never sent
        seconds = now - self.started
        return LogEntry(
            self.host, self.argv, quoted, self.started, seconds, self.exit_status, self.trouble, self.bytes_in, way
        )

    def _take(self, store: list[bytes], data: bytes) -> None:
        if self._full:
            return
        room = self.limit - self.bytes_in
        store.append(data[:room])
        self.bytes_in += min(len(data), room)
        if len(data) > room:
            self._full = True
            self.trouble = f"more than {_size(self.limit)} of output; it was stopped"
            if self._kill is not None:
                self._kill()


def _size(count: int) -> str:
    for unit, size in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.4g} {unit}"
    return f"{count} bytes"
