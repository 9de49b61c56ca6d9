"""Share: which parts of a page are shown, and how high each is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Wish(NamedTuple):
    """What a part asks for, its rule included. `most` None: as much as there is. The highest priority goes first."""

    least: int
    most: int | None
    weight: int
    priority: int


def share(wishes: Sequence[Wish], height: int) -> list[int]:
    """Lines for each part, 0 where it is left out. What no part wants stays blank at the bottom."""
    least = [max(1, wish.least if wish.most is None else min(wish.least, wish.most)) for wish in wishes]
    kept = list(range(len(wishes)))
    while len(kept) > 1 and sum(least[i] for i in kept) > height:
        kept.remove(max(kept, key=lambda i: (wishes[i].priority, i)))
    given = [0] * len(wishes)
    if len(kept) == 1 and least[kept[0]] > height:
        given[kept[0]] = max(0, height)
        return given
    for i in kept:
        given[i] = least[i]
    left = height - sum(given)
    while left > 0:
        hungry = [i for i in kept if (most := wishes[i].most) is None or given[i] < most]
        if not hungry:
            break
        total = sum(max(1, wishes[i].weight) for i in hungry)
        gave = 0
        for i in hungry:
            part = max(1, left * max(1, wishes[i].weight) // total)
            most = wishes[i].most
            part = min(part, left - gave, part if most is None else most - given[i])
            given[i] += part
            gave += part
        left -= gave
    return given
