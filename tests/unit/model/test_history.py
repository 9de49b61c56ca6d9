"""History: bounded, gaps are NaN, columns of keys that are gone are forgotten."""

from __future__ import annotations

from math import isnan

from mleconsole.api import Absent, Gpu, History, Keep, Observation
from mleconsole.model.fleet import Arrival, Fleet, fold


def at(now: float, **utils: float | Absent) -> Fleet:
    arrivals = []
    for host, util in utils.items():
        gpu = Gpu(index=0, util_percent=util, host=host)
        arrivals.append(Arrival(host, "gpus", now, Observation({Gpu: {gpu.key: gpu}})))
    return fold(Fleet(), arrivals, now)


def test_the_past_of_a_field_oldest_first_with_gaps() -> None:
    history = History([Keep(Gpu, "util_percent")], points=3)
    for now, util in ((1.0, 10.0), (2.0, Absent("lost")), (3.0, 30.0), (4.0, 40.0)):
        history.remember(at(now, a=util))
    series = history.series(Gpu, ("a", "0"), "util_percent")
    assert list(series.times) == [2.0, 3.0, 4.0]
    assert isnan(series.values[0]) and list(series.values[1:]) == [30.0, 40.0]
    assert series.last() == 40.0


def test_a_key_that_came_later_has_gaps_before() -> None:
    history = History([Keep(Gpu, "util_percent")], points=4)
    history.remember(at(1.0, a=1.0))
    history.remember(at(2.0, a=2.0, b=7.0))
    values = history.series(Gpu, ("b", "0"), "util_percent").values
    assert isnan(values[0]) and values[1] == 7.0


def test_stale_slots_are_gaps_and_undeclared_fields_are_empty() -> None:
    history = History([Keep(Gpu, "util_percent")], points=4)
    fleet = at(1.0, a=1.0)
    history.remember(Fleet(*fleet.parts(), now=100.0))
    assert history.series(Gpu, ("a", "0"), "util_percent").values == ()
    assert history.series(Gpu, ("a", "0"), "power_watts").values == ()


def test_columns_of_keys_that_are_gone_are_forgotten() -> None:
    history = History([Keep(Gpu, "util_percent")], points=2)
    for now in range(400):
        history.remember(at(float(now), **{f"host{now}": 1.0, "stays": float(now)}))
    assert len(history._matrices[Gpu, "util_percent"].columns) < 80
    assert history.series(Gpu, ("stays", "0"), "util_percent").last() == 399.0
