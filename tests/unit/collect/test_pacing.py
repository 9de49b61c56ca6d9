"""Pacing: cost falls with attention, and a slow or failing server is asked less."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mleconsole.api import AgentProbe, Observation
from mleconsole.collect.pacing import HIDDEN_PERIOD, IDLE_PERIOD, LONGEST, Pacing, backed_off, intervals

PROBE = AgentProbe("gpus", "gpus", 1.0, lambda raw, host: Observation())


def test_hidden_probes_slow_down_and_an_idle_console_more() -> None:
    assert Pacing(frozenset({"gpus"})).period(PROBE) == 1.0
    assert Pacing().period(PROBE) == HIDDEN_PERIOD
    assert Pacing(frozenset({"gpus"}), idle=True).period(PROBE) == IDLE_PERIOD
    assert Pacing(frozenset({"gpus"}), intervals={"gpus": 3.0}).period(PROBE) == 3.0


def test_the_interval_of_the_person_reaches_those_that_follow_it() -> None:
    follower = AgentProbe("moving", "moving", 1.0, lambda raw, host: Observation(), follows_interval=True)
    assert intervals([PROBE, follower], 4.0) == {"moving": 4.0}


def test_a_slow_command_keeps_its_server_busy_for_a_twentieth_of_the_time() -> None:
    assert backed_off(2.0, 0.05, 0) == 2.0
    assert backed_off(2.0, 1.0, 0) == 20.0
    assert backed_off(2.0, 10.0, 0) == LONGEST


@given(st.floats(0.1, 60), st.floats(0, 100), st.integers(0, 50))
def test_what_is_repaired_is_asked_again_soon(period: float, seconds: float, failures: int) -> None:
    pause = backed_off(period, seconds, failures)
    assert min(period, LONGEST) <= pause <= LONGEST
    if failures:
        assert pause <= max(5.0, period), "however long the failing command took"
