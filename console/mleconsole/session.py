"""Session: the ONE composition root: Target, transport, collection and store; every command and the app use it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from mleconsole.api import LOGIN, Event, History, Host, Outcome, Plan, Reach, Report, Situation, Step, Subject
from mleconsole.config.schema import Config
from mleconsole.late import Late
from mleconsole.plugin import Registry
from mleconsole.store import Store

if TYPE_CHECKING:
    from concurrent.futures import Future

    from mleconsole.collect.status import Status
    from mleconsole.model.plan import Completed
    from mleconsole.transport.interface import Ask, Counters, LogEntry, Transport

HISTORY_POINTS = 150  # every 4 s: ten minutes


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

    def shell_argv(self, host: str) -> tuple[str, ...]:
        """argv that opens a login shell on `host` in the person's own terminal, the way its agent came."""
        login, options = self.config.login, ("-F", self.config.ssh_config) if self.config.ssh_config else ()
        if not login:
            return ("ssh", "-t", host) if host != LOGIN else (os.environ.get("SHELL", "/bin/sh"), "-l")
        if host == LOGIN:
            return ("ssh", *options, "-t", login)
        found = self.store.fleet.get(Host, (host,))
        if found is not None and found.reach == "relay":
            return ("ssh", *options, "-t", login, f"exec ssh -t {host}")
        return ("ssh", *options, "-t", "-J", login, host)

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


def open_session(config: Config, registry: Registry, ask: Ask | None, *, read_only: bool = False) -> Session:
    """Compose a live Session for `config`; nothing is connected, nor all that connects imported, before `start()`."""
    keeps = [keep for plugin in registry.plugins.values() for keep in plugin.keeps]
    store = Store(History(keeps, points=HISTORY_POINTS))
    situation = Situation(
        user=config.login.partition("@")[0] if "@" in config.login else "",
        read_only=read_only or config.read_only,
        sudo=config.sudo,
        teams=config.teams,
        options=config.plugins,
    )
    late = Late(lambda: _collector(config, registry, store, situation, ask), config.login or "this machine", situation)
    return Session(config, registry, store, late)


def _collector(config: Config, registry: Registry, store: Store, situation: Situation, ask: Ask | None) -> Collecting:
    """The live collector, on SSH or on this machine, with the hands that plans and workflows get."""
    from mleconsole.actions.runner import PlanRunner
    from mleconsole.collect.collector import Collector
    from mleconsole.collect.hands import Hands
    from mleconsole.journal import Audit
    from mleconsole.transport.gate import Gate
    from mleconsole.transport.quote import relay_argv
    from mleconsole.workflows.runner import WorkRunner

    gate = Gate(situation.read_only)

    def make_transport(log: Callable[[LogEntry], None]) -> Transport:
        if not config.login:
            from mleconsole.transport.local import LocalTransport

            return LocalTransport(gate=gate, log=log)
        from mleconsole.transport.ssh import SshTransport

        return SshTransport(config.login, ssh_config=config.ssh_config, ask=ask, gate=gate, log=log)

    relay = Reach(
        id="relay",
        title="ssh run on the login host",
        order=10,
        usable=lambda fleet, host, situation: None,
        wrap=lambda fleet, host, situation, argv: relay_argv(host, argv),
    )
    reaches = [relay] if config.login else []

    async def run_workflow(
        hands: Hands, workflow: str, subjects: Sequence[Subject], inputs: Mapping[str, Any]
    ) -> Report:
        work = WorkRunner(
            registry,
            store,
            hands.situation,
            hands.clock,
            subjects,
            inputs,
            run_plan=hands.run_plan,
            hosts=hands.hosts,
            on_event=hands.on_event,
        )
        return await work.run_workflow(workflow)

    def make_audit(plan: Plan) -> Audit:
        return Audit(config.name, collector.status().who, plan.action or plan.title, plan.secrets)

    collector = Collector(
        config,
        registry,
        store,
        make_transport,
        situation,
        reaches,
        make_runner=lambda run_step: PlanRunner(run_step, make_audit),
        run_workflow=run_workflow,
    )
    return collector
