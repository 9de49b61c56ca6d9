"""Processes: who holds which GPU, and memory of no live job, in pane, derived records and rule."""

from __future__ import annotations

from typing import Any

from mleconsole.api import CLUSTER, Absent, Focus, History, Subject, Tone
from mleconsole.model.fleet import Arrival, Observation, fold
from mleconsole_plugins.processes.derive import GpuOrphan, orphans
from mleconsole_plugins.processes.panes import process, processes
from mleconsole_plugins.processes.rules import orphan_memory

ALL = Focus(options={"show": "all"})


def with_orphans(fleet: Any) -> Any:
    """The fleet with what is derived from it, as the collector does it."""
    arrivals = [
        Arrival(host, "gpu_orphans", fleet.now, Observation({kind: slot}))
        for kind, slots in orphans(fleet).items()
        for host, slot in slots.items()
    ]
    return fold(fleet, arrivals, fleet.now)


def cluster_of(build: Any) -> Any:
    """node01: rank 0 of the live job 48213, a leftover of job 48000, and a process of the job without a GPU."""
    return (
        build()
        .host("node01")
        .node("node01")
        .job("48213")
        .gpu("node01", 0)
        .gpu("node01", 1)
        .process("node01", 100, (0,))
        .process("node01", 200, (1,), job="48000", user="bob", memory_mib=30 * 1024)
        .process("node01", 300, ())
    )


def test_json_keys_and_who_holds_what(build: Any, rows: Any) -> None:
    shown = rows(processes(cluster_of(build).build(), History(), Focus()))
    assert list(shown[0])[:7] == ["node", "pid", "user", "job_id", "gpu", "memory_mib", "command"]
    assert [(row["pid"], row["gpu"], row["orphan"]) for row in shown] == [(100, 0, False), (200, 1, True)]


def test_all_shows_processes_without_a_gpu(build: Any, rows: Any) -> None:
    shown = rows(processes(cluster_of(build).build(), History(), ALL))
    assert [row["pid"] for row in shown] == [100, 200, 300]
    assert shown[2]["gpu"] == Absent("holds no GPU")
    assert shown[2]["memory_mib"] == Absent("holds no GPU memory")


def test_several_gpus_of_one_process(build: Any, rows: Any) -> None:
    cluster = build().host("node01").process("node01", 100, (0, 1))
    assert rows(processes(cluster.build(), History(), Focus()))[0]["gpu"] == (0, 1)


def test_empty_tables_say_the_next_step(build: Any) -> None:
    assert (
        "`a` shows all 1 process"
        in processes(build().host("n1").process("n1", 1, ()).build(), History(), Focus()).empty
    )
    assert "`r`" in processes(build().build(), History(), Focus()).empty


def test_hosts_that_tell_nothing_are_named(build: Any) -> None:
    cluster = build().host("n1").trouble("n1", "processes", "did not answer within 5 s (hung)")
    for name in ("n2", "n3"):
        cluster.host(name, "lost", "timed out")
    table = processes(cluster.build(), History(), Focus())
    assert table.notices == (
        "2 hosts: unreachable for 10m: timed out",
        "n1: did not answer within 5 s (hung)",
    )


def test_memory_of_no_live_job_is_told_after_a_minute(build: Any, past: Any, screen: Any) -> None:
    history = past(GpuOrphan, "memory_mib")
    cluster = cluster_of(build)
    for _ in range(15):
        fleet = with_orphans(cluster.build(4.0))
        history.remember(fleet)
    assert list(orphan_memory(fleet, history)) == []  # 56 s: a job may still be ending
    marked = {cells["pid"][0]: cells for cells in screen(processes(fleet, history, Focus()))}
    assert marked[200]["note"] == ("no live job holds this memory", Tone.STRONG)
    for _ in range(3):
        fleet = with_orphans(cluster.build(4.0))
        history.remember(fleet)
    (alert,) = orphan_memory(fleet, history)
    assert alert.subject == Subject("gpu", ("node01", "1")) and alert.host == "node01"
    assert alert.sentence == "node01 gpu1: 30.0 GiB held by 1 process of bob (200), whose job 48000 has ended"
    marked = {cells["pid"][0]: cells for cells in screen(processes(fleet, history, Focus()))}
    assert marked[200]["memory_mib"][1] is Tone.WARN and marked[100]["memory_mib"][1] is Tone.PLAIN


def test_a_new_orphan_after_a_pause_starts_its_own_minute(build: Any, past: Any) -> None:
    history = past(GpuOrphan, "memory_mib")
    cluster = cluster_of(build)
    for _ in range(5):
        history.remember(with_orphans(cluster.build(4.0)))
    cluster.job("48000", user="bob")
    for _ in range(15):
        history.remember(fold(cluster.build(4.0), [], cluster.now))
    cluster.records[CLUSTER, "squeue"].clear()
    cluster.job("48213")
    fleet = with_orphans(cluster.build(4.0))
    history.remember(fleet)
    assert list(orphan_memory(fleet, history)) == []


def test_what_is_no_orphan(build: Any) -> None:
    """No scheduler, a queue in trouble, a host that the scheduler does not manage, an array task by its raw number."""
    local = build().host("box").gpu("box", 0).process("box", 1, (0,), job=Absent("no job"))
    assert orphans(local.build())[GpuOrphan] == {}
    troubled = cluster_of(build)
    troubled.build()
    troubled.records.pop((CLUSTER, "squeue"))
    troubled.trouble(CLUSTER, "squeue", "slurmctld does not answer")
    assert orphans(troubled.build(1.0))[GpuOrphan] == {}
    login = build().host("login").job("48213").gpu("login", 0).process("login", 1, (0,), job=Absent("no job"))
    assert orphans(login.build())[GpuOrphan] == {}
    task = build().host("n1").node("n1").gpu("n1", 0).process("n1", 1, (0,), job="48402")
    task.job("48401_7", array_id="48401", extra={"raw_id": "48402"})
    assert orphans(task.build())[GpuOrphan] == {}


def test_a_process_of_unknown_job_follows_the_join(build: Any) -> None:
    hidden = Absent("permission denied")
    cluster = build().host("n1").node("n1").job("1").gpu("n1", 0).process("n1", 9, (0,), job=hidden)
    cluster.use("n1", 0, "1")
    assert orphans(cluster.build())[GpuOrphan] == {}
    cluster.use("n1", 0, Absent("no live job"), orphan=True)
    (record,) = orphans(cluster.build())[GpuOrphan]["n1"].values()
    assert record.pids == (9,) and record.job_id == hidden


def test_the_page_of_one_process(build: Any) -> None:
    fleet = cluster_of(build).build()
    page = process(fleet, History(), Focus(subject=Subject("process", ("node01", "200"))))
    facts = {fact.label: fact.value for fact in page.facts}
    assert facts["Note"] == "no live job holds this memory" and facts["Job"] == "48000"
    gone = process(fleet, History(), Focus(subject=Subject("process", ("node01", "999"))))
    assert "not there any more" in gone.text
