"""Driver: the app headless over the still cluster; tests press keys and wait until the screen says something."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from journey_scene import EPOCH, NOW, Scene
from textual.pilot import Pilot

from mleconsole.app.app import ConsoleApp
from mleconsole.app.prompts import AppAsk

SECONDS = 8.0


class Driver:
    """One running app. `text` is what is on the screen now."""

    def __init__(self, scene: Scene, app: ConsoleApp, ask: AppAsk, pilot: Pilot[int]) -> None:
        self.scene = scene
        self.app = app
        self.ask = ask
        self.pilot = pilot
        self.now = NOW  # the app's monotonic clock

    @property
    def text(self) -> str:
        strips = self.app.screen._compositor.render_strips(self.app.screen.size)
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    async def until(self, condition: Callable[[], bool], what: str = "the condition") -> None:
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end, f"{what} never came:\n{self.text}"
            await self.pilot.pause()

    async def see(self, *words: str) -> str:
        """Wait until all of `words` are on the screen."""
        await self.until(lambda: all(word in self.text for word in words), f"{words!r}")
        return self.text

    async def miss(self, *words: str) -> str:
        """Wait until none of `words` is on the screen."""
        await self.until(lambda: not any(word in self.text for word in words), f"the end of {words!r}")
        return self.text

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()


@asynccontextmanager
async def console(
    scene: Scene | None = None, *, pane: str = "overview", size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Driver]:
    """The app over a scene, its first view painted."""
    scene = scene or Scene()
    ask = AppAsk()
    session = scene.session()
    session.start()
    drivers: list[Driver] = []

    def monotonic() -> float:
        return drivers[0].now if drivers else NOW

    app = ConsoleApp(session, ask, title="prod", pane=pane, epoch=lambda: EPOCH, monotonic=monotonic)
    try:
        async with app.run_test(size=size) as pilot:
            driver = Driver(scene, app, ask, pilot)
            drivers.append(driver)
            await driver.until(lambda: app.panes_screen.page is not None and app.panes_screen.page.shown is not None)
            await pilot.pause()
            yield driver
    finally:
        session.stop()
