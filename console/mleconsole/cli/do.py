"""mleconsole do: an action or a workflow by its id, shown word by word before it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mleconsole.cli.options import (
    chosen,
    json_option,
    nodes_option,
    pairs,
    read_only_option,
    set_option,
    target_argument,
    timeout_option,
)
from mleconsole.cli.stop import FOUND, OK, UNDETERMINED, USAGE, Stop

if TYPE_CHECKING:
    from concurrent.futures import Future

    from mleconsole.api import Action, Event, Plan, Subject, Workflow
    from mleconsole.cli.session import Prepared, Running

READ_ONLY = "this console is read-only: it only looks"


@click.command()
@click.argument("id", metavar="ID")
@target_argument
@click.argument("subjects", nargs=-1, metavar="[SUBJECT]...")
@set_option
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@click.option("--yes", is_flag=True, help="Do not ask before it changes or destroys something.")
@json_option
@read_only_option
@timeout_option
@nodes_option
def do(
    id: str,
    target: str,
    subjects: tuple[str, ...],
    settings: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    as_json: bool,
    read_only: bool,
    timeout: float,
    nodes: str,
) -> int:
    """Run an action or a workflow on SUBJECTs: a job (48213), a node (node03), a GPU (node03:3).

    \b
      mleconsole do cancel cluster.yaml 48213 --dry-run
      mleconsole do cancel cluster.yaml 48213
      mleconsole do drain cluster.yaml node07 --set reason="bad NIC" --yes
      mleconsole do stacks cluster.yaml 48213 --json

    The exact commands and hosts are printed first. What changes or destroys something is asked for on the terminal
    (--yes: not asked; without a terminal and --yes it is refused) and leaves a line in the audit file.
    `mleconsole config keys` lists every action and workflow.
    """
    from mleconsole.cli.inputs import typed
    from mleconsole.cli.session import Prepared, talk

    prepared = Prepared(target, {"nodes": nodes} if nodes else {})
    registry = prepared.registry
    thing: Action | Workflow = chosen("action or workflow", id, {**registry.workflows, **registry.actions})
    inputs = typed(thing.inputs, pairs(settings))
    _check_words(thing, subjects, dry_run)
    needs = _needs(prepared, thing)
    with prepared.started(needs, read_only=read_only) as running:
        late = running.wait_for_answers(needs, timeout)
        if late:
            talk(f"no answer within {timeout:g} s: {', '.join(late)}")
        found = _subjects(prepared, running, thing, subjects)
        run = _Run(prepared, running, thing, found, inputs, yes=yes, as_json=as_json)
        return run.action(thing, dry_run) if id in registry.actions else run.workflow()  # type: ignore[arg-type]


def _check_words(thing: Action | Workflow, subjects: tuple[str, ...], dry_run: bool) -> None:
    from mleconsole.api import Workflow

    noun = " or ".join(thing.kinds).replace("_", " ")
    if thing.kinds and not subjects:
        raise Stop(USAGE, f"{thing.id} needs a {noun}: name it after the target")
    if subjects and not thing.kinds:
        raise Stop(USAGE, f"{thing.id} is about nothing in particular: leave out {' '.join(subjects)}")
    if dry_run and isinstance(thing, Workflow):
        raise Stop(USAGE, f"{thing.id} is a workflow and decides its commands as it goes: there is no plan to print")


def _needs(prepared: Prepared, thing: Action | Workflow) -> frozenset[str]:
    """The probes to wait for: the action's own, or all that could tell of the subjects."""
    needs = getattr(thing, "needs", ())
    if needs or not thing.kinds:
        return frozenset(needs)
    return frozenset(prepared.registry.probes)


def _subjects(
    prepared: Prepared, running: Running, thing: Action | Workflow, words: tuple[str, ...]
) -> tuple[Subject, ...]:
    from mleconsole.cli.subjects import find

    fleet = running.session.store.fleet
    read = getattr(thing, "target", None)
    found: dict[Subject, None] = {}
    for word in words:
        subject = read(fleet, word) if read is not None else None
        found[subject or find(fleet, prepared.registry.kinds, thing.kinds, word)] = None
    return tuple(found)


class _Run:
    """One run of one action or workflow on resolved subjects."""

    def __init__(
        self,
        prepared: Prepared,
        running: Running,
        thing: Action | Workflow,
        subjects: tuple[Subject, ...],
        inputs: dict[str, Any],
        *,
        yes: bool,
        as_json: bool,
    ) -> None:
        self._prepared = prepared
        self._running = running
        self._session = running.session
        self._thing = thing
        self._subjects = subjects
        self._inputs = inputs
        self._yes = yes
        self._as_json = as_json

    def action(self, action: Action, dry_run: bool) -> int:
        plan = self._plan(action)
        lines = plan_lines(plan)
        if dry_run:
            self._print_plan(plan, lines)
            return OK
        self._refuse_when_read_only()
        from mleconsole.cli.session import talk

        for line in lines:
            talk(line)
        if plan.local:
            raise Stop(FOUND, f"{self._thing.id} is done by the console itself: use it in `mleconsole connect`")
        self._confirm(plan.title)
        return self._perform(action, plan)

    def workflow(self) -> int:
        from mleconsole.cli.report import print_report

        self._refuse_when_read_only()
        self._confirm(self._thing.title)
        future = self._session.follow(self._thing.id, self._subjects, self._inputs, _tell)
        return print_report(self._thing.id, self._end(future), self._as_json)

    def _plan(self, action: Action) -> Plan:
        fleet, situation = self._session.store.fleet, self._session.situation
        try:
            reason = action.guard(fleet, self._subjects, situation)
            if reason is not None:
                raise Stop(FOUND, reason)
            return action.plan(fleet, self._subjects, self._inputs, situation)
        except ValueError as error:
            raise Stop(USAGE, str(error)) from None
        except Stop:
            raise
        except Exception as error:  # a plugin's code may raise anything; the person reads a sentence
            plugin = self._prepared.registry.owner("actions", action.id)
            raise Stop(
                UNDETERMINED, f"{action.id} of plugin {plugin} could not be planned: {type(error).__name__}: {error}"
            ) from error

    def _print_plan(self, plan: Plan, lines: list[str]) -> None:
        from mleconsole.model.format import escape
        from mleconsole.render.json import dumps, plan_json

        for line in [dumps(plan_json(plan))] if self._as_json else [escape(line) for line in lines]:
            print(line)

    def _refuse_when_read_only(self) -> None:
        from mleconsole.api import Danger

        if self._session.situation.read_only and self._thing.danger > Danger.READS:
            raise Stop(FOUND, READ_ONLY)

    def _confirm(self, title: str) -> None:
        from mleconsole.api import Danger

        if self._yes or self._thing.danger < Danger.CHANGES:
            return
        from mleconsole.cli.ask import confirm
        from mleconsole.model.format import escape

        answer = confirm(escape(f"{title.rstrip('?')}?"))
        if answer is None:
            raise Stop(FOUND, f"{self._thing.id} {_does(self._thing.danger)} and nobody is there to ask: give --yes")
        if not answer:
            raise Stop(FOUND, "not done")

    def _perform(self, action: Action, plan: Plan) -> int:
        from msgspec.structs import replace

        from mleconsole.cli.inputs import secrets
        from mleconsole.cli.report import print_outcome

        plan = replace(plan, action=action.id, secrets=tuple(secrets(action.inputs, self._inputs)))
        outcome = self._end(self._session.perform(plan))
        return print_outcome(action, outcome, self._as_json)

    def _end(self, future: Future[Any]) -> Any:
        try:
            self._running.wait(future.done, None)
        except BaseException:
            future.cancel()
            raise
        return future.result()


def plan_lines(plan: Plan) -> list[str]:
    """The plan word by word: its title, `host: argv` of each step, and what would come of it."""
    import shlex

    return [
        plan.title,
        *(f"  {step.host}: {shlex.join(step.argv) or 'a login shell'}" for step in plan.steps),
        *(f"  {sentence}" for sentence in plan.consequences),
    ]


def _does(danger: int) -> str:
    from mleconsole.api import Danger

    return "destroys something" if danger >= Danger.DESTROYS else "changes something"


def _tell(event: Event) -> None:
    """Progress, from the session's thread."""
    from mleconsole.cli.session import talk

    progress = f"[{event.done}/{event.total}] " if event.total else ""
    if event.sentence or progress:
        talk(f"{progress}{event.sentence}".rstrip())
