"""What drawing costs, in CPU time of this process: the best of several, and a generous gate, so that a busy machine
does not decide. The real figures are the benchmark's."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import process_time
from typing import Any, NamedTuple

from mleconsole.model.absent import Absent
from mleconsole.model.record import Subject
from mleconsole.model.view import Column, Grid, GridGroup, Style, Table

ROWS = 20_000
GENEROUS = 4  # times the wanted cost that a shared, throttled machine may take


class Row(NamedTuple):
    node: str
    index: int
    power: float | Absent
    memory: int
    past: tuple[float, ...]
    age: float


def table(seed: int) -> Table:
    rng = random.Random(seed)
    past = tuple(rng.random() * 100 for _ in range(60))
    reason = Absent("driver too old")
    rows = [
        Row(f"node{i // 8:04d}", i % 8, rng.gauss(400, 100) if i % 97 else reason, rng.randrange(80_000), past, 1.0)
        for i in range(ROWS)
    ]
    return Table(
        (
            Column("node", "NODE", lambda r: r.node, priority=0),
            Column("gpu", "GPU", lambda r: r.index, Style.NUMBER, priority=0),
            Column("power_watts", "POWER", lambda r: r.power, Style.NUMBER, "W"),
            Column("memory_mib", "MEM", lambda r: r.memory, Style.MIB),
            Column("bar", "", lambda r: r.memory / 800, Style.BAR, width=8),
            Column("past", "10 min", lambda r: r.past, Style.SPARK, width=15, scale=(0, 100)),
        ),
        rows,
        lambda r: Subject("gpu", (r.node, str(r.index))),
        age=lambda r: r.age,
    )


def best(what: Callable[[int], object], times: int = 5) -> float:
    """Milliseconds."""
    costs = []
    for turn in range(times):
        began = process_time()
        what(turn)
        costs.append(process_time() - began)
    return min(costs) * 1000 / GENEROUS


async def test_twenty_thousand_rows(showing: Any) -> None:
    tables = [table(seed) for seed in range(3)]
    async with showing(tables[0], (200, 50)) as (app, pilot):
        part = app.drawing
        part.action_last()
        await pilot.pause()
        assert best(lambda turn: app.view.show(tables[turn % 3])) <= 30
        assert best(lambda turn: part.sort("power_watts", bool(turn % 2))) <= 40
        assert best(lambda turn: part.sort("node", bool(turn % 2))) <= 40
        assert best(lambda turn: part.filter("node01" if turn % 2 else "power:>400")) <= 60
        part.filter("")

        def key(turn: int) -> None:
            part.action_move(-1)
            for y in range(50):
                part.render_line(y)

        assert best(key, 20) <= 5


def grid(seed: int) -> Grid:
    rng = random.Random(seed)
    groups = []
    for number in range(1024):
        name = f"node{number:04d}"
        subjects = [Subject("gpu", (name, str(i))) for i in range(8)]
        groups.append(GridGroup(name, [rng.random() * 100 for _ in range(8)], subjects))
    return Grid("power", "%", 0, 100, groups)


async def test_eight_thousand_cells(showing: Any) -> None:
    grids = [grid(seed) for seed in range(3)]
    for size in ((200, 50), (80, 24)):
        async with showing(grids[0], size) as (app, _):
            assert best(lambda turn, app=app: app.view.show(grids[turn % 3]), 8) <= 15
