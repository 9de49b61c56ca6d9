"""ViewScreen: one View over the panes (an outcome, a report, the command log), left by Esc."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from textual.widget import Widget

from mleconsole.app import parts
from mleconsole.app.bar import Bar
from mleconsole.app.keys import COMMANDS, Entry, shown
from mleconsole.app.lines import Piece
from mleconsole.app.screens.framed import FramedScreen, Hub
from mleconsole.app.screens.page import Picture
from mleconsole.model.format import escape
from mleconsole.model.view import Tone, View

HERE = (
    "back",
    "filter",
    "sort",
    "sort_previous",
    "sort_next",
    "sort_reverse",
    "zoom",
    "copy",
    "save",
    "help",
    "interrupt",
)


class ViewScreen(FramedScreen):
    """`title` stands on top; `note` is a sentence in the rule."""

    covers = True

    def __init__(self, hub: Hub, title: str, view: View, note: str = "") -> None:
        super().__init__(hub)
        self._title = title
        self._view = view
        self._note = note

    def body(self) -> Iterable[Widget]:
        yield Picture(id="view")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#panes", Bar).display = False
        self.show(self._view)
        self.call_after_refresh(self._enter)

    def show(self, view: View) -> None:
        self._view = view
        self.query_one("#view", Picture).show(view)

    def _enter(self, tries: int = parts.SEEK_TRIES) -> None:
        """Into the first part; parts are mounted one in another, so that it may take a moment."""
        if self.focused is not None:
            return
        found = parts.focusable(self.query_one("#view"))
        self.set_focus(found[0] if found else None)
        if not found and tries > 0:
            self.set_timer(parts.SEEK_SECONDS, partial(self._enter, tries - 1))

    @property
    def page(self) -> Widget | None:
        return self.query_one("#view")

    def entries(self) -> dict[str, Entry]:
        table: dict[str, Entry] = {}
        for command in COMMANDS:
            if command.id in HERE:
                for key in command.keys:
                    table[key] = Entry(key, "command", command.id, command.title, command.group, short=command.short)
        table["q"] = Entry("q", "command", "back", "back", "Move")
        return table

    def crumbs(self) -> list[Piece]:
        return [Piece(escape(self._title), 0, Tone.STRONG)]

    def paint_frame(self) -> None:
        self.query_one("#top", Bar).put(self.crumbs())
        self.query_one("#keys", Bar).put(self.bottom())
        self.paint_status()

    def bottom(self) -> list[Piece]:
        return [
            Piece("back", 0, Tone.QUIET, "key:escape", shown("escape")),
            Piece("filter", 2, Tone.QUIET, "key:/", "/"),
            Piece("copy row", 3, Tone.QUIET, "key:c", "c"),
            Piece("more", 1, Tone.QUIET, "key:?", "?"),
        ]

    def standing(self) -> list[Piece]:
        return [Piece(f" {self._note} ", 0, Tone.QUIET)] if self._note else []

    def do_back(self) -> None:
        part = self.table
        if part is not None and part.filter_text:
            self.close_filter(keep=False)
        else:
            self.app.pop_screen()

    def saving(self) -> Callable[[], str] | None:
        from mleconsole.app.saving import save_view

        return partial(save_view, self._title, self._view)

    def do_help(self) -> None:
        from mleconsole.app.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(list(self.entries().values())))
