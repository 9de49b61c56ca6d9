"""ReplayTransport: answers commands from a recording; it never touches a network."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mleconsole.model.absent import Absent
from mleconsole.model.plan import Completed, Danger
from mleconsole.transport.gate import Gate
from mleconsole.transport.interface import Stream, Trouble, Unreached
from mleconsole.transport.record import VERSION

_Asked = tuple[str, tuple[str, ...]]


class ReplayError(ValueError):
    """The file is no recording of ours, in one sentence."""


class ReplayTransport:
    """A Transport. Each (host, argv) is answered as often as it was recorded, in that order, then with its last answer.

    A stream gives all its recorded data at once and then stays open, silent. Raises ReplayError for another file; one
    that breaks off (the recorder was killed) is good up to there.
    """

    def __init__(self, file: Path, gate: Gate | None = None) -> None:
        self._gate = gate or Gate()
        self._runs: dict[_Asked, deque[dict[str, Any]]] = defaultdict(deque)
        self._streams: dict[_Asked, deque[dict[str, Any]]] = defaultdict(deque)
        self._connects: dict[str, Unreached | None] = {}
        numbered: dict[int, dict[str, Any]] = {}
        events = _events(file)
        header = events[0] if events else {}
        if header.get("event") != "recording" or header.get("version") != VERSION:
            raise ReplayError(f"{file} is not a recording that this version can read")
        self.who, self.user = str(header["who"]), str(header["user"])
        for event in events[1:]:
            match event["event"]:
                case "connect":
                    self._connects[event["host"]] = _unreached(event)
                case "run":
                    self._runs[event["host"], tuple(event["argv"])].append(event)
                case "stream":
                    event["chunks"] = []
                    numbered[event["stream"]] = event
                    self._streams[event["host"], tuple(event["argv"])].append(event)
                case "data":
                    numbered[event["stream"]]["chunks"].append(base64.b64decode(event["data"]))
                case "failed":
                    numbered[event["stream"]]["unreached"] = _unreached(event)

    async def connect(self, host: str) -> Unreached | None:
        if host not in self._connects and not any(asked[0] == host for asked in (*self._runs, *self._streams)):
            return Unreached(Trouble.UNREACHABLE, "it is not in the recording")
        return self._connects.get(host)

    async def run(
        self,
        host: str,
        argv: Sequence[str],
        *,
        danger: Danger,
        deadline: float,
        stdin: bytes = b"",
        limit: int = 64 << 20,
    ) -> Completed:
        self._gate.check(danger, argv)
        event = _next(self._runs.get((host, tuple(argv))))
        if event is None:
            return Completed(host, tuple(argv), None, trouble=Absent("this command is not in the recording"))
        return Completed(
            host,
            tuple(argv),
            event["exit_status"],
            base64.b64decode(event["stdout"]),
            base64.b64decode(event["stderr"]),
            event["seconds"],
            Absent(event["trouble"]) if event["trouble"] is not None else None,
        )

    async def stream(
        self, host: str, argv: Sequence[str], on_data: Callable[[bytes], None], *, danger: Danger, deadline: float
    ) -> Stream | Unreached:
        self._gate.check(danger, argv)
        event = _next(self._streams.get((host, tuple(argv))))
        if event is None:
            return Unreached(Trouble.UNREACHABLE, "this program is not in the recording")
        if "unreached" in event:
            return event["unreached"]  # type: ignore[no-any-return]
        for chunk in event["chunks"]:
            asyncio.get_running_loop().call_soon(on_data, chunk)
        return _Silent(host, tuple(argv))

    def address(self, host: str, address: str) -> None: ...

    async def forget(self, host: str) -> None: ...

    async def sign_in_again(self) -> None: ...

    async def close(self) -> None: ...


class _Silent:
    """A stream after its recorded data: open until it is closed."""

    def __init__(self, host: str, argv: tuple[str, ...]) -> None:
        self._host, self._argv = host, argv
        self._closed = asyncio.Event()

    def write(self, data: bytes) -> None: ...

    async def wait(self) -> Completed:
        await self._closed.wait()
        return Completed(self._host, self._argv, 0)

    def close(self) -> None:
        self._closed.set()


def _next(events: deque[dict[str, Any]] | None) -> dict[str, Any] | None:
    if not events:
        return None
    return events.popleft() if len(events) > 1 else events[0]


def _unreached(event: dict[str, Any]) -> Unreached | None:
    return Unreached(Trouble(event["kind"]), event["reason"]) if "kind" in event else None


def _events(file: Path) -> list[dict[str, Any]]:
    found = []
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                found.append(json.loads(line))
    except EOFError:  # cut off: what is whole counts
        pass
    except (OSError, ValueError) as error:
        if not found:
            raise ReplayError(f"{file} can't be read as a recording: {error}") from None
    return found
