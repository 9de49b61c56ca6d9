"""Modules: third-party single-file modules that samplers import, found on the host or sent by the console."""

import os
import sys
import threading
import time

from mleconsole.agent.calls import Missing, Waiting
from mleconsole.agent.outbox import Outbox, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, NoReturn, Sequence

LARGEST = 4000000  # bytes of a module's source
NO_MODULE = 10.0  # seconds to wait for a module before that is told


class Modules(object):
    """Third-party single-file modules: our cached copy, else the host's own, else the console's by `want`."""

    def __init__(self, hashes: "Dict[str, str]", outbox: Outbox, directories: "Sequence[str]") -> None:
        self._hashes = hashes
        self._outbox = outbox
        self._directories = [os.path.join(d, "mleconsole") for d in directories if os.path.isabs(d)]
        self._loaded: "Dict[str, Any]" = {}
        self._wanted: "Dict[str, float]" = {}
        self._lock = threading.Lock()
        self._passing = ""

    def get(self, name: str) -> "Any":
        """The module; Waiting while it is on its way, Missing when it does not come."""
        with self._lock:
            if name not in self._loaded:
                module = self._cached(name) or (None if name in self._wanted else self._own(name))
                if module is None:
                    self._want(name)
                self._loaded[name] = module
                trim()
            return self._loaded[name]

    def _want(self, name: str) -> "NoReturn":
        now = time.monotonic()
        if name not in self._hashes:
            raise Missing("the console does not carry the module %s" % name)
        if name not in self._wanted:
            self._wanted[name] = now
            want = {"t": "want", "n": name, "module": name, "hash": self._hashes[name]}
            self._outbox.put("want " + name, encode(want))
        if now - self._wanted[name] > NO_MODULE:
            raise Missing("the module %s has not come from the console" % name)
        raise Waiting(name)

    def arrived(self, name: str, source: bytes) -> None:
        """Load source from the console. ValueError when it is not what was wanted."""
        if name not in self._hashes or digest(source) != self._hashes[name]:
            raise ValueError("module %s did not arrive whole" % name)
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = load(name, source)
                trim()

    def keep(self, name: str, source: bytes) -> None:
        """Cache that source on this host for the next agent, and tell: `kept`, with a reason when it could not be."""
        kept = any(self._keep(directory, name, source) for directory in self._directories)
        reason = "" if kept else "no room or no permission in the home directory: it runs from memory"
        self._outbox.put("kept " + name, encode({"t": "kept", "n": name, "r": reason}))

    def end(self) -> None:
        """Take away a file that is being written."""
        path = self._passing
        if path:
            try:
                os.unlink(path)
            except OSError:
                pass

    def _cached(self, name: str) -> "Any":
        wanted = self._hashes.get(name)
        for directory in self._directories if wanted else ():
            try:
                with open(os.path.join(directory, "%s-%s.py" % (name, wanted)), "rb") as file:
                    source = file.read(LARGEST)
                if digest(source) == wanted:
                    return load(name, source)
            except Exception:  # unreadable or broken: as good as not there
                continue
        return None

    @staticmethod
    def _own(name: str) -> "Any":
        """The host's own copy; -I -S left the site directories out, so they are looked at for this one import."""
        import importlib

        version = "python%d.%d" % sys.version_info[:2]
        kept = list(sys.path)
        beside = os.path.dirname(os.path.dirname(sys.executable or "/"))  # of a virtual environment, which -S hides
        for prefix in (beside, sys.prefix, "/usr/local", "/usr"):
            for place in (version + "/site-packages", version + "/dist-packages", "python3/dist-packages"):
                sys.path += [os.path.join(prefix, lib, place) for lib in ("lib", "lib64")]
        try:
            return importlib.import_module(name)
        except Exception:  # not there, or not for this Python
            sys.modules.pop(name, None)
            return None
        finally:
            sys.path[:] = kept

    def _keep(self, directory: str, name: str, source: bytes) -> bool:
        """Write the one cache file by atomic rename and take older versions away; False without room or permission."""
        final = "%s-%s.py" % (name, self._hashes[name])
        # The host is in the name: homes are shared, and pids are equal on many hosts.
        passing = ".%s.%s.%d" % (final, os.uname().nodename, os.getpid())
        try:
            os.makedirs(directory, 0o700, exist_ok=True)
            for old in os.listdir(directory):
                path = os.path.join(directory, old)
                stale = old.startswith("." + name + "-") and time.time() - os.stat(path).st_mtime > 600
                if stale or (old.startswith(name + "-") and old.endswith(".py") and old != final):
                    os.unlink(path)
        except OSError:
            pass
        path = self._passing = os.path.join(directory, passing)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(source)
            os.rename(path, os.path.join(directory, final))
            return True
        except OSError:
            self.end()
            return False
        finally:
            self._passing = ""


def digest(source: bytes) -> str:
    import hashlib

    return hashlib.sha256(source).hexdigest()[:16]


def load(name: str, source: "Any", register: bool = True) -> "Any":
    """A module object made of source."""
    module = type(sys)(name)
    if register:
        sys.modules[name] = module
    try:
        exec(compile(source, "mleconsole-agent/" + name, "exec"), module.__dict__)
    except BaseException:
        if register:
            sys.modules.pop(name, None)
        raise
    return module


def trim() -> None:
    """Give back what compiling took: 11 of 28 MB after pynvml."""
    import ctypes

    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):  # another C library than glibc
        pass
