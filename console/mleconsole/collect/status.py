"""Status: the line on top: how the login stands, how many hosts answer, and what we cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """`login` is connecting | live | lost | refused | signed_out; `sentence` says why it is not live."""

    who: str
    login: str
    sentence: str = ""
    since: float = 0.0  # console monotonic seconds
    hosts_known: int = 0
    hosts_answered: int = 0
    cpu_percent: float = 0.0  # this whole process, of one core
    commands_per_minute: float = 0.0
    notices: tuple[str, ...] = ()  # plugins that are off, answers that could not be read


class CostMeter:
    """CPU of this process over the last seconds, and commands per minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._at = clock()
        self._cpu = time.process_time()
        self._percent = 0.0
        self._counted = -1e9
        self._per_minute = 0.0

    def start(self) -> None:
        self._at, self._cpu = self._clock(), time.process_time()

    def cpu_percent(self) -> float:
        """Renewed at most every 5 s; the start-up's own cost is in the first value only."""
        now = self._clock()
        if now - self._at >= 5.0:
            cpu = time.process_time()
            self._percent = 100.0 * (cpu - self._cpu) / (now - self._at)
            self._at, self._cpu = now, cpu
        return self._percent

    def per_minute(self, started: Callable[[], Iterable[float]]) -> float:
        """How many of what `started` gives are a minute old at most; renewed every second, as every key asks."""
        now = self._clock()
        if now - self._counted >= 1.0:
            self._counted = now
            self._per_minute = float(sum(1 for at in started() if now - at <= 60.0))
        return self._per_minute
