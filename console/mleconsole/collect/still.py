"""StillCollector: a session's engine over a Fleet that is already there: recordings, pictures, tests."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from mleconsole.api import Absent, Completed, Danger, Event, Outcome, Plan, Report, Situation, Step, Subject
from mleconsole.collect.status import Status
from mleconsole.model.alert import Alert
from mleconsole.model.fleet import Fleet
from mleconsole.model.kinds import Host
from mleconsole.store import Store
from mleconsole.transport.interface import Counters, LogEntry

T = TypeVar("T")
Respond = Callable[[Step], "Completed | Awaitable[Completed]"]
OnEvent = Callable[[Event], None]
Procedure = Callable[[str, Sequence[Subject], Mapping[str, Any], OnEvent], Awaitable[Report]]

LOG_ENTRIES = 2000
STOP_SECONDS = 5.0
NOTHING_RUNS = "nothing can be run here: this is a picture of the cluster, not the cluster"


class StillCollector:
    """Publishes `fleet` once at :meth:`start` and whatever :meth:`show` is given later.

    `respond` answers one Step (a value or an awaitable; it runs on the collector's own thread); without it every step
    is a Completed with trouble. `procedure` runs workflows; without it they end in an undetermined Report.
    `status` gives the Status anew at every call. Satisfies `mleconsole.session.Collecting`.
    """

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        *,
        status: Callable[[], Status],
        alerts: Sequence[Alert] = (),
        situation: Situation | None = None,
        respond: Respond | None = None,
        procedure: Procedure | None = None,
        on_sign_in: Callable[[], None] | None = None,
        log: Sequence[LogEntry] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._alerts = tuple(alerts)
        self._status = status
        self._situation = situation or Situation()
        self._respond = respond
        self._procedure = procedure
        self._on_sign_in = on_sign_in
        self._log: deque[LogEntry] = deque(log, maxlen=LOG_ENTRIES)
        self._clock = clock
        self._counters = Counters()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self.needed: frozenset[str] = frozenset()
        self.is_idle = False
        self.refreshes = 0

    def start(self) -> None:
        """Publish the fleet; the thread that answers plans begins with the first one."""
        if self._loop is not None:
            return
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(self._loop,), name="still-collector", daemon=True)
        self._thread.start()
        self.show(self._fleet, self._alerts)

    def show(self, fleet: Fleet, alerts: Sequence[Alert] | None = None) -> None:
        """Publish another fleet (the next picture)."""
        self._fleet = fleet
        self._store.history.remember(fleet)
        self._store.publish(fleet, alerts)

    def stop(self) -> None:
        """Cancel what runs and end the thread."""
        loop, thread = self._loop, self._thread
        self._loop = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(STOP_SECONDS)

    def need(self, probes: frozenset[str]) -> None:
        self.needed = probes

    def idle(self, idle: bool) -> None:
        self.is_idle = idle

    def perform(self, plan: Plan, on_result: Callable[[Step, Completed], None] | None) -> Future[Outcome]:
        """All steps at once, each answered by `respond`; results keep the order of the steps."""
        return self._submit(self._perform(plan, on_result))

    def follow(
        self,
        workflow: str,
        subjects: Sequence[Subject],
        inputs: Mapping[str, Any],
        on_event: Callable[[Event], None] | None,
    ) -> Future[Report]:
        return self._submit(self._follow(workflow, subjects, inputs, on_event or (lambda event: None)))

    def sign_in_again(self) -> None:
        if self._on_sign_in is not None:
            self._on_sign_in()

    def refresh(self) -> None:
        """Publish the same fleet again, as newer."""
        self.refreshes += 1
        kinds, seen, source = self._fleet.parts()
        self.show(Fleet(kinds, seen, source, self._fleet.now, self._fleet.serial + 1))

    def status(self) -> Status:
        return self._status()

    def waiting_for(self) -> tuple[str, ...]:
        return tuple(f"{host.name}: {host.state}" for host in self._fleet.of(Host) if host.state == "connecting")

    def commands(self) -> Sequence[LogEntry]:
        return tuple(self._log)

    def counters(self) -> Counters:
        return self._counters

    @property
    def situation(self) -> Situation:
        return self._situation

    # ------------------------------------------------------------------ the collector's own thread

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            if tasks:
                loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        finally:
            loop.close()

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        loop = self._loop
        if loop is None:
            work.close()
            ended: Future[T] = Future()
            ended.cancel()
            return ended
        return asyncio.run_coroutine_threadsafe(work, loop)

    async def _perform(self, plan: Plan, on_result: Callable[[Step, Completed], None] | None) -> Outcome:
        async def one(step: Step) -> tuple[Step, Completed]:
            completed = await self._answer(plan, step)
            if on_result is not None:
                on_result(step, completed)
            return step, completed

        return Outcome(plan, tuple(await asyncio.gather(*(one(step) for step in plan.steps))))

    async def _answer(self, plan: Plan, step: Step) -> Completed:
        if self._situation.read_only and plan.danger > Danger.READS:
            return Completed(step.host, step.argv, None, trouble=Absent("refused: this console is read-only"))
        if self._respond is None:
            return Completed(step.host, step.argv, None, trouble=Absent(NOTHING_RUNS))
        began = self._clock()
        given = self._respond(step)
        completed = await given if inspect.isawaitable(given) else given
        self._counters.commands += 1
        self._counters.bytes_in += len(completed.stdout)
        self._log.append(
            LogEntry(
                host=step.host,
                argv=step.argv,
                quoted=" ".join(step.argv),
                started=began,
                seconds=self._clock() - began,
                exit_status=completed.exit_status,
                trouble=completed.trouble.reason if completed.trouble is not None else "",
                bytes_in=len(completed.stdout),
            )
        )
        return completed

    async def _follow(
        self, workflow: str, subjects: Sequence[Subject], inputs: Mapping[str, Any], on_event: OnEvent
    ) -> Report:
        if self._procedure is None:
            return Report(verdict="undetermined", sentence=NOTHING_RUNS, exit_status=3)
        return await self._procedure(workflow, subjects, inputs, on_event)
