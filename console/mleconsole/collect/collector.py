"""Collector: everything that waits on the network, in its own thread and event loop. Only frozen Fleets leave it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

from mleconsole.api import (
    CLUSTER,
    LOGIN,
    AgentProbe,
    CommandProbe,
    Completed,
    Event,
    Fleet,
    Outcome,
    Plan,
    Reach,
    Report,
    Situation,
    Step,
    Subject,
)
from mleconsole.collect.asking import Asking
from mleconsole.collect.bundle import make_bundle
from mleconsole.collect.hands import Hands, RunsPlans, RunStep, RunWorkflow
from mleconsole.collect.hostlink import Common, HostLink
from mleconsole.collect.hostset import wanted_hosts
from mleconsole.collect.inbox import Inbox
from mleconsole.collect.pacing import Pacing, intervals
from mleconsole.collect.status import CostMeter, Status
from mleconsole.collect.ways import Way, WrappedWay
from mleconsole.config.schema import Config
from mleconsole.plugin import Registry
from mleconsole.store import Store
from mleconsole.transport.interface import Counters, LogEntry, Transport, Trouble

T = TypeVar("T")
FIRST_TICKS = 0.1  # seconds between two Fleets while the first hosts answer
TICK = 0.5
MANY_HOSTS = 48  # beyond, a Fleet a second: GPUs are sampled no more often
QUIET_TICK = 1.0  # a Fleet is published at least this often, so that ages grow on screen
STARTS = 32  # hosts being connected at once
RELAYS = 5  # sessions of the login host (sshd gives 10) that links may hold; the rest is for commands
LOGIN_RETRY = 5.0  # seconds at most between two attempts
LOG_LENGTH = 2000


class Collector:
    """Implements `Collecting` live. Public methods may be called from any thread."""

    def __init__(
        self,
        config: Config,
        registry: Registry,
        store: Store,
        make_transport: Callable[[Callable[[LogEntry], None]], Transport],
        situation: Situation,
        reaches: Sequence[Reach] = (),
        *,
        make_runner: Callable[[RunStep], RunsPlans],
        run_workflow: RunWorkflow,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._registry = registry
        self._store = store
        self._make_transport = make_transport
        self._situation = situation
        self._reaches = tuple(reaches)
        self._runner = make_runner(self._run_step)
        self._run_workflow = run_workflow
        self._clock = clock
        self._log: deque[LogEntry] = deque(maxlen=LOG_LENGTH)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._pacing = Pacing(intervals=intervals(registry.probes.values(), config.interval))
        self._links: dict[str, tuple[HostLink, asyncio.Task[None]]] = {}
        self._askings: dict[str, Asking] = {}
        self._login = "connecting"
        self._login_sentence = ""
        self._login_since = clock()
        self._transport: Transport | None = None
        self._meter = CostMeter(clock)
        self._notices: dict[str, str] = {}
        self._dirty: asyncio.Event | None = None
        self._login_wake: asyncio.Event | None = None

    # -- from any thread ----------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread = threading.Thread(target=self._main, name="mleconsole-collect", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        loop, thread = self._loop, self._thread
        if thread is None:
            return
        self._ready.wait(5.0)
        loop = self._loop
        if loop is not None and thread.is_alive():
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._quit.set)
        thread.join(8.0)

    def need(self, probes: frozenset[str]) -> None:
        before = self._pacing.needed
        self._pacing = replace(self._pacing, needed=probes)
        self._soon(lambda: self._repace(probes - before))

    def idle(self, idle: bool) -> None:
        if idle != self._pacing.idle:
            self._pacing = replace(self._pacing, idle=idle)
            self._soon(lambda: self._repace(self._pacing.needed if not idle else frozenset()))

    def refresh(self) -> None:
        self._soon(self._ask_all_now)

    def sign_in_again(self) -> None:
        self._soon(self._sign_in_again)

    def perform(self, plan: Plan, on_result: Callable[[Step, Completed], None] | None) -> Future[Outcome]:
        return self._submit(self._perform(plan, on_result))

    def follow(
        self,
        workflow: str,
        subjects: Sequence[Subject],
        inputs: Mapping[str, Any],
        on_event: Callable[[Event], None] | None,
    ) -> Future[Report]:
        return self._submit(self._follow(workflow, subjects, inputs, on_event))

    def status(self) -> Status:
        links = [link for link, _ in list(self._links.values())]
        transport = self._transport
        return Status(
            who=transport.who if transport is not None else self._config.login or "this machine",
            login=self._login,
            sentence=self._login_sentence,
            since=self._login_since,
            hosts_known=len(links),
            hosts_answered=sum(1 for link in links if link.state == "live"),
            cpu_percent=self._meter.cpu_percent(),
            commands_per_minute=self._meter.per_minute(lambda: [entry.started for entry in list(self._log)]),
            notices=tuple(self._notices.values()) + tuple(self._registry.disabled.values()),
        )

    def waiting_for(self) -> tuple[str, ...]:
        if self._login in ("refused", "signed_out"):
            return ()
        if self._login != "live":
            return (f"signing in to {self._config.login or 'this machine'}",)
        waits: list[str] = []
        needed = self._pacing.needed
        probes = self._registry.probes
        fleet = self._store.fleet
        for asking in list(self._askings.values()):
            seen = fleet.seen(CLUSTER, asking.probe.id)
            if seen is None and (asking.probe.id in needed or asking.probe.always):
                waits.append(f"the answer of {asking.probe.id}")
        samplers = [p.id for p in probes.values() if isinstance(p, AgentProbe) and p.id in needed]
        for name, (link, _) in list(self._links.items()):
            if link.state in ("waiting", "connecting") or (
                link.state == "live" and any(fleet.seen(name, probe) is None for probe in samplers)
            ):
                waits.append(name)
        if not self._links and samplers and not self._discovered:
            waits.append("the list of nodes")
        if not waits and not self._inbox.judged:
            waits.append("the rules")
        return tuple(waits)

    def commands(self) -> Sequence[LogEntry]:
        return list(self._log)

    def counters(self) -> Counters:
        counters = getattr(self._transport, "counters", None)
        return counters if isinstance(counters, Counters) else Counters(commands=len(self._log))

    @property
    def situation(self) -> Situation:
        return self._situation

    def _soon(self, call: Callable[[], Any]) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(call)

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        self._ready.wait(5.0)
        loop = self._loop
        if loop is None or loop.is_closed():
            work.close()
            failed: Future[T] = Future()
            failed.set_exception(RuntimeError("the console is not collecting"))
            return failed
        return asyncio.run_coroutine_threadsafe(work, loop)

    # -- the thread ---------------------------------------------------------------------------------------------

    def _main(self) -> None:
        asyncio.run(self._life())

    async def _life(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._quit = asyncio.Event()
        self._dirty = asyncio.Event()
        self._login_up = asyncio.Event()
        self._login_wake = asyncio.Event()
        self._discovered = False
        self._inbox = Inbox(self._registry, self._store, self._clock)
        self._inbox.on_arrival = self._dirty.set
        self._transport = self._make_transport(self._log.append)
        self._common = self._make_common(self._transport)
        self._meter.start()
        for probe in self._registry.probes.values():
            if isinstance(probe, CommandProbe):
                self._askings[probe.id] = self._make_asking(probe)
        self._ready.set()
        tasks = [
            asyncio.ensure_future(self._keep_login()),
            asyncio.ensure_future(self._ticks()),
            *(asyncio.ensure_future(asking.run()) for asking in self._askings.values()),
        ]
        try:
            await self._quit.wait()
        finally:
            everything = tasks + [task for _, task in self._links.values()]
            for task in everything:
                task.cancel()
            await asyncio.wait(everything, timeout=3.0)
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._transport.close(), 3.0)

    def _make_asking(self, probe: CommandProbe) -> Asking:
        assert self._transport is not None
        return Asking(
            probe,
            self._transport,
            self._inbox,
            lambda: self._situation,
            lambda: self._pacing,
            self._login_up,
            self._clock,
            self._note,
        )

    def _make_common(self, transport: Transport) -> Common:
        bundle = make_bundle(self._registry.plugins.values())
        for plugin, sentence in bundle.troubles.items():
            self._registry.disable(plugin, sentence)
        probes = {p.sampler: p for p in self._registry.probes.values() if isinstance(p, AgentProbe)}
        ways: list[Way] = [Way(transport)]
        reaches = [*self._reaches, *(r for p in self._registry.plugins.values() for r in p.reaches)]
        ways += [WrappedWay(transport, reach, self._situation) for reach in sorted(reaches, key=lambda r: r.order)]

        def settings() -> dict[str, Any]:
            return {
                "periods": {sampler: self._pacing.period(probe) for sampler, probe in probes.items()},
                "deadlines": {sampler: probe.deadline for sampler, probe in probes.items()},
                "on_change": [sampler for sampler, probe in probes.items() if probe.on_change],
                "options": {"filesystems": list(self._config.filesystems), "tools": dict(self._config.tools)},
            }

        return Common(
            inbox=self._inbox,
            bundle=bundle,
            probes=probes,
            ways=ways,
            clock=self._clock,
            login_up=self._login_up,
            start_slots=asyncio.Semaphore(STARTS),
            relay_slots=asyncio.Semaphore(RELAYS),
            settings=settings,
            pacing=lambda: self._pacing,
            fleet=lambda: self._inbox.fleet,
            on_trouble=self._note,
            forget=lambda host: asyncio.ensure_future(transport.forget(host)),
        )

    def _note(self, probe: str, sentence: str) -> None:
        self._notices[probe] = sentence

    # -- login --------------------------------------------------------------------------------------------------

    async def _keep_login(self) -> None:
        """Connect to the login host and stay connected; what needs a person waits for the person."""
        transport = self._transport
        assert transport is not None and self._login_wake is not None
        failures = 0
        while True:
            unreached = await transport.connect(LOGIN)
            if unreached is None:
                failures = 0
                if self._login != "live":
                    self._become("live", "")
                    if transport.user:
                        self._situation = replace(self._situation, user=transport.user)
                    self._login_up.set()
                pause = 1.0
            else:
                self._login_up.clear()
                by_person = unreached.kind in (Trouble.SIGNED_OUT, Trouble.HOST_KEY, Trouble.DENIED)
                state = "signed_out" if unreached.kind is Trouble.SIGNED_OUT else "refused" if by_person else "lost"
                self._become(state, unreached.reason)
                failures += 1
                pause = 3600.0 if by_person else min(LOGIN_RETRY, 2.0 ** (failures - 2)) * random.uniform(0.7, 1.0)
            self._login_wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._login_wake.wait(), pause)

    def _become(self, login: str, sentence: str) -> None:
        if (login, sentence) != (self._login, self._login_sentence):
            self._login_since = self._clock()
        self._login, self._login_sentence = login, sentence
        if self._dirty is not None:
            self._dirty.set()

    def _sign_in_again(self) -> None:
        transport, wake = self._transport, self._login_wake
        if transport is not None and wake is not None and self._login != "live":

            async def again() -> None:
                self._become("connecting", "")
                await transport.sign_in_again()
                wake.set()

            self._again = asyncio.ensure_future(again())

    # -- the tick -----------------------------------------------------------------------------------------------

    async def _ticks(self) -> None:
        dirty = self._dirty
        assert dirty is not None
        began = self._clock()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(dirty.wait(), QUIET_TICK)
            dirty.clear()
            changed = self._inbox.tick()
            self._discover(self._inbox.fleet)
            if changed:
                for link, _ in self._links.values():
                    if link.state in ("lost", "refused") and link.newly_usable():
                        link.reconsider()
            many = len(self._links) > MANY_HOSTS
            early = self._clock() - began < 3.0
            await asyncio.sleep(FIRST_TICKS if early else 2 * TICK if many else TICK)

    def _discover(self, fleet: Fleet) -> None:
        """Start links to hosts that are wanted and have none; end links to hosts that are gone."""
        if self._login != "live":
            return
        troubles = {a.probe.id: a.trouble for a in self._askings.values()}
        wanted = wanted_hosts(fleet, self._registry, self._config, self._situation, troubles, self._answered())
        if wanted is None:
            return
        self._discovered = True
        assert self._transport is not None
        for name, address in wanted.items():
            if name not in self._links:
                if address and address != name:
                    self._transport.address(name, address)
                link = HostLink(name, self._common)
                self._links[name] = (link, asyncio.ensure_future(link.run()))
        for name in [name for name in self._links if name not in wanted]:
            _, task = self._links.pop(name)
            task.cancel()
            self._inbox.drop_host(name)

    def _answered(self) -> bool:
        return all(asking.answered for asking in self._askings.values() if asking.probe.always)

    def _repace(self, fresh: frozenset[str]) -> None:
        for link, _ in self._links.values():
            link.pace()
        for probe in fresh:
            if probe in self._askings:
                self._askings[probe].now()

    def _ask_all_now(self) -> None:
        for asking in self._askings.values():
            asking.now()
        for link, _ in self._links.values():
            link.once()
            link.reconsider()
        if self._login_wake is not None and self._login == "lost":
            self._login_wake.set()

    # -- doing --------------------------------------------------------------------------------------------------

    async def _run_step(self, step: Step, plan: Plan) -> Completed:
        assert self._transport is not None
        if step.host == LOGIN:
            return await self._transport.run(
                LOGIN, step.argv, danger=plan.danger, deadline=step.deadline, stdin=step.stdin
            )
        found = self._links.get(step.host)
        if found is None:
            return await self._transport.run(
                step.host, step.argv, danger=plan.danger, deadline=step.deadline, stdin=step.stdin
            )
        return await found[0].command(step.argv, plan.danger, step.deadline, step.stdin)

    async def _perform(self, plan: Plan, on_result: Callable[[Step, Completed], None] | None) -> Outcome:
        outcome = await self._runner.run(plan, on_result)
        self._ask_all_now()
        return outcome

    async def _follow(
        self,
        workflow: str,
        subjects: Sequence[Subject],
        inputs: Mapping[str, Any],
        on_event: Callable[[Event], None] | None,
    ) -> Report:
        hands = Hands(
            situation=self._situation,
            run_plan=lambda plan: self._runner.run(plan, None),
            hosts=lambda: [name for name, (link, _) in self._links.items() if link.state == "live"],
            on_event=on_event,
            clock=self._clock,
        )
        return await self._run_workflow(hands, workflow, subjects, inputs)
