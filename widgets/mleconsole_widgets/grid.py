"""HeatGrid: many cells of one metric, grouped (a node and its GPUs); the groups flow in columns."""

from __future__ import annotations

from itertools import groupby
from math import isnan, nan
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from mleconsole.model.format import significant
from mleconsole.model.record import Subject
from mleconsole.model.view import Grid, GridGroup, Tone
from mleconsole_widgets.cells import end_cut, escape, fit
from mleconsole_widgets.flow import GAP, TEN, Flow, stand
from mleconsole_widgets.legend import legend
from mleconsole_widgets.lines import LineView, Piece, strip_of
from mleconsole_widgets.messages import CursorMoved, Opened
from mleconsole_widgets.ramps import Ramp, levels_of, ramp
from mleconsole_widgets.tiles import grounds, number, tile

ABSENT = 255
LEGEND = 2  # lines under the map, with the blank one above it
_REVERSE = Style(reverse=True)


class HeatGrid(LineView):
    """The cursor is on one cell (a GPU), or on one group (a node) where there is only room for a cell a group."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(0, -1)", "up", show=False),
        Binding("down,j", "move(0, 1)", "down", show=False),
        Binding("left,h", "move(-1, 0)", "left", show=False),
        Binding("right,l", "move(1, 0)", "right", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "page up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "page down", show=False),
        Binding("home,g", "jump(0)", "first", show=False),
        Binding("end,G", "jump(-1)", "last", show=False),
        Binding("enter", "open", "open", show=False),
    ]

    def __init__(self, grid: Grid | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._grid = Grid("", "", 0.0, 1.0, ())
        self._levels: list[bytes] = []
        self._labels: list[str] = []
        self._flow: Flow | None = None
        self._group = 0
        self._cell = 0
        self._told: tuple[Subject | None, str] | None = None
        self._ramp: Ramp = ramp(0, True)
        self._ramp_styles: tuple[Style, ...] = ()
        self._on: tuple[Style, ...] = ()  # words on the colours of the ramp
        self._strips: dict[tuple[object, ...], Strip] = {}
        if grid is not None:
            self.show(grid)

    # ------------------------------------------------------------------ what the screen asks

    @property
    def grid(self) -> Grid:
        return self._grid

    @property
    def subject(self) -> Subject | None:
        """The cell under the cursor, or its group where the groups are folded."""
        groups = self._grid.groups
        if self._group >= len(groups):
            return None
        group = groups[self._group]
        if self.flow.folded:
            return group.subject or (group.subjects[0] if group.subjects else None)
        if self._cell < len(group.subjects):
            return group.subjects[self._cell]
        return group.subject

    def show(self, grid: Grid) -> None:
        """Draw `grid`; the cursor stays on its subject; only lines that changed are painted."""
        subject = self.subject
        shape = [(group.label, len(group.values)) for group in self._grid.groups]
        self._grid = grid
        if shape != [(group.label, len(group.values)) for group in grid.groups]:
            self._flow = None
            self._keep_cursor(subject)
        self._grade()
        self._extend()
        self.repaint()
        self.tell()

    def _keep_cursor(self, subject: Subject | None) -> None:
        groups = self._grid.groups
        for index, group in enumerate(groups):
            if subject is not None and (subject == group.subject or subject in group.subjects):
                self._group = index
                self._cell = group.subjects.index(subject) if subject in group.subjects else self._cell
                return
        self._group = min(self._group, max(0, len(groups) - 1))

    def _grade(self) -> None:
        """Values -> steps of the ramp, once for every Grid."""
        grid = self._grid
        if self.is_attached:
            self._ramp = ramp(self.colours, self.app.current_theme.dark)
        levels = self._ramp.levels
        self._levels = [levels_of(group.values, grid.low, grid.high, levels) for group in grid.groups]

    # ------------------------------------------------------------------ layout

    @property
    def flow(self) -> Flow:
        """Where the groups stand on a screen of this size."""
        if self._flow is None:
            groups = self._grid.groups
            widest = max((len(group.values) for group in groups), default=1)
            labels = [escape(group.label) for group in groups]
            self._labels, self._flow = stand(labels, widest, self.room.width, self.room.height - LEGEND)
        return self._flow

    @property
    def folded(self) -> bool:
        """One cell stands for a whole group."""
        return self.flow.folded

    @property
    def legend_lines(self) -> int:
        return LEGEND if self.room.height > 3 else 1 if self.room.height > 1 else 0

    def _extend(self) -> None:
        self.set_extent(max(1, self.room.width), self.flow.lines + self.legend_lines)

    def fit_in(self) -> None:
        self._flow = None
        self.forget_lines()
        self._extend()
        self.refresh()

    def on_mount(self) -> None:
        self._grade()

    def forget_lines(self) -> None:
        super().forget_lines()
        self._strips.clear()
        self._ramp_styles = ()
        self._grade()

    # ------------------------------------------------------------------ lines

    def line(self, y: int) -> Strip:
        height, legend = self.room.height, self.legend_lines
        if legend and y == height - 1:
            return self._legend()
        if legend == 2 and y == height - 2:
            return self.blank()
        if not self._grid.groups:
            words = end_cut(escape(self._grid.empty), max(1, self.room.width - 4))
            return self.text_line(f"  {words}", Tone.QUIET) if y == 0 else self.blank()
        row = y + self.scroll_offset.y
        row, part = divmod(row, self.flow.tall)
        if row >= self.flow.rows or part:
            return self.blank()
        return self._folded_row(row) if self.folded and not self.flow.labelled else self._row(row)

    @property
    def styles_of_steps(self) -> tuple[Style, ...]:
        if not self._ramp_styles:
            self._ramp_styles = self._ramp.styles(self.rich_style)
            self._on = grounds(self._ramp, self.rich_style)
        return self._ramp_styles

    def _row(self, row: int) -> Strip:
        """One line: the row-th group of every column, with its label."""
        plan = self.flow
        indices = plan.in_row(row)
        cursor = (self._group, self._cell, self.has_focus) if self._group in indices else None
        groups = [self._grid.groups[i] for i in indices]
        told = tuple((tuple(group.values) if plan.tiles else (), group.reason) for group in groups)
        key = (row, cursor, tuple(self._levels[i] for i in indices), told)
        found = self._strips.get(key)
        if found is not None:
            return found
        plain, quiet = self.rich_style, self.tone(Tone.QUIET)
        gap = GAP if plan.labelled else 1
        pieces: list[Piece] = [(" ", plain)]
        for index in indices:
            here = index == self._group
            if plan.labelled or index == indices[0]:
                label = fit(self._labels[index], plan.label, right=True)
                pieces.append((f"{label} ", self.tone(Tone.STRONG) if here and self.has_focus else quiet))
            cell = self._cell if here and self.has_focus else -1
            levels = self._levels[index]
            if not levels:
                pieces.append(self._nothing(self._grid.groups[index], cell))
            elif plan.tiles:
                self._tiles(pieces, self._grid.groups[index], levels, cell)
            else:
                self._cells(pieces, levels, cell, plan.span)
            drawn = len(levels) * plan.span or plan.group_width
            pieces.append((" " * (plan.group_width - drawn + gap), plain))
        strip = strip_of(pieces, self.room.width, plain)
        if len(self._strips) > 600:
            self._strips.clear()
        self._strips[key] = strip
        return strip

    def _nothing(self, group: GridGroup, cursor: int) -> Piece:
        """A group without a cell: why, where there is room for words."""
        plan, style = self.flow, self.tone(Tone.STALE)
        words = escape(group.reason) if plan.tiles else ""
        words = end_cut(words, plan.group_width) if words else self._ramp.absent * plan.cells
        return fit(words, plan.group_width), style + _REVERSE if cursor >= 0 else style

    def _tiles(self, pieces: list[Piece], group: GridGroup, levels: bytes, cursor: int) -> None:
        """Cells that are wide enough for their numbers, and a blank after each."""
        width, plain, styles = self.flow.span - 1, self.rich_style, self.styles_of_steps
        for index, step in enumerate(levels):
            words = (
                self._ramp.absent if step == ABSENT else number(group.values[index], width if self._on else width - 1)
            )
            if index == cursor:
                marked = f"◆ {words}" if len(words) + 2 <= width else words or "◆"
                pieces.append((marked.center(width), self.tone(Tone.STRONG) + _REVERSE))
            elif step == ABSENT:
                pieces.append((words.center(width), self.tone(Tone.STALE)))
            else:
                pieces += tile(words, width, step, self._ramp, styles, self._on, plain)
            pieces.append((" ", plain))

    def _cells(self, pieces: list[Piece], levels: bytes, cursor: int, span: int = 1) -> None:
        steps, styles = self._ramp.steps, self.styles_of_steps
        absent, quiet = self._ramp.absent, self.tone(Tone.STALE)
        at = 0
        for step, run in groupby(levels):
            count = len(list(run))
            character, style = (absent, quiet) if step == ABSENT else (steps[step][0], styles[step])
            if at <= cursor < at + count:
                before, after = cursor - at, at + count - cursor - 1
                if before:
                    pieces.append((character * before * span, style))
                pieces.append(self._cursor_cell(step, span))
                if after:
                    pieces.append((character * after * span, style))
            else:
                pieces.append((character * count * span, style))
            at += count

    def _cursor_cell(self, step: int, span: int) -> Piece:
        """The cell under the cursor: a mark in reverse."""
        return (("◆" if step != ABSENT else "·") * span, self.tone(Tone.STRONG) + _REVERSE)

    def worst(self, group: GridGroup) -> float:
        """What stands for a whole group: its highest value."""
        known = [value for value in group.values if not isnan(value)]
        return max(known) if known else nan

    def _folded_row(self, row: int) -> Strip:
        """One line of single cells: the label of the first group, then one cell a group."""
        plan = self.flow
        indices = plan.in_row(row)
        plain, quiet = self.rich_style, self.tone(Tone.QUIET)
        label = fit(self._labels[indices[0]], plan.label, right=True) if indices else ""
        pieces: list[Piece] = [(" ", plain), (f"{label} ", quiet)]
        known = bytes(max((step for step in self._levels[i] if step != ABSENT), default=ABSENT) for i in indices)
        cursor = self._group - indices[0] if self._group in indices and self.has_focus else -1
        for start in range(0, len(known), TEN):
            self._cells(pieces, known[start : start + TEN], cursor - start if cursor >= start else -1)
            pieces.append((" ", plain))
        return strip_of(pieces, self.room.width, plain)

    def _legend(self) -> Strip:
        """The scale, what a cell is where groups are folded, and what is under the cursor."""
        grid, plain, quiet = self._grid, self.rich_style, self.tone(Tone.QUIET)
        pieces = legend(self._ramp, self.styles_of_steps, grid.low, grid.high, grid.unit, quiet)
        pieces.append((f"   {self._ramp.absent} absent", quiet))
        if self.folded and not self.flow.labelled:
            pieces.append(("   one cell a node: its highest", quiet))
        pieces.append((f"   {self._words_here()}", plain))
        return strip_of(pieces, self.room.width, plain)

    def _words_here(self) -> str:
        """The label and value under the cursor."""
        if not self.has_focus or self._group >= len(self._grid.groups):
            return ""
        group = self._grid.groups[self._group]
        value = self.worst(group) if self.folded else self._value(group)
        cell = "" if self.folded or len(group.values) < 2 else f" {self._cell}"
        unit = f" {escape(self._grid.unit)}" if self._grid.unit and not isnan(value) else ""
        return f"{escape(group.label)}{cell}: {significant(value)}{unit}"

    def _value(self, group: GridGroup) -> float:
        return group.values[self._cell] if self._cell < len(group.values) else nan

    # ------------------------------------------------------------------ cursor

    @property
    def reason(self) -> str:
        """Why the value under the cursor is absent."""
        if self._group >= len(self._grid.groups):
            return ""
        group = self._grid.groups[self._group]
        if self.folded:
            reason = group.reason or (next(iter(group.reasons.values()), "") if isnan(self.worst(group)) else "")
        else:
            reason = (group.reasons.get(self._cell, "") or group.reason) if isnan(self._value(group)) else ""
        return escape(reason)

    def tell(self) -> None:
        """Say where the cursor is, when that is new and the person is in this part."""
        if not self.has_focus:
            return
        told = (self.subject, self.reason)
        if told != self._told:
            self._told = told
            self.post_message(CursorMoved(*told).set_sender(self))

    def on_focus(self) -> None:
        self._told = None
        self.tell()

    def _go(self, group: int, cell: int) -> None:
        groups = self._grid.groups
        if not groups:
            return
        self._group = min(max(0, group), len(groups) - 1)
        self._cell = min(max(0, cell), max(0, len(groups[self._group].values) - 1))
        row = self.flow.row_of(self._group) * self.flow.tall
        rows = max(1, self.room.height - self.legend_lines)
        top = self.scroll_offset.y
        wanted = min(max(top, row - rows + 1), row)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True, force=True)
        self.repaint()
        self.tell()

    def action_move(self, across: int, down: int) -> None:
        plan = self.flow
        if down:
            self._go(plan.below(self._group, down), self._cell)
            return
        size = len(self._grid.groups[self._group].values) if self._grid.groups and not plan.folded else 0
        if 0 <= self._cell + across < size:
            self._go(self._group, self._cell + across)
        elif (beside := plan.beside(self._group, across)) is not None:
            self._go(beside, 0 if across > 0 else 1 << 30)

    def action_page(self, pages: int) -> None:
        rows = max(1, self.room.height - self.legend_lines)
        self._go(self.flow.below(self._group, pages * rows // self.flow.tall), self._cell)

    def action_jump(self, group: int) -> None:
        self._go(group if group >= 0 else len(self._grid.groups) - 1, 0)

    def action_open(self) -> None:
        if (subject := self.subject) is not None:
            self.post_message(Opened(subject))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y >= self.room.height - self.legend_lines:
            return
        event.stop()
        found = self.flow.at(offset.x, (offset.y + self.scroll_offset.y) // self.flow.tall)
        if found is not None:
            self._go(*found)
            if event.chain == 2:
                self.action_open()
