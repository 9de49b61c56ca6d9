"""Journeys: the whole app over a still cluster, driven by keys."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    """What the app saves and logs lands in the test's own folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
