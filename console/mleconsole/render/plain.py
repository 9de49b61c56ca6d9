"""Views and reports -> lines of text for a terminal without the app, a file or a pipe. No text is ever markup."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from rich.cells import cell_len, set_cell_size

from mleconsole.model.absent import Absent
from mleconsole.model.format import DOT, NUMERIC, cell_text, duration, escape, significant, spark
from mleconsole.model.report import Report
from mleconsole.model.view import (
    Chart,
    Column,
    Facts,
    Form,
    Grid,
    Log,
    Matrix,
    Sections,
    Style,
    Table,
    Text,
    Tone,
    Tree,
    TreeNode,
    View,
)
from mleconsole.render.select import ordered

GAP = "  "
CHART_CELLS = 30
DRAWN = (Style.SPARK, Style.BAR)
WIDEST = 40  # cells of a column whose width is not given
COLOURS = {Tone.WARN: "33", Tone.BAD: "31", Tone.STRONG: "1", Tone.QUIET: "2", Tone.STALE: "2"}
Line = str


def text(view: View, *, width: int | None = None, colour: bool = False) -> Iterator[Line]:
    """The lines of a View without line ends, at most `width` cells each (None: as wide as it gets)."""
    return _Page(width, colour).view(view)


def report_text(report: Report, *, width: int | None = None, colour: bool = False) -> Iterator[Line]:
    """The lines of a Report: the verdict, what it stands on, what could not be read, what to do next."""
    return _Page(width, colour).report(report)


@dataclass(frozen=True, slots=True)
class _Page:
    """A width and whether colour is welcome."""

    width: int | None
    colour: bool

    def view(self, view: View) -> Iterator[Line]:
        if isinstance(view, Sections):
            yield from self._sections(view)
            return
        if view.title:
            yield self._line(view.title, Tone.STRONG)
        match view:
            case Table():
                yield from self._table(view)
            case Grid():
                yield from self._grid(view)
            case Matrix():
                yield from self._matrix(view)
            case Tree():
                yield from self._tree(view)
            case Chart():
                yield from self._chart(view)
            case Facts():
                yield from self._facts(view)
            case Log():
                yield from (self._line(line) for line in view.lines or [view.empty])
            case Text():
                yield from (self._line(line, view.tone) for line in view.text.split("\n"))
            case Form():
                yield from self._form(view)

    def report(self, report: Report) -> Iterator[Line]:
        confidence = f"  {report.confidence}" if report.confidence else ""
        tone = Tone.BAD if report.exit_status == 1 else Tone.STRONG
        yield self._line(f"{report.verdict}{confidence}", tone)
        yield self._line(report.sentence)
        if report.evidence:
            yield from self._rule("Evidence")
            rows = [(item.source, item.fact, _age(item.age_seconds)) for item in report.evidence]
            yield from self._rows(rows)
        if report.unreadable:
            yield from self._rule("Not readable")
            unread = [(item.source, item.host, item.reason, item.remedy) for item in report.unreadable]
            yield from self._rows(unread)
        if report.next:
            yield from self._rule("Next")
            yield from (self._line(f"  {shlex.join(argv)}") for argv in report.next)
        for view in report.views:
            yield ""
            yield from self.view(view)

    # -- parts ---------------------------------------------------------------------------------------------------

    def _sections(self, sections: Sections) -> Iterator[Line]:
        if sections.title:
            yield self._line(sections.title, Tone.STRONG)
        for index, part in enumerate(sections.sections):
            if index or sections.title:
                yield ""
            yield from self.view(part.view)

    def _rule(self, title: str) -> Iterator[Line]:
        yield ""
        yield self._line(title, Tone.STRONG)

    def _table(self, table: Table) -> Iterator[Line]:
        yield from (self._line(notice, Tone.WARN) for notice in table.notices)
        if not table.rows:
            yield self._line(table.empty)
            return
        table = ordered(table) if table.sort else table
        columns = self._fitting(table)
        cells = [[_cell(column, row) for column, _ in columns] for row in table.rows]
        last = len(columns) - 1
        yield self._line(
            GAP.join(_pad(_title(column), size, _right(column), i == last) for i, (column, size) in enumerate(columns)),
            Tone.QUIET,
        )
        for row, texts in zip(table.rows, cells, strict=True):
            parts = []
            for i, ((column, size), cell) in enumerate(zip(columns, texts, strict=True)):
                padded = _pad(cell, size, _right(column), i == last)
                parts.append(self._paint(padded, column.tone(row) if column.tone is not None else Tone.PLAIN))
            yield GAP.join(parts).rstrip()

    def _fitting(self, table: Table) -> list[tuple[Column, int]]:
        """The columns that fit, with their widths: the highest priority number goes first, 0 never."""
        columns = [(column, self._column_width(table, column)) for column in table.columns if column.screen]
        if self.width is None:
            return columns
        while sum(size for _, size in columns) + len(GAP) * (len(columns) - 1) > self.width:
            worst = max((column.priority for column, _ in columns), default=0)
            if worst == 0 or len(columns) == 1:
                break
            index = max(i for i, (column, _) in enumerate(columns) if column.priority == worst)
            del columns[index]
        over = sum(size for _, size in columns) + len(GAP) * (len(columns) - 1) - self.width
        if over > 0 and columns:
            index = max(range(len(columns)), key=lambda i: columns[i][1])
            column, size = columns[index]
            columns[index] = (column, max(4, size - over))
        return columns

    def _column_width(self, table: Table, column: Column) -> int:
        """As wide as its content; without a terminal to fit nothing is cut."""
        widest = max((cell_len(_cell(column, row)) for row in table.rows), default=0)
        limit = (column.width or WIDEST) if self.width is not None else widest
        return max(min(widest, limit), cell_len(_title(column)))

    def _grid(self, grid: Grid) -> Iterator[Line]:
        yield self._line(_scale(grid), Tone.QUIET)
        if not grid.groups:
            yield self._line(grid.empty)
        rows = []
        for group in grid.groups:
            reasons = group.reason or "; ".join(dict.fromkeys(group.reasons.values()))
            rows.append((group.label, " ".join(f"{_number(value):>5}" for value in group.values), reasons))
        yield from self._rows(rows)

    def _matrix(self, matrix: Matrix) -> Iterator[Line]:
        yield self._line(_scale(matrix), Tone.QUIET)
        rows = [("", *matrix.labels)]
        rows += [(label, *map(_number, values)) for label, values in zip(matrix.labels, matrix.values, strict=False)]
        yield from self._rows(rows)

    def _tree(self, tree: Tree) -> Iterator[Line]:
        if not tree.roots:
            yield self._line(tree.empty)
        for root in tree.roots:
            yield from self._node(root, "", "")

    def _node(self, node: TreeNode, first: str, rest: str) -> Iterator[Line]:
        note = f"  {node.note}" if node.note else ""
        yield self._line(f"{first}{node.text}{note}", node.tone)
        for index, child in enumerate(node.children):
            end = index == len(node.children) - 1
            yield from self._node(child, rest + ("└ " if end else "├ "), rest + ("  " if end else "│ "))

    def _chart(self, chart: Chart) -> Iterator[Line]:
        rows = []
        for line in chart.lines:
            known = [value for value in line.values if isfinite(value)]
            if known:
                told = f"last {_number(known[-1])}  low {_number(min(known))}  high {_number(max(known))} {chart.unit}"
                rows.append((line.name, spark(line.values, chart.low, chart.high, CHART_CELLS), told))
        if not rows:
            yield self._line(chart.empty)
        yield from self._rows(rows)

    def _facts(self, facts: Facts) -> Iterator[Line]:
        labels = [escape(fact.label) for fact in facts.facts]
        size = max(map(cell_len, labels), default=0)
        for label, fact in zip(labels, facts.facts, strict=True):
            unit = f" {fact.unit}" if fact.unit and not isinstance(fact.value, Absent) else ""
            value = _value_text(fact.value, fact.style)
            yield self._line(f"{set_cell_size(label, size)}{GAP}{value}{unit}".rstrip(), fact.tone, escaped=True)

    def _form(self, form: Form) -> Iterator[Line]:
        rows = []
        for field in form.fields:
            kind = " | ".join(field.choices) if field.choices else field.type
            default = "" if field.type == "secret" or field.default in ("", None) else f"default {field.default}"
            rows.append((field.id, kind, default, field.help or field.title))
        yield from self._rows(rows)

    # -- lines ---------------------------------------------------------------------------------------------------

    def _rows(self, rows: Sequence[Sequence[str]]) -> Iterator[Line]:
        """Words in columns, the last of which is cut at the edge."""
        safe = [[escape(word) for word in row] for row in rows]
        sizes = [max(cell_len(word) for word in column) for column in zip(*safe, strict=True)] if safe else []
        for row in safe:
            parts = [set_cell_size(word, size) for word, size in zip(row, sizes, strict=True) if size]
            yield self._line(GAP.join(parts).rstrip(), escaped=True)

    def _line(self, words: str, tone: Tone = Tone.PLAIN, *, escaped: bool = False) -> Line:
        line = words if escaped else escape(words)
        if self.width is not None and cell_len(line) > self.width:
            line = _cut(line, self.width)
        return self._paint(line, tone)

    def _paint(self, words: str, tone: Tone) -> str:
        code = COLOURS.get(tone) if self.colour else None
        return f"\x1b[{code}m{words}\x1b[0m" if code and words.strip() else words


def _scale(view: Grid | Matrix) -> str:
    """The metric with its unit, unless it names it already."""
    return f"{view.metric}, {view.unit}" if view.unit and view.unit not in view.metric else view.metric


def _title(column: Column) -> str:
    return escape(f"{column.title} {column.unit}".rstrip())


def _right(column: Column) -> bool:
    return column.right or column.style in NUMERIC


def _cell(column: Column, row: Any) -> str:
    value = column.value(row)
    return cell_text(value, column.style, column.width if column.style in DRAWN else 0, scale=column.scale)


def _value_text(value: Any, style: Style) -> str:
    if isinstance(value, Absent):
        return f"{DOT} {escape(value.reason)}"
    return cell_text(value, style)


def _pad(words: str, size: int, right: bool, last: bool) -> str:
    if cell_len(words) > size:
        words = _cut(words, size)
    if right:
        return " " * (size - cell_len(words)) + words
    return words if last else set_cell_size(words, size)


def _cut(words: str, size: int) -> str:
    """Cut in the middle, so that the end of a name still tells."""
    if size < 3:
        return set_cell_size(words, size)
    tail_size = (size - 1) // 3
    tail = ""
    for character in reversed(words):
        if cell_len(character + tail) > tail_size:
            break
        tail = character + tail
    return f"{set_cell_size(words, size - 1 - cell_len(tail)).rstrip()}…{tail}"


def _number(value: float) -> str:
    return significant(value)


def _age(seconds: float | Absent) -> str:
    return DOT if isinstance(seconds, Absent) else duration(seconds)
