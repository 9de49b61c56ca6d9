"""PlanRunner: every step ends in a result, in the plan's order, whatever the others do."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from mleconsole.actions.runner import PER_HOST, PlanRunner
from mleconsole.api import Completed, Danger, Plan, Step
from mleconsole.journal import Audit


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


async def test_what_changes_something_leaves_audit_lines_without_secrets(tmp_path: Path) -> None:
    async def run_step(step: Step, plan: Plan) -> Completed:
        return Completed(step.host, step.argv, 0 if step.host == "a" else 1)

    file = tmp_path / "audit.jsonl"

    def audit(plan: Plan) -> Audit:
        return Audit("prod", "alice@login", plan.action, plan.secrets, file)

    runner = PlanRunner(run_step, audit)
    steps = (Step("a", ("put", "hunter2")), Step("b", ("true",)))
    await runner.run(Plan("read", steps, Danger.READS), None)
    assert not file.exists(), "reading leaves no line"
    await runner.run(Plan("change", steps, Danger.CHANGES, action="token", secrets=("hunter2",)), None)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert sorted((line["event"], line["host"], line.get("exit_status")) for line in lines) == [
        ("began", "a", None),
        ("began", "b", None),
        ("ended", "a", 0),
        ("ended", "b", 1),
    ]
    assert {line["action"] for line in lines} == {"token"} and "hunter2" not in file.read_text()
