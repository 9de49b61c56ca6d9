"""ConfirmPlan: what would run, on which host, verbatim, before it runs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from itertools import groupby

from textual import events, on
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from mleconsole.model.plan import LOGIN, Danger, Plan, Step
from mleconsole_widgets.dialog import Dialog

_MOST_HOSTS = 6  # named hosts of one and the same argv, before they are counted


def steps_by_argv(steps: tuple[Step, ...]) -> list[tuple[list[str], tuple[str, ...], bytes]]:
    """[(hosts, argv, stdin)]: neighbours that run the same stand together."""
    return [
        ([step.host for step in run], argv, stdin)
        for (argv, stdin), group in groupby(steps, key=lambda step: (step.argv, step.stdin))
        for run in [list(group)]
    ]


def hosts_words(hosts: list[str]) -> str:
    """`node01, node02 and 14 more`: the hosts in words; all of them when they are few."""
    names = ["login" if host == LOGIN else host for host in hosts]
    if len(names) <= _MOST_HOSTS:
        return ", ".join(names)
    return f"{', '.join(names[: _MOST_HOSTS - 1])} and {len(names) - _MOST_HOSTS + 1} more"


class ConfirmPlan(Dialog[bool]):
    """Answers True only by `y` and the button (CHANGES), or by `y` typed in the field (DESTROYS)."""

    given_up = False

    DEFAULT_CSS = """
    ConfirmPlan #argv { margin: 1 0 0 0; padding: 0 1; background: $background; }
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
        for host, argv, stdin in self._argv_lines():
            yield self.said(f"on {host}:", "quiet gap")
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

    def buttons(self) -> Iterable[Widget]:  # type: ignore[override]
        yield Button("Keep it", id="keep", compact=True)
        if self.destroys:
            yield Static("type y and Enter to do it:", id="ask", markup=False)
            yield Input(id="typed", max_length=4, compact=True, select_on_focus=False)
        else:
            yield Button("Do it (y)", id="do", compact=True)

    def on_mount(self) -> None:
        self.query_one("#keep", Button).focus()

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

    @on(Button.Pressed, "#keep")
    def _keep(self) -> None:
        self.dismiss(False)

    @on(Button.Pressed, "#do")
    def _do(self) -> None:
        self.dismiss(True)

    @on(Input.Submitted, "#typed")
    def _typed(self, message: Input.Submitted) -> None:
        message.stop()
        if message.value.strip().lower() in ("y", "yes"):
            self.dismiss(True)
        else:
            self.query_one("#keep", Button).focus()
