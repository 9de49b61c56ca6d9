"""LocalTransport: this machine is the login host; nodes are reached by its own ssh program, one process per command."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence

from mleconsole.model.plan import LOGIN, Completed, Danger
from mleconsole.transport.gate import Gate
from mleconsole.transport.interface import Counters, LogEntry, Stream, Trouble, Unreached
from mleconsole.transport.job import Job
from mleconsole.transport.quote import relay_argv
from mleconsole.transport.sharing import outcome
from mleconsole.transport.words import ssh_said

AT_ONCE = 16  # ssh processes that are connecting; each costs some 60 ms of CPU here
CONNECT_DEADLINE = 12.0  # seconds for ssh to get in; its own ConnectTimeout is 8
_CHUNK = 1 << 16


class LocalTransport:
    """A Transport (see interface.py) for the Target `local`. The user's ssh configuration holds; nobody is asked."""

    def __init__(
        self,
        *,
        gate: Gate,
        log: Callable[[LogEntry], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        ssh_config: str = "",
    ) -> None:
        self.counters = Counters()
        self._gate = gate
        self._log = log
        self._clock = clock
        self._ssh_config = ssh_config
        self._addresses: dict[str, str] = {}
        self._reached: set[str] = set()
        self._connecting: dict[str, asyncio.Task[Unreached | None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._running: set[_Process] = set()

    @property
    def who(self) -> str:
        return f"{self.user}@{socket.gethostname().split('.')[0]}"

    @property
    def user(self) -> str:
        try:
            return getpass.getuser()
        except (KeyError, OSError):  # a uid without a name
            return str(os.getuid())

    def address(self, host: str, address: str) -> None:
        if address:
            self._addresses[host] = address

    async def connect(self, host: str) -> Unreached | None:
        """For a node: whether ssh gets in. Callers at the same time share one attempt; a success is remembered."""
        if host == LOGIN or host in self._reached:
            return None
        attempt = self._connecting.get(host)
        if attempt is None or attempt.done():
            attempt = self._connecting[host] = asyncio.ensure_future(self._try(host))
        return await outcome(attempt)

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
        process: _Process | None = None
        try:
            process = await self._start(host, argv, job.out, job.err)
            job.started_as(process.kill)
            async with asyncio.timeout(deadline):
                process.write(stdin)
                process.write_eof()
                job.exit_status = await asyncio.shield(process.done)
            self._judge(job, process)
        except TimeoutError:
            job.late(deadline)
        except (OSError, ValueError) as error:
            self._not_started(job, error)
        finally:
            if process is not None:
                process.kill()
            self.counters.bytes_out += len(stdin)
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
            async with asyncio.timeout(deadline):
                unreached = await self.connect(host)
                if unreached is None:
                    process = await self._start(host, argv, self._counting(on_data), job.tail)
                    return _LocalStream(self, job, process)
        except TimeoutError:
            unreached = Unreached(Trouble.UNREACHABLE, f"it did not start within {deadline:g} s")
        except (OSError, ValueError) as error:
            unreached = Unreached(Trouble.UNREACHABLE, str(error))
        finally:
            job.trouble = unreached.reason if unreached is not None else ""
            self._tell(job)
        return unreached or Unreached(Trouble.UNREACHABLE, "it did not start")

    async def forget(self, host: str) -> None:
        self._reached.discard(host)

    async def sign_in_again(self) -> None:
        """Nobody signs in here; nodes that refused are tried anew by connect anyway."""

    async def close(self) -> None:
        """Kill everything that runs for us, on this machine with all its children."""
        for task in self._connecting.values():
            task.cancel()
        ending = [process.done for process in self._running]
        for process in tuple(self._running):
            process.kill()
        if ending:  # reaped before the loop closes: else asyncio complains on the person's terminal
            await asyncio.wait(ending, timeout=2.0)

    def _argv(self, host: str, argv: Sequence[str]) -> tuple[str, ...]:
        if host == LOGIN:
            return tuple(argv)
        relay = relay_argv(self._addresses.get(host, host), argv)
        return ("ssh", "-F", self._ssh_config, *relay[1:]) if self._ssh_config else relay

    async def _start(
        self, host: str, argv: Sequence[str], on_data: Callable[[bytes], None], on_error: Callable[[bytes], None]
    ) -> _Process:
        if not argv:
            raise ValueError("there is no command to run: argv is empty")
        loop = asyncio.get_running_loop()
        _, process = await loop.subprocess_exec(
            lambda: _Process(on_data, on_error, self._running), *self._argv(host, argv), start_new_session=True
        )
        self.counters.commands += 1
        self.counters.by_host[host] = self.counters.by_host.get(host, 0) + 1
        return process

    async def _try(self, host: str) -> Unreached | None:
        async with self._slots:
            done = await self.run(host, ("true",), danger=Danger.READS, deadline=CONNECT_DEADLINE)
        if done.exit_status == 0:
            self._reached.add(host)
            return None
        said = ssh_said(done.stderr, 255) if done.exit_status is None else None
        return said or Unreached(Trouble.UNREACHABLE, done.words())

    def _judge(self, job: Job, process: _Process) -> None:
        """ssh's own failure is trouble, and so is an end by a signal."""
        if job.exit_status is not None and job.exit_status < 0:
            job.trouble = job.trouble or f"it was ended by signal {signal.Signals(-job.exit_status).name}"
        elif job.host != LOGIN:
            unreached = ssh_said(job.completed(0.0).stderr, job.exit_status)
            if unreached is not None:
                job.trouble = unreached.reason
                self._reached.discard(job.host)

    def _not_started(self, job: Job, error: Exception) -> None:
        if isinstance(error, FileNotFoundError) and job.argv and job.host == LOGIN:
            job.exit_status = 127  # as a shell says it, so that a missing tool reads alike everywhere
            job.err(f"{job.argv[0]}: command not found\n".encode())
        else:
            job.trouble = str(error)

    def _counting(self, on_data: Callable[[bytes], None]) -> Callable[[bytes], None]:
        def data(data: bytes) -> None:
            self.counters.bytes_in += len(data)
            on_data(data)

        return data

    def _tell(self, job: Job) -> None:
        if self._log is not None:
            self._log(job.entry(self._clock(), "local" if job.host == LOGIN else "relay"))


class _Process(asyncio.SubprocessProtocol):
    """A child in a process group of its own. `done` ends when it exited and its output was read."""

    def __init__(
        self, on_data: Callable[[bytes], None], on_error: Callable[[bytes], None], running: set[_Process]
    ) -> None:
        self._on = {1: on_data, 2: on_error}
        self._running = running
        self._transport: asyncio.SubprocessTransport | None = None
        self.done: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport
        self._running.add(self)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._on[fd](data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish()

    def write(self, data: bytes) -> None:
        pipe = self._stdin()
        if data and pipe is not None:
            pipe.write(data)

    def write_eof(self) -> None:
        pipe = self._stdin()
        if pipe is not None:
            pipe.close()

    def kill(self) -> None:
        """SIGKILL for the child and all its children, and no waiting for pipes that a stray one keeps open."""
        if self._transport is None or self.done.done():
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._transport.get_pid(), signal.SIGKILL)
        self._transport.close()
        self._finish()

    def _stdin(self) -> asyncio.WriteTransport | None:
        pipe = self._transport.get_pipe_transport(0) if self._transport is not None else None
        return pipe if isinstance(pipe, asyncio.WriteTransport) and not pipe.is_closing() else None

    def _finish(self) -> None:
        self._running.discard(self)
        if self._transport is not None and not self.done.done():
            self.done.set_result(self._transport.get_returncode())


class _LocalStream:
    """A Stream over a child."""

    def __init__(self, transport: LocalTransport, job: Job, process: _Process) -> None:
        self._transport = transport
        self._job = job
        self._process = process

    def write(self, data: bytes) -> None:
        self._transport.counters.bytes_out += len(data)
        self._process.write(data)

    async def wait(self) -> Completed:
        self._job.exit_status = await asyncio.shield(self._process.done)
        self._transport._judge(self._job, self._process)
        return self._job.completed(self._transport._clock())

    def close(self) -> None:
        """End of its stdin; what does not end by that is killed a moment later."""
        self._process.write_eof()
        asyncio.get_running_loop().call_later(1.0, self._process.kill)
