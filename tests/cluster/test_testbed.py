"""The testbed does what it says: the cluster works, each fault has its effect, and each is undone."""

from __future__ import annotations

import json
import os
import pty
import select
import socket
import subprocess
import time

import pytest
from testbed import Cluster, TestbedError, registry, wait_until
from testbed.layout import Layout
from testbed.shell import sh

READ_GPUS = """
import json, pynvml as nvml
nvml.nvmlInit()
found = []
for index in range(nvml.nvmlDeviceGetCount()):
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    try:
        found.append({
            "util": nvml.nvmlDeviceGetUtilizationRates(handle).gpu,
            "used": nvml.nvmlDeviceGetMemoryInfo(handle).used >> 20,
            "power": nvml.nvmlDeviceGetPowerUsage(handle),
            "pids": [[p.pid, p.usedGpuMemory >> 20] for p in nvml.nvmlDeviceGetComputeRunningProcesses(handle)],
        })
    except nvml.NVMLError as error:
        found.append(type(error).__name__)
print(json.dumps(found))
"""
TRAIN = "srun bash -c 'echo $(hostname) gpus=$CUDA_VISIBLE_DEVICES; sleep 300'"
ALL_GPUS = ("-N4", "--ntasks-per-node=1", "--gres=gpu:8")


def gpus(cluster: Cluster, node: str) -> list[object]:
    """What the real pynvml reads on a node."""
    done = cluster.run(node, ["/opt/venv/bin/python", "-c", READ_GPUS], user="alice")
    assert done.returncode == 0, done.stderr
    found: list[object] = json.loads(done.stdout)
    return found


def reachable(cluster: Cluster, host: str, user: str = "alice", timeout: float = 10) -> bool:
    """Whether a person gets a command through to a host over ssh."""
    try:
        return cluster.ssh(host, "true", user=user, timeout=timeout).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def slurm(cluster: Cluster, *argv: str, user: str = "alice", timeout: float = 20) -> subprocess.CompletedProcess[str]:
    """A Slurm command on the login host, never without a deadline."""
    return cluster.run("login", argv, user=user, timeout=timeout)


def node_state(cluster: Cluster, node: str) -> str:
    """What sinfo calls a node."""
    return slurm(cluster, "sinfo", "-h", "-N", "-p", "gpu", "-n", node, "-o", "%t").stdout.strip()


# ---- the cluster itself ------------------------------------------------------------------------------------


def test_people_reach_login_and_nodes_through_it(cluster: Cluster) -> None:
    for user in ("alice", "bob", "oper"):
        assert cluster.ssh("login", "id -un; hostname", user=user).stdout.split() == [user, "login"]
    assert cluster.ssh("node03", "hostname").stdout.strip() == "node03"
    assert cluster.ssh("login", "ssh -o BatchMode=yes node02 hostname").stdout.strip() == "node02"


def test_nodes_cannot_be_reached_past_login(cluster: Cluster) -> None:
    for address in (cluster.layout.address("node01"), cluster.layout.fabric_address("node01")):
        with pytest.raises(OSError, match="No route to host"):
            socket.create_connection((address, 22), timeout=3)


def test_a_job_runs_on_every_gpu_of_four_nodes(cluster: Cluster) -> None:
    job = cluster.submit("alice", TRAIN, *ALL_GPUS, "-J", "train")
    cluster.wait_job(job, "RUNNING")
    output = f"/home/alice/slurm-{job}.out"

    def lines() -> list[str]:
        return cluster.run("login", ["cat", output]).stdout.split("\n")[:-1]

    wait_until(lambda: len(lines()) == 4, 15, "four ranks wrote a line")
    assert sorted(lines()) == [f"node0{n} gpus=0,1,2,3,4,5,6,7" for n in (1, 2, 3, 4)]
    pids = cluster.run("node02", ["scontrol", "listpids"], timeout=10).stdout
    assert any(line.split()[1:3] == [str(job), "0"] for line in pids.splitlines()[1:])


def test_bob_is_refused_and_the_operator_is_not(cluster: Cluster) -> None:
    job = cluster.submit("alice", "sleep 300", "-J", "mine")
    cluster.wait_job(job, "RUNNING")
    refused = slurm(cluster, "scancel", str(job), user="bob")
    assert refused.returncode != 0 and "Access/permission denied" in refused.stderr
    assert slurm(cluster, "scancel", str(job), user="oper").returncode == 0
    cluster.wait_job(job, "CANCELLED")


def test_who_may_drain(cluster: Cluster) -> None:
    drain = ["scontrol", "update", "nodename=node04", "state=drain", "reason=bad fan"]
    resume = [*drain[:3], "state=resume"]
    for user in ("alice", "oper"):  # Slurm's operators manage jobs and reservations, not nodes
        refused = slurm(cluster, *drain, user=user)
        assert refused.returncode != 0 and "Invalid user id" in refused.stderr
    with cluster.signin.admin_level("oper", "Administrator"):
        wait_until(lambda: slurm(cluster, *drain, user="oper").returncode == 0, 10, "an administrator drains")
        assert "bad fan" in slurm(cluster, "sinfo", "-R").stdout
        assert slurm(cluster, *resume, user="oper").returncode == 0
    with cluster.signin.sudo("alice", "/usr/bin/scontrol"):
        assert slurm(cluster, "sudo", "-n", *drain).returncode == 0
        assert slurm(cluster, "sudo", "-n", *resume).returncode == 0
        assert slurm(cluster, "sudo", "-n", "id").returncode != 0
    assert slurm(cluster, "sudo", "-n", *resume).returncode != 0
    cluster.wait_nodes()


def test_accounting_remembers_a_job(cluster: Cluster) -> None:
    job = cluster.submit("bob", "true", "-J", "short")
    cluster.wait_job(job, "COMPLETED")
    argv = ("sacct", "-X", "-n", "-P", "-j", str(job), "-o", "user,account,state")
    wait_until(lambda: slurm(cluster, *argv).stdout.strip() == "bob|infra|COMPLETED", 20, "sacct knows the job")


def test_the_real_pynvml_reads_what_a_test_sets(cluster: Cluster) -> None:
    assert len(gpus(cluster, "node01")) == 8
    cluster.set_gpu("node01", 3, util=97, mem_used_mib=70000, power_mw=650000)
    cluster.set_gpu_processes("node01", 3, [(4711, 69000), (4712, 500)])
    read = gpus(cluster, "node01")
    assert read[3] == {"util": 97, "used": 70000, "power": 650000, "pids": [[4711, 69000], [4712, 500]]}
    assert read[2] == {"util": 0, "used": 4, "power": 70000, "pids": []}
    assert gpus(cluster, "node02")[3] == read[2]


def test_the_system_python_has_no_pynvml_but_the_library_is_there(cluster: Cluster) -> None:
    program = "import ctypes; ctypes.CDLL('libnvidia-ml.so.1'); import pynvml"
    done = cluster.run("node01", ["/usr/bin/python3", "-c", program])
    assert "ModuleNotFoundError" in done.stderr


def test_processes_and_connections_are_counted(cluster: Cluster) -> None:
    assert cluster.login_connections("alice") == 0
    job = cluster.submit("alice", "exec sleep 299", "-w", "node02")
    cluster.wait_job(job, "RUNNING")
    wait_until(lambda: any(p.command == "sleep 299" and p.user == "alice" for p in cluster.processes("node02")), 10)
    assert not any(p.command == "sleep 299" for p in cluster.processes("node01"))


def test_a_second_cluster_has_another_number_and_leaves_nothing(cluster: Cluster) -> None:
    other = Cluster.up(nodes=2, name="tb-side", db=False, owner=os.getpid(), fresh=True)
    try:
        assert other.layout.number != cluster.layout.number
        assert other.ssh("node02", "hostname").stdout.strip() == "node02"
        assert cluster.healthy()
    finally:
        other.down()
    assert registry.read("tb-side") is None
    assert not other.layout.run.exists()
    for command in (("ip", "netns", "list"), ("ip", "link"), ("cat", "/proc/mounts")):
        assert "tb-side" not in sh(*command)
    assert f"10.99.{other.layout.number}.0" not in sh("ip", "route")
    assert cluster.healthy()


def test_a_cluster_of_a_living_process_is_not_taken_away(cluster: Cluster) -> None:
    record = registry.read(cluster.layout.name)
    assert record is not None
    registry.write(cluster.layout.name, {**record, "owner": 1})
    try:
        with pytest.raises(TestbedError, match="belongs to process 1"):
            cluster.down()
    finally:
        registry.write(cluster.layout.name, record)
    assert cluster.healthy()


def test_names_and_sizes_are_checked() -> None:
    for bad in (
        {"name": "UPPER"},
        {"name": "much-too-long-a-name"},
        {"name": "x", "nodes": 65},
        {"name": "x", "nodes": 0},
    ):
        with pytest.raises(TestbedError):
            Layout(number=0, **bad)  # type: ignore[arg-type]


# ---- daemons -------------------------------------------------------------------------------------------------


def test_stopped_sshd_accepts_but_says_nothing(cluster: Cluster) -> None:
    with cluster.fault.sshd_stopped("node03"):
        greeting = ["timeout", "3", "bash", "-c", "exec 3<>/dev/tcp/node03/22 && echo connected && head -c 4 <&3"]
        done = cluster.run("login", greeting, timeout=15)
        assert (done.returncode, done.stdout) == (124, "connected\n"), "it accepts, and says nothing"
        assert reachable(cluster, "node02")
    assert reachable(cluster, "node03")


def test_sshd_down_refuses(cluster: Cluster) -> None:
    with cluster.fault.sshd_down("node03"):
        done = cluster.ssh("node03", "true")
        assert done.returncode == 255 and "Connection refused" in done.stderr
    assert reachable(cluster, "node03")


@pytest.mark.slow
def test_stopped_slurmd_makes_its_node_down(cluster: Cluster) -> None:
    with cluster.fault.slurmd_stopped("node04"):
        wait_until(lambda: "down" in node_state(cluster, "node04"), 60, "node04 is down")
    cluster.wait_nodes()


def test_slurmctld_down_and_stopped(cluster: Cluster) -> None:
    with cluster.fault.slurmctld_down():
        done = slurm(cluster, "squeue", timeout=30)
        assert done.returncode != 0 and "Unable to contact slurm controller" in done.stderr
    assert slurm(cluster, "squeue").returncode == 0
    with cluster.fault.slurmctld_stopped(), pytest.raises(subprocess.TimeoutExpired):
        slurm(cluster, "squeue", timeout=2)
    assert slurm(cluster, "squeue").returncode == 0
    cluster.wait_nodes()


@pytest.mark.slow
def test_accounting_down_leaves_the_queue(cluster: Cluster) -> None:
    with cluster.fault.slurmdbd_down():
        assert slurm(cluster, "squeue").returncode == 0
        assert slurm(cluster, "sacct", timeout=30).returncode != 0
    wait_until(lambda: slurm(cluster, "sacct").returncode == 0, 30, "sacct works again")
    with cluster.fault.mariadb_down():
        assert slurm(cluster, "squeue").returncode == 0
        assert cluster.run("login", ["pgrep", "-x", "mariadbd"]).returncode == 1
    wait_until(lambda: slurm(cluster, "sacct").returncode == 0, 30, "sacct works again")


# ---- hosts and wires -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_power_cut_and_return(cluster: Cluster) -> None:
    before = cluster.ssh("node02", "cat /proc/sys/kernel/random/boot_id; cut -d. -f1 /proc/uptime").stdout.split()
    with cluster.fault.power_cut("node02"):
        assert not reachable(cluster, "node02")
        assert cluster.host("node02").pid is None
    after = cluster.ssh("node02", "cat /proc/sys/kernel/random/boot_id; cut -d. -f1 /proc/uptime").stdout.split()
    assert after[0] != before[0]
    assert int(after[1]) < 60


def test_link_down_and_up(cluster: Cluster) -> None:
    with cluster.fault.link_down("node03"):
        assert not reachable(cluster, "node03")
    wait_until(lambda: reachable(cluster, "node03"), 20, "node03 is back")
    with cluster.fault.link_down("login", "ext0"):
        assert not reachable(cluster, "login")
    wait_until(lambda: reachable(cluster, "login"), 20, "login is back")


def ping(cluster: Cluster, target: str, count: int = 1) -> tuple[float, float]:
    """Lost percent and the least round trip in ms, from node01."""
    done = cluster.run("node01", ["ping", "-n", "-c", str(count), "-i", "0.01", "-W", "1", target], timeout=60)
    lost = float(done.stdout.split("% packet loss")[0].split()[-1])
    times = [float(line.split("time=")[1].split()[0]) for line in done.stdout.splitlines() if "time=" in line]
    return lost, min(times, default=float("inf"))


def test_delay_and_loss(cluster: Cluster) -> None:
    assert ping(cluster, "node02")[1] < 30
    with cluster.fault.delay("node02", 40):
        assert ping(cluster, "node02", 3)[1] >= 80
        assert reachable(cluster, "node02", timeout=20)
    assert ping(cluster, "node02", 3)[1] < 30
    with cluster.fault.loss("node02", 40, "ib0"):
        assert 10 < ping(cluster, "node02-ib", 200)[0] < 80
    assert ping(cluster, "node02-ib", 50)[0] == 0


def test_delay_on_the_way_to_login(cluster: Cluster) -> None:
    with cluster.fault.delay("login", 100, "ext0"):
        began = time.monotonic()
        assert reachable(cluster, "login", timeout=30)
        assert time.monotonic() - began > 1
    assert reachable(cluster, "login")


@pytest.mark.slow
def test_slow_link_shows_in_iperf3(cluster: Cluster) -> None:
    def gbps() -> float:
        cluster.run("node02", ["iperf3", "-s", "-D", "-1"])
        done = cluster.run("node01", ["iperf3", "-J", "-t", "2", "-c", "node02-ib"], timeout=20)
        return float(json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"]) / 1e9

    assert wait_until(gbps, 20) > 2
    with cluster.fault.slow_link("node02", 500):
        assert gbps() < 0.6
    assert gbps() > 2


def test_host_key_changed(cluster: Cluster) -> None:
    for host in ("node01", "login"):
        with cluster.fault.host_key_changed(host):
            assert "HOST IDENTIFICATION HAS CHANGED" in cluster.ssh(host, "true").stderr
        assert reachable(cluster, host)


def test_node_refuses_one_user(cluster: Cluster) -> None:
    with cluster.fault.node_refuses("node02", "alice"):
        assert "Permission denied" in cluster.ssh("node02", "true").stderr
        assert reachable(cluster, "node02", user="bob")
        assert slurm(cluster, "srun", "-w", "node02", "hostname").stdout.strip() == "node02"
    assert reachable(cluster, "node02")


def test_login_cut_ends_what_runs_over_it(cluster: Cluster) -> None:
    argv = ["ssh", "-F", str(cluster.layout.run / "ssh_config"), "-o", "BatchMode=yes", "login", "sleep 60"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as session:
        try:
            wait_until(lambda: cluster.login_connections("alice") == 1, 10, "one connection")
            assert cluster.login_connections("bob") == 0
            assert cluster.fault.login_cut("alice") == 1
            assert session.wait(10) == 255
        finally:
            session.kill()
    wait_until(lambda: cluster.login_connections("alice") == 0, 10, "no connection")
    assert reachable(cluster, "login")


def test_clock_shifted_for_ssh_sessions(cluster: Cluster) -> None:
    with cluster.fault.clock_shifted("node01", 3600):
        program = "python3 -c 'import time; print(time.time())'"
        ahead = float(cluster.ssh("node01", program).stdout) - time.time()
        assert 3580 < ahead < 3620
        assert abs(float(cluster.ssh("node02", program).stdout) - time.time()) < 20
    assert abs(float(cluster.ssh("node01", program).stdout) - time.time()) < 20


# ---- disks, GPUs, the agent's Python -------------------------------------------------------------------------


def test_full_disk(cluster: Cluster) -> None:
    free = "import os; s = os.statvfs('/scratch'); print(s.f_bavail)"
    with cluster.fault.full_disk("node01"):
        assert cluster.run("node01", ["python3", "-c", free]).stdout.strip() == "0"
        assert "No space left" in cluster.run("node01", ["bash", "-c", "echo x > /scratch/x"], user="alice").stderr
    assert int(cluster.run("node01", ["python3", "-c", free]).stdout) > 1000


def test_hung_filesystem_blocks_statvfs(cluster: Cluster) -> None:
    look = ["python3", "-c", "import os, sys; print(os.statvfs(sys.argv[1]).f_blocks)"]
    with cluster.fault.filesystem("node02") as _:
        assert int(cluster.run("node02", [*look, "/mnt/lustre"], user="alice").stdout) > 0
    with cluster.fault.hung_filesystem("node02") as path:
        with pytest.raises(subprocess.TimeoutExpired):
            cluster.run("node02", [*look, path], user="alice", timeout=2)
        assert f" {path} fuse.sshfs " in cluster.run("node02", ["cat", "/proc/mounts"]).stdout
    assert path not in cluster.run("node02", ["cat", "/proc/mounts"]).stdout
    wait_until(lambda: not any("f_blocks" in p.command for p in cluster.processes("node02")), 10, "nobody hangs")


def test_gpu_lost_and_nvml_hanging(cluster: Cluster) -> None:
    with cluster.fault.gpu_lost("node03", 5):
        assert gpus(cluster, "node03")[5] == "NVMLError_GpuIsLost"
    assert isinstance(gpus(cluster, "node03")[5], dict)
    with cluster.fault.nvml_hangs("node03", 5), pytest.raises(subprocess.TimeoutExpired):
        cluster.run("node03", ["/opt/venv/bin/python", "-c", READ_GPUS], timeout=2)
    assert isinstance(gpus(cluster, "node03")[5], dict)


def test_agent_killed(cluster: Cluster) -> None:
    argv = ["ssh", "-F", str(cluster.layout.run / "ssh_config"), "-o", "BatchMode=yes", "login", "ssh node01 sleep 61"]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as session:
        try:
            wait_until(lambda: any(p.command == "sleep 61" for p in cluster.processes("node01")), 10)
            assert cluster.fault.agent_killed("node01", "sleep 61") >= 1
            assert session.wait(10) != 0
        finally:
            session.kill()
    assert not any("sleep 61" in process.command for process in cluster.processes("node01"))


def test_python_missing_and_replaced(cluster: Cluster) -> None:
    with cluster.fault.python_missing("node01"):
        assert cluster.ssh("node01", "python3 -c 'print(1)'").returncode == 127
    with cluster.fault.python_replaced("node01", "#!/bin/sh\nprintf 'garbage\\377\\000'\n"):
        done = cluster.run("node01", ["python3", "-c", "print(1)"])
        assert done.stdout.startswith("garbage")
    assert cluster.ssh("node01", "python3 -c 'print(1)'").stdout.strip() == "1"


# ---- signing in ----------------------------------------------------------------------------------------------


def converse(config: str, answers: dict[str, str], timeout: float = 20) -> str:
    """Run `ssh login echo WELCOME` on a terminal and answer its prompts; everything it showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp("ssh", ["ssh", "-F", config, "-o", "NumberOfPasswordPrompts=1", "login", "echo WELCOME"])
    shown, answered, deadline = "", 0, time.monotonic() + timeout
    try:
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 0.5)[0]:
                continue
            try:
                data = os.read(terminal, 4096)
            except OSError:
                break
            if not data:
                break
            shown += data.decode(errors="replace")
            for prompt, answer in answers.items():
                if prompt in shown[answered:]:
                    answered = len(shown)
                    os.write(terminal, answer.encode() + b"\n")
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    return shown


def test_sign_in_modes(cluster: Cluster) -> None:
    run = cluster.layout.run
    cluster.config_path("alice", identity="none")
    with cluster.sign_in("password") as sign_in:
        assert not reachable(cluster, "login")
        assert "WELCOME" in converse(str(run / "ssh_config-alice-none"), {"password:": sign_in.password})
        assert "WELCOME" not in converse(str(run / "ssh_config-alice-none"), {"password:": "wrong"})
    with cluster.sign_in("key+otp") as sign_in:
        assert not reachable(cluster, "login")
        assert "WELCOME" in converse(str(run / "ssh_config"), {"Verification code:": sign_in.otp_code()})
        assert "WELCOME" not in converse(str(run / "ssh_config"), {"Verification code:": "000000"})
    with cluster.sign_in("password+otp") as sign_in:
        answers = {"Password:": sign_in.password, "Verification code:": sign_in.otp_code()}
        assert "WELCOME" in converse(str(run / "ssh_config-alice-none"), answers)
    assert reachable(cluster, "login")


def test_an_encrypted_key_wants_its_passphrase(cluster: Cluster) -> None:
    config = cluster.config_path("alice", identity="encrypted")
    assert "ssh_config-alice-encrypted" in config.read_text()
    _, passphrase = cluster.encrypted_key("alice")
    shown = converse(str(cluster.layout.run / "ssh_config-alice-encrypted"), {"Enter passphrase": passphrase})
    assert "WELCOME" in shown
