"""Record what each Slurm version really prints: python tests/cluster/record.py [SUITE...].

For each suite a cluster is stood up, filled with a scene of awkward jobs and broken nodes (scene.py), and every
command the console reads is run in it. Output goes to tests/fixtures/slurm/VERSION/, byte for byte, with a manifest
of argv, exit codes and the scene. Nothing is edited afterwards: what is in there came from the real thing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from scene import Scene
from testbed import Cluster
from testbed.layout import LOGIN

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "slurm"
SEPARATOR = "\x1f"
SQUEUE_FIELDS = [
    "%i",
    "%A",
    "%F",
    "%K",
    "%u",
    "%U",
    "%a",
    "%g",
    "%T",
    "%t",
    "%P",
    "%j",
    "%q",
    "%S",
    "%V",
    "%e",
    "%l",
    "%D",
    "%C",
    "%m",
    "%b",
    "%N",
    "%n",
    "%Y",
    "%x",
    "%B",
    "%r",
    "%R",
    "%E",
    "%Q",
    "%p",
    "%y",
    "%f",
    "%v",
    "%k",
    "%o",
    "%Z",
    "%w",
    "%H",
    "%L",
    "%M",
]
SQUEUE_LONG = [
    "JobID",
    "JobArrayID",
    "ArrayJobID",
    "ArrayTaskID",
    "HetJobID",
    "HetJobOffset",
    "UserName",
    "State",
    "Name",
    "tres-alloc",
    "tres-per-node",
    "tres-per-job",
    "tres-per-task",
    "tres-per-socket",
    "NumNodes",
    "NumCPUs",
    "RestartCnt",
    "Requeue",
    "Reason",
    "Dependency",
    "SubmitTime",
    "StartTime",
    "EligibleTime",
    "TimeLimit",
    "NodeList",
    "STDOUT",
    "STDERR",
    "WorkDir",
    "Command",
    "Comment",
]
SINFO_FIELDS = [
    "%N",
    "%T",
    "%t",
    "%P",
    "%a",
    "%l",
    "%C",
    "%c",
    "%m",
    "%e",
    "%O",
    "%G",
    "%f",
    "%E",
    "%H",
    "%u",
    "%U",
    "%D",
    "%X",
    "%Y",
    "%Z",
    "%w",
    "%d",
    "%L",
]
SINFO_LONG = [
    "NodeList",
    "NodeHost",
    "StateLong",
    "StateComplete",
    "Gres",
    "GresUsed",
    "CPUsState",
    "Memory",
    "AllocMem",
    "FreeMem",
    "CPUsLoad",
    "Reason",
    "Partition",
]
SACCT_FIELDS = (
    "JobID,JobIDRaw,JobName,User,Account,Partition,QOS,State,ExitCode,DerivedExitCode,Submit,Eligible,Start,End,Elapsed,"
    "ElapsedRaw,Timelimit,NNodes,NCPUS,NTasks,ReqTRES,AllocTRES,NodeList,MaxRSS,AveRSS,AveCPU,Priority,Comment,WorkDir,Reason"
)
ASSOC = "format=cluster,account,user,partition,qos,grptres"
QOS = "format=name,priority,maxjobspu,maxtrespu,grptres,flags"
STEP_FIELDS = ["%i", "%j", "%N", "%A", "%S", "%u", "%P", "%l"]


def long_fields(names: Sequence[str]) -> str:
    """-O pads to a width and cuts there: give it room."""
    return ",".join(f"{name}:200" for name in names)


class Recorder:
    """Runs commands in one cluster and keeps what they answered."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        self.commands: list[dict[str, Any]] = []

    def record(self, file: str, *argv: str, user: str = "alice", host: str = LOGIN, timeout: float = 60) -> int:
        """Run argv and keep stdout in file, stderr beside it; the exit code."""
        full = self.cluster.host(host).argv(argv, user, timeout)
        done = subprocess.run(full, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout + 10, check=False)
        entry: dict[str, Any] = {"file": file, "argv": list(argv), "user": user, "host": host, "rc": done.returncode}
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(done.stdout)
        if done.stderr:
            entry["stderr"] = f"{file}.stderr"
            (self.folder / entry["stderr"]).write_bytes(done.stderr)
        self.commands.append(entry)
        return done.returncode

    def reads(self, scene: Scene) -> None:
        """What the console polls or looks up."""
        separated = SEPARATOR.join
        train, array = str(scene.jobs["running"]), str(scene.jobs["array"])
        self.record("version.txt", "sinfo", "--version")
        queue = ["squeue", "--noheader", "--all"]
        self.record("squeue.txt", *queue, "--array", f"--format={separated(SQUEUE_FIELDS)}")
        self.record("squeue_arrays_folded.txt", *queue, f"--format={separated(SQUEUE_FIELDS)}")
        self.record("squeue_all_states.txt", *queue, "--array", "--states=all", f"--format={separated(SQUEUE_FIELDS)}")
        self.record("squeue_long.txt", "squeue", "--all", "--array", "-O", long_fields(SQUEUE_LONG))
        self.record("squeue_steps.txt", *queue, "--steps", f"--format={separated(STEP_FIELDS)}")
        self.record("squeue_start.txt", "squeue", "--all", "--start")
        self.record("squeue_plain.txt", "squeue")
        self.record("squeue.json", "squeue", "--all", "--json")
        self.record("sinfo.txt", "sinfo")
        self.record("sinfo_summary.txt", "sinfo", "--summarize")
        self.record("sinfo_nodes.txt", "sinfo", "--noheader", "--Node", f"--format={separated(SINFO_FIELDS)}")
        self.record("sinfo_nodes_long.txt", "sinfo", "--Node", "-O", long_fields(SINFO_LONG))
        self.record("sinfo_reasons.txt", "sinfo", "-R")
        reasons = f"--format={separated(['%n', '%N', '%T', '%E', '%H', '%u'])}"
        self.record("sinfo_reasons_fields.txt", "sinfo", "--noheader", "-R", reasons)
        self.record("sinfo.json", "sinfo", "--json")
        for what in ("nodes", "partitions", "config", "reservations", "licenses"):
            self.record(f"scontrol_show_{what}.txt", "scontrol", "show", what)
            if what != "config":
                self.record(f"scontrol_show_{what}_oneliner.txt", "scontrol", "show", what, "--oneliner")
                self.record(f"scontrol_show_{what}.json", "scontrol", "show", what, "--json")
        self.record("scontrol_show_jobs_oneliner.txt", "scontrol", "show", "job", "-d", "--oneliner")
        self.record("scontrol_show_job.txt", "scontrol", "show", "job", "-d", train)
        self.record("scontrol_show_job_oneliner.txt", "scontrol", "show", "job", "-d", "--oneliner", train)
        self.record("scontrol_show_job.json", "scontrol", "show", "job", train, "--json")
        self.record("scontrol_show_job_array.txt", "scontrol", "show", "job", "-d", array)
        self.record("scontrol_show_step.txt", "scontrol", "show", "step", train)
        self.record("scontrol_show_hostnames.txt", "scontrol", "show", "hostnames", "node[01-03,07],login")
        self.record("scontrol_ping.txt", "scontrol", "ping")
        self.record("scontrol_ping.json", "scontrol", "ping", "--json")
        self.record("scontrol_listpids.txt", "scontrol", "listpids", host="node01")
        self.record("scontrol_listpids_root.txt", "scontrol", "listpids", user="root", host="node01")
        self.record("scontrol_listpids_job.txt", "scontrol", "listpids", train, host="node01")
        self.record(
            "sstat.txt", "sstat", "--allsteps", "-P", "-o", "JobID,NTasks,MaxRSS,AveRSS,AveCPU,Nodelist", "-j", train
        )
        since = ["--allusers", "--starttime=now-1days"]
        self.record("sacct.txt", "sacct", *since, "-P", "-X", f"--format={SACCT_FIELDS}")
        self.record("sacct_steps.txt", "sacct", *since, "-P", f"--format={SACCT_FIELDS}")
        self.record(
            "sacct_delimiter.txt", "sacct", *since, "-P", "-X", f"--delimiter={SEPARATOR}", f"--format={SACCT_FIELDS}"
        )
        self.record("sacct.json", "sacct", *since, "--json")
        self.record("sshare.txt", "sshare", "--all", "-P")
        self.record("sshare.json", "sshare", "--all", "--json")
        self.record("sprio.txt", "sprio", "--long")
        self.record("sprio.json", "sprio", "--json")
        self.record("sdiag.txt", "sdiag")
        self.record("sdiag.json", "sdiag", "--json")
        self.record(
            "sacctmgr_assoc.txt",
            "sacctmgr",
            "-n",
            "-P",
            "show",
            "assoc",
            ASSOC,
        )
        self.record(
            "sacctmgr_qos.txt",
            "sacctmgr",
            "-n",
            "-P",
            "show",
            "qos",
            QOS,
        )
        self.record("sacctmgr_user.txt", "sacctmgr", "-n", "-P", "show", "user", "format=user,admin,defaultaccount")
        self.record("sacctmgr_assoc.json", "sacctmgr", "show", "assoc", "--json")

    def refusals(self, scene: Scene) -> None:
        """What is said to somebody who may not, and about what is not there."""
        train, held = str(scene.jobs["running"]), str(scene.jobs["held"])
        node = "nodename=node01"
        for user in ("bob", "oper", "alice"):
            self.record(f"errors/drain_{user}.txt", "scontrol", "update", node, "state=drain", "reason=x", user=user)
        self.record("errors/scancel_bob.txt", "scancel", train, user="bob")
        self.record("errors/scancel_verbose_bob.txt", "scancel", "-v", train, user="bob")
        self.record("errors/hold_bob.txt", "scontrol", "hold", train, user="bob")
        self.record("errors/requeue_bob.txt", "scontrol", "requeue", train, user="bob")
        self.record("errors/timelimit_bob.txt", "scontrol", "update", f"jobid={train}", "timelimit=5", user="bob")
        self.record("errors/timelimit_raise_alice.txt", "scontrol", "update", f"jobid={train}", "timelimit=6-00:00:00")
        self.record("errors/requeue_pending.txt", "scontrol", "requeue", held)
        self.record("errors/attach_bob.txt", "srun", "--overlap", f"--jobid={train}", "-N1", "-n1", "true", user="bob")
        self.record("errors/scancel_unknown.txt", "scancel", "999999")
        self.record("errors/squeue_unknown.txt", "squeue", "-j", "999999")
        self.record("errors/show_job_unknown.txt", "scontrol", "show", "job", "999999")
        self.record("errors/show_node_unknown.txt", "scontrol", "show", "node", "node99")
        self.record("errors/listpids_unknown.txt", "scontrol", "listpids", "999999", host="node01")
        self.record("errors/attach_unknown.txt", "srun", "--overlap", "--jobid=999999", "true")
        self.record("errors/sbatch_partition.txt", "sbatch", "-p", "nonsense", "--wrap=true")
        self.record("errors/sbatch_too_many_gpus.txt", "sbatch", "--gres=gpu:9", "--wrap=true")
        self.record("errors/sbatch_account.txt", "sbatch", "-A", "infra", "--wrap=true")
        self.record("errors/bad_option.txt", "squeue", "--nonsense")

    def outages(self) -> None:
        """What is said while slurmdbd or slurmctld is away."""
        fault = self.cluster.fault
        with fault.slurmdbd_down():
            self.record("errors/slurmdbd_down_sacct.txt", "sacct", "-X", "-P")
            self.record("errors/slurmdbd_down_sacctmgr.txt", "sacctmgr", "-n", "-P", "show", "user")
            self.record("errors/slurmdbd_down_squeue.txt", "squeue", "-h")
        with fault.slurmctld_down():
            for name in ("squeue", "sinfo", "sdiag"):
                self.record(f"errors/slurmctld_down_{name}.txt", name, timeout=90)
            self.record("errors/slurmctld_down_ping.txt", "scontrol", "ping", timeout=90)
            self.record("errors/slurmctld_down_scancel.txt", "scancel", "1", timeout=90)
            self.record("errors/slurmctld_down_show_job.txt", "scontrol", "show", "job", "1", timeout=90)
            self.record("errors/slurmctld_down_sbatch.txt", "sbatch", "--wrap=true", timeout=90)

    def manifest(self, suite: str, version: str, scene: Scene, seen: dict[str, str]) -> None:
        """Say what was recorded, with which exit codes, and what the cluster was like."""
        content = {
            "version": version,
            "debian": suite,
            "nodes": self.cluster.layout.nodes,
            "gpus_per_node": self.cluster.layout.gpus,
            "jobs": scene.jobs,
            "job_names": scene.names,
            "node_roles": scene.nodes,
            "seen": seen,
            "separator": SEPARATOR,
            "squeue_fields": SQUEUE_FIELDS,
            "squeue_step_fields": STEP_FIELDS,
            "sinfo_fields": SINFO_FIELDS,
            "sacct_fields": SACCT_FIELDS.split(","),
            "commands": self.commands,
        }
        (self.folder / "manifest.json").write_text(json.dumps(content, indent=1, ensure_ascii=True) + "\n")


def record(suite: str) -> Path:
    """Record one suite; the folder it was written to. An older recording of that version is replaced when complete."""
    cluster = Cluster.up(nodes=8, suite=suite, name=f"rec-{suite[:6]}", fresh=True)
    try:
        version = cluster.run(LOGIN, ["sinfo", "--version"]).stdout.split()[1]
        short = ".".join(version.split(".")[:2])
        folder = FIXTURES / f".new-{short}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        scene = Scene(cluster)
        scene.play()
        recorder = Recorder(cluster, folder)
        recorder.reads(scene)
        recorder.refusals(scene)
        seen = scene.seen()
        recorder.outages()
        recorder.manifest(suite, version, scene, seen)
    finally:
        cluster.down()
    final = FIXTURES / short
    shutil.rmtree(final, ignore_errors=True)
    folder.rename(final)
    return final


def main() -> None:
    """Record the suites named, or all three."""
    for suite in sys.argv[1:] or ["bookworm", "trixie", "sid"]:
        print(f"{suite}: {record(suite)}")


if __name__ == "__main__":
    main()
