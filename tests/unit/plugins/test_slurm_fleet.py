"""What is made of the records: discovery, the srun reach, whose a GPU is, panes, alerts, cancelling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from mleconsole.api import (
    CLUSTER,
    LOGIN,
    Absent,
    Alert,
    Completed,
    Danger,
    Fleet,
    Focus,
    Gpu,
    GpuFacts,
    GpuUse,
    History,
    Host,
    Job,
    Keep,
    Machine,
    Node,
    Observation,
    Outcome,
    Process,
    Record,
    Sections,
    Severity,
    Situation,
    Subject,
    Table,
    Text,
    Tone,
)
from mleconsole.model.fleet import Arrival, fold
from mleconsole.render.json import table_rows, view_json
from mleconsole_plugins.slurm import plugin
from mleconsole_plugins.slurm.actions import CANCEL, SHOW, pairs
from mleconsole_plugins.slurm.derive import gpu_uses
from mleconsole_plugins.slurm.details import gpu_table, gpus_of
from mleconsole_plugins.slurm.discovery import DISCOVERY
from mleconsole_plugins.slurm.jobs import task_count
from mleconsole_plugins.slurm.kinds import SlurmAccess, SlurmClock
from mleconsole_plugins.slurm.reach import REACH
from mleconsole_plugins.slurm.rules import controller, nodes, pending

PANES = {pane.id: pane for pane in plugin.panes}
ALICE = Situation(user="alice")
NO_JOB = Absent("no job")


def job(id: str, user: str = "alice", state: str = "RUNNING", **more: Any) -> Job:
    given: dict[str, Any] = {"name": "train", "partition": "gpu", "account": "ml", "nodes": 1, "gpus": 8}
    if state == "RUNNING":
        given |= {"start_time": 1000.0, "node_list": "node01"}
    return Job(job_id=id, user=user, state=state, **(given | more))


def node(name: str, state: str = "idle", *flags: str, **more: Any) -> Node:
    return Node(name=name, state=state, flags=flags, gpus_total=8, **more)


def process(host: str, pid: int, user: str = "alice", job_id: str | Absent = NO_JOB, **more: Any) -> Process:
    return Process(pid=pid, user=user, command="python train.py", job_id=job_id, python=True, host=host, **more)


def fleet(records: Iterable[Record], troubles: Mapping[str, str] | None = None, now: float = 110.0) -> Fleet:
    """A Fleet of these records, each slot told at 100 s by the probe of its kind."""
    probes = {Job: "squeue", Node: "nodes", SlurmClock: "slurm_clock", SlurmAccess: "slurm_access"}
    slots: dict[tuple[type[Record], str], dict[Any, Record]] = {(Job, CLUSTER): {}}
    for record in records:
        slots.setdefault((type(record), record.host), {})[record.key] = record  # type: ignore[attr-defined]
    arrivals = [
        Arrival(host, probes.get(kind, kind.kind_name), 100.0, Observation({kind: slot}, host))
        for (kind, host), slot in slots.items()
    ]
    arrivals += [Arrival(CLUSTER, probe, now, trouble=Absent(trouble)) for probe, trouble in (troubles or {}).items()]
    return fold(Fleet(), arrivals, now)


def clock(epoch: float = 5000.0, user: str = "alice") -> SlurmClock:
    return SlurmClock(epoch=epoch, user=user)


def shown(pane: str, given: Fleet, user: str = "alice", subject: Subject | None = None, **options: str) -> Any:
    focus = Focus(user=user, options=options, situation=Situation(user=user), subject=subject, epoch=9999.0)
    return PANES[pane].view(given, History(), focus)


# ------------------------------------------------------------------ discovery and reach


def test_hosts_are_the_nodes_that_exist() -> None:
    found = DISCOVERY.hosts(
        fleet(
            [
                node("node01", "mixed"),
                node("node02", "down", "not_responding"),
                node("node03", "future"),
                node("node04", "idle", "cloud", "powered_down"),
                node("node05", "idle", extra={"address": "10.0.0.5"}),
            ]
        )
    )
    assert [(host.name, host.address) for host in found] == [("node01", ""), ("node02", ""), ("node05", "10.0.0.5")]


def test_mine_are_the_nodes_of_ones_running_jobs() -> None:
    given = fleet([job("1", node_list="node[01-02]"), job("2", "bob", node_list="node03"), job("3", state="PENDING")])
    assert DISCOVERY.mine is not None
    assert sorted(DISCOVERY.mine(given, "alice")) == ["node01", "node02"]


def test_srun_needs_ones_own_running_job_on_the_node() -> None:
    given = fleet(
        [job("1", "bob"), job("2", node_list="node02"), job("3_1", node_list="node03", extra={"raw_id": "9"})]
    )
    assert REACH.usable(given, "node01", ALICE) == "no job of alice runs on node01, and srun needs one"
    assert REACH.usable(given, "node02", ALICE) is None
    argv = REACH.wrap(given, "node03", ALICE, ("python3", "-u", "-"))
    assert argv[:4] == ("srun", "--overlap", "--jobid=9", "--nodelist=node03")
    assert argv[argv.index("--") + 1 :] == ("python3", "-u", "-")


def test_srun_prefers_the_job_with_the_gpus() -> None:
    given = fleet([job("1", gpus=0), job("2", gpus=8), job("3", gpus=8)])
    assert "--jobid=2" in REACH.wrap(given, "node01", ALICE, ("true",))


# ------------------------------------------------------------------ whose a GPU is


def uses(records: list[Record], troubles: Mapping[str, str] | None = None) -> dict[int, GpuUse]:
    facts = [GpuFacts(index=index, host="node01") for index in range(2)]
    found = gpu_uses(fleet([*facts, *records], troubles))[GpuUse]["node01"]
    return {use.index: use for use in found.values()}


def test_a_gpu_belongs_to_the_live_job_of_its_process() -> None:
    found = uses([node("node01"), job("7"), job("8", "bob"), process("node01", 1, job_id="8", gpus=(0,), user="bob")])
    assert (found[0].job_id, found[0].user, found[0].orphan) == ("8", "bob", False)
    assert isinstance(found[1].job_id, Absent)


def test_an_array_task_is_found_by_its_plain_number() -> None:
    found = uses([node("node01"), job("5_2", extra={"raw_id": "7"}), process("node01", 1, job_id="7", gpus=(0,))])
    assert found[0].job_id == "5_2"


def test_memory_of_no_live_job_is_an_orphan() -> None:
    gone = process("node01", 1, job_id="3", gpus=(0,))
    assert uses([node("node01"), job("9"), gone])[0].orphan
    assert not uses([gone])[0].orphan  # no node of the cluster
    assert not uses([node("node01"), job("9"), gone], {"squeue": "down"})[0].orphan  # the queue is old
    assert not uses([node("node01"), job("2"), gone])[0].orphan  # younger than the queue on screen


def test_a_process_whose_job_can_not_be_read_is_its_users_job() -> None:
    unread = Absent("permission denied")
    bobs = process("node01", 1, "bob", unread, gpus=(0,))
    assert uses([node("node01"), job("8", "bob"), bobs])[0].job_id == "8"
    assert not uses([node("node01"), job("8", "bob"), bobs])[0].orphan
    assert uses([node("node01"), job("8"), bobs])[0].orphan


def test_without_processes_the_allocation_counts() -> None:
    index = {"gpu_indices_used": (1,)}
    found = uses([node("node01", extra=index), job("7", gpus=1)])
    assert isinstance(found[0].job_id, Absent) and found[1].job_id == "7"
    both = uses([node("node01", extra={"gpu_indices_used": (0, 1)}), job("7", gpus=1), job("8", "bob", gpus=1)])
    assert "several jobs" in str(both[0].job_id)


# ------------------------------------------------------------------ panes

JOB_KEYS = ["job_id", "user", "state", "partition", "name", "elapsed_seconds", "limit_seconds"]
JOB_KEYS += ["node_list", "nodes", "gpus", "reason"]
NODE_KEYS = ["node", "state", "reason", "cpu_percent", "memory_used_mib", "memory_total_mib"]


def test_jobs_as_json() -> None:
    given = fleet([clock(), job("7"), job("8", "bob", "PENDING", reason="AssocGrpGRES")])
    rows = table_rows(shown("jobs", given, scope="all"))
    assert list(rows[0])[: len(JOB_KEYS)] == JOB_KEYS and rows[0]["age_seconds"] == 10.0
    assert rows[0]["elapsed_seconds"] == 4010.0  # the cluster's clock, 10 s on, less the start
    assert rows[0]["reason"] == "" and rows[1]["reason"] == "AssocGrpGRES"
    assert rows[1]["elapsed_seconds"] == {"absent": "not started"}
    assert "as many GPUs as it may" in rows[1]["why"]


def test_whose_jobs() -> None:
    given = fleet([job("1"), job("2", "bob"), job("3", "carol", account="infra")])
    assert [row["job_id"] for row in table_rows(shown("jobs", given))] == ["1"]
    assert [row["job_id"] for row in table_rows(shown("jobs", given, scope="team"))] == ["1", "2"]
    assert len(table_rows(shown("jobs", given, scope="all"))) == 3


def test_an_empty_table_says_what_to_do_next() -> None:
    assert shown("jobs", fleet([job("1", "bob")])).empty == "No jobs of alice. `t` shows the team's, then all 1."
    assert shown("jobs", fleet([])).empty == "The queue is empty."
    assert shown("jobs", Fleet()).empty == "The queue was not read yet."


def test_arrays_are_one_row_or_many() -> None:
    tasks = [
        job("5_1", array_id="5", array_task="1", extra={"raw_id": "6"}),
        job("5_[2-9%2]", state="PENDING", array_id="5", array_task="2-9%2", reason="JobArrayTaskLimit"),
    ]
    given = fleet([clock(), *tasks])
    view = shown("jobs", given)
    assert [row["job_id"] for row in table_rows(view)] == ["5×9"]
    assert table_rows(view)[0]["state"] == "RUNNING 1 PENDING 8"
    assert next(column for column in view.columns if column.title == "ST").value(view.rows[0]) == "R 1 PD 8"
    assert view.subject(view.rows[0]) == Subject("job", ("5",))
    assert len(table_rows(shown("jobs", given, arrays="flat"))) == 2
    assert len(table_rows(shown("jobs", given, scope="all"))) == 2
    detail = shown("job", given, subject=Subject("job", ("5",)))
    facts = {fact.label: fact.value for fact in detail.sections[0].view.facts}
    assert (facts["Running"], facts["Pending"]) == (1, 8) and facts["Why"].startswith("its array runs as many")
    assert isinstance(detail, Sections) and detail.title == "5×9"


@pytest.mark.parametrize(
    ("task", "count"), [("", 1), ("7", 1), ("3-9%2", 7), ("1-50:7%3", 8), ("1,3,5-7", 5), ("0-999", 1000)]
)
def test_waiting_tasks_are_counted(task: str, count: int) -> None:
    assert task_count(job("5", array_task=task)) == count


def test_why_a_job_waits_counts_the_broken_nodes() -> None:
    nodes_of_dev = [node(f"node{number}", "idle", *flags, partitions=("dev",)) for number, flags in enumerate(
        [("drain",), ("drain",), ("not_responding",), ()]
    )]  # fmt: skip
    given = fleet([*nodes_of_dev, job("1", state="PENDING", partition="dev", reason="Resources")])
    assert "3 of 4 nodes of dev are down or drained" in table_rows(shown("jobs", given))[0]["why"]


def test_an_old_queue_says_so() -> None:
    view = shown("jobs", fleet([job("1")], {"squeue": "squeue: no controller"}, now=160.0))
    assert view.notices == ("The queue is 60 s old: squeue: no controller",)
    assert view.age(view.rows[0]) == 60.0


def test_nodes_join_slurm_and_the_machine() -> None:
    machine = Machine(
        cpu_percent=7.5, memory_used_mib=1024, memory_total_mib=512000, load1=1.0, cores=64, host="node01"
    )
    given = fleet(
        [
            node("node01", "mixed"),
            node("node02", "idle", "drain", reason="Xid 79"),
            Host(name="node01", state="live", host="node01"),
            Host(name="node02", state="lost", reason="timed out", host="node02"),
            machine,
            job("7"),
        ]
    )
    rows = table_rows(shown("nodes", given))
    assert list(rows[0])[: len(NODE_KEYS)] == NODE_KEYS
    assert (rows[0]["cpu_percent"], rows[0]["memory_used_mib"], rows[0]["jobs"]) == (7.5, 1024, "7")
    assert (rows[1]["state"], rows[1]["reason"]) == ("idle+drain", "Xid 79")
    assert rows[1]["cpu_percent"] == {"absent": "can't be reached: timed out"}


def test_a_machine_without_slurm_is_a_node_too() -> None:
    rows = table_rows(shown("nodes", fleet([Host(name=LOGIN, state="live", host=LOGIN)])))
    assert [(row["node"], row["state"]) for row in rows] == [(LOGIN, "live")]


def test_a_jobs_detail() -> None:
    records: list[Record] = [clock(), node("node01", extra={"gpu_indices_used": (0, 1)}), job("7")]
    records += [Gpu(index=index, util_percent=50.0, power_watts=300.0, host="node01") for index in range(8)]
    records += [GpuUse(index=index, job_id="7", user="alice", host="node01") for index in range(2)]
    records += [process("node01", 11, job_id="7", rank=1, gpus=(1,)), process("node01", 10, job_id="7", rank=0)]
    given = fleet(records)
    history = History([Keep(Gpu, "power_watts"), Keep(Gpu, "util_percent")])
    history.remember(given)
    focus = Focus(user="alice", subject=Subject("job", ("7",)))
    view = PANES["job"].view(given, history, focus)
    assert isinstance(view, Sections)
    parts = {section.id: view_json(section.view) for section in view.sections}
    assert parts["facts"]["facts"]["elapsed_seconds"] == 4010.0
    assert [row["gpu"] for row in parts["gpus"]] == [0, 1]
    assert [row["rank"] for row in parts["processes"]] == [0, 1]
    assert parts["power"]["lines"][0]["values"] == [300.0]
    assert isinstance(shown("job", given, subject=Subject("job", ("99",))), Text)
    for subject in (Subject("node", ("node01",)), Subject("host", ("node01",))):
        detail = shown("node", given, subject=subject)
        assert isinstance(detail, Sections) and len(detail.sections[1].view.rows) == 8
    assert isinstance(shown("node", given, subject=Subject("node", ("node99",))), Text)


def test_partitions() -> None:
    assert isinstance(shown("partitions", fleet([])), Table)


# ------------------------------------------------------------------ alerts


def test_broken_nodes_under_ones_jobs() -> None:
    records = [
        clock(),
        node("node01", "down", "not_responding", reason="Not responding"),
        node("node02", "idle", "drain", reason="Xid 79"),
        node("node03", "down"),
        job("7"),
        job("8", "bob", node_list="node02"),
    ]
    found = {alert.subject.key[0]: alert for alert in nodes(fleet(records), History())}
    assert set(found) == {"node01", "node03"}  # drained without a job of mine is somebody's plan
    assert found["node01"].severity is Severity.CRITICAL
    assert found["node01"].sentence == "node01 is down, and your job 7 is on it: Not responding"
    assert found["node03"].severity is Severity.WARNING


def test_many_silent_nodes_are_one_alert() -> None:
    records = [node(f"node{number:02d}", "idle", "not_responding") for number in range(1, 13)]
    found = list(nodes(fleet(records), History()))
    assert [alert.sentence for alert in found] == ["12 nodes: no answer to Slurm: node[01-12]"]


def test_a_silent_controller() -> None:
    given = fleet([job("1")], {"squeue": "squeue: Unable to contact slurm controller"}, now=160.0)
    (alert,) = controller(given, History())
    assert alert.severity is Severity.CRITICAL and "as they were 60 s ago" in alert.sentence
    assert not list(controller(fleet([job("1")], {"squeue": "slow"}, now=110.0), History()))
    assert not list(controller(fleet([job("1")]), History()))


def test_jobs_that_never_start_by_themselves() -> None:
    waits = {"state": "PENDING", "start_time": Absent("not started")}
    records = [
        clock(),
        job("1", **waits, reason="Priority"),
        job("2", **waits, reason="PartitionTimeLimit"),
        job("3", "bob", **waits, reason="PartitionTimeLimit"),
        job("4", **waits, reason="JobHeldUser"),
    ]
    (alert,) = pending(fleet(records), History())
    assert alert.subject == Subject("job", ("2",)) and "scontrol update jobid=2" in alert.sentence


# ------------------------------------------------------------------ cancelling


def cancelled(given: Fleet, *words: str, **inputs: str) -> tuple[str, ...]:
    assert CANCEL.target is not None
    targets = [CANCEL.target(given, word) for word in words]
    plan = CANCEL.plan(given, [target for target in targets if target], inputs, ALICE)
    assert plan.danger is Danger.DESTROYS and [step.host for step in plan.steps] == [LOGIN]
    return plan.steps[0].argv


def test_what_is_cancelled_is_what_was_named() -> None:
    given = fleet(
        [
            job("7"),
            job("5_1", array_id="5", array_task="1", extra={"raw_id": "6"}),
            job("5_[2-9%2]", state="PENDING", array_id="5", array_task="2-9%2"),
        ]
    )
    assert cancelled(given, "7") == ("scancel", "7")
    assert cancelled(given, "7", "5_1") == ("scancel", "7", "5_1")
    assert cancelled(given, "5") == ("scancel", "5")
    assert cancelled(given, "6") == ("scancel", "5_1")
    assert cancelled(given, "7.0") == ("scancel", "7.0")
    assert cancelled(given, "5_[2-9%2]") == ("scancel", "5_[2-9]")
    assert cancelled(given, "7", signal="USR1") == ("scancel", "--signal=USR1", "7")


def test_what_is_no_job_is_refused() -> None:
    given = fleet([job("7")])
    assert CANCEL.target is not None
    for word in ("", "node01", "7;rm", "--user=bob", "7 8", "-1", "7_"):
        assert CANCEL.target(given, word) is None
    with pytest.raises(ValueError, match="no job"):
        CANCEL.plan(given, [Subject("job", ("--user=bob",))], {}, ALICE)
    with pytest.raises(ValueError, match="none of"):
        CANCEL.plan(given, [Subject("job", ("7",))], {"signal": "9; true"}, ALICE)


def test_consequences_are_said() -> None:
    given = fleet([job("7", node_list="node[01-04]", nodes=4, gpus=32), job("8", "bob", "PENDING")])
    plan = CANCEL.plan(given, [Subject("job", ("7",)), Subject("job", ("8",))], {}, ALICE)
    assert plan.title == "Cancel 2 jobs?"
    assert "ends 1 running job and frees 4 nodes, 32 GPUs" in plan.consequences
    assert "takes 1 waiting job out of the queue" in plan.consequences
    assert "these belong to bob, not to you" in plan.consequences


def test_anothers_job_is_refused_only_when_that_is_certain() -> None:
    bobs = [Subject("job", ("8",))]
    plain = SlurmAccess(user="alice", admin_level="None")
    operator = SlurmAccess(user="alice", admin_level="Operator")
    refused = CANCEL.guard(fleet([job("8", "bob"), plain]), bobs, ALICE)
    assert refused == "it belongs to bob; as alice you may cancel your own jobs only"
    assert CANCEL.guard(fleet([job("8", "bob"), operator]), bobs, ALICE) is None
    assert CANCEL.guard(fleet([job("8", "bob")]), bobs, ALICE) is None
    assert CANCEL.guard(fleet([job("8"), plain]), bobs, ALICE) is None
    assert CANCEL.guard(fleet([job("7")]), bobs, ALICE) == "8 is not in the queue any more"
    assert CANCEL.guard(fleet([job("7")]), [], ALICE) == "select a job first"


def test_slurms_refusal_comes_back_in_its_words() -> None:
    plan = CANCEL.plan(fleet([job("8", "bob")]), [Subject("job", ("8",))], {}, ALICE)
    said = b"scancel: error: Kill job error on job id 8: Access/permission denied\n"
    done = Completed(LOGIN, plan.steps[0].argv, 210, b"", said)
    assert CANCEL.present is not None
    view = CANCEL.present(Outcome(plan, ((plan.steps[0], done),)))
    assert isinstance(view, Text) and "Access/permission denied" in view.text


def test_what_scontrol_knows_becomes_facts() -> None:
    line = "JobId=7 JobName=a b=c Comment=epoch 3, lr=1e-4 WorkDir=/home/a b TRES=cpu=4,gres/gpu=8 Nodes=node01"
    assert dict(pairs(line))["WorkDir"] == "/home/a b"
    assert dict(pairs(line))["TRES"] == "cpu=4,gres/gpu=8"
    given = fleet([job("5_1", array_id="5", array_task="1", extra={"raw_id": "6"})])
    plan = SHOW.plan(given, [Subject("job", ("5_1",))], {}, ALICE)
    assert plan.steps[0].argv[-1] == "6" and plan.danger is Danger.READS


def test_a_gpu_with_an_alert_says_what_is_wrong_on_the_page_of_its_job() -> None:
    gpus = [Gpu(index=index, util_percent=100.0, power_watts=300.0, host="node01") for index in range(2)]
    bad = Alert(Severity.CRITICAL, gpus[1].subject, "node01 gpu1: draws 71 W: it spins", host="node01")
    rows = gpus_of(fleet([clock(), *gpus]), ["node01"])
    plain, marked = gpu_table(rows, "GPUs"), gpu_table(rows, "GPUs", (bad,))
    assert "note" not in [column.id for column in plain.columns]
    note = marked.columns[-1]
    assert [(note.value(row), note.tone(row)) for row in rows] == [
        ("", Tone.PLAIN),
        ("draws 71 W: it spins", Tone.BAD),
    ]
