"""The stacks action: who is asked by exactly which argv, who not and why, and what is shown of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mleconsole.api import (
    CLUSTER,
    Absent,
    Completed,
    Danger,
    Fleet,
    Job,
    Observation,
    Outcome,
    Process,
    Record,
    Situation,
    Subject,
    Tree,
)
from mleconsole.model.fleet import Arrival, fold
from mleconsole_plugins.stacks.actions import STACKS

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "pyspy" / "0.4.3"
ALICE = Situation(user="alice")
PYSPY = "/opt/venv/bin/py-spy"
JOB = Subject("job", ("7",))


def process(pid: int, host: str = "node01", **more: Any) -> Process:
    given: dict[str, Any] = {
        "user": "alice", "command": "python train.py", "job_id": "7", "python": True, "pyspy": PYSPY,
    }  # fmt: skip
    return Process(pid=pid, host=host, **(given | more))


def fleet(*records: Record) -> Fleet:
    slots: dict[tuple[type[Record], str], dict[Any, Record]] = {}
    for record in records:
        slots.setdefault((type(record), record.host), {})[record.key] = record  # type: ignore[attr-defined]
    arrivals = [Arrival(host, "p", 1.0, Observation({kind: slot}, host)) for (kind, host), slot in slots.items()]
    return fold(Fleet(), arrivals, 1.0)


def job(id: str = "7", **more: Any) -> Job:
    return Job(job_id=id, user="alice", name="train", state="RUNNING", partition="gpu", host=CLUSTER, **more)


def asked(given: Fleet, targets: Sequence[Subject] = (JOB,)) -> list[tuple[str, str, tuple[str, ...]]]:
    assert STACKS.guard(given, targets, ALICE) is None
    plan = STACKS.plan(given, targets, {}, ALICE)
    assert plan.danger is Danger.READS
    return [(step.host, step.label, step.argv) for step in plan.steps]


def test_one_process_is_asked_on_its_own_host() -> None:
    given = fleet(job(), process(123, "node02"))
    argv = (PYSPY, "dump", "--nonblocking", "--pid", "123")
    assert asked(given, [Subject("process", ("node02", "123"))]) == [("node02", "pid 123 on node02", argv)]


def test_a_job_is_asked_rank_by_rank() -> None:
    given = fleet(
        job(),
        process(30, "node02", rank=1, gpus=(0,), started=5.0),
        process(31, "node02", rank=1, started=6.0),  # a helper that inherited the rank
        process(20, rank=0, gpus=(0,), started=5.0),
        process(10, command="/opt/venv/bin/python /opt/venv/bin/torchrun --nproc 2 train.py"),
        process(11, command="bash run.sh", python=False),
        process(40, job_id="8", rank=0),
    )
    assert [(host, label) for host, label, _ in asked(given)] == [("node01", "rank 0"), ("node02", "rank 1")]


def test_without_ranks_every_python_is_asked() -> None:
    given = fleet(job(), process(2), process(1), process(3, command="python -m torch.distributed.run x.py"))
    assert [label for _, label, _ in asked(given)] == ["pid 1 on node01", "pid 2 on node01"]


def test_an_arrays_task_goes_by_its_plain_number() -> None:
    given = fleet(job("5_2", array_id="5", extra={"raw_id": "7"}), process(1))
    assert len(asked(given, [Subject("job", ("5_2",))])) == 1
    assert len(asked(given, [Subject("job", ("5",))])) == 1


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([], "no Python process of job 7 was seen on the nodes that we reach"),
        ([process(1, pyspy=Absent("py-spy not found"))], "no py-spy on node01"),
        ([process(1, user="bob")], "it belongs to bob; only bob and root may read its stacks"),
    ],
)
def test_why_nobody_can_be_asked(records: list[Process], words: str) -> None:
    given = fleet(job(), *records)
    reason = STACKS.guard(given, [JOB], ALICE)
    assert reason is not None and words in reason
    with pytest.raises(ValueError, match=r"node01|bob|no Python"):
        STACKS.plan(given, [JOB], {}, ALICE)


def test_targets_as_words() -> None:
    assert STACKS.target is not None
    given = fleet(job())
    assert STACKS.target(given, "7") == JOB
    assert STACKS.target(given, "node02:41733") == Subject("process", ("node02", "41733"))
    assert STACKS.target(given, "node02") is None and STACKS.target(given, "") is None


def shown(records: Sequence[Record], answers: dict[str, tuple[str, str]]) -> Tree:
    """The view of a job whose processes answered {label: (file of stdout, file of stderr)}."""
    plan = STACKS.plan(fleet(job(), *records), [JOB], {}, ALICE)
    results = []
    for step in plan.steps:
        out, err = answers[step.label]
        stdout = (FIXTURES / out).read_bytes() if out else b""
        stderr = (FIXTURES / err).read_bytes() if err else b""
        results.append((step, Completed(step.host, step.argv, 0 if out else 1, stdout, stderr)))
    assert STACKS.present is not None
    view = STACKS.present(Outcome(plan, tuple(results)))
    assert isinstance(view, Tree)
    return view


def test_equal_stacks_are_one_class_and_failures_have_words() -> None:
    ranks = [process(100 + rank, rank=rank) for rank in range(5)]
    ranks.append(process(200, "node02", rank=5, pyspy=Absent("py-spy not found")))
    view = shown(
        ranks,
        {
            "rank 0": ("sleep.txt", ""),
            "rank 1": ("data.txt", ""),
            "rank 2": ("sleep.txt", ""),
            "rank 3": ("sleep.txt", ""),
            "rank 4": ("", "denied.err"),
        },
    )
    assert view.title == "Stacks of 7: 4 of 6 read"
    first, second, denied, absent = view.roots
    assert first.text.startswith("Condition.wait (threading.py:") and first.note == "1 of 4: rank 1"
    assert first.subject == Subject("process", ("node01", "101"))
    assert second.note == "3 of 4: ranks 0,2-3" and second.children[0].text == "<module> (prog.py:11)"
    assert denied.text == "no stack of rank 4" and "ptrace_scope" in denied.children[0].text
    assert absent.text == "no stack of rank 5" and "no py-spy on node02" in absent.children[0].text


def test_one_process_shows_all_its_threads() -> None:
    view = shown([process(1)], {"pid 1 on node01": ("data.txt", "")})
    assert [root.text for root in view.roots] == ["MainThread", 'odd "name" (x)']
    assert view.roots[0].note == "pid 1 on node01, idle"
