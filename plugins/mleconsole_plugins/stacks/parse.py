"""Parse: what `py-spy dump` prints, as text or JSON, to threads of frames; and its failures to words with a remedy."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from mleconsole.api import Completed


class Frame(NamedTuple):
    """One Python frame. `line` is 0 where none is told."""

    function: str
    file: str
    line: int

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{self.function} ({where})" if where else self.function


class Thread(NamedTuple):
    """One thread, its innermost frame first. `state`: idle, active, active+gil."""

    id: int
    name: str
    state: str
    frames: tuple[Frame, ...]


class Dump(NamedTuple):
    """One process. `threads` in py-spy's order for text: the main thread first."""

    pid: int
    command: str
    python: str
    threads: tuple[Thread, ...]

    @property
    def main(self) -> Thread | None:
        """The main thread: so named, else the one whose id is the process's, else the first."""
        for thread in self.threads:
            if thread.name == "MainThread":
                return thread
        return next((thread for thread in self.threads if thread.id == self.pid), next(iter(self.threads), None))


_PROCESS = re.compile(r"^Process (\d+): (.*)$")
_PYTHON = re.compile(r"^Python (v\S+)")
_THREAD = re.compile(r'^Thread (0x[0-9a-fA-F]+|\d+) \(([\w+\- ]*)\)(?:: "(.*)")?\s*$')
_FRAME = re.compile(r"^ {4}(?! )(.+?) \((.*)\)$")
_LINE = re.compile(r"^(.*):(\d+)$")


def parse(text: str) -> Dump | None:
    """A dump, or None when the text is none."""
    if text.lstrip().startswith("["):
        return _from_json(text)
    pid, command, python = 0, "", ""
    threads: list[Thread] = []
    frames: list[Frame] = []
    for line in text.splitlines():
        if not threads and (found := _PROCESS.match(line)):
            pid, command = int(found[1]), found[2]
        elif not threads and (found := _PYTHON.match(line)):
            python = found[1]
        elif found := _THREAD.match(line):
            frames = []
            threads.append(Thread(int(found[1], 0), found[3] or "", found[2], ()))
        elif threads and (found := _FRAME.match(line)):
            frames.append(_frame(found[1], found[2]))
            threads[-1] = threads[-1]._replace(frames=tuple(frames))
    return Dump(pid, command, python, tuple(threads)) if threads else None


def _frame(function: str, where: str) -> Frame:
    found = _LINE.match(where)
    return Frame(function, found[1], int(found[2])) if found else Frame(function, where, 0)


def _from_json(text: str) -> Dump | None:
    try:
        told: Any = msgspec.json.decode(text)
        threads = [
            Thread(
                int(thread.get("os_thread_id") or thread.get("thread_id") or 0),
                str(thread.get("thread_name") or ""),
                "active+gil" if thread.get("owns_gil") else "active" if thread.get("active") else "idle",
                tuple(
                    Frame(
                        str(f["name"]), str(f.get("short_filename") or f.get("filename") or ""), int(f.get("line") or 0)
                    )
                    for f in thread["frames"]
                ),
            )
            for thread in told
        ]
        pid = int(told[0]["pid"]) if told else 0
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError):
        return None
    threads.sort(key=lambda thread: (thread.id != pid, thread.name != "MainThread"))
    return Dump(pid, "", "", tuple(threads)) if threads else None


#: What py-spy says -> what it means and what to do. The first that is found in its stderr counts.
REFUSALS = (
    (
        "ermission denied",
        "the kernel does not let you read this process: it is another user's, or kernel.yama.ptrace_scope is above 0 "
        "(an administrator can set it to 0, or run py-spy as root)",
    ),
    (
        "elevated permissions",
        "the kernel does not let you read this process: it is another user's, or kernel.yama.ptrace_scope is above 0 "
        "(an administrator can set it to 0, or run py-spy as root)",
    ),
    ("ptrace", "the kernel does not permit ptrace here: ask for kernel.yama.ptrace_scope=0, or run py-spy as root"),
    ("failed to get process executable name", "the process is gone"),
    ("no such process", "the process is gone"),
    ("failed to find python version", "it is no Python process (a launcher or a wrapper?)"),
    ("unsupported version of python", "this py-spy is too old for its Python: set a newer one under `tools: py-spy:`"),
    ("failed to suspend process", "it is already traced or stopped by another tool"),
    ("no such file", "py-spy is not there any more"),
)


def refusal(done: Completed) -> str:
    """Why there is no dump, in words."""
    if done.trouble is not None:
        return done.trouble.reason
    said = done.stderr.decode("utf-8", "replace").lower()
    for part, words in REFUSALS:
        if part in said:
            return words
    if done.exit_status == 127:
        return "py-spy is not there any more"
    if done.exit_status == 0:
        return "py-spy printed no stack"
    return done.words()
