"""Network: ports beside what is usual, in pane and rules."""

from __future__ import annotations

from typing import Any

from mleconsole.api import Absent, Focus, History, Port, Subject, Tone
from mleconsole_plugins.network.panes import network, port
from mleconsole_plugins.network.rules import RULES

RULE = {rule.id: rule.alerts for rule in RULES}


def fired(fleet: Any, history: History | None = None) -> dict[str, list[str]]:
    found = {id: [alert.sentence for alert in alerts(fleet, history or History())] for id, alerts in RULE.items()}
    return {id: sentences for id, sentences in found.items() if sentences}


def four(build: Any, **odd: Any) -> Any:
    """Four nodes with one port each; node03's is `odd`."""
    cluster = build()
    for number in range(1, 5):
        host = f"node{number:02d}"
        cluster.host(host).port(host, **(odd if number == 3 else {}))
    return cluster


def test_json_keys(build: Any, rows: Any) -> None:
    shown = rows(network(four(build).build(), History(), Focus()))
    assert list(shown[0])[:7] == ["node", "port", "state", "rate_gbps", "rx_gbps", "tx_gbps", "errors"]
    assert shown[0]["rx_gbps"] == 120.0 and [row["node"] for row in shown] == ["node01", "node02", "node03", "node04"]


def test_equal_ports_are_quiet(build: Any) -> None:
    assert fired(four(build).build()) == {}


def test_a_slow_port(build: Any, screen: Any) -> None:
    fleet = four(build, rate=100.0).build()
    assert fired(fleet) == {
        "port_slow": ["node03 port mlx5_0: 100 Gb/s while most of 4 hosts have 400 Gb/s"],
    }
    cells = screen(network(fleet, History(), Focus()))
    assert cells[2]["rate_gbps"] == (100.0, Tone.WARN) and cells[0]["rate_gbps"] == (400.0, Tone.PLAIN)
    assert cells[2]["note"][0] == "400 Gb/s on most hosts"


def test_a_port_that_is_down(build: Any, screen: Any) -> None:
    fleet = four(build, state="down", rate=Absent("not told by the driver")).build()
    assert fired(fleet) == {"port_down": ["node03 port mlx5_0: down while it is up on most of 4 hosts"]}
    assert screen(network(fleet, History(), Focus()))[2]["state"] == ("down", Tone.WARN)


def test_a_socket_that_nobody_uses_is_no_fault(build: Any) -> None:
    cluster = four(build)
    for number in range(1, 5):
        cluster.port(f"node{number:02d}", "eth1", "down", Absent("not told by the driver"), layer="ethernet")
    assert fired(cluster.build()) == {}


def test_two_hosts_are_no_majority(build: Any) -> None:
    cluster = build().host("a1").host("a2").port("a1").port("a2", rate=100.0)
    assert fired(cluster.build()) == {}


def test_a_faster_port_is_no_fault(build: Any) -> None:
    assert fired(four(build, rate=800.0).build()) == {}


def test_hosts_that_are_stale_do_not_vote(build: Any) -> None:
    cluster = four(build, state="down")
    cluster.build()
    assert fired(cluster.silent(300.0)) == {}


def test_rising_errors(build: Any, past: Any) -> None:
    history = past(Port, "errors")
    cluster = four(build, errors=1000)
    cluster.remember(history, 10)
    assert fired(cluster.build(), history) == {}  # old errors that do not rise
    for step in range(10):
        cluster.port("node03", errors=1000 + 4 * step)
        cluster.remember(history, 1)
    assert list(fired(cluster.fleet, history)) == ["port_errors"]
    (sentence,) = fired(cluster.fleet, history)["port_errors"]
    assert sentence.startswith("node03 port mlx5_0: ") and "new errors a minute" in sentence


def test_dropped_frames_of_ethernet_are_usual(build: Any, past: Any) -> None:
    history = past(Port, "errors")
    cluster = build().host("n1")
    for step in range(20):
        cluster.port("n1", "eth0", "up", 25.0, layer="ethernet", errors=10 * step)
        cluster.remember(history, 1)
    assert fired(cluster.fleet, history) == {}


def test_a_counter_that_began_anew_is_no_error(build: Any, past: Any) -> None:
    history = past(Port, "errors")
    cluster = four(build, errors=10**6)
    cluster.remember(history, 10)
    cluster.port("node03", errors=1)
    cluster.remember(history, 5)
    assert fired(cluster.fleet, history) == {}


def test_silent_hosts_have_a_row(build: Any, rows: Any, screen: Any) -> None:
    table = network(build().host("n1", "lost", "timed out").build(), History(), Focus())
    (row,) = rows(table)
    assert row["port"] == Absent("unreachable for 10m: timed out") and row["errors"] == row["port"]
    assert screen(table)[0]["note"] == ("unreachable for 10m: timed out", Tone.STALE)
    assert table.subject(table.rows[0]) == Subject("host", ("n1",))


def test_the_page_of_one_port(build: Any, past: Any) -> None:
    history = past(Port, "rx_gbps", "tx_gbps")
    cluster = four(build, rate=100.0)
    cluster.remember(history, 3)
    page = port(cluster.fleet, history, Focus(subject=Subject("port", ("node03", "mlx5_0"))))
    parts = {section.id: section.view for section in page.sections}
    facts = {fact.label: fact for fact in parts["facts"].facts}
    assert facts["Rate"].tone is Tone.WARN and facts["Rate of most hosts"].value == 400.0
    assert [line.name for line in parts["traffic"].lines] == ["received", "sent"]
    assert "not there any more" in port(cluster.fleet, history, Focus(subject=Subject("port", ("x", "y")))).text


def test_rising_errors_are_seen_through_gaps(build: Any, past: Any) -> None:
    """An idle console asks every 30 s: most points of history are gaps then."""
    history = past(Port, "errors")
    cluster = four(build)
    for step in range(6):
        cluster.port("node03", errors=10 * step)
        cluster.remember(history, 1)
        for _ in range(6):  # 24 s without an answer: the last of them are gaps
            history.remember(cluster.silent(4.0))
    assert list(fired(cluster.build(), history)) == ["port_errors"]


def test_growth_of_all_at_once_agrees_with_each_series(build: Any, past: Any) -> None:
    history = past(Port, "errors")
    cluster = build()
    for step in range(20):
        for number in range(step + 1):  # every tick one port more: columns of history grow
            cluster.port("n1", f"p{number}", errors=number * (step // 5))
        history.remember(cluster.build(4.0))
    expected = {}
    for number in range(20):
        key = ("n1", f"p{number}")
        points = [value for value in history.series(Port, key, "errors", 31).values if value == value]
        if 20 - len(points) < 8 and points[-1] != points[0]:  # nearer to the oldest point than what is bridged
            expected[key] = points[-1] - points[0]
    assert expected and history.grown(Port, "errors", 31) == expected
    assert history.grown(Port, "rx_gbps", 31) == {} and past(Port, "errors").grown(Port, "errors", 31) == {}
