"""Gres: GPU counts and indices out of GRES and TRES strings. Nothing here raises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

# gpu:8 gpu:h100:8(S:0-1) gres:gpu:8 gres/gpu:8 gres/gpu=8 gres/gpu:h100=8; a count may carry K or M
_GPU = re.compile(
    r"(?:^|[,\s])(?:gres[:/])?gpu"
    r"(?::(?P<type>[^:=,()\s]*[^\d:=,()\s][^:=,()\s]*))?"
    r"(?:[:=](?P<count>\d+)(?P<unit>[KMkm]?))?(?=$|[,(\s])"
)
_INDEX = re.compile(r"(?:^|,)gpu(?::[^(,]*)?\(IDX:([^)]*)\)")
_UNITS = {"": 1, "k": 1024, "m": 1024 * 1024}


@lru_cache(maxsize=8192)
def gpu_count(text: str) -> int | None:
    """GPUs in a GRES or TRES string; 0 when it tells of none, None when it tells nothing ("" or "N/A").

    In TRES strings the untyped `gres/gpu=8` is the sum of the typed ones and is taken alone.
    """
    if not text or text in ("N/A", "(null)", "n/a"):
        return None
    whole: list[int] = []
    typed: list[int] = []
    for found in _GPU.finditer(text):
        count = int(found["count"] or 1) * _UNITS[(found["unit"] or "").lower()]
        (typed if found["type"] else whole).append(count)
    if whole and "=" in text:
        return whole[0]
    return sum(whole) + sum(typed)


@lru_cache(maxsize=8192)
def gpu_indices(text: str) -> tuple[int, ...] | None:
    """`gpu:h100:8(IDX:0-3,6)` -> (0, 1, 2, 3, 6); None when no index is told."""
    told = _INDEX.findall(text or "")
    if not told:
        return None
    found: set[int] = set()
    for part in told:
        found.update(index_list(part))
    return tuple(sorted(found))


def index_list(text: str) -> list[int]:
    """`0-3,6` -> [0, 1, 2, 3, 6]; what is no number is left out, and no run is longer than 1,024."""
    found: list[int] = []
    for part in text.split(","):
        low, _, high = part.strip().partition("-")
        if not (low.isascii() and low.isdigit()):
            continue
        first = int(low)
        last = int(high) if high.isascii() and high.isdigit() else first
        found.extend(range(first, min(last, first + 1023) + 1))
    return found


def gpu_count_of(tres: Mapping[str, object]) -> int | None:
    """The same of a dict {"gres/gpu": 8}."""
    return gpu_count(",".join(f"{name}={value}" for name, value in tres.items()))
