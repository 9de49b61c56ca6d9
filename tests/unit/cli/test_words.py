"""The words of the command line: the fast path of connect, subjects, inputs and switches."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from mleconsole.api import Danger, Field, Fleet, Gpu, Job, Node, Pane, Plan, Step, Subject, Switch, Text
from mleconsole.cli.console import Wanted, title_of, wanted
from mleconsole.cli.do import plan_lines
from mleconsole.cli.group import group
from mleconsole.cli.inputs import secrets, typed
from mleconsole.cli.options import pairs
from mleconsole.cli.show import switches_of
from mleconsole.cli.stop import Stop
from mleconsole.cli.subjects import find
from mleconsole.model.kinds import CLUSTER

KINDS = {"job": Job, "node": Node, "gpu": Gpu}


def fleet() -> Fleet:
    jobs = [Job(job_id=id, user="alice", name="x", state="RUNNING", partition="gpu") for id in ("48213", "48401_7")]
    nodes = [Node(name=name, state="idle") for name in ("node01", "node02")]
    gpus = {name: [Gpu(index=i, host=name) for i in range(2)] for name in ("node01", "node02")}
    return Fleet(
        {
            Job: {CLUSTER: {job.key: job for job in jobs}},
            Node: {CLUSTER: {node.key: node for node in nodes}},
            Gpu: {name: {gpu.key: gpu for gpu in all} for name, all in gpus.items()},
        }
    )


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["prod"], Wanted("prod")),
        (["prod", "--read-only"], Wanted("prod", read_only=True)),
        (["--nodes", "mine", "--pane=gpus", "a@b"], Wanted("a@b", nodes="mine", pane="gpus")),
        ([], None),
        (["prod", "more"], None),
        (["prod", "--help"], None),
        (["prod", "--nodes"], None),
        (["prod", "--nodes", "--read-only"], None),
        (["prod", "--nosuch"], None),
    ],
)
def test_the_fast_path_takes_only_what_is_plainly_right(words: list[str], found: Wanted | None) -> None:
    assert wanted(words) == found


WORDS = st.lists(
    st.sampled_from(["prod", "--read-only", "--nodes", "mine", "--pane", "gpus", "--pane=x", "-h", "--", ""])
)


@given(WORDS)
def test_the_fast_path_agrees_with_click(words: list[str]) -> None:
    """What the fast path accepts, click understands in the same way."""
    quick = wanted(words)
    if quick is None:
        return
    seen: dict[str, Any] = {}
    command = group.get_command(None, "connect")  # type: ignore[arg-type]
    assert command is not None
    context = command.make_context("connect", list(words))
    seen.update(context.params)
    assert Wanted(**seen) == quick


@pytest.mark.parametrize(
    ("target", "title"),
    [("conf/prod.yaml", "prod"), ("alice@login", "login"), ("local", "local"), ("./x.yml", "x"), ("a@", "a@")],
)
def test_the_first_title(target: str, title: str) -> None:
    assert title_of(target) == title


@pytest.mark.parametrize(
    ("kinds", "word", "key"),
    [
        (("job",), "48213", ("48213",)),
        (("job",), "48401_7", ("48401_7",)),
        (("gpu",), "node01:1", ("node01", "1")),
        (("node", "gpu"), "node02", ("node02",)),
        (("gpu", "node"), "node02", ("node02",)),
    ],
)
def test_words_name_subjects(kinds: tuple[str, ...], word: str, key: tuple[str, ...]) -> None:
    found = find(fleet(), KINDS, kinds, word)
    assert found.key == key
    assert found.kind in kinds


def test_a_word_that_names_none_or_several_is_one_sentence() -> None:
    with pytest.raises(Stop, match=r'there is no node "node3" .*did you mean "node0\d"') as none:
        find(fleet(), KINDS, ("node",), "node3")
    assert none.value.status == 1
    with pytest.raises(Stop, match=r'"1" may be any of 2: node01:1, node02:1; write one of these'):
        find(fleet(), KINDS, ("gpu",), "1")


FIELDS = (
    Field("reason", "Reason"),
    Field("count", "Count", "int", 3),
    Field("factor", "Factor", "float", 1.0),
    Field("force", "Force", "bool", False),
    Field("signal", "Signal", "choice", "TERM", ("TERM", "KILL")),
    Field("token", "Token", "secret"),
)


def test_inputs_have_the_type_of_their_field() -> None:
    given = pairs(["reason=bad = NIC", "count=7", "factor=0.5", "force=yes", "signal=KILL", "token=hunter2"])
    inputs = typed(FIELDS, given)
    assert inputs == {
        "reason": "bad = NIC",
        "count": 7,
        "factor": 0.5,
        "force": True,
        "signal": "KILL",
        "token": "hunter2",
    }
    assert secrets(FIELDS, inputs) == ("hunter2",)
    assert typed(FIELDS, {})["count"] == 3


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("count=x", '--set count wants a whole number, not "x"'),
        ("factor=nan", '--set factor wants a number, not "nan"'),
        ("force=perhaps", '--set force wants true or false, not "perhaps"'),
        ("signal=term", '--set signal wants one of TERM, KILL, not "term"'),
        ("raeson=x", 'no input is called "raeson" (did you mean "reason"?)'),
        ("reason", '--set wants NAME=VALUE, not "reason"'),
    ],
)
def test_wrong_inputs_are_one_sentence(word: str, sentence: str) -> None:
    with pytest.raises(Stop) as stop:
        typed(FIELDS, pairs([word]))
    assert (stop.value.status, stop.value.sentence) == (2, sentence)


PANE = Pane(
    "jobs",
    "Jobs",
    lambda fleet, history, focus: Text(""),
    switches=(Switch("scope", "t", "scope", ("mine", "team", "all")), Switch("fold", "f", "fold", ("fold", "flat"))),
)


def test_a_scope_is_all_for_scripts() -> None:
    assert switches_of(PANE, {}) == {"scope": "all", "fold": "fold"}
    assert switches_of(PANE, {"scope": "mine", "fold": "flat"}) == {"scope": "mine", "fold": "flat"}


@pytest.mark.parametrize("given", [{"scop": "mine"}, {"scope": "min"}])
def test_wrong_switches_are_usage_errors(given: dict[str, str]) -> None:
    with pytest.raises(Stop, match="did you mean") as stop:
        switches_of(PANE, given)
    assert stop.value.status == 2


def test_a_plan_is_shown_word_by_word() -> None:
    plan = Plan("Cancel job 1", (Step("login", ("scancel", "--me", "a b'c")),), Danger.DESTROYS, ("frees 8 GPUs",))
    assert plan_lines(plan) == ["Cancel job 1", """  login: scancel --me 'a b'"'"'c'""", "  frees 8 GPUs"]


@pytest.mark.parametrize("command", ["connect", "show", "do", "config", "config check", "config show", "config keys"])
def test_every_help_has_an_example(command: str) -> None:
    result = CliRunner().invoke(group, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert f"mleconsole {command}" in result.output


def test_subjects_are_subjects() -> None:
    assert find(fleet(), KINDS, ("job",), "48213") == Subject("job", ("48213",))
