"""Calls: functions and programs that may hang, each kept to itself and bounded by a deadline."""

import os
import signal
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional, Sequence, Tuple


class Missing(Exception):
    """What is asked for is not there; the text says why."""


class Waiting(Exception):
    """The sampler needs a module that is on its way: it is called again when that has come."""


class Call(object):
    """A function running in its own thread: what hangs (a dead mount, a lost GPU) hangs alone."""

    def __init__(self, function: "Callable[..., Any]", arguments: "Tuple[Any, ...]") -> None:
        self.began = time.monotonic()
        self.ended = threading.Event()
        self.value: "Any" = None
        self.error: "Optional[Exception]" = None
        self._function = function
        self._arguments = arguments
        thread = threading.Thread(target=self._run)
        thread.daemon = True
        thread.start()

    def _run(self) -> None:
        try:
            self.value = self._function(*self._arguments)
        except Exception as error:
            self.error = error
        self.ended.set()

    def get(self, seconds: float) -> "Any":
        """Its value, or its own exception, or Missing when `seconds` after its start it has not returned."""
        if not self.ended.wait(max(0.0, self.began + seconds - time.monotonic())):
            raise Missing("did not answer within %g s (hung)" % seconds)
        if self.error is not None:
            raise self.error
        return self.value


class Calls(object):
    """At most one running Call of each key: a stuck one is handed out again instead of being started anew."""

    def __init__(self) -> None:
        self._calls: "Dict[Any, Call]" = {}

    def __call__(self, key: "Any", function: "Callable[..., Any]", *arguments: "Any") -> "Call":
        call = self._calls.get(key)
        if call is None or call.ended.is_set():
            call = self._calls[key] = Call(function, arguments)
        return call


class Programs(object):
    """Runs short programs, and ends those that still run when the agent ends."""

    def __init__(self) -> None:
        self._running: "Any" = set()
        self._starting = threading.Lock()  # so that none is started unseen while the others are ended
        self._ended = False

    def __call__(self, argv: "Sequence[str]", seconds: float) -> bytes:
        import subprocess

        pipe = subprocess.PIPE
        with self._starting:
            if self._ended:
                raise Missing("the agent ends")
            try:
                # A session of its own, so that what it started can be ended with it.
                process = subprocess.Popen(
                    list(argv), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True
                )
            except OSError as error:
                raise Missing("%s can't be run: %s" % (argv[0], error.strerror)) from None
            self._running.add(process)
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            kill(process)
            process.communicate()
            raise Missing("%s did not answer within %g s" % (argv[0], seconds)) from None
        finally:
            self._running.discard(process)
        if process.returncode != 0:
            said = err.decode("utf-8", "replace").strip().splitlines() or ["exit status %d" % process.returncode]
            raise Missing("%s: %s" % (argv[0], said[-1]))
        return out

    def end(self) -> None:
        """End what runs, for good."""
        self._ended = True
        if self._starting.acquire(timeout=2.0):  # one that is just being started is among them afterwards
            self._starting.release()
        for process in list(self._running):
            kill(process)


def kill(process: "Any") -> None:
    """End a program and what it started."""
    if process.returncode is not None:  # it has ended, and its pid may be another's by now
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:  # it ends just now
        pass
