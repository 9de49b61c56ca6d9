"""Hostlists: `node[01-03,07]` to names and back; odd shapes are left to ClusterShell, which is imported late."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_PLAIN = re.compile(r"^[\w.\-]+$", re.ASCII)
_SIMPLE = re.compile(r"^([\w.\-]*)\[([\d,\-]+)\]$", re.ASCII)
MANY = 100_000  # names; a longer list is taken for a mistake


@lru_cache(maxsize=32768)
def expand(text: str) -> tuple[str, ...]:
    """The names in a hostlist, in its order; () for "" and for what is none ("(null)", "None assigned")."""
    if not text or text[0] == "(":
        return ()
    if _PLAIN.match(text):
        return (text,)
    simple = _SIMPLE.match(text)
    if simple is not None:
        names = _runs(simple[1], simple[2])
        if names is not None:
            return names
    return _by_clustershell(text)


def _runs(prefix: str, ranges: str) -> tuple[str, ...] | None:
    names: list[str] = []
    for part in ranges.split(","):
        low, dash, high = part.partition("-")
        if not dash:
            high = low
        if not (low.isdigit() and high.isdigit()) or int(high) < int(low) or int(high) - int(low) >= MANY:
            return None
        width = len(low)
        names.extend(f"{prefix}{number:0{width}d}" for number in range(int(low), int(high) + 1))
    return tuple(names)


def _by_clustershell(text: str) -> tuple[str, ...]:
    from ClusterShell.NodeSet import NodeSet, NodeSetException  # costs 40 ms; few lists need it

    try:
        nodes = NodeSet(text)  # type: ignore[no-untyped-call]
        return tuple(nodes) if len(nodes) <= MANY else ()
    except NodeSetException:
        return ()


def fold(names: Iterable[str]) -> str:
    """Names as one hostlist: `node[01-03,07]`."""
    from ClusterShell.NodeSet import NodeSet, NodeSetException

    given = list(names)
    try:
        return str(NodeSet.fromlist(given))  # type: ignore[no-untyped-call]
    except NodeSetException:
        return ",".join(given)


def ranges(numbers: Iterable[int]) -> str:
    """`0-1,3` for 0, 1, 3."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)
