"""Session: the ONE composition root. Target -> hosts -> transport -> collect -> store; every command and the app use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from mleconsole.api import Event, Outcome, Plan, Report, Situation, Step, Subject
from mleconsole.config.schema import Config
from mleconsole.model.plan import Completed
from mleconsole.plugin import Registry
from mleconsole.store import Store
from mleconsole.transport.interface import Counters, LogEntry


@dataclass(frozen=True, slots=True)
class Status:
    """The line on top: how the login stands and what we cost.

    `login` is connecting | live | lost | refused | signed_out; `sentence` says why it is not live.
    """

    who: str
    login: str
    sentence: str = ""
    since: float = 0.0
    hosts_known: int = 0
    hosts_answered: int = 0
    cpu_percent: float = 0.0  # this whole process, of one core
    commands_per_minute: float = 0.0


class Collecting(Protocol):
    """What a Session runs on: the live collector, or a still one for recordings and pictures."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def need(self, probes: frozenset[str]) -> None: ...
    def idle(self, idle: bool) -> None: ...
    def perform(self, plan: Plan, on_result: Callable[[Step, Completed], None] | None) -> Future[Outcome]: ...
    def follow(
        self,
        workflow: str,
        subjects: Sequence[Subject],
        inputs: Mapping[str, Any],
        on_event: Callable[[Event], None] | None,
    ) -> Future[Report]: ...
    def sign_in_again(self) -> None: ...
    def refresh(self) -> None: ...
    def status(self) -> Status: ...
    def waiting_for(self) -> tuple[str, ...]: ...
    def commands(self) -> Sequence[LogEntry]: ...
    def counters(self) -> Counters: ...
    @property
    def situation(self) -> Situation: ...


class Session:
    """One connected console. All methods may be called from any thread."""

    def __init__(self, config: Config, registry: Registry, store: Store, collecting: Collecting) -> None:
        self.config = config
        self.registry = registry
        self.store = store
        self._collecting = collecting

    def start(self) -> None:
        """Begin to connect and collect in the session's own thread; returns at once."""
        self._collecting.start()

    def stop(self) -> None:
        """End everything we started anywhere; returns when nothing of ours runs any more (a few seconds at most)."""
        self._collecting.stop()

    def need(self, probes: frozenset[str]) -> None:
        """The probes that the visible panes need: these run at full pace, the others slow down."""
        self._collecting.need(probes)

    def idle(self, idle: bool) -> None:
        """Nobody touched the console for a while: everything slows down to 30 s."""
        self._collecting.idle(idle)

    def perform(self, plan: Plan, on_result: Callable[[Step, Completed], None] | None = None) -> Future[Outcome]:
        """Run a Plan step by step as hosts answer. A refusal (read-only) is a Completed with trouble."""
        return self._collecting.perform(plan, on_result)

    def follow(
        self,
        workflow: str,
        subjects: Sequence[Subject] = (),
        inputs: Mapping[str, Any] | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> Future[Report]:
        """Run a workflow; cancelling the Future stops it and keeps what it saved."""
        return self._collecting.follow(workflow, subjects, inputs or {}, on_event)

    def sign_in_again(self) -> None:
        """The person pressed `r` after being signed out."""
        self._collecting.sign_in_again()

    def refresh(self) -> None:
        """Ask every needed probe now."""
        self._collecting.refresh()

    @property
    def status(self) -> Status:
        return self._collecting.status()

    def waiting_for(self) -> tuple[str, ...]:
        """What has not answered yet of what is needed, in words; empty when everything has (or has a reason)."""
        return self._collecting.waiting_for()

    @property
    def commands(self) -> Sequence[LogEntry]:
        """The log of remote commands, oldest first, bounded."""
        return self._collecting.commands()

    @property
    def counters(self) -> Counters:
        return self._collecting.counters()

    @property
    def situation(self) -> Situation:
        return self._collecting.situation
