"""Journeys through panes and details: where one is, what is shown, what can be reached."""

from __future__ import annotations

import dataclasses

from journey_driver import console
from journey_scene import HOSTILE, LIVE, Scene, fleet, job_table, plugin
from msgspec import structs

from mleconsole.api import Column, Fleet, Situation, Subject
from mleconsole.app import parts
from mleconsole.app.trail import Place


async def test_the_frame_says_where_we_are_who_we_are_and_what_we_cost():
    async with console() as driver:
        lines = (await driver.see("GPUs by node")).split("\n")
        assert "prod ▸ Overview" in lines[0]
        for words in ("alice@login", "7/8 nodes", "64 GPUs", "0.8 % CPU"):
            assert words in lines[0]
        for words in ("1 Overview", "2 GPUs 1", "4 Jobs"):
            assert words in lines[1]
        assert "? more" in lines[-1]


async def test_digits_go_to_panes_and_only_their_probes_are_needed():
    async with console() as driver:
        await driver.press("2")
        await driver.see("TEMP")
        assert driver.scene.collector.needed == {"gpu"}
        await driver.press("4")
        await driver.see("llama-70b")
        assert driver.scene.collector.needed == frozenset()


async def test_enter_opens_the_detail_and_escape_comes_back_to_the_same_row():
    async with console(pane="jobs") as driver:
        await driver.see("48377")
        await driver.press("down")
        await driver.until(
            lambda: parts.selected(driver.app.panes_screen.page) == Subject("job", ("48377",)), "the second row"
        )
        await driver.press("enter")
        assert "prod ▸ Jobs ▸ job 48377" in (await driver.see("step 2")).split("\n")[0]
        await driver.press("escape")
        await driver.see("STATE")
        assert parts.selected(driver.app.panes_screen.page) == Subject("job", ("48377",))


async def test_a_row_without_a_page_of_its_own_opens_what_it_belongs_to():
    async with console(pane="gpus") as driver:
        await driver.see("node01")
        await driver.press("enter")
        await driver.see("job 48213", "step 2")


async def test_leaving_a_detail_by_a_digit_and_coming_back_finds_it_and_the_digit_again_leaves_it():
    async with console(pane="jobs") as driver:
        await driver.see("llama")
        await driver.press("enter")
        await driver.see("step 2")
        await driver.press("2")
        await driver.see("TEMP")
        await driver.press("4")
        await driver.see("step 2")
        await driver.press("4")
        await driver.miss("step 2")
        assert driver.app.panes_screen.trail.places == (Place("jobs"),)


async def test_a_hostile_name_is_shown_as_it_is():
    async with console(pane="jobs", size=(160, 40)) as driver:
        text = await driver.see("x[/y][@click=app.quit]")
        assert "\x1b" not in text and "\u202e" not in text
        await driver.press("down", "enter")
        text = await driver.see("step 2", "x[/y][@click=app.quit]")
        assert "\x1b" not in text and HOSTILE not in text


async def test_a_pane_that_raises_is_off_with_a_sentence_and_the_others_go_on():
    async with console() as driver:
        await driver.press("9")
        await driver.see("Pane Raising is off", "KeyError", "no such field")
        await driver.press("2")
        await driver.see("TEMP", "Raising off")


async def test_a_column_that_raises_costs_only_its_cells():
    def broken(job) -> str:
        raise KeyError(job.job_id)

    def view(fleet, history, focus):
        table = job_table(fleet, history, focus)
        return structs.replace(table, columns=(*table.columns, Column("bad", "BAD", broken, priority=0)))

    jobs = structs.replace(plugin().panes[2], view=view)
    async with console(Scene(plugins=(structs.replace(plugin(), panes=(jobs,)),)), pane="jobs") as driver:
        await driver.see("llama-70b", "BAD")
        await driver.see("can't be computed: KeyError")
        driver.app.panes_screen.table.sort("bad", True)
        await driver.press("down")
        await driver.see("llama-70b")


async def test_a_switch_goes_through_its_values():
    async with console(pane="gpus") as driver:
        await driver.see("SHOWN")
        await driver.press("m")
        await driver.see("metric: util")
        await driver.press("m")
        await driver.see("metric: memory")
        await driver.press("m")
        await driver.see("metric: power")


async def test_empty_is_said_in_words_with_the_next_step():
    async with console(Scene(situation=Situation(user="carol")), pane="jobs") as driver:
        await driver.see("No jobs of carol. `A` shows all 4.")
        await driver.press("A")
        await driver.see("llama-70b", "sweep")


async def test_before_anything_answered_it_says_what_it_waits_for():
    scene = Scene(first=lambda: Fleet(serial=1), status=dataclasses.replace(LIVE, login="connecting"))
    async with console(scene) as driver:
        await driver.see("Connecting to alice@login")
        scene.status = LIVE
        scene.collector.show(fleet(serial=2))
        await driver.see("GPUs by node")
        await driver.miss("Connecting to", "connecting to")


async def test_a_login_that_is_lost_or_signed_out_says_so_and_the_data_stays():
    async with console(pane="gpus") as driver:
        await driver.see("TEMP")
        driver.scene.status = dataclasses.replace(LIVE, login="lost", sentence="connection reset", since=988.0)
        driver.scene.collector.show(fleet(serial=2))
        await driver.see("login lost 12s ago: connection reset; retrying", "TEMP")
        driver.scene.status = dataclasses.replace(LIVE, login="signed_out")
        driver.scene.collector.show(fleet(serial=3))
        await driver.see("signed out; press r to sign in")
        await driver.press("r")
        assert driver.scene.signed_in_again == 1


async def test_pause_holds_new_data_back():
    async with console(pane="jobs") as driver:
        await driver.see("llama-70b")
        await driver.press("p")
        await driver.see("paused")
        shown = driver.app.panes_screen.page.shown
        driver.scene.collector.show(fleet(serial=2))
        await driver.pilot.pause()
        assert driver.app.panes_screen.page.shown is shown
        await driver.press("p")
        await driver.until(lambda: driver.app.panes_screen.page.shown is not shown, "the new data")
        await driver.miss("paused")


async def test_narrow_and_wide_again():
    async with console(pane="gpus", size=(200, 50)) as driver:
        await driver.see("TEMP", "0.8 % CPU")
        await driver.pilot.resize_terminal(80, 24)
        await driver.until(lambda: len(driver.lines) == 24, "24 lines")
        lines = driver.lines
        assert all(len(line) <= 80 for line in lines)
        assert "GPUs" in lines[0] and "NODE" in driver.text and "? more" in lines[-1]
        await driver.pilot.resize_terminal(200, 50)
        await driver.see("0.8 % CPU")


async def test_help_tells_only_what_works_here_and_why_not():
    async with console(pane="jobs") as driver:
        await driver.see("llama")
        await driver.press("?")
        text = await driver.see("what works here and now", "Cancel job: job 48213", "scope: mine / all")
        assert "needs a node" in text and "metric" not in text
        await driver.press("escape")
        await driver.miss("what works here and now")


async def test_no_plugin_at_all_is_said():
    async with console(Scene(plugins=())) as driver:
        await driver.see("There is no pane to show")


async def test_two_plugins_one_broken_at_view_leaves_the_other():
    other = structs.replace(plugin(), id="other", panes=(structs.replace(plugin().panes[2], id="jobs2"),))
    async with console(Scene(plugins=(plugin(), other))) as driver:
        assert set(driver.app.registry.panes) >= {"jobs", "jobs2"}
        await driver.see("GPUs by node")


async def test_nobody_at_the_keyboard_slows_collection_down_until_the_next_key():
    async with console() as driver:
        await driver.see("GPUs by node")
        driver.now += 121
        await driver.until(lambda: driver.scene.collector.is_idle, "idleness")
        await driver.press("down")
        assert not driver.scene.collector.is_idle


async def test_panes_and_keys_of_the_frame_can_be_clicked():
    async with console() as driver:
        line = (await driver.see("GPUs by node")).split("\n")[1]
        await driver.pilot.click("#panes", offset=(line.index("Jobs"), 0))
        await driver.see("llama-70b", "A scope")
        await driver.pilot.click("#keys", offset=(driver.lines[-1].index("scope"), 0))
        await driver.see("scope: all")
