"""The audit file: a line when a step begins and one when it ended, and no secret in either."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mleconsole.api import Absent, Completed, Danger, Plan, Step
from mleconsole.journal import Audit, audit_file, save_files

STEP = Step("login", ("scontrol", "update", "token=hunter2"))
PLAN = Plan("Update with hunter2", (STEP, Step("node01", ("true",))), Danger.CHANGES)


def test_every_step_is_there_when_it_begins_and_when_it_ended(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    audit = Audit("prod", "alice@login", "update", secrets=("hunter2", ""), file=file)
    audit.began(PLAN)
    audit.ended(PLAN, STEP, Completed("login", STEP.argv, 1, b"out hunter2", b"err", 0.25))
    audit.ended(PLAN, PLAN.steps[1], Completed("node01", ("true",), None, trouble=Absent("no answer")))
    content = file.read_text()
    lines = [json.loads(line) for line in content.splitlines()]
    assert [(line["event"], line["host"]) for line in lines] == [
        ("began", "login"),
        ("began", "node01"),
        ("ended", "login"),
        ("ended", "node01"),
    ]
    assert (lines[2]["exit_status"], lines[2]["seconds"]) == (1, 0.25)
    assert lines[2]["argv"] == ["scontrol", "update", "token=***"]
    assert (lines[3]["exit_status"], lines[3]["trouble"]) == (None, "no answer")
    assert lines[0]["as"] == "alice@login" and lines[0]["cluster"] == "prod" and lines[0]["danger"] == "changes"
    assert "hunter2" not in content and "out" not in content
    assert file.stat().st_mode & 0o777 == 0o600
    assert audit.trouble == ""


def test_what_can_not_be_written_is_told(tmp_path: Path) -> None:
    audit = Audit("prod", "a@b", "x", file=tmp_path / "no" / "audit.jsonl")
    audit.began(PLAN)
    assert audit.trouble == "the audit line could not be written: No such file or directory"


def test_the_audit_file_is_in_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert audit_file() == tmp_path / "mleconsole" / "audit.jsonl"
    assert audit_file().parent.stat().st_mode & 0o777 == 0o700


def test_saved_files_stay_in_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = save_files("hang.triage", {"../../evil": b"1", "rank 27.txt": b"2", "..": b"3"})
    assert folder is not None
    assert sorted(path.name for path in folder.iterdir()) == ["evil", "file", "rank_27.txt"]
    assert folder.parent == tmp_path / "mleconsole" / "reports"
