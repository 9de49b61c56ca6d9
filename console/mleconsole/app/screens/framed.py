"""FramedScreen: a line of context, a body, a rule with a sentence in it, a line of keys; filter and sort live here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from mleconsole.app import parts
from mleconsole.app.bar import Bar
from mleconsole.app.keys import Entry, shown
from mleconsole.app.lines import Piece
from mleconsole.model.format import escape
from mleconsole.model.view import Tone

if TYPE_CHECKING:
    from mleconsole_widgets.table import ViewTable

#: Keys that the widgets themselves understand: the table of keys tells of them, the widgets do them.
NATIVE = {"open": "enter", "mark": "space", "range": "v", "next_part": "tab", "previous_part": "shift+tab"}


def pressed(event: events.Key) -> str:
    """The key as the key table writes it: the character of a sign, else Textual's name."""
    character = event.character
    if character is not None and len(character) == 1 and character.isprintable() and character != " ":
        return character
    return event.key


class Hub(Protocol):
    """What a framed screen asks of the app behind it."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None: ...


class FramedScreen(Screen[None]):
    """Subclasses give `body()`, the page that is looked at (`page`), and what keys mean now (`entries`)."""

    DEFAULT_CSS = """
    FramedScreen { layers: base; background: $background; }
    FramedScreen > #body { height: 1fr; }
    FramedScreen > #filter { display: none; height: 1; border: none; padding: 0 1; background: $background; }
    FramedScreen > #filter.open { display: block; }
    FramedScreen > #filter:focus { border: none; }
    """
    ALLOW_SELECT = False
    AUTO_FOCUS = ""
    covers = False  # nothing of the panes is seen behind it

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self.hub = hub
        self._said: tuple[str, Tone] | None = None

    def compose(self) -> ComposeResult:
        yield Bar(gap=1, between=" · ", id="top")
        yield Bar(id="panes")
        with Container(id="body"):
            yield from self.body()
        yield Bar(fill="─", gap=1, id="status")
        yield Bar(id="keys")

    def on_mount(self) -> None:
        self.paint_frame()

    def beat(self) -> None:
        """About once a second while it is in front."""
        self.paint_frame()

    # ------------------------------------------------------------------ what subclasses give

    def body(self) -> Iterable[Widget]:
        raise NotImplementedError

    @property
    def page(self) -> Widget | None:
        """The widget whose parts filter, sort and copy are about."""
        raise NotImplementedError

    def entries(self) -> dict[str, Entry]:
        raise NotImplementedError

    def paint_frame(self) -> None:
        """Put the top, pane, status and key lines."""
        raise NotImplementedError

    def run(self, entry: Entry) -> None:
        """Do what an entry means. The console's own commands are the methods `do_<id>`."""
        if entry.reason is not None:
            self.say(f"{shown(entry.key)}  {entry.title}: {entry.reason}", Tone.WARN)
        elif entry.role == "command":
            getattr(self, f"do_{entry.id}", lambda: None)()

    # ------------------------------------------------------------------ the line in the rule

    def say(self, sentence: str, tone: Tone = Tone.PLAIN) -> None:
        """Show a sentence in the rule until the next key."""
        self._said = (escape(sentence), tone) if sentence else None
        self.paint_status()

    def standing(self) -> Sequence[Piece]:
        """What stands in the rule when nothing is being said."""
        return ()

    def paint_status(self) -> None:
        pieces: list[Piece] = []
        if self._said is not None:
            pieces.append(Piece(f" {self._said[0]} ", 0, self._said[1]))
        else:
            pieces.extend(self.standing())
        text = self.filter_text
        right = [Piece(f" filter: {escape(text)} ", 1, Tone.STRONG, "key:/")] if text else []
        self.query_one("#status", Bar).put(pieces, right)

    # ------------------------------------------------------------------ keys and clicks

    def on_key(self, event: events.Key) -> None:
        if isinstance(self.focused, Input):
            if event.key in ("escape", "down", "up") and self.focused.id == "filter":
                event.stop()
                event.prevent_default()
                self.close_filter(keep=event.key != "escape")
            elif event.key == "ctrl+c":
                event.stop()
                self.do_interrupt()
            return
        key = pressed(event)
        entry = self.entries().get(key)
        if entry is None or NATIVE.get(entry.id) == key:
            if self._said is not None:
                self.say("")
            return
        event.stop()
        event.prevent_default()
        self._said = None
        self.run(entry)
        self.paint_status()

    @on(Bar.Pressed)
    def _clicked(self, message: Bar.Pressed) -> None:
        message.stop()
        role, _, id = message.tag.partition(":")
        if role == "key" and (entry := self.entries().get(id)) is not None:
            self.run(entry)
        elif role == "pane":
            self.go(id)

    def go(self, pane: str) -> None:
        """A pane's name was clicked."""

    # ------------------------------------------------------------------ commands that every page has

    def do_interrupt(self) -> None:
        from mleconsole.app.start import INTERRUPTED

        self.app.exit(INTERRUPTED)

    def filter_line(self) -> Input:
        """Where a filter is typed; it is mounted when it is asked for first, for the first frame has no use for it."""
        for field in self.query("#filter").results(Input):
            return field
        field = Input(id="filter", placeholder="text to look for in rows; Enter keeps it, Esc ends it", compact=True)
        self.mount(field, before="#keys")
        return field

    def do_filter(self) -> None:
        if self.table is None:
            self.say("nothing to filter here")
            return
        field = self.filter_line()
        field.add_class("open")
        field.value = self.filter_text
        field.focus()

    @on(Input.Changed, "#filter")
    def _filtering(self, message: Input.Changed) -> None:
        message.stop()
        if self.table is not None and self.filter_line().has_class("open"):
            reason = self.table.filter(message.value)
            self.say(reason or "", Tone.WARN)

    @on(Input.Submitted, "#filter")
    def _filtered(self, message: Input.Submitted) -> None:
        message.stop()
        self.close_filter(keep=True)

    def close_filter(self, *, keep: bool) -> None:
        """Out of the filter line; without `keep` all rows are shown again."""
        field = self.filter_line()
        part = self.table
        field.remove_class("open")
        if part is not None:
            if not keep:
                part.filter("")
            part.focus()
        self.paint_status()

    @property
    def table(self) -> ViewTable | None:
        page = self.page
        return parts.table(page) if page is not None else None

    @property
    def filter_text(self) -> str:
        part = self.table
        return part.filter_text if part is not None else ""

    def do_mark(self) -> None:
        if self.table is not None:
            self.table.action_mark()

    def do_range(self) -> None:
        if self.table is not None:
            self.table.action_range()

    def do_zoom(self) -> None:
        page = self.page
        part = parts.current(page) if page is not None else None
        if self.maximized is not None:
            self.minimize()
        elif part is not None:
            self.maximize(part, container=False)

    def do_copy(self) -> None:
        part = self.table
        text = part.copy_text() if part is not None else ""
        if not text:
            self.say("nothing is selected to copy")
            return
        self.app.copy_to_clipboard(text)
        self.say("copied (when this terminal lets programs copy, by OSC 52)")

    def saving(self) -> Callable[[], str] | None:
        """What `ctrl+s` saves (run in a thread), giving the sentence about it."""
        return None

    def do_save(self) -> None:
        save = self.saving()
        if save is None:
            self.say("there is nothing to save yet")
        else:
            self.hub.spawn(self._save(save))

    async def _save(self, save: Callable[[], str]) -> None:
        self.say(await asyncio.to_thread(save))

    def do_sort(self) -> None:
        self.hub.spawn(self._choose_sort())

    async def _choose_sort(self) -> None:
        part = self.table
        if part is None:
            self.say("nothing to sort here")
            return
        from mleconsole_widgets.pick import Pick

        columns = part.sortable()
        chosen = await self.app.push_screen_wait(Pick("Sort by", [(column.id, column.title) for column in columns]))
        if chosen is not None:
            self._sort(str(chosen), part.sorted_by == (chosen, False))

    def do_sort_previous(self) -> None:
        self._step_sort(-1)

    def do_sort_next(self) -> None:
        self._step_sort(1)

    def do_sort_reverse(self) -> None:
        part = self.table
        if part is not None and part.sorted_by is not None:
            column, descending = part.sorted_by
            self._sort(column, not descending)

    def _step_sort(self, step: int) -> None:
        part = self.table
        if part is None:
            self.say("nothing to sort here")
            return
        ids = [column.id for column in part.sortable()]
        now = part.sorted_by[0] if part.sorted_by is not None else None
        at = ids.index(now) if now in ids else (-1 if step > 0 else 0)
        self._sort(ids[(at + step) % len(ids)], False)

    def _sort(self, column: str, descending: bool) -> None:
        part = self.table
        if part is not None:
            part.sort(column, descending)
            self.say(f"sorted by {column}, {'largest' if descending else 'smallest'} first; i turns it round")
