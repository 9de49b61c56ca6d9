"""The hosts pane: every host, how it stands, how it is reached, and what we cost it."""

from __future__ import annotations

from mleconsole.api import Absent, Column, Fleet, Focus, History, Host, Machine, Pane, Style, Table, Tone
from mleconsole.api.tools import ages, count, natural
from mleconsole_plugins.host.rules import COST_PERCENT

NOT_LIVE_FIRST = {"lost": 0, "refused": 1, "signed_out": 2, "connecting": 3, "waiting": 4, "left_out": 5, "live": 6}
_TONES = {"lost": Tone.BAD, "connecting": Tone.QUIET, "waiting": Tone.QUIET, "left_out": Tone.QUIET}


def _state_tone(host: Host) -> Tone:
    return _TONES.get(host.state, Tone.PLAIN)


def hosts(fleet: Fleet, history: History, focus: Focus) -> Table:
    """Every known host, those that do not answer first."""
    rows = sorted(fleet.of(Host), key=lambda host: (NOT_LIVE_FIRST.get(host.state, 3), natural(host.name)))
    machines = fleet.hosts(Machine)
    heard = ages(fleet, Machine)
    never = Absent("never answered")

    def machine(field: str, host: Host) -> object:
        found = machines.get(host.name, {}).get((host.name,))
        return getattr(found, field) if found is not None else Absent(host.reason or "not told yet")

    def cost_tone(host: Host) -> Tone:
        cost = host.agent_cpu_percent
        return Tone.WARN if isinstance(cost, (int, float)) and cost > COST_PERCENT else Tone.PLAIN

    def age(host: Host) -> float | Absent:
        """A host that is not live is as old as the last word of its own; the collector's word on it is always new."""
        return 0.0 if host.state == "live" and host.name not in heard else heard.get(host.name, never)

    return Table(
        columns=(
            Column("host", "HOST", lambda host: host.name, priority=0),
            Column("state", "STATE", lambda host: host.state, priority=0, tone=_state_tone),
            Column("since_seconds", "FOR", lambda host: max(0.0, fleet.now - host.since), Style.DURATION, priority=2),
            Column("reach", "REACH", lambda host: host.reach or Absent(host.reason or "not reached"), priority=3),
            Column("agent", "AGENT", lambda host: host.agent or Absent(host.reason or "not started"), priority=6),
            Column(
                "agent_cpu_percent", "WE COST", lambda host: host.agent_cpu_percent, Style.NUMBER, "% of a core",
                priority=2, tone=cost_tone,
            ),
            Column("bytes_per_sample", "A SAMPLE", lambda host: host.bytes_per_sample, Style.BYTES, priority=5),
            Column("cpu_percent", "CPU", lambda host: machine("cpu_percent", host), Style.PERCENT, "%", priority=4),
            Column("load1", "LOAD", lambda host: machine("load1", host), Style.NUMBER, priority=6),
            Column("cores", "CORES", lambda host: machine("cores", host), Style.NUMBER, priority=8),
            Column("memory_used_mib", "MEM", lambda host: machine("memory_used_mib", host), Style.MIB, priority=5),
            Column("memory_total_mib", "OF", lambda host: machine("memory_total_mib", host), Style.MIB, priority=7),
            Column("reason", "WHY", lambda host: host.reason, priority=1),
        ),
        rows=rows,
        subject=lambda host: host.subject,
        age=age,
        stale_after=35.0,
        title="Hosts",
        empty="No host is known yet. `r` asks again, `@` shows what was asked.",
        notices=_notices(rows),
    )  # fmt: skip


def _notices(rows: list[Host]) -> tuple[str, ...]:
    """One sentence on what all agents cost together."""
    costs = [host.agent_cpu_percent for host in rows if isinstance(host.agent_cpu_percent, (int, float))]
    if not costs:
        return ()
    average = sum(costs) / len(costs)
    live = sum(1 for host in rows if host.state == "live")
    worst = f"at most {max(costs):.2f} %"
    return (f"{live} of {count(len(rows), 'host')} live; our agents take {average:.2f} % of a core each, {worst}",)


PANES = (
    Pane(
        id="hosts",
        title="Hosts",
        view=hosts,
        needs=("machine",),
        order=80,
        help="Every host: how it stands, how it is reached, and what we cost it.",
    ),
)
