"""BrailleChart: lines over time with axes in words and units."""

from __future__ import annotations

from math import floor, isfinite, log10

from rich.color import Color
from rich.style import Style
from textual.strip import Strip

from mleconsole.model.format import duration, significant
from mleconsole.model.record import Subject
from mleconsole.model.view import Chart, Tone
from mleconsole_widgets.braille import Canvas
from mleconsole_widgets.cells import end_cut, escape, fit, width_of
from mleconsole_widgets.lines import LineView, Piece, strip_of
from mleconsole_widgets.palette import DARK_LINES, LIGHT_LINES


def ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` round values between `low` and `high`, both ends included where they are round."""
    span = high - low
    if not isfinite(span) or span <= 0 or most < 2:
        return [low]
    rough = span / (most - 1)
    power = 10.0 ** floor(log10(rough))
    step = next((power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999), power * 10)
    first = -floor(-low / step + 1e-9)
    return [step * i for i in range(first, floor(high / step + 1e-9) + 1)][:most]


def _about(seconds: float) -> str:
    """A time at an axis: to the nearest minute, from one minute on."""
    return duration(seconds + 30 if 60 <= seconds < 3600 else seconds)


class BrailleChart(LineView, can_focus=False):
    """Shows a Chart; not a part that one selects in."""

    def __init__(self, chart: Chart | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._chart = chart or Chart("", "", ())
        self._lines: list[Strip] | None = None

    @property
    def subject(self) -> Subject | None:
        return None

    def show(self, chart: Chart) -> None:
        """Draw `chart`."""
        self._chart = chart
        self._lines = None
        self.repaint()

    def forget_lines(self) -> None:
        super().forget_lines()
        self._lines = None

    def fit_in(self) -> None:
        self.forget_lines()
        self.refresh()

    def line(self, y: int) -> Strip:
        if self._lines is None:
            self._lines = self._draw()
        return self._lines[y] if y < len(self._lines) else self.blank()

    # ------------------------------------------------------------------ drawing

    def _colour(self, line: int) -> Style:
        if self.colours == 0:
            return self.rich_style
        names = DARK_LINES if self.app.current_theme.dark else LIGHT_LINES
        return self.rich_style + Style(color=Color.parse(names[line % len(names)]))

    def scale(self) -> tuple[float, float]:
        """Bottom and top: as the chart says, widened to hold the data."""
        chart = self._chart
        known = [value for line in chart.lines for value in line.values if isfinite(value)]
        low = chart.low if chart.low is not None else min(known, default=0.0)
        high = chart.high if chart.high is not None else max(known, default=1.0)
        low, high = min([low, *known]), max([high, *known])
        if high <= low:
            return (low, low + 1.0) if low >= 0 else (low - 1.0, low)
        return low, high

    def _draw(self) -> list[Strip]:
        chart, width, height = self._chart, self.room.width, self.room.height
        lines = [line for line in chart.lines if any(isfinite(value) for value in line.values)]
        if not lines:
            words = end_cut(escape(chart.empty), max(1, width - 4))
            return [self.text_line(f"  {words}", Tone.QUIET)]
        plain, quiet, rule = self.rich_style, self.tone(Tone.QUIET), self.get_component_rich_style("line--rule")
        scale = self.scale()
        key = self._key(width) if len(chart.lines) > 1 and height > 3 else []
        plot_height = max(1, height - 1 - len(key)) if height > 2 else height
        marks = ticks(*scale, max(2, min(6, plot_height // 2 + 1)))
        rows: dict[int, str] = {}
        for mark in marks:
            row = round((scale[1] - mark) / (scale[1] - scale[0]) * (plot_height - 1))
            rows.setdefault(min(plot_height - 1, max(0, row)), significant(round(mark, 9)))
        unit = escape(chart.unit)
        top = min(rows, default=0)
        if top in rows and unit:
            rows[top] = f"{rows[top]} {unit}"
        gutter = max((width_of(words) for words in rows.values()), default=0)
        if width - gutter - 4 < 8:
            gutter, rows = 0, {}
        room = max(1, width - gutter - 4)
        times = [time for line in lines for time in (line.times[0], line.times[-1])]
        span = (min(times), max(times))
        canvas = Canvas(room, plot_height)
        for number, line in enumerate(chart.lines):
            canvas.plot(line.times, line.values, number, span, scale)
        strips = list(key)
        for y in range(plot_height):
            label = rows.get(y)
            pieces: list[Piece] = [(f" {fit(label or '', gutter, right=True)} ", quiet)]
            pieces.append(("┤" if label else "│", rule))
            pieces += [(text, self._colour(owner) if owner >= 0 else plain) for text, owner in canvas.row(y)]
            strips.append(strip_of(pieces, width, plain))
        if height > 2:
            strips.append(self._time_axis(span[1] - span[0], gutter, room))
        return strips

    def _key(self, width: int) -> list[Strip]:
        """Which colour is which line, with its newest value."""
        pieces: list[Piece] = [("  ", self.rich_style)]
        for number, line in enumerate(self._chart.lines):
            newest = next((value for value in reversed(line.values) if isfinite(value)), None)
            told = f" {significant(newest)}" if newest is not None else " ·"
            pieces.append(("━━ ", self._colour(number)))
            pieces.append((f"{end_cut(escape(line.name), 24)}{told}   ", self.tone(Tone.QUIET)))
        return [strip_of(pieces, width, self.rich_style)]

    def _time_axis(self, seconds: float, gutter: int, room: int) -> Strip:
        quiet, rule = self.tone(Tone.QUIET), self.get_component_rich_style("line--rule")
        start = f"{_about(seconds)} ago" if seconds >= 1 else ""
        middle = f"{_about(seconds / 2)} ago" if room > 40 and seconds >= 120 else ""
        words = (start.ljust(max(0, room // 2 - len(middle) // 2)) + middle).ljust(room)
        words = words[: room - 4] + " now" if room > 12 else "now".rjust(room)
        return strip_of([(" " * (gutter + 2), quiet), ("└", rule), (words, quiet)], self.room.width, self.rich_style)
