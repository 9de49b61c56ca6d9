"""What every transport offers: run argv on a host, keep a stream open, and say why it can't."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from mleconsole.model.absent import Absent
from mleconsole.model.plan import Completed, Danger


class Trouble(Enum):
    """Why a host can't be had: it decides what is tried next and what the person reads."""

    UNREACHABLE = "unreachable"  # no route, refused, timed out: try again later
    DENIED = "denied"  # the host answers but does not let us in: try another reach
    HOST_KEY = "host_key"  # unknown and not accepted, or changed: never retried by itself
    SIGNED_OUT = "signed_out"  # signing in needs a person: waits for `r`
    LOGIN_LOST = "login_lost"  # the shared login connection is down: nothing about this host is known


@dataclass(frozen=True, slots=True)
class Unreached:
    """A failed attempt to reach a host."""

    kind: Trouble
    reason: str  # one sentence for the person, without the host's name


@dataclass(frozen=True, slots=True)
class Question:
    """What signing in asks of the person. `kind`: password | codes | passphrase | host_key."""

    kind: str
    title: str  # "alice@login.example.org"
    text: str = ""  # the server's own instruction, or the fingerprint sentence
    prompts: tuple[tuple[str, bool], ...] = ()  # (prompt, echo the answer)
    fingerprint: str = ""


#: Answers in the order of the prompts; ("yes",) accepts a host key; None: the person gave up.
Ask = Callable[[Question], Awaitable[tuple[str, ...] | None]]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One remote command for the command log. `quoted` is what the remote shell got; never its output."""

    host: str
    argv: tuple[str, ...]
    quoted: str
    started: float  # console monotonic seconds
    seconds: float
    exit_status: int | None
    trouble: str = ""
    bytes_in: int = 0
    way: str = "login"


class Stream(Protocol):
    """A remote program that keeps running: bytes arrive by the callback given to `stream`."""

    def write(self, data: bytes) -> None: ...
    async def wait(self) -> Completed:
        """Until it ended; stdout is not collected, stderr's last 4 KiB are."""
        ...

    def close(self) -> None:
        """Close its stdin and the channel."""
        ...


class Transport(Protocol):
    """One cluster's wires. `LOGIN` ("login") is the login host itself (or this machine); others are node names."""

    async def connect(self, host: str) -> Unreached | None:
        """Make sure `host` can be spoken to (a login, or a tunnel through it); never raises for expected trouble."""
        ...

    async def run(
        self,
        host: str,
        argv: Sequence[str],
        *,
        danger: Danger,
        deadline: float,
        stdin: bytes = b"",
        limit: int = 64 << 20,
    ) -> Completed:
        """Run argv and collect its output. Trouble is in Completed.trouble; past `deadline` seconds or `limit`
        bytes it is killed and says so."""
        ...

    async def stream(
        self, host: str, argv: Sequence[str], on_data: Callable[[bytes], None], *, danger: Danger, deadline: float
    ) -> Stream | Unreached:
        """Start argv and leave it running; `deadline` seconds bound the start only."""
        ...

    def address(self, host: str, address: str) -> None:
        """Tell how the login host resolves a node, when that is not its name."""
        ...

    async def forget(self, host: str) -> None:
        """Drop the connection to `host`, if any."""
        ...

    async def sign_in_again(self) -> None:
        """The person asked to sign in again after SIGNED_OUT."""
        ...

    async def close(self) -> None: ...

    @property
    def who(self) -> str:
        """user@login for the top line."""
        ...

    @property
    def user(self) -> str:
        """The account on the login host."""
        ...


class Denied(Exception):
    """The choke point's refusal: read-only, and the argv would do more than read."""


@dataclass(slots=True)
class Counters:
    """What we cost: shown on the screen and asserted by the benchmarks."""

    commands: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    login_connections: int = 0
    by_host: dict[str, int] = field(default_factory=dict)


def absent(unreached: Unreached) -> Absent:
    return Absent(unreached.reason)
