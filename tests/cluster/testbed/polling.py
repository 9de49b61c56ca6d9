"""Waiting for something to become true, with a deadline: the only place of the testbed that sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class WaitTimeout(AssertionError):
    """The awaited condition did not come true in time."""


def wait_until(predicate: Callable[[], T], timeout: float = 20.0, what: str = "", interval: float = 0.1) -> T:
    """Call predicate until it returns something true, and return that; raise WaitTimeout after timeout seconds.

    An exception of the predicate counts as "not yet"; the last one is chained to the WaitTimeout.
    """
    deadline = time.monotonic() + timeout
    error: Exception | None = None
    value: object = None
    while True:
        try:
            value = predicate()
            error = None
            if value:
                return value
        except Exception as caught:  # any failure only means: not yet
            error = caught
        if time.monotonic() >= deadline:
            label = what or getattr(predicate, "__name__", "the condition")
            raise WaitTimeout(f"not true within {timeout:g} s: {label} (last: {error or value!r})") from error
        time.sleep(interval)
