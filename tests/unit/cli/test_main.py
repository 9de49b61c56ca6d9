"""The command as a process: exit statuses, one sentence on stderr, silence when the reader has gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MLECONSOLE = [sys.executable, "-m", "mleconsole"]


def run(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """With a home of its own and no terminal."""
    env = {**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"), "NO_COLOR": "1"}
    return subprocess.run(
        [*MLECONSOLE, *words],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["shwo"], 2, 'no such command "shwo" (did you mean "show"?)'),
        (["show"], 2, "missing argument 'PANE'"),
        (["show", "gpus", "demo"], 2, "demo is not a target of this version"),
        (["show", "gpuss", "local"], 2, 'no pane is called "gpuss" (did you mean "gpus"?)'),
        (["show", "gpus", "local", "--set", "x"], 2, "--set wants NAME=VALUE"),
        (["show", "gpus", "local", "--timeout", "0"], 2, "--timeout"),
        (["do", "nosuch", "local"], 2, 'no action or workflow is called "nosuch"'),
        (["connect", "no/such.yaml", "--bogus"], 2, "no such option"),
        (["config", "check", "no/such.yaml"], 2, "no/such.yaml: no such file"),
        (["show", "gpus", "a b"], 2, "a target must be user@host"),
    ],
)
def test_usage_and_configuration_are_2_with_one_sentence(
    tmp_path: Path, words: list[str], status: int, sentence: str
) -> None:
    done = run(tmp_path, *words)
    assert (done.returncode, done.stdout) == (status, "")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_config_check_says_ok_and_what_it_means(tmp_path: Path) -> None:
    file = tmp_path / "prod.yaml"
    file.write_text("login: alice@login\nnodes: mine\nread_only: true\nsudo: [scontrol]\nteams: {nlp: [bob]}\n")
    done = run(tmp_path, "config", "check", str(file))
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "ok",
        "prod: sign in to alice@login",
        "asks the nodes of your own jobs every 1 s; only looks",
        "runs scontrol by sudo -n",
        "team nlp: bob",
    ]


def test_config_show_tells_every_key(tmp_path: Path) -> None:
    found = json.loads(run(tmp_path, "config", "show", "local", "--json").stdout)
    assert (found["name"], found["login"], found["interval"], found["nodes"]) == ("local", "", 1.0, "")


def test_keys_may_be_rebound(tmp_path: Path) -> None:
    file = tmp_path / "prod.yaml"
    file.write_text("login: a@b\nkeys: {gpus: u}\n")
    rows = json.loads(run(tmp_path, "config", "keys", str(file), "--json").stdout)
    assert {row["id"]: row["keys"] for row in rows if row["what"] == "pane"}["gpus"] == "u"
    assert {row["id"]: row["keys"] for row in rows if row["what"] == "command"}["filter"] == "/"


def test_who_reads_only_a_line_hears_no_complaint(tmp_path: Path) -> None:
    command = " ".join([*MLECONSOLE, "config", "keys", "2>", str(tmp_path / "err"), "|", "head", "-n", "1"])
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert (tmp_path / "err").read_text() == ""


def test_connect_without_a_terminal_says_what_to_use(tmp_path: Path) -> None:
    done = run(tmp_path, "connect", "local")
    assert done.returncode == 2
    assert "mleconsole show" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_defect_is_a_sentence_and_a_log_file(tmp_path: Path) -> None:
    """A plugin list that can't be read is our own trouble: no traceback on the screen, all of it in the log."""
    code = (
        "import sys, mleconsole.cli.config as c, mleconsole.cli.main as m\n"
        "def broken(target): raise RuntimeError('the very inside')\n"
        "c._registry = broken\n"
        "sys.exit(m.main(['config', 'plugins']))"
    )
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 3
    assert "RuntimeError: the very inside" in done.stderr and len(done.stderr.splitlines()) == 1
    log = tmp_path / "mleconsole" / "debug.log"
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
