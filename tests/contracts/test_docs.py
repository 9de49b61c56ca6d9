"""The documents say what the code does: every command, key of cluster.yaml, pane, action and exit status is in them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mleconsole.cli import stop
from mleconsole.cli.group import group
from mleconsole.config.keys import CHECKS

Python = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


def test_the_tables_follow_the_code(root: Path, python: Python) -> None:
    """Panes, switches, actions, workflows, and what is proven."""
    done = python(str(root / "tests/readme.py"), "--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", group.list_commands(None))  # type: ignore[arg-type]
def test_every_command_is_in_the_readme(readme: str, command: str) -> None:
    assert f"mleconsole {command}" in readme


@pytest.mark.parametrize("key", CHECKS)
def test_every_key_of_cluster_yaml_is_in_the_readme(readme: str, key: str) -> None:
    assert re.search(rf"^{key}: ", readme, re.MULTILINE), key


def test_the_keys_in_the_readme_are_read_as_written(readme: str, tmp_path: Path) -> None:
    """The example with all keys is a good cluster.yaml."""
    from mleconsole.config.load import load_target

    (example,) = [block for block in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL) if "filesystems:" in block]
    (tmp_path / "ssh_config").write_text("")
    (tmp_path / "cluster.yaml").write_text(example)
    assert load_target(str(tmp_path / "cluster.yaml")).name == "prod"


def test_every_exit_status_is_in_the_readme(readme: str) -> None:
    statuses = [value for name, value in vars(stop).items() if name.isupper() and isinstance(value, int)]
    assert len(statuses) == 6
    for status in statuses:
        assert f"`{status}`" in readme


def test_what_make_can_do_is_told_where_it_is_needed(root: Path, readme: str) -> None:
    targets = re.findall(r"^([a-z-]+):[^#\n]*##", (root / "Makefile").read_text(), re.MULTILINE)
    told = readme + (root / "CONTRIBUTING.md").read_text()
    assert {target for target in targets if f"make {target}" not in told} <= {"help"}


def test_links_between_documents_lead_somewhere(root: Path) -> None:
    for page in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", (root / page).read_text()):
            assert (root / link).exists(), f"{page}: {link}"


def test_every_room_is_in_the_architecture_page(root: Path) -> None:
    page = (root / "ARCHITECTURE.md").read_text()
    rooms = [path.name for path in (root / "console/mleconsole").iterdir() if (path / "__init__.py").exists()]
    assert len(rooms) > 8
    assert [room for room in rooms if f"{room}/" not in page] == []
    plugins = [path.parent.name for path in (root / "plugins/mleconsole_plugins").glob("*/__init__.py")]
    assert [plugin for plugin in plugins if plugin not in page] == []
