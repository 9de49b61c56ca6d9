"""Rules on hosts: those that do not answer, and what we cost them."""

from __future__ import annotations

from collections.abc import Iterator

from mleconsole.api import Alert, Fleet, History, Host, Node, Rule, Severity, known
from mleconsole.api.tools import count, duration, fold_names, natural, short_name

MANY_LOST = 8  # more hosts than this that are lost for one reason are one trouble, told once
COST_PERCENT = 1.0  # of one core: what the agent aims to stay below
SETTLE_SECONDS = 60.0  # starting up costs more than running
#: Scheduler flags of nodes that are off on purpose.
ASLEEP = frozenset(("powered_down", "powering_down", "power_down", "powering_up", "power_up"))


def _asleep(fleet: Fleet, host: Host) -> bool:
    node = fleet.get(Node, (host.name,))
    return node is not None and not ASLEEP.isdisjoint(node.flags)


#: Seconds after which a lost host is an alert: a login connection that drops and comes back loses all for a moment.
GRACE = 5.0


def _scheduler(fleet: Fleet, host: Host) -> str:
    node = fleet.get(Node, (host.name,))
    return f", the scheduler says {'+'.join((node.state, *node.flags))}" if node is not None else ""


def host_lost(fleet: Fleet, history: History) -> Iterator[Alert]:
    """A host that can't be reached or does not answer any more, with for how long and what the scheduler says of it.

    Nodes that the scheduler has switched off to save power are left out; many that are lost for one reason are one
    alert, on the first of them.
    """
    by_reason: dict[str, list[Host]] = {}
    for host in fleet.of(Host):
        if host.state == "lost" and not _asleep(fleet, host) and fleet.now - host.since >= GRACE:
            by_reason.setdefault(host.reason, []).append(host)
    for reason, hosts in by_reason.items():
        hosts.sort(key=lambda host: natural(host.name))
        because = f" ({reason})" if reason else ""
        if len(hosts) > MANY_LOST:
            names = fold_names(host.name for host in hosts)
            longest = duration(max(fleet.now - host.since for host in hosts))
            sentence = f"{count(len(hosts), 'host')} unreachable, the longest for {longest}{because}: {names}"
            yield Alert(Severity.CRITICAL, hosts[0].subject, sentence, host=names)
            continue
        for host in hosts:
            yield Alert(
                Severity.CRITICAL,
                host.subject,
                f"{short_name(host.name)}: unreachable for {duration(fleet.now - host.since)}{because}"
                f"{_scheduler(fleet, host)}",
                since=host.since,
                host=host.name,
            )


def sampler_silent(fleet: Fleet, history: History) -> Iterator[Alert]:
    """A part of a host that answers no more (a hung driver, a file system that blocks) while the host itself lives."""
    for (name, probe), seen in fleet.all_seen().items():
        if seen.trouble is None or not seen.trouble.reason.startswith(("did not answer", "the sampler")):
            continue
        host = fleet.get(Host, (name,))
        if host is not None and host.state == "live":
            sentence = f"{short_name(name)}: {probe} {seen.trouble.reason}; what is shown of it is old"
            yield Alert(Severity.WARNING, host.subject, sentence, host=name)


def host_refused(fleet: Fleet, history: History) -> Iterator[Alert]:
    """Hosts that do not let us in: often the site's rule (pam_slurm_adopt wants a job there), so only a notice, one a
    reason."""
    by_reason: dict[str, list[Host]] = {}
    for host in fleet.of(Host):
        if host.state == "refused":
            by_reason.setdefault(host.reason, []).append(host)
    for reason, hosts in by_reason.items():
        hosts.sort(key=lambda host: natural(host.name))
        names = fold_names(short_name(host.name) for host in hosts)
        refuse = "refuses us" if len(hosts) == 1 else "refuse us"
        longest = duration(max(fleet.now - host.since for host in hosts))
        because = f": {reason}" if reason else ""
        yield Alert(
            Severity.NOTICE,
            hosts[0].subject,
            f"{names} {refuse} for {longest}{because}",
            since=min(host.since for host in hosts),
            host=names,
        )


def agent_cost(fleet: Fleet, history: History) -> Iterator[Alert]:
    """Our own agent takes more than 1 % of a core there."""
    for host in fleet.of(Host):
        cost = host.agent_cpu_percent
        if host.state != "live" or not known(cost) or fleet.now - host.since < SETTLE_SECONDS:
            continue
        if cost > COST_PERCENT:
            yield Alert(
                Severity.NOTICE,
                host.subject,
                f"{short_name(host.name)}: our agent takes {cost:.1f} % of a core; a longer `interval:` in "
                "cluster.yaml makes it cheaper",
                host=host.name,
            )


RULES = (
    Rule("host_lost", host_lost),
    Rule("host_refused", host_refused),
    Rule("sampler_silent", sampler_silent),
    Rule("agent_cost", agent_cost),
)
