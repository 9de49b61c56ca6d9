"""The table: what is drawn, what stays while new data comes, and what keys and the mouse do."""

from __future__ import annotations

import unicodedata
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mleconsole.model.absent import Absent
from mleconsole.model.record import Subject
from mleconsole.model.view import Column, Style, Table, Tone
from mleconsole_widgets.messages import CursorMoved, Opened
from mleconsole_widgets.table import ViewTable


class Gpu(NamedTuple):
    node: str
    power: Any
    note: str = ""
    age: float | Absent = 1.0


def table(rows: list[Gpu], **more: Any) -> Table:
    return Table(
        columns=(
            Column("node", "NODE", lambda r: r.node, priority=0),
            Column("power_watts", "POWER", lambda r: r.power, Style.NUMBER, "W", priority=1),
            Column("note", "NOTE", lambda r: r.note, priority=2, tone=lambda r: Tone.BAD if r.note else Tone.PLAIN),
        ),
        rows=rows,
        subject=lambda r: Subject("gpu", (r.node,)),
        **more,
    )


def nodes(count: int) -> list[Gpu]:
    return [Gpu(f"node{i:05d}", float(i * 37 % 701)) for i in range(count)]


def lines(part: ViewTable) -> list[str]:
    return part.shown_text.split("\n")


async def test_rows_stand_under_their_header_with_units(showing: Any) -> None:
    async with showing(table([Gpu("node01", 641.2), Gpu("node02", Absent("driver too old"))])) as (app, _):
        text = lines(app.drawing)
        assert text[0] == "  NODE     POWER W  NOTE"
        assert text[1] == "  node01       641"
        assert text[2] == "  node02         ·"


async def test_the_cursor_stays_on_its_subject_when_rows_reorder(showing: Any) -> None:
    rows = nodes(200)
    async with showing(table(rows)) as (app, pilot):
        part = app.drawing
        await pilot.press("down", "down", "down")
        assert part.subject == Subject("gpu", ("node00003",))
        app.view.show(table(list(reversed(rows))))
        await pilot.pause()
        assert part is app.drawing
        assert part.subject == Subject("gpu", ("node00003",)) and part.cursor == 196
        assert any("node00003" in line for line in lines(part))
        part.sort("power_watts", True)
        assert part.subject == Subject("gpu", ("node00003",))
        app.view.show(table([row for row in rows if row.node != "node00003"]))
        assert part.subject is not None and part.subject != Subject("gpu", ("node00003",))


async def test_the_order_that_was_chosen_holds_and_absent_comes_last(showing: Any) -> None:
    rows = [Gpu("a", 3.0), Gpu("b", Absent("x")), Gpu("c", 9.0)]
    async with showing(table(rows, sort="power_watts", descending=True)) as (app, pilot):
        part = app.drawing
        assert [line.split()[0] for line in lines(part)[1:4]] == ["c", "a", "b"]
        assert "▾POWER" in lines(part)[0]
        part.sort("power_watts", False)
        app.view.show(table([*rows, Gpu("d", 1.0)], sort="power_watts", descending=True))
        await pilot.pause()
        assert [line.split()[0] for line in lines(part)[1:5]] == ["d", "a", "c", "b"]
        assert part.sorted_by == ("power_watts", False)


async def test_a_filter_shows_what_matches_and_says_when_nothing_does(showing: Any) -> None:
    async with showing(table(nodes(300))) as (app, pilot):
        part = app.drawing
        assert part.filter("node0001 power:>300") is None
        await pilot.pause()
        assert part.row_count == sum(1 for r in nodes(300) if "node0001" in r.node and r.power > 300)
        reason = part.filter("/[/")
        assert reason and "can't be read" in lines(part)[0] and part.row_count > 0
        part.filter("nothing-like-it")
        await pilot.pause()
        assert "None of 300 rows matches" in part.shown_text
        part.filter("")
        assert part.row_count == 300


async def test_marks_are_of_subjects(showing: Any) -> None:
    rows = nodes(10)
    async with showing(table(rows)) as (app, pilot):
        part = app.drawing
        await pilot.press("space", "down", "down", "v")
        assert [mark.key[0] for mark in part.marks] == ["node00000", "node00001", "node00002", "node00003"]
        assert lines(part)[1].startswith("▪ node00000") and lines(part)[6].startswith("  node00005")
        app.view.show(table(list(reversed(rows[1:]))))
        await pilot.pause()
        assert {mark.key[0] for mark in part.marks} == {"node00001", "node00002", "node00003"}
        assert part.copy_text().split("\n")[0].split("\t")[0] == "node00003"
        part.unmark()
        assert not part.marks and "▪" not in part.shown_text


async def test_keys_move_and_open(showing: Any) -> None:
    async with showing(table(nodes(500))) as (app, pilot):
        part = app.drawing
        for key, cursor in (("end", 499), ("home", 0), ("G", 499), ("g", 0), ("j", 1), ("k", 0), ("up", 0)):
            await pilot.press(key)
            assert part.cursor == cursor, key
        await pilot.press("pagedown")
        page = part.cursor
        assert 15 < page < 24 and any(part.subject.key[0] in line for line in lines(part))
        await pilot.press("ctrl+u")
        assert part.cursor == 0
        await pilot.press("ctrl+d", "enter")
        await pilot.pause()
        assert [m.subject.key[0] for m in app.told if isinstance(m, Opened)] == [f"node{page:05d}"]


async def test_the_status_line_is_told_why_a_cell_is_absent(showing: Any) -> None:
    rows = [Gpu("a", 3.0), Gpu("b", Absent("driver \x1btoo old"))]
    async with showing(table(rows)) as (app, pilot):
        await pilot.press("down")
        await pilot.pause()
        moved = [m for m in app.told if isinstance(m, CursorMoved)]
        assert (moved[0].subject, moved[0].reason) == (Subject("gpu", ("a",)), "")
        assert (moved[-1].subject, moved[-1].reason) == (Subject("gpu", ("b",)), "POWER: driver \\x1btoo old")
        told = len(app.told)
        app.view.show(table(rows))
        await pilot.pause()
        assert len(app.told) == told


async def test_the_mouse_picks_sorts_and_opens(showing: Any) -> None:
    async with showing(table(nodes(50))) as (app, pilot):
        part = app.drawing
        await pilot.click(part, offset=(4, 6))
        assert part.cursor == 5
        await pilot.click(part, offset=(part.placed[1].start + 2, 0))
        assert part.sorted_by == ("power_watts", False)
        await pilot.click(part, offset=(part.placed[1].start + 2, 0))
        assert part.sorted_by == ("power_watts", True)
        await pilot.click(part, offset=(4, 3), times=2)
        await pilot.pause()
        opened = [m for m in app.told if isinstance(m, Opened)]
        assert len(opened) == 1 and opened[0].subject == part.subject


async def test_stale_rows_fade_and_tell_their_age(showing: Any) -> None:
    rows = [Gpu("a", 3.0, age=2.0), Gpu("b", 4.0, age=75.0)]
    async with showing(table(rows, age=lambda r: r.age)) as (app, _):
        part = app.drawing
        assert lines(part)[0].endswith("AGE") and lines(part)[2].endswith("1m") and not lines(part)[1].endswith("2s")
        plain, stale = part.line(1), part.line(2)
        assert part.tone(Tone.STALE).color != part.tone(Tone.PLAIN).color
        assert any(s.style.color == part.tone(Tone.STALE).color for s in stale)
        assert not any(s.style.color == part.tone(Tone.STALE).color for s in plain)


async def test_words_stand_where_rows_are_not(showing: Any) -> None:
    empty = table([], empty="No jobs of alice. `A` shows all.", notices=("squeue is slow", "b\x1b"))
    async with showing(empty) as (app, _):
        text = lines(app.drawing)
        assert text[:3] == ["  squeue is slow", "  b\\x1b", "  No jobs of alice. `A` shows all."]
        assert app.drawing.subject is None


async def test_narrow_and_wide(showing: Any) -> None:
    long = Gpu("node01", 5.0, "a sentence that is much longer than the room that there is for it here")
    async with showing(table([long]), (40, 10)) as (app, pilot):
        assert "…" in lines(app.drawing)[1]
        await pilot.resize_terminal(140, 10)
        await pilot.pause()
        assert lines(app.drawing)[1].endswith("for it here")


async def test_only_lines_that_changed_are_painted(showing: Any) -> None:
    rows = nodes(40)
    async with showing(table(rows)) as (app, _):
        part = app.drawing
        painted: list[int] = []
        real = part.paint_lines
        part.paint_lines = lambda ys: (painted.extend(ys), real(ys))
        app.view.show(table(list(rows)))
        assert painted == []
        app.view.show(table([*rows[:7], replace_power(rows[7]), *rows[8:]]))
        assert painted == [8]


def replace_power(row: Gpu) -> Gpu:
    return row._replace(power=1234.0)


async def test_the_window_alone_is_formatted(showing: Any) -> None:
    asked: set[str] = set()

    def note(row: Gpu) -> str:
        asked.add(row.node)
        return row.note

    big = table(nodes(20_000))
    big = replace(big, columns=(*big.columns[:2], Column("note", "NOTE", note)))
    async with showing(big) as (app, pilot):
        first = len(asked)
        assert first < 400
        app.view.show(replace(big))
        await pilot.press("down", "down")
        assert len(asked) == first


TEXTS = st.text(st.characters(), max_size=30)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.builds(Gpu, TEXTS, st.one_of(st.floats(), TEXTS, st.builds(Absent, TEXTS)), TEXTS), max_size=6))
async def test_no_control_character_reaches_a_line(showing: Any, rows: list[Gpu]) -> None:
    words = "".join(row.node for row in rows)
    async with showing(table(rows, notices=(words,), empty=words or "x"), (90, 12)) as (app, _):
        for y in range(12):
            strip = app.drawing.line(y)
            assert strip.cell_length == app.drawing.room.width
            for segment in strip:
                assert segment.control is None
                assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in segment.text)
