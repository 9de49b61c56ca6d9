"""View: what a pane says, as data. Screen, plain terminal and `--json` all render these same values.

Views of many rows stay cheap: a Table holds its rows as opaque values and its columns as functions of a row, so that
only the visible window is ever formatted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

import msgspec

from mleconsole.model.absent import Absent
from mleconsole.model.record import Subject

Value = Any  # str | int | float | bool | tuple | Absent | None (None: nothing to say here, drawn empty, JSON null)


class Tone(Enum):
    """What a colour may mean. WARN and BAD belong to alerts alone; fine is quiet."""

    PLAIN = "plain"
    QUIET = "quiet"  # secondary
    STRONG = "strong"
    WARN = "warn"
    BAD = "bad"
    STALE = "stale"  # older than it should be


class Style(Enum):
    """How a cell's raw value is written. Rendering of each is in `mleconsole.render.cells` (text) and the widgets."""

    TEXT = "text"  # str, shown escaped
    NUMBER = "number"  # int or float, 3 significant digits for floats
    PERCENT = "percent"  # 0..100, no sign: the unit is in the header
    MIB = "mib"  # int MiB, written as GiB with one decimal above 10 GiB
    BYTES = "bytes"  # int bytes, written 1.2T 340G 12M
    DURATION = "duration"  # seconds, written 4s 12m 3h05 5d
    TIME = "time"  # epoch seconds of the cluster, written as local HH:MM or a date
    SPARK = "spark"  # sequence of floats; NaN is a gap; Column.scale gives (low, high)
    BAR = "bar"  # 0..100 as a short bar
    NAMES = "names"  # sequence of str, joined


class Column(msgspec.Struct, frozen=True):
    """One column: `value(row)` is the raw value (sort, filter and JSON use it; Absent where unknown)."""

    id: str  # also the JSON key: lower_snake with its unit
    title: str
    value: Callable[[Any], Value]
    style: Style = Style.TEXT
    unit: str = ""  # shown in the header
    width: int = 0  # cells, of words at most so many; 0: as wide as its content, at most 40
    right: bool = False  # numbers are right-aligned by their Style anyway
    priority: int = 5  # 0 never dropped; the highest is dropped first when the screen is narrow
    tone: Callable[[Any], Tone] | None = None
    scale: tuple[float, float] | None = None
    screen: bool = True  # False: only in JSON
    json: bool = True  # False: only on screen (sparklines, notes)


class Table(msgspec.Struct, frozen=True):
    """Rows of one kind of thing. `empty` says in words what an empty table means and what to do next."""

    columns: tuple[Column, ...]
    rows: Sequence[Any]
    subject: Callable[[Any], Subject | None]
    age: Callable[[Any], float | Absent] | None = None  # seconds; `age_seconds` in JSON, fading on screen
    stale_after: float = 10.0
    title: str = ""
    empty: str = "Nothing to show."
    sort: str = ""  # column id to sort by at first; "" keeps the given order
    descending: bool = False
    notices: tuple[str, ...] = ()  # sentences shown above the rows: what could not be read, and why


class GridGroup(msgspec.Struct, frozen=True):
    """One labelled run of cells (a node and its GPUs). A value is NaN where absent; `reasons` then says why."""

    label: str
    values: Sequence[float]
    subjects: Sequence[Subject]
    reasons: Mapping[int, str] = {}  # index -> why absent
    reason: str = ""  # why the whole group is absent
    subject: Subject | None = None


class Grid(msgspec.Struct, frozen=True):
    """A heat map: many cells of one metric on one scale [low, high]."""

    metric: str
    unit: str
    low: float
    high: float
    groups: Sequence[GridGroup]
    title: str = ""
    empty: str = "Nothing to show."


class Matrix(msgspec.Struct, frozen=True):
    """n x n values of one metric between the same labels; NaN is not measured."""

    metric: str
    unit: str
    low: float
    high: float
    labels: Sequence[str]
    values: Sequence[Sequence[float]]
    title: str = ""


class TreeNode(msgspec.Struct, frozen=True):
    text: str
    children: tuple[TreeNode, ...] = ()
    subject: Subject | None = None
    tone: Tone = Tone.PLAIN
    note: str = ""  # right of the text, quiet: "3 ranks: 0-1,3"


class Tree(msgspec.Struct, frozen=True):
    roots: tuple[TreeNode, ...]
    title: str = ""
    empty: str = "Nothing to show."


class ChartLine(msgspec.Struct, frozen=True):
    name: str
    times: Sequence[float]  # seconds, rising
    values: Sequence[float]  # NaN is a gap


class Chart(msgspec.Struct, frozen=True):
    """Lines over time on one scale; `low`/`high` None: fit the data."""

    title: str
    unit: str
    lines: tuple[ChartLine, ...]
    low: float | None = 0.0
    high: float | None = None
    empty: str = "No history yet: it grows while this console runs."


class Fact(msgspec.Struct, frozen=True):
    label: str
    value: Value
    style: Style = Style.TEXT
    unit: str = ""
    tone: Tone = Tone.PLAIN
    id: str = ""  # JSON key; "" uses the label in lower_snake


class Facts(msgspec.Struct, frozen=True):
    facts: tuple[Fact, ...]
    title: str = ""
    subject: Subject | None = None


class Log(msgspec.Struct, frozen=True):
    """Append-only lines, newest last."""

    lines: Sequence[str]
    title: str = ""
    empty: str = "Nothing yet."


class Text(msgspec.Struct, frozen=True):
    text: str
    title: str = ""
    tone: Tone = Tone.PLAIN


class Field(msgspec.Struct, frozen=True):
    """One input of a Form (an action's or a workflow's)."""

    id: str
    title: str
    type: str = "text"  # text | int | float | bool | choice | secret
    default: Value = ""
    choices: tuple[str, ...] = ()
    help: str = ""


class Form(msgspec.Struct, frozen=True):
    title: str
    fields: tuple[Field, ...]


class Section(msgspec.Struct, frozen=True):
    """A part of Sections. `column` 0 is left, 1 right (stacked below on narrow screens); `weight` shares the height."""

    id: str
    view: View
    column: int = 0
    weight: int = 1
    min_height: int = 3
    priority: int = 5  # the highest is left out first when there is no room


class Sections(msgspec.Struct, frozen=True):
    """A composition; sections of one column share its height by weight."""

    sections: tuple[Section, ...]
    title: str = ""


View = Table | Grid | Matrix | Tree | Chart | Facts | Log | Text | Form | Sections
