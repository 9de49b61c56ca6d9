"""Dialogs: what is asked stands there verbatim, and only what is meant says yes."""

from __future__ import annotations

from typing import Any

import pytest
from textual import events

from mleconsole.model.plan import Danger, Plan, Step
from mleconsole.model.view import Field, Form
from mleconsole_widgets.dialogs import AcceptKey, Ask, ConfirmPlan, FormDialog, Message, Pick


def plan(danger: Danger) -> Plan:
    steps = tuple(Step(f"node{i:02d}", ("touch", "/tmp/a b\x1b[0m", "[red]$(x)")) for i in range(3))
    return Plan("Write on 3 nodes?", (*steps, Step("login", ("scancel", "48213"))), danger, ("213 GPU-hours are lost",))


async def asked(showing: Any, dialog: Any, *keys: str) -> tuple[list[Any], str]:
    async with showing(None) as (app, pilot):
        app.ask(dialog)
        await pilot.pause()
        text = app.screen_text()
        await pilot.press(*keys)
        await pilot.pause()
        return app.answers, text


async def test_a_plan_stands_there_verbatim(showing: Any) -> None:
    _, text = await asked(showing, ConfirmPlan(plan(Danger.CHANGES)), "escape")
    assert "Write on 3 nodes?" in text and "213 GPU-hours are lost" in text
    assert "on node00, node01, node02:" in text and "touch '/tmp/a b\\x1b[0m' '[red]$(x)'" in text
    assert "on login:" in text and "scancel 48213" in text


@pytest.mark.parametrize(
    ("danger", "keys", "answer"),
    [
        (Danger.CHANGES, ["enter"], False),
        (Danger.CHANGES, ["escape"], False),
        (Danger.CHANGES, ["y"], True),
        (Danger.CHANGES, ["tab", "enter"], True),
        (Danger.DESTROYS, ["enter"], False),
        (Danger.DESTROYS, ["escape"], False),
        (Danger.DESTROYS, ["y", "enter"], True),
        (Danger.DESTROYS, ["y", "escape"], False),
        (Danger.DESTROYS, ["tab", "enter", "enter"], False),
        (Danger.DESTROYS, ["tab", "n", "enter", "enter"], False),
        (Danger.DESTROYS, ["tab", "y", "enter"], True),
    ],
)
async def test_only_what_is_meant_says_yes(showing: Any, danger: Danger, keys: list[str], answer: bool) -> None:
    answers, _ = await asked(showing, ConfirmPlan(plan(danger)), *keys)
    assert answers == [answer]


async def test_one_key_alone_never_destroys(showing: Any) -> None:
    answers, _ = await asked(showing, ConfirmPlan(plan(Danger.DESTROYS)), "y")
    assert answers == []


async def test_passwords_are_hidden_and_may_be_pasted(showing: Any) -> None:
    async with showing(None) as (app, pilot):
        app.ask(Ask("alice@login", "Duo login\x1b", [("Password: ", False), ("Code: ", True)]))
        await pilot.pause()
        app.screen.focused.post_message(events.Paste("hunter2"))
        await pilot.press("enter", *"123")
        await pilot.pause()
        text = app.screen_text()
        assert "hunter2" not in text and "•••••••" in text and "123" in text and "Duo login\\x1b" in text
        await pilot.press("enter")
        await pilot.pause()
        assert app.answers == [["hunter2", "123"]]


async def test_signing_in_can_be_given_up(showing: Any) -> None:
    assert (await asked(showing, Ask("a", "", [("Password", False)]), "x", "escape"))[0] == [None]


@pytest.mark.parametrize(("keys", "answer"), [(["enter"], False), (["escape"], False), (["tab", "enter"], True)])
async def test_an_unknown_key_is_not_taken_by_itself(showing: Any, keys: list[str], answer: bool) -> None:
    answers, text = await asked(showing, AcceptKey("login", "Not known here.", "SHA256:abc"), *keys)
    assert answers == [answer] and "SHA256:abc" in text


FORM = Form(
    "Check",
    (
        Field("size", "Size", "int", 1024, help="MiB"),
        Field("engine", "Engine", "choice", "b", ("a", "b")),
        Field("force", "Also busy nodes", "bool"),
        Field("name", "Name", "text", "x"),
    ),
)


async def test_a_form_gives_values_of_their_types(showing: Any) -> None:
    async with showing(None) as (app, pilot):
        app.ask(FormDialog(FORM))
        await pilot.pause()
        await pilot.press(*"2,048", "tab", "tab", "space", "tab", "end", "y", "enter")
        await pilot.pause()
        assert app.answers == [{"size": 2048, "engine": "b", "force": True, "name": "xy"}]


async def test_a_wrong_value_says_what_is_expected(showing: Any) -> None:
    async with showing(None) as (app, pilot):
        app.ask(FormDialog(Form("Check", (Field("size", "Size", "int", "many"),))))
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "Size wants a whole number, not “many”" in app.screen_text() and not app.answers
        await pilot.press("escape")
        await pilot.pause()
        assert app.answers == [None]


OPTIONS = [("a", "Cancel job", "^X", None), ("b", "Hold job", "H", "it runs already"), ("c", "Drain [node]", "", None)]


async def test_picking_by_typing(showing: Any) -> None:
    answers, text = await asked(showing, Pick("Actions", OPTIONS), *"node", "enter")
    assert answers == ["c"] and "Drain [node]" in text and "it runs already" in text and "^X" in text
    assert (await asked(showing, Pick("Sort by", [("x", "X"), ("y", "Y")]), "down", "enter"))[0] == ["y"]
    assert (await asked(showing, Pick("Actions", OPTIONS), "escape"))[0] == [None]
    assert (await asked(showing, Pick("Actions", OPTIONS), *"zzz", "enter"))[0] == []


async def test_what_cannot_be_done_is_not_picked(showing: Any) -> None:
    async with showing(None) as (app, pilot):
        app.ask(Pick("Actions", OPTIONS))
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.pause()
        assert app.answers == [] and app.screen_text().count("it runs already") == 2


async def test_a_click_picks(showing: Any) -> None:
    async with showing(None) as (app, pilot):
        app.ask(Pick("Actions", OPTIONS))
        await pilot.pause()
        await pilot.click("_Options", offset=(3, 2))
        await pilot.pause()
        assert app.answers == ["c"]


async def test_words_to_be_read(showing: Any) -> None:
    answers, text = await asked(showing, Message("Why", "[bold]x[/bold]\x1b"), "enter")
    assert answers == [None] and "[bold]x[/bold]\\x1b" in text
