"""Inbox: gathers arrivals and, once per tick, folds them, derives, remembers, judges and publishes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from mleconsole.api import Alert, Derive, Host, Kind, Observation
from mleconsole.model.fleet import Arrival, Fleet, fold
from mleconsole.plugin import Registry
from mleconsole.store import Store

REACH = "reach"  # the probe id under which the collector writes Host records
HISTORY_EVERY = 4.0  # seconds; 150 points are ten minutes
RULES_EVERY = 1.0
SHARE = 0.02  # of a core's time: what all rules, or one join, may cost on a cluster so large that it shows
CHEAP = 0.01  # seconds of CPU that are never worth a pause
LONGEST = 5.0  # seconds; none is put off for longer


class Inbox:
    """Single-threaded: all methods run on the collector's loop."""

    def __init__(self, registry: Registry, store: Store, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._store = store
        self._clock = clock
        self._arrivals: list[Arrival] = []
        self._changed: set[Kind] = set()
        self._remembered = -1e9
        self._judged = -1e9
        self._judge_at = -1e9
        self._derive_at: dict[str, float] = {}
        self._derive_for: set[str] = set()  # joins whose needs changed since they were last made
        self._answers = 0  # (host, probe) pairs that ever answered, and how many of them the rules have seen
        self._answers_judged = 0
        self._since: dict[tuple[str, Any], float] = {}
        self.fleet = Fleet()
        self.on_arrival: Callable[[], None] = lambda: None

    def put(self, arrival: Arrival) -> None:
        self._arrivals.append(arrival)
        self.on_arrival()

    def put_host(self, host: Host) -> None:
        """The collector's own word about a host."""
        self.put(Arrival(host.name, REACH, self._clock(), Observation({Host: {host.key: host}})))

    def drop_host(self, name: str) -> None:
        """A host that no discovery finds any more: its slots become empty."""
        emptied: dict[Kind, Mapping[Any, Any]] = {
            kind: {} for kind in self.fleet.kinds() if name in self.fleet.hosts(kind)
        }
        if emptied:
            self.put(Arrival(name, REACH, self._clock(), Observation(emptied)))

    def tick(self) -> set[Kind]:
        """Fold what arrived and publish; the kinds that changed are returned."""
        now = self._clock()
        arrivals, self._arrivals = self._arrivals, []
        changed = {kind for a in arrivals if a.observation is not None for kind in a.observation.records}
        fleet = fold(self.fleet, arrivals, now)
        fleet = self._derive(fleet, changed, now)
        self.fleet = fleet
        self._answers = len(fleet.all_seen())
        if now - self._remembered >= HISTORY_EVERY:
            self._remembered = now
            self._store.history.remember(fleet)
        alerts: list[Alert] | None = None
        if now >= (self._judge_at if self.judged else self._judged + RULES_EVERY):
            began = time.thread_time()
            self._judged = now
            self._answers_judged = self._answers
            alerts = self._judge(fleet, now)
            self._judge_at = now + pause(RULES_EVERY, time.thread_time() - began)
        self._store.publish(fleet, alerts)
        return changed

    @property
    def judged(self) -> bool:
        """Whether the rules have seen every first answer there is so far."""
        return self._answers_judged == self._answers

    def _derive(self, fleet: Fleet, changed: set[Kind], now: float) -> Fleet:
        for plugin in tuple(self._registry.plugins.values()):
            for derive in plugin.derives:
                if changed.intersection(derive.needs):
                    self._derive_for.add(derive.id)
                due = now >= self._derive_at.get(derive.id, now) or len(fleet.all_seen()) > self._answers
                if derive.id not in self._derive_for or not due:
                    continue
                self._derive_for.discard(derive.id)
                began = time.thread_time()
                try:
                    fleet = fold(fleet, self._derived(derive, fleet, now), now)
                    self._derive_at[derive.id] = now + pause(0.0, time.thread_time() - began)
                except Exception as error:  # a plugin's join may raise anything; it must cost only itself
                    self._registry.disable(plugin.id, _off(plugin.id, derive.id, error))
                    break
        return fleet

    @staticmethod
    def _derived(derive: Derive, fleet: Fleet, now: float) -> list[Arrival]:
        by_host: dict[str, dict[Kind, Mapping[Any, Any]]] = {}
        for kind, slots in derive.derive(fleet).items():
            for host, before in fleet.hosts(kind).items():
                if before:
                    by_host.setdefault(host, {})[kind] = {}
            for host, slot in slots.items():
                by_host.setdefault(host, {})[kind] = slot
        return [Arrival(host, derive.id, now, Observation(records)) for host, records in by_host.items()]

    def _judge(self, fleet: Fleet, now: float) -> list[Alert]:
        alerts: list[Alert] = []
        standing: dict[tuple[str, Any], float] = {}
        for plugin in tuple(self._registry.plugins.values()):
            for rule in plugin.rules:
                try:
                    found = list(rule.alerts(fleet, self._store.history))
                except Exception as error:  # as above: a rule that raises disables its plugin
                    self._registry.disable(plugin.id, _off(plugin.id, rule.id, error))
                    break
                for alert in found:
                    key = (rule.id, alert.subject)
                    standing[key] = alert.since or self._since.get(key, now)
                    alerts.append(alert._replace(rule=rule.id, since=standing[key]))
        self._since = standing
        return sorted(alerts, key=lambda alert: (-alert.severity, alert.since, alert.subject))


def pause(least: float, cost: float) -> float:
    """Seconds until something that took `cost` seconds of CPU may be done again: it gets its SHARE of the time."""
    return max(least, min(LONGEST, cost / SHARE)) if cost > CHEAP else least


def _off(plugin: str, part: str, error: Exception) -> str:
    return f"plugin {plugin} is off: its {part} raised {type(error).__name__}: {' '.join(str(error).split())}"
