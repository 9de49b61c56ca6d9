"""Questions of the sign-in on a real pseudo-terminal: secrets are not echoed, ctrl-d and ctrl-c give up."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import asyncio, json, sys, threading
from mleconsole.cli.ask import Asker
from mleconsole.transport.interface import Question
def question(kind, title, text, prompts, fingerprint):
    return Question(kind, title, text, tuple(map(tuple, prompts)), fingerprint)
questions = [question(*words) for words in json.loads(sys.argv[1])]
asker, answers = Asker(), []
async def sign_in():
    for question in questions:
        answers.append(await asker(question))
thread = threading.Thread(target=lambda: asyncio.run(sign_in()), daemon=True)
thread.start()
taken = 0.0
while thread.is_alive():
    taken += asker.serve(0.02)
open(sys.argv[2], "w").write(json.dumps({"answers": answers, "taken": taken}))
"""

Question = tuple[str, str, str, list[tuple[str, bool]], str]


class Terminal:
    """A process whose controlling terminal is ours; `seen` is all that it wrote there."""

    def __init__(self, questions: list[Question], result: Path) -> None:
        self.seen = ""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execv(sys.executable, [sys.executable, "-c", PROGRAM, json.dumps(questions), str(result)])

    def expect(self, text: str, seconds: float = 20.0) -> None:
        """Read until `text` was written, on top of what was already expected."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{text!r} not within {seconds} s in {self.seen!r}"
            self.seen += os.read(self.master, 4096).decode()

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> int:
        """Read to the end; the exit status (-n: by signal n)."""
        try:
            while data := os.read(self.master, 4096):
                self.seen += data.decode()
        except OSError:
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.master)
        return os.waitstatus_to_exitcode(status)


def test_a_password_is_not_echoed_and_a_code_is(tmp_path: Path) -> None:
    result = tmp_path / "r"
    questions: list[Question] = [
        ("codes", "alice@login", "Two steps\x1b[2J", [("Password:", False), ("One-time code", True)], "")
    ]
    terminal = Terminal(questions, result)
    terminal.expect("Password:")
    assert "Two steps\\x1b[2J" in terminal.seen, "the server's text is shown escaped"
    terminal.type("hunter2\n")
    terminal.expect("One-time code:")
    terminal.type("123456\n")
    assert terminal.end() == 0
    found = json.loads(result.read_text())
    assert found["answers"] == [["hunter2", "123456"]]
    assert found["taken"] > 0
    assert "hunter2" not in terminal.seen
    assert "123456" in terminal.seen


@pytest.mark.parametrize(("typed", "answer"), [("yes\n", ["yes"]), ("y\n", None), ("\n", None), ("\x04", None)])
def test_a_host_key_needs_the_whole_word(tmp_path: Path, typed: str, answer: list[str] | None) -> None:
    result = tmp_path / "r"
    terminal = Terminal([("host_key", "login", "Never seen before.", [], "SHA256:abc")], result)
    terminal.expect("Type yes")
    assert "SHA256:abc" in terminal.seen
    terminal.type(typed)
    assert terminal.end() == 0
    assert json.loads(result.read_text())["answers"] == [answer]


def test_ctrl_d_at_a_secret_gives_up(tmp_path: Path) -> None:
    result = tmp_path / "r"
    terminal = Terminal([("password", "login", "", [("Password", False)], "")], result)
    terminal.expect("Password:")
    terminal.type("\x04")
    assert terminal.end() == 0
    assert json.loads(result.read_text())["answers"] == [None]


def test_ctrl_c_at_a_secret_ends_the_command(tmp_path: Path) -> None:
    result = tmp_path / "r"
    terminal = Terminal([("password", "login", "", [("Password", False)], "")], result)
    terminal.expect("Password:")
    terminal.type("\x03")
    assert terminal.end() in (1, -signal.SIGINT)
    assert not result.exists()


def test_without_a_terminal_nobody_is_asked() -> None:
    code = (
        "from mleconsole.cli.ask import ask, confirm, has_terminal\n"
        "from mleconsole.transport.interface import Question\n"
        "print(ask(Question('password', 'x', '', (('P', False),))), confirm('?'), has_terminal())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, start_new_session=True, check=False
    )
    assert done.stdout.split() == ["None", "None", "False"], done.stderr
