"""SectionsWidget: parts of a page under thin titled rules: two columns where it is wide, stacked where it is narrow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rich.segment import Segment
from textual.app import ComposeResult
from textual.geometry import NULL_OFFSET, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.strip import Strip
from textual.widget import Widget

from mleconsole.model.record import Subject
from mleconsole.model.view import Section, Sections, View
from mleconsole_widgets.cells import end_cut, escape, width_of
from mleconsole_widgets.share import Wish, share
from mleconsole_widgets.wish import lines_wanted

WIDE = 120  # cells from which there are two columns
LINES_FOR_A_WORD = 8  # lines from which there is one to say what was left out


class Showing(Protocol):
    """What draws the view of a part (a ViewWidget)."""

    def show(self, view: View) -> None: ...


class Rule(Widget, can_focus=False):
    """`── Title ──────`: one line; empty space where a part has no title and is the first."""

    DEFAULT_CSS = """
    Rule { height: 1; width: 1fr; background: $background; color: $foreground 30%; }
    Rule > .rule--title { color: $foreground 80%; }
    """
    COMPONENT_CLASSES = {"rule--title"}

    def __init__(self) -> None:
        super().__init__()
        self._words = ""

    def put(self, title: str) -> None:
        """Show this title."""
        words = escape(title)
        if words != self._words:
            self._words = words
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width, style = self.size.width, self.rich_style
        words = end_cut(self._words, max(1, width - 6))
        if not words:
            return Strip([Segment("─" * width, style)])
        rest = max(0, width - 4 - width_of(words))
        title = self.get_component_rich_style("rule--title")
        segments = [Segment("── ", style), Segment(words, title), Segment(f" {'─' * rest}", style)]
        return Strip(segments).adjust_cell_length(width, style)


class Divider(Widget, can_focus=False):
    """The thin line between two columns."""

    DEFAULT_CSS = """
    Divider { width: 1; background: $background; color: $foreground 30%; }
    """

    def render_line(self, y: int) -> Strip:
        return Strip([Segment("│", self.rich_style)])


class Part(Widget, can_focus=False):
    """A rule with the title, and the view under it."""

    DEFAULT_CSS = """
    Part { layout: vertical; width: 1fr; height: 1fr; background: $background; }
    Part.bare > Rule { display: none; }
    """

    def __init__(self, section: Section, inner: Widget, showing: Showing) -> None:
        super().__init__()
        self.section = section
        self.rule = Rule()
        self._inner = inner
        self._showing = showing
        self._most: int | None = 0  # the most lines its view ever wanted at this width: a part does not jump
        self._room = (0, 0)

    def compose(self) -> ComposeResult:
        yield self.rule
        yield self._inner

    def show(self, section: Section) -> None:
        self.section = section
        self.rule.put(self.title)
        self._showing.show(section.view)

    @property
    def title(self) -> str:
        return self.section.view.title

    def wish(self, width: int, bare: bool, fair: int) -> Wish:
        """The lines it asks for, with its rule; `fair` is its equal part of the height."""
        section = self.section
        if (width, fair) != self._room:
            self._room, self._most = (width, fair), 0
        wanted = lines_wanted(section.view, width - 1, fair - 1)  # one for the scroll bar, one for the rule
        self._most = None if wanted is None or self._most is None else max(self._most, wanted)
        rule = 0 if bare else 1
        most = None if self._most is None else self._most + rule
        return Wish(section.min_height + rule, most, section.weight, section.priority)


class _PartsLayout(Layout):
    """Places what `SectionsWidget.plan` says."""

    name = "parts"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        regions = parent.placed_in(size) if isinstance(parent, SectionsWidget) else {}
        none = Spacing()
        return [
            WidgetPlacement(regions[child], NULL_OFFSET, none, child, 0, False, False, False)
            for child in children
            if child in regions
        ]


class SectionsWidget(Widget, can_focus=False):
    """Parts keep their state by the section's id; only another set of parts, or another size, causes a layout."""

    DEFAULT_CSS = """
    SectionsWidget { width: 1fr; height: 1fr; background: $background; }
    """

    def __init__(self, sections: Sections, make: Callable[[], Widget]) -> None:
        super().__init__()
        self._sections = sections
        self._make = make
        self._parts: dict[str, Part] = {}
        self._divider = Divider()
        self._left_out = Rule()
        self._plan: dict[Widget, Region] = {}
        self._bare: set[Part] = set()  # parts without a rule

    @property
    def subject(self) -> Subject | None:
        return None

    @property
    def layout(self) -> Layout:
        return _PartsLayout()

    def compose(self) -> ComposeResult:
        yield self._divider
        yield self._left_out

    def on_mount(self) -> None:
        self.show(self._sections)

    def show(self, sections: Sections) -> None:
        """Draw `sections`."""
        self._sections = sections
        if not self.is_attached:
            return
        wanted = {section.id: section for section in sections.sections}
        for gone in [id for id in self._parts if id not in wanted]:
            self._parts.pop(gone).remove()
        for section in sections.sections:
            part = self._parts.get(section.id)
            if part is None:
                inner = self._make()
                part = self._parts[section.id] = Part(section, inner, inner)  # type: ignore[arg-type]
                self.mount(part)
            part.show(section)
        self._settle()

    def on_resize(self) -> None:
        self._settle()

    def _ordered(self) -> list[Part]:
        return [self._parts[section.id] for section in self._sections.sections if section.id in self._parts]

    def _settle(self) -> None:
        """Leave out what has no room, and lay out anew when anything moved."""
        size = self.outer_size
        if not size.width or not size.height:
            return
        plan = self.plan(size)
        for part in self._parts.values():
            shown = part in plan
            if part.display != shown:
                part.display = shown
                part.disabled = not shown
        for line in (self._divider, self._left_out):
            if line.display != (line in plan):
                line.display = line in plan
        names = [part.title or part.section.id for part in self._ordered() if part not in plan]
        self._left_out.put(f"no room for: {', '.join(names)}" if names else "")
        for part in self._parts.values():
            if part.has_class("bare") != (part in self._bare):
                part.set_class(part in self._bare, "bare")
        if plan != self._plan:
            self._plan = plan
            for part in self._parts.values():
                part.refresh(layout=True)

    def placed_in(self, size: Size) -> dict[Widget, Region]:
        """The plan for a layout; what has no room is hidden soon after, also when no Resize tells of the size."""
        plan = self.plan(size)
        if plan != self._plan:
            self.call_later(self._settle)
        return plan

    def plan(self, size: Size) -> dict[Widget, Region]:
        """Where everything goes on `size`; what is not in it is left out, and a line at the bottom says what."""
        plan = self._places(size.width, size.height)
        if size.height > LINES_FOR_A_WORD and any(part not in plan for part in self._parts.values()):
            plan = self._places(size.width, size.height - 1)
            plan[self._left_out] = Region(0, size.height - 1, size.width, 1)
        return plan

    def _places(self, width: int, height: int) -> dict[Widget, Region]:
        parts = self._ordered()
        self._bare.clear()
        left = [part for part in parts if part.section.column == 0]
        right = [part for part in parts if part.section.column != 0]
        if width < WIDE or not left or not right:
            return self._column([*left, *right], 0, width, height)
        half = (width - 1) * 3 // 5
        plan = self._column(left, 0, half, height)
        plan |= self._column(right, half + 1, width - half - 1, height)
        plan[self._divider] = Region(half, 0, 1, height)
        return plan

    def _column(self, parts: list[Part], x: int, width: int, height: int) -> dict[Widget, Region]:
        plan: dict[Widget, Region] = {}
        wishes = []
        for index, part in enumerate(parts):
            bare = index == 0 and not part.title
            if bare:
                self._bare.add(part)
            wishes.append(part.wish(width, bare, height // len(parts)))
        y = 0
        for part, lines in zip(parts, share(wishes, height), strict=True):
            if lines > 0:
                plan[part] = Region(x, y, width, lines)
                y += lines
        return plan
