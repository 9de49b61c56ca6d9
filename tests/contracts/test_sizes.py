"""A module is one noun: small enough to be read at once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

LINES = 450
FOLDERS = ("console", "widgets", "plugins", "tests")


def modules(root: Path) -> list[Path]:
    return [
        path
        for folder in FOLDERS
        for path in sorted((root / folder).rglob("*.py"))
        if not any(_not_ours(part) for part in path.relative_to(root).parts)
    ]


def _not_ours(folder: str) -> bool:
    """Recorded material, and what a standing test cluster has written."""
    return folder in ("fixtures", "run") or folder.startswith("run-")


def test_no_module_is_longer_than_can_be_read(root: Path) -> None:
    long = {
        str(path.relative_to(root)): size
        for path in modules(root)
        if (size := len(path.read_text(encoding="utf-8").splitlines())) > LINES
    }
    assert long == {}


@pytest.mark.parametrize("folder", ["console", "widgets", "plugins"])
def test_every_module_says_what_it_is(root: Path, folder: str) -> None:
    silent = [
        str(path.relative_to(root))
        for path in (root / folder).rglob("*.py")
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []
