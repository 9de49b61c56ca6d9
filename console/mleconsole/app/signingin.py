"""SigningIn: shows the questions of the sign-in, one at a time, and gives the answers back to who asked."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from mleconsole.api import Tone
from mleconsole.app.prompts import Answer, AppAsk, Pending

if TYPE_CHECKING:
    from mleconsole.app.app import ConsoleApp


class SigningIn:
    """Between an AppAsk and the dialogs; all but the wake-up runs on the app's loop."""

    def __init__(self, console: ConsoleApp, ask: AppAsk) -> None:
        self._console = console
        self._ask = ask
        self._busy = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        def wake() -> None:
            loop.call_soon_threadsafe(self._next)

        self._ask.attach(wake)

    def end(self) -> None:
        """The app ends: nobody answers any more."""
        self._ask.close()

    def _next(self) -> None:
        pending = None if self._busy else self._ask.next()
        if pending is not None:
            self._busy = True
            self._console.spawn(self._answer(pending))

    async def _answer(self, pending: Pending) -> None:
        loop = asyncio.get_running_loop()
        dialog = _dialog(pending)

        def gone(future: Future[Answer]) -> None:
            if future.cancelled():  # the asker's deadline passed: the question is no more
                loop.call_soon_threadsafe(self._withdraw, dialog)

        pending.future.add_done_callback(gone)
        try:
            given = await self._console.push_screen_wait(dialog)
            if isinstance(given, bool):
                pending.answer(("yes",) if given else None)
            else:
                pending.answer(tuple(given) if given is not None else None)
        finally:
            pending.answer(None)
            self._busy = False
            self._next()

    def _withdraw(self, dialog: Screen[Any]) -> None:
        if self._console.screen is dialog:
            dialog.dismiss(None)
            self._console.say("the question was withdrawn: it waited too long for an answer", Tone.WARN)


def _dialog(pending: Pending) -> Screen[Any]:
    from mleconsole_widgets.ask import AcceptKey, Ask

    question = pending.question
    if question.kind == "host_key":
        return AcceptKey(question.title, question.text, question.fingerprint)
    return Ask(question.title, question.text, question.prompts)
