"""Bar: one line of the frame, drawn from fitted pieces; a click on a piece tells its tag."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mleconsole.app.lines import Piece, fit
from mleconsole.model.view import Tone


class Bar(Widget, can_focus=False):
    """`put` its pieces; `fill` is the character between the left and the right ones (a rule, or blank)."""

    DEFAULT_CSS = """
    Bar { height: 1; width: 1fr; background: $background; color: $foreground; }
    Bar > .bar--quiet { color: $foreground 60%; }
    Bar > .bar--strong { color: $foreground; text-style: bold; }
    Bar > .bar--warn { color: $warning; text-style: bold; }
    Bar > .bar--bad { color: $error; text-style: bold; }
    Bar > .bar--rule { color: $foreground 35%; }
    """
    COMPONENT_CLASSES = {"bar--quiet", "bar--strong", "bar--warn", "bar--bad", "bar--rule"}

    class Pressed(Message):
        """A piece was clicked."""

        def __init__(self, tag: str) -> None:
            self.tag = tag
            super().__init__()

    def __init__(self, *, fill: str = " ", gap: int = 2, between: str = "  ", id: str | None = None) -> None:
        super().__init__(id=id)
        self._fill = fill
        self._gap = gap
        self._between = between  # the right pieces
        self._left: tuple[Piece, ...] = ()
        self._right: tuple[Piece, ...] = ()
        self._tags: list[tuple[int, int, str]] = []

    def put(self, left: Sequence[Piece], right: Sequence[Piece] = ()) -> None:
        """Show these; nothing is painted when they are what is shown."""
        if (tuple(left), tuple(right)) != (self._left, self._right):
            self._left, self._right = tuple(left), tuple(right)
            self.refresh()

    @property
    def text(self) -> str:
        """What is shown now, as plain text."""
        return self.render_line(0).text

    def _style(self, tone: Tone) -> Style:
        name = {
            Tone.QUIET: "bar--quiet",
            Tone.STALE: "bar--quiet",
            Tone.STRONG: "bar--strong",
            Tone.WARN: "bar--warn",
            Tone.BAD: "bar--bad",
        }.get(tone)
        return self.get_component_rich_style(name) if name else self.rich_style

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        rule = self.get_component_rich_style("bar--rule")
        edge = 1 if width > 2 else 0
        fitted = fit(self._left, self._right, max(0, width - 2 * edge), self._gap, len(self._between))
        segments = [Segment(self._fill * edge, rule)]
        self._tags = []
        at = edge

        def draw(pieces: Sequence[Piece], gap: str) -> None:
            nonlocal at
            for index, piece in enumerate(pieces):
                if index:
                    segments.append(Segment(gap, rule))
                    at += len(gap)
                start = at
                turned = Style(reverse=True) if piece.here else Style.null()
                if piece.key:
                    key = f"{piece.key} " if piece.text else piece.key
                    segments.append(Segment(key, self._style(Tone.STRONG) + turned))
                    at += cell_len(key)
                segments.append(Segment(piece.text, self._style(piece.tone) + turned))
                at += cell_len(piece.text)
                if piece.tag:
                    self._tags.append((start, at, piece.tag))

        draw(fitted.left, self._fill * self._gap)
        segments.append(Segment(self._fill * fitted.between, rule))
        at += fitted.between
        draw(fitted.right, self._between)
        segments.append(Segment(self._fill * edge, rule))
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def on_click(self, event: Click) -> None:
        for start, end, tag in self._tags:
            if start <= event.x < end:
                event.stop()
                self.post_message(self.Pressed(tag))
                return
