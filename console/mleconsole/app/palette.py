"""Palette: everything that can be gone to or done, by name, as options of one picker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from mleconsole.api import Pane
from mleconsole.app.keys import COMMANDS, Entry, KeyTable, shown
from mleconsole.app.offers import Offer
from mleconsole.plugin import Registry

if TYPE_CHECKING:
    from mleconsole.app.screens.pane import PaneScreen

#: Commands that make no sense when they are chosen from a list.
_NOT_LISTED = {"palette", "open", "back", "next_part", "previous_part"}


class Choice(NamedTuple):
    """One line: `option` is (id, title, keys, reason why not); `entry` is what taking it means."""

    option: tuple[str, str, str, str | None]
    entry: Entry
    value: str = ""  # of a switch

    def take(self, screen: PaneScreen) -> None:
        if self.entry.role == "switch":
            screen.turn(self.entry.id, self.value)
        else:
            screen.run(self.entry)


def choices(registry: Registry, here: Pane | None, offers: Sequence[Offer], keys: KeyTable) -> list[Choice]:
    """Panes first, then actions and workflows, the pane's switches value by value, and the console's own commands."""
    found = []

    def add(entry: Entry, title: str, pressed_keys: Sequence[str], value: str = "") -> None:
        pressed = " ".join(map(shown, pressed_keys))
        found.append(Choice((f"{entry.role}:{entry.id}:{value}", title, pressed, entry.reason), entry, value))

    for pane in registry.panes.values():
        if pane.key or not pane.detail_of:
            add(
                Entry("", "pane", pane.id, pane.title, "Panes"),
                f"pane: {pane.title}",
                keys.keys_of(pane.id, (pane.key,)),
            )
    for offer in offers:
        add(
            Entry("", offer.role, offer.id, offer.title, "Actions", offer.reason),
            offer.title,
            keys.keys_of_offer(offer),
        )
    for switch in here.switches if here is not None else ():
        for value in switch.values:
            add(
                Entry("", "switch", switch.id, switch.title, ""),
                f"{switch.title}: {value}",
                keys.keys_of(switch.id, (switch.key,)),
                value,
            )
    for command in COMMANDS:
        if command.id not in _NOT_LISTED:
            add(
                Entry("", "command", command.id, command.title, command.group),
                command.title,
                keys.keys_of(command.id, command.keys),
            )
    return found
