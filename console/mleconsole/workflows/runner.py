"""WorkRunner: the Work that a workflow receives, and the life of one run of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from mleconsole.api import (
    Absent,
    Completed,
    Danger,
    Event,
    Fleet,
    History,
    Outcome,
    Plan,
    Report,
    Situation,
    Step,
    Subject,
)
from mleconsole.plugin import Registry
from mleconsole.store import Store

PUT = 'umask 077; d="${XDG_CACHE_HOME:-$HOME/.cache}/mleconsole"; mkdir -p "$d" && cat > "$d/$0.part" && mv "$d/$0.part" "$d/$0" && printf %s "$d/$0"'  # noqa: E501


class WorkRunner:
    """Implements `Work`. Its commands carry the workflow's own danger through the choke point."""

    def __init__(
        self,
        registry: Registry,
        store: Store,
        situation: Situation,
        clock: Callable[[], float],
        subjects: Sequence[Subject],
        inputs: Mapping[str, Any],
        *,
        run_plan: Callable[[Plan], Awaitable[Outcome]],
        hosts: Callable[[], Sequence[str]],
        on_event: Callable[[Event], None] | None,
    ) -> None:
        self._registry = registry
        self._store = store
        self._clock = clock
        self._run_plan = run_plan
        self._hosts = hosts
        self._on_event = on_event
        self._id, self._title, self._danger = "", "", Danger.READS
        self._files: dict[str, bytes] = {}
        self.situation = situation
        self.subjects = subjects
        self.inputs = inputs

    async def run_workflow(self, id: str) -> Report:
        """Run it to its Report; what was saved before a failure or a cancellation stays in the report's files."""
        workflow = self._registry.workflows.get(id)
        if workflow is None:
            return Report("undetermined", f"There is no workflow {id!r}.", exit_status=2)
        self._id, self._title, self._danger = workflow.id, workflow.title, workflow.danger
        defaults = {field.id: field.default for field in workflow.inputs}
        self.inputs = {**defaults, **self.inputs}
        try:
            report = await workflow.run(self)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # a stranger's code may raise anything; the person reads a sentence
            report = Report(
                "undetermined",
                f"{workflow.title} stopped: {type(error).__name__}: {error}",
                exit_status=3,
            )
        return replace(report, files={**self._files, **report.files})

    def fleet(self) -> Fleet:
        return self._store.fleet

    def history(self) -> History:
        return self._store.history

    def hosts(self) -> Sequence[str]:
        return self._hosts()

    async def run(self, host: str, argv: Sequence[str], *, deadline: float = 20.0, stdin: bytes = b"") -> Completed:
        step = Step(host, tuple(argv), deadline=deadline, stdin=stdin)
        plan = Plan(self._title, (step,), self._danger, action=self._id)
        outcome = await self._run_plan(plan)
        return outcome.results[0][1]

    async def put(self, host: str, name: str, content: bytes, *, deadline: float = 20.0) -> str | Absent:
        """Write a file into our cache folder on `host` by atomic rename; its path, or why not."""
        step = Step(host, ("sh", "-c", PUT, name), deadline=deadline, stdin=content)
        plan = Plan(f"Put {name}", (step,), Danger.CHANGES, action=self._id)
        completed = (await self._run_plan(plan)).results[0][1]
        return completed.text if completed.ok else Absent(completed.words())

    async def act(self, action: str, subjects: Sequence[Subject], **inputs: Any) -> Outcome:
        found = self._registry.actions.get(action)
        if found is None:
            raise ValueError(f"there is no action {action!r}")
        if (reason := found.guard(self.fleet(), subjects, self.situation)) is not None:
            raise ValueError(reason)
        return await self._run_plan(found.plan(self.fleet(), subjects, inputs, self.situation))

    async def follow(self, workflow: str, subjects: Sequence[Subject], **inputs: Any) -> Report:
        inner = WorkRunner(
            self._registry,
            self._store,
            self.situation,
            self._clock,
            subjects,
            inputs,
            run_plan=self._run_plan,
            hosts=self._hosts,
            on_event=self._on_event,
        )
        return await inner.run_workflow(workflow)

    def emit(self, event: Event) -> None:
        if self._on_event is not None:
            self._on_event(event)

    def save(self, name: str, content: bytes) -> None:
        self._files[name] = content

    def clock(self) -> float:
        return self._clock()

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
