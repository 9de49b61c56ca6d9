"""Ticker: turns the store's wake-ups, from any thread, into a few paints of what is visible."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable

from mleconsole.store import Store

PERIOD = 0.5  # seconds between paints of data, at least
SHARE = 10.0  # a paint that took t seconds is followed by at least SHARE * t of rest
CLOCK = 1.0  # the top line's own beat


class Ticker:
    """Calls `paint` on the event loop after a publish: the first at once, then at most every `PERIOD`; and `beat`
    once a second for clocks and ages. All but :meth:`_woken` runs on the loop."""

    def __init__(self, store: Store, paint: Callable[[], None], beat: Callable[[], None]) -> None:
        self._store = store
        self._paint = paint
        self._beat = beat
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        #: The app's own: what is painted on the collector's wake-up must find the app, as timers and removals do.
        self._context = contextvars.copy_context()
        self._posted = False
        self._timer: asyncio.TimerHandle | None = None
        self._clock: asyncio.TimerHandle | None = None
        self._not_before = 0.0
        self._serial = -1
        self._paused = False

    def start(self) -> None:
        """On the loop that paints."""
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._unsubscribe = self._store.subscribe(self._woken)
        self._tick_clock()
        self._due()

    def stop(self) -> None:
        self._unsubscribe()
        self._loop = None
        for handle in (self._timer, self._clock):
            if handle is not None:
                handle.cancel()

    @property
    def started(self) -> bool:
        return self._loop is not None

    @property
    def paused(self) -> bool:
        return self._paused

    def pause(self, paused: bool) -> None:
        """While paused new data waits; it is shown when the pause ends."""
        self._paused = paused
        if not paused:
            self._due()

    def now(self) -> None:
        """Paint at once: the person asked for something else to be shown."""
        self._run()

    def _woken(self) -> None:
        """On the collector's thread: post one wake-up, however many fleets come before it is handled."""
        loop = self._loop
        if loop is None or self._posted:
            return
        self._posted = True
        try:
            loop.call_soon_threadsafe(self._due, context=self._context)
        except RuntimeError:  # the loop closed in this moment
            pass

    def _due(self) -> None:
        self._posted = False
        if self._loop is None or self._paused or self._timer is not None or self._store.serial == self._serial:
            return
        wait = self._not_before - time.monotonic()
        if wait <= 0:
            self._run()
        else:
            self._timer = self._loop.call_later(wait, self._run)

    def _run(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._loop is None:
            return
        self._serial = self._store.serial
        began = time.monotonic()
        self._paint()
        ended = time.monotonic()
        rest = max(PERIOD, SHARE * (ended - began))
        self._not_before = ended + rest if self._serial > 0 else 0.0  # the first data waits for nothing

    def _tick_clock(self) -> None:
        if self._loop is None:
            return
        self._clock = self._loop.call_later(CLOCK, self._tick_clock)
        self._beat()
