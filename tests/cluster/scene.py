"""The scene that is recorded: jobs in every state and for every reason, awkward names, nodes drained and down."""

from __future__ import annotations

import contextlib

from testbed import Cluster, WaitTimeout, wait_until
from testbed.layout import LOGIN

WORK = """
srun --overlap -n4 bash -c 'echo $(hostname) rank=$SLURM_PROCID; sleep 900' &
srun --overlap -N1 -n1 -J 'probe[/b]' sleep 900 &
wait
"""
NAMES = {
    "ugly": "x[/y][@click=app.quit]\x1b[31m",
    "separators": "a|b,c;d 'e' \"f\" \\n%s",
    "unit_separator": "left\x1fright",
    "unicode": "学习率-größe-🚀",
    "bidi": "safe\u202egnp.exe",
    "long": "n" * 300,
}
DRAIN = "Xid 79 [GPU 3] fell off the bus, see (a|b), 100%"
DOWN = "bad PSU: [rack 4]"


class Scene:
    """Sets the scene on a cluster of eight nodes and knows which job plays which part."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.jobs: dict[str, int] = {}
        self.names = dict(NAMES)
        self.nodes = {
            "busy": "node[01-04]",
            "drained": "node05",
            "down": "node06",
            "not_responding": "node07",
            "draining": "node08",
        }

    def play(self) -> None:
        """Submit, break, and wait until Slurm says so."""
        self._qos()
        self._ended()
        self._running()
        self._nodes()
        self._pending()
        self._settle()

    def seen(self) -> dict[str, str]:
        """State and reason of each part, as squeue has them now ("STATE reason"; ended jobs too)."""
        found = {}
        for part, job in self.jobs.items():
            argv = ["squeue", "-h", "-a", "-t", "all", "-j", str(job), "-o", "%T %r"]
            lines = self.cluster.run(LOGIN, argv, timeout=20).stdout.splitlines()
            found[part] = lines[0] if lines else ""
        return found

    def _submit(self, part: str, user: str, script: str, *argv: str, name: str | None = None) -> int:
        job = self.cluster.submit(user, script, *argv, f"--job-name={name or part}")
        self.jobs[part] = job
        return job

    def _root(self, *argv: str) -> None:
        self.cluster.host(LOGIN).check(*argv)

    def _qos(self) -> None:
        self._root("sacctmgr", "-i", "-Q", "add", "qos", "one", "set", "maxjobsperuser=1")
        for user in ("alice", "bob", "oper"):
            self._root("sacctmgr", "-i", "-Q", "modify", "user", user, "set", "qos+=one")
        self._root("sacctmgr", "-i", "-Q", "modify", "account", "infra", "set", "grptres=gres/gpu=6")

    def _ended(self) -> None:
        self._submit("completed", "alice", "srun hostname; srun true", "-N2")
        self._submit("failed", "alice", "srun true; exit 3")
        self._submit("timeout", "bob", "sleep 300", "-t", "1", "-w", "node08")
        cancelled = self._submit("cancelled", "alice", "sleep 300")
        self._submit("cancelled_by_root", "bob", "sleep 300")
        self._submit("node_fail", "bob", "sleep 900", "-w", "node07", "--no-requeue")
        self.cluster.wait_job(cancelled, "RUNNING")
        self.cluster.wait_job(self.jobs["cancelled_by_root"], "RUNNING")
        self.cluster.run(LOGIN, ["scancel", str(cancelled)], user="alice")
        self._root("scancel", str(self.jobs["cancelled_by_root"]))
        self.cluster.wait_job(self.jobs["failed"], "FAILED")

    def _running(self) -> None:
        train = ["-N4", "-w", "node[01-04]", "--ntasks-per-node=1", "--gres=gpu:8", "--cpus-per-task=8", "--mem=64G"]
        job = self._submit("running", "alice", WORK, *train, "--comment=epoch 3, lr=1e-4", name="train-llm")
        self.cluster.wait_job(job, "RUNNING")
        for part, name in NAMES.items():
            self._submit(part, "alice", "sleep 900", "-w", "node01", name=name)
        self._submit("array", "alice", "sleep 900", "--array=0-9%2", "-w", "node02")
        self._submit("array_held", "alice", "true", "--array=1-50:7%3", "--hold")
        self._submit("gpus_per_job", "bob", "sleep 900", "--gpus=4", "-w", "node08", "--exclusive=user")
        requeued = self._submit("requeued", "alice", "sleep 900", "-w", "node03", "--requeue")
        self.cluster.wait_job(requeued, "RUNNING")
        self._root("scontrol", "requeue", str(requeued))
        suspended = self._submit("suspended", "bob", "sleep 900", "-w", "node04")
        self.cluster.wait_job(suspended, "RUNNING")
        self._root("scontrol", "suspend", str(suspended))
        self._submit("qos_first", "oper", "sleep 900", "--qos=one", "-w", "node03")
        self._submit("qos_limit", "oper", "sleep 900", "--qos=one")
        self._submit("het", "bob", "sleep 900", "-n1", "--hold", ":", "-n2")

    def _nodes(self) -> None:
        self.cluster.wait_job(self.jobs["gpus_per_job"], "RUNNING")
        self.cluster.wait_job(self.jobs["node_fail"], "RUNNING")
        update = ["scontrol", "update"]
        self._root(*update, "nodename=node05", "state=drain", f"reason={DRAIN}")
        self.cluster.host("node06").service("stop", "slurmd")  # else it would return to service by itself
        self._root(*update, "nodename=node06", "state=down", f"reason={DOWN}")
        self._root(*update, "nodename=node08", "state=drain", "reason=kernel update")
        self._root(
            "scontrol", "create", "reservation", "reservationname=maint_1", "starttime=now+2days", "duration=120",
            "users=root", "nodes=node[01-02]", "flags=maint",
        )  # fmt: skip
        self.cluster.host("node07").kill()

    def _pending(self) -> None:
        running, failed = self.jobs["running"], self.jobs["failed"]
        self._submit("resources", "alice", "true", "-N4", "--gres=gpu:8", "-t", "2:00:00")
        self._submit("priority", "alice", "true", "-N4", "--gres=gpu:8", "-t", "2:00:00")
        self._submit("dependency", "alice", "true", f"--dependency=afterok:{running}")
        self._submit("never", "alice", "true", f"--dependency=afterok:{failed}", "--kill-on-invalid-dep=no")
        self._submit("held", "alice", "true", "--hold")
        held = self._submit("held_by_admin", "alice", "true", "--begin=now+1hour")
        self._root("scontrol", "hold", str(held))
        self._submit("begin_time", "alice", "true", "--begin=now+2days")
        self._submit("time_limit", "alice", "true", "-p", "short", "-t", "1:00:00")
        self._submit("node_unavailable", "alice", "true", "-w", "node06")
        self._submit("group_limit", "bob", "true", "--gres=gpu:4")
        self._submit("constraint_later", "alice", "true", "--exclusive", "-N4", "--begin=now+5days", "--nice=100")

    def _settle(self) -> None:
        """Wait for what takes Slurm time; a part that does not come true is recorded as it is (see "seen")."""
        wanted = {
            "running": "RUNNING None",
            "timeout": "TIMEOUT",
            "node_fail": "NODE_FAIL",
            "resources": "PENDING Resources",
            "priority": "PENDING Priority",
            "never": "PENDING DependencyNeverSatisfied",
            "node_unavailable": "PENDING ReqNodeNotAvail",
            "qos_limit": "PENDING QOSMaxJobsPerUserLimit",
            "group_limit": "PENDING Assoc",
        }
        for part, state in wanted.items():
            patience = 100 if part == "timeout" else 30
            with contextlib.suppress(WaitTimeout):
                wait_until(lambda p=part, s=state: self.seen()[p].startswith(s), patience, part, 1.0)  # type: ignore[misc]

        def accounted() -> bool:
            states = self.cluster.run(LOGIN, ["sacct", "-a", "-X", "-n", "-P", "-o", "state"], timeout=30).stdout
            return "TIMEOUT" in states and "NODE_FAIL" in states

        with contextlib.suppress(WaitTimeout):
            wait_until(accounted, 30, "accounting has the ended jobs", 1.0)
