"""Where things stand: columns of a table, groups of a heat map, parts of a page; cells that are cut."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mleconsole.model.absent import Absent
from mleconsole.model.view import Column, Grid, GridGroup, Style
from mleconsole_widgets.cells import cut, end_cut, fit, middle_cut
from mleconsole_widgets.columns import GAP, place
from mleconsole_widgets.flow import flow, short_labels, stand
from mleconsole_widgets.order import order
from mleconsole_widgets.ramps import RAMPS, level, levels_of
from mleconsole_widgets.share import Wish, share
from mleconsole_widgets.text import folded
from mleconsole_widgets.wish import lines_wanted


def column(id: str, priority: int, style: Style = Style.TEXT, width: int = 0) -> Column:
    return Column(id, id.upper(), lambda row: row, style, width=width, priority=priority)


def test_the_highest_priority_is_dropped_first_and_zero_never() -> None:
    columns = [column("id", 0), column("state", 0), column("a", 3), column("b", 7), column("c", 5)]
    widths = {c.id: 10 for c in columns}
    assert [p.column.id for p in place(columns, widths, 60)] == ["id", "state", "a", "b", "c"]
    assert [p.column.id for p in place(columns, widths, 50)] == ["id", "state", "a", "c"]
    assert [p.column.id for p in place(columns, widths, 5)] == ["id", "state"]


def test_words_that_matter_get_room_before_less_important_columns() -> None:
    columns = [column("id", 0), column("note", 1), column("clock", 5, Style.NUMBER)]
    placed = place(columns, {"id": 6, "note": 30, "clock": 4}, 45)
    assert [(p.column.id, p.width) for p in placed] == [("id", 6), ("note", 30)]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60), st.sampled_from([Style.TEXT, Style.NUMBER])), max_size=9),
    st.integers(1, 220),
)
def test_columns_stand_side_by_side_within_the_room(shape: list[tuple[int, int, Style]], room: int) -> None:
    columns = [column(f"c{i}", priority, style) for i, (priority, _, style) in enumerate(shape)]
    placed = place(columns, {f"c{i}": width for i, (_, width, _) in enumerate(shape)}, room)
    for before, after in pairwise(placed):
        assert before.start + before.width + GAP == after.start
    kept = {p.column.id for p in placed}
    assert {c.id for c in columns if c.priority == 0} <= kept
    if any(p.column.priority > 0 for p in placed) and len(placed) > 1:
        assert placed[-1].start + placed[-1].width <= room


@given(st.text(), st.integers(0, 30))
def test_nothing_is_wider_than_its_cells(text: str, width: int) -> None:
    from mleconsole.model.format import escape

    shown = escape(text)
    for cutting in (cut, end_cut, middle_cut):
        assert cell_len(cutting(shown, width)) <= max(width, 0)
    assert cell_len(fit(shown, width)) == width


def test_names_keep_both_ends_and_sentences_their_beginning() -> None:
    assert middle_cut("train-llama-3-pretrain-70b", 16) == "train-llam…n-70b"
    assert middle_cut("a-long-name-00048213", 14) == "a-lon…00048213"
    assert cut("no answer by ssh", 10) == "no answer…"


def test_heat_groups_stand_in_the_roomiest_way_that_fits() -> None:
    labelled = flow(64, 2, 8, 200, 10)
    assert (labelled.labelled, labelled.folded, labelled.rows, labelled.span) == (True, False, 10, 2)
    assert flow(1024, 4, 8, 200, 48).labelled is False
    folded_flow = flow(1024, 4, 8, 80, 20)
    assert folded_flow.folded and folded_flow.cells == 1 and folded_flow.columns % 10 == 0


@given(st.integers(1, 300), st.integers(1, 8), st.integers(8, 220), st.integers(1, 50))
def test_every_group_stands_once_and_is_found_where_it_stands(total: int, cells: int, width: int, height: int) -> None:
    plan = flow(total, 3, cells, width, height)
    last = plan.start(len(plan.in_row(0)) - 1) + plan.group_width
    assert last <= width or (plan.span, plan.columns) == (1, 1) or not plan.labelled
    seen = [group for row in range(plan.rows) for group in plan.in_row(row)]
    assert sorted(seen) == list(range(total))
    for row in range(plan.rows):
        for place_, group in enumerate(plan.in_row(row)):
            assert plan.row_of(group) == row
            assert plan.at(plan.start(place_), row) == (group, 0)
    for group in range(total):
        for step in (-1, 1):
            assert 0 <= plan.below(group, step) < total
            beside = plan.beside(group, step)
            assert beside is None or 0 <= beside < total


def test_few_nodes_get_wide_cells_with_their_numbers_and_many_get_narrow_ones() -> None:
    few = flow(4, 6, 8, 118, 20)
    assert (few.columns, few.rows, few.tiles, few.tall) == (1, 4, True, 2)
    assert flow(64, 2, 8, 118, 22).tiles
    assert flow(512, 3, 8, 118, 46).span == 1


def test_a_heat_map_asks_for_the_lines_of_whole_nodes_before_it_folds_them() -> None:
    groups = [GridGroup(f"node{number:02d}", [1.0] * 8, []) for number in range(1, 65)]
    lines = lines_wanted(Grid("power", "%", 0, 100, groups), 79, 7)
    assert lines is not None and flow(64, 2, 8, 79, lines - 2).labelled


def test_labels_are_whole_where_cells_are_wide() -> None:
    names = [f"node{number:02d}" for number in range(1, 9)]
    assert stand(names, 8, 118, 20)[0] == names
    assert stand(names, 8, 40, 4)[0] == ["01", "02", "03", "04", "05", "06", "07", "08"]


def test_words_take_no_more_than_they_have_and_squeeze_before_anything_scrolls() -> None:
    note = Column("note", "NOTE", lambda row: row, width=60, priority=2)
    sentence = Column("sentence", "WHAT", lambda row: row, width=100, priority=0)
    assert [one.width for one in place((note,), {"note": 0}, 80)] == [5]
    assert place((sentence,), {"sentence": 100}, 80)[0].width == 78
    assert place((sentence,), {"sentence": 100}, 36)[0].width == 34
    since, rule = column("since", 1, Style.DURATION), column("rule", 8)
    shown = place((sentence, since, rule), {"sentence": 70, "since": 3, "rule": 11}, 90)
    assert [(one.column.id, one.width) for one in shown] == [("sentence", 70), ("since", 6)]


def test_labels_lose_what_they_share_but_never_everything() -> None:
    assert short_labels(["node01", "node02", "node10"]) == ["01", "02", "10"]
    assert short_labels(["node1", "node12"]) == ["1", "12"]
    assert short_labels(["a", "a"]) == ["a", "a"]
    assert short_labels(["gpu-a-01", "cpu-01"]) == ["gpu-a-01", "cpu-01"]


@given(
    st.lists(st.builds(Wish, st.integers(1, 9), st.none() | st.integers(1, 30), st.integers(1, 4), st.integers(0, 9))),
    st.integers(0, 60),
)
def test_parts_share_the_height(wishes: list[Wish], height: int) -> None:
    given_lines = share(wishes, height)
    assert sum(given_lines) <= height
    for wish, lines in zip(wishes, given_lines, strict=True):
        assert lines == 0 or wish.most is None or lines <= max(wish.most, 1)
    if any(wish.most is None for wish, lines in zip(wishes, given_lines, strict=True) if lines):
        assert sum(given_lines) == height


def test_the_least_important_part_is_left_out() -> None:
    assert share([Wish(4, None, 1, 1), Wish(4, None, 1, 9), Wish(4, None, 1, 0)], 9) == [5, 0, 4]


def test_unknown_values_come_last_either_way_and_numbers_in_names_count() -> None:
    rows = ["node10", Absent("gone"), "node9", None, "node1"]
    name = column("name", 0)
    assert [rows[i] for i in order(rows, name, False, None)] == ["node1", "node9", "node10", rows[1], None]
    assert [rows[i] for i in order(rows, name, True, None)] == ["node10", "node9", "node1", rows[1], None]
    numbers = [3.0, math.nan, 1, Absent("x"), 2]
    assert order(numbers, name, False, None) == [2, 4, 0, 1, 3]
    assert order(numbers, name, True, None) == [0, 4, 2, 1, 3]


@given(st.lists(st.floats(), max_size=50), st.floats(-10, 10), st.floats(-10, 10), st.integers(1, 16))
def test_steps_of_many_values_are_the_steps_of_each(values: list[float], low: float, high: float, levels: int) -> None:
    many = levels_of(values, low, high, levels)
    assert [step if step != 255 else -1 for step in many] == [
        level(v, low, high, levels) for v in values
    ] or high <= low


def test_ramps_have_one_style_a_step_and_brighten() -> None:
    for dark, ramps in RAMPS.items():
        for ramp in ramps.values():
            assert len({step for step in ramp.steps}) == ramp.levels
        brightness = [
            0.2126 * int(c[1:3], 16) + 0.7152 * int(c[3:5], 16) + 0.0722 * int(c[5:7], 16)
            for _, c in ramps[1 << 24].steps
            if c is not None
        ]
        assert brightness == sorted(brightness, reverse=not dark)


@given(st.text(), st.integers(1, 40))
def test_folded_lines_fit_and_keep_all_words(text: str, width: int) -> None:
    from mleconsole.model.format import escape

    lines = folded(text, width)
    assert all(cell_len(line) <= max(width, 2) for line in lines)
    squeezed = "".join("".join(lines).split())
    assert squeezed == "".join("".join(escape(line.expandtabs(8)) for line in text.split("\n")).split())
