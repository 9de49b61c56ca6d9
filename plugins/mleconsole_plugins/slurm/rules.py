"""Rules: what of Slurm a person should know: broken nodes under one's jobs, a controller that is silent, jobs that
never start by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mleconsole.api import CLUSTER, Alert, Fleet, History, Job, Node, Rule, Severity, Subject, known
from mleconsole_plugins.slurm.hostlist import fold
from mleconsole_plugins.slurm.kinds import SlurmClock
from mleconsole_plugins.slurm.placement import jobs_by_node
from mleconsole_plugins.slurm.reasons import helps, why
from mleconsole_plugins.slurm.states import PENDING_STATES, is_down, is_drained, state_text

SILENT_AFTER = 30.0  # seconds without an answer before it is an alert
MANY = 8  # nodes in one state become one alert


def asker(fleet: Fleet) -> str:
    """The account this console asks as, "" while it is not known."""
    clock = fleet.get(SlurmClock, ("clock",))
    return clock.user if clock is not None else ""


def nodes(fleet: Fleet, history: History) -> Iterator[Alert]:
    """Nodes that are down, drained or silent; critical with one's own jobs on them."""
    me = asker(fleet)
    placed = jobs_by_node(fleet)
    idle: dict[str, list[Node]] = {}
    for node in fleet.of(Node):
        down, drained = is_down(node.state, node.flags), is_drained(node.flags)
        if not down and not drained:
            continue
        mine = [job.job_id for job in placed.get(node.name, ()) if me and job.user == me]
        if mine:
            what = "is down" if down else "is drained"
            severity = Severity.CRITICAL if down else Severity.WARNING
            yield Alert(
                severity, node.subject, f"{node.name} {what}, and {_jobs(mine)} on it{_because(node)}", host=node.name
            )
        elif down:
            idle.setdefault("not_responding" if "not_responding" in node.flags else "down", []).append(node)
    for kind, found in idle.items():
        words = "does not answer Slurm" if kind == "not_responding" else "is down"
        if len(found) >= MANY:
            names = fold(node.name for node in found)
            yield Alert(
                Severity.WARNING,
                Subject("slurm", (kind,)),
                f"{len(found)} nodes: {'no answer to Slurm' if kind == 'not_responding' else 'down'}: {names}",
            )
            continue
        for node in found:
            state = state_text(node.state, node.flags)
            yield Alert(
                Severity.WARNING, node.subject, f"{node.name} {words} ({state}){_because(node)}", host=node.name
            )


def _because(node: Node) -> str:
    return f": {node.reason}" if known(node.reason) else ""


def _jobs(ids: list[str]) -> str:
    if len(ids) == 1:
        return f"your job {ids[0]} is"
    return f"{len(ids)} of your jobs are"


def controller(fleet: Fleet, history: History) -> Iterator[Alert]:
    """The scheduler's controller does not answer."""
    seen = fleet.seen(CLUSTER, "squeue")
    if seen is None or seen.trouble is None or "is not found on the login host" in seen.trouble.reason:
        return
    age = fleet.now - seen.at
    if age >= SILENT_AFTER or not fleet.count(Job):
        old = f"; jobs and nodes are shown as they were {int(age)} s ago" if fleet.count(Job) else ""
        yield Alert(Severity.CRITICAL, Subject("slurm", ("controller",)), f"Slurm does not answer: {seen.trouble}{old}")


def pending(fleet: Fleet, history: History) -> Iterable[Alert]:
    """One's own jobs that wait for somebody to do something."""
    me = asker(fleet)
    if not me:
        return
    for job in fleet.of(Job):
        if job.user != me or job.state not in PENDING_STATES or not job.reason:
            continue
        reason = why(job.reason)
        if reason.action and job.reason not in ("JobHeldUser", "job_requeued_in_held_state"):
            help = helps(job.reason, job.job_id, job.dependency)
            sentence = f"waits and {reason.words}" if reason.words.startswith(("was", "asks", "waits", "could")) else (
                f"waits: {reason.words}"
            )  # fmt: skip
            yield Alert(
                Severity.WARNING,
                job.subject,
                f"job {job.job_id} {sentence}{f' ({help})' if help else ''}",
                evidence=(f"Slurm's reason: {job.reason}",),
            )


RULES = (
    Rule("slurm_nodes", nodes),
    Rule("slurm_controller", controller),
    Rule("slurm_pending", pending),
)
