"""The cluster: stands it up, takes it down, and is what tests talk to."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from testbed import network, registry, rootfs, settings
from testbed.gpus import Gpus, Value
from testbed.host import Host, Process
from testbed.layout import DEFAULT_NAME, LOGIN, Layout
from testbed.polling import wait_until
from testbed.shell import TestbedError, need_tools, sh

if TYPE_CHECKING:
    from testbed.faults import Faults
    from testbed.signin import SignIn

TOOLS = ("ip", "nsenter", "unshare", "mount", "ssh", "ssh-keygen", "ethtool")
PASSPHRASE = "correct horse battery staple"


class Cluster:
    """One login host and its nodes. Get one with Cluster.up or Cluster.attach."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    # ---- standing up and down ----------------------------------------------------------------------------

    @classmethod
    def up(
        cls,
        nodes: int = 4,
        suite: str = "bookworm",
        name: str = DEFAULT_NAME,
        gpus: int = 8,
        db: bool = True,
        torch: bool = False,
        login_max_startups: str | None = None,
        owner: int | None = None,
        fresh: bool = False,
        timeout: float = 90,
    ) -> Cluster:
        """Stand a cluster up and wait until Slurm calls every node idle.

        A healthy one of that name is returned as it is, unless fresh; any other is taken down first. Owner is the pid
        of the process it belongs to: another process then cannot take it down by accident while that one lives.
        """
        need_root()
        need_tools(TOOLS)
        base, library = rootfs.ensure(suite, torch), rootfs.nvml_library()
        with registry.locked():
            record = registry.read(name)
            if record and not fresh and record["run"] == str(Layout(name, 0).run):
                found = cls(Layout(**record["layout"]))
                if found.healthy():
                    return found
            down_locked(name, owner)
            layout = Layout(name, registry.free_number(), nodes, gpus, suite, db, torch, login_max_startups)
            cluster = cls(layout)
            record = {"layout": layout.as_dict(), "run": str(layout.run), "owner": owner}
            registry.write(name, {**record, "rootfs": str(base), "nvml": str(library)})
            try:
                cluster._start(base, library, timeout)
            except BaseException:
                if not os.environ.get("MLECONSOLE_TESTBED_KEEP"):
                    down_locked(name, owner)
                raise
        return cluster

    @classmethod
    def attach(cls, name: str = DEFAULT_NAME) -> Cluster:
        """The cluster of that name that is already up."""
        record = registry.read(name)
        if record is None:
            raise TestbedError(f"cluster {name} is not up")
        return cls(Layout(**record["layout"]))

    def down(self) -> None:
        """Take the cluster down; nothing of it stays."""
        with registry.locked():
            down_locked(self.layout.name, os.getpid())

    def healthy(self) -> bool:
        """Whether every host is on and Slurm sees every node in working order."""
        try:
            return all(self.host(name).pid for name in self.layout.hosts) and self.working_nodes() == self.layout.nodes
        except (TestbedError, subprocess.TimeoutExpired, OSError):
            return False

    def _start(self, base: Path, library: Path, timeout: float) -> None:
        layout = self.layout
        layout.run.mkdir(parents=True, exist_ok=True)
        sh("mount", "-t", "tmpfs", "-o", "size=8g,mode=755", "testbed", str(layout.run))
        network.up(layout)
        settings.prepare(layout)
        for host in layout.hosts:
            self.host(host).start(base, library)
        deadline = time.monotonic() + timeout
        login = self.host(LOGIN)
        ready = ["test", "-e", "/run/testbed/ready"]
        wait_until(lambda: login.run(ready).returncode == 0, timeout, "the login host is ready")
        self.wait_nodes(timeout=max(5.0, deadline - time.monotonic()))

    def working_nodes(self) -> int:
        """How many nodes Slurm would start jobs on, or has them on."""
        argv = ["sinfo", "-h", "-N", "-p", "gpu", "-t", "idle,alloc,mix,comp", "-o", "%N %t"]
        done = self.run(LOGIN, argv, timeout=8)
        return sum(1 for line in done.stdout.splitlines() if not line.endswith("*"))

    def wait_nodes(self, count: int | None = None, timeout: float = 60) -> None:
        """Wait until Slurm has that many nodes (all, unless said) in working order."""
        wanted = self.layout.nodes if count is None else count
        wait_until(lambda: self.working_nodes() == wanted, timeout, f"{wanted} nodes work", interval=0.2)

    # ---- hosts -------------------------------------------------------------------------------------------

    def host(self, name: str) -> Host:
        """One host of the cluster."""
        return Host(self.layout, name)

    def start_host(self, name: str) -> None:
        """Switch a host on that was cut off."""
        record = registry.read(self.layout.name)
        if record is None:
            raise TestbedError(f"cluster {self.layout.name} is not up")
        self.host(name).start(Path(record["rootfs"]), Path(record["nvml"]))

    def run(
        self, host: str, argv: Sequence[str], user: str = "root", timeout: float = 30, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run argv in a host as a user, not over ssh."""
        return self.host(host).run(argv, user, timeout, input)

    def ssh(
        self, host: str, command: str, user: str = "alice", timeout: float = 30
    ) -> subprocess.CompletedProcess[str]:
        """Run a command over the machine's own ssh client: login directly, a node through login."""
        argv = [
            "ssh",
            "-F",
            str(self.layout.run / f"ssh_config-{user}"),
            "-o",
            "BatchMode=yes",
            "-o",
            "ConnectTimeout=5",
        ]
        if host != LOGIN:  # ProxyJump's inner ssh would not take the -o options above
            argv += ["-o", f"ProxyCommand={' '.join(argv)} -W %h:%p {LOGIN}"]
        return subprocess.run(
            [*argv, host, command],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def processes(self, host: str) -> list[Process]:
        """Every process on a host, as (pid, user, command)."""
        return self.host(host).processes()

    def login_connections(self, user: str = "alice") -> int:
        """How many ssh connections of a user the login host carries."""
        return len(self.session_processes(LOGIN, user))

    def session_processes(self, host: str, user: str) -> list[Process]:
        """The sshd process of each of a user's connections to a host."""
        starts = (f"sshd: {user}", f"sshd-session: {user}")
        return [found for found in self.processes(host) if found.user == user and found.command.startswith(starts)]

    # ---- what the console is given -----------------------------------------------------------------------

    def config_path(self, user: str = "alice", identity: str = "own") -> Path:
        """The cluster.yaml of a user; identity "encrypted" (its key wants PASSPHRASE) or "none" (no key at all)."""
        if identity == "own":
            return self.layout.run / ("cluster.yaml" if user == "alice" else f"cluster-{user}.yaml")
        if identity == "none":
            return settings.write_config(self.layout, user, "none", None)
        key, _ = self.encrypted_key(user)
        return settings.write_config(self.layout, user, "encrypted", key)

    def encrypted_key(self, user: str = "alice") -> tuple[Path, str]:
        """A copy of the user's key that only a passphrase opens, and that passphrase."""
        path = self.layout.run / "keys" / f"{user}_encrypted"
        if not path.exists():
            path.write_bytes((self.layout.run / "keys" / user).read_bytes())
            path.chmod(0o600)
            sh("ssh-keygen", "-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", str(path))
        return path, PASSPHRASE

    # ---- GPUs --------------------------------------------------------------------------------------------

    def set_gpu(self, node: str, gpu: int | str, **values: Value | None) -> None:
        """Set live values of one GPU; see Gpus.set."""
        Gpus(self.layout, node).set(gpu, **values)

    def set_gpu_processes(self, node: str, gpu: int, processes: Sequence[tuple[int, int]]) -> None:
        """Set the processes on a GPU: (pid on the node, MiB)."""
        Gpus(self.layout, node).set_processes(gpu, processes)

    def reset_gpus(self) -> None:
        """Every GPU of every node idle and well again."""
        for node in self.layout.node_names:
            Gpus(self.layout, node).reset()

    # ---- jobs --------------------------------------------------------------------------------------------

    def submit(self, user: str, script: str, *sbatch_args: str) -> int:
        """sbatch a script (its text) as a user; the job id."""
        text = script if script.startswith("#!") else f"#!/bin/bash\n{script}\n"
        done = self.run(LOGIN, ["sbatch", "--parsable", *sbatch_args], user=user, timeout=20, input=text)
        if done.returncode != 0:
            raise TestbedError(f"sbatch {' '.join(sbatch_args)}: {done.stderr.strip()}")
        return int(done.stdout.strip().split(";")[0])

    def job_states(self, job: int) -> set[str]:
        """The states of a job, one for each task of an array that has one."""
        done = self.run(LOGIN, ["scontrol", "show", "job", "--oneliner", str(job)], timeout=15)
        words = done.stdout.split()
        return {word.partition("=")[2] for word in words if word.startswith("JobState=")}

    def wait_job(self, job: int, state: str | tuple[str, ...], timeout: float = 30) -> str:
        """Wait until the job (every task of it) is in one of the states; that state."""
        wanted = {state} if isinstance(state, str) else set(state)

        def reached() -> str | None:
            states = self.job_states(job)
            return sorted(states)[0] if states and states <= wanted else None

        found = wait_until(reached, timeout, f"job {job} is {' or '.join(sorted(wanted))}", interval=0.2)
        return str(found)

    def cancel_all(self) -> None:
        """Cancel every job and wait until none is left in the queue; broken nodes do not matter."""
        for user in ("alice", "bob", "oper"):
            self.run(LOGIN, ["scancel", "-u", user], timeout=15)
        wait_until(lambda: not self.run(LOGIN, ["squeue", "-h"], timeout=15).stdout.strip(), 40, "the queue is empty")

    # ---- what goes wrong ---------------------------------------------------------------------------------

    @cached_property
    def fault(self) -> Faults:
        """Everything that can be broken, each as a context manager that repairs it."""
        from testbed.faults import Faults

        return Faults(self)

    @cached_property
    def signin(self) -> SignIn:
        """How the login host lets people in."""
        from testbed.signin import SignIn

        return SignIn(self)

    def sign_in(self, mode: str) -> Any:
        """A context in which the login host asks for "key", "password", "key+otp", or "password+otp"."""
        return self.signin.mode(mode)


def need_root() -> None:
    """Network namespaces and mounts are root's."""
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        raise TestbedError("the testbed needs root on Linux: it makes network namespaces and mounts")


def down(name: str = DEFAULT_NAME) -> bool:
    """Take a cluster down, whole, half up or already gone; whether there was anything."""
    need_root()
    with registry.locked():
        return down_locked(name, os.getpid(), force=True)


def down_locked(name: str, owner: int | None, force: bool = False) -> bool:
    """Take a cluster down while the registry's lock is held."""
    record = registry.read(name)
    number, run = None, Layout(name, 0).run
    if record:
        number, run = record["layout"]["number"], Path(record["run"])
        if not force and record["owner"] not in (None, owner) and registry.alive(record["owner"]):
            raise TestbedError(f"cluster {name} belongs to process {record['owner']}, which still runs")
    existed = record is not None or bool(network.namespaces(name)) or run.is_mount()
    network.down(name, number)
    for mount in (run / "home", run):
        if mount.is_mount():
            wait_until(lambda mount=mount: _unmounted(mount), timeout=10, what=f"{mount} is unmounted")  # type: ignore[misc]
    if run.is_dir() and not any(run.iterdir()):
        run.rmdir()
    registry.remove(name)
    return existed


def _unmounted(path: Path) -> bool:
    sh("umount", str(path), check=False)
    return not path.is_mount()
