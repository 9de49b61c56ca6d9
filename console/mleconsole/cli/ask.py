"""Asker: questions of the sign-in, asked on the terminal by the main thread, where ctrl-c works and echo comes back."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import io
import os
import queue
import time
from collections.abc import Iterator
from typing import TextIO

from mleconsole.model.format import escape
from mleconsole.transport.interface import Question

TERMINAL = "/dev/tty"
Answer = tuple[str, ...] | None
_Waiting = tuple[Question, asyncio.AbstractEventLoop, "asyncio.Future[Answer]"]


@contextlib.contextmanager
def terminal() -> Iterator[TextIO | None]:
    """The person's terminal, whatever stdin and stdout are; None when there is none."""
    try:
        descriptor = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        yield None
        return
    with io.TextIOWrapper(io.FileIO(descriptor, "r+"), encoding="utf-8", errors="replace", write_through=True) as tty:
        yield tty


def has_terminal() -> bool:
    """True when there is somebody to ask."""
    with terminal() as tty:
        return tty is not None


def confirm(text: str) -> bool | None:
    """Show `text` and wait for y or n, the default; None when there is no terminal."""
    with terminal() as tty:
        if tty is None:
            return None
        tty.write(f"{text} [y/N] ")
        return tty.readline().strip().lower() in ("y", "yes")


class Asker:
    """The `Ask` of commands: awaited in the session's thread, answered by `serve` in the main one."""

    def __init__(self) -> None:
        self._questions: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()

    async def __call__(self, question: Question) -> Answer:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._questions.put((question, loop, answer))
        return await answer

    def serve(self, seconds: float) -> float:
        """Wait so long for a question and ask it; returns the seconds that the person took (0.0: no question)."""
        try:
            question, loop, future = self._questions.get(timeout=seconds)
        except queue.Empty:
            return 0.0
        began = time.monotonic()
        answer: Answer = None
        try:
            answer = ask(question)
        finally:
            with contextlib.suppress(RuntimeError):  # the session ended meanwhile
                loop.call_soon_threadsafe(_give, future, answer)
        return time.monotonic() - began


def _give(future: asyncio.Future[Answer], answer: Answer) -> None:
    if not future.done():
        future.set_result(answer)


def ask(question: Question) -> Answer:
    """Ask one question on the terminal; None when there is none or the person gave up (ctrl-d)."""
    with terminal() as tty:
        if tty is None:
            return None
        for line in (question.title, *question.text.splitlines()):
            tty.write(f"{escape(line)}\n")
        if question.kind == "host_key":
            if question.fingerprint and question.fingerprint not in question.text:
                tty.write(f"{escape(question.fingerprint)}\n")
            tty.write("Is this the right machine? Type yes to remember it: ")
            return ("yes",) if tty.readline().strip().lower() == "yes" else None
        answers = []
        for prompt, echo in question.prompts:
            given = _line(tty, prompt) if echo else _secret(prompt)
            if given is None:
                return None
            answers.append(given)
        return tuple(answers)


def _line(tty: TextIO, prompt: str) -> str | None:
    tty.write(f"{_prompt(prompt)} ")
    line = tty.readline()
    return line.rstrip("\n") if line else None


def _secret(prompt: str) -> str | None:
    try:
        return getpass.getpass(f"{_prompt(prompt)} ")
    except EOFError:
        return None


def _prompt(text: str) -> str:
    word = escape(" ".join(text.split()))
    return word if word.endswith((":", "?")) else f"{word}:"
