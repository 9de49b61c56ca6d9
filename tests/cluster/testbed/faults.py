"""Everything that can be broken: each fault is a context manager, and leaving the context repairs it."""

from __future__ import annotations

import base64
import contextlib
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from testbed import rootfs
from testbed.gpus import Gpus
from testbed.host import Host
from testbed.layout import LOGIN
from testbed.polling import wait_until
from testbed.settings import keygen
from testbed.shell import TestbedError
from testbed.wirefaults import WireFaults

if TYPE_CHECKING:
    from testbed.cluster import Cluster

CLOCK = "/usr/local/lib/testbed-clock.so"
HUNG_PATH = "/mnt/lustre"


class Faults(WireFaults):
    """Faults of daemons, hosts, disks, GPUs, clocks and agents; those of the network are inherited."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)

    # ---- daemons -----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def sshd_stopped(self, host: str, sessions: bool = False) -> Iterator[None]:
        """The sshd listener hangs (connections open, no banner comes); with sessions, the open ones hang too."""
        machine = self.cluster.host(host)
        listener = int(machine.check("cat", "/run/sshd.pid"))
        pids = [listener]
        if sessions:
            pids += [p.pid for p in machine.processes() if p.command.startswith(("sshd: ", "sshd-session: "))]
        with self._signalled(machine, sorted(set(pids))):
            yield

    @contextlib.contextmanager
    def sshd_down(self, host: str, sessions: bool = True) -> Iterator[None]:
        """No sshd: connections are refused; the open ones end too, unless sessions is False."""
        machine = self.cluster.host(host)
        machine.service("stop", "sshd")
        if sessions:
            self._kill(
                machine, [p.pid for p in machine.processes() if p.command.startswith(("sshd: ", "sshd-session: "))]
            )
        try:
            yield
        finally:
            machine.service("start", "sshd")

    @contextlib.contextmanager
    def slurmd_stopped(self, node: str) -> Iterator[None]:
        """slurmd hangs; Slurm calls the node down after SlurmdTimeout (10 s)."""
        machine = self.cluster.host(node)
        with self._signalled(machine, self._pids(machine, "slurmd")):
            yield

    @contextlib.contextmanager
    def slurmctld_stopped(self) -> Iterator[None]:
        """slurmctld hangs: every Slurm command waits, then gives up."""
        machine = self.cluster.host(LOGIN)
        with self._signalled(machine, self._pids(machine, "slurmctld")):
            yield

    @contextlib.contextmanager
    def slurmctld_down(self) -> Iterator[None]:
        """No slurmctld."""
        before = self.cluster.working_nodes()
        with self._service_down("slurmctld"):
            yield
        self.cluster.wait_nodes(before)

    @contextlib.contextmanager
    def slurmdbd_down(self) -> Iterator[None]:
        """No slurmdbd: no accounting, the queue goes on."""
        with self._service_down("slurmdbd"):
            yield

    @contextlib.contextmanager
    def mariadb_down(self) -> Iterator[None]:
        """slurmdbd lives, its database does not."""
        with self._service_down("mariadb"):
            yield

    # ---- hosts -------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def power_cut(self, host: str) -> Iterator[None]:
        """The host is off: nobody gets as much as a FIN. On return it boots, with a new boot id and uptime."""
        before = self.cluster.working_nodes()
        interfaces = ["eth0", "ext0" if host == LOGIN else "ib0"]
        for interface in interfaces:
            self.set_link(host, interface, "down")
        self.cluster.host(host).kill()
        try:
            yield
        finally:
            for interface in interfaces:
                self.set_link(host, interface, "up")
            self.cluster.start_host(host)
            machine = self.cluster.host(host)
            wait_until(lambda: machine.run(["test", "-e", "/run/testbed/ready"]).returncode == 0, 60, f"{host} boots")
        self.cluster.wait_nodes(before)

    @contextlib.contextmanager
    def host_key_changed(self, host: str) -> Iterator[None]:
        """sshd shows another host key than the known one, as after a reinstallation, or with an impostor."""
        machine, path = self.cluster.host(host), "/etc/ssh/ssh_host_ed25519_key"
        original = machine.check("cat", path)
        new = self.cluster.layout.run / "keys" / f"other_{host}_{uuid.uuid4().hex[:8]}"
        keygen(new, host)
        try:
            machine.write(path, new.read_text(), 0o600)
            machine.service("restart", "sshd")
            yield
        finally:
            machine.write(path, original, 0o600)
            machine.service("restart", "sshd")

    @contextlib.contextmanager
    def node_refuses(self, node: str, user: str = "alice") -> Iterator[None]:
        """The node's sshd lets that user in no more, as where only jobs may go to nodes."""
        with self._sshd_option(node, "refuses", f"DenyUsers {user}\n"):
            yield

    @contextlib.contextmanager
    def clock_shifted(self, host: str, seconds: int = 3600) -> Iterator[None]:
        """The clock is off for everything that new ssh sessions start on the host (by preloading).

        The kernel's clock is shared by all hosts, so slurmd, sshd, time stamps of files and programs started by srun
        keep the right time, and so do statically linked programs. Monotonic clocks are not touched.
        """
        library = base64.b64encode(rootfs.clock_library().read_bytes()).decode()
        self.cluster.host(host).run(["sh", "-c", f"base64 -d > {CLOCK}"], input=library)
        with self._sshd_option(host, "clock", f"SetEnv LD_PRELOAD={CLOCK} CLOCK_SHIFT={seconds}\n"):
            yield

    def login_cut(self, user: str = "alice") -> int:
        """Cut every ssh connection the user has to the login host, at once; how many there were. Needs no repair."""
        machine = self.cluster.host(LOGIN)
        found = self.cluster.session_processes(LOGIN, user)
        starts = (f"sshd: {user} [priv]", f"sshd-session: {user} [priv]")
        monitors = [p.pid for p in machine.processes() if p.user == "root" and p.command.startswith(starts)]
        self._kill(machine, [*(p.pid for p in found), *monitors])
        return len(found)

    # ---- disks and GPUs ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def full_disk(self, host: str, mount: str = "/scratch") -> Iterator[None]:
        """Not a byte free on /scratch, /tmp (both a host's own) or /home (shared by all)."""
        if mount not in ("/scratch", "/tmp", "/home"):
            raise TestbedError(f"{mount}: only /scratch, /tmp and /home have a size of their own")
        machine, filler = self.cluster.host(host), f"{mount}/.testbed-filler"
        try:
            machine.run(["sh", "-c", 'cat /dev/zero > "$1" 2> /dev/null', "sh", filler], timeout=60)
            yield
        finally:
            machine.check("rm", "-f", filler)

    @contextlib.contextmanager
    def hung_filesystem(self, node: str, path: str = HUNG_PATH, fstype: str = "fuse.sshfs") -> Iterator[str]:
        """A mounted file system whose server answers no more: statvfs on it blocks. Yields the mount point."""
        with self.filesystem(node, path, fstype) as server, self._signalled(self.cluster.host(node), [server]):
            yield path

    @contextlib.contextmanager
    def filesystem(self, node: str, path: str = HUNG_PATH, fstype: str = "fuse.sshfs") -> Iterator[int]:
        """The same file system while it is well; yields the pid of its server on the node."""
        machine, log = self.cluster.host(node), f"/run/testbed/fs-{uuid.uuid4().hex[:8]}"
        machine.check("mkdir", "-p", path)
        serve = "setsid /usr/bin/python3 /usr/local/lib/testbed/hungfs.py"
        start = f'{serve} "$1" storage:/data "$2" > "$3" 2>&1 < /dev/null & echo $!'
        server = int(machine.check("sh", "-c", start, "sh", path, fstype, log))
        try:
            wait_until(lambda: "mounted" in machine.check("cat", log), 10, f"{path} is mounted")
            yield server
        finally:
            self._kill(machine, [server])  # ends every call that hangs in it
            machine.run(["umount", "-l", path])
            machine.run(["rm", "-f", log])

    @contextlib.contextmanager
    def gpu_lost(self, node: str, gpu: int) -> Iterator[None]:
        """The GPU fell off the bus: every NVML call on it says so."""
        gpus = Gpus(self.cluster.layout, node)
        gpus.set(gpu, lost=1)
        try:
            yield
        finally:
            gpus.set(gpu, lost=None)

    @contextlib.contextmanager
    def nvml_hangs(self, node: str, gpu: int, function: str = "GetUtilizationRates", ms: int = 60000) -> Iterator[None]:
        """One NVML call on the GPU takes that long, as on a GPU about to be lost."""
        gpus, key = Gpus(self.cluster.layout, node), f"{gpu}.sleep_ms.{function}"
        gpus.change({key: ms})
        try:
            yield
        finally:
            gpus.change({key: None})

    # ---- the agent ---------------------------------------------------------------------------------------

    def agent_killed(self, node: str, pattern: str) -> int:
        """SIGKILL for every process of the node whose command line holds pattern; how many. Needs no repair."""
        machine = self.cluster.host(node)
        pids = [process.pid for process in machine.processes() if pattern in process.command]
        self._kill(machine, pids)
        return len(pids)

    @contextlib.contextmanager
    def python_missing(self, node: str) -> Iterator[None]:
        """There is no python3 on the node."""
        with self._pythons_aside(self.cluster.host(node)):
            yield

    @contextlib.contextmanager
    def python_replaced(self, node: str, script: str) -> Iterator[None]:
        """A script of the test's stands where python3 was: for garbage and half frames.

        The script is a whole program ("#!/bin/sh ..."); the real Python is /usr/bin/testbed-aside/python3.
        """
        machine = self.cluster.host(node)
        with self._pythons_aside(machine):
            try:
                machine.write("/usr/bin/python3", script, 0o755)
                yield
            finally:
                machine.check("rm", "-f", "/usr/bin/python3")

    # ---- how -----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _pythons_aside(self, machine: Host) -> Iterator[None]:
        aside = "/usr/bin/testbed-aside"
        machine.check("mkdir", "-p", aside)
        machine.check("sh", "-c", f"mv /usr/bin/python3* {aside}/")
        try:
            yield
        finally:
            machine.check("sh", "-c", f"mv {aside}/* /usr/bin/ && rmdir {aside}")

    @contextlib.contextmanager
    def _sshd_option(self, host: str, name: str, text: str) -> Iterator[None]:
        machine, path = self.cluster.host(host), f"/etc/ssh/testbed.d/{name}.conf"
        try:
            machine.write(path, text)
            machine.service("restart", "sshd")
            yield
        finally:
            machine.check("rm", "-f", path)
            machine.service("restart", "sshd")

    @contextlib.contextmanager
    def _service_down(self, name: str) -> Iterator[None]:
        machine = self.cluster.host(LOGIN)
        machine.service("stop", name)
        try:
            yield
        finally:
            machine.service("start", name)

    @contextlib.contextmanager
    def _signalled(self, machine: Host, pids: Sequence[int]) -> Iterator[None]:
        if not pids:
            raise TestbedError(f"{machine.name}: nothing to stop")
        numbers = [str(pid) for pid in pids]
        machine.check("kill", "-STOP", *numbers)
        try:
            yield
        finally:
            machine.run(["sh", "-c", 'kill -CONT "$@" 2> /dev/null', "sh", *numbers])

    @staticmethod
    def _pids(machine: Host, name: str) -> list[int]:
        return [int(pid) for pid in machine.check("pgrep", "-x", name).split()]

    @staticmethod
    def _kill(machine: Host, pids: Sequence[int]) -> None:
        if pids:
            machine.run(["sh", "-c", 'kill -KILL "$@" 2> /dev/null', "sh", *map(str, pids)])
