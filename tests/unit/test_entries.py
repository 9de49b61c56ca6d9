"""Entry points are found as the standard library finds them."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from mleconsole.entries import entries

GROUP = "mleconsole.tried"


def install(folder: Path, name: str, text: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "entry_points.txt").write_text(text)
    (folder / name / "METADATA").write_text(f"Name: {name.partition('-')[0]}\nVersion: 1\n")


def found() -> list[tuple[str, str]]:
    theirs = sorted((entry.name, entry.value) for entry in entry_points(group=GROUP))
    assert [(entry.name, entry.value) for entry in entries(GROUP)] == theirs
    return theirs


def test_all_distributions_on_the_path_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(
        tmp_path / "a", "one_x-1.dist-info", f"[console_scripts]\nno = no:no\n\n[{GROUP}]\nb = m.n:plugin\n# c = d\n"
    )
    install(tmp_path / "a", "two-1.egg-info", f"[{GROUP}]\na=json:dumps [extra]\n")
    install(tmp_path / "b", "One.X-2.dist-info", f"[{GROUP}]\nolder = m:m\n")  # a later one of the same name
    for folder in ("b", "a"):
        monkeypatch.syspath_prepend(str(tmp_path / folder))
    monkeypatch.syspath_prepend(str(tmp_path / "nowhere"))
    assert [name for name, _ in found()] == ["a", "b"]
    assert entries(GROUP)[0].load() is __import__("json").dumps


def test_where_distributions_come_from_elsewhere_the_library_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("z-1.dist-info/METADATA", "Name: z\nVersion: 1\n")
        archive.writestr("z-1.dist-info/entry_points.txt", f"[{GROUP}]\nz = json\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "all.zip"), *sys.path])
    assert found() == [("z", "json")]
    assert entries(GROUP)[0].load() is __import__("json")
