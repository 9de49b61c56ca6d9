"""Trail: where the person is: a pane, and the stack of details opened from it."""

from __future__ import annotations

from typing import NamedTuple

from mleconsole.api import Pane, Subject


class Place(NamedTuple):
    """One page: a pane, and for a detail the subject it is about. `about` is set for a pane's own root page too when
    it was opened for a subject."""

    pane: str
    subject: Subject | None = None


class Trail:
    """The current root pane, and for each root its own stack of details (so that coming back finds them)."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._stacks: dict[str, list[Place]] = {}

    @property
    def root(self) -> str:
        return self._root

    @property
    def here(self) -> Place:
        stack = self._stacks.get(self._root)
        return stack[-1] if stack else Place(self._root)

    @property
    def places(self) -> tuple[Place, ...]:
        """From the root pane to here."""
        return (Place(self._root), *self._stacks.get(self._root, ()))

    def go(self, pane: str) -> tuple[Place, ...]:
        """To a root pane. To the one we are in already: back to its root; gives the places that were left for good."""
        if pane != self._root:
            self._root = pane
            return ()
        return tuple(self._stacks.pop(pane, ()))

    def open(self, pane: str, subject: Subject) -> Place:
        """A detail on top of here; opening what is shown already changes nothing."""
        place = Place(pane, subject)
        if place != self.here:
            self._stacks.setdefault(self._root, []).append(place)
        return place

    def back(self) -> Place | None:
        """One step back; the place that was left, or None at a root."""
        stack = self._stacks.get(self._root)
        return stack.pop() if stack else None

    def holds(self, place: Place) -> bool:
        """Whether some stack still leads to `place`."""
        return any(place in stack for stack in self._stacks.values())


def detail_pane(panes: dict[str, Pane], kind: str) -> Pane | None:
    """The pane that Enter opens on a subject of `kind`."""
    return next((pane for pane in panes.values() if kind in pane.detail_of), None)
