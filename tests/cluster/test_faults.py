"""Every fault costs only its own cells, says why on the screen, and heals by itself within 15 s of repair."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from consoles import AGENT, agents, connect, gpu_row
from terminal import Terminal
from testbed import Cluster
from testbed.polling import wait_until

HEAL = 15.0
OTHERS = ("node01", "node02", "node04")


@pytest.fixture
def screen(cluster: Cluster, tmp_path: Path) -> Iterator[Terminal]:
    with connect(cluster.config_path("alice"), tmp_path / "home", "--pane", "gpus") as terminal:
        terminal.wait(lambda text: all(gpu_row(text, n, 7) for n in (*OTHERS, "node03")), 25, "32 GPUs")
        yield terminal


class Beat:
    """Changing values on GPUs, to tell a row that lives from one that merely stands there."""

    def __init__(self, cluster: Cluster, screen: Terminal) -> None:
        self.cluster, self.screen, self.value = cluster, screen, 20

    def live(self, nodes: tuple[str, ...], gpu: int = 2, timeout: float = HEAL) -> None:
        self.value += 1
        for node in nodes:
            self.cluster.set_gpu(node, gpu, util=self.value)
        wanted = f" {self.value} "
        self.screen.wait(lambda text: all(wanted in gpu_row(text, n, gpu) for n in nodes), timeout, f"{nodes} live")


def reason(*words: str) -> Callable[[str], bool]:
    """Any of these words stands on the screen."""
    return lambda text: any(word in text for word in words)


def host_fault(cluster: Cluster, name: str) -> contextlib.AbstractContextManager[object]:
    fault = cluster.fault
    return {
        "sshd_down": lambda: fault.sshd_down("node03"),
        "link_down": lambda: fault.link_down("node03", "eth0"),
        "power_cut": lambda: fault.power_cut("node03"),
    }[name]()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sshd_down", ("refused", "ended", "lost")),
        ("link_down", ("silent", "timed out", "did not answer", "no answer", "No route")),
        ("power_cut", ("silent", "ended", "timed out", "No route", "lost", "no answer")),
    ],
)
def test_a_host_that_is_gone(cluster: Cluster, screen: Terminal, name: str, words: tuple[str, ...]) -> None:
    beat = Beat(cluster, screen)
    beat.live((*OTHERS, "node03"))
    with host_fault(cluster, name):
        screen.press("8")
        screen.wait(lambda text: "node03" in text and reason(*words)(text), 40, "the reason among the alerts")
        screen.press("2")
        beat.live(OTHERS, timeout=5)
    beat.live(("node03",))
    cluster.run("node03", ["sh", "-c", "pkill -HUP slurmd || true"])


def test_a_lost_gpu_costs_its_own_row(cluster: Cluster, screen: Terminal) -> None:
    beat = Beat(cluster, screen)
    with cluster.fault.gpu_lost("node03", 3):
        screen.wait(lambda text: "lost" in gpu_row(text, "node03", 3).lower(), 10, "the lost GPU says so")
        beat.live(("node03",), gpu=4, timeout=5)
        beat.live(OTHERS, timeout=5)
    beat.live(("node03",), gpu=3)


def test_a_hung_nvml_call_leaves_disks_and_other_hosts_alive(cluster: Cluster, screen: Terminal) -> None:
    beat = Beat(cluster, screen)
    with cluster.fault.nvml_hangs("node03", 3, ms=20000):
        screen.press("8")
        screen.wait(lambda text: "node03" in text and reason("hung", "did not answer")(text), 30)
        screen.press("2")
        beat.live(OTHERS, timeout=5)
    beat.live(("node03",), timeout=40)  # the hung call itself lasts its 20 s


def test_a_killed_agent_comes_back(cluster: Cluster, screen: Terminal) -> None:
    beat = Beat(cluster, screen)
    assert cluster.fault.agent_killed("node03", AGENT) >= 1
    beat.live(("node03",))
    assert len(agents(cluster)["node03"]) <= 2, "one agent, with at most its shell"


@pytest.mark.parametrize(
    "script",
    [
        "#!/bin/sh\nhead -c 200000 /dev/urandom\nsleep 30\n",
        "#!/bin/sh\nprintf '\\nMLECONSOLE-AGENT-1\\n'\nprintf 'x\\234garbage'\nsleep 30\n",
    ],
    ids=["garbage", "half frames"],
)
def test_a_lying_agent_costs_its_own_host(cluster: Cluster, screen: Terminal, script: str) -> None:
    beat = Beat(cluster, screen)
    with cluster.fault.python_replaced("node03", script):
        cluster.fault.agent_killed("node03", AGENT)
        screen.press("8")
        screen.wait(lambda text: "node03" in text and reason("not ours", "did not start", "agent")(text), 40)
        screen.press("2")
        beat.live(OTHERS, timeout=5)
    beat.live(("node03",), timeout=HEAL + 15)  # a start that hangs is given up after 15 s


def test_no_python_on_a_node(cluster: Cluster, screen: Terminal) -> None:
    beat = Beat(cluster, screen)
    with cluster.fault.python_missing("node03"):
        cluster.fault.agent_killed("node03", AGENT)
        screen.press("8")
        screen.wait(lambda text: "node03" in text and "python3" in text, 30, "python3 is named")
        screen.press("2")
        beat.live(OTHERS, timeout=5)
    beat.live(("node03",))


def test_an_sshd_that_stands_still_and_goes_on(cluster: Cluster, screen: Terminal) -> None:
    """What is connected goes on; what must connect anew waits with a reason."""
    beat = Beat(cluster, screen)
    with cluster.fault.sshd_stopped("node03"):
        beat.live((*OTHERS, "node03"), timeout=5)
        cluster.fault.agent_killed("node03", AGENT)
        beat.live(("node03",), timeout=HEAL)  # over the connection that stands
        cluster.run("node03", ["sh", "-c", "pkill -KILL -u alice sshd || true"])
        screen.press("8")
        screen.wait(lambda text: "node03" in text and reason("timed out", "did not answer", "greeting")(text), 40)
        screen.press("2")
        beat.live(OTHERS, timeout=5)
    beat.live(("node03",))


def test_a_host_key_that_changes_is_refused_until_it_is_right_again(cluster: Cluster, screen: Terminal) -> None:
    beat = Beat(cluster, screen)
    with cluster.fault.host_key_changed("node03"):
        cluster.fault.agent_killed("node03", AGENT)
        cluster.run("node03", ["sh", "-c", "pkill -u alice sshd || true"])
        screen.press("8")
        screen.wait(lambda text: "node03" in text and "key" in text and "changed" in text, 30)
        screen.press("2")
        beat.live(OTHERS, timeout=5)
    beat.live(("node03",))


@pytest.mark.slow
def test_a_slurmd_that_stands_still(cluster: Cluster, screen: Terminal) -> None:
    """Its node's state changes; its GPUs are read all the same."""
    beat = Beat(cluster, screen)
    with cluster.fault.slurmd_stopped("node04"):
        screen.press("3")
        screen.wait(lambda text: any("node04" in line and "respond" in line for line in text.splitlines()), 60)
        screen.press("2")
        beat.live((*OTHERS, "node03"), timeout=5)
    screen.press("3")
    screen.wait(lambda text: not any("node04" in line and "respond" in line for line in text.splitlines()), 60)


def test_the_login_connection_is_cut(cluster: Cluster, screen: Terminal) -> None:
    beat = Beat(cluster, screen)
    beat.live((*OTHERS, "node03"))
    assert cluster.fault.login_cut("alice") >= 1
    beat.live((*OTHERS, "node03"))


def test_the_controller_is_down(cluster: Cluster, screen: Terminal) -> None:
    beat = Beat(cluster, screen)
    with cluster.fault.slurmctld_down():
        screen.press("4")
        screen.wait(reason("Unable to contact slurm controller", "slurmctld", "controller"), 30)
        screen.press("2")
        beat.live((*OTHERS, "node03"), timeout=5)
    job = cluster.submit("alice", "sleep 60", "-N1")
    screen.press("4")
    screen.wait(str(job), HEAL, "the queue again")


@pytest.mark.parametrize("daemon", ["slurmdbd", "mariadb"])
def test_the_accounting_database_is_down(cluster: Cluster, screen: Terminal, daemon: str) -> None:
    beat = Beat(cluster, screen)
    fault = cluster.fault.slurmdbd_down if daemon == "slurmdbd" else cluster.fault.mariadb_down
    with fault():
        beat.live((*OTHERS, "node03"), timeout=5)
        screen.press("4")
        screen.wait("Jobs")


def test_a_hung_file_system_and_a_full_disk(cluster: Cluster, screen: Terminal) -> None:
    beat = Beat(cluster, screen)
    screen.press("5")
    screen.wait("/scratch", 20)
    with cluster.fault.full_disk("node02", "/scratch"), cluster.fault.hung_filesystem("node03") as path:
        screen.wait(lambda text: any("node02" in t and "/scratch" in t and "100" in t for t in text.splitlines()), 30)
        screen.wait(lambda text: path in text, 30)
        screen.press("8")
        screen.wait(lambda text: path in text and reason("hung", "did not answer")(text), 30)
        screen.press("2")
        beat.live((*OTHERS, "node03"), timeout=5)
    screen.press("8")
    screen.wait(lambda text: path not in text, HEAL + 10, "the alert of the hung mount goes")


def test_a_clock_that_is_off_changes_no_age(cluster: Cluster, tmp_path: Path) -> None:
    with (
        cluster.fault.clock_shifted("node03", 3600),
        connect(cluster.config_path("alice"), tmp_path / "home", "--pane", "gpus") as screen,
    ):
        screen.wait(lambda text: gpu_row(text, "node03", 7), 25)
        Beat(cluster, screen).live((*OTHERS, "node03"), timeout=5)


def test_delay_and_loss_are_lived_with(cluster: Cluster, screen: Terminal) -> None:
    beat = Beat(cluster, screen)
    with cluster.fault.delay("node03", 100):
        beat.live((*OTHERS, "node03"), timeout=20)
    with cluster.fault.loss("node02", 5):
        beat.live((*OTHERS, "node03"), timeout=20)


def test_nothing_of_ours_is_left_after_quitting(cluster: Cluster, screen: Terminal) -> None:
    wait_until(lambda: len(agents(cluster)) >= 4, 10, "an agent on every node")
    screen.press("q")
    wait_until(lambda: screen.process.poll() is not None, 15, "the console ended")
    assert screen.process.returncode == 0
    wait_until(lambda: not agents(cluster), 10, "no agent on any host")
