"""PlanRunner: runs the steps of a Plan, hosts side by side, a few steps per host at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from mleconsole.api import Absent, Completed, Danger, Outcome, Plan, Step
from mleconsole.journal import Audit

PER_HOST = 4  # sshd gives 10 sessions a connection; the agent and a shell need theirs
OVERALL = 64

RunStep = Callable[[Step, Plan], Awaitable[Completed]]
MakeAudit = Callable[[Plan], Audit]
OnResult = Callable[[Step, Completed], None]


class PlanRunner:
    """Every step ends in a Completed; expected trouble is in it, and one step's trouble never stops the others.

    A plan that does more than read leaves audit lines: every step when it begins and when it ended.
    """

    def __init__(self, run_step: RunStep, make_audit: MakeAudit | None = None) -> None:
        self._run_step = run_step
        self._make_audit = make_audit

    async def run(self, plan: Plan, on_result: OnResult | None) -> Outcome:
        """Outcome with results in the plan's own order; `on_result` hears each as it comes."""
        if plan.local:
            return Outcome(plan, ())
        audit = self._make_audit(plan) if self._make_audit is not None and plan.danger > Danger.READS else None
        if audit is not None:
            audit.began(plan)
        per_host = {step.host: asyncio.Semaphore(PER_HOST) for step in plan.steps}
        overall = asyncio.Semaphore(OVERALL)

        async def one(step: Step) -> tuple[Step, Completed]:
            async with per_host[step.host], overall:
                try:
                    completed = await asyncio.wait_for(self._run_step(step, plan), step.deadline + 15.0)
                except TimeoutError:
                    completed = _failed(step, f"no answer within {step.deadline:.0f} s")
                except Exception as error:  # the choke point's refusal, or a defect of ours: said, not hidden
                    completed = _failed(step, str(error) or type(error).__name__)
            if audit is not None:
                audit.ended(plan, step, completed)
            if on_result is not None:
                with contextlib.suppress(Exception):  # a listener's defect must not stop the plan
                    on_result(step, completed)
            return step, completed

        return Outcome(plan, tuple(await asyncio.gather(*(one(step) for step in plan.steps))))


def _failed(step: Step, reason: str) -> Completed:
    return Completed(step.host, step.argv, None, trouble=Absent(reason))
