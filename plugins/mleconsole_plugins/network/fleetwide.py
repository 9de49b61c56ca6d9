"""What is usual: the state and rate that most hosts have for a port of the same name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from mleconsole.api import Fleet, History, Port, known
from mleconsole.api.tools import FRESH_SECONDS, known_points, majority

UP = frozenset(("up", "active"))
ERRORS_WINDOW = 120.0  # seconds
ERRORS_POINTS = 31  # of history, which has one every 4 s
#: Errors a second from which a port is told. InfiniBand allows about ten symbol errors an hour (bit error rate 1e-12
#: and the specification's port counters), so that a few in two minutes are too many; Ethernet counts frames that it
#: drops for want of a listener as well.
ERRORS_PER_SECOND = {"infiniband": 5 / ERRORS_WINDOW, "ethernet": 100.0}


class Usual(NamedTuple):
    """What more than half of the hosts with that port have; None where there is no such majority."""

    up: bool | None
    rate_gbps: float | None
    hosts: int


def is_up(port: Port) -> bool | None:
    return port.state.lower() in UP if known(port.state) else None


def fresh_ports(fleet: Fleet, host: str) -> bool:
    age = fleet.slot_age(Port, host)
    return known(age) and age <= FRESH_SECONDS


@lru_cache(maxsize=2)  # the same snapshot is asked by two rules and by the pane
def usual_of(fleet: Fleet) -> Mapping[str, Usual]:
    """{port name: what is usual}, over hosts that answer."""
    named: dict[str, list[Port]] = {}
    for host, slot in fleet.hosts(Port).items():
        if fresh_ports(fleet, host):
            for port in slot.values():
                named.setdefault(port.name, []).append(port)
    found = {}
    for name, ports in named.items():
        states = majority("up" if up else "down" for up in map(is_up, ports) if up is not None)
        rates = majority(port.rate_gbps for port in ports if known(port.rate_gbps) and is_up(port))
        found[name] = Usual(
            None if states is None else states == "up", rates if isinstance(rates, float) else None, len(ports)
        )
    return found


def down(port: Port, usual: Usual | None) -> bool:
    """Down although the same port of most hosts is up. A socket that nobody uses anywhere is no fault."""
    return is_up(port) is False and usual is not None and usual.up is True


def slow(port: Port, usual: Usual | None) -> bool:
    """Up at less than the rate of most hosts."""
    return (
        usual is not None
        and usual.rate_gbps is not None
        and known(port.rate_gbps)
        and is_up(port) is not False
        and port.rate_gbps < 0.99 * usual.rate_gbps
    )


def errors_per_second(port: Port, history: History, now: float) -> float:
    """New errors a second over the last two minutes; 0 with fewer than three samples or after a restart."""
    points = known_points(history.series(Port, port.key, "errors", ERRORS_POINTS), ERRORS_WINDOW, now)
    if len(points) < 3:
        return 0.0
    (begin, before), (end, after) = points[0], points[-1]
    return max(0.0, after - before) / (end - begin) if end > begin else 0.0


def rising(port: Port, rate: float) -> bool:
    """Whether that many new errors a second are too many for this kind of port."""
    return rate >= ERRORS_PER_SECOND.get(port.layer, 1.0)
