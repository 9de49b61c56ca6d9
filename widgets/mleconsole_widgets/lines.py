"""LineView: the base of all live widgets: lines of styled cells, cached, of which only the changed ones are painted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mleconsole.model.view import Tone

Piece = tuple[str, Style]

_CLASSES = {
    Tone.QUIET: "line--quiet",
    Tone.STRONG: "line--strong",
    Tone.WARN: "line--warn",
    Tone.BAD: "line--bad",
    Tone.STALE: "line--stale",
}
_REVERSE = Style(reverse=True)
_UNDERLINE = Style(underline=True)


def strip_of(pieces: Iterable[Piece], width: int, base: Style) -> Strip:
    """A line of exactly `width` cells; neighbours of one style become one segment."""
    segments: list[Segment] = []
    text, style = "", base
    for words, own in pieces:
        if own is style:
            text += words
            continue
        if text:
            segments.append(Segment(text, style))
        text, style = words, own
    if text:
        segments.append(Segment(text, style))
    return Strip(segments).adjust_cell_length(width, base)


class LineView(ScrollView, can_focus=True):
    """Subclasses give `line(y)`, the strip of one visible line, and call `repaint()` when what they show changed."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {*_CLASSES.values(), "line--rule", "line--selected"}
    DEFAULT_CSS = """
    LineView {
        width: 1fr; height: 1fr; background: $background; color: $foreground; overflow: auto auto;
        scrollbar-size: 1 1; scrollbar-gutter: stable;
        scrollbar-color: $foreground 30%; scrollbar-color-hover: $foreground 50%; scrollbar-color-active: $foreground;
        scrollbar-background: $background; scrollbar-background-hover: $background;
        scrollbar-background-active: $background; scrollbar-corner-color: $background;
    }
    LineView > .line--quiet { color: $foreground 65%; }
    LineView > .line--strong { color: $foreground; text-style: bold; }
    LineView > .line--warn { color: $warning; }
    LineView > .line--bad { color: $error; text-style: bold; }
    LineView > .line--stale { color: $foreground 45%; }
    LineView > .line--rule { color: $foreground 30%; }
    LineView > .line--selected { background: $foreground 16%; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._painted: dict[int, Strip] = {}
        self._fitted = Size(0, 0)  # the room it was laid out for
        self._styles_by_tone: dict[Tone, Style] = {}
        self._selected_styles: dict[tuple[Style, bool], Style] = {}

    # ------------------------------------------------------------------ styles

    def tone(self, tone: Tone) -> Style:
        """The style of a tone, with its background."""
        if not self._styles_by_tone:
            self._styles_by_tone = {one: self.get_component_rich_style(name) for one, name in _CLASSES.items()}
            self._styles_by_tone[Tone.PLAIN] = self.rich_style
        return self._styles_by_tone[tone]

    @property
    def entered(self) -> bool:
        """The person is in this part."""
        return self.has_focus

    def selected(self, tone: Tone) -> Style:
        """The style of a tone under the cursor: reverse where the person is, else a shade."""
        focused = self.entered
        if focused and tone not in (Tone.WARN, Tone.BAD):
            tone = Tone.PLAIN
        base = self.tone(tone)
        found = self._selected_styles.get((base, focused))
        if found is None:
            if focused:
                found = base + _REVERSE
            elif self.few_colours:
                found = base + _UNDERLINE
            else:
                shade = self.get_component_rich_style("line--selected")
                found = base + Style(bgcolor=shade.bgcolor)
            self._selected_styles[base, focused] = found
        return found

    @property
    def colours(self) -> int:
        """How many colours the terminal shows: 0 (NO_COLOR), 16, 256 or 2**24."""
        app = self.app
        if app.no_color:
            return 0
        return {"truecolor": 1 << 24, "256": 256, None: 0}.get(app.console.color_system, 16)

    @property
    def few_colours(self) -> bool:
        return self.colours in (0, 16)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles_by_tone.clear()
        self._selected_styles.clear()
        self.forget_lines()

    def forget_lines(self) -> None:
        """Styles or widths changed: all cached lines are void."""
        self._painted.clear()

    def on_focus(self) -> None:
        self._selection_changed()

    def on_blur(self) -> None:
        self._selection_changed()

    def _selection_changed(self) -> None:
        self.forget_lines()
        self.refresh()

    # ------------------------------------------------------------------ lines

    def line(self, y: int) -> Strip:
        """The strip of visible line `y`, as wide as the content region."""
        raise NotImplementedError

    def on_resize(self) -> None:
        self._fitted = self.room
        self.fit_in()

    def fit_in(self) -> None:
        """The room is another: lay out anew, and refresh."""
        self.forget_lines()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        if self._fitted != (room := self.room):  # a Resize may be lost while widgets come and go
            self._fitted = room
            self.call_later(self.fit_in)
        strip = self._painted[y] = self.line(y)
        return strip

    @property
    def room(self) -> Size:
        """The cells there are to draw in; the scroll bar has its own, shown or not.

        It is what the last Resize told and not the place on the screen, which is unknown for moments while other
        widgets come and go.
        """
        outer, bars = self.outer_size, self.scrollbar_gutter
        return Size(max(0, outer.width - bars.width), max(0, outer.height - bars.height))

    @property
    def ready(self) -> bool:
        """It is on the screen and knows its size; before that nothing is formatted."""
        return self.is_attached and self.room.width > 0 and self.room.height > 0

    def repaint(self) -> None:
        """Paint the visible lines that are not what is on the screen; all when most of them are."""
        if not self.ready:
            return
        size = self.room
        painted = self._painted
        changed = [y for y in range(size.height) if (old := painted.get(y)) is None or old != self.line(y)]
        self.paint_lines(changed)

    def paint_lines(self, lines: Sequence[int]) -> None:
        size = self.room
        if not lines:
            return
        if len(lines) > 0.6 * size.height:
            self.refresh()
            return
        self.refresh(*(Region(0, y, size.width, 1) for y in lines))

    def blank(self) -> Strip:
        return Strip.blank(self.room.width, self.rich_style)

    def text_line(self, text: str, tone: Tone = Tone.PLAIN) -> Strip:
        """A line of (escaped) words."""
        return strip_of([(text, self.tone(tone))], self.room.width, self.rich_style)

    def set_extent(self, width: int, height: int) -> None:
        """The size of everything; only a change causes a layout."""
        if not self.ready:
            return
        extent = Size(width, height)
        if extent != self.virtual_size:
            self.virtual_size = extent

    @property
    def shown_text(self) -> str:
        """The visible lines as plain text."""
        return "\n".join(self.line(y).text.rstrip() for y in range(self.room.height))
