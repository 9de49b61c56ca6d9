"""The tools that panes and rules share: folded names, words for numbers, majorities."""

from __future__ import annotations

import math

import pytest
from ClusterShell.NodeSet import NodeSet
from hypothesis import given
from hypothesis import strategies as st

from mleconsole.api import Absent
from mleconsole.api.tools import amount, duration, fold_names, known_points, majority, natural, percent, short_name
from mleconsole.model.history import Series

NAMES = st.lists(st.from_regex(r"[a-z]{1,4}-?[0-9]{0,4}(-ib)?", fullmatch=True), max_size=40)


@given(NAMES)
def test_folding_loses_and_adds_no_name(names: list[str]) -> None:
    """ClusterShell, which reads such words, is the judge."""
    assert set(NodeSet(fold_names(names))) == set(names)


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        ([], ""),
        (["login"], "login"),
        (["node03"], "node03"),
        (["node03", "node01", "node02", "node07"], "node[01-03,07]"),
        (["n9", "n10", "n11"], "n9,n[10-11]"),
        (["a1-ib", "a2-ib", "login"], "a[1-2]-ib,login"),
        (["node01", "node01"], "node01"),
        (["x²", "x" + "9" * 5000], "x" + "9" * 5000 + ",x²"),
    ],
)
def test_folding(names: list[str], folded: str) -> None:
    assert fold_names(names) == folded


@given(st.floats(min_value=0, max_value=1e9))
def test_a_duration_is_short_and_never_longer_than_what_it_tells(seconds: float) -> None:
    scale = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    words = duration(seconds).split()
    told = sum(int(word[:-1]) * scale[word[-1]] for word in words)
    assert len(words) <= 2 and told <= seconds
    assert seconds - told < (1 if seconds < 60 else 60 if seconds < 86400 else 3600)


@given(st.integers(min_value=0, max_value=10**21))
def test_an_amount_is_within_rounding(size: int) -> None:
    number, unit = amount(size).split()
    scale = 1000 ** ["B", "kB", "MB", "GB", "TB", "PB", "EB"].index(unit)
    assert math.isclose(float(number) * scale, size, rel_tol=0.05, abs_tol=0.5)
    assert len(number) <= 4


@given(st.lists(st.text(), max_size=8))
def test_names_from_the_cluster_may_be_anything(names: list[str]) -> None:
    assert len(sorted(names, key=natural)) == len(names)
    if len(set(names)) == 1:
        assert fold_names(names) == names[0]


def test_small_words() -> None:
    assert sorted(["n10", "n9", "m1"], key=natural) == ["m1", "n9", "n10"]
    assert short_name("node01.cluster.local") == "node01" and short_name("10.0.0.7") == "10.0.0.7"
    assert percent(1, 4) == 25.0 and percent(1, 0) == Absent("has no size")
    assert percent(Absent("hung"), 4) == Absent("hung") and percent(1, Absent("hung")) == Absent("hung")
    assert majority([400.0, 400.0, 100.0]) == 400.0
    assert majority([400.0, 100.0]) is None and majority([1.0, 1.0, 2.0, 2.0]) is None
    series = Series([1.0, 2.0, 3.0], [5.0, math.nan, 7.0])
    assert known_points(series) == [(1.0, 5.0), (3.0, 7.0)] and known_points(series, 1.0, 3.5) == [(3.0, 7.0)]
