"""The agent: fed to a host's Python on stdin, runs samplers on their periods and tells what they answer.

Stdlib only, valid from Python 3.6 to 3.14. A plugin's `remote.py` declares `SAMPLERS = {name: function}`; each
function is called as `sample(state)` in a thread of its own and returns what JSON can say. `state` is a dict private
to that sampler which lives as long as the agent; the runtime puts in:

    state["options"]            the console's options: {"filesystems": [...], "tools": {program: path}, ...}
    state["module"](name)       a module the console carries (pynvml); may raise, let that pass
    state["run"](argv, seconds) stdout (bytes) of a short-lived program that is on this host; raises Missing
    state["call"](key, f, *a)   a Call: f(*a) in a thread of its own, never two of the same key; see Call

A sampler says that a thing is not there by raising an exception of its own module's class `Missing`, reason in words.
"""

import binascii
import json
import os
import signal
import sys
import threading
import time
import zlib

from mleconsole.agent.calls import Call, Missing, Programs
from mleconsole.agent.modules import Modules, load
from mleconsole.agent.outbox import Outbox, encode
from mleconsole.agent.sampler import Sampler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, NoReturn, Sequence, Tuple

PROTOCOL = 1
MARKER = "\nMLECONSOLE-AGENT-%d\n" % PROTOCOL
HEARTBEAT = 60.0  # seconds without a line from the console after which the agent ends
COST_EVERY = 10.0  # seconds
LARGEST = 4000000  # bytes of one line from the console
NICE = 10


class Agent(object):
    """Reads the console's lines, watches the samplers, and ends when nobody is there any more."""

    def __init__(self, settings: "Dict[str, Any]", hashes: "Dict[str, str]", descriptor: int) -> None:
        self._settings = settings
        self._heartbeat = float(settings.get("heartbeat", HEARTBEAT))
        self._programs = Programs()
        self.outbox = Outbox(descriptor, self.leave)
        home = os.environ.get("HOME", "")
        caches = [os.environ.get("XDG_CACHE_HOME", ""), os.path.join(home, ".cache") if home else ""]
        self._modules = Modules(hashes, self.outbox, caches)
        self._samplers: "Dict[str, Sampler]" = {}
        self._heard = self._began = time.monotonic()

    def leave(self, *_: "Any") -> "NoReturn":
        """End at once: threads that hang in the kernel must not hold us."""
        self._programs.end()
        try:
            Call(self._modules.end, ()).ended.wait(0.5)  # not for ever: the home directory may hang
        except RuntimeError:  # no thread to be had
            pass
        os._exit(0)

    def add(self, plugin: str, source: str, names: "Sequence[str]") -> None:
        """Compile a plugin's samplers and start them; one that can't run here costs only itself."""
        try:
            module = load("mleconsole_remote_" + plugin, source, register=False)
            functions = [(name, module.SAMPLERS[name]) for name in names]
        except BaseException as error:
            reason = "does not run on this host's Python %s: %r" % (sys.version.split()[0], error)
            for name in names:
                self._absent(name, reason)
            return
        for name, function in functions:
            sampler = self._samplers[name] = Sampler(name, function, self._settings, self.outbox)
            sampler.missing = (Missing, getattr(module, "Missing", Missing))
            sampler.state["module"] = self._modules.get
            sampler.state["run"] = self._programs
            sampler.start(self._began)

    def listen(self) -> "NoReturn":
        """The console's lines until EOF; what is no line of ours is passed over."""
        while True:
            try:
                line = sys.stdin.buffer.readline(LARGEST)
            except (OSError, ValueError):
                line = b""
            if not line:
                self.leave()
            try:
                self._line(json.loads(line.decode("utf-8")))
            except Exception:  # garbage on stdin
                continue

    def watch(self) -> "NoReturn":
        """For ever: heartbeat, hung samplers, our own cost."""
        used, since = sum(os.times()[:4]), time.monotonic()
        while True:
            time.sleep(min(0.5, max(0.02, self._heartbeat / 4)))
            now = time.monotonic()
            if now - self._heard > self._heartbeat:
                self.leave()
            for sampler in list(self._samplers.values()):
                sampler.watch(now)
            if now - since >= COST_EVERY:
                total = sum(os.times()[:4])
                cpu = round(100.0 * (total - used) / (now - since), 2)
                used, since = total, now
                self.outbox.put("cost", encode({"t": "cost", "cpu": cpu, "rss": resident()}))

    def _absent(self, name: str, reason: str) -> None:
        self.outbox.put(name, encode({"t": "a", "n": name, "r": reason[:300]}))

    def _line(self, line: "Dict[str, Any]") -> None:
        kind = line["t"]
        self._heard = time.monotonic()
        if kind == "beat":
            self.outbox.put("beat", encode({"t": "beat"}))
        elif kind == "periods":
            for name, period in line["p"].items():
                if name in self._samplers:
                    self._samplers[name].pace(float(period))
            self._settings["periods"] = line["p"]  # of those that have not been compiled yet
        elif kind == "once":
            self._samplers[line["n"]].ask()
        elif kind == "module":
            Call(self._module, (line["n"], line["z"]))  # loading and caching take their time
        elif kind == "options":
            self._settings["options"] = line["o"]
            for sampler in list(self._samplers.values()):
                sampler.state["options"] = line["o"]
        elif kind == "bye":
            self.leave()

    def _module(self, name: str, packed: str) -> None:
        source = zlib.decompress(binascii.a2b_base64(packed))
        self._modules.arrived(name, source)
        for sampler in list(self._samplers.values()):
            if sampler.waiting:
                sampler.ask()
        self._modules.keep(name, source)


def resident() -> int:
    """Bytes of memory in use by this process; 0 where /proc does not tell."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def whoami() -> str:
    for name in ("USER", "LOGNAME"):
        if os.environ.get(name):
            return os.environ[name]
    return str(os.getuid())


def boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return ""


def own_stdout() -> int:
    """Our own descriptor of stdout; whatever a library prints there goes to stderr instead, not among the frames."""
    descriptor = os.dup(1)
    try:
        os.dup2(2, 1)
    except OSError:  # stderr is closed
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return descriptor


def main(bundle: str, plugins: "List[Tuple[str, str, List[str]]]", hashes: "Dict[str, str]") -> "NoReturn":
    """`plugins` are (id, source of its remote.py, sampler names), `hashes` those of the modules the console carries."""
    try:
        os.nice(NICE)
    except OSError:
        pass
    descriptor = own_stdout()
    os.write(descriptor, MARKER.encode("ascii"))
    try:
        settings = json.loads(sys.stdin.buffer.readline(LARGEST).decode("utf-8"))
        agent = Agent(settings, hashes, descriptor)
    except (ValueError, TypeError, AttributeError) as error:
        sys.exit("mleconsole agent: its settings did not arrive whole: %s" % error)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, agent.leave)
    signal.alarm(0)  # the bootstrap set it, against a console that vanishes half-way
    hello = {
        "t": "hello",
        "protocol": PROTOCOL,
        "bundle": bundle,
        "host": os.uname().nodename,
        "boot_id": boot_id(),
        "python": sys.version.split()[0],
        "samplers": [name for _, _, names in plugins for name in names],
        "pid": os.getpid(),
        "user": whoami(),
    }
    agent.outbox.put("hello", encode(hello))
    for work in (agent.outbox.run, agent.listen):
        thread = threading.Thread(target=work)
        thread.daemon = True
        thread.start()
    for plugin, source, names in plugins:
        agent.add(plugin, source, names)
    agent.watch()
