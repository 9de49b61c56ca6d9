"""Terminal: a program in a pty of 200 x 50, read as a terminal emulator would, without drawing."""

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
import time
from collections.abc import Mapping, Sequence

from bench.processes import die_with_parent

SYNC_QUERY, SYNC_ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
#: The id in the first cell of the row under the cursor: that row alone is drawn in reverse (attribute 7).
CURSOR = rb"\x1b\[(?:[1-9];)*7(?:;[0-9;]*)?m *(?:\x1b\[(?:[1-9];)*7(?:;[0-9;]*)?m)? *"


class Missing(Exception):
    """What was waited for did not come; the text says what did."""


class Terminal:
    """`with Terminal(argv) as terminal: terminal.until(b"GPUs"); terminal.press(b"2")`."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))

        def prepare() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            die_with_parent()

        self.read_bytes = 0
        self._tail = b""
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            list(argv),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=prepare,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})},
        )
        os.close(slave)

    @property
    def pid(self) -> int:
        return self.process.pid

    def read(self, timeout: float) -> bytes:
        """What comes within `timeout` seconds at the next moment; b"" when nothing does."""
        try:
            if not select.select([self._master], [], [], max(0.0, timeout))[0]:
                return b""
            data = os.read(self._master, 1 << 16)
        except OSError:  # the other side is gone
            return b""
        if SYNC_QUERY in self._tail + data:
            os.write(self._master, SYNC_ANSWER)
        self._tail = data[-len(SYNC_QUERY) + 1 :]
        self.read_bytes += len(data)
        return data

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def until(self, pattern: bytes, timeout: float = 30.0) -> tuple[float, re.Match[bytes]]:
        """(the moment of the read that completed the pattern, the match). Raises Missing."""
        wanted = re.compile(pattern)
        text, deadline = bytearray(), time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            data = self.read(min(left, 0.5))
            now = time.monotonic()
            if not data:
                if self.process.poll() is not None:
                    break
                continue
            text += data
            if found := wanted.search(text):
                return now, found
            del text[:-100_000]
        ended = "" if self.process.poll() is None else f"; the program ended with {self.process.returncode}"
        raise Missing(
            f"{pattern!r} did not come within {timeout:g} s{ended}; the last was {plain(bytes(text))[-600:]!r}"
        )

    def drain(self, seconds: float) -> int:
        """Read for so long; the bytes read."""
        before, deadline = self.read_bytes, time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not self.read(left) and self.process.poll() is not None:
                break
        return self.read_bytes - before

    def settle(self, quiet: float = 0.3, timeout: float = 20.0) -> None:
        """Until nothing came for `quiet` seconds."""
        deadline = time.monotonic() + timeout
        while self.read(quiet) and time.monotonic() < deadline:
            pass

    def close(self, patience: float = 12.0) -> None:
        """As a person would: q; then SIGTERM, then SIGKILL."""
        for ask in (lambda: self.press(b"q"), self.process.terminate, self.process.kill):
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                ask()
            deadline = time.monotonic() + patience
            while self.process.poll() is None and time.monotonic() < deadline:
                self.read(0.05)  # who does not read lets it wait for ever in a write
        with contextlib.suppress(OSError):
            os.close(self._master)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def plain(data: bytes) -> str:
    """Without the escape sequences."""
    return re.sub(r"\x1b\[[0-9;?<>=]*[a-zA-Z$]+|\x1b[()][A-Z0-9]|\x1b[=>]", " ", data.decode("utf-8", "replace"))
