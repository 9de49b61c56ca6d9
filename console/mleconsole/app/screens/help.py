"""HelpScreen: what works here and now, read from the same table that dispatches the keys."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from mleconsole.app.keys import MOVING, Entry, shown
from mleconsole.model.format import escape

ORDER = ("This pane", "Actions", "Show", "Act", "Move", "Panes", "Everywhere")
LEAVE = {"escape", "q", "question_mark", "f1", "enter"}


def help_lines(entries: Sequence[Entry], about: Sequence[str] = ()) -> Group:
    """One block per group: keys left, what they do right; one that can't be used now is quiet and says why."""
    blocks: list[RenderableType] = [Text(escape(sentence)) for sentence in about]
    if about:
        blocks.append(Text())
    groups: dict[str, dict[str, list[Entry]]] = {}
    for entry in entries:
        groups.setdefault(entry.group, {}).setdefault(entry.id, []).append(entry)
    for group in [*(name for name in ORDER if name in groups), *(name for name in groups if name not in ORDER)]:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(width=12, no_wrap=True)
        grid.add_column(ratio=1)
        if group == "Move":
            for keys, what in MOVING:
                grid.add_row(Text(f"  {keys}", "bold"), Text(what))
        for same in groups[group].values():
            entry = same[0]
            usable = entry.reason is None
            what_for = Text(escape(entry.title), "" if usable else "dim")
            if entry.reason is not None:
                what_for.append(f" - {escape(entry.reason)}", "dim italic")
            grid.add_row(Text("  " + " ".join(shown(one.key) for one in same), "bold" if usable else "dim"), what_for)
        blocks += [Text(group, "bold"), grid, Text()]
    return Group(*blocks[:-1])


class HelpScreen(ModalScreen[None]):
    """Scrolls; any of Esc, q, ?, Enter leaves."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 50%; }
    HelpScreen > VerticalScroll {
        width: 84; max-width: 96%; height: auto; max-height: 90%; padding: 0 2;
        background: $surface; border: round $foreground 40%; border-title-color: $foreground;
    }
    """
    ALLOW_SELECT = False

    def __init__(self, entries: Sequence[Entry], about: Sequence[str] = ()) -> None:
        super().__init__()
        self._entries = list(entries)
        self._about = about

    def compose(self) -> ComposeResult:
        with VerticalScroll() as scroll:
            scroll.border_title = "what works here and now"
            scroll.border_subtitle = "Esc back"
            yield Static(help_lines(self._entries, self._about))

    def on_key(self, event: events.Key) -> None:
        scroll = self.query_one(VerticalScroll)
        if event.key in LEAVE:
            event.stop()
            self.dismiss(None)
        elif event.key in ("j", "k"):
            (scroll.action_scroll_down if event.key == "j" else scroll.action_scroll_up)()
