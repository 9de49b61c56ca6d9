"""Acting: from a key to what came of it: inputs, plan, confirmation, run, outcome. One coroutine per thing done."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from mleconsole.api import Action, Completed, Danger, Event, Form, Outcome, Plan, Report, Step, Tone, Workflow
from mleconsole.app import shell
from mleconsole.app.keys import shown
from mleconsole.app.offers import Offer, reason_against
from mleconsole.app.screens.looking import ViewScreen
from mleconsole.app.screens.outcome import needs_reading, outcome_view, summary
from mleconsole.app.screens.progress import ProgressScreen
from mleconsole.app.words import subjects_words
from mleconsole.journal import log_defect
from mleconsole.model.format import escape
from mleconsole_widgets.dialogs import ConfirmPlan, FormDialog

if TYPE_CHECKING:
    from mleconsole.app.app import ConsoleApp


class Acting:
    """Starts actions and workflows for the app; what runs is listed in `ConsoleApp.works`."""

    def __init__(self, console: ConsoleApp) -> None:
        self._console = console
        self._numbers = itertools.count(1)

    def menu(self, offers: Sequence[Offer]) -> None:
        """`x`: choose among all that fit what is selected; those that can't be used now say why."""
        fitting = [offer for offer in offers if offer.subjects or not offer.what.kinds]
        if not fitting:
            self._console.say("nothing can be done to what is selected")
            return
        self._console.spawn(self._choose(fitting))

    async def _choose(self, offers: Sequence[Offer]) -> None:
        options = []
        for offer in offers:
            keys = " ".join(map(shown, self._console.keys.keys_of_offer(offer)))
            options.append((offer.id, offer.title, keys, offer.reason))
        chosen = await self._console.pick("Actions", options)
        taken = next((offer for offer in offers if offer.id == chosen), None)
        if taken is not None:
            await self._do(taken, form=True)

    def begin(self, offer: Offer) -> None:
        self._console.spawn(self._do(offer))

    async def _do(self, offer: Offer, form: bool = False) -> None:
        """Expected trouble (ValueError of a plan) ends in one sentence.

        By its key a thing runs with its defaults when all its inputs have one; the menu shows the form in any case.
        """
        what = offer.what
        if offer.reason is not None:
            self._console.say(f"{what.title}: {offer.reason}", Tone.WARN)
            return
        values = await self._inputs(what, form)
        if values is None:
            self._console.say("left as it was")
        elif isinstance(what, Action):
            plan = self._plan(what, offer, values)
            if plan is not None:
                await self._act(what, offer, plan)
        else:
            await self._follow(what, offer, values)

    def _plan(self, action: Action, offer: Offer, values: Mapping[str, Any]) -> Plan | None:
        console = self._console
        try:
            plan = action.plan(console.store.fleet, offer.subjects, values, console.session.situation)
            secrets = tuple(str(values.get(field.id, "")) for field in action.inputs if field.type == "secret")
            return replace(plan, action=action.id, secrets=secrets)
        except ValueError as error:
            console.say(f"{action.title}: {error}", Tone.WARN)
        except Exception as error:  # a stranger's code may raise anything; it must cost only this action
            log_defect(f"action {action.id} could not be planned", error)
            console.say(f"{action.title} could not be planned: {type(error).__name__}: {error}", Tone.BAD)
        return None

    async def _inputs(self, what: Action | Workflow, form: bool) -> Mapping[str, Any] | None:
        if not form and all(field.default not in ("", None) for field in what.inputs):
            return {field.id: field.default for field in what.inputs}
        if not what.inputs:
            return {}
        given = await self._console.push_screen_wait(FormDialog(Form(what.title, what.inputs)))
        return dict(given) if given is not None else None

    # ------------------------------------------------------------------ actions

    async def _act(self, action: Action, offer: Offer, plan: Plan) -> None:
        console = self._console
        if plan.local:
            self._here(plan)
            return
        danger = max(action.danger, plan.danger)
        if danger >= Danger.CHANGES:
            if not await console.push_screen_wait(ConfirmPlan(plan)):
                console.say("left as it was: nothing was run")
                return
            reason = reason_against(action, console.store.fleet, offer.subjects, console.session.situation)
            if reason is not None:  # the cluster went on while the person read
                console.say(f"{action.title}: {reason}; nothing was run", Tone.WARN)
                return
        outcome = await self._perform(plan)
        if outcome is None:
            console.say(f"{plan.title}: stopped before it ended", Tone.WARN)
            return
        console.say(summary(outcome), Tone.PLAIN if outcome.ok else Tone.WARN)
        if needs_reading(outcome, action.present is not None):
            console.push_screen(
                ViewScreen(console, plan.title, outcome_view(outcome, action.present), summary(outcome))
            )

    async def _perform(self, plan: Plan) -> Outcome | None:
        """Run it with a line of progress; None when the session ended first."""
        console, number = self._console, next(self._numbers)
        loop = asyncio.get_running_loop()
        answered = itertools.count(1)

        def progress(count: int) -> None:
            if number in console.works:
                console.works[number] = f"{plan.title}: {count} of {len(plan.steps)}"
                console.panes_screen.paint_frame()

        def on_result(step: Step, completed: Completed) -> None:
            loop.call_soon_threadsafe(progress, next(answered))

        console.works[number] = escape(plan.title)
        console.say(f"running: {plan.title} ...")
        try:
            return await asyncio.wrap_future(console.session.perform(plan, on_result))
        except asyncio.CancelledError:
            return None
        finally:
            console.works.pop(number, None)

    def _here(self, plan: Plan) -> None:
        """A local plan: its program gets this terminal until it ends."""
        if not plan.steps:
            self._console.say(plan.title)
            return
        step = plan.steps[0]
        said = shell.lend_terminal(self._console, step.argv or self._console.session.shell_argv(step.host))
        self._console.say(said)

    # ------------------------------------------------------------------ workflows

    async def _follow(self, workflow: Workflow, offer: Offer, values: Mapping[str, Any]) -> None:
        console, number = self._console, next(self._numbers)
        title = offer.title
        if workflow.danger >= Danger.CHANGES:
            consequences = (workflow.help,) if workflow.help else ()
            asked = Plan(f"{title}?", (), workflow.danger, consequences)
            if not await console.push_screen_wait(ConfirmPlan(asked)):
                console.say("left as it was: nothing was run")
                return
        loop = asyncio.get_running_loop()
        screen = ProgressScreen(console, title, console.monotonic)

        def on_event(event: Event) -> None:
            loop.call_soon_threadsafe(screen.tell, event)

        await console.push_screen(screen)
        future = console.session.follow(workflow.id, offer.subjects, values, on_event)
        screen.follow(future)
        console.works[number] = escape(f"{workflow.title} {subjects_words(offer.subjects)}".strip())
        try:
            report: Report = await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            screen.stopped("stopped; what it saved stays")
        except Exception as error:  # a workflow is a plugin's code
            screen.stopped(f"{workflow.title} failed: {type(error).__name__}: {error}", Tone.BAD)
        else:
            screen.end(report)
        finally:
            console.works.pop(number, None)
