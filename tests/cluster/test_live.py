"""The main job on a real cluster, asserted on the text of a real terminal."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from consoles import agents, connect, gpu_row
from terminal import Terminal
from testbed import Cluster
from testbed.polling import wait_until

UGLY = "x[/y][@click=app.quit]\x1b[31m"


@pytest.fixture
def screen(cluster: Cluster, tmp_path: Path) -> Iterator[Terminal]:
    """The console of alice, 200x50, on its first pane."""
    with connect(cluster.config_path("alice"), tmp_path / "home") as terminal:
        yield terminal


def wait_gpus(screen: Terminal) -> str:
    screen.wait("GPUs")
    screen.press("2")
    return screen.wait(lambda text: all(gpu_row(text, f"node{n:02}", 7) for n in (1, 2, 3, 4)), 25, "32 GPUs")


def test_every_gpu_with_its_values_and_a_change_within_two_seconds(cluster: Cluster, tmp_path: Path) -> None:
    for number, node in enumerate(cluster.layout.node_names):
        for gpu in range(8):
            cluster.set_gpu(node, gpu, util=10 * number + gpu + 11, power_mw=300_000 + 10_000 * number + gpu * 1000)
    with connect(cluster.config_path("alice"), tmp_path / "home") as screen:
        wait_gpus(screen)

        def all_values(text: str) -> bool:
            return all(
                f" {10 * number + gpu + 11} " in gpu_row(text, node, gpu)
                and f"{300 + 10 * number + gpu}" in gpu_row(text, node, gpu)
                for number, node in enumerate(cluster.layout.node_names)
                for gpu in range(8)
            )

        screen.wait(all_values, 10, "the values set in the stand-in, all 32")
        changed = time.monotonic()
        cluster.set_gpu("node03", 5, util=97)
        screen.wait(lambda text: " 97 " in gpu_row(text, "node03", 5), 5, "the changed value")
        assert time.monotonic() - changed < 2.0


def test_a_job_is_seen_running_with_its_gpus_and_cancelled_from_the_screen(cluster: Cluster, screen: Terminal) -> None:
    wait_gpus(screen)
    job = cluster.submit("alice", "srun sleep 300", "-N4", "--gres=gpu:8", "-J", UGLY)
    cluster.wait_job(job, "RUNNING")
    (pid,) = wait_until(lambda: [p.pid for p in cluster.processes("node02") if p.command.endswith("sleep 300")], 10)
    cluster.set_gpu_processes("node02", 4, [(pid, 71_000)])
    screen.wait(lambda text: str(job) in gpu_row(text, "node04", 0), 15, "the job on its GPUs")
    screen.press("4")
    text = screen.wait(lambda text: re.search(r" (RUNNING|R) ", job_row(text, job)), 15, "the job, running")
    row = job_row(text, job)
    assert "x[/y][@click=app" in row and "node[01-04]" in row and " 32 " in row
    screen.press("7")
    screen.wait(lambda text: _both(text, "node02", "sleep", f" {job} "), 15, "its process on its GPU")
    screen.press("4")
    screen.wait(lambda text: job_row(text, job) and "cancel the job" in text, 10, "the job under the cursor")
    screen.press("ctrl+x")
    text = screen.wait(f"scancel {job}", 10, "the plan, verbatim")
    assert cluster.job_states(job) == {"RUNNING"}, "nothing is cancelled before the person says so"
    screen.press("y", "enter")
    cluster.wait_job(job, ("CANCELLED", "COMPLETING"), 20)
    screen.wait(lambda text: not re.search(r" (RUNNING|R) ", job_row(text, job)), 15, "no running job")


def test_the_job_of_bob_refuses_in_words(cluster: Cluster, tmp_path: Path) -> None:
    job = cluster.submit("bob", "sleep 300", "-N1", "--gres=gpu:2")
    cluster.wait_job(job, "RUNNING")
    with connect(cluster.config_path("alice"), tmp_path / "home", "--pane", "jobs") as screen:
        screen.wait("Jobs")
        screen.press("t", "t")
        screen.wait(lambda text: "bob" in job_row(text, job) and "I all" in text, 20, "bob's job")
        screen.press("ctrl+x")
        screen.wait(
            lambda text: "bob" in text and ("denied" in text.lower() or "belongs to" in text or "not yours" in text), 15
        )
    assert cluster.job_states(job) == {"RUNNING"}


RANK = """
import os, time
def data_loader_step():
    time.sleep(600)
def all_reduce():
    time.sleep(600)
if os.environ["SLURM_PROCID"] == "2":
    data_loader_step()
else:
    all_reduce()
"""


def test_stacks_of_a_hung_job_come_back_from_every_node(cluster: Cluster, screen: Terminal) -> None:
    wait_gpus(screen)
    cluster.run("login", ["sh", "-c", "cat > /home/alice/rank.py"], user="alice", input=RANK)
    job = cluster.submit("alice", "srun /opt/venv/bin/python /home/alice/rank.py", "-N4", "--ntasks-per-node=1")
    cluster.wait_job(job, "RUNNING")
    screen.press("7", "a")
    screen.wait(
        lambda text: all(_both(text, f" {job} ", f"node{n:02}", "rank.py") for n in (1, 2, 3, 4)), 20, "four ranks"
    )
    screen.press("4")
    screen.wait(lambda text: job_row(text, job) and "cancel the job" in text, 15, "the job under the cursor")
    screen.press("D")
    text = screen.wait(lambda text: "data_loader_step" in text and "all_reduce" in text, 25, "both stacks")
    assert "0-1,3" in text, "three ranks share one stack and are folded"


def test_after_kill_9_no_agent_is_left(cluster: Cluster, screen: Terminal) -> None:
    wait_gpus(screen)
    wait_until(lambda: len(agents(cluster)) >= 4, 10, "an agent on every node")
    screen.kill()
    wait_until(lambda: not agents(cluster), 60, "no agent on any host")


def job_row(text: str, job: int) -> str:
    """The line of a job on the Jobs pane, or ""; the job's id stands first, after a mark at most."""
    found = re.search(rf"(?m)^[ ▪]{{0,4}}{job} +(alice|bob) .*$", text)
    return found.group(0) if found else ""


def _both(text: str, *words: str) -> bool:
    return any(all(word in line for word in words) for line in text.splitlines())
