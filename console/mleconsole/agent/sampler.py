"""Sampler: one function that is called on a period in a thread of its own, and tells what it answers."""

import threading
import time

from mleconsole.agent.calls import Calls, Missing, Waiting
from mleconsole.agent.outbox import Outbox, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional, Tuple

FULL_EVERY = 60.0  # seconds after which an unchanged answer travels in full again
LARGEST = 4000000  # bytes of one frame
SHORTEST = 0.1  # seconds: no period is shorter


class Sampler(object):
    """One sampler and its thread. It is never started again before it has returned."""

    def __init__(
        self, name: str, function: "Callable[[Dict[str, Any]], Any]", settings: "Dict[str, Any]", outbox: Outbox
    ) -> None:
        self.name = name
        self.deadline = float(settings.get("deadlines", {}).get(name, 5.0))
        self.state: "Dict[str, Any]" = {"options": settings.get("options", {}), "call": Calls()}
        self.missing: "Tuple[Any, ...]" = (Missing,)
        self.waiting = False  # for a module that is on its way
        self._function = function
        self._outbox = outbox
        self._on_change = name in settings.get("on_change", ())
        self._period = float(settings.get("periods", {}).get(name, 10.0))
        self._base = self._due = time.monotonic()
        self._wake = threading.Condition()
        self._asked = False
        self._began: "Optional[float]" = None
        self._told_hung = False
        self._last: "Optional[bytes]" = None
        self._full_at = 0.0

    def start(self, base: float) -> None:
        """Begin at once; samples fall on `base` plus whole periods, so that samplers of one agent fall together."""
        self._base = base
        thread = threading.Thread(target=self._live)
        thread.daemon = True
        try:
            thread.start()
        except RuntimeError as error:  # the limit of threads or processes
            self._tell(time.monotonic(), None, "its thread could not be started: %s" % error)

    def ask(self) -> None:
        """Sample now, and tell the answer in full."""
        with self._wake:
            self._asked = True
            self._wake.notify()

    def pace(self, period: float) -> None:
        """Go on at `period` seconds; 0 or less: only when asked."""
        with self._wake:
            if period != self._period:
                self._period = period if period <= 0 else max(SHORTEST, period)
                now = time.monotonic()
                if self._due > now:
                    self._due = self._next(now)
                self._wake.notify()

    def watch(self, now: float) -> None:
        """Tell that it hangs, once."""
        with self._wake:
            if self._began is not None and not self._told_hung and now - self._began > self.deadline:
                self._told_hung = True
                self._tell(now, None, "did not answer within %g s (hung)" % self.deadline)

    def _next(self, now: float) -> float:
        """The next moment after `now`: it does not drift, and a late sample does not move the others."""
        if self._period <= 0:
            return float("inf")
        return self._base + ((now - self._base) // self._period + 1.0) * self._period

    def _live(self) -> None:
        while True:
            with self._wake:
                while not self._asked:
                    pause = self._due - time.monotonic()
                    if pause <= 0:
                        break
                    self._wake.wait(min(pause, 3600.0))
                began = self._began = time.monotonic()
                if self._asked:
                    self._asked = False
                    self._full_at = float("-inf")
            line, reason = self._sample()
            with self._wake:
                self._began = None
                self._told_hung = False
                if line is not None or reason:
                    self._tell(began, line, reason)
                self._due = self._next(time.monotonic())

    def _sample(self) -> "Tuple[Optional[bytes], str]":
        self.waiting = False
        try:
            line = encode({"t": "s", "n": self.name, "d": self._function(self.state)})
        except Waiting:
            self.waiting = True
            return None, ""
        except self.missing as missing:
            return None, str(missing)[:300] or "not there"
        except BaseException as error:  # whatever a sampler raises costs only itself
            return None, ("the sampler %s failed: %s: %s" % (self.name, type(error).__name__, error))[:300]
        if len(line) > LARGEST:
            return None, "answered %d MB, more than is taken" % (len(line) // 1000000)
        return line, ""

    def _tell(self, now: float, line: "Optional[bytes]", reason: str) -> None:
        absent = line is None
        if line is None:
            line = encode({"t": "a", "n": self.name, "r": reason})
        if not absent and not self._on_change:
            self._last = None
            self._outbox.put(self.name, line)
        elif line != self._last or now - self._full_at >= FULL_EVERY:
            self._last, self._full_at = line, now
            self._outbox.put(self.name, line)
        elif not absent:
            self._outbox.put(self.name, encode({"t": "=", "n": self.name}), only_confirms=True)
