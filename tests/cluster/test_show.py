"""`show` and `do` on a real cluster: rows keyed by column id, exit codes, and one sentence for bad input."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from consoles import MLECONSOLE, command, environment, show
from testbed import Cluster
from testbed.polling import wait_until

IDS = {
    "gpus": "node gpu uuid util_percent power_watts power_limit_watts memory_used_mib memory_total_mib "
    "temperature_celsius sm_clock_mhz job_id user",
    "jobs": "job_id user state partition name elapsed_seconds limit_seconds node_list nodes gpus reason",
    "nodes": "node state reason cpu_percent memory_used_mib memory_total_mib",
    "disks": "host mount used_bytes size_bytes inodes_used inodes_total",
    "network": "node port state rate_gbps rx_gbps tx_gbps errors",
    "processes": "node pid user job_id gpu memory_mib command",
}


@pytest.mark.parametrize("pane", IDS)
def test_rows_are_keyed_by_column_id(cluster: Cluster, tmp_path: Path, pane: str) -> None:
    job = cluster.submit("alice", "srun /opt/venv/bin/python -c 'import time; time.sleep(120)'", "-N2", "--gres=gpu:8")
    cluster.wait_job(job, "RUNNING")
    rank = wait_until(lambda: [p.pid for p in cluster.processes("node01") if "time.sleep(120)" in p.command], 10)[-1]
    cluster.set_gpu_processes("node01", 2, [(rank, 70_000)])
    rows = show(tmp_path / "home", pane, cluster.config_path("alice"))
    assert rows, "there is something of everything on this cluster"
    for row in rows:
        assert [*row][: len(IDS[pane].split())] == IDS[pane].split()
        assert isinstance(row["age_seconds"], int | float) or "absent" in row["age_seconds"]
        for id in IDS[pane].split():
            assert row[id] is not None and row[id] != "N/A", f"{id} is unknown without a reason"


def test_values_are_those_of_the_cluster(cluster: Cluster, tmp_path: Path) -> None:
    cluster.set_gpu("node02", 3, util=61, power_mw=345_600, temp=66, mem_used_mib=12345)
    job = cluster.submit("alice", "sleep 120", "-N1", "-w", "node02", "--gres=gpu:8", "-J", "a|b,c d", "-t", "30")
    cluster.wait_job(job, "RUNNING")
    home, config = tmp_path / "home", cluster.config_path("alice")
    gpus = {(row["node"], row["gpu"]): row for row in show(home, "gpus", config)}
    assert len(gpus) == 32
    row = gpus["node02", 3]
    assert (row["util_percent"], row["temperature_celsius"], row["memory_used_mib"]) == (61, 66, 12345)
    assert abs(row["power_watts"] - 345.6) < 0.5 and row["job_id"] == str(job) and row["user"] == "alice"
    (mine,) = [row for row in show(home, "jobs", config) if row["job_id"] == str(job)]
    assert (mine["name"], mine["state"], mine["gpus"], mine["node_list"]) == ("a|b,c d", "RUNNING", 8, "node02")
    assert mine["limit_seconds"] == 1800 and 0 <= mine["elapsed_seconds"] < 120
    scratch = [row for row in show(home, "disks", config) if row["mount"] == "/scratch"]
    assert len(scratch) == 4, "a disk of each node's own is a row of each node"
    assert len([row for row in show(home, "disks", config) if row["mount"] == "/home"]) == 1, "shared: one row"


def test_a_host_that_does_not_answer_is_absent_with_the_reason(cluster: Cluster, tmp_path: Path) -> None:
    with cluster.fault.sshd_down("node04"):
        rows = show(tmp_path / "home", "gpus", cluster.config_path("alice"))
    assert len([row for row in rows if row["node"] != "node04"]) == 24
    (gone,) = [row for row in rows if row["node"] == "node04"]
    assert "refused" in gone["util_percent"]["absent"]


def test_watch_prints_one_value_a_line(cluster: Cluster, tmp_path: Path) -> None:
    argv = [*MLECONSOLE, "show", "gpus", str(cluster.config_path("alice")), "--json", "--watch"]
    env = {**os.environ, **environment(tmp_path / "home")}
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        second = json.loads(process.stdout.readline())
        process.terminate()
        process.wait(15)
    assert len(first) == len(second) == 32


def test_other_views_say_what_they_are(cluster: Cluster, tmp_path: Path) -> None:
    assert show(tmp_path / "home", "overview", cluster.config_path("alice"))["view"] == "sections"


def test_do_cancel_with_a_dry_run_first(cluster: Cluster, tmp_path: Path) -> None:
    home, config = tmp_path / "home", str(cluster.config_path("alice"))
    job = cluster.submit("alice", "sleep 120", "-N1")
    cluster.wait_job(job, "RUNNING")
    dry = command(home, "do", "cancel", config, str(job), "--dry-run")
    assert dry.returncode == 0 and f"scancel {job}" in dry.stdout
    refused = command(home, "do", "cancel", config, str(job))
    assert refused.returncode == 1, "no terminal to confirm on, and no --yes"
    assert cluster.job_states(job) == {"RUNNING"}
    done = command(home, "do", "cancel", config, str(job), "--yes")
    assert done.returncode == 0, done.stderr
    cluster.wait_job(job, ("CANCELLED", "COMPLETING"))
    assert "scancel" in next((home / "state").rglob("audit.jsonl")).read_text()


def test_a_refusal_of_slurm_comes_back_in_words(cluster: Cluster, tmp_path: Path) -> None:
    job = cluster.submit("bob", "sleep 120", "-N1")
    cluster.wait_job(job, "RUNNING")
    done = command(tmp_path / "home", "do", "cancel", str(cluster.config_path("alice")), str(job), "--yes")
    said = (done.stdout + done.stderr).lower()
    assert done.returncode == 1 and "traceback" not in said and ("denied" in said or "bob" in said), said
    oper = command(tmp_path / "home", "do", "cancel", str(cluster.config_path("oper")), str(job), "--yes")
    assert oper.returncode == 0, oper.stderr
    cluster.wait_job(job, ("CANCELLED", "COMPLETING"))


def test_read_only_lets_nothing_out(cluster: Cluster, tmp_path: Path) -> None:
    job = cluster.submit("alice", "sleep 120", "-N1")
    cluster.wait_job(job, "RUNNING")
    config = tmp_path / "ro.yaml"
    config.write_text(cluster.config_path("alice").read_text() + "read_only: true\n")
    done = command(tmp_path / "home", "do", "cancel", str(config), str(job), "--yes")
    assert done.returncode == 1 and "read" in (done.stdout + done.stderr)
    assert cluster.job_states(job) == {"RUNNING"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("login: alice@x\nnodse: node01\n", ("2", "nodse", "nodes")),
        ("login: [1\n", (":2:", "YAML")),
        ("interval: fast\nlogin: a@b\n", ("1", "interval")),
    ],
)
def test_bad_input_gives_one_sentence(tmp_path: Path, text: str, wanted: tuple[str, ...]) -> None:
    config = tmp_path / "cluster.yaml"
    config.write_text(text)
    done = command(tmp_path / "home", "show", "gpus", str(config), "--json")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "cluster.yaml" in done.stderr and any(word in done.stderr for word in wanted), done.stderr


def test_an_unreachable_login_is_exit_4(tmp_path: Path) -> None:
    done = command(tmp_path / "home", "show", "gpus", "alice@127.0.0.1:1", "--json", "--timeout", "5")
    assert done.returncode == 4 and "refused" in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_local_on_the_login_host_and_no_process_is_left(cluster: Cluster, tmp_path: Path) -> None:
    """After a plain command no agent stays on any node."""
    from consoles import agents

    show(tmp_path / "home", "gpus", cluster.config_path("alice"))
    wait_until(lambda: not agents(cluster), 10, "no agent on any host")
