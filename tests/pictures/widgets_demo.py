"""Pictures of the widgets with made-up data, to be looked at: `python widgets_demo.py DIRECTORY [NAME ...]`.

Each scene is drawn at 200x50 and 80x24 as an SVG file; `rsvg-convert` makes a PNG of it.
"""

from __future__ import annotations

import asyncio
import math
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult

from mleconsole.model.absent import Absent
from mleconsole.model.plan import Danger, Plan, Step
from mleconsole.model.record import Subject
from mleconsole.model.view import (
    Chart,
    ChartLine,
    Column,
    Fact,
    Facts,
    Field,
    Form,
    Grid,
    GridGroup,
    Log,
    Matrix,
    Section,
    Sections,
    Style,
    Table,
    Text,
    Tone,
    Tree,
    TreeNode,
    View,
)
from mleconsole_widgets import palette
from mleconsole_widgets.dialogs import AcceptKey, Ask, ConfirmPlan, FormDialog, Message, Pick
from mleconsole_widgets.view import ViewWidget

NAN = math.nan

#: rsvg trims blanks at the ends of a text, and knows no textLength: Fira Code is 12.307 wide where 12.2 are meant.
FIX = '<text xml:space="preserve" letter-spacing="-0.107" '


@dataclass(frozen=True)
class Gpu:
    node: str
    index: int
    job: str | Absent
    util: float | Absent
    power: float | Absent
    clock: int | Absent
    memory: int | Absent
    temperature: int | Absent
    past: tuple[float, ...]
    note: str
    age: float


def gpus(count: int, seed: int = 7) -> list[Gpu]:
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        node, index = f"node{number // 8 + 1:02d}", number % 8
        gone = number // 8 == 4
        reason = Absent("no answer by ssh for 12m (connect timed out)")
        busy = rng.random() < 0.7
        power = round(rng.gauss(640, 20), 1) if busy else round(rng.gauss(80, 4), 1)
        note = "spins or waits since 12:00:11" if number == 3 else ""
        if number == 3:
            power = 71.3
        past = tuple(max(0.0, min(100.0, rng.gauss(90 if busy else 4, 9))) for _ in range(60))
        if number % 11 == 5:
            past = (NAN,) * 25 + past[25:]
        rows.append(
            Gpu(
                node,
                index,
                reason if gone else f"{48213 + number // 16}" if busy else Absent("no job known"),
                reason if gone else 100.0 if busy else 0.0,
                reason if gone else power,
                reason if gone else Absent("driver too old") if number % 13 == 0 else 1935 if busy else 345,
                reason if gone else 72908 if busy else 512,
                reason if gone else 63 if busy else 31,
                () if gone else past,
                f"no answer by ssh for 12m (connect timed out); last seen healthy {'x' * 30}" if gone else note,
                720.0 if gone else 2.0 if number // 8 != 2 else 41.0,
            )
        )
    return rows


def gpu_table(count: int = 512, seed: int = 7) -> Table:
    def tone(row: Gpu) -> Tone:
        return Tone.BAD if row.note.startswith("spins") else Tone.PLAIN

    return Table(
        columns=(
            Column("node", "NODE", lambda r: r.node, priority=0),
            Column("gpu", "GPU", lambda r: r.index, Style.NUMBER, width=3, priority=0),
            Column("job_id", "JOB", lambda r: r.job, priority=1),
            Column("util_percent", "UTIL", lambda r: r.util, Style.PERCENT, "%", priority=1),
            Column("util_bar", "", lambda r: r.util, Style.BAR, width=8, priority=7),
            Column("power_watts", "POWER", lambda r: r.power, Style.NUMBER, "W", priority=1, tone=tone),
            Column("sm_clock_mhz", "CLOCK", lambda r: r.clock, Style.NUMBER, "MHz", priority=3),
            Column("memory_used_mib", "MEM", lambda r: r.memory, Style.MIB, priority=3),
            Column("temperature_celsius", "TEMP", lambda r: r.temperature, Style.NUMBER, "°C", priority=4),
            Column("past", "UTIL 10 min", lambda r: r.past, Style.SPARK, width=15, priority=6, scale=(0, 100)),
            Column("note", "NOTE", lambda r: r.note, priority=2, tone=tone),
        ),
        rows=gpus(count, seed),
        subject=lambda r: Subject("gpu", (r.node, str(r.index))),
        age=lambda r: r.age,
        stale_after=35.0,
        title="GPUs",
    )


def heat(nodes: int, seed: int = 3) -> Grid:
    rng = random.Random(seed)
    groups = []
    for number in range(nodes):
        name = f"node{number + 1:0{len(str(nodes))}d}"
        job = rng.choice((93, 93, 91, 60, 8, 4))
        gone = number % 29 == 26
        values = [NAN if gone else max(0.0, min(100.0, rng.gauss(job, 4))) for _ in range(8)]
        if number == 2:
            values[3] = 9.0
        subjects = [Subject("gpu", (name, str(i))) for i in range(8)]
        reason = "no answer by ssh for 12m" if gone else ""
        groups.append(GridGroup(name, values, subjects, {}, reason, Subject("node", (name,))))
    return Grid("power", "% of limit", 0, 100, groups, title="GPUs by node · power, % of limit")


def chart(lines: int = 1, title: str = "Power", unit: str = "W", high: float | None = 700.0) -> Chart:
    told = []
    for number in range(lines):
        times = [float(t) for t in range(0, 600, 5)]
        values = [400 + 200 * math.sin(t / 60 + number) + 30 * math.cos(t / 7) for t in times]
        values[40:46] = [NAN] * 6
        told.append(ChartLine(f"gpu{number}", times, values))
    return Chart(title, unit, tuple(told), 0.0, high)


def matrix(size: int = 16) -> Matrix:
    rng = random.Random(5)
    names = [f"node{i + 1:02d}" for i in range(size)]
    values = []
    for a in range(size):
        row = []
        for b in range(size):
            slow = 5 in (a, b)
            row.append(NAN if a == b or rng.random() < 0.2 else rng.gauss(1.0, 0.1) if slow else rng.gauss(185, 8))
        values.append(row)
    return Matrix("bandwidth", "Gb/s", 0, 200, names, values, title="Bandwidth between nodes")


def tree() -> Tree:
    def leaf(text: str, note: str = "", tone: Tone = Tone.PLAIN) -> TreeNode:
        return TreeNode(text, (), None, tone, note)

    data = TreeNode("_next_data  data_loader.py:1448", (leaf("get  queue.py:171", "stuck 8s", Tone.WARN),))
    return Tree(
        (
            TreeNode("1 rank", (data,), Subject("rank", ("27",)), Tone.BAD, "27"),
            TreeNode(
                "255 ranks",
                (
                    TreeNode(
                        "step  train.py:214",
                        (leaf("backward  train.py:231"), leaf("all_reduce  distributed_c10d.py:2806", "COLL")),
                    ),
                ),
                Subject("rank", ("0",)),
                Tone.PLAIN,
                "0-26,28-255",
            ),
        ),
        title="Stacks (smallest class first)",
    )


def facts() -> Facts:
    return Facts(
        (
            Fact("Note", "71 W while 7 peers draw 640 W, util 100 %: it spins or waits", tone=Tone.BAD),
            Fact("Node", "node03"),
            Fact("GPU", 3, Style.NUMBER),
            Fact("Name", "NVIDIA H100 80GB HBM3"),
            Fact("UUID", "GPU-6d1c2a4e-2f6f-4f40-9a53-3a2b5f0f8f11"),
            Fact("Driver", "550.54.15"),
            Fact("GPU-Util", 100.0, Style.PERCENT, "%"),
            Fact("Power", 71.3, Style.NUMBER, "W", Tone.BAD),
            Fact("Power limit", 700, Style.NUMBER, "W"),
            Fact("SM clock", Absent("driver too old"), Style.NUMBER, "MHz"),
            Fact("Memory used", 72908, Style.MIB),
            Fact("NVLinks up", "18 of 18"),
            Fact("ECC errors, corrected", Absent("permission denied"), Style.NUMBER),
            Fact("Age", 2.0, Style.DURATION),
        ),
        title="Facts",
        subject=Subject("gpu", ("node03", "3")),
    )


def alerts() -> Table:
    rows = [
        ("!", "node03 gpu3", "power 71 W while 7 peers draw 640 W, util 100 %", 240.0, "looks hung: D triage"),
        ("!", "node27", "no answer by ssh, Slurm says down*", 720.0, "2 of your jobs were on it"),
        ("▲", "/scratch", "91 % full, full in 3h 20m at 1.2 TB/h", 360.0, "most: bob 8.1 TB/day in ckpt/"),
    ]
    return Table(
        (
            Column(
                "sign", "", lambda r: r[0], width=1, priority=0, tone=lambda r: Tone.BAD if r[0] == "!" else Tone.WARN
            ),
            Column("what", "WHERE", lambda r: r[1], priority=0),
            Column("sentence", "WHAT", lambda r: r[2], priority=0),
            Column("since", "FOR", lambda r: r[3], Style.DURATION, priority=2),
            Column("next", "NEXT", lambda r: r[4], priority=4),
        ),
        rows,
        lambda r: Subject("alert", (r[1],)),
        title="Alerts",
    )


def jobs() -> Table:
    rows = [
        ("48213", "llama-70b-pretrain-continued-from-41k", "R", 100800.0, 32),
        ("48377", "eval", "R", 720.0, 1),
        ("48401_7", "sweep\x1b[31m\u202eevil", "PD", Absent("not started"), 3),
    ]
    return Table(
        (
            Column("job_id", "JOB", lambda r: r[0], priority=0),
            Column("name", "NAME", lambda r: r[1], priority=2),
            Column("state", "STATE", lambda r: r[2], priority=0),
            Column("time", "TIME", lambda r: r[3], Style.DURATION, priority=1),
            Column("nodes", "NODES", lambda r: r[4], Style.NUMBER, priority=1),
        ),
        rows,
        lambda r: Subject("job", (r[0],)),
        title="My jobs",
        notices=("squeue answered 40 s late; it is asked every 15 s now",),
    )


def overview() -> Sections:
    return Sections(
        (
            Section("grid", heat(64), 0, 3, 4, 1),
            Section("alerts", alerts(), 0, 1, 4, 0),
            Section("jobs", jobs(), 1, 1, 4, 2),
            Section("chart", chart(2, "Power of the cluster", "kW", None), 1, 1, 6, 5),
            Section("empty", Table((), (), lambda r: None, empty="No queue yet."), 1, 1, 2, 6),
        )
    )


def gpu_page() -> Sections:
    charts = [
        Section(name, chart(1, name, unit, high), column=1, min_height=6, priority=3 + order)
        for order, (name, unit, high) in enumerate(
            (("Power", "W", 700.0), ("SM clock", "MHz", 1980.0), ("Temp", "°C", 100.0))
        )
    ]
    return Sections((Section("facts", facts(), weight=2, priority=0), Section("jobs", jobs(), priority=1), *charts))


VIEWS: dict[str, Callable[[], View]] = {
    "table": gpu_table,
    "overview": overview,
    "gpu": gpu_page,
    "heat64": lambda: heat(64),
    "heat400": lambda: heat(400),
    "heat1024": lambda: heat(1024),
    "chart": lambda: chart(3),
    "matrix": matrix,
    "matrix128": lambda: matrix(128),
    "tree": tree,
    "facts": facts,
    "log": lambda: Log(
        tuple(f"12:0{i % 6}  round {i} of 90: node{i % 16:02d} 185 Gb/s" for i in range(90)), "What it does"
    ),
    "text": lambda: Text("The login failed: permission denied (publickey). " * 6, tone=Tone.WARN),
}

CANCEL = Plan(
    "Cancel job 48213 llama-70b of alice?",
    (Step("login", ("scancel", "48213")),),
    Danger.DESTROYS,
    ("frees 32 nodes, 256 GPUs; 213 GPU-hours since the last checkpoint are lost", "evidence is saved first"),
)
DRAIN = Plan(
    "Write a flag on 9 nodes?",
    tuple(Step(f"node{i:02d}", ("touch", "/tmp/a file [red]x")) for i in range(9)),
    Danger.CHANGES,
    ("nothing is lost",),
)
OPTIONS: list[tuple[str, str, str, str | None]] = [
    (f"a{i}", title, key, reason)
    for i, (title, key, reason) in enumerate(
        [
            ("Cancel: job 48213", "^X", None),
            ("Requeue without node03: job 48213", "", None),
            ("Hold: job 48213", "H", "it runs already"),
            ("Stacks of all ranks: job 48213", "D", None),
            ("Bandwidth check: node[01-32]", "b", "this console is read-only: it only looks"),
        ]
    )
]
FORM = Form(
    "Bandwidth check",
    (
        Field("size", "Message size", "int", 1024, help="MiB"),
        Field("engine", "Engine", "choice", "nccl-tests", ("nccl-tests", "iperf3")),
        Field("force", "Also on busy nodes", "bool", False, help="disturbs their jobs"),
    ),
)
DIALOGS: dict[str, Callable[[], Any]] = {
    "cancel": lambda: ConfirmPlan(CANCEL),
    "drain": lambda: ConfirmPlan(DRAIN),
    "many": lambda: ConfirmPlan(
        Plan(
            "Drain 40 nodes?",
            tuple(Step("login", ("scontrol", "update", f"node{i}")) for i in range(40)),
            Danger.CHANGES,
        )
    ),
    "pick": lambda: Pick("Actions", OPTIONS),
    "form": lambda: FormDialog(FORM),
    "ask": lambda: Ask("alice@login", "Duo two-factor login", (("Password: ", False), ("Code: ", True))),
    "key": lambda: AcceptKey("login.example.org", "Its host key is not known here yet.", "SHA256:k2Jm...9qE ED25519"),
    "message": lambda: Message("Why", "It is [bold]not[/bold] read: permission denied."),
}


class Demo(App[None]):
    """One View, and a dialog over it."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, view: View, dark: bool = True) -> None:
        super().__init__()
        self._shown = view
        self._dark = dark

    def compose(self) -> ComposeResult:
        yield ViewWidget(self._shown)

    def on_mount(self) -> None:
        palette.install(self, dark=self._dark)


async def picture(name: str, size: tuple[int, int], path: Path, dark: bool = True) -> None:
    view = VIEWS[name]() if name in VIEWS else overview()
    app = Demo(view, dark)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        if name in DIALOGS:
            app.push_screen(DIALOGS[name]())
        else:
            await pilot.press("tab", "down", "down", "down")
        await pilot.pause()
        svg = app.export_screenshot(title=" ")
        path.write_text(svg.replace("<text ", FIX))


async def main(directory: Path, names: list[str]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name in names or [*VIEWS, *DIALOGS]:
        for size in ((200, 50), (80, 24)):
            await picture(name, size, directory / f"{name}-{size[0]}.svg")
    if "light" in sys.argv[2:] or not names:
        await picture("overview", (200, 50), directory / "light-200.svg", dark=False)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), [name for name in sys.argv[2:] if name != "light"]))
