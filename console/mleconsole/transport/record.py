"""RecordingTransport: passes everything on to another transport and writes down what came of it."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mleconsole.model.plan import Completed, Danger
from mleconsole.transport.interface import Stream, Transport, Unreached

VERSION = 1


class RecordingTransport:
    """A Transport. Its file is gzipped JSON lines: a header, then one object per connect, command and stream chunk.

    It holds the output of every command: what the user may see on the cluster, and no answers to sign-in questions.
    """

    def __init__(self, inner: Transport, file: Path, clock: Callable[[], float]) -> None:
        self._inner = inner
        self._clock = clock
        self._began = clock()
        self._streams = 0
        self._file = io.TextIOWrapper(gzip.open(file, "wb"), encoding="utf-8")  # noqa: SIM115 (close() closes it)
        self._write("recording", version=VERSION, who=inner.who, user=inner.user)

    @property
    def who(self) -> str:
        return self._inner.who

    @property
    def user(self) -> str:
        return self._inner.user

    async def connect(self, host: str) -> Unreached | None:
        unreached = await self._inner.connect(host)
        self._write("connect", host=host, **_trouble(unreached))
        return unreached

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
        done = await self._inner.run(host, argv, danger=danger, deadline=deadline, stdin=stdin, limit=limit)
        self._write(
            "run",
            host=host,
            argv=list(argv),
            danger=danger.name,
            exit_status=done.exit_status,
            stdout=base64.b64encode(done.stdout).decode(),
            stderr=base64.b64encode(done.stderr).decode(),
            seconds=round(done.seconds, 6),
            trouble=done.trouble.reason if done.trouble is not None else None,
        )
        return done

    async def stream(
        self, host: str, argv: Sequence[str], on_data: Callable[[bytes], None], *, danger: Danger, deadline: float
    ) -> Stream | Unreached:
        self._streams += 1
        number = self._streams

        def data(chunk: bytes) -> None:
            self._write("data", stream=number, data=base64.b64encode(chunk).decode())
            on_data(chunk)

        self._write("stream", stream=number, host=host, argv=list(argv), danger=danger.name)
        started = await self._inner.stream(host, argv, data, danger=danger, deadline=deadline)
        if isinstance(started, Unreached):
            self._write("failed", stream=number, **_trouble(started))
        return started

    def address(self, host: str, address: str) -> None:
        self._inner.address(host, address)

    async def forget(self, host: str) -> None:
        await self._inner.forget(host)

    async def sign_in_again(self) -> None:
        await self._inner.sign_in_again()

    async def close(self) -> None:
        await self._inner.close()
        self._file.close()

    def _write(self, event: str, **fields: Any) -> None:
        if not self._file.closed:
            at = round(self._clock() - self._began, 6)
            self._file.write(json.dumps({"event": event, "at": at, **fields}) + "\n")


def _trouble(unreached: Unreached | None) -> dict[str, str]:
    return {} if unreached is None else {"kind": unreached.kind.value, "reason": unreached.reason}
