"""Late: a Collecting that is made when it is started, so that a screen can be painted before its imports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import Future

    from mleconsole.api import Event, Outcome, Plan, Report, Situation, Step, Subject
    from mleconsole.collect.status import Status
    from mleconsole.model.plan import Completed
    from mleconsole.session import Collecting
    from mleconsole.transport.interface import Counters, LogEntry


class Late:
    """Until `start` the login of `who` is connecting, and what is needed is remembered; then it is what `make` gives.

    `start` is called once, by the thread that made it; what is done before it (`perform`, `follow`) makes it too.
    """

    def __init__(self, make: Callable[[], Collecting], who: str, situation: Situation) -> None:
        self._make = make
        self._who = who
        self._situation = situation
        self._made: Collecting | None = None
        self._needed: frozenset[str] = frozenset()

    def _now(self) -> Collecting:
        if self._made is None:
            self._made = self._make()
            self._made.need(self._needed)
        return self._made

    def start(self) -> None:
        self._now().start()

    def stop(self) -> None:
        if self._made is not None:
            self._made.stop()

    def need(self, probes: frozenset[str]) -> None:
        self._needed = probes
        if self._made is not None:
            self._made.need(probes)

    def idle(self, idle: bool) -> None:
        if self._made is not None:
            self._made.idle(idle)

    def perform(self, plan: Plan, on_result: Callable[[Step, Completed], None] | None) -> Future[Outcome]:
        return self._now().perform(plan, on_result)

    def follow(
        self,
        workflow: str,
        subjects: Sequence[Subject],
        inputs: Mapping[str, Any],
        on_event: Callable[[Event], None] | None,
    ) -> Future[Report]:
        return self._now().follow(workflow, subjects, inputs, on_event)

    def sign_in_again(self) -> None:
        if self._made is not None:
            self._made.sign_in_again()

    def refresh(self) -> None:
        if self._made is not None:
            self._made.refresh()

    def status(self) -> Status:
        if self._made is not None:
            return self._made.status()
        from mleconsole.collect.status import Status

        return Status(self._who, "connecting")

    def waiting_for(self) -> tuple[str, ...]:
        return self._made.waiting_for() if self._made is not None else (f"signing in to {self._who}",)

    def commands(self) -> Sequence[LogEntry]:
        return self._made.commands() if self._made is not None else ()

    def counters(self) -> Counters:
        if self._made is not None:
            return self._made.counters()
        from mleconsole.transport.interface import Counters

        return Counters()

    @property
    def situation(self) -> Situation:
        return self._made.situation if self._made is not None else self._situation
