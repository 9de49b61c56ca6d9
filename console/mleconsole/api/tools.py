"""Tools for panes and rules: ages, folded names, words for numbers, why a host tells nothing. All pure."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from math import isnan

from mleconsole.model.absent import Absent
from mleconsole.model.fleet import Fleet
from mleconsole.model.history import History, Series
from mleconsole.model.kinds import CLUSTER, Host
from mleconsole.model.record import Key, Kind

_DIGITS = re.compile(r"([0-9]{1,18})")
_ENUM = re.compile(r"(.*?)([0-9]{1,18})([^0-9]*)", re.DOTALL)
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")

#: Rules look no further back than this: hidden panes' probes answer every 10 s, an idle console's every 30 s.
FRESH_SECONDS = 75.0


@lru_cache(maxsize=16384)
def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """A sort key that puts node9 before node10."""
    parts = _DIGITS.split(text)  # every second one is a number
    return tuple((0, int(part)) if place % 2 else (1, part) for place, part in enumerate(parts) if part)


def short_name(host: str) -> str:
    """A host's name without its domain; an address stays whole."""
    return host if ":" in host or host.replace(".", "").isdigit() else host.partition(".")[0]


def fold_names(names: Iterable[str]) -> str:
    """Many names as one: `node[01-03,07],login`. Only names of the same shape and width are folded."""
    shapes: dict[tuple[str, int, str], list[int]] = {}
    plain: list[str] = []
    for name in sorted(set(names), key=natural):
        found = _ENUM.fullmatch(name)
        if found is None:
            plain.append(name)
        else:
            shapes.setdefault((found[1], len(found[2]), found[3]), []).append(int(found[2]))
    folded = [_fold(prefix, width, suffix, numbers) for (prefix, width, suffix), numbers in shapes.items()]
    return ",".join(folded + plain)


def _fold(prefix: str, width: int, suffix: str, numbers: Sequence[int]) -> str:
    runs = []
    for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        first, last = f"{run[0]:0{width}}", f"{run[-1]:0{width}}"
        runs.append(first if len(run) == 1 else f"{first}-{last}")
    if len(numbers) == 1:
        return f"{prefix}{runs[0]}{suffix}"
    return f"{prefix}[{','.join(runs)}]{suffix}"


def duration(seconds: float) -> str:
    """Seconds in words: `4s`, `12m`, `3h 20m`, `5d 2h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 60:
        return f"{minutes}m"
    if hours < 24:
        rest = minutes % 60
        return f"{hours}h {rest}m" if rest else f"{hours}h"
    rest = hours % 24
    return f"{days}d {rest}h" if rest else f"{days}d"


def amount(size: float) -> str:
    """Bytes in words with three digits, decimal units: `1.2 TB`, `340 GB`."""
    value, unit = float(size), 0
    while abs(value) >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000.0, unit + 1
    digits = 0 if unit == 0 or abs(value) >= 99.95 else 1
    return f"{value:.{digits}f} {_UNITS[unit]}"


def count(number: int, one: str, many: str = "") -> str:
    """`1 peer`, `7 peers`, `1,204 jobs`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(part: float | Absent | None, whole: float | Absent | None) -> float | Absent:
    """`part` of `whole` in per cent; Absent when one of them is, or when `whole` is nothing."""
    if isinstance(part, Absent):
        return part
    if isinstance(whole, Absent):
        return whole
    if part is None or whole is None or whole <= 0:
        return Absent("has no size")
    return 100.0 * part / whole


def ages(fleet: Fleet, kind: Kind) -> dict[str, float | Absent]:
    """{host: seconds since its records of `kind` were confirmed}: one look for a whole view."""
    return {host: fleet.slot_age(kind, host) for host in fleet.hosts(kind)}


def host_of(fleet: Fleet, name: str) -> Host | None:
    """The collector's word about a host."""
    return fleet.on(Host, name).get((name,))


def since_words(seconds: float, epoch: float) -> str:
    """`since 12:04` where the wall clock is known (epoch > 0), else `for 12m`."""
    if epoch <= 0.0:
        return f"for {duration(seconds)}"
    shape = "%H:%M" if seconds < 86400 else "%d %b %H:%M"
    return f"since {time.strftime(shape, time.localtime(epoch - seconds))}"


def host_silence(host: Host, now: float, epoch: float = 0.0) -> str:
    """Why a host tells nothing, in words; "" when it is live."""
    because = f": {host.reason}" if host.reason else ""
    when = since_words(now - host.since, epoch)
    match host.state:
        case "live":
            return ""
        case "waiting":
            return "waiting for its turn to be connected"
        case "connecting":
            return f"connecting{because}"
        case "lost":
            return f"unreachable {when}{because}"
        case "refused":
            return f"refuses us {when}{because}"
        case "signed_out":
            return "signed out: press r to sign in again"
        case "left_out":
            return f"left out{because}"
    return f"{host.state}{because}"


def silence(fleet: Fleet, host: Host, probe: str, nothing: str, epoch: float = 0.0) -> str:
    """Why `host` has no records of `probe`: the host's state, the probe's trouble, or `nothing` when it said none."""
    if words := host_silence(host, fleet.now, epoch):
        return words
    seen = fleet.seen(host.name, probe)
    if seen is None:
        return "waiting for its first answer"
    return seen.trouble.reason if seen.trouble is not None else nothing


def cluster_silence(fleet: Fleet, probe: str) -> str | None:
    """Why a probe of the login host gave nothing: its trouble; "" when it did answer; None when not asked yet."""
    seen = fleet.seen(CLUSTER, probe)
    if seen is None:
        return None
    return seen.trouble.reason if seen.trouble is not None else ""


def known_points(series: Series, within: float | None = None, now: float = 0.0) -> list[tuple[float, float]]:
    """(seconds, value) of a series without its gaps, oldest first; with `within`, those of the last seconds alone."""
    return [
        (at, value)
        for at, value in zip(series.times, series.values, strict=True)
        if not isnan(value) and (within is None or at >= now - within)
    ]


def recent(history: History, kind: Kind, key: Key, field: str, last: int = 150) -> Sequence[float]:
    """The values of a sparkline, oldest first."""
    return history.series(kind, key, field, last).values


def majority(values: Iterable[str | float], least: int = 3) -> str | float | None:
    """The value that more than half of at least `least` have, or None."""
    counts: dict[str | float, int] = {}
    total = 0
    for value in values:
        counts[value] = counts.get(value, 0) + 1
        total += 1
    if total < least:
        return None
    value, most = max(counts.items(), key=lambda item: item[1])
    return value if 2 * most > total else None
