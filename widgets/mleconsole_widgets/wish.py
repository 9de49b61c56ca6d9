"""How many lines a View would fill, so that short parts leave their room to long ones. Pure."""

from __future__ import annotations

from mleconsole.model.view import Chart, Facts, Form, Grid, Log, Matrix, Sections, Table, Text, Tree, TreeNode, View
from mleconsole_widgets.cells import escape
from mleconsole_widgets.flow import compact, stand
from mleconsole_widgets.text import folded

CHART_LINES = 14  # a chart that is higher says no more
LEGEND = 2  # lines under a heat map
_ENOUGH = 10_000


def lines_wanted(view: View, width: int, fair: int = _ENOUGH) -> int | None:
    """Lines that show all of `view` at `width` cells; None: as many as there are. `fair` is the lines that it may have
    without taking any from others: a heat map fills them with wider cells, and needs no more."""
    match view:
        case Table():
            return len(view.notices) + (len(view.rows) + 1 if view.rows else view.empty.count("\n") + 1)
        case Text():
            return len(folded(view.text, max(1, width - 4)))
        case Facts():
            return None if width < 1 else _facts(view, width)
        case Grid():
            return _grid(view, width, fair)
        case Matrix():
            return len(view.labels) + 3
        case Tree():
            return min(_ENOUGH, sum(map(_nodes, view.roots))) or 1
        case Chart():
            known = any(value == value for line in view.lines for value in line.values)
            return CHART_LINES if known else 1
        case Log() | Sections() | Form():
            return None


def _facts(facts: Facts, width: int) -> int:
    from mleconsole_widgets.facts import layout

    return max(1, len(layout(facts, width)[0]))


def _grid(grid: Grid, width: int, fair: int) -> int:
    if not grid.groups:
        return 3
    cells = max(len(group.values) for group in grid.groups)
    labels = [escape(group.label) for group in grid.groups]
    height = max(fair - LEGEND, compact(labels, cells, width))
    return stand(labels, cells, width, height)[1].lines + LEGEND


def _nodes(node: TreeNode) -> int:
    return 1 + sum(map(_nodes, node.children))
