"""Pick: choose one of many by typing a part of it: the actions menu, the sort picker, the palette."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

from textual import events, on
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from mleconsole.model.view import Tone
from mleconsole_widgets.cells import cut, escape, width_of
from mleconsole_widgets.dialog import Dialog, words
from mleconsole_widgets.lines import Piece, strip_of
from mleconsole_widgets.rows import RowView


class Option(NamedTuple):
    """One line: `keys` stand at its right; with a `reason` it can't be taken, and the reason is told."""

    id: str
    title: str
    keys: str = ""
    reason: str | None = None


def option_of(given: Sequence[str | None]) -> Option:
    """An Option of (id, title), (id, title, reason) or (id, title, keys, reason)."""
    id, title = str(given[0]), str(given[1])
    if len(given) == 3:
        return Option(id, title, "", given[2])
    return Option(id, title, str(given[2] or ""), given[3]) if len(given) > 3 else Option(id, title)


def matching(options: Sequence[Option], typed: str) -> list[Option]:
    """The options that contain every word that was typed; those that begin with it first."""
    parts = typed.lower().split()
    found = [option for option in options if all(part in option.title.lower() for part in parts)]
    if parts:
        found.sort(key=lambda option: not option.title.lower().startswith(parts[0]))
    return found


class _Options(RowView, can_focus=False):
    """The list; the field above keeps the focus, so the cursor is always drawn as where the person is."""

    def __init__(self, options: Sequence[Option]) -> None:
        super().__init__()
        self.options = list(options)

    def put(self, options: Sequence[Option]) -> None:
        self.options = list(options)
        self.cursor = 0
        self._strips.clear()
        self.extend()
        self.scroll_to(y=0, animate=False, immediate=True, force=True)
        self.repaint()

    @property
    def entered(self) -> bool:
        return True

    @property
    def row_count(self) -> int:
        return len(self.options)

    @property
    def empty_words(self) -> str:
        return "Nothing is called so."

    def tell(self) -> None:
        """A picker's cursor is nobody's subject."""

    def subject_at(self, index: int) -> None:
        return None

    def row_strip(self, index: int, selected: bool) -> Strip:
        option = self.options[index]
        style = self.selected if selected else self.tone
        width = self.room.width
        keys = escape(option.keys)
        tone = Tone.PLAIN if option.reason is None else Tone.STALE
        right = f"  {keys} " if keys else " "
        room = max(1, width - 1 - width_of(right))
        title = cut(escape(option.title), room)
        pieces: list[Piece] = [(" ", style(Tone.PLAIN)), (title, style(tone))]
        left = room - width_of(title)
        if option.reason and left > 8:
            reason = cut(f"  {escape(option.reason)}", left)
            pieces.append((reason, style(Tone.STALE)))
            left -= width_of(reason)
        pieces += [(" " * left, style(Tone.PLAIN)), (right, style(Tone.QUIET))]
        return strip_of(pieces, width, style(Tone.PLAIN))

    def on_click(self, event: events.Click) -> None:
        """One click takes it."""
        offset = event.get_content_offset(self)
        index = self.index_at(offset.y) if offset is not None else None
        if index is not None:
            event.stop()
            self.go(index)
            if isinstance(self.screen, Pick):
                self.screen.take()


class Pick(Dialog[str]):
    """The id of the chosen option, None when given up. Options: (id, title[, keys][, reason why not])."""

    DEFAULT_CSS = """
    Pick > #box { padding: 0 1; }
    Pick #words { height: auto; }
    Pick #typed { margin: 0 0 1 0; }
    Pick _Options { background: $background; height: auto; max-height: 24; min-height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n,tab", "step(1)", "next", show=False, priority=True),
        Binding("up,ctrl+p,shift+tab", "step(-1)", "before", show=False, priority=True),
        Binding("pagedown", "step(10)", "page down", show=False, priority=True),
        Binding("pageup", "step(-10)", "page up", show=False, priority=True),
    ]

    def __init__(self, title: str, options: Sequence[Sequence[str | None]]) -> None:
        super().__init__(title)
        self._options = [option_of(option) for option in options]
        self._list = _Options(self._options)

    def body(self) -> Iterable[Widget]:
        yield Input(id="typed", placeholder="type to narrow down", compact=True)
        yield self._list

    def on_mount(self) -> None:
        self._list.styles.height = max(1, min(24, len(self._options)))
        self.query_one("#typed", Input).focus()

    def action_step(self, rows: int) -> None:
        self._list.go(self._list.cursor + rows)

    @on(Input.Changed, "#typed")
    def _narrow(self, message: Input.Changed) -> None:
        message.stop()
        self._list.put(matching(self._options, message.value))

    @on(Input.Submitted, "#typed")
    def _submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.take()

    def take(self) -> None:
        """Answer with the option under the cursor; one that can't be taken stays and says why."""
        options = self._list.options
        if not options:
            return
        option = options[self._list.cursor]
        if option.reason is None:
            self.dismiss(option.id)
            return
        self.query_one("#box").border_subtitle = words(option.reason)
