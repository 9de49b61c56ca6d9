"""Reasons: why a job waits, in plain words, and what would help. Slurm's own word stays beside them."""

from __future__ import annotations

from typing import NamedTuple


class Why(NamedTuple):
    """`words` for the person; `helps` what to do, "" when only waiting does; `action`: it never starts by itself."""

    words: str
    helps: str = ""
    action: bool = False


_LIMIT = "wait until jobs that count against it end, or ask for less"

WHY: dict[str, Why] = {
    "Resources": Why(
        "is next in line and waits for nodes to become free", "a shorter --time lets it fill a gap sooner"
    ),
    "Priority": Why("others are ahead in the queue", "a shorter --time or fewer nodes lets it fill a gap sooner"),
    "Dependency": Why("waits for another job", ""),
    "DependencyNeverSatisfied": Why(
        "waits for a job that ended otherwise than it demands: it never starts",
        "cancel it, or: scontrol update jobid=JOB dependency=",
        True,
    ),
    "JobHeldUser": Why("was held by its owner", "scontrol release JOB", True),
    "JobHeldAdmin": Why("was held by an administrator", "ask them; only they can release it", True),
    "BeginTime": Why("may not start before its begin time", "scontrol update jobid=JOB starttime=now"),
    "JobArrayTaskLimit": Why("its array runs as many tasks at once as its %N allows"),
    "PartitionTimeLimit": Why(
        "asks for more time than its partition allows: it never starts",
        "scontrol update jobid=JOB timelimit=SHORTER",
        True,
    ),
    "PartitionNodeLimit": Why(
        "asks for more nodes than its partition has or allows: it never starts",
        "ask for fewer nodes, or another partition",
        True,
    ),
    "PartitionDown": Why("its partition is down", "another partition, or wait for the administrators", True),
    "PartitionInactive": Why(
        "its partition takes no jobs now", "another partition, or wait for the administrators", True
    ),
    "PartitionConfig": Why(
        "its partition does not allow what it asks for", "another partition, or another request", True
    ),
    "NodeDown": Why("a node that it demands is down", "drop that node from --nodelist", True),
    "ReqNodeNotAvail": Why(
        "a node that it demands is down, drained or reserved",
        "drop that node from --nodelist; look at the nodes pane and at: scontrol show reservation",
        True,
    ),
    "Nodes required for job are DOWN": Why(
        "nodes that it needs are down, drained or reserved for a higher partition",
        "wait until they are back; look at the nodes pane",
    ),
    "BadConstraints": Why(
        "no node can ever satisfy what it asks for", "change --constraint, --gres, --mem or --cpus", True
    ),
    "AccountNotAllowed": Why("its account may not use this partition", "another --account or --partition", True),
    "QOSNotAllowed": Why("its QOS may not be used in this partition", "another --qos or --partition", True),
    "InvalidAccount": Why("its account is not valid", "another --account", True),
    "InvalidQOS": Why("its QOS is not valid", "another --qos", True),
    "Reservation": Why("waits for its reservation to begin"),
    "ReservationDeleted": Why("its reservation was deleted", "scontrol update jobid=JOB reservation=", True),
    "Licenses": Why("waits for licences", "scontrol show licenses"),
    "Reboot": Why("its nodes are being rebooted"),
    "Prolog": Why("its nodes are being prepared"),
    "Cleaning": Why("is being cleaned up after its last run"),
    "MaxRequeue": Why("was started again too often", "find why it fails, then: scontrol release JOB", True),
    "JobLaunchFailure": Why("could not be launched", "look at its node, then: scontrol release JOB", True),
    "JobHoldMaxRequeue": Why("was started again too often", "find why it fails, then: scontrol release JOB", True),
    "launch_failed_requeued_held": Why(
        "could not be launched and was held", "look at its node, then: scontrol release JOB", True
    ),
    "job_requeued_in_held_state": Why("was requeued and held", "scontrol release JOB", True),
    "BurstBufferResources": Why("waits for burst buffer space"),
    "BurstBufferStageIn": Why("its data is being staged in"),
    "FrontEndDown": Why("no front end node is up", "tell the administrators", True),
    "FedJobLock": Why("another cluster of the federation decides about it"),
    "NonZeroExitCode": Why("its last run ended with an error"),
    "InactiveLimit": Why("was idle for too long"),
    "TimeLimit": Why("ran out of time"),
    "SchedDefer": Why("the scheduler starts it in its next round"),
    "DeadLine": Why("can't end before its deadline", "a shorter --time or a later --deadline", True),
    "QOSJobLimit": Why("its QOS has as many jobs as it may", _LIMIT),
    "QOSResourceLimit": Why("its QOS has as many resources as it may", _LIMIT),
    "QOSTimeLimit": Why("its QOS has used its time", _LIMIT),
    "AssociationJobLimit": Why("its account has as many jobs as it may", _LIMIT),
    "AssociationResourceLimit": Why("its account has as many resources as it may", _LIMIT),
    "AssociationTimeLimit": Why("its account has used its time", _LIMIT),
}

_WHO = {"Assoc": "its account", "QOS": "its QOS"}
_WHAT = (
    ("GRES", "GPUs"), ("Gres", "GPUs"), ("GpuLimit", "GPUs"), ("Cpu", "CPUs"), ("CPU", "CPUs"), ("Mem", "memory"),
    ("Node", "nodes"), ("Jobs", "jobs"), ("Submit", "submitted jobs"), ("Wall", "time"), ("Billing", "billing units"),
    ("Energy", "energy"), ("License", "licences"), ("BB", "burst buffer"),
)  # fmt: skip


def why(reason: str) -> Why:
    """The plain words of a reason; for one that is not known, Slurm's word itself."""
    word = reason.partition(",")[0].strip("() ")
    known = WHY.get(word)
    if known is not None:
        rest = reason.partition(",")[2].strip()
        if rest and word == "ReqNodeNotAvail":
            nodes = rest.partition(":")[2].strip(" )")
            return known._replace(words=f"{known.words}: {nodes}") if nodes else known
        return known
    return _limit(word) or Why(reason)


def _limit(word: str) -> Why | None:
    """AssocGrpGRES, QOSMaxGRESPerUser, AssocMaxJobsLimit, QOSMinGRES: whose limit, of what, and how it is counted."""
    who = next((name for prefix, name in _WHO.items() if word.startswith(prefix)), None)
    if who is None or not any(part in word for part in ("Grp", "Max", "Min")):
        return None
    what = next((name for part, name in _WHAT if part in word), "resources")
    if "Min" in word:
        return Why(f"asks for fewer {what} than {who} demands: it never starts", "ask for more, or another --qos", True)
    if word.endswith(("PerJob", "PerNode", "PerJobLimit")) or "MaxWall" in word:
        return Why(
            f"asks for more {what} than {who} allows a job: it never starts", "ask for less, or another --qos", True
        )
    if "RunMinutes" in word or word.endswith("Minutes") or "MinutesLimit" in word:
        return Why(f"{who} has used or booked all its {what} time", "wait for the budget, or another --account", True)
    whose = "you use" if "PerUser" in word else f"{who} uses"
    limit = "as you may" if "PerUser" in word else "as it may"
    return Why(f"{whose} as many {what} {limit}", _LIMIT, "Grp" in word and what == "GPUs")


def helps(reason: str, job_id: str, dependency: str = "") -> str:
    """What would help, with the job's own id in it; "" when only waiting does."""
    word = reason.partition(",")[0].strip("() ")
    if word == "Dependency" and dependency:
        return f"it waits for {dependency}"
    return why(reason).helps.replace("JOB", job_id)
