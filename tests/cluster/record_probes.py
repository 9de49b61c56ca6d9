"""Record what the console's own Slurm probes are answered: python tests/cluster/record_probes.py [SUITE...].

The scene of record.py on each Slurm version; the exact argv of every probe of the plugin, and the JSON of that moment
to check them against, go to tests/fixtures/slurm_probes/VERSION/ byte for byte.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from scene import Scene
from testbed import Cluster
from testbed.layout import LOGIN

from mleconsole.api import CommandProbe, Situation
from mleconsole_plugins.slurm import plugin

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "slurm_probes"
JSON = {
    "squeue.json": ("squeue", "--all", "--json"),
    "nodes.json": ("scontrol", "show", "nodes", "--json"),
    "sinfo.json": ("sinfo", "--all", "--json"),
}


def answer(cluster: Cluster, argv: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    """One argv as alice on the login host."""
    full = cluster.host(LOGIN).argv(list(argv), "alice", 60)
    return subprocess.run(full, stdin=subprocess.DEVNULL, capture_output=True, timeout=90, check=False)


def record(suite: str) -> Path:
    """Record one suite; the folder it was written to."""
    cluster = Cluster.up(nodes=8, suite=suite, name=f"prb-{suite[:6]}", fresh=True)
    try:
        version = ".".join(cluster.run(LOGIN, ["sinfo", "--version"]).stdout.split()[1].split(".")[:2])
        folder = FIXTURES / version
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        scene = Scene(cluster)
        scene.play()
        commands = {}
        probes = [probe for probe in plugin.probes if isinstance(probe, CommandProbe)]
        for name, argv in ({f"{p.id}.txt": p.argv(Situation(user="alice")) for p in probes} | JSON).items():
            done = answer(cluster, argv)
            (folder / name).write_bytes(done.stdout)
            commands[name] = {"argv": argv, "rc": done.returncode, "stderr": done.stderr.decode("utf-8", "replace")}
        with cluster.fault.slurmctld_down():
            for probe in probes:
                done = answer(cluster, probe.argv(Situation(user="alice")))
                commands[f"down:{probe.id}"] = {"rc": done.returncode, "stderr": done.stderr.decode("utf-8", "replace")}
        told = {
            "version": version,
            "jobs": scene.jobs,
            "names": scene.names,
            "nodes": scene.nodes,
            "commands": commands,
        }
        (folder / "manifest.json").write_text(json.dumps(told, indent=1, ensure_ascii=True) + "\n")
    finally:
        cluster.down()
    return folder


if __name__ == "__main__":
    for name in sys.argv[1:] or ["bookworm", "trixie", "sid"]:
        print(f"{name}: {record(name)}", flush=True)
