"""AppAsk: questions of the sign-in cross from the session's thread to the screen, and answers back."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mleconsole.transport.interface import Question

Answer = tuple[str, ...] | None


class Pending:
    """A question that waits. Its Future is done when it was answered, given up, or when the asker went away."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.future: Future[Answer] = Future()

    def answer(self, answer: Answer) -> None:
        if not self.future.done():
            try:
                self.future.set_result(answer)
            except InvalidStateError:  # the asker cancelled it in this very moment
                pass


class AppAsk:
    """A `transport.interface.Ask`. Works before the app is up (questions wait) and after it ended (nobody answers)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Pending] = deque()
        self._wake: Callable[[], None] | None = None
        self._closed = False

    async def __call__(self, question: Question) -> Answer:
        """Called on the collector's loop; gives None when the person gave up or the app is gone."""
        pending = Pending(question)
        with self._lock:
            if self._closed:
                return None
            self._waiting.append(pending)
            wake = self._wake
        if wake is not None:
            wake()
        try:
            return await asyncio.wrap_future(pending.future)
        finally:
            pending.future.cancel()

    def attach(self, wake: Callable[[], None]) -> None:
        """The app is up: `wake` is called (on any thread) when a question waits, and now when one does already."""
        with self._lock:
            self._wake = wake
            waits = bool(self._waiting)
        if waits:
            wake()

    def next(self) -> Pending | None:
        """The oldest question that still wants an answer."""
        with self._lock:
            while self._waiting:
                pending = self._waiting.popleft()
                if not pending.future.done():
                    return pending
        return None

    def close(self) -> None:
        """The app ended: everything that waits, and all that comes later, is given up."""
        with self._lock:
            self._closed = True
            self._wake = None
            waiting, self._waiting = list(self._waiting), deque()
        for pending in waiting:
            pending.answer(None)
