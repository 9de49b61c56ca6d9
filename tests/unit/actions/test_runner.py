"""PlanRunner: every step ends in a result, in the plan's order, whatever the others do."""

from __future__ import annotations

import asyncio

from mleconsole.actions.runner import PER_HOST, PlanRunner
from mleconsole.api import Completed, Danger, Plan, Step


async def test_trouble_of_one_step_is_its_own() -> None:
    async def run_step(step: Step, plan: Plan) -> Completed:
        if step.host == "b":
            raise PermissionError("the console is read-only")
        return Completed(step.host, step.argv, 0, stdout=step.label.encode())

    heard: list[str] = []
    plan = Plan("p", tuple(Step(h, ("true",), label=h) for h in "abc"), Danger.READS)
    outcome = await PlanRunner(run_step).run(plan, lambda step, done: heard.append(step.host))
    assert [done.words() if not done.ok else done.text for _, done in outcome.results] == [
        "a",
        "the console is read-only",
        "c",
    ]
    assert sorted(heard) == ["a", "b", "c"] and not outcome.ok


async def test_a_host_gets_a_few_steps_at_once_only() -> None:
    running = peak = 0
    gate = asyncio.Event()

    async def run_step(step: Step, plan: Plan) -> Completed:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        if running == PER_HOST:
            gate.set()
        await gate.wait()
        await asyncio.sleep(0)
        running -= 1
        return Completed(step.host, step.argv, 0)

    plan = Plan("p", tuple(Step("a", ("true",)) for _ in range(4 * PER_HOST)), Danger.READS)
    assert (await PlanRunner(run_step).run(plan, None)).ok
    assert peak == PER_HOST


async def test_a_local_plan_sends_nothing() -> None:
    async def run_step(step: Step, plan: Plan) -> Completed:
        raise AssertionError("a local plan must not leave this machine")

    outcome = await PlanRunner(run_step).run(Plan("p", (Step("a", ()),), Danger.READS, local=True), None)
    assert outcome.results == ()
