"""Clock: what time it is on the cluster, from its own clock, so that a job's age is right whatever ours says."""

from __future__ import annotations

from mleconsole.api import CLUSTER, Absent, Fleet, Focus, Job, known
from mleconsole_plugins.slurm.kinds import SlurmClock

UNKNOWN = Absent("the cluster's clock is not known yet")


def cluster_now(fleet: Fleet, focus: Focus) -> float | Absent:
    """Epoch seconds on the cluster now; the console's own clock while the cluster's was not told."""
    clock = fleet.get(SlurmClock, ("clock",))
    if clock is not None:
        age = fleet.slot_age(SlurmClock, CLUSTER)
        if known(age):
            return clock.epoch + age
    return focus.epoch or UNKNOWN


def elapsed(job: Job, now: float | Absent) -> float | Absent:
    """Seconds since the job began."""
    if not known(job.start_time):
        return job.start_time
    return float(max(0, round(now - job.start_time))) if known(now) else now
