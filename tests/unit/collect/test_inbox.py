"""Inbox: one tick folds, derives and judges; a plugin that raises costs only itself."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from mleconsole.api import Alert, Derive, Fleet, Gpu, GpuUse, History, Keep, Observation, Plugin, Rule, Severity
from mleconsole.collect.inbox import Inbox
from mleconsole.model.fleet import Arrival
from mleconsole.plugin import Registry
from mleconsole.store import Store


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def hot(fleet: Fleet, history: History) -> Iterable[Alert]:
    for gpu in fleet.of(Gpu):
        if gpu.util_percent == 99.0:
            yield Alert(Severity.WARNING, gpu.subject, f"{gpu.host} is hot")


def use(fleet: Fleet) -> Mapping[Any, Mapping[str, Mapping[Any, Any]]]:
    slots: dict[str, dict[Any, Any]] = {}
    for gpu in fleet.of(Gpu):
        record = GpuUse(index=gpu.index, job_id="7", user="alice", host=gpu.host)
        slots.setdefault(gpu.host, {})[record.key] = record
    return {GpuUse: slots}


def boom(*_: Any) -> Any:
    raise KeyError("never heard of it")


GOOD = Plugin("good", "Good", derives=(Derive("use", (Gpu,), use),), rules=(Rule("hot", hot),))
BAD = Plugin("bad", "Bad", derives=(Derive("boom", (Gpu,), boom),), rules=(Rule("boom", boom),))


def inbox_of(*plugins: Plugin) -> tuple[Inbox, Store, Registry, Clock]:
    clock = Clock()
    registry = Registry(plugins)
    store = Store(History([Keep(Gpu, "util_percent")]))
    return Inbox(registry, store, clock), store, registry, clock


def gpu(util: float) -> Observation:
    record = Gpu(index=0, util_percent=util, host="a")
    return Observation({Gpu: {record.key: record}})


def test_a_tick_publishes_records_joins_and_alerts() -> None:
    inbox, store, _, clock = inbox_of(GOOD)
    woken: list[int] = []
    store.subscribe(lambda: woken.append(store.serial))
    inbox.put(Arrival("a", "gpus", clock.now, gpu(99.0)))
    assert inbox.tick() == {Gpu}
    assert [u.job_id for u in store.fleet.of(GpuUse)] == ["7"]
    (alert,) = store.alerts
    assert alert.rule == "hot" and alert.since == 100.0
    clock.now += 60
    inbox.tick()
    assert store.alerts[0].since == 100.0, "an alert that stands keeps the time it began"
    inbox.put(Arrival("a", "gpus", clock.now, gpu(1.0)))
    clock.now += 2
    inbox.tick()
    assert store.alerts == () and len(woken) == 3


def test_joins_of_records_that_are_gone_go_too() -> None:
    inbox, store, _, clock = inbox_of(GOOD)
    inbox.put(Arrival("a", "gpus", clock.now, gpu(1.0)))
    inbox.tick()
    inbox.put(Arrival("a", "gpus", clock.now, Observation({Gpu: {}})))
    inbox.tick()
    assert list(store.fleet.of(GpuUse)) == []


def test_a_plugin_that_raises_is_off_with_a_sentence_and_the_others_go_on() -> None:
    inbox, store, registry, clock = inbox_of(BAD, GOOD)
    inbox.put(Arrival("a", "gpus", clock.now, gpu(99.0)))
    inbox.tick()
    assert store.alerts and list(store.fleet.of(GpuUse))
    assert list(registry.disabled) == ["bad"] and "KeyError" in registry.disabled["bad"]


def test_a_rule_that_costs_much_is_asked_less_often_but_for_first_answers() -> None:
    asked: list[float] = []

    def dear(fleet: Fleet, history: History) -> Iterable[Alert]:
        asked.append(fleet.now)
        began = time.thread_time()
        while time.thread_time() - began < 0.05:
            pass
        return ()

    inbox, _, _, clock = inbox_of(Plugin("dear", "Dear", rules=(Rule("dear", dear),)))
    for _ in range(12):
        inbox.tick()
        clock.now += 1
    assert 3 <= len(asked) <= 6, "0.05 s of CPU are 2 % of 2.5 s"
    before = len(asked)
    inbox.put(Arrival("a", "gpus", clock.now, gpu(1.0)))
    inbox.tick()
    assert len(asked) == before + 1 and inbox.judged, "what answers for the first time is judged at once"
