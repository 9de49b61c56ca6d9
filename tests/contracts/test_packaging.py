"""What is installed: three names and nothing generic, every module, and what travels as source or data."""

from __future__ import annotations

import zipfile
from pathlib import Path

OURS = {"console": "mleconsole", "widgets": "mleconsole_widgets", "plugins": "mleconsole_plugins"}


def sources(root: Path) -> set[str]:
    """Every file of the three packages as the wheel names it."""
    return {
        str(file.relative_to(root / folder))
        for folder, package in OURS.items()
        for file in (root / folder / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_source_roots_hold_one_package_each(root: Path) -> None:
    """A stray folder in a source root would become a top-level name of every environment."""
    for folder, package in OURS.items():
        found = {path.name for path in (root / folder).iterdir() if path.name != "__pycache__"}
        assert found == {package}, folder


def test_the_wheel_has_three_names_at_the_top(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(OURS.values())


def test_the_wheel_has_every_file(root: Path, wheel: zipfile.ZipFile) -> None:
    files = {name for name in wheel.namelist() if ".dist-info/" not in name}
    wanted = sources(root)
    assert len(wanted) > 50
    assert wanted - files == set()


def test_data_and_agent_source_are_inside(wheel: zipfile.ZipFile) -> None:
    files = wheel.namelist()
    assert "mleconsole/agent/runtime.py" in files, "the agent is read from the installed package"
    assert any(name.endswith("/remote.py") for name in files), "samplers travel as source"
    assert {f"{package}/py.typed" for package in OURS.values()} <= set(files)


def test_every_plugin_folder_has_an_entry_point(root: Path, wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    text = wheel.read(name).decode()
    folders = [path.parent.name for path in (root / "plugins/mleconsole_plugins").glob("*/__init__.py")]
    for folder in folders:
        assert f"{folder} = mleconsole_plugins.{folder}:plugin" in text
    assert "mleconsole = mleconsole.cli.main:main" in text


def test_the_licence_and_the_dependencies_are_told(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = wheel.read(name).decode()
    assert "License-Expression: Apache-2.0" in metadata
    metadata = metadata.replace("-", "_").replace(".", "_")
    for needed in ("textual", "asyncssh", "msgspec", "click", "ruamel.yaml", "ClusterShell", "nvidia-ml-py"):
        assert f"Requires-Dist: {needed}".replace("-", "_").replace(".", "_").lower() in metadata.lower()
