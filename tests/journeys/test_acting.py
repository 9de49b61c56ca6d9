"""Journeys of doing: menu, confirmation, refusal, inputs, progress, outcome, workflows, questions, leaving."""

from __future__ import annotations

import asyncio
import threading

from journey_driver import console
from journey_scene import HOSTILE, Scene, fleet

from mleconsole.api import LOGIN, Fleet, Job, Situation, Step
from mleconsole.transport.interface import Question


async def test_a_dangerous_action_shows_the_exact_argv_and_escape_keeps_everything():
    async with console(pane="jobs") as driver:
        await driver.see("llama")
        await driver.press("X")
        await driver.see("scancel 48213", "frees 4 nodes, 32 GPUs", LOGIN)
        await driver.press("escape")
        await driver.see("nothing was run")
        assert driver.scene.ran == []


async def test_enter_alone_never_confirms():
    async with console(pane="jobs") as driver:
        await driver.see("llama")
        await driver.press("X")
        await driver.see("scancel 48213")
        await driver.press("enter")
        await driver.see("nothing was run")
        assert driver.scene.ran == []


async def test_y_confirms_and_the_argv_that_was_shown_is_what_runs():
    async with console(pane="jobs") as driver:
        await driver.see("llama")
        await driver.press("X")
        await driver.see("scancel 48213")
        await driver.press("y", "enter")
        await driver.see("done: Cancel job 48213")
        assert driver.scene.ran == [Step(LOGIN, ("scancel", "48213"))]


async def test_the_guard_is_asked_again_after_the_person_read():
    async with console(pane="jobs") as driver:
        await driver.see("llama")
        await driver.press("X")
        await driver.see("scancel 48213")
        kinds, seen, source = fleet().parts()
        driver.scene.collector.show(Fleet({**kinds, Job: {}}, seen, source, 1000.0, 2))
        await driver.press("y", "enter")
        await driver.see("job 48213 is gone; nothing was run")
        assert driver.scene.ran == []


async def test_a_refused_action_says_why_on_its_key_and_in_the_menu():
    async with console(pane="jobs") as driver:
        await driver.press("A")
        await driver.see("sweep")
        await driver.press("down", "down")
        await driver.press("X")
        await driver.see("job 48401 belongs to bob")
        await driver.press("x")
        await driver.see("Actions", "Cancel job: job 48401", "job 48401 belongs to bob")
        assert driver.scene.ran == []


async def test_read_only_lets_reads_through_and_says_why_the_rest_is_off():
    scene = Scene(situation=Situation(user="alice", read_only=True))
    async with console(scene, pane="gpus") as driver:
        await driver.see("read-only", "node01")
        await driver.press("X")
        await driver.see("this console is read-only")
        await driver.press("u")
        await driver.see("WHAT IT SAID", "up 3 days")
        assert [step.argv for step in scene.ran] == [("uptime",)]


async def test_inputs_are_asked_and_a_plan_that_makes_no_sense_is_one_sentence():
    async with console(pane="gpus") as driver:
        await driver.see("node01")
        await driver.press("w")
        await driver.see("reason")
        await driver.press("enter")
        await driver.see("a drain needs a reason")
        await driver.press("w")
        await driver.see("reason")
        await driver.press(*"slow", "enter")
        await driver.see("nodename=node01", "reason=slow")
        await driver.press("y")
        await driver.see("done: Drain node01")


async def test_failures_are_told_host_by_host():
    async with console(Scene(failing=frozenset({"node01"})), pane="gpus") as driver:
        await driver.see("node01")
        await driver.press("u")
        await driver.see("node01: permission denied", "WHAT IT SAID")
        await driver.press("escape")
        await driver.see("TEMP")


async def test_what_runs_is_shown_and_quitting_asks():
    scene = Scene(gate=asyncio.Event())
    async with console(scene, pane="gpus") as driver:
        await driver.see("node01")
        await driver.press("u")
        await driver.see("Uptime of 1 nodes")
        await driver.press("q")
        await driver.see("Still running: Uptime of 1 nodes")
        await driver.press("escape")
        await driver.miss("Still running")
        scene.collector._loop.call_soon_threadsafe(scene.gate.set)
        await driver.see("up 3 days")


async def test_a_workflow_shows_its_progress_and_ends_in_its_report():
    scene = Scene(gate=asyncio.Event())
    async with console(scene, pane="jobs") as driver:
        await driver.see("llama")
        await driver.press("D")
        await driver.see("asking 32 ranks", "1 of 2")
        scene.collector._loop.call_soon_threadsafe(scene.gate.set)
        await driver.see(
            "rank 27 never launched all_reduce #20530", "HIGH", "py-spy", "kernel log", "scontrol show job"
        )
        await driver.press("escape")
        await driver.see("STATE")
        assert driver.app.works == {}


async def test_escape_twice_stops_a_workflow():
    scene = Scene(gate=asyncio.Event())
    async with console(scene, pane="jobs") as driver:
        await driver.see("llama")
        await driver.press("D")
        await driver.see("asking 32 ranks")
        await driver.press("escape")
        await driver.see("Esc again stops it")
        assert driver.app.works
        await driver.press("escape")
        await driver.see("stopped; what it saved stays")
        await driver.until(lambda: driver.app.works == {}, "its end")
        await driver.press("escape")
        await driver.see("STATE")


async def test_the_command_log_lists_every_remote_command():
    async with console(pane="gpus") as driver:
        await driver.see("node01")
        await driver.press("u")
        await driver.see("up 3 days")
        await driver.press("escape")
        await driver.see("TEMP")
        await driver.press("@")
        await driver.see("COMMAND", "uptime", "node01")
        await driver.until(lambda: driver.app.focused is not None, "a part to be in")
        await driver.press("enter")
        await driver.see("What the shell got", "Word by word")
        await driver.press("escape")
        await driver.see("COMMAND")
        await driver.press("q")
        await driver.see("TEMP")


async def test_the_palette_finds_panes_switch_values_actions_and_workflows():
    async with console(pane="jobs") as driver:
        await driver.see("llama")
        await driver.press(":")
        await driver.see("Go to or do")
        await driver.press(*"pane: gpus", "enter")
        await driver.see("TEMP")
        await driver.press("ctrl+p", *"metric: memory", "enter")
        await driver.see("metric: memory")


async def test_questions_of_the_sign_in_are_asked_and_answered_across_threads():
    async with console() as driver:
        await driver.see("GPUs by node")
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        codes = Question("codes", "alice@login", f"One-time code {HOSTILE}", (("Code:", True),))
        answer = asyncio.run_coroutine_threadsafe(driver.ask(codes), loop)
        text = await driver.see("alice@login", "Code:")
        assert "\x1b" not in text
        await driver.press(*"123456", "enter")
        await driver.until(answer.done, "the answer")
        assert answer.result() == ("123456",)
        key = Question("host_key", "login.example.org", "The host is not known.", fingerprint="SHA256:abcdef")
        answer = asyncio.run_coroutine_threadsafe(driver.ask(key), loop)
        await driver.see("SHA256:abcdef")
        await driver.press("escape")
        await driver.until(answer.done, "the answer")
        assert answer.result() is None
        late = asyncio.run_coroutine_threadsafe(driver.ask(codes), loop)
        await driver.see("Code:")
        loop.call_soon_threadsafe(late.cancel)
        await driver.miss("Code:")
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def test_quit_and_interrupt_have_their_exit_status():
    async with console() as driver:
        await driver.press("q")
        await driver.until(lambda: driver.app.return_value == 0, "the end")
    async with console() as driver:
        await driver.press("ctrl+c")
        await driver.until(lambda: driver.app.return_value == 130, "the end")
