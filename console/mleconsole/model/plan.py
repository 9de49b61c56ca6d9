"""Plan: the exact argv per host that an action would run, shown verbatim before it runs; and what came of it."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from mleconsole.model.absent import Absent

#: The name under which steps address the login host (or this machine, for the Target `local`).
LOGIN = "login"


class Danger(IntEnum):
    """How dangerous an action is, mildest first. `--read-only` lets only READS through the transport."""

    READS = 0
    LOADS = 1
    CHANGES = 2
    DESTROYS = 3


class Step(msgspec.Struct, frozen=True):
    """One argv on one host. `label` names the thing it is about (a rank, a job) in results."""

    host: str
    argv: tuple[str, ...]
    label: str = ""
    deadline: float = 20.0  # seconds
    stdin: bytes = b""


class Plan(msgspec.Struct, frozen=True):
    """What would happen, verbatim. `consequences` are sentences for the confirmation dialog."""

    title: str
    steps: tuple[Step, ...]
    danger: Danger
    consequences: tuple[str, ...] = ()
    action: str = ""  # id of the action or workflow it comes from, for the audit line
    secrets: tuple[str, ...] = ()  # texts that no audit line may hold
    local: bool = False  # done by the console itself (copy, open a shell): no step leaves this machine by transport


class Completed(msgspec.Struct, frozen=True):
    """What one argv on one host gave. `trouble` is set when it could not run or gave no exit status."""

    host: str
    argv: tuple[str, ...]
    exit_status: int | None
    stdout: bytes = b""
    stderr: bytes = b""
    seconds: float = 0.0
    trouble: Absent | None = None

    @property
    def ok(self) -> bool:
        return self.trouble is None and self.exit_status == 0

    @property
    def text(self) -> str:
        return self.stdout.decode("utf-8", "replace")

    def words(self) -> str:
        """One sentence about a failure: the tool's own last line of stderr, else the trouble, else the exit status."""
        if self.trouble is not None:
            return self.trouble.reason
        said = [line for line in self.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        if said:
            return said[-1].strip()
        return f"exit status {self.exit_status}"


class Outcome(msgspec.Struct, frozen=True):
    """A Plan after it ran: its steps with their results, in order."""

    plan: Plan
    results: tuple[tuple[Step, Completed], ...] = ()

    @property
    def ok(self) -> bool:
        return all(completed.ok for _, completed in self.results)
