"""Hands: what the collector lends to those who do things: run a plan's steps, and let a workflow work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mleconsole.api import Completed, Event, Outcome, Plan, Report, Situation, Step, Subject

RunStep = Callable[[Step, Plan], Awaitable[Completed]]


class RunsPlans(Protocol):
    """What `actions` gives: runs the steps of a Plan."""

    async def run(self, plan: Plan, on_result: Callable[[Step, Completed], None] | None) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Hands:
    """What a workflow may do here, for `workflows` to make its Work of."""

    situation: Situation
    run_plan: Callable[[Plan], Awaitable[Outcome]]
    hosts: Callable[[], Sequence[str]]
    on_event: Callable[[Event], None] | None
    clock: Callable[[], float]


RunWorkflow = Callable[[Hands, str, Sequence[Subject], Mapping[str, Any]], Awaitable[Report]]
