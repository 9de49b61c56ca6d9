"""JSON of every View: rows by column id, reasons for what is unknown, and never NaN."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mleconsole.api import (
    Absent,
    Chart,
    ChartLine,
    Column,
    Completed,
    Danger,
    Evidence,
    Fact,
    Facts,
    Field,
    Form,
    Grid,
    GridGroup,
    Log,
    Matrix,
    Outcome,
    Plan,
    Report,
    Section,
    Sections,
    Step,
    Style,
    Subject,
    Table,
    Text,
    Tree,
    TreeNode,
    Unreadable,
)
from mleconsole.render.json import dumps, outcome_json, plan_json, report_json, value_json, view_json


@dataclass(frozen=True)
class Row:
    name: str
    watts: Any
    age: Any = 1.26


def table(*rows: Row, **more: Any) -> Table:
    columns = (
        Column("node", "NODE", lambda row: row.name),
        Column("power_watts", "POWER", lambda row: row.watts, unit="W"),
        Column("spark", "10 MIN", lambda row: (1.0, 2.0), json=False),
        Column("hidden", "", lambda row: True, screen=False),
    )
    return Table(columns, rows, lambda row: Subject("node", (row.name,)), lambda row: row.age, **more)


def test_a_table_is_a_list_of_rows_by_column() -> None:
    view = table(Row("n1", 70.5), Row("n2", Absent("no answer")), Row("n3", nan, Absent("never answered")))
    assert view_json(view) == [
        {"node": "n1", "power_watts": 70.5, "hidden": True, "age_seconds": 1.3},
        {"node": "n2", "power_watts": {"absent": "no answer"}, "hidden": True, "age_seconds": 1.3},
        {
            "node": "n3",
            "power_watts": {"absent": "not measured"},
            "hidden": True,
            "age_seconds": {"absent": "never answered"},
        },
    ]


def test_times_have_no_more_digits_than_are_known() -> None:
    columns = (
        Column("took_seconds", "TOOK", lambda row: row[0], Style.DURATION),
        Column("start_time", "BEGAN", lambda row: row[1], Style.TIME),
        Column("share", "SHARE", lambda row: row[2], Style.NUMBER),
    )
    rows = [(12.345678901, 1795543016.987, 0.123456), (Absent("gone"), nan, 1.0)]
    first, second = view_json(Table(columns, rows, lambda row: None))
    assert dumps(first) == '{"took_seconds":12.3,"start_time":1795543017,"share":0.123456}'
    assert second["took_seconds"] == {"absent": "gone"} and second["start_time"] == {"absent": "not measured"}


def test_sections_name_their_parts() -> None:
    view = Sections((Section("a", table(Row("n1", 1), notices=("x",), title="T")), Section("b", Text("hi"))))
    assert view_json(view) == {
        "view": "sections",
        "sections": [
            {
                "id": "a",
                "view": "table",
                "title": "T",
                "rows": [{"node": "n1", "power_watts": 1, "hidden": True, "age_seconds": 1.3}],
                "notices": ["x"],
            },
            {"id": "b", "view": "text", "text": "hi"},
        ],
    }


def test_a_grid_says_why_a_cell_is_unknown() -> None:
    groups = (
        GridGroup("n1", (1.0, nan), (Subject("gpu", ("n1", "0")),) * 2, {1: "lost"}),
        GridGroup("n2", (nan,), (Subject("gpu", ("n2", "0")),), reason="no answer"),
        GridGroup("n3", (nan,), (Subject("gpu", ("n3", "0")),)),
    )
    assert view_json(Grid("power", "W", 0, 700, groups))["groups"] == [
        {"label": "n1", "values": [1.0, {"absent": "lost"}]},
        {"label": "n2", "values": [{"absent": "no answer"}], "absent": "no answer"},
        {"label": "n3", "values": [{"absent": "not measured"}]},
    ]


@pytest.mark.parametrize(
    ("view", "found"),
    [
        (
            Matrix("bw", "Gb/s", 0, inf, ("a", "b"), ((nan, 1.0), (2.0, nan))),
            {
                "view": "matrix",
                "metric": "bw",
                "unit": "Gb/s",
                "low": 0,
                "high": {"absent": "out of range"},
                "labels": ["a", "b"],
                "values": [[{"absent": "not measured"}, 1.0], [2.0, {"absent": "not measured"}]],
            },
        ),
        (
            Tree((TreeNode("r", (TreeNode("c", subject=Subject("job", ("1",)), note="n"),)),)),
            {
                "view": "tree",
                "roots": [
                    {"text": "r", "children": [{"text": "c", "note": "n", "subject": {"kind": "job", "key": ["1"]}}]}
                ],
            },
        ),
        (
            Chart("t", "W", (ChartLine("a", (1.0, 2.0), (nan, 3.0)),)),
            {
                "view": "chart",
                "title": "t",
                "unit": "W",
                "lines": [{"name": "a", "times": [1.0, 2.0], "values": [{"absent": "not measured"}, 3.0]}],
            },
        ),
        (
            Facts((Fact("GPU hours", 3), Fact("GPU hours", Absent("x")), Fact("é!", 1, id="own"))),
            {"view": "facts", "facts": {"gpu_hours": 3, "gpu_hours_2": {"absent": "x"}, "own": 1}},
        ),
        (Log(("a", "b")), {"view": "log", "lines": ["a", "b"]}),
        (
            Form("f", (Field("p", "P", type="secret", default="hunter2"),)),
            {
                "view": "form",
                "title": "f",
                "fields": [{"id": "p", "title": "P", "type": "secret", "default": None, "choices": []}],
            },
        ),
    ],
)
def test_other_views_say_what_they_are(view: Any, found: Any) -> None:
    assert view_json(view) == found


def test_plans_outcomes_and_reports() -> None:
    step = Step("login", ("scancel", "48213"), label="job 48213")
    plan = Plan("Cancel", (step,), Danger.DESTROYS, ("frees 8 GPUs",))
    assert plan_json(plan) == {
        "title": "Cancel",
        "danger": "destroys",
        "consequences": ["frees 8 GPUs"],
        "steps": [{"host": "login", "argv": ["scancel", "48213"], "label": "job 48213"}],
    }
    completed = Completed("login", step.argv, None, b"\xff", b"", 0.1234, Absent("timed out"))
    found = outcome_json(Outcome(plan, ((step, completed),)), Text("said"))
    assert found["ok"] is False
    assert found["results"][0]["exit_status"] == {"absent": "timed out"}
    assert found["results"][0]["stdout"] == "\ufffd"
    assert found["presented"] == {"view": "text", "text": "said"}
    report = Report(
        "hung",
        "Rank 27 hangs.",
        "HIGH",
        (Evidence("py-spy", "waits", 3.0),),
        (Unreadable("dmesg", "n1", "denied"),),
        (("scancel", "1"),),
        (table(Row("n1", 1)),),
        {"a.txt": b"abc"},
        1,
    )
    found = report_json(report)
    assert (found["confidence"], found["next"], found["files"]) == ("HIGH", [["scancel", "1"]], {"a.txt": 3})
    assert found["views"][0]["rows"][0]["node"] == "n1"


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.text().map(Absent)
    | st.builds(object),
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner) | st.frozensets(st.text())
    ),
    max_leaves=20,
)


@given(ANY)
def test_any_value_is_strict_json(value: Any) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    line = dumps(value_json(value))
    json.loads(line, parse_constant=refuse)
    assert "\n" not in line


def test_bytes_that_were_no_text_still_travel() -> None:
    assert json.loads(dumps(value_json("a\udcffb"))) == "a\udcffb"


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, 2**64, -(2**63) - 1])
def test_integers_beyond_64_bits_are_text(number: int) -> None:
    found = json.loads(dumps(value_json(number)))
    assert found == (number if -(2**63) <= number < 2**64 else str(number))
