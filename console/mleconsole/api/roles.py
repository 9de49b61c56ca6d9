"""The roles a plugin may fill, as frozen values: probes, discovery, reach, derive, rule, pane, action, workflow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from mleconsole.model.absent import Absent
from mleconsole.model.alert import Alert
from mleconsole.model.fleet import Fleet, Observation
from mleconsole.model.history import History, Keep
from mleconsole.model.plan import Completed, Danger, Outcome, Plan
from mleconsole.model.record import Kind, Subject
from mleconsole.model.report import Report
from mleconsole.model.view import Field, View

Input = Field  # an action's typed input is a form field


@dataclass(frozen=True, slots=True)
class Situation:
    """Who asks and how: given to guards, plans, reaches and command probes."""

    user: str = ""  # the account on the login host
    read_only: bool = False
    sudo: tuple[str, ...] = ()  # commands that may be prefixed by `sudo -n`
    teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # team -> users
    options: Mapping[str, Any] = field(default_factory=dict)  # the plugin's own part of cluster.yaml

    def team_of(self, user: str) -> frozenset[str]:
        """All users that share a team with `user`, and `user`."""
        found = {user}
        for members in self.teams.values():
            if user in members:
                found.update(members)
        return frozenset(found)


class AgentProbe(msgspec.Struct, frozen=True):
    """A sampler that runs inside the agent on every host.

    `sampler` is the name of a function in the plugin's `remote.py` registered there in `SAMPLERS`;
    `parse(raw, host)` is pure: raw is the JSON of what the sampler returned.
    """

    id: str
    sampler: str
    period: float  # seconds between samples while a pane that needs it is shown
    parse: Callable[[bytes, str], Observation]
    deadline: float = 5.0  # a sampler that takes longer is absent with a reason while the others go on
    follows_interval: bool = False  # its period is the person's `interval` where cluster.yaml sets one
    on_change: bool = False  # the answer travels only when it differs, and every 60 s
    always: bool = False  # kept at `period` though no pane needs it (rules and reaches depend on it)


class Answer(msgspec.Struct, frozen=True):
    """What a command probe's parser gives: the observation, and what it wants to remember for its next answer."""

    observation: Observation
    memory: Any = None


class ProbeTrouble(Exception):
    """Raised by a probe's `parse` when the answer itself says that nothing is known: one sentence for the person
    ("squeue: the controller does not answer"). The records stay as they were, and their ages grow."""


class CommandProbe(msgspec.Struct, frozen=True):
    """argv on the login host. `parse(completed, memory)` is pure; memory is the last Answer's, at first None."""

    id: str
    argv: Callable[[Situation], tuple[str, ...]]
    period: float
    parse: Callable[[Completed, Any], Answer]
    deadline: float = 10.0
    always: bool = False
    requires: str = ""  # name of a program on the login host; without it the probe is absent with a reason


class Found(msgspec.Struct, frozen=True):
    """A host that a discovery found: its name, and whether the cluster's own records call it fit to be asked."""

    name: str
    address: str = ""  # as the login host resolves it; "" is the name


class Discovery(msgspec.Struct, frozen=True):
    """Which hosts there are. Pure: called with every Fleet in which one of `kinds` changed."""

    id: str
    kinds: tuple[Kind, ...]
    hosts: Callable[[Fleet], Sequence[Found]]
    mine: Callable[[Fleet, str], Iterable[str]] | None = None  # names of hosts on which that user has something running


class Reach(msgspec.Struct, frozen=True):
    """A way to run argv on a host by running another argv on the login host (order: the lowest is tried first).

    `usable` gives a reason why it can't be used now, or None; `wrap` gives the argv for the login host.
    """

    id: str
    title: str
    order: int
    usable: Callable[[Fleet, str, Situation], str | None]
    wrap: Callable[[Fleet, str, Situation, tuple[str, ...]], tuple[str, ...]]


class Derive(msgspec.Struct, frozen=True):
    """A pure join: records computed from others, anew whenever one of `needs` changed."""

    id: str
    needs: tuple[Kind, ...]
    derive: Callable[[Fleet], Mapping[Kind, Mapping[str, Mapping[Any, Any]]]]  # {kind: {host: {key: record}}}


class Rule(msgspec.Struct, frozen=True):
    """A pure rule. It leaves Alert.rule and Alert.since to the store."""

    id: str
    alerts: Callable[[Fleet, History], Iterable[Alert]]


class Focus(msgspec.Struct, frozen=True):
    """What the person looks at: given to a pane with every view."""

    user: str = ""
    subject: Subject | None = None  # the record a detail pane is about
    options: Mapping[str, str] = {}  # the pane's own switches: {"scope": "mine"}
    alerts: tuple[Alert, ...] = ()
    situation: Situation = Situation()
    epoch: float = 0.0  # the console's wall clock, epoch seconds (a parameter, so that views stay pure)


class Switch(msgspec.Struct, frozen=True):
    """A pane's own switch: `key` goes through `values`; the first is the default."""

    id: str
    key: str
    title: str
    values: tuple[str, ...]


class Pane(msgspec.Struct, frozen=True):
    """A page of the console: `view` is pure. With `detail_of` it is the page that Enter opens on such a subject."""

    id: str
    title: str
    view: Callable[[Fleet, History, Focus], View]
    key: str = ""  # "1" .. "9" or ""
    needs: tuple[str, ...] = ()  # ids of probes collected at full pace only while it is shown
    detail_of: tuple[str, ...] = ()  # kind names
    switches: tuple[Switch, ...] = ()
    order: int = 50
    help: str = ""


class Action(msgspec.Struct, frozen=True):
    """Something a person can do to subjects. `plan` is pure and gives exact argv; it may raise ValueError(sentence)
    for inputs that make no sense. `present` turns an Outcome into a View where its texts deserve more than a list."""

    id: str
    title: str
    danger: Danger
    kinds: tuple[str, ...]  # kind names of the subjects it accepts
    plan: Callable[[Fleet, Sequence[Subject], Mapping[str, Any], Situation], Plan]
    guard: Callable[[Fleet, Sequence[Subject], Situation], str | None] = lambda fleet, targets, situation: None
    keys: tuple[str, ...] = ()
    inputs: tuple[Field, ...] = ()
    present: Callable[[Outcome], View] | None = None
    help: str = ""
    needs: tuple[str, ...] = ()  # probes that must have answered before it can be planned from the command line
    target: Callable[[Fleet, str], Subject | None] | None = None  # reads a TARGET word of the command line


class Event(msgspec.Struct, frozen=True):
    """One thing a workflow tells while it runs: progress (done of total), a sentence, or a View so far."""

    sentence: str = ""
    done: int = 0
    total: int = 0
    view: View | None = None


class Work(Protocol):
    """What a workflow receives: the only hands it has."""

    situation: Situation
    inputs: Mapping[str, Any]
    subjects: Sequence[Subject]

    def fleet(self) -> Fleet: ...
    def history(self) -> History: ...
    def hosts(self) -> Sequence[str]: ...
    async def run(self, host: str, argv: Sequence[str], *, deadline: float = 20.0, stdin: bytes = b"") -> Completed: ...
    async def put(self, host: str, name: str, content: bytes, *, deadline: float = 20.0) -> str | Absent: ...
    async def act(self, action: str, subjects: Sequence[Subject], **inputs: Any) -> Outcome: ...
    async def follow(self, workflow: str, subjects: Sequence[Subject], **inputs: Any) -> Report: ...
    def emit(self, event: Event) -> None: ...
    def save(self, name: str, content: bytes) -> None: ...
    def clock(self) -> float: ...
    async def pause(self, seconds: float) -> None: ...


class Workflow(msgspec.Struct, frozen=True):
    """A longer procedure that ends in a Report; `danger` is the worst thing that it does."""

    id: str
    title: str
    danger: Danger
    run: Callable[[Work], Awaitable[Report]]
    kinds: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    inputs: tuple[Field, ...] = ()
    help: str = ""


class Plugin(msgspec.Struct, frozen=True):
    """All that one plugin brings. `remote` names its module of samplers (`remote.py`), sent to hosts as source."""

    id: str
    title: str
    probes: tuple[AgentProbe | CommandProbe, ...] = ()
    kinds: tuple[Kind, ...] = ()
    keeps: tuple[Keep, ...] = ()
    discoveries: tuple[Discovery, ...] = ()
    reaches: tuple[Reach, ...] = ()
    derives: tuple[Derive, ...] = ()
    rules: tuple[Rule, ...] = ()
    panes: tuple[Pane, ...] = ()
    actions: tuple[Action, ...] = ()
    workflows: tuple[Workflow, ...] = ()
    remote: str = ""  # dotted name of the module whose SOURCE goes to the hosts
    modules: tuple[str, ...] = ()  # third-party single-file modules its samplers import (pynvml), cached on the host
    proven: Mapping[str, str] = {}  # capability -> live | recorded | none
