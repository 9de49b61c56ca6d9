"""ViewTree: a Tree as rows; left and right close and open branches, Enter opens the subject, else the branch."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from mleconsole.model.record import Subject
from mleconsole.model.view import Tone, Tree, TreeNode
from mleconsole_widgets.cells import cut, escape, width_of
from mleconsole_widgets.lines import Piece, strip_of
from mleconsole_widgets.rows import RowView

Path = tuple[str, ...]  # the texts from the root, numbered where brothers are called the same


class _Row(NamedTuple):
    node: TreeNode
    path: Path
    lines: str  # the lines that lead to it
    depth: int


class ViewTree(RowView):
    """All branches are open at first; what was closed stays closed while new Trees are shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "close", "close", show=False),
        Binding("right,l", "widen", "open", show=False),
    ]

    def __init__(self, tree: Tree | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tree = Tree(())
        self._shut: set[Path] = set()
        self._rows: list[_Row] = []
        if tree is not None:
            self.show(tree)

    def show(self, tree: Tree) -> None:
        """Draw `tree`; the cursor stays on its branch."""
        self._tree = tree
        self._flatten()

    def _flatten(self) -> None:
        here = self._rows[self.cursor].path if self.cursor < len(self._rows) else None
        rows: list[_Row] = []
        self._add(rows, self._tree.roots, (), "", 0)
        self._rows = rows
        if here is not None:
            found = next((i for i, row in enumerate(rows) if row.path == here), None)
            if found is not None:
                self.cursor = found
        self._strips.clear()
        self.extend()
        self.reveal()
        self.repaint()
        self.tell()

    def _add(self, rows: list[_Row], nodes: tuple[TreeNode, ...], path: Path, lines: str, depth: int) -> None:
        seen: dict[str, int] = {}
        for place, node in enumerate(nodes):
            number = seen[node.text] = seen.get(node.text, -1) + 1
            own = (*path, node.text if not number else f"{node.text}\0{number}")
            last = place == len(nodes) - 1
            lead = f"{lines}{'└ ' if last else '├ '}" if depth else ""
            rows.append(_Row(node, own, lead, depth))
            if node.children and own not in self._shut:
                below = f"{lines}{'  ' if last else '│ '}" if depth else ""
                self._add(rows, node.children, own, below, depth + 1)

    # ------------------------------------------------------------------ rows

    @property
    def row_count(self) -> int:
        return len(self._rows)

    @property
    def empty_words(self) -> str:
        return escape(self._tree.empty)

    def subject_at(self, index: int) -> Subject | None:
        return self._rows[index].node.subject if index < len(self._rows) else None

    def row_strip(self, index: int, selected: bool) -> Strip:
        row = self._rows[index]
        style = self.selected if selected else self.tone
        width = self.room.width
        sign = ("▸ " if row.path in self._shut else "▾ ") if row.node.children else "  "
        lead = row.lines if width_of(row.lines) < width // 2 else "… "
        note = escape(row.node.note)
        room = max(8, width - 2 - width_of(lead) - 2 - (width_of(note) + 2 if note else 0))
        pieces: list[Piece] = [
            (" ", style(Tone.PLAIN)),
            (lead + sign, style(Tone.STALE)),
            (cut(escape(row.node.text), room), style(row.node.tone)),
        ]
        if note:
            pieces.append((f"  {cut(note, max(4, width // 2))}", style(Tone.QUIET)))
        return strip_of(pieces, width, style(Tone.PLAIN))

    # ------------------------------------------------------------------ keys

    def action_close(self) -> None:
        """Close the branch under the cursor; closed already, or a leaf: go to its parent."""
        if not self._rows:
            return
        row = self._rows[self.cursor]
        if row.node.children and row.path not in self._shut:
            self._shut.add(row.path)
            self._flatten()
            return
        parent = next((i for i in range(self.cursor, -1, -1) if self._rows[i].path == row.path[:-1]), None)
        if parent is not None:
            self.go(parent)

    def action_widen(self) -> None:
        """Open the branch under the cursor; open already: go to its first child."""
        if not self._rows:
            return
        row = self._rows[self.cursor]
        if row.path in self._shut:
            self._shut.discard(row.path)
            self._flatten()
        elif row.node.children:
            self.go(self.cursor + 1)

    def action_open(self) -> None:
        if self.subject is not None:
            super().action_open()
        elif self._rows and (row := self._rows[self.cursor]).node.children:
            self._shut.symmetric_difference_update({row.path})
            self._flatten()

    def on_click(self, event: events.Click) -> None:
        """On its sign a branch opens and closes."""
        offset = event.get_content_offset(self)
        index = self.index_at(offset.y) if offset is not None else None
        if offset is None or index is None:
            return
        row = self._rows[index]
        start = 1 + width_of(row.lines)
        if row.node.children and start <= offset.x < start + 2:
            event.prevent_default()
            event.stop()
            self.go(index)
            self._shut.symmetric_difference_update({row.path})
            self._flatten()
