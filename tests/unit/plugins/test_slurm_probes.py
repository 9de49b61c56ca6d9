"""The probes' parsers on what three real versions answered, and on what they say when they are down."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from mleconsole.api import CLUSTER, Absent, Completed, Job, Node, Partition, ProbeTrouble, Situation, known
from mleconsole_plugins.slurm import plugin
from mleconsole_plugins.slurm.json import jobs_from_json, nodes_from_json
from mleconsole_plugins.slurm.kinds import SlurmAccess, SlurmClock, SlurmStep
from mleconsole_plugins.slurm.probes import (
    parse_access,
    parse_clock,
    parse_nodes,
    parse_partitions,
    parse_squeue,
    parse_steps,
)
from mleconsole_plugins.slurm.records import JOB_FIELDS, JOB_GROUP
from mleconsole_plugins.slurm.text import GROUP, UNIT

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "slurm_probes"
VERSIONS = sorted(folder.name for folder in FIXTURES.iterdir() if folder.name[0].isdigit())
PROBES = {probe.id: probe for probe in plugin.probes}


def said(version: str, name: str) -> Completed:
    return Completed("login", (), 0, (FIXTURES / version / name).read_bytes())


def manifest(version: str) -> Any:
    return json.loads((FIXTURES / version / "manifest.json").read_text())


def jobs(version: str) -> dict[tuple[str, ...], Job]:
    return dict(parse_squeue(said(version, "squeue.txt"), None).observation.records[Job])


def of_part(version: str, part: str) -> Job:
    number = str(manifest(version)["jobs"][part])
    return next(job for job in jobs(version).values() if job.extra.get("raw_id", job.job_id) == number)


def test_three_versions_are_recorded() -> None:
    assert VERSIONS == ["22.05", "24.11", "26.05"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("id", ["squeue", "nodes", "partitions", "steps", "slurm_clock", "slurm_access"])
def test_what_was_recorded_is_what_is_asked(version: str, id: str) -> None:
    asked = manifest(version)["commands"][f"{id}.txt"]["argv"]
    assert tuple(asked) == PROBES[id].argv(Situation(user="alice"))  # type: ignore[union-attr, arg-type]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_queue(version: str) -> None:
    answer = parse_squeue(said(version, "squeue.txt"), None)
    assert answer.observation.host == CLUSTER and answer.observation.notice == ""
    train = of_part(version, "running")
    assert (train.user, train.name, train.state, train.partition) == ("alice", "train-llm", "RUNNING", "gpu")
    assert (train.account, train.qos, train.node_list, train.nodes) == ("ml", "normal", "node[01-04]", 4)
    assert (train.gpus, train.cpus, train.limit_seconds, train.reason) == (32, 32, 3600.0, "")
    assert known(train.start_time) and known(train.submit_time) and train.start_time >= train.submit_time > 1.7e9
    assert train.work_dir == "/home/alice"
    per_job = of_part(version, "gpus_per_job")
    assert per_job.gpus == 4  # asked by --gpus, which squeue's own GRES column does not tell
    assert of_part(version, "ugly").gpus == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_names_pass_as_they_are(version: str) -> None:
    names = manifest(version)["names"]
    for part, name in names.items():
        told = of_part(version, part).name
        assert told == name or (part == "long" and name.startswith(told) and len(told) > 100)
    assert UNIT in of_part(version, "unit_separator").name


@pytest.mark.parametrize("version", VERSIONS)
def test_arrays(version: str) -> None:
    number = str(manifest(version)["jobs"]["array"])
    found = [job for job in jobs(version).values() if job.array_id == number]
    waiting = [job for job in found if job.state == "PENDING"]
    running = [job for job in found if job.state == "RUNNING"]
    assert [job.array_task for job in waiting] == ["2-9%2"]
    assert waiting[0].reason == "JobArrayTaskLimit"
    assert {job.job_id for job in running} == {f"{number}_0", f"{number}_1"}
    assert all(job.extra["raw_id"] != job.job_id for job in running)


@pytest.mark.parametrize("version", VERSIONS)
def test_reasons(version: str) -> None:
    told = {part: of_part(version, part) for part in ("never", "held", "time_limit", "dependency", "qos_limit")}
    assert {part: job.reason for part, job in told.items()} == {
        "never": "DependencyNeverSatisfied",
        "held": "JobHeldUser",
        "time_limit": "PartitionTimeLimit",
        "dependency": "Dependency",
        "qos_limit": "QOSMaxJobsPerUserLimit",
    }
    assert told["dependency"].dependency.startswith("afterok:")
    assert all(job.start_time == Absent("not started") for job in told.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_text_and_json_of_the_queue_agree(version: str) -> None:
    by_text = jobs(version)
    by_json = jobs_from_json((FIXTURES / version / "squeue.json").read_bytes())
    assert by_text.keys() <= by_json.keys()  # JSON has those that ended, too
    for key, job in by_text.items():
        other = by_json[key]
        # the scheduler plans anew between two commands
        extra = {name: value for name, value in job.extra.items() if name != "start_estimate"}
        planned = {name: value for name, value in other.extra.items() if name != "start_estimate"}
        assert extra == planned
        assert replace(job, extra={}, priority=0) == replace(other, extra={}, priority=0)


@pytest.mark.parametrize("version", VERSIONS)
def test_text_and_json_of_the_nodes_agree(version: str) -> None:
    by_text = parse_nodes(said(version, "nodes.txt"), None).observation.records[Node]
    # 22.05 has no `scontrol show nodes --json`, and its `sinfo --json` is a list of nodes
    file = FIXTURES / version / ("sinfo.json" if version == "22.05" else "nodes.json")
    by_json = nodes_from_json(file.read_bytes())
    assert by_text.keys() == by_json.keys()
    for key, node in by_text.items():
        other = by_json[key]
        flags = {*node.flags} ^ {*other.flags}
        assert flags <= {"planned"}
        # JSON tells a drained node that is partly used mixed, text of 22.05 allocated
        assert node.state == other.state or {node.state, other.state} == {"allocated", "mixed"}
        assert replace(node, state="", flags=()) == replace(other, state="", flags=())


@pytest.mark.parametrize("version", VERSIONS)
def test_the_nodes(version: str) -> None:
    nodes = parse_nodes(said(version, "nodes.txt"), None).observation.records[Node]
    assert len(nodes) == 8
    drained = nodes[("node05",)]
    assert drained.state == "idle" and "drain" in drained.flags
    assert drained.reason == "Xid 79 [GPU 3] fell off the bus, see (a|b), 100%"
    assert drained.reason_user == "root" and known(drained.reason_time)
    assert drained.partitions == ("gpu", "short")
    assert nodes[("node06",)].state == "down"
    # 26.05 puts its own reason over the one that was given when the node does not answer, too
    assert nodes[("node06",)].reason == ("Not responding" if version == "26.05" else "bad PSU: [rack 4]")
    assert "not_responding" in nodes[("node07",)].flags
    busy = nodes[("node01",)]
    assert (busy.gpus_total, busy.gpus_alloc, busy.cpus_total, busy.memory_mib) == (8, 8, 64, 512000)
    assert busy.extra["gpu_indices_used"] == tuple(range(8))
    assert nodes[("node08",)].extra["gpu_indices_used"] == (0, 1, 2, 3)
    assert busy.reason == Absent("no reason given")


@pytest.mark.parametrize("version", VERSIONS)
def test_partitions_steps_clock_access(version: str) -> None:
    partitions = parse_partitions(said(version, "partitions.txt"), None).observation.records[Partition]
    gpu, short = partitions[("gpu",)], partitions[("short",)]
    assert gpu.default and gpu.up and gpu.nodes_total == 8 and gpu.limit_seconds == 604800.0
    assert gpu.nodes_alloc + gpu.nodes_idle + gpu.nodes_other == 8
    assert not short.default and short.limit_seconds == 600.0
    steps = parse_steps(said(version, "steps.txt"), None).observation.records[SlurmStep]
    train = str(manifest(version)["jobs"]["running"])
    assert steps[(f"{train}.0",)].node_list == "node[01-04]"
    assert steps[(f"{train}.1",)].name == "probe[/b]"
    clock = parse_clock(said(version, "slurm_clock.txt"), None).observation.records[SlurmClock][("clock",)]
    assert clock.user == "alice" and clock.epoch > 1.7e9
    access = parse_access(said(version, "slurm_access.txt"), None).observation.records[SlurmAccess]
    assert access[("alice",)].admin_level == "None"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("id", ["squeue", "nodes", "partitions", "steps"])
def test_a_controller_that_is_down_is_said(version: str, id: str) -> None:
    told = manifest(version)["commands"][f"down:{id}"]
    done = Completed("login", (), told["rc"], b"", told["stderr"].encode())
    with pytest.raises(ProbeTrouble) as caught:
        PROBES[id].parse(done, None)  # type: ignore[call-arg]
    assert "Unable to contact slurm controller" in str(caught.value)
    assert "slurm_load" not in str(caught.value)


def line(number: int, name: str = "train") -> str:
    state, nodes, reason = ("RUNNING", "node[01-04]", "None") if number % 5 < 2 else ("PENDING", "", "Priority")
    group = GROUP.join(
        (
            f"user{number % 97}",
            state,
            "gpu",
            "ml",
            "normal",
            "1-00:00:00",
            "4",
            "256",
            "cpu=256,node=4,gres/gpu=32",
            reason,
        )
    )
    start = "1795539718" if state == "RUNNING" else "N/A"
    head = (str(number), str(number), "1795539717", start, nodes, str(4294 * number), "(null)", group)
    return UNIT.join((*head, f"/scratch/user{number % 97}", f"{name}-{number}")) + "\x1e\n"


def answered(lines: list[str]) -> Completed:
    return Completed("login", (), 0, "".join(lines).encode())


def test_an_unchanged_answer_has_no_records() -> None:
    lines = [line(number) for number in range(1, 6)]
    first = parse_squeue(answered(lines), None)
    again = parse_squeue(answered(lines), first.memory)
    assert again.observation.records == {} and again.observation.host == CLUSTER


def test_only_changed_lines_become_new_records() -> None:
    lines = [line(number) for number in range(1, 6)]
    first = parse_squeue(answered(lines), None)
    changed = [*lines[:2], line(3, "renamed"), lines[4]]
    second = parse_squeue(answered(changed), first.memory)
    before, after = first.observation.records[Job], second.observation.records[Job]
    assert set(after) == {("1",), ("2",), ("3",), ("5",)}
    assert after[("1",)] is before[("1",)] and after[("3",)].name == "renamed-3"


def test_an_empty_queue_is_an_answer() -> None:
    assert parse_squeue(answered([]), None).observation.records == {Job: {}}


def test_odd_lines_are_left_out_and_said() -> None:
    answer = parse_squeue(answered([line(1), "no job\x1e\n"]), None)
    assert set(answer.observation.records[Job]) == {("1",)}
    assert answer.observation.notice.startswith("1 of 2 lines of squeue could not be read")
    with pytest.raises(ProbeTrouble, match="form that this console does not know"):
        parse_squeue(answered(["nothing\x1e\n"]), None)


def test_a_line_break_in_a_name_stays_in_it() -> None:
    two = line(1).replace("train-1", "a\nb")
    answer = parse_squeue(answered([two, line(2)]), None)
    assert answer.observation.notice == ""
    assert answer.observation.records[Job][("1",)].name == "a\nb"


def test_the_format_keeps_free_text_last() -> None:
    assert JOB_FIELDS[-2:] == ("WorkDir", "Name") and set(JOB_GROUP) < set(JOB_FIELDS)


def test_twenty_thousand_jobs_cost_little() -> None:
    """Generous gates, for shared machines: about 60, 0.4 and 15 ms were measured."""
    lines = [line(number) for number in range(100_000, 120_000)]
    raw = answered(lines)
    same = answered(lines)
    for index in range(0, 20_000, 100):
        lines[index] = line(100_000 + index, "other")
    other = answered(lines)
    began = time.process_time()
    first = parse_squeue(raw, None)
    after_first = time.process_time()
    parse_squeue(same, first.memory)
    after_same = time.process_time()
    third = parse_squeue(other, first.memory)
    after_third = time.process_time()
    assert len(third.observation.records[Job]) == 20_000
    assert after_first - began < 0.30
    assert after_same - after_first < 0.01
    assert after_third - after_same < 0.08
    assert after_third - after_same < (after_first - began) / 2
