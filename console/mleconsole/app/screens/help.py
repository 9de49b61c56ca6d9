"""HelpScreen: what works here and now, read from the same table that dispatches the keys."""

from __future__ import annotations

from collections.abc import Sequence

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


def help_text(entries: Sequence[Entry], about: Sequence[str] = ()) -> Text:
    """One block per group; a key that can't be used now is quiet and says why."""
    text = Text(no_wrap=False)
    for sentence in about:
        text.append(f"{escape(sentence)}\n")
    if about:
        text.append("\n")
    groups: dict[str, dict[str, list[Entry]]] = {}
    for entry in entries:
        groups.setdefault(entry.group, {}).setdefault(entry.id, []).append(entry)
    for group in [*(name for name in ORDER if name in groups), *(name for name in groups if name not in ORDER)]:
        text.append(f"{group}\n", "bold")
        if group == "Move":
            for keys, what in MOVING:
                text.append(f"  {keys:<26}", "bold")
                text.append(f"{what}\n")
        for same in groups[group].values():
            entry = same[0]
            keys = " ".join(shown(one.key) for one in same)
            text.append(f"  {keys:<10}", "bold" if entry.reason is None else "dim")
            text.append(escape(entry.title), "" if entry.reason is None else "dim")
            if entry.reason is not None:
                text.append(f"  {escape(entry.reason)}", "dim italic")
            text.append("\n")
        text.append("\n")
    return text


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
            yield Static(help_text(self._entries, self._about), markup=False)

    def on_key(self, event: events.Key) -> None:
        scroll = self.query_one(VerticalScroll)
        if event.key in LEAVE:
            event.stop()
            self.dismiss(None)
        elif event.key in ("j", "k"):
            (scroll.action_scroll_down if event.key == "j" else scroll.action_scroll_up)()
