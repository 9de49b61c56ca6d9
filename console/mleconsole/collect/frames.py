"""Frames: what an agent says, out of its byte stream, and the lines that the console says to it. Pure."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Mapping
from typing import Any

import msgspec

from mleconsole.model.absent import Absent

PROTOCOL = 1
MARKER = re.compile(rb"(?:^|\n)MLECONSOLE-AGENT-(\d{1,6})\n")
JUNK_LIMIT = 1 << 20  # bytes that login scripts may print ahead of the marker
LINE_LIMIT = 4 << 20  # bytes of one frame
INFLATE_FREE = 64 << 20  # inflated bytes beyond which the ratio must be believable
INFLATE_RATIO = 200  # frames deflate 5 to 30 times
FRAMES_FREE = 10_000  # frames of one feed beyond which each must have cost at least two bytes on the wire
_PIECE = 1 << 16
_TAIL = 64  # bytes kept of passed junk, longer than the marker


class Frame(msgspec.Struct, frozen=True, rename={"type": "t", "name": "n", "reason": "r", "payload": "d"}):
    """One frame. `type`: hello | s (sample) | = (unchanged) | a (absent) | cost | want | kept | beat.

    `name` is the sampler's (s, =, a) or the module's (want, kept: cached there, or `reason` says why not).
    Other fields belong to the type named beside them.
    """

    type: str
    name: str = ""
    payload: msgspec.Raw = msgspec.Raw(b"null")  # s
    reason: str = ""  # a, kept
    protocol: int = 0  # hello, and all below
    bundle: str = ""
    host: str = ""
    boot_id: str = ""
    python: str = ""
    samplers: tuple[str, ...] = ()
    pid: int = 0
    user: str = ""
    cpu: float | Absent = Absent("not measured yet")  # cost: percent of one core
    rss: int | Absent = Absent("not measured yet")  # cost: bytes
    hash: str = ""  # want

    @property
    def data(self) -> bytes:
        """The sample as JSON, for AgentProbe.parse."""
        return bytes(self.payload)


class FrameError(Exception):
    """The stream is not an agent's, or is broken, in one sentence. `frames` are the good ones that this feed gave."""

    def __init__(self, sentence: str, frames: tuple[Frame, ...] = ()) -> None:
        super().__init__(sentence)
        self.frames = frames


_decoder = msgspec.json.Decoder(Frame)


class FrameReader:
    """Feed it bytes as they come, in any pieces. After a FrameError every feed raises it again."""

    def __init__(self) -> None:
        self._junk = bytearray()
        self._started = False
        self._greeted = False
        self._inflate = zlib.decompressobj()
        self._line = bytearray()
        self._received = 0
        self._inflated = 0
        self._most = FRAMES_FREE
        self._broken = ""

    @property
    def junk(self) -> str:
        """What was printed ahead of the marker (its last 2 KiB), for a sentence about an agent that did not start."""
        return bytes(self._junk[-2048:]).decode("utf-8", "replace").strip()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes. Raises FrameError and nothing else, whatever the bytes are."""
        frames: list[Frame] = []
        if not self._broken:
            try:
                self._feed(data, frames)
                return frames
            except FrameError as error:
                self._broken = str(error)
        raise FrameError(self._broken, tuple(frames))

    def _feed(self, data: bytes, frames: list[Frame]) -> None:
        if not self._started:
            rest = self._find_marker(data)
            if rest is None:
                return
            data = rest
        self._received += len(data)
        self._most = FRAMES_FREE + len(data) // 2
        while data:
            try:
                text = self._inflate.decompress(data, _PIECE)
            except zlib.error:
                raise FrameError("its stream is garbled (it does not inflate)") from None
            self._inflated += len(text)
            if self._inflated > INFLATE_FREE and self._inflated > INFLATE_RATIO * self._received:
                raise FrameError("its stream inflates beyond belief")
            self._split(text, frames)
            data = self._inflate.unconsumed_tail
            if self._inflate.eof:
                if self._inflate.unused_data:
                    raise FrameError("it ended its stream and went on talking")
                return
            # A full piece may leave text inside zlib that no more input is needed for.
            if not data and len(text) == _PIECE:
                self._drain(frames)

    def _drain(self, frames: list[Frame]) -> None:
        while text := self._inflate.decompress(b"", _PIECE):
            self._inflated += len(text)
            self._split(text, frames)

    def _find_marker(self, data: bytes) -> bytes | None:
        searched = max(0, len(self._junk) - _TAIL)
        self._junk += data
        # The marker's own newline may be the very first byte; a program that prints none ahead is ours as well.
        found = MARKER.search(self._junk, searched) if searched else MARKER.search(self._junk)
        if found is None:
            if len(self._junk) > JUNK_LIMIT:
                raise FrameError(f"it printed {JUNK_LIMIT >> 20} MiB and no sign of an agent")
            return None
        if int(found[1]) != PROTOCOL:
            raise FrameError(f"its agent speaks protocol {int(found[1])}, this console {PROTOCOL}")
        if found.end() > JUNK_LIMIT + _TAIL:
            raise FrameError(f"it printed {JUNK_LIMIT >> 20} MiB and no sign of an agent")
        rest = bytes(self._junk[found.end() :])
        del self._junk[found.start() :]
        self._started = True
        return rest

    def _split(self, text: bytes, frames: list[Frame]) -> None:
        lines = text.split(b"\n")
        for part in lines[:-1]:
            if self._line:
                self._line += part
                line = bytes(self._line)
                self._line.clear()
            else:
                line = part
            self._bound(len(line))
            if len(frames) >= self._most:
                raise FrameError("its stream inflates beyond belief")
            frames.append(self._decode(line))
        self._line += lines[-1]
        self._bound(len(self._line))

    @staticmethod
    def _bound(size: int) -> None:
        if size > LINE_LIMIT:
            raise FrameError(f"it sent a frame of more than {LINE_LIMIT >> 20} MiB")

    def _decode(self, line: bytes) -> Frame:
        try:
            frame = _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            shown = line[:40].decode("ascii", "backslashreplace")
            raise FrameError(f"it sent what is no frame: {shown!r}") from None
        if not self._greeted:
            if frame.type != "hello":
                raise FrameError(f"its first frame is {frame.type[:20]!r} and no hello")
            if frame.protocol != PROTOCOL:
                raise FrameError(f"its agent speaks protocol {frame.protocol}, this console {PROTOCOL}")
            self._greeted = True
        return frame


# -- what the console says ------------------------------------------------------------------------------------------


def line(value: Mapping[str, Any]) -> bytes:
    """One control line."""
    return msgspec.json.encode(value) + b"\n"


def beat() -> bytes:
    """The console is there; the agent answers with a `beat` frame."""
    return line({"t": "beat"})


def periods(seconds: Mapping[str, float]) -> bytes:
    """{sampler: seconds}; 0 means only when asked by `once`."""
    return line({"t": "periods", "p": seconds})


def once(sampler: str) -> bytes:
    """Sample now, and answer in full."""
    return line({"t": "once", "n": sampler})


def options(values: Mapping[str, Any]) -> bytes:
    """New options for all samplers."""
    return line({"t": "options", "o": values})


def module(name: str, source: bytes) -> bytes:
    """The source of a module that a `want` frame asked for."""
    return line({"t": "module", "n": name, "z": base64.b64encode(zlib.compress(source, 9)).decode("ascii")})


def bye() -> bytes:
    """The agent ends."""
    return line({"t": "bye"})
