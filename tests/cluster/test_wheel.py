"""The built wheel in an empty environment outside the tree, with a stranger's plugin beside it, on the real cluster."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from consoles import agents, environment
from terminal import Terminal
from testbed import Cluster
from testbed.polling import wait_until

ROOT = Path(__file__).parents[2]
STRANGERS = ROOT / "tests" / "contracts" / "stranger"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a fresh virtual environment that holds our wheel, a stranger's, and a broken one."""
    folder = tmp_path_factory.mktemp("wheel")
    wheels = folder / "wheels"
    for source in (ROOT, STRANGERS / "good", STRANGERS / "broken"):
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(source)]
        subprocess.run(build, check=True, capture_output=True, cwd=folder)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    pip = [str(folder / "venv/bin/pip"), "install", "--quiet", "-c", str(ROOT / "constraints.txt")]
    subprocess.run([*pip, *map(str, wheels.glob("*.whl"))], check=True, cwd=folder, timeout=300)
    return folder / "venv" / "bin"


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def command(*argv: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, **environment(tmp_path / "home"), "PYTHONPATH": ""}
        program = str(installed / "mleconsole")
        return subprocess.run(
            [program, *argv],
            env=env,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return command


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_wheel_connects_and_a_stranger_fills_every_role(
    cluster: Cluster, installed: Path, run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    config = str(cluster.config_path("alice"))
    done = run("show", "gpus", config, "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == 32
    assert "broken" in done.stderr and "licence server" in done.stderr, "a plugin that raises says so in a sentence"
    assert "Traceback" not in done.stderr

    cluster.run("node02", ["sh", "-c", "mkdir -p /tmp/weather/inlet && echo 23500 > /tmp/weather/inlet/temp"])
    rows = json.loads(run("show", "weather", config, "--json").stdout)
    (inlet,) = [row for row in rows if row["zone"] == "inlet"]
    assert (inlet["node"], inlet["celsius"]) == ("node02", 23.5), "its sampler runs on a node, its pane shows its kind"

    said = run("do", "weather.say", config, "--set", "word=good morning")
    assert said.returncode == 0 and "good morning" in said.stdout, said.stderr
    named = run("do", "weather.name", config)
    assert named.returncode == 0 and "The login host is login" in named.stdout, named.stderr

    with Terminal([str(installed / "mleconsole"), "connect", config], environment(tmp_path / "home")) as screen:
        screen.wait("4/4", 25)
        screen.press(":")
        screen.wait("pane: Weather", 10, "the palette")
        screen.type("weather")
        screen.press("enter")
        screen.wait(lambda text: "inlet" in text and "23.5" in text, 20, "the stranger's pane")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_local_on_the_login_host_itself(cluster: Cluster, installed: Path) -> None:
    """Many will run it where they are logged in: Slurm's tools right there, the nodes by ssh from there."""
    (packages,) = (installed.parent / "lib").glob("python3.*/site-packages")
    login = cluster.host("login")
    packed = subprocess.run(["tar", "-C", str(packages), "-cz", "."], capture_output=True, check=True).stdout
    unpack = "mkdir -p /opt/console && base64 -d | tar -C /opt/console -xz"
    login.run(["sh", "-c", unpack], input=base64.b64encode(packed).decode(), timeout=120)
    try:
        command = "PYTHONPATH=/opt/console python3 -m mleconsole show gpus local --json"
        done = cluster.run("login", ["su", "-", "alice", "-c", command], timeout=90)
        assert done.returncode == 0, done.stderr
        rows = json.loads(done.stdout)
        assert len(rows) == 32 and {row["node"] for row in rows} == set(cluster.layout.node_names)
        assert all(isinstance(row["uuid"], str) for row in rows)
    finally:
        login.run(["rm", "-rf", "/opt/console"])
    wait_until(lambda: not agents(cluster), 10, "no agent on any host")
