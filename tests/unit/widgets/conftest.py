"""A tiny app that shows one View, or one dialog, and writes down what it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.screen import Screen

from mleconsole.model.view import View
from mleconsole_widgets import palette
from mleconsole_widgets.messages import CursorMoved, MarksChanged, Opened
from mleconsole_widgets.view import ViewWidget


class Host(App[None]):
    """`told` is every message of the widgets; `answers` what dialogs answered."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, view: View | None = None) -> None:
        super().__init__()
        self.told: list[Message] = []
        self.answers: list[Any] = []
        self._first = view

    def compose(self) -> ComposeResult:
        yield ViewWidget(self._first)

    def on_mount(self) -> None:
        palette.install(self)

    @property
    def view(self) -> ViewWidget:
        return self.query_one(ViewWidget)

    @property
    def drawing(self) -> Any:
        return self.view.drawing

    def ask(self, dialog: Screen[Any]) -> None:
        self.push_screen(dialog, self.answers.append)

    def on_opened(self, message: Opened) -> None:
        self.told.append(message)

    def on_cursor_moved(self, message: CursorMoved) -> None:
        self.told.append(message)

    def on_marks_changed(self, message: MarksChanged) -> None:
        self.told.append(message)

    def screen_text(self) -> str:
        """What stands on the screen, as plain text."""
        strips = self.screen._compositor.render_strips(self.size)
        return "\n".join(strip.text.rstrip() for strip in strips)


Shown = AsyncIterator[tuple[Host, Pilot[None]]]
Showing = Callable[..., AbstractAsyncContextManager[tuple[Host, Pilot[None]]]]


@pytest.fixture
def showing(monkeypatch: pytest.MonkeyPatch) -> Showing:
    """`async with showing(view, (80, 24)) as (app, pilot)`; focused."""
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "truecolor")

    @asynccontextmanager
    async def show(
        view: View | None = None, size: tuple[int, int] = (80, 24), focus: bool = True
    ) -> AsyncIterator[Any]:
        app = Host(view)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            if focus and view is not None:
                app.screen.focus_next()
                await pilot.pause()
            yield app, pilot

    return show
