"""Garbage: when Python's cyclic collector may run. Its pauses, not threads, are what makes a key feel slow."""

from __future__ import annotations

import gc

QUIET_SECONDS = 5.0  # no key for so long: a pause is not felt
EVERY_SECONDS = 60.0


def hold() -> None:
    """While the program starts: what is made now is code and stays; looking through it again and again takes 60 ms."""
    gc.disable()


class Garbage:
    """Raises the thresholds once the first data is there, and collects fully when nobody types."""

    def __init__(self, now: float = 0.0) -> None:
        self._settled = False
        self._last = now

    def begin(self) -> None:
        """The first frame is painted: what was held runs again, and leaves alone what was made until now."""
        if not gc.isenabled():
            gc.freeze()
            gc.enable()

    def settle(self, now: float) -> None:
        """After the first data: what lives now lives long; leave it alone."""
        if self._settled:
            return
        self._settled = True
        self._last = now
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 1_000)

    def quiet(self, now: float, last_key: float) -> bool:
        """Called about once a second; collects when nobody typed for a while and it is due. True when it did."""
        if not self._settled or now - last_key < QUIET_SECONDS or now - self._last < EVERY_SECONDS:
            return False
        self._last = now
        gc.collect()
        return True
