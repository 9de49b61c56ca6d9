"""Reach: where sshd lets nobody in, a step of one's own running job gets to its nodes: srun --overlap.

Standard input and output pass byte for byte, the step sees all GPUs of the job on that node without asking for any, it
ends when its input ends, and it ends with its job.
"""

from __future__ import annotations

from mleconsole.api import Fleet, Job, Reach, Situation
from mleconsole_plugins.slurm.placement import jobs_by_node, raw_id


def own_job(fleet: Fleet, host: str, user: str) -> Job | None:
    """The user's running job on `host` that holds the most GPUs there, the older one of equals."""
    mine = [job for job in jobs_by_node(fleet).get(host, ()) if job.user == user and job.state == "RUNNING"]
    if not mine:
        return None

    def rank(job: Job) -> tuple[float, int]:
        gpus = job.gpus / max(1, job.nodes) if isinstance(job.gpus, int) else 0.0
        return (-gpus, int(raw_id(job)) if raw_id(job).isdigit() else 0)

    return min(mine, key=rank)


def usable(fleet: Fleet, host: str, situation: Situation) -> str | None:
    """Why srun can't get there now, or None."""
    if own_job(fleet, host, situation.user) is None:
        return f"no job of {situation.user or 'yours'} runs on {host}, and srun needs one"
    return None


def wrap(fleet: Fleet, host: str, situation: Situation, argv: tuple[str, ...]) -> tuple[str, ...]:
    """argv for the login host that runs `argv` on `host` inside the user's job."""
    job = own_job(fleet, host, situation.user)
    return (
        "srun",
        "--overlap",
        f"--jobid={raw_id(job) if job is not None else ''}",
        f"--nodelist={host}",
        "--nodes=1",
        "--ntasks=1",
        "--job-name=mleconsole",
        "--mpi=none",
        "--unbuffered",
        "--quiet",
        "--kill-on-bad-exit=1",
        "--",
        *argv,
    )  # fmt: skip


REACH = Reach(id="srun", title="a step of your own job (srun --overlap)", order=20, usable=usable, wrap=wrap)
