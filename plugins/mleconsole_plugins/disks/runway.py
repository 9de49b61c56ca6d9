"""Runway: how fast a mount fills and when it is full, where the remembered past says so plainly."""

from __future__ import annotations

from typing import NamedTuple

from mleconsole.api import History, Mount, known
from mleconsole.api.tools import known_points

MIN_SECONDS, MIN_POINTS = 60.0, 4
MAX_RUNWAY = 30 * 86400.0  # further away than this it tells nothing about today
FLOAT_STEP = 2.0**-20  # history is kept in 24 bits of mantissa: growth below 16 steps of it is noise


class Runway(NamedTuple):
    """Bytes a second by which it fills (> 0), and the seconds until it is full at that rate."""

    rate: float
    seconds: float


def runway(mount: Mount, history: History) -> Runway | None:
    """None unless it grew by a real amount over at least a minute, in both halves of what is remembered."""
    used, size = mount.used_bytes, mount.size_bytes
    if not known(used) or not known(size):
        return None
    points = known_points(history.series(Mount, mount.key, "used_bytes"))
    if len(points) < MIN_POINTS:
        return None
    (begin, low), (end, high) = points[0], points[-1]
    middle = points[len(points) // 2][1]
    grown = high - low
    if end - begin < MIN_SECONDS or grown <= FLOAT_STEP * high or not low < middle < high:
        return None
    rate = grown / (end - begin)
    seconds = max(0, size - used) / rate
    return Runway(rate, seconds) if seconds <= MAX_RUNWAY else None
