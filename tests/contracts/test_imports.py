"""The run-time twin of the import contracts: what is really loaded by the rooms that must stay light."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Python = Callable[..., subprocess.CompletedProcess[str]]

LIST = "import sys, json; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
HEADLESS = (
    "mleconsole.session", "mleconsole.collect.collector", "mleconsole.actions.runner", "mleconsole.workflows.runner",
    "mleconsole.store", "mleconsole.plugin", "mleconsole.config.load", "mleconsole.render.json",
    "mleconsole.render.plain", "mleconsole.journal", "mleconsole.transport.interface", "mleconsole.api",
    "mleconsole.model.view",
)  # fmt: skip


def loaded(python: Python, code: str) -> set[str]:
    """Top-level names in sys.modules after `code` ran in a fresh interpreter."""
    done = python("-c", f"{code}\n{LIST}")
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("module", HEADLESS)
def test_headless_rooms_load_no_screen_and_no_wire(python: Python, module: str) -> None:
    names = loaded(python, f"import {module}")
    assert not names & {"textual", "asyncssh", "mleconsole_widgets", "mleconsole_plugins"}


def test_the_model_and_the_api_load_msgspec_alone(python: Python) -> None:
    names = loaded(python, "import mleconsole.api, mleconsole.model.kinds, mleconsole.model.view")
    assert not names & {"rich", "click", "ruamel", "ClusterShell", "platformdirs"}


def test_a_plugin_loads_no_screen(python: Python) -> None:
    names = loaded(
        python, "from mleconsole.plugin import Registry; r = Registry.load(); assert len(r.plugins) > 1, r.disabled"
    )
    assert not names & {"textual", "asyncssh", "mleconsole_widgets", "rich"}


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["show", "--help"], ["do", "--help"], ["connect", "--help"]]
)
def test_help_loads_no_screen_no_wire_and_no_plugin(python: Python, words: list[str]) -> None:
    names = loaded(python, f"from mleconsole.cli.main import main; assert main({words!r}) == 0")
    assert not names & {
        "textual",
        "asyncssh",
        "rich",
        "ruamel",
        "ClusterShell",
        "mleconsole_plugins",
        "mleconsole_widgets",
    }


def test_the_first_frame_needs_the_stdlib_alone(python: Python) -> None:
    names = loaded(python, "import mleconsole.cli.main, mleconsole.cli.console, mleconsole.app.start")
    assert not names & {"textual", "asyncssh", "rich", "click", "msgspec", "ruamel", "platformdirs"}


def test_what_is_sent_to_hosts_imports_the_stdlib_alone(root: Path) -> None:
    """Every import in the agent and in the samplers, read from the source; pynvml is the one that travels along."""
    import ast
    import sys

    files = [*(root / "console/mleconsole/agent").glob("*.py"), *(root / "plugins").rglob("remote.py")]
    assert len(files) > 3
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                top = name.split(".")[0]
                assert top in sys.stdlib_module_names or top == "pynvml" or name.startswith("mleconsole.agent"), (
                    f"{file.relative_to(root)} imports {name}"
                )


def test_the_first_frame_waits_for_no_import(python: Python) -> None:
    """`typing` or `signal` alone would cost as much as all the rest of it."""
    code = (
        "import sys; before = set(sys.modules)\n"
        "import mleconsole.cli.main, mleconsole.cli.console, mleconsole.app.start\n"
        "print(' '.join(sorted(name for name in set(sys.modules) - before if not name.startswith('mleconsole'))))"
    )
    done = python("-I", "-c", code)
    assert (done.returncode, done.stdout.split()) == (0, ["__future__"]), done.stderr


def test_a_session_and_the_screen_load_no_wire_before_it_starts(python: Python) -> None:
    code = (
        "import sys\n"
        "from mleconsole.config.load import load_target\n"
        "from mleconsole.plugin import Registry\n"
        "from mleconsole.session import open_session\n"
        "config = load_target('alice@login.example.org')\n"
        "session = open_session(config, Registry.load(config.plugins), None)\n"
        "import mleconsole.app.app\n"
        "assert session.status.login == 'connecting' and session.waiting_for() and not session.commands\n"
        "assert 'mleconsole.collect.collector' not in sys.modules\n"
        "session.stop()"
    )
    assert not loaded(python, code) & {"asyncssh", "ruamel"}
