"""Values are written the same way everywhere, and nothing of the cluster reaches a terminal unescaped."""

from __future__ import annotations

import math
import unicodedata
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mleconsole.model.absent import Absent
from mleconsole.model.format import (
    bar,
    cell_text,
    clock_time,
    count_bytes,
    duration,
    escape,
    mib,
    percent,
    significant,
    spark,
)
from mleconsole.model.view import Style

HARMFUL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (1935, "1935"),
        (41200, "41,200"),
        (71.34, "71.3"),
        (641.2, "641"),
        (99.96, "100"),
        (0.8, "0.8"),
        (71.0, "71"),
        (9.996, "10.0"),
        (0.00012, "1.2e-4"),
        (math.nan, "·"),
        (-math.inf, "-∞"),
        (-3.456, "-3.46"),
    ],
)
def test_three_significant_digits(value: float, words: str) -> None:
    assert significant(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (100, "100"), (99.97, "99.9"), (99.4, "99"), (0.04, "<0.1"), (0.8, "0.8"), (37.6, "38"), (5, "5")],
)
def test_a_percentage_is_never_rounded_to_full_or_to_nothing(value: float, words: str) -> None:
    assert percent(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (4.9, "4s"),
        (59, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (11100, "3h05"),
        (100800, "1d04"),
        (432000, "5d"),
        (-61, "-1m"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_sizes() -> None:
    assert [mib(v) for v in (512, 9000, 72908, 2_000_000)] == ["512 MiB", "9000 MiB", "71.2 GiB", "1.9 TiB"]
    assert [count_bytes(v) for v in (0, 812, 12_300_000, 340e9, 1.24e12, 999.6e9)] == [
        "0",
        "812B",
        "12M",
        "340G",
        "1.2T",
        "1.0T",
    ]


def test_times_are_told_by_their_distance() -> None:
    now = datetime(2026, 11, 21, 15, 30).timestamp()
    assert clock_time(datetime(2026, 11, 21, 12, 4).timestamp(), now) == "12:04"
    assert clock_time(datetime(2026, 11, 19, 12, 4).timestamp(), now) == "19 Nov 12:04"
    assert clock_time(datetime(2024, 2, 3).timestamp(), now) == "2024-02-03"
    assert clock_time(1e30, now) == "·"


def test_sparks_and_bars_have_their_width() -> None:
    assert spark([0, 50, math.nan, 100], 0, 100, 4) == "▁▄ ▇"
    assert spark([100], 0, 100, 3) == "  ▇"
    assert spark([0, 0, 100, 100], 0, 100, 2) == "▁▇"
    assert spark([], 0, 1, 5) == "     "
    assert bar(50, 4) == "━━  "
    assert bar(0.1, 4) == "╸   "
    assert bar(0, 4) == "    "


def test_absent_and_nothing_are_told_apart() -> None:
    assert cell_text(Absent("permission denied"), Style.NUMBER) == "·"
    assert cell_text(None, Style.NUMBER) == ""
    assert cell_text(0, Style.NUMBER) == "0"
    assert cell_text(("a", "b\x1b"), Style.NAMES) == "a,b\\x1b"


def test_escapes_are_seen() -> None:
    assert escape("a\x1b[31m\n\x9b") == "a\\x1b[31m\\n\\x9b"
    assert escape("\u202eevil\u200d") == "⟨202e⟩evil⟨200d⟩"
    assert escape("naïve café 日本 [bold]") == "naïve café 日本 [bold]"
    assert escape("a" + "\u0301" * 40) == "a\u0301\u0301" + "⟨0301⟩" * 38
    assert escape("\u0301") == "⟨0301⟩"


def harmless(text: str) -> bool:
    return all(unicodedata.category(character) not in HARMFUL for character in text)


@given(st.text())
def test_no_text_escapes_the_escape(text: str) -> None:
    assert harmless(escape(text))


ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.builds(Absent, st.text()),
    st.lists(st.one_of(st.floats(), st.text(), st.none())),
    st.lists(st.floats()).map(tuple),
    st.sets(st.text()),
    st.dictionaries(st.text(), st.text()),
    st.binary(),
    st.just(object()),
)


@given(ANY, st.sampled_from(list(Style)), st.integers(0, 30), st.none() | st.tuples(st.floats(), st.floats()))
def test_every_value_has_words_in_every_style(
    value: object, style: Style, width: int, scale: tuple[float, float] | None
) -> None:
    assert harmless(cell_text(value, style, width, scale=scale))


@given(st.lists(st.floats()), st.floats(), st.floats(), st.integers(1, 40))
def test_a_spark_is_as_wide_as_asked(values: list[float], low: float, high: float, width: int) -> None:
    assert len(spark(values, low, high, width)) == width


@given(st.integers(10**400, 10**410))
def test_numbers_beyond_floats(value: int) -> None:
    assert {cell_text(value, style) for style in Style if style is not Style.TIME} <= {"∞", "━" * 10}
