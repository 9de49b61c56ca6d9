"""A real terminal for tests: the console runs in a pty, pyte keeps its screen, assertions wait on the screen's text."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import pyte

KEYS = {
    "enter": "\r",
    "esc": "\x1b",
    "tab": "\t",
    "space": " ",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "ctrl+x": "\x18",
    "ctrl+c": "\x03",
}
SYNC_QUERY = b"\x1b[?2026$p"


class Terminal:
    """`with Terminal(argv) as screen: screen.wait("GPUs"); screen.press("2")`."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str] | None = None, size: tuple[int, int] = (200, 50)):
        self.columns, self.rows = size
        self._screen = pyte.Screen(self.columns, self.rows)
        self._feed = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self.raw = bytearray()
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            list(argv),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})},
        )
        os.close(slave)
        self._master = master
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                ready, _, _ = select.select([self._master], [], [], 0.5)
                data = os.read(self._master, 65536) if ready else b""
            except (OSError, ValueError):
                break
            if ready and not data:
                break
            if not data:
                continue
            if SYNC_QUERY in data:
                with contextlib.suppress(OSError):
                    os.write(self._master, b"\x1b[?2026;2$y")
            with self._changed:
                self.raw += data
                # pyte knows no private parameters such as `CSI > 1 u` or `CSI ? 2026 $ p`: it would print their rests.
                data = re.sub(rb"\x1b\[[<>=?][0-9;]*[a-zA-Z$][a-z]?", _keep_modes, data)
                with contextlib.suppress(Exception):
                    self._feed.feed(data)
                self._changed.notify_all()

    # -- reading ------------------------------------------------------------------------------------------------

    def text(self) -> str:
        with self._lock:
            return "\n".join(line.rstrip() for line in self._screen.display)

    def lines(self, having: str = "") -> list[str]:
        return [line for line in self.text().splitlines() if having in line]

    def wait(self, wanted: str | Callable[[str], object], timeout: float = 20.0, what: str = "") -> str:
        """Until the text is on the screen, or the predicate on the screen's text is true; the screen's text then."""
        deadline = time.monotonic() + timeout
        matches = (lambda text: wanted in text) if isinstance(wanted, str) else wanted
        while True:
            text = self.text()
            if matches(text):
                return text
            left = deadline - time.monotonic()
            if left <= 0 or self.process.poll() is not None:
                ended = "" if self.process.poll() is None else f" (the console ended: {self.process.returncode})"
                raise AssertionError(f"not on screen after {timeout:g} s: {what or wanted}{ended}\n{text}")
            with self._changed:
                self._changed.wait(min(left, 0.2))

    # -- writing ------------------------------------------------------------------------------------------------

    def press(self, *keys: str) -> None:
        for key in keys:
            os.write(self._master, KEYS.get(key, key).encode())

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def close(self) -> None:
        """End the console as a person would: q, else SIGTERM, else SIGKILL."""
        for stop in (lambda: self.process.send_signal(signal.SIGTERM), self.process.kill):
            if self.process.poll() is not None:
                break
            stop()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(12)
        with contextlib.suppress(OSError):
            os.close(self._master)
        self._reader.join(2)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _keep_modes(match: re.Match[bytes]) -> bytes:
    text = match.group(0)
    return text if text[2:3] == b"?" and text[-1:] in b"hl" else b""
