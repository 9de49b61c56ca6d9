"""Whole screens of the console over the made-up cluster, at the two sizes that must work.

Each is a text file in `console/`; `MLE_PICTURES=write pytest tests/pictures/test_console.py` writes them anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from journey_driver import Driver, console

FOLDER = Path(__file__).with_name("console")
SIZES = [(200, 50), (80, 24)]
STEPS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "overview": ("overview", (), "? more"),
    "gpus": ("gpus", ("down", "space", "space"), "2 marked"),
    "jobs": ("jobs", ("A",), "sweep"),
    "job": ("jobs", ("enter",), "step 2"),
    "help": ("jobs", ("?",), "what works here and now"),
    "cancel": ("jobs", ("X",), "scancel 48213"),
    "menu": ("jobs", ("x",), "Actions"),
}


def shown(driver: Driver) -> str:
    return "\n".join(line.rstrip() for line in driver.lines) + "\n"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", STEPS)
async def test_the_screen_looks_as_it_did(name, size):
    pane, keys, words = STEPS[name]
    file = FOLDER / f"{name}-{size[0]}x{size[1]}.txt"
    async with console(pane=pane, size=size) as driver:
        await driver.see("? more")
        await driver.until(lambda: driver.app.focused is not None, "a part to be in")
        for key in keys:
            await driver.press(key)
        await driver.see(words)
        assert len(driver.lines) == size[1] and all(len(line) <= size[0] for line in driver.lines)
        if os.environ.get("MLE_PICTURES") == "write":
            await driver.pilot.pause(1.0)
            FOLDER.mkdir(exist_ok=True)
            file.write_text(shown(driver), encoding="utf-8")
        assert file.exists(), f"no picture yet: {file.name}"
        picture = file.read_text(encoding="utf-8")
        await driver.until(lambda: shown(driver) == picture, f"the picture of {file.name}")
