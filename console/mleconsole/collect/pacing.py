"""Pacing: how often a probe is asked, from who looks, who is away and what it costs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mleconsole.api import AgentProbe, CommandProbe

HIDDEN_PERIOD = 10.0  # seconds, while no visible pane needs the probe
IDLE_PERIOD = 30.0  # seconds, while nobody touches the console
SHARE = 0.05  # a command may keep its server busy for this part of the time at most
LONGEST = 60.0  # no back-off goes beyond a minute


@dataclass(frozen=True, slots=True)
class Pacing:
    """The present attention: which probes are needed, whether anybody is there, and set intervals."""

    needed: frozenset[str] = frozenset()
    idle: bool = False
    intervals: Mapping[str, float] = field(default_factory=dict)  # probe id -> seconds set by the person

    def period(self, probe: AgentProbe | CommandProbe) -> float:
        """Seconds between two askings of `probe`."""
        period = self.intervals.get(probe.id, probe.period)
        if self.idle:
            return max(period, IDLE_PERIOD)
        if probe.id in self.needed or probe.always:
            return period
        return max(period, HIDDEN_PERIOD)


def intervals(probes: Iterable[AgentProbe | CommandProbe], seconds: float) -> dict[str, float]:
    """{probe id: seconds} of the probes that follow the person's `interval`."""
    return {p.id: seconds for p in probes if isinstance(p, AgentProbe) and p.follows_interval}


def backed_off(period: float, seconds: float, failures: int) -> float:
    """The pause after a command that took `seconds`, `failures` of which came in a row.

    A slow server is asked so seldom that we keep it busy for 5 % of the time. One that fails is asked again after
    1, 2, 4, 5 s: a controller that is down takes its clients 8 s to say so, and what is repaired shows within 15 s.
    """
    if failures:
        return min(LONGEST, max(period, min(5.0, 2.0 ** (failures - 1))))
    return min(LONGEST, max(period, seconds / SHARE))
