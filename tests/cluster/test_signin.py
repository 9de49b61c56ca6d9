"""Signing in against real servers: on the screen, on a tty, by key; host keys unknown and changed; 64 hosts at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from consoles import MLECONSOLE, command, connect, environment, gpu_row, show
from terminal import Terminal
from testbed import Cluster
from testbed.polling import wait_until

NODES = ("node01", "node02", "node03", "node04")


def all_gpus(text: str) -> bool:
    return all(gpu_row(text, node, 7) for node in NODES)


def config_with(cluster: Cluster, home: Path, **changes: str) -> Path:
    """alice's cluster.yaml with lines of her ssh configuration changed."""
    text = (cluster.layout.run / "ssh_config").read_text()
    for name, value in changes.items():
        lines = [line for line in text.splitlines() if line.split()[:1] != [name]]
        text = "\n".join([*lines[:1], f"  {name} {value}", *lines[1:]]) + "\n"
    home.mkdir(parents=True, exist_ok=True)
    ssh_config = home / "ssh_config"
    ssh_config.write_text(text)
    original = cluster.config_path("alice").read_text().splitlines()
    kept = [line for line in original if not line.startswith("ssh_config:")]
    config = home / "cluster.yaml"
    config.write_text("\n".join([*kept, f"ssh_config: {ssh_config}"]) + "\n")
    return config


def test_a_code_after_the_key_is_asked_on_the_screen_once(cluster: Cluster, tmp_path: Path) -> None:
    with (
        cluster.sign_in("key+otp") as signin,
        connect(cluster.config_path("alice"), tmp_path / "home", "--pane", "gpus") as screen,
    ):
        screen.wait("Verification code", 20)
        screen.type(signin.otp_code())
        screen.press("enter")
        screen.wait(all_gpus, 25, "32 GPUs")
        assert cluster.login_connections("alice") == 1, "one connection carries all when a person must sign in"
        cluster.fault.login_cut("alice")
        screen.wait(lambda text: "signed out" in text.lower() and "press r" in text.lower(), 20)
        assert "Verification code" not in screen.text(), "the console never prompts by itself after a drop"
        screen.press("r")
        screen.wait("Verification code", 20)
        screen.type(signin.otp_code())
        screen.press("enter")
        screen.wait(lambda text: "signed out" not in text.lower(), 20)


def test_a_password_and_a_code_on_a_tty(cluster: Cluster, tmp_path: Path) -> None:
    argv = [*MLECONSOLE, "show", "gpus", str(cluster.config_path("alice")), "--json"]
    with cluster.sign_in("password+otp") as signin, Terminal(argv, environment(tmp_path / "home")) as screen:
        screen.wait("assword", 20)
        screen.type(signin.password)
        screen.press("enter")
        screen.wait("Verification code", 20)
        screen.type(signin.otp_code())
        screen.press("enter")
        wait_until(lambda: screen.process.poll() is not None, 40, "the command ended")
        assert screen.process.returncode == 0
        assert signin.password not in screen.raw.decode("utf-8", "replace"), "a password is never echoed"
        assert screen.raw.count(b'"uuid"') == 32


def test_without_a_terminal_a_password_is_not_waited_for(cluster: Cluster, tmp_path: Path) -> None:
    with cluster.sign_in("password"):
        done = command(tmp_path / "home", "show", "gpus", str(cluster.config_path("alice")), "--json")
    assert done.returncode == 4
    assert "Traceback" not in done.stderr and len(done.stderr.strip().splitlines()) <= 2, done.stderr


def test_an_encrypted_key_asks_for_its_passphrase_once(cluster: Cluster, tmp_path: Path) -> None:
    key, passphrase = cluster.encrypted_key("alice")
    config = config_with(cluster, tmp_path / "home", IdentityFile=str(key))
    with connect(config, tmp_path / "home", "--pane", "gpus") as screen:
        screen.wait(lambda text: "passphrase" in text.lower(), 20)
        screen.type(passphrase)
        screen.press("enter")
        screen.wait(all_gpus, 25, "32 GPUs")


def test_an_unknown_key_is_shown_accepted_and_remembered(cluster: Cluster, tmp_path: Path) -> None:
    home = tmp_path / "home"
    empty = tmp_path / "known_hosts"
    empty.write_text("")
    config = config_with(cluster, home, UserKnownHostsFile=str(empty))
    with connect(config, home, "--pane", "gpus") as screen:
        screen.wait("SHA256:", 20)
        screen.press("y")
        screen.wait(all_gpus, 40, "32 GPUs")
    rows = show(home, "gpus", config)
    assert len(rows) == 32 and all("uuid" in row for row in rows), "the accepted keys are remembered"
    assert empty.read_text() == "", "a person's own known_hosts is not ours to write"


def test_a_changed_key_is_refused_with_an_explanation(cluster: Cluster, tmp_path: Path) -> None:
    with cluster.fault.host_key_changed("login"):
        done = command(tmp_path / "home", "show", "gpus", str(cluster.config_path("alice")), "--json")
        assert done.returncode == 4
        assert "changed" in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert len(show(tmp_path / "home", "gpus", cluster.config_path("alice"))) == 32


def test_a_changed_node_key_costs_that_node_alone(cluster: Cluster, tmp_path: Path) -> None:
    with cluster.fault.host_key_changed("node03"):
        rows = show(tmp_path / "home", "gpus", cluster.config_path("alice"))
    assert sum(1 for row in rows if row["node"] != "node03" and isinstance(row["uuid"], str)) == 24
    (absent,) = [row for row in rows if row["node"] == "node03"]
    assert "key" in str(absent) and "changed" in str(absent)


def test_a_node_that_refuses_is_reached_by_srun_once_a_job_of_ours_runs_there(cluster: Cluster, tmp_path: Path) -> None:
    with (
        cluster.fault.node_refuses("node02", "alice"),
        connect(cluster.config_path("alice"), tmp_path / "home", "--pane", "gpus") as screen,
    ):
        screen.wait(lambda text: all(gpu_row(text, node, 7) for node in NODES if node != "node02"), 25)
        screen.wait(lambda text: any("node02" in t and "denied" in t.lower() for t in text.splitlines()), 20)
        job = cluster.submit("alice", "sleep 45", "-N1", "-w", "node02", "--gres=gpu:8")
        cluster.wait_job(job, "RUNNING")
        screen.wait(lambda text: gpu_row(text, "node02", 7), 25, "its GPUs through srun")
        cluster.wait_job(job, "COMPLETED", 90)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_64_nodes_by_two_login_connections(tmp_path: Path) -> None:
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        pytest.skip("a second cluster needs root on Linux")
    cluster = Cluster.up(nodes=64, name="tb-wide", owner=os.getpid(), fresh=True)
    try:
        with connect(cluster.config_path("alice"), tmp_path / "home", "--pane", "overview") as screen:
            screen.wait("64/64", 60, "64 of 64 hosts")
            assert cluster.login_connections("alice") <= 2
        rows = show(tmp_path / "home", "gpus", cluster.config_path("alice"), "--timeout", "40", timeout=90)
        assert len(rows) == 512 and all(isinstance(row["util_percent"], int | float) for row in rows)
    finally:
        cluster.down()
