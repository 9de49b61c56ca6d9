"""One host: its own mount, PID, network, IPC, UTS and time namespaces around a root file system of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.layout import LOGIN, Layout
from testbed.polling import wait_until
from testbed.shell import TestbedError

LIB = Path(__file__).parent / "lib"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Process:
    """One process as ps on its host shows it."""

    pid: int
    user: str
    command: str


class Host:
    """Starts, stops and runs commands in one host. Everything it knows is in the layout and the run folder."""

    def __init__(self, layout: Layout, name: str) -> None:
        if name not in layout.hosts:
            raise TestbedError(f"no host {name!r} in cluster {layout.name}: {layout.hosts[0]} to {layout.hosts[-1]}")
        self.layout, self.name = layout, name

    @property
    def pid(self) -> int | None:
        """The host's pid 1 as this machine numbers it, or None while it is off."""
        try:
            pid = int((self.layout.run / "pids" / self.name).read_text())
            os.kill(pid, 0)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return None
        return pid

    def start(self, rootfs: Path, nvml: Path) -> None:
        """Switch the host on; what it wrote to its disk before is still there."""
        layout, run = self.layout, self.layout.run
        environment = {
            "PATH": PATH, "LIB": str(LIB), "RUN": str(run), "HOST": self.name, "CLUSTER": layout.name,
            "ROLE": "login" if self.name == LOGIN else "node", "ROOTFS": str(rootfs), "NVML": str(nvml),
            "GPUS": str(layout.gpus), "DB": "1" if layout.db else "0", "SCRATCH_SIZE": "64m",
        }  # fmt: skip
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        argv = [
            "nsenter",
            f"--net=/run/netns/{layout.netns(self.name)}",
            "unshare",
            "--mount",
            "--uts",
            "--ipc",
            "--pid",
        ]
        argv += ["--time", "--boottime", str(-int(uptime)), "--fork", "--kill-child=SIGKILL"]
        with (run / "log" / f"{self.name}.log").open("ab") as log:
            subprocess.Popen(
                [*argv, "bash", str(LIB / "host_outer.sh")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True,
            )  # fmt: skip
        wait_until(lambda: self.pid, timeout=15, what=f"{self.name} has a pid 1", interval=0.02)

    def kill(self) -> None:
        """Power cut: SIGKILL for pid 1 ends every process of the host at once."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: _gone(pid), timeout=15, what=f"{self.name} is off", interval=0.02)
        (self.layout.run / "pids" / self.name).unlink(missing_ok=True)

    def argv(self, argv: Sequence[str], user: str = "root", timeout: float = 30) -> list[str]:
        """The machine's own command that runs argv in the host as user; ended there after timeout seconds."""
        pid = self.pid
        if pid is None:
            raise TestbedError(f"{self.name} is off")
        home = "/root" if user == "root" else f"/home/{user}"
        become = [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        environment = ["env", "-i", "-C", home, f"PATH={PATH}", f"HOME={home}", f"USER={user}", f"LOGNAME={user}"]
        environment += ["SHELL=/bin/bash", "LANG=C.UTF-8", "TERM=xterm-256color"]
        enter = ["nsenter", "-t", str(pid), "-m", "-u", "-i", "-n", "-p", "-T", "-r", "-w"]
        return [*enter, *become, *environment, "timeout", "-k", "2", f"{timeout:g}", *argv]

    def run(
        self, argv: Sequence[str], user: str = "root", timeout: float = 30, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run argv in the host, without ssh. Raises subprocess.TimeoutExpired; a failure is the caller's to judge."""
        done = subprocess.run(
            self.argv(argv, user, timeout), input=input if input is not None else "", capture_output=True, text=True,
            errors="backslashreplace", timeout=timeout + 5, check=False,
        )  # fmt: skip
        if done.returncode in (124, 137) and argv[0] != "timeout":
            raise subprocess.TimeoutExpired(list(argv), timeout, done.stdout, done.stderr)
        return done

    def check(self, *argv: str, timeout: float = 30) -> str:
        """Run argv as root and return its output; TestbedError when it fails."""
        done = self.run(argv, timeout=timeout)
        if done.returncode != 0:
            raise TestbedError(f"{self.name}: {' '.join(argv)}: exit {done.returncode}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def service(self, verb: str, name: str) -> None:
        """start, stop or restart munged, sshd, mariadb, slurmdbd, slurmctld or slurmd."""
        self.check("/usr/local/lib/testbed/service.sh", verb, name, timeout=60)

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file in the host, as root."""
        done = self.run(["sh", "-c", 'cat > "$1" && chmod "$2" "$1"', "sh", path, f"{mode:o}"], input=text)
        if done.returncode != 0:
            raise TestbedError(f"{self.name}: cannot write {path}: {done.stderr.strip()}")

    def processes(self) -> list[Process]:
        """Every process of the host but the ones that list them and pid 1 with its sleep."""
        found = []
        listing = ["ps", "-ww", "-eo", "pid:10=,ppid:10=,user:32=,args="]
        for line in self.run(listing).stdout.splitlines():
            pid, parent, user, command = line.split(None, 3)
            helper = command.startswith(("ps -ww -eo pid:10=", "timeout -k 2 ")) or command == "sleep 3600"
            if pid != "1" and not ((helper and parent in ("0", "1")) or command.startswith("ps -ww -eo pid:10=")):
                found.append(Process(int(pid), user, command))
        return found


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
