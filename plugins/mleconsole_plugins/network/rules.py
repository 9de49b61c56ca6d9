"""Rules on ports: down or slower than the same port of most hosts, and errors that rise."""

from __future__ import annotations

from collections.abc import Iterator

from mleconsole.api import Alert, Fleet, History, Port, Rule, Severity, known
from mleconsole.api.tools import count, short_name
from mleconsole_plugins.network import fleetwide


def _fresh(fleet: Fleet) -> Iterator[Port]:
    for host, slot in fleet.hosts(Port).items():
        if fleetwide.fresh_ports(fleet, host):
            yield from slot.values()


def _alert(port: Port, sentence: str, *evidence: str) -> Alert:
    return Alert(
        Severity.WARNING,
        port.subject,
        f"{short_name(port.host)} port {port.name}: {sentence}",
        evidence=evidence,
        host=port.host,
    )


def port_down(fleet: Fleet, history: History) -> Iterator[Alert]:
    """Down while the same port is up on more than half of at least three hosts (see `fleetwide.down`)."""
    usual = fleetwide.usual_of(fleet)
    for port in _fresh(fleet):
        expected = usual.get(port.name)
        if expected is not None and fleetwide.down(port, expected):
            yield _alert(port, f"{port.state} while it is up on most of {count(expected.hosts, 'host')}")


def port_slow(fleet: Fleet, history: History) -> Iterator[Alert]:
    """Up, but at a lower rate than more than half of at least three hosts (book, N16: negotiated rates differ)."""
    usual = fleetwide.usual_of(fleet)
    for port in _fresh(fleet):
        expected = usual.get(port.name)
        if expected is not None and fleetwide.slow(port, expected) and known(port.rate_gbps):
            yield _alert(
                port, f"{port.rate_gbps:g} Gb/s while most of {count(expected.hosts, 'host')} have "
                f"{expected.rate_gbps:g} Gb/s"
            )  # fmt: skip


def port_errors(fleet: Fleet, history: History) -> Iterator[Alert]:
    """Error counters that rise now (thresholds and their ground: `fleetwide.ERRORS_PER_SECOND`)."""
    grown = history.grown(Port, "errors", fleetwide.ERRORS_POINTS)
    for key, change in grown.items():
        port = fleet.on(Port, key[0]).get(key)
        if change <= 0 or port is None or not fleetwide.fresh_ports(fleet, port.host):
            continue
        rate = fleetwide.errors_per_second(port, history, fleet.now)
        if fleetwide.rising(port, rate):
            yield _alert(port, f"{rate * 60:.0f} new errors a minute", f"{port.errors} in all")


RULES = (Rule("port_down", port_down), Rule("port_slow", port_slow), Rule("port_errors", port_errors))
