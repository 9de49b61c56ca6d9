"""Hangup: notices that the terminal is gone, even when no signal says so, and ends the console for certain."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable

HANGUP_STATUS = 128 + signal.SIGHUP
GRACE_SECONDS = 3.0
_LOOK_MS = 500
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


class Hangup:
    """Watches a terminal's descriptor from a thread of its own without reading from it.

    When it hangs up `leave` is called (it may run in that thread; it should ask the app to end), then `stop` (it ends
    the session). If the process still lives `GRACE_SECONDS` after that it is ended with `HANGUP_STATUS`: writing to a
    lost terminal can block a screen library for ever.
    """

    def __init__(self, descriptor: int, leave: Callable[[], None], stop: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._leave = leave
        self._stop = stop
        self._ended = threading.Event()
        self._gone = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="hangup", daemon=True)

    @property
    def gone(self) -> bool:
        """Whether the terminal is lost."""
        return self._gone.is_set()

    def start(self) -> None:
        """Begin to watch; also take SIGHUP (main thread only)."""
        signal.signal(signal.SIGHUP, lambda number, frame: self._gone.set())
        self._thread.start()

    def end(self) -> None:
        """The app ended by itself: watch no more."""
        self._ended.set()

    def _watch(self) -> None:
        poller = select.poll()
        poller.register(self._descriptor, 0)
        while not self._ended.is_set():
            events = poller.poll(_LOOK_MS)
            if self._gone.is_set() or any(event & _GONE for _, event in events):
                self._gone.set()
                break
        if self._ended.is_set():
            return
        for step in (self._leave, self._stop):
            try:
                step()
            except Exception:  # nobody is left to read it; the end below comes anyway
                continue
        if not self._ended.wait(GRACE_SECONDS):
            os._exit(HANGUP_STATUS)
