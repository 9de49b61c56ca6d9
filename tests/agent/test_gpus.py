"""GPUs through the real pynvml and a stand-in libnvidia-ml, in the real agent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mleconsole.api import Absent, Gpu, GpuFacts, Plugin, Process
from mleconsole.collect import frames
from mleconsole_plugins.nvidia.probes import PROBES, parse_gpu_facts, parse_gpus
from mleconsole_plugins.processes.probes import PROBES as PROCESS_PROBES
from mleconsole_plugins.processes.probes import parse_processes

NVIDIA = Plugin("nvidia", "nvidia", probes=PROBES, remote="mleconsole_plugins.nvidia.remote", modules=("pynvml",))
PROCESSES = Plugin(
    "processes",
    "processes",
    probes=PROCESS_PROBES,
    remote="mleconsole_plugins.processes.remote",
    modules=("pynvml",),
)
PYTHON = os.path.realpath(sys.executable)  # not that of a virtual environment, which may have a py-spy beside it
LOST = Absent("GPU is lost")


@pytest.fixture
def start(agent: Any, gpus: Any) -> Callable[..., Any]:
    """An agent whose pynvml is on its way; PATH has no Python with a pynvml of its own."""

    def begin(*plugins: Plugin, **settings: Any) -> Any:
        running = agent(*plugins, **{"env": {**gpus.env, "PATH": "/usr/bin:/bin"}, **settings})
        running.wait("hello")
        return running

    return begin


def told(running: Any, sampler: str, parse: Any, where: Any = lambda records: True) -> dict[Any, Any]:
    """The records of the next sample of which `where` holds; pynvml is sent when it is wanted."""
    while True:
        frame = running.wait(None, where=lambda frame: frame.type == "want" or frame.name == sampler)
        if frame.type == "want":
            running.say(running.bundle.module(frame.name))
            continue
        if frame.type != "s":
            continue
        (records,) = parse(frame.data, "node01").records.values()
        if where(records):
            return dict(records)


def test_all_fields(start: Any, gpus: Any) -> None:
    gpus.set(
        "count 2",
        "*.util 97",
        "*.mem_util 45",
        "*.power_mw 612345",
        "*.mem_used_mib 71234",
        "*.temp 64",
        "*.clk_sm 1755",
        "1.throttle 0x44",
        "1.util 0",
    )
    running = start(NVIDIA)
    records = told(running, "gpus", parse_gpus)
    assert records["node01", "0"] == Gpu(
        index=0,
        util_percent=97,
        memory_util_percent=45,
        power_watts=612,
        memory_used_mib=71234,
        temperature_celsius=64,
        sm_clock_mhz=1755,
        throttle=(),
        host="node01",
    )
    assert records["node01", "1"].throttle == ("sw_power_cap", "hw_thermal")
    assert records["node01", "1"].util_percent == 0, "zero is a value"


def test_facts_and_error_counters(start: Any, gpus: Any) -> None:
    gpus.set(
        "count 2",
        "driver 570.1",
        "*.uuid GPU-1",
        "1.ecc.corrected.volatile 5",
        "1.ecc.uncorrected.volatile 2",
        "1.remap.corr 1",
        "1.remap.unc 2",
        "1.remap.pending 1",
        "1.pcie_width 8",
        "1.nvlink.3 0",
        "1.nvlink.4.err.0 7",
        "1.nvlink.5.err.1 1",
    )
    records = told(start(NVIDIA), "gpu_facts", parse_gpu_facts)
    well, ill = records["node01", "0"], records["node01", "1"]
    assert well == GpuFacts(
        index=0,
        uuid="GPU-1",
        name=well.name,
        memory_total_mib=81559,
        power_limit_watts=700.0,
        sm_clock_max_mhz=1980,
        ecc_corrected=0,
        ecc_uncorrected=0,
        remapped_rows=0,
        remap_pending=False,
        remap_failed=False,
        pcie_gen=5,
        pcie_gen_max=5,
        pcie_width=16,
        pcie_width_max=16,
        nvlinks_up=18,
        nvlinks_total=18,
        nvlink_errors=0,
        driver="570.1",
        host="node01",
    )
    assert isinstance(well.name, str) and well.name
    assert (ill.ecc_corrected, ill.ecc_uncorrected, ill.remapped_rows, ill.remap_pending) == (5, 2, 3, True)
    assert (ill.pcie_width, ill.nvlinks_up, ill.nvlinks_total, ill.nvlink_errors) == (8, 17, 18, 8)


@pytest.mark.parametrize("lost", ["1", "2"])  # after its handle was had, and before
def test_a_lost_gpu_does_not_lose_the_other_seven(start: Any, gpus: Any, lost: str) -> None:
    running = start(NVIDIA, periods={"gpus": 0.1, "gpu_facts": 0.1})
    told(running, "gpus", parse_gpus)
    gpus.set("count 8", f"3.lost {lost}", "*.util 50")
    records = told(running, "gpus", parse_gpus, lambda records: records["node01", "3"].util_percent == LOST)
    dead = records.pop(("node01", "3"))
    assert dead == Gpu(index=3, **dict.fromkeys(Gpu.__struct_fields__[1:8], LOST), host="node01")
    assert [record.util_percent for record in records.values()] == [50] * 7
    running.say(frames.once("gpu_facts"))  # its change may have been told while we waited for the other
    facts = told(running, "gpu_facts", parse_gpu_facts, lambda records: records["node01", "3"].uuid == LOST)
    assert facts["node01", "3"].nvlinks_up == LOST
    assert sum(record.uuid != LOST for record in facts.values()) == 7
    gpus.set("count 8", "*.util 60")
    told(running, "gpus", parse_gpus, lambda records: records["node01", "3"].util_percent == 60)


def test_fields_fail_one_by_one(start: Any, gpus: Any) -> None:
    gpus.set("count 1", "0.err.GetUtilizationRates 3", "0.err.GetPowerUsage 4", "0.util 1")
    record = told(start(NVIDIA), "gpus", parse_gpus)["node01", "0"]
    assert record.util_percent == record.memory_util_percent == Absent("not supported by this GPU")
    assert record.power_watts == Absent("permission denied")
    assert record.temperature_celsius == 32


def test_a_driver_that_is_not_loaded(start: Any, gpus: Any) -> None:
    gpus.set("count 8", "init_error 9")
    running = start(NVIDIA)
    frame = running.wait("want")
    running.say(running.bundle.module(frame.name))
    assert running.wait("a", "gpus").reason == "the NVIDIA driver is not loaded"


def test_no_driver_at_all(agent: Any) -> None:
    running = agent(NVIDIA, PROCESSES, env={"LD_LIBRARY_PATH": ""})
    if running.wait(None, "gpus").type != "a":
        pytest.skip("this machine has a real NVIDIA driver")
    reasons = {frame.reason for frame in running.frames if frame.type == "a"}
    assert reasons == {"no NVIDIA driver: libnvidia-ml.so.1 not found"}
    running.wait("s", "processes")
    assert not [frame for frame in running.frames if frame.type == "want"], "no module is sent for nothing"


def test_a_driver_that_hangs_hides_only_gpu_values(start: Any, gpus: Any) -> None:
    gpus.set("count 1")
    running = start(
        NVIDIA, PROCESSES, periods={"gpus": 0.1, "processes": 0.2, "gpu_facts": 3600}, deadlines={"gpus": 0.3}
    )
    told(running, "gpus", parse_gpus)
    told(running, "processes", parse_processes)
    gpus.set("count 1", "0.sleep_ms.GetUtilizationRates 6000", "0.sleep_ms.GetComputeRunningProcesses 6000")
    assert running.wait("a", "gpus").reason == "did not answer within 0.3 s (hung)"
    running.say(frames.once("processes"))
    told(running, "processes", parse_processes)
    gpus.set("count 1", "0.util 12")
    told(running, "gpus", parse_gpus, lambda records: records["node01", "0"].util_percent == 12)


# -- processes --------------------------------------------------------------------------------------------------------


@pytest.fixture
def rank() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts Python processes that look like ranks of a job; each is up when it is given back."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(code: str = "", argv: tuple[str, ...] = (), **env: str) -> subprocess.Popen[bytes]:
        words = [PYTHON, "-c", code + "\nprint('up', flush=True)\nimport sys; sys.stdin.read()"]
        around = {"PATH": "/usr/bin:/bin", "SECRET_TOKEN": "do not tell", **env}
        one = subprocess.Popen([*argv, *words], env=around, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert one.stdout is not None and one.stdout.readline() == b"up\n"
        running.append(one)
        return one

    yield begin
    for one in running:
        one.kill()
        one.communicate()


def test_ranks_are_found_with_job_and_gpus(start: Any, gpus: Any, rank: Any, tmp_path: Path) -> None:
    job = {"SLURM_JOB_ID": "4242", "SLURM_STEP_ID": "0", "SLURM_PROCID": "9", "SLURM_LOCALID": "1"}
    one = rank(RANK="17", LOCAL_RANK="1", **job)
    other = rank(**job, SLURM_ARRAY_JOB_ID="4240", SLURM_ARRAY_TASK_ID="3")
    stranger = rank()  # no job, no GPU: of no interest
    pyspy = tmp_path / "py-spy"
    pyspy.touch(0o755)
    gpus.set("count 2", f"0.proc {one.pid} 1000", f"1.proc {one.pid} 234", "1.proc 4000000 77")
    running = start(PROCESSES, options={"tools": {"py-spy": str(pyspy)}})
    frame_with: dict[Any, Any] = told(
        running, "processes", parse_processes, lambda records: ("node01", str(other.pid)) in records
    )
    record = frame_with["node01", str(one.pid)]
    assert isinstance(record, Process)
    assert (record.gpus, record.memory_mib) == ((0, 1), 1234)
    assert (record.job_id, record.step_id, record.rank, record.local_rank) == ("4242", "0", 17, 1)
    assert record.python is True and record.pyspy == str(pyspy)
    assert isinstance(record.command, str) and len(record.command) <= 120 and PYTHON in record.command
    assert isinstance(record.started, (int, float)) and record.started > 1e9
    second = frame_with["node01", str(other.pid)]
    assert (second.rank, second.local_rank, second.gpus) == (9, 1, ())
    assert second.memory_mib == Absent("holds no GPU memory")
    assert second.extra["array_job"] == "4240_3" and second.extra["ppid"] == os.getpid()
    hidden = frame_with["node01", "4000000"]
    assert (hidden.gpus, hidden.memory_mib) == ((1,), 77)
    assert hidden.user == Absent("this host does not show that process")
    assert ("node01", str(stranger.pid)) not in frame_with
    assert b"do not tell" not in b"".join(frame.data for frame in running.frames)


def test_a_launcher_is_no_rank(start: Any, rank: Any) -> None:
    worker = "import os, subprocess, sys\nos.environ.update(RANK='5', LOCAL_RANK='1')\n" + (
        "child = subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'], stdin=subprocess.PIPE)"
    )
    launcher = rank(worker, SLURM_JOB_ID="7", SLURM_STEP_ID="0", SLURM_PROCID="0")
    records = told(
        start(PROCESSES),
        "processes",
        parse_processes,
        lambda records: any(record.extra.get("ppid") == launcher.pid for record in records.values()),
    )
    (child,) = [record for record in records.values() if record.extra["ppid"] == launcher.pid]
    assert (child.rank, child.local_rank) == (5, 1)
    assert records["node01", str(launcher.pid)].rank == Absent("it launches the ranks")


def test_what_execs_into_python_later_is_found(start: Any, rank: Any, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    words = ["sh", "-c", f'read line < {fifo}; exec "$0" -c "import sys; sys.stdin.read()"', sys.executable]
    env = {"PATH": "/usr/bin:/bin", "SLURM_JOB_ID": "77", "SLURM_STEP_ID": "1"}
    late = subprocess.Popen(words, env=env, stdin=subprocess.PIPE)
    try:
        running = start(PROCESSES, periods={"processes": 0.1})
        first = told(running, "processes", parse_processes)
        assert ("node01", str(late.pid)) not in first, "a shell of a job is no Python"
        fifo.write_text("go\n")
        told(running, "processes", parse_processes, lambda records: ("node01", str(late.pid)) in records)
        late.communicate()
        told(running, "processes", parse_processes, lambda records: ("node01", str(late.pid)) not in records)
    finally:
        late.kill()
        late.wait()


def test_wrappers_and_agents_are_left_out(agent: Any, start: Any, gpus: Any, rank: Any) -> None:
    job = {"SLURM_JOB_ID": "4242", "SLURM_STEP_ID": "0"}
    other_agent = agent(PROCESSES, env={**gpus.env, **job})
    other_agent.wait("hello")
    real = rank(**job)
    records = told(
        start(PROCESSES, env={**gpus.env, **job, "PATH": "/usr/bin:/bin"}),
        "processes",
        parse_processes,
        lambda records: ("node01", str(real.pid)) in records,
    )
    assert ("node01", str(other_agent.process.pid)) not in records
    assert not [record for record in records.values() if "mleconsole-agent" in str(record.command)]


def test_pyspy_beside_its_python_is_found(start: Any, rank: Any, tmp_path: Path) -> None:
    binaries = tmp_path / "venv/bin"
    binaries.mkdir(parents=True)
    (binaries / "py-spy").touch(0o755)
    one = rank(SLURM_JOB_ID="1", VIRTUAL_ENV=str(tmp_path / "venv"))
    records = told(start(PROCESSES), "processes", parse_processes, lambda records: ("node01", str(one.pid)) in records)
    if shutil.which("py-spy", path=f"/usr/bin:/bin:{os.path.dirname(PYTHON)}"):
        pytest.skip("a py-spy of this machine is found first")
    assert records["node01", str(one.pid)].pyspy == str(binaries / "py-spy")
