"""Late: what a session's engine is before it is started, and that it is handed on afterwards."""

from __future__ import annotations

from mleconsole.api import Danger, Fleet, History, Plan, Situation, Step
from mleconsole.collect.status import Status
from mleconsole.collect.still import StillCollector
from mleconsole.late import Late
from mleconsole.store import Store


def made() -> tuple[Late, list[StillCollector], Store]:
    store = Store(History(()))
    all: list[StillCollector] = []

    def make() -> StillCollector:
        all.append(StillCollector(store, Fleet(serial=1), status=lambda: Status("a@b", "live")))
        return all[-1]

    return Late(make, "a@b", Situation(user="a")), all, store


def test_nothing_is_made_before_it_is_started() -> None:
    late, all, _ = made()
    late.need(frozenset({"gpus"}))
    late.idle(True)
    late.refresh()
    late.sign_in_again()
    assert (late.status(), late.commands(), late.situation.user) == (Status("a@b", "connecting"), (), "a")
    assert late.waiting_for() == ("signing in to a@b",)
    assert late.counters().commands == 0
    late.stop()
    assert not all


def test_started_it_is_what_was_made_and_knows_what_is_needed() -> None:
    late, all, store = made()
    late.need(frozenset({"gpus"}))
    late.start()
    try:
        (still,) = all
        assert still.needed == {"gpus"}
        assert (late.status().login, store.fleet.serial) == ("live", 1)
        late.need(frozenset({"jobs"}))
        late.refresh()
        assert (still.needed, still.refreshes) == ({"jobs"}, 1)
        outcome = late.perform(Plan("look", (Step("login", ("true",)),), Danger.READS), None).result(10)
        assert not outcome.ok and outcome.results[0][1].trouble is not None
        assert len(all) == 1
    finally:
        late.stop()
