"""Outbox: frames on their way out, gathered and deflated into one stream."""

import json
import os
import threading
import time
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, NoReturn

GATHER = 0.03  # seconds that frames wait for others of the same moment, once the first ones are out
HURRY = 3.0  # seconds after the start during which nothing waits


class Outbox(object):
    """Frames on their way out: one zlib stream, written by a thread of its own so that nobody else can block.

    While the console does not read, a sampler's newer frame takes the place of its older one: memory is bounded.
    """

    def __init__(self, descriptor: int, leave: "Callable[[], NoReturn]") -> None:
        self._descriptor = descriptor
        self._leave = leave
        self._pending: "Dict[str, bytes]" = {}
        self._ready = threading.Condition()
        self._deflate = zlib.compressobj(6)
        self._began = time.monotonic()

    def put(self, key: str, line: bytes, only_confirms: bool = False) -> None:
        """`only_confirms`: a line of the same key that has not left yet says as much, and stays."""
        with self._ready:
            if not (only_confirms and key in self._pending):
                self._pending[key] = line
            self._ready.notify()

    def run(self) -> None:
        while True:
            with self._ready:
                while not self._pending:
                    self._ready.wait()
            if time.monotonic() - self._began > HURRY:
                time.sleep(GATHER)
            with self._ready:
                lines, self._pending = self._pending, {}
            self._write(b"".join(line + b"\n" for line in lines.values()))

    def _write(self, text: bytes) -> None:
        data = memoryview(self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH))
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except OSError:  # EPIPE and whatever else: nobody listens any more
                self._leave()


def encode(value: "Any") -> bytes:
    """Compact JSON that is always valid UTF-8; raises ValueError for NaN and what JSON can't say."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace")
