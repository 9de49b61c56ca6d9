"""ConfirmPlan: what would run, on which host, verbatim, before it runs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from itertools import groupby

from textual import events, on
from textual.widget import Widget
from textual.widgets import Input, Static

from mleconsole.model.plan import LOGIN, Danger, Plan, Step
from mleconsole_widgets.choice import Choice
from mleconsole_widgets.dialog import Dialog


def steps_by_argv(steps: tuple[Step, ...]) -> list[tuple[list[str], tuple[str, ...], bytes]]:
    """[(hosts, argv, stdin)]: neighbours that run the same stand together."""
    return [
        ([step.host for step in run], argv, stdin)
        for (argv, stdin), group in groupby(steps, key=lambda step: (step.argv, step.stdin))
        for run in [list(group)]
    ]


def hosts_words(hosts: list[str]) -> str:
    """All of them, in words."""
    return ", ".join("login" if host == LOGIN else host for host in hosts)


class ConfirmPlan(Dialog[bool]):
    """Answers True only by `y` and the button (CHANGES), or by `y` typed in the field (DESTROYS)."""

    given_up = False

    DEFAULT_CSS = """
    ConfirmPlan #typed { width: 8; margin-left: 1; }
    ConfirmPlan #ask { width: auto; height: 1; margin-left: 2; color: $error; }
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan.title)
        self.plan = plan

    @property
    def destroys(self) -> bool:
        return self.plan.danger >= Danger.DESTROYS

    def body(self) -> Iterable[Widget]:
        before = ""
        for host, argv, stdin in self._argv_lines():
            if host != before:
                yield self.said(f"on {host}:", "quiet gap" if before else "quiet")
            before = host
            yield self.said(argv)
            if stdin:
                yield self.said("with this on its standard input:", "quiet")
                yield self.said(stdin)
        if not self.plan.steps and not self.plan.consequences:
            yield self.said("Nothing is run on the cluster.", "quiet gap")
        for index, sentence in enumerate(self.plan.consequences):
            yield self.said(sentence, ("warn gap" if self.destroys else "gap") if not index else "")

    def _argv_lines(self) -> list[tuple[str, str, str]]:
        return [
            (hosts_words(hosts), shlex.join(argv), stdin.decode("utf-8", "replace").rstrip("\n"))
            for hosts, argv, stdin in steps_by_argv(self.plan.steps)
        ]

    def buttons(self) -> Iterable[Widget]:
        yield Choice("Keep it", id="keep")
        if self.destroys:
            yield Static("type y and Enter to do it:", id="ask", markup=False)
            yield Input(id="typed", max_length=4, compact=True, select_on_focus=False)
        else:
            yield Choice("Do it (y)", id="do")

    def on_mount(self) -> None:
        self.query_one("#keep", Choice).focus()

    def on_key(self, event: events.Key) -> None:
        """`y` without the field: CHANGES is done, DESTROYS goes to the field and starts it."""
        if event.character not in ("y", "Y") or isinstance(self.focused, Input):
            return
        event.stop()
        if not self.destroys:
            self.dismiss(True)
            return
        field = self.query_one("#typed", Input)
        field.focus()
        field.value = "y"

    @on(Choice.Pressed, "#keep")
    def _keep(self) -> None:
        self.dismiss(False)

    @on(Choice.Pressed, "#do")
    def _do(self) -> None:
        self.dismiss(True)

    @on(Input.Submitted, "#typed")
    def _typed(self, message: Input.Submitted) -> None:
        message.stop()
        if message.value.strip().lower() in ("y", "yes"):
            self.dismiss(True)
        else:
            self.query_one("#keep", Choice).focus()
