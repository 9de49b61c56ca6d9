"""The fold: batch upserts that keep what is newer, and ages that grow while a probe is in trouble."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mleconsole.api import Absent, Gpu, Machine, Observation, Subject
from mleconsole.model.fleet import Arrival, Fleet, fold


def gpus(host: str, *utils: float) -> Observation:
    records = [Gpu(index=i, util_percent=u, host=host) for i, u in enumerate(utils)]
    return Observation({Gpu: {r.key: r for r in records}})


def test_a_slot_is_replaced_whole_and_other_hosts_stay() -> None:
    fleet = fold(Fleet(), [Arrival("a", "gpus", 1.0, gpus("a", 1, 2)), Arrival("b", "gpus", 1.0, gpus("b", 3))], 1.0)
    fleet = fold(fleet, [Arrival("a", "gpus", 2.0, gpus("a", 9))], 2.0)
    assert {(g.host, g.index): g.util_percent for g in fleet.of(Gpu)} == {("a", 0): 9, ("b", 0): 3}
    assert fleet.find(Subject("gpu", ("b", "0"))) is fleet.get(Gpu, ("b", "0"))


def test_trouble_keeps_the_records_and_lets_their_age_grow() -> None:
    fleet = fold(Fleet(), [Arrival("a", "gpus", 1.0, gpus("a", 5))], 1.0)
    fleet = fold(fleet, [Arrival("a", "gpus", 8.0, trouble=Absent("hung"))], 9.0)
    (gpu,) = fleet.of(Gpu)
    assert fleet.age(gpu) == 8.0
    assert fleet.trouble(Gpu, "a") == Absent("hung")
    fleet = fold(fleet, [Arrival("a", "gpus", 10.0, Observation())], 10.5)
    assert fleet.age(gpu) == 0.5 and fleet.trouble(Gpu, "a") is None


def test_a_host_that_never_answered_has_no_age() -> None:
    assert Fleet().slot_age(Machine, "a") == Absent("never answered")


def test_the_old_fleet_is_not_changed_by_a_fold() -> None:
    before = fold(Fleet(), [Arrival("a", "gpus", 1.0, gpus("a", 5))], 1.0)
    fold(before, [Arrival("a", "gpus", 2.0, gpus("a", 6))], 2.0)
    assert [g.util_percent for g in before.of(Gpu)] == [5]


arrivals = st.lists(
    st.builds(
        lambda host, at, util: Arrival(host, "gpus", at, gpus(host, util)),
        st.sampled_from("abc"),
        st.integers(0, 20).map(float),
        st.integers(0, 100).map(float),
    ),
    max_size=30,
)


@given(arrivals, st.integers(0, 30))
def test_any_batching_of_the_same_arrivals_gives_the_same_records(items: list[Arrival], cut: int) -> None:
    once = fold(Fleet(), items, 30.0)
    twice = fold(fold(Fleet(), items[:cut], 30.0), items[cut:], 30.0)
    assert {g.key: g.util_percent for g in once.of(Gpu)} == {g.key: g.util_percent for g in twice.of(Gpu)}
    for gpu in once.of(Gpu):
        newest = max(a.at for a in items if a.host == gpu.host)
        assert once.age(gpu) == 30.0 - newest
