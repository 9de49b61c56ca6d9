"""Plain text of every View: aligned, fitted to the terminal, escaped, coloured only where it means something."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mleconsole.api import (
    Absent,
    Chart,
    ChartLine,
    Column,
    Evidence,
    Fact,
    Facts,
    Field,
    Form,
    Grid,
    GridGroup,
    Log,
    Matrix,
    Report,
    Section,
    Sections,
    Style,
    Subject,
    Table,
    Text,
    Tone,
    Tree,
    TreeNode,
    Unreadable,
)
from mleconsole.render.plain import report_text, text


@dataclass(frozen=True)
class Row:
    name: str
    watts: Any
    note: str = ""


def table(*rows: Row, **more: Any) -> Table:
    columns = (
        Column("node", "NODE", lambda row: row.name, priority=0),
        Column("watts", "POWER", lambda row: row.watts, Style.NUMBER, unit="W", priority=1),
        Column("note", "NOTE", lambda row: row.note, priority=9, tone=lambda row: Tone.BAD if row.note else Tone.PLAIN),
        Column("raw", "", lambda row: 1, screen=False),
    )
    return Table(columns, rows, lambda row: None, **more)


def lines(view: Any, **options: Any) -> list[str]:
    return list(text(view, **options))


def test_columns_are_aligned_and_numbers_stand_right() -> None:
    view = table(Row("node01", 71.25, "low"), Row("n2", Absent("no answer")), Row("日本", 640))
    assert lines(view) == [
        "NODE    POWER W  NOTE",
        "node01     71.2  low",
        "n2            ·",
        "日本        640",
    ]


def test_a_narrow_terminal_drops_columns_by_priority() -> None:
    view = table(Row("a-very-long-name-of-a-node", 71.25, "a note"))
    assert lines(view, width=40)[0].split() == ["NODE", "POWER", "W"]
    assert lines(view, width=12) == ["NODE", "a-very-l…ode"]


def test_notices_and_emptiness_are_said_in_words() -> None:
    assert lines(table(notices=("node03: no answer",), empty="No nodes. Press A.")) == [
        "node03: no answer",
        "No nodes. Press A.",
    ]


def test_the_tables_own_order_holds() -> None:
    view = table(Row("a", 1), Row("b", Absent("x")), Row("c", 3), sort="watts", descending=True)
    assert [line.split()[0] for line in lines(view)[1:]] == ["c", "a", "b"]


def test_colour_only_when_asked_for() -> None:
    view = table(Row("n1", 1, "bad"))
    assert "\x1b" not in "".join(lines(view))
    assert lines(view, colour=True)[1].endswith("\x1b[31mbad\x1b[0m")


def test_text_from_the_cluster_moves_no_cursor_and_is_no_markup() -> None:
    view = table(Row("[red]n1[/red]\x1b[2J\u202e", 1))
    found = "\n".join(lines(view))
    assert "[red]n1[/red]" in found
    assert "\x1b" not in found and "\u202e" not in found


@pytest.mark.parametrize(
    ("view", "found"),
    [
        (
            Grid(
                "power",
                "W",
                0,
                700,
                (
                    GridGroup("n1", (640.0, nan), (Subject("gpu", ("n1", "0")),) * 2, {1: "lost"}),
                    GridGroup("node2", (nan,), (Subject("gpu", ("n2", "0")),), reason="no answer"),
                ),
            ),
            ["power, W", "n1       640     ·  lost", "node2      ·        no answer"],
        ),
        (
            Matrix("bw", "Gb/s", 0, 1, ("a", "b"), ((nan, 1.5), (2.0, nan))),
            ["bw, Gb/s", "   a  b", "a  ·  1.50", "b  2  ·"],
        ),
        (
            Tree((TreeNode("root", (TreeNode("x", (TreeNode("y"),), note="3 ranks"), TreeNode("z"))),), title="Stacks"),
            ["Stacks", "root", "├ x  3 ranks", "│ └ y", "└ z"],
        ),
        (
            Facts((Fact("Power", 70.0, Style.NUMBER, "W"), Fact("Xid", Absent("not read")))),
            ["Power  70 W", "Xid    · not read"],
        ),
        (Log(("a\tb", "c")), ["a\\tb", "c"]),
        (Log(()), ["Nothing yet."]),
        (Text("two\nlines"), ["two", "lines"]),
        (
            Form("Cancel", (Field("signal", "Signal", "choice", "TERM", ("TERM", "KILL")),)),
            ["Cancel", "signal  TERM | KILL  default TERM  Signal"],
        ),
        (Chart("Power", "W", ()), ["Power", "No history yet: it grows while this console runs."]),
        (
            Sections((Section("a", Text("x", title="A")), Section("b", Text("y", title="B")))),
            ["A", "x", "", "B", "y"],
        ),
    ],
)
def test_views(view: Any, found: list[str]) -> None:
    assert lines(view) == found


def test_a_chart_is_a_line_and_its_numbers() -> None:
    (title, line) = lines(Chart("Power", "W", (ChartLine("gpu0", (1, 2, 3), (70.0, nan, 640.0)),), high=700))
    assert title == "Power"
    assert line.startswith("gpu0") and line.endswith("last 640  low 70  high 640 W")


def test_a_report_says_what_it_stands_on_and_what_it_could_not_read() -> None:
    report = Report(
        "hung",
        "Rank 27 never launched all_reduce.",
        "HIGH",
        (Evidence("py-spy", "1 class of 1", 3.0), Evidence("power", "71 W", Absent("never"))),
        (Unreadable("kernel log", "node05", "permission denied", "ask root"),),
        (("scancel", "--signal=ABRT", "48213"), ("echo", "a b")),
        (Text("stack", title="Stacks"),),
        exit_status=1,
    )
    assert list(report_text(report)) == [
        "hung  HIGH",
        "Rank 27 never launched all_reduce.",
        "",
        "Evidence",
        "py-spy  1 class of 1  3s",
        "power   71 W          ·",
        "",
        "Not readable",
        "kernel log  node05  permission denied  ask root",
        "",
        "Next",
        "  scancel --signal=ABRT 48213",
        "  echo 'a b'",
        "",
        "Stacks",
        "stack",
    ]


WORDS = st.text(st.characters(codec="utf-8"), max_size=30)


@given(
    st.lists(st.builds(Row, WORDS, st.floats() | st.integers() | WORDS | WORDS.map(Absent), WORDS)),
    st.integers(30, 120),
)
def test_any_text_stays_on_its_line_and_inside_the_terminal(rows: list[Row], width: int) -> None:
    for line in lines(table(*rows), width=width):
        assert line.isprintable() or all(c.isprintable() or c in "\ufe0f\u200d" for c in line)
        assert cell_len(line) <= width
