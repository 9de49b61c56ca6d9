"""Pictures: what the screen looks like, kept as text that a person can read in a diff."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "journeys"))


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    """Nothing lands in the person's own folders; the clock on the screen is in one zone everywhere."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "truecolor")  # whatever terminal the tests run in
    monkeypatch.delenv("NO_COLOR", raising=False)
    import time

    time.tzset()
