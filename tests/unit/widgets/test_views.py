"""The other drawings, and pages that are made of several."""

from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec.structs import replace
from textual.geometry import Size

from mleconsole.model.absent import Absent
from mleconsole.model.record import Subject
from mleconsole.model.view import (
    Chart,
    ChartLine,
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
)
from mleconsole_widgets.messages import CursorMoved, Opened
from mleconsole_widgets.ramps import ramp


def grid(nodes: int, value: float = 50.0) -> Grid:
    groups = []
    for number in range(nodes):
        name = f"node{number + 1:04d}"
        values = [math.nan if number == 1 else value] * 8
        subjects = [Subject("gpu", (name, str(i))) for i in range(8)]
        reason = "no answer by ssh" if number == 1 else ""
        groups.append(GridGroup(name, values, subjects, {}, reason, Subject("node", (name,))))
    return Grid("power", "%", 0, 100, groups)


async def test_a_heat_map_shows_every_gpu_with_its_scale(showing: Any) -> None:
    async with showing(grid(4)) as (app, pilot):
        part = app.drawing
        text = part.shown_text.split("\n")
        assert text[0].split() == ["node0001", "◆", *["50"] * 8] and "node0002    ·       ·       ·" in part.shown_text
        assert text[-1].startswith("  0 ████████████████ 100 %")
        assert "node0001 0: 50 %" in text[-1]
        await pilot.press("right", "right", "enter")
        await pilot.pause()
        assert app.told[-1].subject == Subject("gpu", ("node0001", "2"))
        subject = part.subject
        app.view.show(replace(grid(4), groups=list(reversed(grid(4).groups))))
        assert part.subject == subject


async def test_an_absent_cell_tells_why(showing: Any) -> None:
    async with showing(grid(2), (30, 8)) as (app, pilot):
        await pilot.press(*["right"] * 8)
        await pilot.pause()
        assert [m.reason for m in app.told if isinstance(m, CursorMoved)][-1] == "no answer by ssh"


async def test_a_thousand_nodes_fold_to_a_cell_each(showing: Any) -> None:
    async with showing(grid(1024), (80, 24)) as (app, pilot):
        part = app.drawing
        assert part.folded and "one cell a node" in part.shown_text
        await pilot.press("right", "enter")
        await pilot.pause()
        assert isinstance(app.told[-1], Opened) and app.told[-1].subject == Subject("node", ("node0002",))
        await pilot.press("G")
        assert part.subject == Subject("node", ("node1024",))


async def test_only_changed_lines_of_a_heat_map_are_painted(showing: Any) -> None:
    async with showing(grid(64), (200, 50)) as (app, _):
        part = app.drawing
        painted: list[int] = []
        part.paint_lines = painted.extend
        app.view.show(grid(64))
        assert painted == []
        changed = list(grid(64).groups)
        changed[2] = replace(changed[2], values=[99.0] * 8)
        app.view.show(replace(grid(64), groups=changed))
        assert painted == [2]


@pytest.mark.parametrize(("system", "colours"), [("truecolor", 1 << 24), ("256", 256), ("standard", 16)])
async def test_every_terminal_has_its_own_ramp(showing: Any, monkeypatch: Any, system: str, colours: int) -> None:
    async with showing(grid(1)) as (app, _):
        monkeypatch.setattr(type(app.console), "color_system", system)
        part = app.drawing
        part.forget_lines()
        assert part.colours == colours
        used = {segment.text[0] for segment in part.line(0) if set(segment.text) <= set("█▓▒░")}
        assert used <= {character for character, _ in ramp(colours, True).steps}


async def test_without_colour_shades_tell_how_much(showing: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with showing(replace(grid(3, 95.0), low=0), (60, 8), focus=False) as (app, _):
        assert "node0003 ██ 95 ██ 95" in app.drawing.shown_text
        app.view.show(grid(3, 30.0))
        assert "node0003 ░░ 30 ░░ 30" in app.drawing.shown_text and "node0002   ·     ·" in app.drawing.shown_text
    async with showing(grid(12, 95.0), (50, 6), focus=False) as (app, _):
        assert "0003 ████████" in app.drawing.shown_text and "0002 ········" in app.drawing.shown_text


async def test_tiles_stand_under_each_other_whatever_their_numbers(showing: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    mixed = [replace(group, values=[100.0, 7.0] * 4, reason="") for group in grid(8).groups]
    async with showing(replace(grid(8), groups=mixed), (80, 8), focus=False) as (app, _):
        plan = app.drawing.flow
        assert plan.tiles and plan.span == 4
        line = app.drawing.shown_text.split("\n")[1]
        start = plan.start(1)
        assert line[start : start + 8] == "███   7 " and line[start - 3 : start - 1].strip().isdigit()


async def test_a_node_without_a_cell_says_why_where_there_is_room(showing: Any) -> None:
    silent = GridGroup("node0009", (), (), {}, "no answer by ssh for 12m", Subject("host", ("node0009",)))
    wide = replace(grid(1), groups=[*grid(1).groups, silent])
    async with showing(wide, (80, 10)) as (app, _):
        assert "node0009 no answer by ssh for 12m" in app.drawing.shown_text
    many = replace(grid(40), groups=[*grid(40).groups, silent])
    async with showing(many, (80, 16)) as (app, _):
        assert "0009 ········" in app.drawing.shown_text


async def test_the_cursor_hides_no_digit_and_a_click_finds_its_tile(showing: Any) -> None:
    async with showing(grid(4, 100.0), (80, 24)) as (app, pilot):
        part = app.drawing
        assert part.flow.tiles and part.flow.tall == 2
        assert part.shown_text.split("\n")[0].split() == ["node0001", "◆", *["100"] * 8]
        start = part.flow.start(0)
        await pilot.click(part, offset=(start + 3 * part.flow.span, 2 * part.flow.tall))
        assert part.subject == Subject("gpu", ("node0003", "3"))


async def test_a_matrix_tells_the_pair_under_the_cursor(showing: Any) -> None:
    view = Matrix("bandwidth", "Gb/s", 0, 200, ["node01", "node06"], [[math.nan, 1.02], [189.0, math.nan]])
    async with showing(view) as (app, pilot):
        await pilot.press("right")
        assert "node01 → node06: 1.02 Gb/s" in app.screen_text()
        await pilot.press("down")
        assert "node06 → node06: not measured" in app.screen_text()


async def test_a_chart_has_axes_with_units_and_leaves_gaps(showing: Any) -> None:
    values = [100.0] * 30 + [math.nan] * 40 + [300.0] * 30
    view = Chart("Power", "W", (ChartLine("a", [float(i) for i in range(100)], values),), 0.0, 400.0)
    async with showing(view, (60, 12)) as (app, _):
        text = app.drawing.shown_text
        assert "400 W ┤" in text and "2m ago" in text and text.rstrip().endswith("now")
        rows = [line.split("┤")[-1].split("│")[-1] for line in text.split("\n")]
        drawn = {x for row in rows[:-1] for x, c in enumerate(row) if 0x2800 < ord(c) < 0x2900}
        assert min(drawn) == 0 and max(drawn) == 49 and not drawn & set(range(16, 34))
        app.view.show(replace(view, lines=(), empty="No history yet."))
        assert "No history yet." in app.drawing.shown_text


async def test_a_tree_opens_and_closes(showing: Any) -> None:
    leaf = TreeNode("all_reduce", (), None, Tone.PLAIN, "255 ranks")
    view = Tree((TreeNode("train.py", (leaf, TreeNode("all_reduce")), Subject("rank", ("27",))), TreeNode("other")))
    async with showing(view) as (app, pilot):
        part = app.drawing
        assert part.row_count == 4 and "├   all_reduce  255 ranks" in part.shown_text
        await pilot.press("left")
        assert part.row_count == 2 and "▸ train.py" in part.shown_text
        app.view.show(view)
        assert part.row_count == 2
        await pilot.press("right", "right", "down")
        assert part.row_count == 4 and part.cursor == 2
        await pilot.press("left", "enter")
        await pilot.pause()
        assert isinstance(app.told[-1], Opened) and app.told[-1].subject == Subject("rank", ("27",))


async def test_facts_tell_why_a_value_is_absent(showing: Any) -> None:
    view = Facts(
        (
            Fact("Power", 71.3, Style.NUMBER, "W"),
            Fact("SM clock", Absent("driver too old"), Style.NUMBER, "MHz"),
            Fact("Note", "word " * 40),
        ),
        subject=Subject("gpu", ("a", "0")),
    )
    async with showing(view) as (app, _):
        text = app.drawing.shown_text
        assert "Power     71.3 W" in text and "SM clock  · driver too old" in text
        assert text.count("word") == 40 and "…" not in text
        assert app.view.subject == Subject("gpu", ("a", "0"))


async def test_a_log_follows_its_end_until_one_scrolls_up(showing: Any) -> None:
    def log(count: int) -> Log:
        return Log(tuple(f"line {i}" for i in range(count)))

    async with showing(log(50), (40, 10)) as (app, pilot):
        part = app.drawing
        assert part.shown_text.endswith("line 49")
        app.view.show(log(60))
        await pilot.pause()
        assert part.shown_text.endswith("line 59")
        await pilot.press("pageup")
        app.view.show(log(70))
        await pilot.pause()
        assert part.shown_text.endswith("line 50")
        await pilot.press("end")
        app.view.show(log(80))
        await pilot.pause()
        assert part.shown_text.endswith("line 79")
        app.view.show(Log(("fresh",)))
        await pilot.pause()
        assert part.shown_text.strip() == "fresh"


async def test_a_panel_lays_itself_out_even_when_no_resize_told_it_its_size(showing: Any) -> None:
    async with showing(Log(("line 0",)), (40, 10)) as (app, pilot):
        part = app.drawing
        part._lines, part._fitted = [], Size(0, 0)
        part.refresh()
        await pilot.pause()
        assert part.shown_text.strip() == "line 0"


def sections(**more: Any) -> Sections:
    text = Text("\n".join(f"row {i}" for i in range(30)), title="Words")
    return Sections(
        (
            Section("grid", replace(grid(8), title="GPUs"), 0, 3, 4, 1),
            Section("words", text, 0, 1, 3, 5),
            Section("right", Facts((Fact("Node", "node03"),), title="Facts"), 1, 1, 1, 2),
        )
    )


async def test_parts_stand_beside_each_other_or_stacked(showing: Any) -> None:
    async with showing(sections(), (160, 30)) as (app, pilot):
        first = app.screen_text().split("\n")[0]
        assert first.startswith("── GPUs ─") and "│── Facts ─" in first
        await pilot.resize_terminal(80, 30)
        await pilot.pause()
        text = app.screen_text()
        assert "│──" not in text
        assert text.index("── GPUs") < text.index("── Words") < text.index("── Facts")
        await pilot.resize_terminal(80, 9)
        await pilot.pause()
        text = app.screen_text()
        assert "── Words" not in text and "── GPUs" in text and "── Facts" in text
        assert text.rstrip().split("\n")[-1].startswith("── no room for: Words ─")
        reachable = [widget for widget in app.screen.focus_chain]
        assert all(widget.region.height > 0 for widget in reachable)


async def test_parts_keep_what_they_are_and_tab_goes_round(showing: Any) -> None:
    async with showing(sections(), (160, 30)) as (app, pilot):
        before = app.focused
        await pilot.press("down", "right")
        subject = before.subject
        app.view.show(sections())
        await pilot.pause()
        assert app.focused is before and before.subject == subject
        await pilot.press("tab")
        assert app.focused is not before
        await pilot.press("shift+tab")
        assert app.focused is before


async def test_any_view_may_follow_any_other(showing: Any) -> None:
    views = [
        Text("a"),
        Table((), (), lambda r: None),
        grid(2),
        Matrix("m", "u", 0, 1, [], []),
        Tree(()),
        Chart("c", "u", ()),
        Facts(()),
        Log(()),
        Form("f", (Field("a", "A", help="b"),)),
        Sections(()),
        sections(),
    ]
    async with showing(None) as (app, pilot):
        for view in [*views, *reversed(views)]:
            app.view.show(view)
            await pilot.pause()
            assert len(app.view.children) == 1
        for view in views:  # several between two paints
            app.view.show(view)
        await pilot.pause()
        assert len(app.view.children) == 1
