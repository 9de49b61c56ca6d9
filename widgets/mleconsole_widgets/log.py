"""LogPanel: append-only lines; it follows the newest until one scrolls up, and again when one is back at the end."""

from __future__ import annotations

from textual.strip import Strip

from mleconsole.model.view import Log, Tone
from mleconsole_widgets.cells import end_cut, escape
from mleconsole_widgets.lines import strip_of
from mleconsole_widgets.text import ScrollLines, folded


class LogPanel(ScrollLines):
    """Shows a Log. Only new lines are escaped and folded; a log that was replaced is read anew."""

    def __init__(self, log: Log | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._log = log or Log(())
        self._lines: list[str] = []
        self._read = 0  # given lines that are in _lines
        self._last: tuple[str, ...] = ()  # the newest of them
        self.following = True

    def show(self, log: Log) -> None:
        """Draw `log`; new lines at its end move the picture only when the end was visible."""
        known = self._read
        same = len(log.lines) >= known and tuple(log.lines[max(0, known - 3) : known]) == self._last
        self._log = log
        if not same:
            self._read = 0
            self._lines = []
        self.lay_out(more=same)
        self.repaint()

    def lay_out(self, *, more: bool = False) -> None:
        width = self.room.width
        if not width:
            return
        if not more:
            self._lines, self._read = [], 0
        lines = self._log.lines
        for line in lines[self._read :]:
            self._lines.extend(folded(line, width - 3))
        self._read = len(lines)
        self._last = tuple(lines[max(0, self._read - 3) :])
        self.set_extent(1, max(1, len(self._lines)))
        if self.following:
            self._scroll(self.max_scroll_y)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.following = round(new_value) >= self.max_scroll_y

    def line(self, y: int) -> Strip:
        if not self._lines:
            words = end_cut(escape(self._log.empty), max(1, self.room.width - 4))
            return self.text_line(f"  {words}", Tone.QUIET) if y == 0 else self.blank()
        index = y + self.scroll_offset.y
        if index >= len(self._lines):
            return self.blank()
        return strip_of([(f"  {self._lines[index]}", self.rich_style)], self.room.width, self.rich_style)
