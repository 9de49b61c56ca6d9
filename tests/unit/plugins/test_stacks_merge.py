"""py-spy's real output to threads, many stacks to few classes, failures to words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mleconsole.api import Absent, Completed
from mleconsole_plugins.stacks.merge import classes, fold_labels, normal, ranges
from mleconsole_plugins.stacks.parse import Frame, parse, refusal

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "pyspy" / "0.4.3"
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
needs_shared = pytest.mark.skipif(not (SHARED / "pyspy").is_dir(), reason="the recorded data sets are not here")


def failed(stderr: bytes, status: int | None = 1) -> Completed:
    return Completed("node01", ("py-spy",), status, b"", stderr)


def test_text_of_a_waiting_process() -> None:
    dump = parse((FIXTURES / "data.txt").read_text())
    assert dump is not None and dump.main is not None
    assert dump.python.startswith("v3.") and dump.command.endswith("prog.py data") and dump.pid > 0
    assert dump.main.name == "MainThread" and dump.main.state == "idle"
    assert [frame.function for frame in dump.main.frames] == [
        "Condition.wait", "Queue.get", "wait_data", "load", "step", "<module>",
    ]  # fmt: skip
    assert dump.main.frames[2] == Frame("wait_data", "prog.py", 2)
    assert dump.threads[1].name == 'odd "name" (x)'


def test_text_of_a_busy_process() -> None:
    dump = parse((FIXTURES / "spin.txt").read_text())
    assert dump is not None and dump.main is not None
    assert dump.main.state == "active+gil" and dump.main.frames[0].function == "spin"


@pytest.mark.parametrize("kind", ["data", "spin", "sleep"])
def test_text_and_json_agree(kind: str) -> None:
    text, json = (parse((FIXTURES / f"{kind}.{form}").read_text()) for form in ("txt", "json"))
    assert text is not None and json is not None and text.main is not None and json.main is not None
    assert [thread.name for thread in text.threads] == [thread.name for thread in json.threads]
    assert [f.function for f in text.main.frames] == [f.function for f in json.main.frames]
    assert text.main.frames[1:] == json.main.frames[1:]  # the innermost line moves on between two dumps


@pytest.mark.parametrize("text", ["", "Error: nothing", "[", "[{}]", "[1]", "{}", "Process x", "[]"])
def test_what_is_no_dump(text: str) -> None:
    assert parse(text) is None


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    parse(text)
    parse(f'Thread 1 (idle): "MainThread"\n    {text}')


@pytest.mark.parametrize(
    ("file", "words"),
    [("not_python", "no Python process"), ("gone", "is gone"), ("denied", "kernel.yama.ptrace_scope")],
)
def test_failures_in_words(file: str, words: str) -> None:
    assert words in refusal(failed((FIXTURES / f"{file}.err").read_bytes()))


def test_other_failures_in_words() -> None:
    assert refusal(Completed("node01", (), None, trouble=Absent("no answer within 20 s"))) == "no answer within 20 s"
    assert refusal(failed(b"something new\n", 3)) == "something new"
    assert refusal(failed(b"", 127)) == "py-spy is not there any more"
    assert refusal(failed(b"", 0)) == "py-spy printed no stack"


A = Frame("all_reduce", "distributed_c10d.py", 3)
B = Frame("step", "train.py", 20)
C = Frame("load", "train.py", 12)


def test_the_smallest_class_is_first() -> None:
    stacks = {f"rank {rank}": (A, B) for rank in range(8)} | {"rank 5": (C, B)}
    few, many = classes(stacks)
    assert few.labels == ("rank 5",) and str(few.spots[0]) == "load (train.py:12)"
    assert fold_labels(many.labels) == "ranks 0-4,6-7"


def test_lines_may_differ_within_a_class() -> None:
    (one,) = classes({"rank 0": (A, B), "rank 1": (A, B._replace(line=24))})
    assert [str(spot) for spot in one.spots] == ["all_reduce (distributed_c10d.py:3)", "step (train.py:20-24)"]


def test_install_paths_addresses_and_recursion_do_not_matter() -> None:
    here = [Frame("f <0x7f01>", "/opt/venv/lib/python3.11/site-packages/torch/x.py", 1), B, B, B]
    there = [Frame("f <0xabcd>", "/home/a/lib/python3.12/site-packages/torch/x.py", 1), B]
    assert len(classes({"rank 0": here, "rank 1": there})) == 1
    assert normal(here)[0].file == "torch/x.py"


@given(st.dictionaries(st.integers(0, 63).map(lambda rank: f"rank {rank}"), st.lists(st.sampled_from([A, B, C]))))
def test_every_rank_is_in_one_class(stacks: dict[str, list[Frame]]) -> None:
    found = classes(stacks)
    assert sorted(label for one in found for label in one.labels) == sorted(stacks)
    assert [len(one.labels) for one in found] == sorted(len(one.labels) for one in found)


@given(st.sets(st.integers(0, 300)))
def test_ranges_say_every_number_once(numbers: set[int]) -> None:
    told: list[int] = []
    for part in ranges(numbers).split(",") if numbers else []:
        low, _, high = part.partition("-")
        told += range(int(low), int(high or low) + 1)
    assert told == sorted(numbers)


def test_labels_are_folded() -> None:
    assert fold_labels(["rank 3", "rank 0", "rank 1"]) == "ranks 0-1,3"
    assert fold_labels(["rank 3"]) == "rank 3"
    assert fold_labels(["pid 7 on node01", "rank 2"]) == "rank 2, pid 7 on node01"


@needs_shared
def test_the_rank_in_its_dataloader_stands_alone() -> None:
    few, many = classes(shared("one_in_dataloader"))
    assert few.labels == ("rank 5",) and any("DataLoader" in spot.function for spot in few.spots)
    assert fold_labels(many.labels) == "ranks 0-4,6-7"


@needs_shared
def test_where_all_do_the_same_there_is_one_class() -> None:
    assert len(classes(shared("all_same"))) == 1


def shared(name: str) -> dict[str, tuple[Frame, ...]]:
    found = {}
    for file in sorted((SHARED / "pyspy" / name).glob("rank-*.txt")):
        dump = parse(file.read_text())
        assert dump is not None and dump.main is not None
        found[f"rank {file.stem.partition('-')[2]}"] = dump.main.frames
    return found
