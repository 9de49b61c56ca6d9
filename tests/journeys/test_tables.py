"""Journeys in a table: filter, sort, marks, copy, zoom."""

from __future__ import annotations

from journey_driver import console

from mleconsole.api import Subject


async def test_filter_narrows_as_typed_enter_keeps_it_and_escape_ends_it():
    async with console(pane="gpus") as driver:
        await driver.see("node01", "node02")
        await driver.press("/", *"node02")
        await driver.miss("node01")
        await driver.press("enter")
        await driver.see("filter: node02")
        await driver.press("escape")
        await driver.see("node01")
        await driver.miss("filter: node02")


async def test_escape_in_the_filter_line_shows_all_again():
    async with console(pane="gpus") as driver:
        await driver.see("node01")
        await driver.press("/", *"node02")
        await driver.miss("node01")
        await driver.press("escape")
        await driver.see("node01")


async def test_letters_in_the_filter_line_are_text_and_not_keys():
    async with console(pane="gpus") as driver:
        await driver.see("node01")
        await driver.press("/", "q", "x", "2", "?")
        assert driver.app.panes_screen.filter_text == "qx2?"
        assert driver.app.screen is driver.app.panes_screen


async def test_sort_by_picker_by_neighbours_and_the_other_way_round():
    async with console(pane="gpus") as driver:
        await driver.see("node01")
        await driver.press("s")
        await driver.see("Sort by")
        await driver.press(*"POWER", "enter")
        await driver.until(lambda: driver.app.panes_screen.table.sorted_by[0] == "power_watts", "the order")
        before = driver.app.panes_screen.table.sorted_by[1]
        await driver.press("i")
        assert driver.app.panes_screen.table.sorted_by == ("power_watts", not before)
        await driver.press(".")
        assert driver.app.panes_screen.table.sorted_by[0] == "memory_used_mib"
        await driver.press(",", ",")
        assert driver.app.panes_screen.table.sorted_by[0] == "util_percent"


async def test_marks_are_counted_acted_on_together_and_ended_by_escape():
    async with console(pane="jobs") as driver:
        await driver.see("llama")
        await driver.press("A")
        await driver.see("sweep")
        await driver.press("space", "space")
        await driver.see("2 marked")
        assert driver.app.panes_screen.table.marks == {Subject("job", ("48213",)), Subject("job", ("48377",))}
        await driver.press("escape")
        await driver.miss("2 marked")


async def test_range_marks_from_the_last_mark_to_here():
    async with console(pane="gpus") as driver:
        await driver.see("node01")
        await driver.press("space", "down", "down", "v")
        await driver.see("marked")
        assert len(driver.app.panes_screen.table.marks) >= 3


async def test_copy_puts_the_row_on_the_clipboard():
    async with console(pane="jobs") as driver:
        await driver.see("llama")
        await driver.press("c")
        await driver.see("copied")
        assert "48213" in driver.app.clipboard and "llama-70b" in driver.app.clipboard


async def test_zoom_and_back():
    async with console() as driver:
        await driver.see("GPUs by node", "no answer by ssh for 12m")
        await driver.press("tab")
        await driver.press("z")
        await driver.until(lambda: driver.app.panes_screen.maximized is not None, "the zoom")
        await driver.press("z")
        await driver.until(lambda: driver.app.panes_screen.maximized is None, "the end of the zoom")


async def test_the_reason_of_an_absent_cell_stands_in_the_rule():
    async with console() as driver:
        await driver.see("GPUs by node")
        grid_seen = "no answer for 12m"
        for _ in range(64):
            if grid_seen in driver.text:
                break
            await driver.press("right")
        await driver.see(grid_seen)
