"""Times: Slurm's points in time to epoch seconds, its durations to seconds. Unknown ones are Absent, nothing raises."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from mleconsole.api import Absent

NOT_TOLD = Absent("not told")
NO_LIMIT = Absent("no limit")
PARTITION_LIMIT = Absent("the partition's own limit")

_DURATION = re.compile(r"^(?:(?P<days>\d{1,6})-)?(?:(?:(?P<a>\d{1,6}):)?(?P<b>\d{1,6}):)?(?P<c>\d{1,9})$", re.ASCII)


def epoch(text: str, unknown: Absent = NOT_TOLD) -> float | Absent:
    """Seconds since the epoch, from `%s` digits, or ISO text taken as UTC; `unknown` for N/A, Unknown and so on.

    Probes ask for digits (SLURM_TIME_FORMAT=%s), so that no time zone has to be guessed.
    """
    if text.isdigit() and text.isascii():
        return float(text) if len(text) < 16 and text != "0" else unknown
    if text in ("", "N/A", "n/a", "Unknown", "None", "NONE", "(null)"):
        return unknown
    try:
        stamp = datetime.fromisoformat(text)
        return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return Absent(f"not understood: {text[:40]}")


@lru_cache(maxsize=4096)
def duration(text: str) -> float | Absent:
    """`1-02:03:04`, `02:03:04`, `03:04`, `5` (minutes:seconds without hours, as squeue prints) to seconds."""
    if text in ("UNLIMITED", "infinite", "INFINITE"):
        return NO_LIMIT
    if text in ("Partition_Limit", "PARTITION_LIMIT"):
        return PARTITION_LIMIT
    found = _DURATION.match(text)
    if found is None:
        return (
            NOT_TOLD
            if text in ("", "N/A", "n/a", "NOT_SET", "INVALID", "(null)")
            else Absent(f"not understood: {text[:40]}")
        )
    days, a, b, c = (found[name] for name in ("days", "a", "b", "c"))
    if days is not None:  # D-HH, D-HH:MM, D-HH:MM:SS
        hours, minutes, seconds = (a, b, c) if a else (b, c, None) if b else (c, None, None)
        parts = (int(days), int(hours), int(minutes or 0), int(seconds or 0))
    else:
        parts = (0, int(a or 0), int(b or 0), int(c))
    return float(parts[0] * 86400 + parts[1] * 3600 + parts[2] * 60 + parts[3])


def duration_text(seconds: float) -> str:
    """Seconds as Slurm writes them: `1-02:03:04`, `02:03:04`."""
    whole = max(0, int(seconds))
    days, rest = divmod(whole, 86400)
    clock = f"{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
    return f"{days}-{clock}" if days else clock
