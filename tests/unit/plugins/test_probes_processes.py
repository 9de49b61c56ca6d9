"""The processes sampler on a /proc of our own: cgroups, slurmd's word, pids given anew, what is not ours to read."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mleconsole.agent.calls import Calls, Missing, Programs
from mleconsole.api import Absent, Process
from mleconsole_plugins.processes import remote
from mleconsole_plugins.processes.probes import PROBES, parse_processes

NOT_OURS = Absent("its environment is not ours to read")
UPTIME = 5000.0
TICKS = os.sysconf("SC_CLK_TCK")


class Proc:
    """A /proc folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        (root / "uptime").write_text(f"{UPTIME} 1.0\n")
        (root / "stat").write_text("cpu 1 2 3 4\nbtime 1700000000\n")

    def add(
        self,
        pid: int,
        argv: str = "/opt/venv/bin/python train.py",
        cgroup: str = "0::/",
        began: int = 1000,
        exe: str | None = "/usr/bin/python3.11",
        env: str | None = None,
        ppid: int = 1,
        flags: int = 0,
        comm: str = "py (th) on",
    ) -> None:
        base = self.root / str(pid)
        base.mkdir(exist_ok=True)
        rest = ["S", str(ppid), "1", "1", "0", "-1", str(flags), *["0"] * 12, str(began), *["0"] * 20]
        (base / "stat").write_text(f"{pid} ({comm}) {' '.join(rest)}\n")
        (base / "cmdline").write_bytes(argv.replace(" ", "\0").encode() + b"\0" if argv else b"")
        (base / "cgroup").write_text(cgroup + "\n")
        (base / "status").write_text(f"Name:\tpython\nUid:\t{os.getuid()}\t0\t0\t0\n")
        (base / "exe").unlink(missing_ok=True)
        if exe is not None:
            (base / "exe").symlink_to(exe)
        if env is not None:
            (base / "environ").write_bytes(env.replace(" ", "\0").encode() + b"\0")

    def drop(self, pid: int) -> None:
        shutil.rmtree(self.root / str(pid))


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path / "proc")


@pytest.fixture
def state(proc: Proc, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(remote, "LIBRARY", "libno-such-driver.so.1")
    return {"options": {}, "call": Calls(), "run": Programs(), "proc": str(proc.root)}


@pytest.fixture
def scontrol(tmp_path: Path) -> Callable[[str], Path]:
    """Puts a scontrol on PATH that says `text`; the file given back has a line for every time it was run."""

    def make(text: str, then: str = "") -> Path:
        log, told = tmp_path / "log", tmp_path / "told"
        told.write_text(text)
        program = tmp_path / "bin/scontrol"
        program.write_text(f'#!/bin/sh\necho "$@" >> {log}\n/bin/cat {told}\n{then}\n')
        program.chmod(0o755)
        return log

    return make


def sample(state: dict[str, Any]) -> dict[int, Process]:
    raw = msgspec.json.encode(remote.sample_processes(state))
    (records,) = parse_processes(raw, "node01").records.values()
    return {record.pid: record for record in records.values()}


@pytest.mark.parametrize(
    ("cgroup", "step"),
    [
        ("0::/system.slice/slurmstepd.scope/job_4242/step_0/user/task_1", "0"),
        ("0::/system.slice/node01_slurmstepd.scope/job_4242/step_batch/user/task_0", "batch"),
        ("4:memory:/slurm/uid_1000/job_4242/step_17/task_0\n1:name=systemd:/", "17"),
        ("9:devices:/slurm_node01/uid_0/job_4242/step_extern", "extern"),
    ],
)
def test_the_cgroup_tells_the_job_of_anybody(state: dict[str, Any], proc: Proc, cgroup: str, step: str) -> None:
    proc.add(100, cgroup=cgroup)
    record = sample(state)[100]
    assert (record.job_id, record.step_id) == ("4242", step)
    assert record.rank == record.local_rank == NOT_OURS
    assert record.command == "/opt/venv/bin/python train.py" and record.python
    assert record.started == 1700000000 + 1000 // TICKS
    assert record.memory_mib == Absent("no NVIDIA driver: libno-such-driver.so.1 not found")
    assert record.extra == {"ppid": 1}


@pytest.mark.parametrize(
    ("env", "rank", "local"),
    [
        ("RANK=3 LOCAL_RANK=1 SLURM_PROCID=0 SLURM_LOCALID=0", 3, 1),
        ("OMPI_COMM_WORLD_RANK=5 OMPI_COMM_WORLD_LOCAL_RANK=2", 5, 2),
        ("PMI_RANK=6 MPI_LOCALRANKID=0", 6, 0),
        ("SLURM_PROCID=7 SLURM_LOCALID=3", 7, 3),
        ("RANK=x SLURM_PROCID=7", 7, Absent("no rank in its environment")),
        ("HOME=/root", Absent("no rank in its environment"), Absent("no rank in its environment")),
    ],
)
def test_ranks_by_their_launchers_names(
    state: dict[str, Any], proc: Proc, env: str, rank: int | Absent, local: int | Absent
) -> None:
    proc.add(100, env="SLURM_JOB_ID=1 SLURM_STEP_ID=0 " + env)
    record = sample(state)[100]
    assert (record.rank, record.local_rank) == (rank, local)


def test_only_named_variables_are_read(state: dict[str, Any], proc: Proc) -> None:
    proc.add(100, env="SLURM_JOB_ID=1 AWS_SECRET_ACCESS_KEY=abc RANK=1")
    assert b"abc" not in msgspec.json.encode(remote.sample_processes(state))
    assert set(remote.environment(str(proc.root), 100)) == {"SLURM_JOB_ID", "RANK"}


@pytest.mark.parametrize(
    ("step", "told"),
    [("SLURM_STEP_ID=4294967291", "batch"), ("SLURM_STEP_ID=4294967290", "interactive"), ("", "batch")],
)
def test_steps_with_names(state: dict[str, Any], proc: Proc, step: str, told: str) -> None:
    proc.add(100, env=f"SLURM_JOB_ID=1 {step}")
    assert sample(state)[100].step_id == told


@pytest.mark.parametrize(
    "process",
    [
        {"argv": "srun -n4 python train.py", "exe": "/usr/bin/srun"},
        {"argv": "slurmstepd: [4242.0]", "exe": None},
        {"argv": "/bin/bash script.sh", "exe": "/usr/bin/bash"},
        {"argv": "python3 -I -S -u -c exec(compile(1,'mleconsole-agent','exec'))"},
        {"argv": "", "exe": None, "ppid": 2, "comm": "kworker/0:1"},
        {"argv": "", "exe": None, "flags": 0x208040},
    ],
)
def test_what_is_no_rank_is_left_out(state: dict[str, Any], proc: Proc, process: dict[str, Any]) -> None:
    proc.add(100, cgroup="0::/slurmstepd.scope/job_1/step_0/user/task_0", **process)
    assert sample(state) == {}


def test_pythons_of_no_job_are_left_out(state: dict[str, Any], proc: Proc) -> None:
    proc.add(100, env="HOME=/root PATH=/usr/bin")
    assert sample(state) == {}


def test_a_python_we_may_not_look_at_is_known_by_its_command(state: dict[str, Any], proc: Proc) -> None:
    cgroup = "0::/slurmstepd.scope/job_1/step_0/user/task_0"
    proc.add(100, argv="/opt/conda/bin/python3.10 x.py", exe=None, cgroup=cgroup)
    proc.add(101, argv="/opt/conda/bin/pythonic", exe=None, cgroup=cgroup)
    assert list(sample(state)) == [100]


def test_slurmd_is_asked_for_what_nothing_else_explains(
    state: dict[str, Any], proc: Proc, scontrol: Callable[[str], Path]
) -> None:
    log = scontrol(
        "PID      JOBID    STEPID   LOCALID GLOBALID\n106      88        0        1       5       \n"
        "107      88        batch    -       -       \n"
    )
    proc.add(106)
    proc.add(107)
    proc.add(108)  # a Python daemon of somebody, in no job
    found = sample(state)
    assert set(found) == {106, 107}
    assert (found[106].job_id, found[106].step_id, found[106].rank, found[106].local_rank) == ("88", "0", 5, 1)
    assert (found[107].step_id, found[107].rank) == ("batch", NOT_OURS)
    for _ in range(3):
        assert set(sample(state)) == {106, 107}
    assert log.read_text() == "listpids\n", "asked once while there is nothing new to explain"


def test_slurmd_is_left_alone_when_cgroups_tell_everything(
    state: dict[str, Any], proc: Proc, scontrol: Callable[[str], Path]
) -> None:
    log = scontrol("")
    proc.add(100, cgroup="0::/slurmstepd.scope/job_1/step_0/user/task_0")
    assert set(sample(state)) == {100}
    assert not log.exists()


@pytest.mark.parametrize("then", ["exit 1", "exec /bin/sleep 1000", "/bin/sleep 1000"])
def test_a_slurmd_that_fails_or_hangs_costs_nothing_else(
    state: dict[str, Any], proc: Proc, scontrol: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    monkeypatch.setattr(remote, "LISTPIDS_DEADLINE", 0.2)
    scontrol("slurm_load_node error\n", then)
    proc.add(100, cgroup="0::/slurmstepd.scope/job_1/step_0/user/task_0")
    proc.add(101)
    assert set(sample(state)) == {100}


def test_a_pid_given_anew_is_another_process(state: dict[str, Any], proc: Proc) -> None:
    cgroup = "0::/slurmstepd.scope/job_%d/step_0/user/task_0"
    proc.add(100, cgroup=cgroup % 1, argv="python old.py")
    assert sample(state)[100].job_id == "1"
    proc.add(100, cgroup=cgroup % 2, argv="python new.py", began=2000)
    assert (sample(state)[100].job_id, sample(state)[100].command) == ("2", "python new.py")
    proc.drop(100)
    assert sample(state) == {}


def test_old_processes_are_looked_at_in_turn(state: dict[str, Any], proc: Proc) -> None:
    proc.add(100, argv="/bin/bash x", exe="/usr/bin/bash", comm="bash")
    assert sample(state) == {}
    proc.add(100, cgroup="0::/slurmstepd.scope/job_1/step_0/user/task_0", comm="python")
    samples = [set(sample(state)) for _ in range(remote.TURNS)]
    assert {100} in samples, "within one round of turns its new name is seen"


def test_young_processes_are_looked_at_sooner(state: dict[str, Any], proc: Proc) -> None:
    began = int((UPTIME - 2.0) * TICKS)
    proc.add(100, argv="slurmstepd", exe=None, comm="slurmstepd", began=began)
    assert sample(state) == {}
    proc.add(100, cgroup="0::/slurmstepd.scope/job_1/step_0/user/task_0", comm="python", began=began)
    (proc.root / "uptime").write_text(f"{UPTIME + 3.0} 1.0\n")
    assert set(sample(state)) == {100}


def test_commands_are_bounded_and_their_odd_bytes_are_text(state: dict[str, Any], proc: Proc) -> None:
    proc.add(100, argv="python " + "x" * 500, cgroup="0::/slurmstepd.scope/job_1/step_0/user/task_0")
    (proc.root / "100/cmdline").write_bytes(b"python\0\xff\x1b[31m" + b"x" * 500 + b"\0")
    command = sample(state)[100].command
    assert isinstance(command, str) and len(command) == remote.COMMAND_LIMIT
    assert command.startswith("python \ufffd\x1b[31m")


def test_pyspy_of_another_person_is_not_run(state: dict[str, Any], proc: Proc, tmp_path: Path) -> None:
    binaries = tmp_path / "theirs/bin"
    binaries.mkdir(parents=True)
    pyspy = binaries / "py-spy"
    pyspy.touch(0o755)
    cgroup = "0::/slurmstepd.scope/job_1/step_0/user/task_0"
    proc.add(100, argv=f"{binaries}/python x.py", cgroup=cgroup)
    assert sample(state)[100].pyspy == str(pyspy)
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(pyspy, 12345, 12345)
    state.pop("pyspy")
    assert sample(state)[100].pyspy == Absent("no py-spy on PATH or beside its Python")


def test_a_proc_that_is_not_there(state: dict[str, Any], tmp_path: Path) -> None:
    state["proc"] = str(tmp_path / "none")
    with pytest.raises(remote.Missing, match="the processes can't be listed"):
        remote.sample_processes(state)


def test_programs_that_are_not_there_are_missing() -> None:
    with pytest.raises(Missing, match="can't be run"):
        Programs()(["/no/such/program"], 1.0)
    with pytest.raises(Missing, match="exit status 3"):
        Programs()([sys.executable, "-c", "raise SystemExit(3)"], 10.0)


def test_what_the_plugin_takes_from_here() -> None:
    assert [(probe.id, probe.sampler, probe.on_change) for probe in PROBES] == [("processes", "processes", True)]
