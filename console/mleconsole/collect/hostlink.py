"""HostLink: keeps one agent running on one host, by the first way that works, and heals by itself."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mleconsole.api import LOGIN, Absent, AgentProbe, Completed, Danger, Fleet, Host, Observation
from mleconsole.collect import frames
from mleconsole.collect.bundle import Bundle
from mleconsole.collect.inbox import Inbox
from mleconsole.collect.pacing import Pacing
from mleconsole.collect.ways import TRY_ANOTHER, Way
from mleconsole.model.fleet import Arrival
from mleconsole.transport.interface import Stream, Trouble, Unreached

START_DEADLINE = 15.0  # seconds for a way to open and for the agent's first frame after that
BEAT_EVERY = 25.0  # seconds; the agent ends 60 s after the last, and one that is lost on the way does no harm
CHECK_EVERY = 2.5  # seconds
SILENCE = 4.0  # seconds without a frame after which the agent is asked whether it lives
GIVE_UP = 10.0  # seconds without a frame after which the link is taken for dead and made anew
LONGEST_PAUSE = 5.0  # seconds between two attempts at most: what is repaired shows within 15 s
_UNCHANGED = Observation()


@dataclass(frozen=True, slots=True)
class Common:
    """What all links share."""

    inbox: Inbox
    bundle: Bundle
    probes: Mapping[str, AgentProbe]  # by sampler name
    ways: Sequence[Way]
    clock: Callable[[], float]
    login_up: asyncio.Event
    start_slots: asyncio.Semaphore  # how many hosts are being connected at once
    relay_slots: asyncio.Semaphore  # sessions on the login host that links may hold for ever
    settings: Callable[[], dict[str, Any]]
    pacing: Callable[[], Pacing]
    fleet: Callable[[], Fleet]
    on_trouble: Callable[[str, str], None]  # (probe id, sentence): a parser raised
    forget: Callable[[str], Any]


class HostLink:
    """State machine of one host: waiting -> connecting -> live -> lost | refused, and again."""

    def __init__(self, name: str, common: Common) -> None:
        self.name = name
        self._common = common
        self.state = "waiting"
        self.reason = ""
        self.way: Way | None = None
        self._since = common.clock()
        self._stream: Stream | None = None
        self._heard = 0.0
        self._reader = frames.FrameReader()
        self._hello = asyncio.Event()
        self._wake = asyncio.Event()
        self._cpu: float | Absent = Absent("not measured yet")
        self._bytes = 0
        self._samples = 0
        self._fault = ""
        self._unusable: dict[str, str] = {}
        self.answered = False

    # -- life ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled; closing the stream's stdin makes the agent end."""
        failures = 0
        try:
            while True:
                if self.name != LOGIN:
                    await self._common.login_up.wait()
                began = self._common.clock()
                await self._attempt()
                lived = self._common.clock() - began if self.answered else 0.0
                failures = 0 if lived > 30.0 else failures + 1
                self.answered = False
                pause = min(LONGEST_PAUSE, 0.5 * 2.0 ** min(failures, 5)) * random.uniform(0.5, 1.0)
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), pause)
        finally:
            self._close()

    def reconsider(self) -> None:
        """A way that could not be used may be usable now, or the person asked: try at once."""
        if self.state in ("lost", "refused"):
            self._wake.set()

    def newly_usable(self) -> bool:
        """True when a way that was not usable at the last attempt now is."""
        if self.state not in ("lost", "refused") or not self._unusable:
            return False
        fleet = self._common.fleet()
        return any(way.id in self._unusable and way.usable(fleet, self.name) is None for way in self._common.ways)

    async def _attempt(self) -> None:
        if self.state == "waiting":
            self._become("connecting", "")
        said: list[str] = []
        denied = False
        self._unusable = {}
        for way in self._common.ways:
            reason = way.usable(self._common.fleet(), self.name)
            if reason is not None:
                self._unusable[way.id] = reason
                said.append(f"{way.title}: {reason}" if said else reason)
                continue
            failed = await self._try(way)
            if failed is None:
                return
            if failed.kind is Trouble.LOGIN_LOST:
                self._become("lost", failed.reason)
                return
            said.append(failed.reason if not said else f"{way.title}: {failed.reason}")
            if failed.kind not in TRY_ANOTHER:
                if not denied:
                    self._become("lost" if failed.kind is not Trouble.HOST_KEY else "refused", failed.reason)
                    return
                continue
            denied = True
        self._become("refused" if denied else "lost", "; ".join(said))

    async def _try(self, way: Way) -> Unreached | None:
        """One way; None when the agent lived for a while (and has ended now)."""
        held = self._common.relay_slots if way.id not in ("login", "local") else None
        if held is not None and held.locked():
            return Unreached(Trouble.DENIED, "the login host's sessions are all in use by other hosts")
        async with contextlib.AsyncExitStack() as stack:
            if held is not None:
                await stack.enter_async_context(held)
            self._reader = frames.FrameReader()
            self._hello.clear()
            self._fault = ""
            async with self._common.start_slots:
                started = await way.stream(
                    self._common.fleet(), self.name, self._common.bundle.argv, self._data, START_DEADLINE
                )
                if isinstance(started, Unreached):
                    return started
                self._stream = started
                self.way = way
                started.write(self._common.bundle.first_bytes(self._common.settings()))
                ended = asyncio.ensure_future(started.wait())
                hello = asyncio.ensure_future(self._hello.wait())
                try:
                    await asyncio.wait({ended, hello}, timeout=START_DEADLINE, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    hello.cancel()
            if not self._hello.is_set():
                failed = await self._not_started(ended)
                self._close()
                return failed
            self._become("live", "")
            self.answered = True
            try:
                reason = await self._live(started, ended)
            finally:
                ended.cancel()
                self._close()
            self._become("lost", reason)
            self._silence_probes(reason)
            return None

    async def _not_started(self, ended: asyncio.Future[Completed]) -> Unreached:
        if self._fault:
            ended.cancel()
            return Unreached(Trouble.UNREACHABLE, f"its agent's answer is not ours: {self._fault}")
        if not ended.done():
            ended.cancel()
            return Unreached(Trouble.UNREACHABLE, f"its agent did not start within {START_DEADLINE:.0f} s")
        done = ended.result()
        words = done.words()
        kind = Trouble.UNREACHABLE
        if done.exit_status is not None and done.exit_status == 255 and self.way is not None and self.way.order > 0:
            kind = Trouble.DENIED  # the inner ssh could not get in: another way may
        return Unreached(kind, words)

    async def _live(self, stream: Stream, ended: asyncio.Future[Completed]) -> str:
        """Beat until the link ends or falls silent; why it ended."""
        beat_at = self._common.clock()
        while True:
            done, _ = await asyncio.wait({ended}, timeout=CHECK_EVERY)
            now = self._common.clock()
            if self._fault:
                return f"its agent's answer is not ours: {self._fault}"
            if done:
                completed = ended.result()
                return f"agent ended: {completed.words()}" if completed.exit_status else "agent ended"
            silent = now - self._heard
            if silent > GIVE_UP:
                # Half-open: the tunnel would take keepalive's half minute to notice; the host answers no frame.
                if self.way is not None and self.way.order == 0:
                    self._common.forget(self.name)
                return f"silent for {silent:.0f} s"
            if now - beat_at >= BEAT_EVERY or silent > SILENCE:
                beat_at = now
                stream.write(frames.beat())

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(Exception):
                stream.close()

    # -- what it says -------------------------------------------------------------------------------------------

    def pace(self) -> None:
        """Tell the agent the present periods."""
        if self._stream is not None and self._hello.is_set():
            pacing = self._common.pacing()
            self._stream.write(frames.periods({s: pacing.period(p) for s, p in self._common.probes.items()}))

    def once(self) -> None:
        """Ask every sampler now."""
        if self._stream is not None and self._hello.is_set():
            pacing = self._common.pacing()
            for sampler, probe in self._common.probes.items():
                if probe.id in pacing.needed:
                    self._stream.write(frames.once(sampler))

    def _data(self, data: bytes) -> None:
        if self._fault:
            return
        self._heard = self._common.clock()
        self._bytes += len(data)
        try:
            heard = self._reader.feed(data)
        except frames.FrameError as error:
            self._fault = str(error)
            if self._stream is not None:
                self._stream.close()
            return
        for frame in heard:
            self._frame(frame)

    def _frame(self, frame: frames.Frame) -> None:
        if frame.type == "hello":
            self._hello.set()
            return
        if frame.type == "want":
            if self._stream is not None:
                self._stream.write(self._common.bundle.module(frame.name))
            return
        if frame.type == "cost":
            self._cost(frame)
            return
        probe = self._common.probes.get(frame.name)
        if probe is None:
            return
        now = self._common.clock()
        if frame.type == "a":
            self._common.inbox.put(Arrival(self.name, probe.id, now, trouble=Absent(frame.reason)))
            return
        if frame.type == "=":
            self._common.inbox.put(Arrival(self.name, probe.id, now, _UNCHANGED))
            return
        if frame.type == "s":
            self._samples += 1
            try:
                observation = probe.parse(frame.data, self.name)
            except Exception as error:  # a parser met something new: its own cells alone are absent
                sentence = f"{probe.id} could not be read: {type(error).__name__}: {error}"
                self._common.on_trouble(probe.id, sentence)
                self._common.inbox.put(Arrival(self.name, probe.id, now, trouble=Absent(sentence)))
                return
            self._common.inbox.put(Arrival(self.name, probe.id, now, observation))

    def _cost(self, frame: frames.Frame) -> None:
        self._cpu = frame.cpu
        self._tell()

    def _silence_probes(self, reason: str) -> None:
        now = self._common.clock()
        for probe in self._common.probes.values():
            if self._common.fleet().seen(self.name, probe.id) is not None:
                self._common.inbox.put(Arrival(self.name, probe.id, now, trouble=Absent(reason)))

    def _become(self, state: str, reason: str) -> None:
        if state != self.state:
            self._since = self._common.clock()
        if state != self.state or reason != self.reason:
            self.state, self.reason = state, reason
            self._tell()

    def _tell(self) -> None:
        way = self.way
        per_sample = self._bytes / self._samples if self._samples else None
        self._common.inbox.put_host(
            Host(
                name=self.name,
                state=self.state,
                reason=self.reason,
                reach=way.id if way is not None and self.state == "live" else "",
                since=self._since,
                agent="running" if self.state == "live" else "",
                agent_cpu_percent=self._cpu,
                bytes_per_sample=per_sample if per_sample is not None else Absent("not measured yet"),
                host=self.name,
            )
        )

    async def command(self, argv: Sequence[str], danger: Danger, deadline: float, stdin: bytes) -> Completed:
        """Run argv on this host by the way that its agent came."""
        way = self.way or self._common.ways[0]
        return await way.run(self._common.fleet(), self.name, argv, danger, deadline, stdin)
