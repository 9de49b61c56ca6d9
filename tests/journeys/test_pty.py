"""The real program on a pseudo-terminal: first frame, live screen, keys, the way out, and a terminal that dies."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest

SCENE = Path(__file__).with_name("journey_scene.py")
SECONDS = 30.0


class Program:
    """The scene's console on a pty of 120x40, its screen kept by a terminal emulator."""

    def __init__(self, *arguments: str, columns: int = 120, rows: int = 40, session: bool = True, **extra: str) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            **extra,
        }
        environment.pop("NO_COLOR", None)
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            if session:
                fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for descriptor in (0, 1, 2):
                os.dup2(self.slave, descriptor)
            os.close(self.master)
            os.execve(sys.executable, [sys.executable, str(SCENE), *arguments], environment)
        self.status: int | None = None

    def pump(self, seconds: float = 0.05) -> bool:
        """Feed the emulator with what came; False when nothing more can come."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            try:
                data = os.read(self.master, 1 << 16)
            except OSError:
                return False
            self.raw += data
            self.stream.feed(data.replace(b"\x1b[>25u", b"").replace(b"\x1b[<u", b""))
            return bool(data)
        return True

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def until(self, words: str) -> str:
        """Wait for words on the screen."""
        end = time.monotonic() + SECONDS
        while words not in self.text:
            assert time.monotonic() < end and self.pump(), f"no {words!r} on:\n{self.text}"
        return self.text

    def until_gone(self, words: str) -> None:
        """Wait until words are no more on the screen."""
        end = time.monotonic() + SECONDS
        while words in self.text:
            assert time.monotonic() < end and self.pump(), f"still {words!r} on:\n{self.text}"

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def ended(self) -> int:
        """Wait for its end; the exit status (negative: the signal)."""
        end = time.monotonic() + SECONDS
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            assert time.monotonic() < end, "the program does not end"
            if self.master >= 0:
                self.pump(0.02)
        return self.status

    def close(self) -> None:
        """The terminal goes away."""
        for descriptor in (self.slave, self.master):
            if descriptor >= 0:
                os.close(descriptor)
        self.slave = self.master = -1


@pytest.fixture
def programs() -> Iterator[list[Program]]:
    started: list[Program] = []
    yield started
    for program in started:
        if program.status is None:
            os.kill(program.pid, signal.SIGKILL)
            os.waitpid(program.pid, 0)
        program.close()


def test_from_the_first_frame_to_the_way_out(programs):
    program = Program("prod")
    programs.append(program)
    program.until("connecting to alice@login")
    assert b"textual" not in program.raw
    program.until("power 71 W while 7 peers draw 600 W")
    program.press(b"2")
    program.until("TEMP")
    program.press(b"?")
    program.until("what works here and now")
    program.press(b"\x1b[27u")
    program.until_gone("what works here and now")
    program.press(b"q")
    assert program.ended() == 0
    while select.select([program.master], [], [], 0)[0] and program.pump(0):
        pass
    assert program.raw.rstrip().endswith((b"\x1b[?25h", b"\x1b[?1004l", b"\x1b[0m"))
    assert b"\x1b[?1049l" in program.raw and b"\x1b[?25h" in program.raw
    assert termios.tcgetattr(program.slave) == program.before
    assert b"Traceback" not in program.raw


def test_a_shell_borrows_the_terminal_and_gives_it_back(programs):
    program = Program("prod")
    programs.append(program)
    program.until("power 71 W")
    program.press(b"2")
    program.until("TEMP")
    program.press(b"S")
    program.until("back from true")
    program.until("TEMP")
    assert b"leave it to come back" in program.raw
    program.press(b"q")
    assert program.ended() == 0


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_and_gives_the_terminal_back(programs, number, status):
    program = Program("prod")
    programs.append(program)
    program.until("power 71 W")
    os.kill(program.pid, number)
    assert program.ended() == status
    assert b"\x1b[?1049l" in program.raw and termios.tcgetattr(program.slave) == program.before


def test_a_terminal_that_vanishes_without_a_signal_ends_it(programs):
    program = Program("prod", session=False)
    programs.append(program)
    program.until("power 71 W")
    program.close()
    assert program.ended() == 129


def test_ctrl_c_before_and_after_the_screen_is_up(programs):
    program = Program("prod")
    programs.append(program)
    program.until("power 71 W")
    program.press(b"\x03")
    assert program.ended() == 130


def test_keys_typed_before_the_screen_is_up_are_not_lost(programs):
    program = Program("prod")
    programs.append(program)
    program.until("connecting to")
    program.press(b"q")
    assert program.ended() == 0


def test_a_dumb_terminal_is_told_so(programs):
    program = Program("prod", TERM="dumb")
    programs.append(program)
    program.until("TERM=dumb")
    assert program.ended() == 2
