"""The network pane: every port with state, rate and traffic, the odd one out marked; and the page of one port."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from mleconsole.api import (
    Absent,
    Chart,
    ChartLine,
    Column,
    Fact,
    Facts,
    Fleet,
    Focus,
    History,
    Host,
    Pane,
    Port,
    Section,
    Sections,
    Style,
    Subject,
    Table,
    Text,
    Tone,
    View,
)
from mleconsole.api.tools import ages, natural, recent, silence
from mleconsole_plugins.network import fleetwide
from mleconsole_plugins.network.fleetwide import Usual

STALE_AFTER = 35.0


class _Compared:
    """A port beside what is usual for its name."""

    def __init__(self, fleet: Fleet, history: History) -> None:
        self._usual: Mapping[str, Usual] = fleetwide.usual_of(fleet)
        self._history, self._now = history, fleet.now

    def state_tone(self, port: Port) -> Tone:
        return Tone.WARN if fleetwide.down(port, self._usual.get(port.name)) else Tone.PLAIN

    def rate_tone(self, port: Port) -> Tone:
        return Tone.WARN if fleetwide.slow(port, self._usual.get(port.name)) else Tone.PLAIN

    def errors_tone(self, port: Port) -> Tone:
        return Tone.WARN if fleetwide.rising(port, self.error_rate(port)) else Tone.PLAIN

    def error_rate(self, port: Port) -> float:
        return fleetwide.errors_per_second(port, self._history, self._now)

    def note(self, port: Port) -> str:
        if not port.name and isinstance(port.state, Absent):
            return port.state.reason
        usual = self._usual.get(port.name)
        said = []
        if fleetwide.down(port, usual):
            said.append("up on most hosts")
        if usual is not None and fleetwide.slow(port, usual):
            said.append(f"{usual.rate_gbps:g} Gb/s on most hosts")
        rate = self.error_rate(port)
        if fleetwide.rising(port, rate):
            said.append(f"{rate * 60:.0f} new errors a minute")
        return "; ".join(said)

    def note_tone(self, port: Port) -> Tone:
        return Tone.WARN if port.name else Tone.STALE


def network(fleet: Fleet, history: History, focus: Focus) -> Table:
    """Every port in use; hosts that tell none have a row with the reason."""
    rows: list[Port] = []
    slots = fleet.hosts(Port)
    hosts = {host.name: host for host in fleet.of(Host)}
    for name in sorted(set(slots).union(hosts), key=natural):
        if slot := slots.get(name):
            rows.extend(sorted(slot.values(), key=lambda port: natural(port.name)))
        elif (host := hosts.get(name)) is not None:
            rows.append(_silent(name, silence(fleet, host, "ports", "no network port is in use here", focus.epoch)))
    compared = _Compared(fleet, history)
    age_of = ages(fleet, Port)
    never = Absent("never answered")
    return Table(
        columns=(
            Column("node", "NODE", lambda port: port.host, priority=0),
            Column("port", "PORT", lambda port: port.name or port.state, priority=0),
            Column("state", "STATE", lambda port: port.state, priority=1, tone=compared.state_tone),
            Column(
                "rate_gbps", "RATE", lambda port: port.rate_gbps, Style.NUMBER, "Gb/s", priority=1,
                tone=compared.rate_tone,
            ),
            Column("rx_gbps", "RX", lambda port: port.rx_gbps, Style.NUMBER, "Gb/s", priority=2),
            Column("tx_gbps", "TX", lambda port: port.tx_gbps, Style.NUMBER, "Gb/s", priority=2),
            Column("errors", "ERRORS", lambda port: port.errors, Style.NUMBER, priority=3, tone=compared.errors_tone),
            Column("layer", "LAYER", lambda port: port.layer or None, priority=7),
            Column(
                "rx_history", "RX 10 min", lambda port: recent(history, Port, port.key, "rx_gbps"), Style.SPARK,
                width=12, priority=6, json=False,
            ),
            Column("note", "NOTE", compared.note, width=60, priority=2, tone=compared.note_tone, json=False),
        ),
        rows=rows,
        subject=lambda port: port.subject if port.name else Subject("host", (port.host,)),
        age=lambda port: age_of.get(port.host, never),
        stale_after=STALE_AFTER,
        title="Network",
        empty="No host is known yet. `r` asks again, `@` shows what was asked.",
    )  # fmt: skip


def _silent(host: str, reason: str) -> Port:
    absent = Absent(reason)
    return Port(
        name="",
        layer="",
        state=absent,
        rate_gbps=absent,
        rx_bytes=absent,
        tx_bytes=absent,
        errors=absent,
        rx_gbps=absent,
        tx_gbps=absent,
        host=host,
    )


def port(fleet: Fleet, history: History, focus: Focus) -> View:
    """One port: facts beside what is usual, traffic, errors."""
    subject = focus.subject
    found = fleet.get(Port, subject.key) if subject is not None else None
    if found is None:
        name = " ".join(subject.key) if subject is not None else ""
        return Text(f"Port {name} is not there any more. Esc goes back; `6` shows all.", title="Port")
    compared = _Compared(fleet, history)
    usual = fleetwide.usual_of(fleet).get(found.name)
    high = found.rate_gbps if isinstance(found.rate_gbps, (int, float)) else None
    number = partial(Fact, style=Style.NUMBER)
    no_majority = Absent("fewer than three hosts have this port, or they differ")
    told = [
        Fact("Node", found.host),
        Fact("Port", found.name),
        Fact("Layer", found.layer),
        Fact("State", found.state, tone=compared.state_tone(found)),
        number("Rate", found.rate_gbps, unit="Gb/s", tone=compared.rate_tone(found), id="rate_gbps"),
        number(
            "Rate of most hosts",
            usual.rate_gbps if usual is not None and usual.rate_gbps is not None else no_majority,
            unit="Gb/s",
            id="usual_rate_gbps",
        ),
        number("Received", found.rx_gbps, unit="Gb/s", id="rx_gbps"),
        number("Sent", found.tx_gbps, unit="Gb/s", id="tx_gbps"),
        Fact("Received in all", found.rx_bytes, Style.BYTES, id="rx_bytes"),
        Fact("Sent in all", found.tx_bytes, Style.BYTES, id="tx_bytes"),
        number("Errors in all", found.errors, tone=compared.errors_tone(found), id="errors"),
        Fact("Age", fleet.age(found), Style.DURATION, id="age_seconds"),
    ]
    if note := compared.note(found):
        told.insert(0, Fact("Note", note, tone=Tone.WARN))
    traffic = []
    for field, name in (("rx_gbps", "received"), ("tx_gbps", "sent")):
        series = history.series(Port, found.key, field)
        if len(series.times):
            traffic.append(ChartLine(name, series.times, series.values))
    errors = history.series(Port, found.key, "errors")
    counted = (ChartLine("errors", errors.times, errors.values),) if len(errors.times) else ()
    return Sections(
        (
            Section("facts", Facts(tuple(told), title="Facts", subject=found.subject), priority=0),
            Section(
                "traffic", Chart("Traffic", "Gb/s", tuple(traffic), 0.0, high), column=1, min_height=6, priority=1
            ),
            Section("errors", Chart("Errors in all", "", counted, None), column=1, min_height=6, priority=2),
        ),
        title=f"Port {found.name} of {found.host}",
    )  # fmt: skip


PANES = (
    Pane(
        id="network",
        title="Network",
        view=network,
        key="6",
        needs=("ports",),
        order=60,
        help="Ports with negotiated rate and traffic. A port unlike the same port of most hosts is marked.",
    ),
    Pane(
        id="port",
        title="Port",
        view=port,
        needs=("ports",),
        detail_of=("port",),
        order=61,
        help="One port: its rate beside the usual one, traffic and errors over the last ten minutes.",
    ),
)
