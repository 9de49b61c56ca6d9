"""What a simulated node's agent says: the recorded frames of a real one, with values that move."""

from __future__ import annotations

import json
import random
import zlib
from pathlib import Path
from typing import Any

import msgspec

FRAMES = Path(__file__).parents[2] / "fixtures" / "frames" / "node.jsonl"
MARKER = b"\nMLECONSOLE-AGENT-1\n"
MOVING = {1: 100.0, 3: 700.0, 4: 80000.0, 5: 90.0, 6: 1980.0}  # column of a GPU's row -> its largest value


def recorded() -> dict[str, Any]:
    """{"hello": frame, sampler: frame}."""
    lines = [json.loads(line) for line in FRAMES.read_text().splitlines()]
    return {line.get("n", "hello"): line for line in lines}


def _line(frame: Any) -> bytes:
    return msgspec.json.encode(frame) + b"\n"


class Replay:
    """One node's frames, compressed as the real agent does."""

    def __init__(self, host: str, frames: dict[str, Any], seed: int) -> None:
        self._random = random.Random(seed)
        self._frames = json.loads(json.dumps(frames))
        self._frames["hello"]["host"] = host
        self._machine = _line(self._frames["machine"])
        self._deflate = zlib.compressobj(6)
        self._ticks = 0
        self.bytes = 0

    def first(self) -> bytes:
        order = ["hello", *(name for name in self._frames if name != "hello")]
        return MARKER + self._pack([_line(self._frames[name]) for name in order])

    def tick(self) -> bytes:
        """One second later: every reading of every GPU has moved; the rest at its own pace."""
        self._ticks += 1
        number = self._random.random
        for row in self._frames["gpus"]["d"]:
            for column, top in MOVING.items():
                row[column] = int(number() * top)
        told = [_line(self._frames["gpus"])]
        if self._ticks % 2 == 0:
            for row in self._frames["ports"]["d"]:
                row[4] += int(number() * 1e9)
                row[5] += int(number() * 1e9)
            told += [self._machine, _line(self._frames["ports"])]
        for name, every in (("processes", 3), ("mounts", 5), ("gpu_facts", 5)):
            if name in self._frames and self._ticks % every == 0:
                told.append(_line({"t": "=", "n": name}))
        return self._pack(told)

    def beat(self) -> bytes:
        return self._pack([_line({"t": "beat"})])

    def _pack(self, lines: list[bytes]) -> bytes:
        data = self._deflate.compress(b"".join(lines)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self.bytes += len(data)
        return data
