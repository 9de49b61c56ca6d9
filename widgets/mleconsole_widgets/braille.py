"""Braille: lines drawn with dots, two across and four down in every cell. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
BLANK = " "


class Canvas:
    """`width` x `height` cells. Every cell keeps its dots and the number of the line that drew in it last."""

    def __init__(self, width: int, height: int) -> None:
        self.width = max(1, width)
        self.height = max(1, height)
        self._dots = [bytearray(self.width) for _ in range(self.height)]
        self._owner = [bytearray(self.width) for _ in range(self.height)]

    def dot(self, x: int, y: int, line: int) -> None:
        """Set the dot `x` from the left and `y` from the top; outside is nowhere."""
        column, row = x >> 1, y >> 2
        if 0 <= column < self.width and 0 <= row < self.height:
            self._dots[row][column] |= _BITS[y & 3][x & 1]
            self._owner[row][column] = line

    def stroke(self, x0: int, y0: int, x1: int, y1: int, line: int) -> None:
        """A straight line between two dots."""
        steps = max(abs(x1 - x0), abs(y1 - y0))
        if steps == 0 or steps > 10_000:
            self.dot(x1, y1, line)
            return
        for step in range(steps + 1):
            self.dot(x0 + round((x1 - x0) * step / steps), y0 + round((y1 - y0) * step / steps), line)

    def plot(
        self,
        times: Sequence[float],
        values: Sequence[float],
        line: int,
        span: tuple[float, float],
        scale: tuple[float, float],
    ) -> None:
        """A line over time: `span` is the time from edge to edge, `scale` the bottom and top; NaN is a gap."""
        begin, end = span
        low, high = scale
        across, down = self.width * 2 - 1, self.height * 4 - 1
        width, height = (end - begin) or 1.0, (high - low) or 1.0
        before: tuple[int, int] | None = None
        for time, value in zip(times, values, strict=False):
            if not isfinite(value) or not isfinite(time):
                before = None
                continue
            x = round(min(1.0, max(0.0, (time - begin) / width)) * across)
            y = down - round(min(1.0, max(0.0, (value - low) / height)) * down)
            if before is None:
                self.dot(x, y, line)
            else:
                self.stroke(*before, x, y, line)
            before = (x, y)

    def row(self, y: int) -> list[tuple[str, int]]:
        """A line of cells as (text, number of the line it belongs to) runs; -1 for what is blank."""
        runs: list[tuple[str, int]] = []
        text, owner = "", -1
        for dots, line in zip(self._dots[y], self._owner[y], strict=True):
            whose = line if dots else -1
            if whose != owner and text:
                runs.append((text, owner))
                text = ""
            owner = whose
            text += chr(0x2800 + dots) if dots else BLANK
        runs.append((text, owner))
        return runs
