"""SshTransport: a cluster over SSH: one login connection, nodes tunnelled through it, all gated and logged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mleconsole.model.plan import LOGIN, Completed, Danger
from mleconsole.transport.gate import Gate
from mleconsole.transport.hostkeys import own_file
from mleconsole.transport.interface import Ask, Counters, LogEntry, Stream, Trouble, Unreached
from mleconsole.transport.job import Job
from mleconsole.transport.nodes import Nodes
from mleconsole.transport.quote import quote
from mleconsole.transport.signin import Login
from mleconsole.transport.trust import CLUSTER_LIST, Trust

if TYPE_CHECKING:
    from mleconsole.transport.wire import Channel, Wire

_LIST_DEADLINE = 10.0


class SshTransport:
    """A Transport (see interface.py). To be made and used within one running event loop.

    `login` is an ssh destination; with `ask` None nobody is asked anything. `keepalive` seconds of silence, three times
    over, and a connection is lost. `known_hosts_file` is where accepted host keys are kept (default: own_file()).
    """

    def __init__(
        self,
        login: str,
        *,
        ssh_config: str = "",
        ask: Ask | None,
        gate: Gate,
        log: Callable[[LogEntry], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        keepalive: float = 10.0,
        known_hosts_file: Path | None = None,
        connect_timeout: float = 10.0,
    ) -> None:
        self.counters = Counters()
        self._gate = gate
        self._log = log
        self._clock = clock
        self._trust = Trust(known_hosts_file or own_file(), ask, self._cluster_list)
        self._login = Login(
            login, ssh_config, ask, self._trust, self.counters, keepalive=keepalive, timeout=connect_timeout
        )
        self._nodes = Nodes(self._login, self._trust, keepalive=keepalive, timeout=connect_timeout)
        self._closed = False

    @property
    def who(self) -> str:
        """user@login for the top line."""
        point = self._login.endpoint
        return point.title if point is not None else self._login.destination

    @property
    def user(self) -> str:
        """The account on the login host; "" before it is known."""
        return self._login.user

    @property
    def key_sources(self) -> dict[str, str]:
        """{node: the file and line that made its host key trusted}."""
        return dict(self._trust.source)

    def address(self, host: str, address: str) -> None:
        self._nodes.address(host, address)

    async def connect(self, host: str) -> Unreached | None:
        """Make sure `host` can be spoken to. A node is LOGIN_LOST while the login connection is down: connect LOGIN."""
        if self._closed:
            return Unreached(Trouble.LOGIN_LOST, "the session is closed")
        return await (self._login.connect() if host == LOGIN else self._nodes.connect(host))

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
        """Run argv and collect its output. Raises Denied when the gate refuses; all other trouble is in the answer."""
        self._gate.check(danger, argv)
        job = Job(host, tuple(argv), self._clock(), limit)
        channel: Channel | None = None
        try:
            line = quote(argv)
            async with asyncio.timeout(deadline) as clock:
                wire = await self._wire(host, for_command=True)
                if isinstance(wire, Unreached):
                    job.trouble = wire.reason
                else:
                    job.waits = "no session was free"
                    channel = await wire.session(line, job.out, job.err)
                    job.waits = ""
                    job.started_as(channel.kill)
                    self._count(host, len(line) + len(stdin))
                    if stdin:
                        channel.write(stdin)
                    channel.write_eof()
                    job.exit_status = await asyncio.shield(channel.done)
                    job.trouble = job.trouble or self._words(host, channel.words)
        except TimeoutError:
            job.late(deadline if clock.expired() else None)
        except (OSError, ValueError) as error:
            job.trouble = self._words(host, str(error))
        finally:
            if channel is not None:
                channel.kill()
            self.counters.bytes_in += job.bytes_in
            self._tell(job)
        return job.completed(self._clock())

    async def stream(
        self, host: str, argv: Sequence[str], on_data: Callable[[bytes], None], *, danger: Danger, deadline: float
    ) -> Stream | Unreached:
        """Start argv and leave it running. Raises Denied when the gate refuses."""
        self._gate.check(danger, argv)
        job = Job(host, tuple(argv), self._clock(), 0)
        unreached: Unreached | None = None
        try:
            line = quote(argv)
            async with asyncio.timeout(deadline):
                wire = await self._wire(host, for_command=False)
                if isinstance(wire, Unreached):
                    unreached = wire
                    return wire
                started = SshStream(job, on_data, self.counters, self._clock)
                started.channel = await wire.session(line, started.data, job.tail, lasting=True)
                self._count(host, len(line))
                return started
        except TimeoutError:
            unreached = Unreached(Trouble.UNREACHABLE, f"no session was free, or none began, within {deadline:g} s")
        except (OSError, ValueError) as error:
            lost = host != LOGIN and self._login.up is None
            kind = Trouble.LOGIN_LOST if lost else Trouble.UNREACHABLE
            unreached = Unreached(kind, self._words(host, str(error)))
        finally:
            job.trouble = unreached.reason if unreached is not None else ""
            self._tell(job)
        return unreached

    async def forget(self, host: str) -> None:
        """Drop the connection to `host`. The login connection stays when only a person could make it anew."""
        if host != LOGIN:
            await self._nodes.forget(host)
        elif not self._login.interactive:
            await self._login.drop()

    async def sign_in_again(self) -> None:
        """The person asked to sign in: forget what was refused or declined, and try."""
        await self._login.again()
        self._nodes.again()
        await self._login.connect()

    async def close(self) -> None:
        self._closed = True
        await self._nodes.close()
        await self._login.close()

    async def _wire(self, host: str, *, for_command: bool) -> Wire | Unreached:
        """The connection to use, made when there was none yet; a lost login connection is never remade here."""
        if host == LOGIN:
            if self._login.up is None:
                if self._login.tried and self._login.refused is None and not self._login.signing_in:
                    return Unreached(Trouble.LOGIN_LOST, self._login.lost_words)
                unreached = await self.connect(LOGIN)
                if unreached is not None:
                    return unreached
            wire = await self._login.commands() if for_command else self._login.up
        else:
            unreached = await self.connect(host)
            if unreached is not None:
                return unreached
            wire = self._nodes.up(host)
        return wire if wire is not None else Unreached(Trouble.LOGIN_LOST, self._login.lost_words)

    def _words(self, host: str, words: str) -> str:
        return self._login.lost_words if words and host != LOGIN and self._login.up is None else words

    def _count(self, host: str, sent: int) -> None:
        self.counters.commands += 1
        self.counters.bytes_out += sent
        self.counters.by_host[host] = self.counters.by_host.get(host, 0) + 1

    def _tell(self, job: Job) -> None:
        if self._log is not None:
            self._log(job.entry(self._clock(), "login"))

    async def _cluster_list(self) -> str | None:
        done = await self.run(LOGIN, CLUSTER_LIST, danger=Danger.READS, deadline=_LIST_DEADLINE)
        return done.text if done.trouble is None else None


class SshStream:
    """A Stream over a channel."""

    channel: Channel

    def __init__(
        self, job: Job, on_data: Callable[[bytes], None], counters: Counters, clock: Callable[[], float]
    ) -> None:
        self._job = job
        self._on_data = on_data
        self._counters = counters
        self._clock = clock

    def data(self, data: bytes) -> None:
        self._counters.bytes_in += len(data)
        self._on_data(data)

    def write(self, data: bytes) -> None:
        self._counters.bytes_out += len(data)
        self.channel.write(data)

    async def wait(self) -> Completed:
        self._job.exit_status = await asyncio.shield(self.channel.done)
        if self.channel.words:
            self._job.trouble = self.channel.words
        return self._job.completed(self._clock())

    def close(self) -> None:
        self.channel.close()
