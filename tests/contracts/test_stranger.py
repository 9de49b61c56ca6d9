"""A stranger's plugin, installed as a stranger would: all that it brings is there; a broken one costs only itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Python = Callable[..., subprocess.CompletedProcess[str]]
HERE = Path(__file__).parent / "stranger"

LOOK = """
import json
from mleconsole.collect.bundle import make_bundle
from mleconsole.plugin import Registry
registry = Registry.load()
print(json.dumps({
    "panes": list(registry.panes), "actions": list(registry.actions), "workflows": list(registry.workflows),
    "probes": list(registry.probes), "kinds": list(registry.kinds), "disabled": registry.disabled,
    "owner": registry.owner("panes", "weather"), "troubles": dict(make_bundle(registry.plugins.values()).troubles),
}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, build_wheel: Callable[[Path, Path], Path]) -> str:
    """A folder into which pip has installed both plugins from their wheels."""
    work = tmp_path_factory.mktemp("stranger")
    target = work / "site"
    wheels = []
    for name in ("good", "broken"):
        source = shutil.copytree(HERE / name, work / name)
        wheels.append(str(build_wheel(source, work / f"{name}-dist")))
    argv = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
        *wheels,
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return str(target)


@pytest.fixture(scope="module")
def seen(installed: str, python: Python) -> dict[str, Any]:
    done = python("-c", LOOK, PYTHONPATH=installed)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_is_not_there_without_its_wheel(python: Python) -> None:
    done = python("-c", LOOK)
    assert "weather" not in json.loads(done.stdout)["panes"]


@pytest.mark.parametrize(
    ("role", "id"),
    [
        ("panes", "weather"),
        ("actions", "weather.say"),
        ("workflows", "weather.name"),
        ("probes", "weather"),
        ("kinds", "sensor"),
    ],
)
def test_everything_it_brings_is_there(seen: dict[str, Any], role: str, id: str) -> None:
    assert id in seen[role]
    assert seen["owner"] == "weather"


def test_its_sampler_travels_with_the_agent(seen: dict[str, Any]) -> None:
    assert "weather" not in seen["troubles"]


def test_a_plugin_that_raises_is_off_with_one_sentence(seen: dict[str, Any]) -> None:
    sentence = seen["disabled"]["broken"]
    assert "broken" in sentence and "licence server" in sentence
    assert "\n" not in sentence


def test_the_rest_works_beside_a_broken_one(seen: dict[str, Any], python: Python) -> None:
    alone = json.loads(python("-c", LOOK).stdout)
    assert set(alone["panes"]) < set(seen["panes"])
    assert set(seen["disabled"]) - set(alone["disabled"]) == {"broken"}


def test_config_plugins_lists_both(installed: str, python: Python) -> None:
    done = python("-m", "mleconsole", "config", "plugins", "--json", PYTHONPATH=installed)
    assert done.returncode == 0, done.stderr
    rows = {row["id"]: row for row in json.loads(done.stdout)}
    assert (rows["weather"]["state"], rows["weather"]["proven"]) == ("on", "thermal zones: none")
    assert rows["broken"]["state"] == "off" and "licence server" in rows["broken"]["title"]


def test_its_sampler_reads_a_host(installed: str, python: Python) -> None:
    code = """
import json
from mle_weather import Sensor, parse
from mle_weather.remote import SAMPLERS
raw = json.dumps(SAMPLERS["weather"]({}))
print(len(json.loads(raw)["zones"]), len(parse(raw.encode(), "h").records[Sensor]))
"""
    done = python("-c", code, PYTHONPATH=installed)
    assert done.returncode == 0, done.stderr
    zones, sensors = done.stdout.split()
    assert zones == sensors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "weather", "local", "--json"), "["),
        (("do", "weather.say", "local", "--set", "word=a  b"), "login: a  b"),
        (("do", "weather.name", "local"), "The login host is "),
        (("do", "weather.say", "local", "--dry-run"), "  login: echo hello"),
    ],
)
def test_its_pane_action_and_workflow_run_on_this_machine(
    installed: str, python: Python, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """A real agent, a real command, a real workflow: this machine is the cluster."""
    done = python("-m", "mleconsole", *words, PYTHONPATH=installed, XDG_STATE_HOME=str(tmp_path), HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert "plugin broken is off: OSError" in done.stderr
    assert "Traceback" not in done.stderr
