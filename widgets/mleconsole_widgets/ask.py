"""Ask, AcceptKey, Message: what signing in asks, whether a host key is right, and something to be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import events, on
from textual.widget import Widget
from textual.widgets import Input

from mleconsole_widgets.choice import Choice
from mleconsole_widgets.dialog import Dialog


class Ask(Dialog[list[str]]):
    """Answers in the order of the prompts; None when given up. What a prompt does not echo is never shown."""

    def __init__(self, title: str, text: str, prompts: Sequence[tuple[str, bool]]) -> None:
        super().__init__(title)
        self._text = text
        self._prompts = tuple(prompts)

    def body(self) -> Iterable[Widget]:
        if self._text.strip():
            yield self.said(self._text.strip("\n"))
        for index, (prompt, echo) in enumerate(self._prompts):
            yield self.said(prompt.strip() or "Answer", "quiet gap")
            yield Input(password=not echo, id=f"answer{index}", compact=True)

    def buttons(self) -> Iterable[Widget]:
        yield Choice("Give up", id="give_up")
        yield Choice("Go on", id="go_on")

    def on_mount(self) -> None:
        fields = self.query(Input)
        if fields:
            fields.first().focus()
        else:
            self.query_one("#go_on", Choice).focus()

    def _done(self) -> None:
        self.dismiss([self.query_one(f"#answer{i}", Input).value for i in range(len(self._prompts))])

    @on(Input.Submitted)
    def _next(self, message: Input.Submitted) -> None:
        """Enter goes to the next field, from the last one on."""
        message.stop()
        fields = list(self.query(Input))
        at = fields.index(message.input)
        if at + 1 < len(fields):
            fields[at + 1].focus()
        else:
            self._done()

    @on(Choice.Pressed, "#go_on")
    def _go_on(self) -> None:
        self._done()

    @on(Choice.Pressed, "#give_up")
    def _given_up(self) -> None:
        self.dismiss(None)


class AcceptKey(Dialog[bool | str]):
    """An unknown host key. Without `choices` (id, text): True to accept and remember, False not to."""

    given_up = False

    def __init__(self, title: str, text: str, fingerprint: str, choices: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(title)
        self._text = text
        self._fingerprint = fingerprint
        self._choices = tuple(choices)

    def body(self) -> Iterable[Widget]:
        if self._text.strip():
            yield self.said(self._text.strip("\n"))
        if self._fingerprint:
            yield self.said(self._fingerprint, "gap strong")
        yield self.said("Compare it with what your site publishes, or ask whoever runs the cluster.", "quiet gap")

    def buttons(self) -> Iterable[Widget]:
        yield Choice("Do not connect", id="no")
        for index, (_, text) in enumerate(self._choices or (("yes", "It is right: remember it (y)"),)):
            yield Choice(text, id=f"choice{index}")

    def on_mount(self) -> None:
        self.query_one("#no", Choice).focus()

    def on_key(self, event: events.Key) -> None:
        """`y` says yes, as at ssh's own question; Enter alone never accepts a key."""
        if event.key == "y":
            event.stop()
            self.dismiss(self._choices[0][0] if self._choices else True)

    @on(Choice.Pressed)
    def _pressed(self, message: Choice.Pressed) -> None:
        message.stop()
        id = message.choice.id or "no"
        if id == "no":
            self.dismiss(False)
        elif self._choices:
            self.dismiss(self._choices[int(id.removeprefix("choice"))][0])
        else:
            self.dismiss(True)


class Message(Dialog[None]):
    """Words to be read; any of Esc, Enter, q, space leaves."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__(title)
        self._text = text

    def body(self) -> Iterable[Widget]:
        yield self.said(self._text)

    def buttons(self) -> Iterable[Widget]:
        yield Choice("Close", id="close")

    def on_mount(self) -> None:
        self.query_one("#close", Choice).focus()

    def on_key(self, event: events.Key) -> None:
        if event.key in ("q", "space"):
            event.stop()
            self.dismiss(None)

    @on(Choice.Pressed)
    def _close(self) -> None:
        self.dismiss(None)
