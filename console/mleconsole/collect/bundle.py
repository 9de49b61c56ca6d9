"""Bundle: the program that is fed to every host: the agent and the samplers of all enabled plugins, as source."""

from __future__ import annotations

import hashlib
import importlib.util
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec

from mleconsole.api import AgentProbe, Plugin
from mleconsole.collect import frames

#: The agent's own modules, in the order in which they need each other.
AGENT = ("calls", "outbox", "modules", "sampler", "runtime")
PACKAGE = "mleconsole.agent"

_LAUNCH = """import sys
for name, source in {parts!r}:
    module = sys.modules[name] = type(sys)(name)
    exec(compile(source, name, "exec"), module.__dict__)
module.main({hash!r}, {plugins!r}, {modules!r})
"""
_PYTHONS = ("python3", "/usr/libexec/platform-python", *(f"python3.{minor}" for minor in range(14, 5, -1)))
_SHELL = (
    f"for p in {' '.join(_PYTHONS)}; do "
    'command -v "$p" >/dev/null 2>&1 && exec "$p" -I -S -u -c "$0"; done; '
    'echo "no python3 found on this host: install one, or put it on the PATH of non-interactive logins" >&2; exit 127'
)
# The alarm ends an agent whose console vanished before it had sent the whole program.
_BOOTSTRAP = (
    "import sys,signal,zlib;"
    "sys.version_info<(3,6) and sys.exit('python3 on this host is '+sys.version.split()[0]+': 3.6 is needed');"
    "signal.alarm(60);"
    "exec(compile(zlib.decompress(sys.stdin.buffer.read(%d)),'mleconsole-agent','exec'))"
)


@dataclass(frozen=True)
class Bundle:
    """What is sent to hosts. `program` is the deflated source; equal sources give an equal bundle and hash."""

    hash: str
    program: bytes
    sources: Mapping[str, bytes] = field(default_factory=dict)  # of the modules that hosts may want
    troubles: Mapping[str, str] = field(default_factory=dict)  # plugin id -> why its samplers were left out

    @property
    def argv(self) -> tuple[str, ...]:
        """Starts the agent by the first Python 3 that the host has; exits with 127 and a sentence without one."""
        return ("sh", "-c", _SHELL, _BOOTSTRAP % len(self.program))

    def first_bytes(self, settings: Mapping[str, Any]) -> bytes:
        """What is written to its stdin first: the program and one line of settings.

        `settings`: periods {sampler: seconds}, deadlines {sampler: seconds}, on_change [sampler], options {},
        and heartbeat, the seconds without a line from us after which it ends (60 when left out).
        """
        return self.program + frames.line(settings)

    def module(self, name: str) -> bytes:
        """The control line that answers a `want` frame; empty for a module that no plugin brings."""
        if name not in self._packed and name in self.sources:
            self._packed[name] = frames.module(name, self.sources[name])
        return self._packed.get(name, b"")

    @cached_property
    def _packed(self) -> dict[str, bytes]:
        return {}


def source_of(module: str) -> bytes:
    """A module's source as installed, without importing it. ImportError with a sentence when there is none."""
    spec = importlib.util.find_spec(module)
    loader = spec.loader if spec is not None else None
    read = getattr(loader, "get_source", None)
    text = read(module) if read is not None else None
    if text is None:
        raise ImportError(f"no source of {module} is installed")
    return str(text).encode("utf-8")


def make_bundle(plugins: Iterable[Plugin]) -> Bundle:
    """The bundle of these plugins; what is wrong with one leaves that one out and is told in `troubles`."""
    troubles: dict[str, str] = {}
    sources: dict[str, bytes] = {}
    remotes: list[tuple[float, str, str, list[str]]] = []
    taken: dict[str, str] = {}
    for plugin in sorted(plugins, key=lambda plugin: plugin.id):
        probes = [probe for probe in plugin.probes if isinstance(probe, AgentProbe)]
        if not probes:
            continue
        try:
            clash = next((taken[probe.sampler] for probe in probes if probe.sampler in taken), None)
            if clash is not None:
                raise ValueError(f"plugin {clash} has a sampler of the same name")
            if not plugin.remote:
                raise ValueError("it has agent probes and names no `remote` module")
            source = source_of(plugin.remote)
            compile(source, plugin.remote, "exec", dont_inherit=True)
            modules = {name: source_of(name) for name in plugin.modules}
        except Exception as error:  # a stranger's package may be anything; it must cost only itself
            troubles[plugin.id] = f"plugin {plugin.id} has no samplers: {_words(error)}"
            continue
        sources.update(modules)
        taken.update({probe.sampler: plugin.id for probe in probes})
        period = min(probe.period for probe in probes)  # the most eager one starts first
        remotes.append((period, plugin.id, source.decode("utf-8"), [probe.sampler for probe in probes]))
    remotes.sort()
    parts = [(f"{PACKAGE}.{name}", source_of(f"{PACKAGE}.{name}").decode("utf-8")) for name in AGENT]
    filled = {
        "parts": parts,
        "plugins": [(id, source, names) for _, id, source, names in remotes],
        "modules": {name: hashlib.sha256(source).hexdigest()[:16] for name, source in sorted(sources.items())},
    }
    hash = hashlib.sha256(msgspec.json.encode(filled)).hexdigest()[:16]
    program = zlib.compress(_LAUNCH.format(hash=hash, **filled).encode("utf-8"), 9)
    return Bundle(hash, program, sources, troubles)


def _words(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.filename} does not compile: {error.msg} (line {error.lineno})"
    return f"{type(error).__name__}: {error}" if not isinstance(error, (ImportError, ValueError)) else str(error)
