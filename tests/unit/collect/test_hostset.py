"""Which hosts get an agent: discovered, narrowed, or the login host alone; a scheduler that is down is waited for."""

from __future__ import annotations

from mleconsole.api import CLUSTER, LOGIN, Discovery, Fleet, Found, Node, Observation, Plugin, Situation
from mleconsole.collect.hostset import wanted_hosts
from mleconsole.config.schema import Config
from mleconsole.model.fleet import Arrival, fold
from mleconsole.plugin import Registry

PLUGIN = Plugin(
    "sched",
    "Scheduler",
    discoveries=(
        Discovery(
            "nodes",
            (Node,),
            lambda fleet: [Found(node.name) for node in fleet.of(Node)],
            mine=lambda fleet, user: [node.name for node in fleet.of(Node) if node.reason_user == user],
        ),
    ),
)
REGISTRY = Registry([PLUGIN])
ME = Situation(user="alice")


def fleet(*names: str) -> Fleet:
    nodes = [Node(name=name, state="idle", reason_user="alice" if name == "n2" else "bob") for name in names]
    return fold(Fleet(), [Arrival(CLUSTER, "nodes", 1.0, Observation({Node: {n.key: n for n in nodes}}))], 1.0)


def wanted(fleet: Fleet, nodes: str = "", troubles: dict[str, str] | None = None, answered: bool = True) -> object:
    return wanted_hosts(fleet, REGISTRY, Config("c", "a@b", nodes=nodes), ME, troubles or {"nodes": ""}, answered)


def test_all_that_is_discovered() -> None:
    assert wanted(fleet("n1", "n2")) == {"n1": "n1", "n2": "n2"}


def test_mine_and_a_nodeset() -> None:
    assert wanted(fleet("n1", "n2"), "mine") == {"n2": "n2"}
    assert wanted(fleet("n1"), "n[1-3]") == {"n1": "n1", "n2": "n2", "n3": "n3"}


def test_nothing_is_known_before_the_scheduler_answered_and_while_it_is_down() -> None:
    assert wanted(Fleet(), answered=False) is None
    assert wanted(Fleet(), troubles={"nodes": "Unable to contact slurm controller"}) is None


def test_without_a_scheduler_the_login_host_is_a_cluster_of_one() -> None:
    assert wanted(Fleet(), troubles={"nodes": "scontrol is not found on the login host"}) == {LOGIN: ""}
