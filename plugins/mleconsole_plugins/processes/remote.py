"""Sampler of processes that hold a GPU or are a job's Python. Runs inside the agent: stdlib and pynvml, Python 3.6.

A host may have thousands of processes, nearly all of no interest: each is looked into once. Whether it has become
something else (by exec, or its pid was given anew) is seen by its name and start: of those in a job every time, of
young ones after 3, 6, 12 ... seconds, of the others in turn about once a minute.
"""

import ctypes
import os
import pwd
import re
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Set, Tuple

LIBRARY = "libnvidia-ml.so.1"
NVML_DEADLINE = 2.0  # seconds for the driver to list its processes
LISTPIDS_DEADLINE = 3.0  # seconds
LISTPIDS_EVERY = 15.0  # seconds at least between two askings of slurmd
YOUNG = 60.0  # seconds
FIRST_LOOK = 3.0  # seconds of age at which a young process is looked at again, then at twice that age
TURNS = 20  # samples in which every old process has its turn
COMMAND_LIMIT = 120  # characters
ENVIRON_LIMIT = 1 << 18  # bytes

CGROUP = re.compile(r"/job_(\d+)/step_([A-Za-z0-9_.+]+)")
PYTHON = re.compile(r"^(python|pypy)[0-9.]*t?$")
OURS = "mleconsole-agent"
WRAPPERS = ("srun", "slurmstepd", "slurmd", "sbatch", "salloc")
RANKS = ("RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID")
LOCAL_RANKS = ("LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID")
#: The only names of an environment that are looked at; of those, only job, step and ranks are told.
NAMES = frozenset(
    RANKS
    + LOCAL_RANKS
    + (
        "SLURM_JOB_ID",
        "SLURM_STEP_ID",
        "SLURM_ARRAY_JOB_ID",
        "SLURM_ARRAY_TASK_ID",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "PATH",
    )
)
#: Slurm's numbers of steps that have names.
STEPS = {"4294967290": "interactive", "4294967291": "batch", "4294967292": "extern"}


class Missing(Exception):
    """What is asked for is not there; the text says why."""


def absent(reason: str) -> "Dict[str, str]":
    return {"absent": reason}


def read(path: str, limit: int = 65536) -> bytes:
    """A file of /proc; b"" when the process is gone or not ours to read."""
    try:
        with open(path, "rb", 0) as file:
            return file.read(limit) or b""
    except OSError:
        return b""


class Seen(object):
    """What is remembered of one process."""

    def __init__(self, began: int, parent: int, kernel: bool, comm: bytes) -> None:
        self.began = began  # clock ticks since boot: with the pid it names the process
        self.parent = parent
        self.kernel = kernel
        self.comm = comm
        self.again = 0.0  # age in seconds at which it is looked at again while it is young
        self.uid = -1
        self.argv0 = ""
        self.command = ""
        self.exe = ""
        self.python = False
        self.wrapper = False
        self.job = ""
        self.step = ""
        self.env = {}  # type: Dict[str, str]


def stat(root: str, pid: int) -> "Optional[Tuple[int, int, int, bytes]]":
    """(start in ticks since boot, parent, flags, name), or None when it is gone."""
    head, _, tail = read("%s/%d/stat" % (root, pid), 1024).rpartition(b")")
    rest = tail.split()
    if len(rest) < 20:
        return None
    return int(rest[19]), int(rest[1]), int(rest[6]), head.partition(b"(")[2]


def environment(root: str, pid: int) -> "Dict[str, str]":
    """The allowed names of a process's environment; empty when it is not ours to read."""
    found = {}
    for pair in read("%s/%d/environ" % (root, pid), ENVIRON_LIMIT).split(b"\0"):
        name, _, value = pair.partition(b"=")
        key = name.decode("ascii", "replace")
        if key in NAMES:
            found[key] = value.decode("utf-8", "replace")
    return found


def look(root: str, pid: int, me: int) -> "Optional[Seen]":
    """Everything about one process; None when it is gone. `me`: the user whose environments may be read."""
    told = stat(root, pid)
    if told is None:
        return None
    began, parent, flags, comm = told
    seen = Seen(began, parent, bool(flags & 0x200000) or parent == 2, comm)
    if seen.kernel:
        return seen
    words = [word.decode("utf-8", "replace") for word in read("%s/%d/cmdline" % (root, pid), 4096).split(b"\0")]
    while words and not words[-1]:
        words.pop()
    try:
        seen.exe = os.readlink("%s/%d/exe" % (root, pid))
        if seen.exe.endswith(" (deleted)"):
            seen.exe = seen.exe[:-10]
    except OSError:
        pass
    program = os.path.basename(seen.exe or (words[0] if words else ""))
    seen.python = bool(PYTHON.match(program))
    seen.wrapper = program in WRAPPERS or (bool(words) and words[0].rstrip(":") in WRAPPERS) or is_ours(words)
    match = CGROUP.search(read("%s/%d/cgroup" % (root, pid)).decode("ascii", "replace"))
    if match:
        seen.job, seen.step = match.group(1), match.group(2)
    seen.argv0 = words[0] if words else ""
    seen.command = " ".join(words)[:COMMAND_LIMIT]
    try:
        seen.uid = os.stat("%s/%d" % (root, pid)).st_uid
    except OSError:
        return None
    if (me == 0 or seen.uid == me) and not seen.wrapper:
        seen.env = environment(root, pid)
        if not seen.job and seen.env.get("SLURM_JOB_ID"):
            seen.job = seen.env["SLURM_JOB_ID"]
            step = seen.env.get("SLURM_STEP_ID", "batch")
            seen.step = STEPS.get(step, step)
        if not (seen.job or seen.python):
            seen.env = {}
    return seen


def is_ours(words: "List[str]") -> bool:
    """Our own agent, or that of another person."""
    return any(OURS in word for word in words[1:8])


def scan(state: "Dict[str, Any]", root: str, wanted: "Set[int]") -> "Dict[int, Seen]":
    """All processes as last seen; looks into new, young, and interesting ones, and into some of the others in turn."""
    known = state.setdefault("known", {})  # type: Dict[int, Seen]
    turn = state["turn"] = (state.get("turn", -1) + 1) % TURNS
    ticks = float(os.sysconf("SC_CLK_TCK"))
    try:
        uptime = float(read(root + "/uptime").split()[0])
        pids = [int(name) for name in os.listdir(root) if name.isdigit()]
    except (OSError, ValueError, IndexError) as error:
        raise Missing("the processes can't be listed: %s" % error) from None
    me = os.geteuid()
    now = {}
    for pid in pids:
        seen = known.get(pid)
        if seen is not None:
            age = uptime - seen.began / ticks
            due = pid % TURNS == turn or pid in wanted or (seen.job != "" and not seen.wrapper)
            if not due and (seen.kernel or age > YOUNG or age < seen.again):
                now[pid] = seen
                continue
            told = stat(root, pid)
            if told is None:
                continue
            if told[0] == seen.began and told[3] == seen.comm:
                seen.parent = told[1]
                seen.again = max(FIRST_LOOK, 2 * age)
                now[pid] = seen
                continue
        seen = look(root, pid, me)
        if seen is not None:
            seen.again = max(FIRST_LOOK, 2 * (uptime - seen.began / ticks))
            now[pid] = seen
    state["known"] = now
    return now


def holders(state: "Dict[str, Any]") -> "Tuple[Dict[int, List[List[Any]]], str]":
    """{pid: [[gpu, MiB or its absence]]} of the compute processes, and why it is not known."""
    if "nvml" not in state:
        try:
            ctypes.CDLL(LIBRARY)
        except OSError:
            return {}, "no NVIDIA driver: %s not found" % LIBRARY
        nvml = state["module"]("pynvml")
        nvml.nvmlInit()
        state["nvml"] = nvml
    nvml = state["nvml"]
    found = {}  # type: Dict[int, List[List[Any]]]
    reason = ""
    for index in range(nvml.nvmlDeviceGetCount()):
        try:
            processes = nvml.nvmlDeviceGetComputeRunningProcesses(nvml.nvmlDeviceGetHandleByIndex(index))
        except nvml.NVMLError as error:
            reason = "GPU %d: %s" % (index, str(error).lower())
            continue
        for process in processes:
            used = process.usedGpuMemory
            memory = absent("not told by the driver") if used is None else int(used) >> 20
            found.setdefault(int(process.pid), []).append([index, memory])
    return found, reason


def ask_holders(state: "Dict[str, Any]") -> "Tuple[Dict[int, List[List[Any]]], str]":
    """The same within its deadline: a driver that hangs hides only which GPUs a process holds."""
    try:
        return state["call"]("nvml", holders, state).get(NVML_DEADLINE)  # type: ignore[no-any-return]
    except Exception as error:
        if type(error).__name__ == "Waiting":  # for pynvml: the runtime calls again when it is there
            raise
        state.pop("nvml", None)
        return {}, "the NVIDIA driver %s" % str(error) if "hung" in str(error) else str(error).lower()


def listpids(state: "Dict[str, Any]", unexplained: "Set[int]") -> "Dict[int, List[str]]":
    """{pid: [job, step, local rank, rank]} as slurmd knows them, asked only when there is something to explain."""
    now = time.monotonic()
    last = state.get("listpids")
    asked = state.get("listpids_for", set())
    if unexplained and (last is None or (now - last[0] >= LISTPIDS_EVERY and not unexplained <= asked)):
        found = {}  # type: Dict[int, List[str]]
        program = which("scontrol")
        try:
            text = state["run"]([program, "listpids"], LISTPIDS_DEADLINE).decode("utf-8", "replace") if program else ""
        except Exception:  # no slurmd here, or it does not tell us
            text = ""
        for line in text.splitlines():
            words = line.split()
            if len(words) >= 5 and words[0].isdigit():
                found[int(words[0])] = words[1:5]
        state["listpids"] = last = (now, found)
        state["listpids_for"] = set(unexplained)
    return last[1] if last is not None else {}


def which(program: str, path: str = "") -> str:
    """Absolute path of a program, or ""."""
    places = (path or os.environ.get("PATH", "")).split(os.pathsep)
    if not path:
        places += ["/usr/bin", "/usr/local/bin", "/opt/slurm/bin", "/usr/local/slurm/bin"]
    for place in places:
        found = os.path.join(place, program)
        if os.path.isabs(found) and os.path.isfile(found) and os.access(found, os.X_OK):
            return found
    return ""


def find_pyspy(state: "Dict[str, Any]", seen: Seen) -> "Any":
    """A py-spy for that process: the configured one, one on our PATH, one beside its own Python."""
    cache = state.setdefault("pyspy", {})  # type: Dict[str, Tuple[float, str]]
    set_path = state["options"].get("tools", {}).get("py-spy", "")
    places = [os.path.dirname(seen.argv0)]
    places += [os.path.join(seen.env[name], "bin") for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if seen.env.get(name)]
    places += [os.path.dirname(seen.exe)] if seen.exe else []
    places += seen.env.get("PATH", "").split(os.pathsep)
    key = os.pathsep.join([set_path, *places])
    now = time.monotonic()
    if key not in cache or now - cache[key][0] > 60.0:
        if set_path and os.access(set_path, os.X_OK):
            found = set_path
        else:
            found = which("py-spy") or trusted(which("py-spy", os.pathsep.join(p for p in places if p) or "-"))
        cache[key] = (now, found)
    return cache[key][1] or absent("no py-spy on PATH or beside its Python")


def trusted(path: str) -> str:
    """`path` when it is root's or our own: we do not run what another person put beside his process."""
    try:
        return path if path and os.stat(path).st_uid in (0, os.geteuid()) else ""
    except OSError:
        return ""


def user_name(state: "Dict[str, Any]", uid: int) -> str:
    names = state.setdefault("users", {})  # type: Dict[int, str]
    if uid not in names:
        try:
            names[uid] = pwd.getpwuid(uid).pw_name
        except KeyError:
            names[uid] = str(uid)
    return names[uid]


def real_user(root: str, pid: int, uid: int) -> int:
    """The real uid: the owner of /proc/PID is root for a process that must not be dumped."""
    match = re.search(rb"^Uid:\s+(\d+)", read("%s/%d/status" % (root, pid)), re.M) if uid == 0 else None
    return int(match.group(1)) if match else uid


def first(env: "Dict[str, str]", names: "Tuple[str, ...]") -> "Tuple[Any, str]":
    """The first number among those variables, and which it was."""
    for name in names:
        if env.get(name, "").isdigit():
            return int(env[name]), name
    return None, ""


def sample_processes(state: "Dict[str, Any]") -> "List[List[Any]]":
    """Rows of Process, by pid."""
    root = state.get("proc", "/proc")
    held, why = ask_holders(state)
    known = scan(state, root, set(held))
    chosen = [
        pid
        for pid, seen in known.items()
        if pid in held or (seen.python and not seen.wrapper and (seen.job or not seen.env))
    ]
    unexplained = {pid for pid in chosen if not known[pid].job}
    slurm = listpids(state, unexplained)
    launchers = {known[pid].parent for pid in chosen if "RANK" in known[pid].env}
    rows = []
    for pid in sorted(set(chosen) | set(held)):
        seen = known.get(pid)
        if seen is None:
            seen = Seen(
                0, 0, False, b""
            )  # the driver names a process that we can't see: of another container, or just gone
        told = slurm.get(pid)
        if not seen.job and told:
            seen.job, seen.step = told[0], told[1]
        if pid in held or seen.job:
            rows.append(row(state, root, pid, seen, held.get(pid, []), why, told, pid in launchers))
    return rows


def row(
    state: "Dict[str, Any]",
    root: str,
    pid: int,
    seen: Seen,
    gpus: "List[List[Any]]",
    why: str,
    told: "Optional[List[str]]",
    launcher: bool,
) -> "List[Any]":
    """One row of Process."""
    gone = seen.began == 0
    rank, source = first(seen.env, RANKS)
    local, _ = first(seen.env, LOCAL_RANKS)
    if rank is None and told is not None and told[3].isdigit():
        rank, local = int(told[3]), int(told[2]) if told[2].isdigit() else None
    if launcher and source != "RANK":
        rank = local = None
    if launcher:
        no_rank = "it launches the ranks"
    elif not seen.env and not gone:
        no_rank = "its environment is not ours to read"
    else:
        no_rank = "no rank in its environment"
    memories = [memory for _, memory in gpus]
    unknown = [memory for memory in memories if isinstance(memory, dict)]
    if unknown:
        memory = unknown[0]  # type: Any
    elif memories:
        memory = sum(memories)
    else:
        memory = absent(why or "holds no GPU memory")
    if "btime" not in state:
        match = re.search(rb"^btime (\d+)", read(root + "/stat", 1 << 20), re.M)
        state["btime"] = int(match.group(1)) if match else None
    boot = state["btime"]
    started = absent("not read") if gone or boot is None else boot + seen.began // os.sysconf("SC_CLK_TCK")
    extra = {"ppid": seen.parent}  # type: Dict[str, Any]
    if seen.env.get("SLURM_ARRAY_JOB_ID") and seen.env.get("SLURM_ARRAY_TASK_ID"):
        extra["array_job"] = "%s_%s" % (seen.env["SLURM_ARRAY_JOB_ID"], seen.env["SLURM_ARRAY_TASK_ID"])
    hidden = "this host does not show that process"
    return [
        pid,
        absent(hidden) if gone else user_name(state, real_user(root, pid, seen.uid)),
        absent(hidden) if gone else seen.command,
        sorted(index for index, _ in gpus),
        memory,
        seen.job or absent("no job"),
        seen.step or absent("no step"),
        absent(no_rank) if rank is None else rank,
        absent(no_rank) if local is None else local,
        seen.python,
        started,
        find_pyspy(state, seen) if seen.python else absent("not a Python process"),
        "",
        extra,
    ]


SAMPLERS = {"processes": sample_processes}
