"""Keys: the one table of what a key does here and now. Help, the bottom line and the dispatch all read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from mleconsole.api import Danger, Pane
from mleconsole.app.offers import Offer

Role = Literal["command", "pane", "switch", "action", "workflow"]


class Command(NamedTuple):
    """Something the console itself does. `short` is its word in the bottom line."""

    id: str
    keys: tuple[str, ...]
    title: str
    group: str
    short: str = ""


MOVE, SHOW, ACT, ALL = "Move", "Show", "Act", "Everywhere"

COMMANDS: tuple[Command, ...] = (
    Command("open", ("enter",), "open what is selected", MOVE, "open"),
    Command("back", ("escape",), "back; ends a filter, then the marks", MOVE, "back"),
    Command("next_part", ("tab",), "next part of the page", MOVE),
    Command("previous_part", ("shift+tab",), "previous part of the page", MOVE),
    Command("filter", ("/",), "show only the rows that match", SHOW, "filter"),
    Command("sort", ("s",), "choose the column to sort by", SHOW, "sort"),
    Command("sort_previous", (",",), "sort by the column before", SHOW),
    Command("sort_next", (".",), "sort by the next column", SHOW),
    Command("sort_reverse", ("i",), "turn the order round", SHOW),
    Command("zoom", ("z",), "this part over the whole screen, and back", SHOW),
    Command("pause", ("p",), "stop painting new data, and go on", SHOW),
    Command("mark", ("space",), "mark or unmark the row", ACT, "mark"),
    Command("range", ("v",), "mark from the last mark to here", ACT),
    Command("actions", ("x",), "what can be done to the selected or marked", ACT, "actions"),
    Command("copy", ("c",), "copy the selected row to this machine's clipboard", ACT),
    Command("save", ("ctrl+s",), "save what is shown as JSON on this machine", ACT),
    Command("refresh", ("r",), "ask again now; sign in again when signed out", ALL, "refresh"),
    Command("commands", ("@",), "every remote command we ran", ALL),
    Command("palette", (":", "ctrl+p"), "find any pane, action, switch or workflow by name", ALL),
    Command("help", ("?", "f1"), "what works here and now", ALL, "more"),
    Command("quit", ("q",), "quit (asks when something still runs)", ALL),
    Command("interrupt", ("ctrl+c",), "quit at once", ALL),
)

MOVING: tuple[tuple[str, str], ...] = (
    ("↑ ↓ k j", "one row"),
    ("PgUp PgDn", "one page, also ^U ^D"),
    ("g G", "first and last row, also Home End"),
    ("← →", "sideways"),
)


#: Keys that move in every part; nothing else may take them.
RESERVED = frozenset({"j", "k", "g", "G", "up", "down", "left", "right", "home", "end", "pageup", "pagedown"})


class Entry(msgspec.Struct, frozen=True):
    """One key's meaning now. `reason` says why it can't be used."""

    key: str
    role: Role
    id: str
    title: str
    group: str
    reason: str | None = None
    short: str = ""
    danger: Danger = Danger.READS


def shown(key: str) -> str:
    """How a key is written on the screen: `Enter`, `^P`, `x`."""
    special = {"enter": "Enter", "escape": "Esc", "space": "Space", "tab": "Tab", "shift+tab": "S-Tab", "f1": "F1"}
    if key in special:
        return special[key]
    if key.startswith("ctrl+"):
        return f"^{key[5:].upper()}"
    return key


def harmless_key(key: str, danger: Danger) -> bool:
    """A bare lower-case letter, digit or sign never destroys anything: such an action is reached by the menu alone."""
    return danger < Danger.DESTROYS or (len(key) == 1 and key.isupper()) or key.startswith(("ctrl+", "alt+"))


class KeyTable:
    """Keys by context. `rebound` is the config's {action, pane, switch, workflow or command id: key}."""

    def __init__(self, rebound: Mapping[str, str] | None = None) -> None:
        self._rebound = dict(rebound or {})

    def keys_of(self, id: str, given: Sequence[str]) -> tuple[str, ...]:
        """The keys of a thing: the config's, else its own."""
        chosen = self._rebound.get(id)
        return tuple(key for key in ((chosen,) if chosen else given) if key and key not in RESERVED)

    def keys_of_offer(self, offer: Offer) -> tuple[str, ...]:
        """The keys an action or workflow may have, given how dangerous it is."""
        return tuple(key for key in self.keys_of(offer.id, offer.keys) if harmless_key(key, offer.danger))

    def entries(self, panes: Iterable[Pane], here: Pane | None, offers: Sequence[Offer]) -> list[Entry]:
        """All meanings in the order in which they may take a key: rebound ones, the console's own, panes, the pane's
        switches, then actions and workflows, those that can be used first."""
        found: list[Entry] = []
        for command in COMMANDS:
            for key in self.keys_of(command.id, command.keys):
                found.append(Entry(key, "command", command.id, command.title, command.group, short=command.short))
        for pane in panes:
            for key in self.keys_of(pane.id, (pane.key,)):
                found.append(Entry(key, "pane", pane.id, pane.title, "Panes", short=pane.title))
        for switch in here.switches if here is not None else ():
            for key in self.keys_of(switch.id, (switch.key,)):
                title = f"{switch.title}: {' / '.join(switch.values)}"
                found.append(Entry(key, "switch", switch.id, title, "This pane", short=switch.title))
        for offer in sorted(offers, key=lambda offer: offer.reason is not None):
            for key in self.keys_of_offer(offer):
                found.append(
                    Entry(key, offer.role, offer.id, offer.title, "Actions", offer.reason, offer.short, offer.danger)
                )
        found.sort(key=lambda entry: entry.id not in self._rebound)
        return found

    def now(self, panes: Iterable[Pane], here: Pane | None, offers: Sequence[Offer]) -> dict[str, Entry]:
        """{key: its meaning now}; the first that takes a key keeps it."""
        table: dict[str, Entry] = {}
        for entry in self.entries(panes, here, offers):
            table.setdefault(entry.key, entry)
        return table
