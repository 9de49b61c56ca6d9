"""The still collector: it publishes, answers plans from a callable, refuses like the real choke point, and ends."""

import threading
from concurrent.futures import CancelledError

import pytest
from journey_scene import Scene, fleet

from mleconsole.api import Absent, Completed, Danger, Gpu, Plan, Situation, Step
from mleconsole.collect.status import Status
from mleconsole.collect.still import StillCollector
from mleconsole.store import Store


def collector(**given) -> tuple[Store, StillCollector]:
    store = Store()
    return store, StillCollector(store, fleet(), status=lambda: Status("alice@login", "live"), **given)


def plan(danger: Danger = Danger.READS, *hosts: str) -> Plan:
    return Plan("look", tuple(Step(host, ("uptime",)) for host in hosts or ("node01",)), danger)


def test_start_publishes_the_fleet_to_subscribers():
    store, still = collector()
    woken = threading.Event()
    store.subscribe(woken.set)
    still.start()
    assert woken.is_set() and store.fleet.count(Gpu) == 64
    still.stop()


def test_results_keep_the_order_of_the_steps_though_hosts_answer_in_another():
    async def respond(step: Step) -> Completed:
        import asyncio

        for _ in range(3 if step.host == "node01" else 0):
            await asyncio.sleep(0)
        return Completed(step.host, step.argv, 0, step.host.encode())

    _, still = collector(respond=respond)
    still.start()
    told = []
    outcome = still.perform(plan(Danger.READS, "node01", "node02"), lambda step, done: told.append(step.host)).result(5)
    assert [done.text for _, done in outcome.results] == ["node01", "node02"]
    assert told == ["node02", "node01"]
    assert [entry.host for entry in still.commands()] == ["node02", "node01"]
    still.stop()


@pytest.mark.parametrize("danger", [Danger.LOADS, Danger.CHANGES, Danger.DESTROYS])
def test_read_only_refuses_everything_that_does_more_than_read(danger):
    ran = []
    _, still = collector(situation=Situation(read_only=True), respond=lambda step: ran.append(step))
    still.start()
    outcome = still.perform(plan(danger), None).result(5)
    assert not outcome.ok and "read-only" in outcome.results[0][1].words() and not ran
    still.stop()


def test_without_an_answerer_a_step_says_why_and_a_workflow_is_undetermined():
    _, still = collector()
    still.start()
    outcome = still.perform(plan(), None).result(5)
    assert isinstance(outcome.results[0][1].trouble, Absent)
    report = still.follow("triage", (), {}, None).result(5)
    assert report.exit_status == 3 and "not the cluster" in report.sentence
    still.stop()


def test_stop_cancels_what_still_waits():
    import asyncio

    async def never(step: Step) -> Completed:
        await asyncio.Event().wait()
        raise AssertionError

    _, still = collector(respond=never)
    still.start()
    future = still.perform(plan(), None)
    still.stop()
    with pytest.raises(CancelledError):
        future.result(5)
    assert still.perform(plan(), None).cancelled()


def test_a_scene_makes_a_session():
    session = Scene().session()
    session.start()
    assert session.store.fleet.count(Gpu) == 64 and session.situation.user == "alice"
    session.stop()
