"""PlanRunner: runs the steps of a Plan, hosts side by side, a few steps per host at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from mleconsole.api import Absent, Completed, Outcome, Plan, Step

PER_HOST = 4  # sshd gives 10 sessions a connection; the agent and a shell need theirs
OVERALL = 64

RunStep = Callable[[Step, Plan], Awaitable[Completed]]
OnResult = Callable[[Step, Completed], None]


class PlanRunner:
    """Every step ends in a Completed; expected trouble is in it, and one step's trouble never stops the others."""

    def __init__(self, run_step: RunStep) -> None:
        self._run_step = run_step

    async def run(self, plan: Plan, on_result: OnResult | None) -> Outcome:
        """Outcome with results in the plan's own order; `on_result` hears each as it comes."""
        if plan.local:
            return Outcome(plan, ())
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
            if on_result is not None:
                with contextlib.suppress(Exception):  # a listener's defect must not stop the plan
                    on_result(step, completed)
            return step, completed

        return Outcome(plan, tuple(await asyncio.gather(*(one(step) for step in plan.steps))))


def _failed(step: Step, reason: str) -> Completed:
    return Completed(step.host, step.argv, None, trouble=Absent(reason))
