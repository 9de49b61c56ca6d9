"""States, GRES, times, hostlists, reasons: never raise, and give back what was put in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mleconsole.api import Absent, ProbeTrouble
from mleconsole_plugins.slurm.gres import gpu_count, gpu_indices, index_list
from mleconsole_plugins.slurm.hostlist import expand, fold, ranges
from mleconsole_plugins.slurm.reasons import WHY, helps, why
from mleconsole_plugins.slurm.states import is_down, is_drained, is_there, node_state, node_state_of, state_text
from mleconsole_plugins.slurm.text import records
from mleconsole_plugins.slurm.times import duration, duration_text, epoch


@pytest.mark.parametrize(
    ("text", "base", "flags"),
    [
        ("idle", "idle", ()),
        ("IDLE+DRAIN", "idle", ("drain",)),
        ("down*", "down", ("not_responding",)),
        ("DOWN+NOT_RESPONDING", "down", ("not_responding",)),
        ("mixed-", "mixed", ("planned",)),
        ("mix", "mixed", ()),
        ("drng", "allocated", ("drain",)),
        ("drained*", "idle", ("drain", "not_responding")),
        ("allocated+drain", "allocated", ("drain",)),
        ("IDLE+CLOUD+POWERED_DOWN", "idle", ("cloud", "powered_down")),
        ("idle~", "idle", ("powered_down",)),
        ("", "unknown", ()),
    ],
)
def test_a_state_is_cut_into_base_and_flags(text: str, base: str, flags: tuple[str, ...]) -> None:
    assert node_state(text) == (base, flags)


def test_states_say_what_follows() -> None:
    assert is_down(*node_state("down*")) and is_down(*node_state("idle*")) and not is_down(*node_state("idle+drain"))
    assert is_drained(node_state("drng")[1]) and not is_drained(node_state("mixed-")[1])
    assert is_there(*node_state("down*")) and not is_there(*node_state("future")) and not is_there(*node_state("idle~"))
    assert node_state_of(["IDLE", "DRAIN"]) == node_state("idle+drain")


@given(st.text())
def test_any_state_is_read(text: str) -> None:
    base, flags = node_state(text)
    assert base and all(flags)
    assert len(set(flags)) == len(flags)


@given(
    st.sampled_from(["idle", "mixed", "allocated", "down", "error", "unknown"]),
    st.lists(st.sampled_from(["drain", "not_responding", "planned", "reboot_issued", "cloud", "maint"]), unique=True),
)
def test_a_state_comes_back(base: str, flags: list[str]) -> None:
    assert node_state(state_text(base, flags)) == (base, tuple(flags))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("gpu:8", 8),
        ("gpu:h100:8", 8),
        ("gpu:h100:8(S:0-1)", 8),
        ("gpu:h100:8(IDX:0-7)", 8),
        ("gpu:h100:0(IDX:N/A)", 0),
        ("gres:gpu:8", 8),
        ("gres/gpu:8", 8),
        ("gres/gpu:h100:8", 8),
        ("cpu=4,mem=4000M,node=4,billing=4,gres/gpu=32", 32),
        ("cpu=4,gres/gpu=8,gres/gpu:h100=8", 8),
        ("cpu=4,gres/gpu:a100=2,gres/gpu:h100=6", 8),
        ("gpu:a100:4,gpu:h100:2", 6),
        ("gpu", 1),
        ("gpu:h100", 1),
        ("shard:16,mps:100", 0),
        ("gres/gpumem=80G", 0),
        ("cpu=4,mem=4000M,node=4,billing=4", 0),
        ("", None),
        ("N/A", None),
        ("(null)", None),
    ],
)
def test_gpus_are_counted(text: str, count: int | None) -> None:
    assert gpu_count(text) == count


@given(st.integers(0, 10_000), st.sampled_from(["", "h100", "a100-80g", "rtx_6000"]), st.booleans())
def test_any_count_is_found(count: int, type: str, tres: bool) -> None:
    kind = f":{type}" if type else ""
    text = f"cpu=8,mem=1T,gres/gpu{kind}={count},billing=9" if tres else f"gpu{kind}:{count}(S:0-1),mps:400"
    assert gpu_count(text) == count


@given(st.text())
def test_any_gres_is_read(text: str) -> None:
    count = gpu_count(text)
    assert count is None or count >= 0
    gpu_indices(text)
    index_list(text)


@given(st.sets(st.integers(0, 200)))
def test_ranges_come_back(numbers: set[int]) -> None:
    assert index_list(ranges(numbers)) == sorted(numbers)


def test_indices_are_found() -> None:
    assert gpu_indices("gpu:h100:5(IDX:0-3,6)") == (0, 1, 2, 3, 6)
    assert gpu_indices("gpu:h100:0(IDX:N/A)") == ()
    assert gpu_indices("gpu:8") is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1-02:03:04", 93784.0),
        ("02:03:04", 7384.0),
        ("3:04", 184.0),
        ("10:00", 600.0),
        ("7-00:00:00", 604800.0),
        ("5", 5.0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


def test_what_is_no_duration_is_absent() -> None:
    assert duration("UNLIMITED") == Absent("no limit")
    assert duration("Partition_Limit") == Absent("the partition's own limit")
    assert duration("INVALID") == Absent("not told")
    assert duration("soon") == Absent("not understood: soon")


@given(st.integers(0, 3650 * 86400))
def test_a_duration_comes_back(seconds: int) -> None:
    assert duration(duration_text(seconds)) == seconds


@given(st.text())
def test_any_time_is_read(text: str) -> None:
    assert isinstance(duration(text), (float, Absent))
    assert isinstance(epoch(text), (float, Absent))


def test_points_in_time() -> None:
    assert epoch("1795543318") == 1795543318.0
    assert epoch("1970-01-01T00:01:00") == 60.0
    assert epoch("N/A") == epoch("Unknown") == Absent("not told")


@given(
    st.sets(st.integers(1, 1200), min_size=1, max_size=60), st.sampled_from(["node", "gpu-a", "n"]), st.integers(1, 5)
)
def test_a_hostlist_comes_back(numbers: set[int], prefix: str, width: int) -> None:
    names = sorted(f"{prefix}{number:0{width}d}" for number in numbers)
    assert sorted(expand(fold(names))) == names


def test_odd_hostlists() -> None:
    assert expand("") == expand("(null)") == ()
    assert expand("node01") == ("node01",)
    assert expand("node[01-02,07]") == ("node01", "node02", "node07")
    assert sorted(expand("node[01-02],login")) == ["login", "node01", "node02"]
    assert sorted(expand("r[1-2]n[1-2]")) == ["r1n1", "r1n2", "r2n1", "r2n2"]


@given(st.text(alphabet="node[]0123,-x ", max_size=24))
def test_any_hostlist_is_read(text: str) -> None:
    assert isinstance(expand(text), tuple)


@pytest.mark.parametrize("word", sorted(WHY))
def test_every_reason_has_words(word: str) -> None:
    assert why(word).words and why(word).words != word


@pytest.mark.parametrize(
    ("word", "part", "action"),
    [
        ("AssocGrpGRES", "its account uses as many GPUs as it may", True),
        ("QOSMaxJobsPerUserLimit", "you use as many jobs as you may", False),
        ("QOSMaxGRESPerUser", "you use as many GPUs as you may", False),
        ("AssocMaxJobsLimit", "its account uses as many jobs as it may", False),
        ("QOSMaxWallDurationPerJobLimit", "asks for more time than its QOS allows a job", True),
        ("QOSMinGRES", "asks for fewer GPUs than its QOS demands", True),
        ("ReqNodeNotAvail, UnavailableNodes:node06", "node06", True),
        ("DependencyNeverSatisfied", "never starts", True),
        ("SomethingNew", "SomethingNew", False),
    ],
)
def test_reasons_in_words(word: str, part: str, action: bool) -> None:
    assert part in why(word).words
    assert why(word).action is action


@given(st.text())
def test_any_reason_has_words(text: str) -> None:
    assert isinstance(why(text).words, str)
    assert isinstance(helps(text, "123"), str)


def test_help_names_the_job() -> None:
    assert helps("JobHeldUser", "48213") == "scontrol release 48213"
    assert helps("Dependency", "5", "afterok:4") == "it waits for afterok:4"


def test_a_cut_answer_is_trouble() -> None:
    assert records("a\x1e\nb\x1e\n", "squeue") == ["a", "b"]
    assert records("", "squeue") == []
    with pytest.raises(ProbeTrouble, match="middle of a line"):
        records("a\x1e\nb", "squeue")
