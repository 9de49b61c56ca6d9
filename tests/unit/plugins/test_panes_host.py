"""Hosts: the pane, its rules, and the shell."""

from __future__ import annotations

from typing import Any

import pytest

from mleconsole.api import Absent, Danger, Focus, History, Severity, Situation, Subject, Tone
from mleconsole_plugins.host.actions import ACTIONS
from mleconsole_plugins.host.panes import hosts
from mleconsole_plugins.host.rules import agent_cost, host_lost, host_refused, sampler_silent

ACTION = {action.id: action for action in ACTIONS}


def test_the_pane_shows_troubled_hosts_first_and_what_we_cost(build: Any, rows: Any, screen: Any) -> None:
    cluster = (
        build()
        .host("node01", agent="running", agent_cpu_percent=0.4, bytes_per_sample=900.0)
        .machine("node01")
        .host("node02", "lost", "timed out", ago=120.0)
        .host("node03", agent="running", agent_cpu_percent=1.8, bytes_per_sample=1200.0)
    )
    table = hosts(cluster.build(), History(), Focus())
    shown = rows(table)
    assert [(row["host"], row["state"]) for row in shown] == [
        ("node02", "lost"),
        ("node01", "live"),
        ("node03", "live"),
    ]
    assert shown[0]["since_seconds"] == 120.0 and shown[0]["reason"] == "timed out"
    assert shown[0]["cpu_percent"] == Absent("timed out") and shown[1]["cores"] == 96
    assert screen(table)[2]["agent_cpu_percent"] == (1.8, Tone.WARN)
    assert table.notices == ("2 of 3 hosts live; our agents take 1.10 % of a core each, at most 1.80 %",)


def test_a_lost_host_with_what_the_scheduler_says(build: Any) -> None:
    cluster = build().host("node27", "lost", "connect timed out", ago=720.0)
    cluster.node("node27", state="down", flags=("not_responding",))
    (alert,) = host_lost(cluster.build(), History())
    assert alert.sentence == ("node27: unreachable for 12m (connect timed out), the scheduler says down+not_responding")
    assert alert.severity is Severity.CRITICAL and alert.host == "node27"
    assert alert.since == cluster.now - 720.0


def test_a_login_that_drops_and_comes_back_alarms_nobody(build: Any) -> None:
    assert (
        list(host_lost(build().host("node27", "lost", "the login connection ended", ago=2.0).build(), History())) == []
    )


@pytest.mark.parametrize("state", ["live", "connecting", "waiting", "left_out", "signed_out"])
def test_other_states_are_no_alert(build: Any, state: str) -> None:
    fleet = build().host("node27", state, "because").build()
    assert list(host_lost(fleet, History())) == [] and list(host_refused(fleet, History())) == []


def test_nodes_that_sleep_are_not_lost(build: Any) -> None:
    cluster = build().host("node27", "lost", "no route", ago=60.0).node("node27", state="idle", flags=("powered_down",))
    assert list(host_lost(cluster.build(), History())) == []


def test_many_lost_hosts_are_one_alert(build: Any) -> None:
    cluster = build()
    for number in range(1, 13):
        cluster.host(f"node{number:02d}", "lost", "no route to host", ago=60.0 * number)
    (alert,) = host_lost(cluster.build(), History())
    assert alert.sentence == "12 hosts unreachable, the longest for 12m (no route to host): node[01-12]"


def test_refusals_are_one_notice_a_reason(build: Any) -> None:
    """A site that lets people in only where they have a job refuses nearly everywhere: that is no trouble."""
    cluster = build()
    for number in range(1, 101):
        cluster.host(f"node{number:03d}", "refused", "no active job on this node", ago=60.0)
    (alert,) = host_refused(cluster.build(), History())
    assert alert.severity is Severity.NOTICE
    assert alert.sentence == "node[001-100] refuse us for 1m: no active job on this node"


def test_a_part_that_hangs_is_told_while_the_host_lives(build: Any) -> None:
    cluster = build().host("node03").gpu("node03").trouble("node03", "gpus", "did not answer within 5 s (hung)")
    (alert,) = sampler_silent(cluster.build(), History())
    assert alert.sentence == "node03: gpus did not answer within 5 s (hung); what is shown of it is old"
    fine = build().host("node03").trouble("node03", "gpus", "no NVIDIA driver: libnvidia-ml.so.1 not found")
    assert list(sampler_silent(fine.build(), History())) == [], "a host without GPUs is no trouble"
    lost = build().host("node03", "lost", "x").gpu("node03").trouble("node03", "gpus", "did not answer within 5 s")
    assert list(sampler_silent(lost.build(), History())) == [], "a host that is gone has an alert of its own"


def test_what_we_cost(build: Any) -> None:
    cluster = (
        build()
        .host("node01", agent_cpu_percent=0.9)
        .host("node02", agent_cpu_percent=1.6)
        .host("node03", agent_cpu_percent=9.0, ago=10.0)  # it has just begun
    )
    (alert,) = agent_cost(cluster.build(), History())
    assert alert.subject == ("host", ("node02",)) and alert.severity is Severity.NOTICE
    assert alert.sentence.startswith("node02: our agent takes 1.6 % of a core")


def test_a_shell_is_an_empty_argv_on_one_host(build: Any) -> None:
    fleet = build().host("n1").host("n2", "lost", "timed out").gpu("n1", 3).build()
    shell = ACTION["shell"]
    target = Subject("gpu", ("n1", "3"))
    plan = shell.plan(fleet, [target], {}, Situation())
    assert plan.local and plan.steps[0].host == "n1" and plan.steps[0].argv == ()
    assert plan.danger > Danger.READS  # a console that only looks opens no shell
    assert shell.guard(fleet, [target], Situation()) is None
    assert shell.guard(fleet, [Subject("host", ("n2",))], Situation()) == "n2 can't be reached: timed out"
    both = [target, Subject("host", ("n2",))]
    assert shell.guard(fleet, both, Situation()) == "a shell opens on one host: unmark the others"
    with pytest.raises(ValueError, match="exactly one host"):
        shell.plan(fleet, both, {}, Situation())
    assert shell.target is not None
    assert shell.target(fleet, "n1") == Subject("host", ("n1",)) and shell.target(fleet, "n9") is None
