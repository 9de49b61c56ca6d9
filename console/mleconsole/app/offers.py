"""Offers: the actions and workflows that fit what is selected, each with the reason when it can't be used now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from mleconsole.api import Action, Danger, Fleet, Situation, Subject, Workflow
from mleconsole.app.words import subjects_words
from mleconsole.plugin import Registry

READ_ONLY = "this console is read-only: it only looks"


class Offer(msgspec.Struct, frozen=True):
    """One thing that could be done to `subjects`; `reason` is None when it can be done now."""

    what: Action | Workflow
    subjects: tuple[Subject, ...]
    reason: str | None

    @property
    def id(self) -> str:
        return self.what.id

    @property
    def role(self) -> Literal["action", "workflow"]:
        return "action" if isinstance(self.what, Action) else "workflow"

    @property
    def keys(self) -> tuple[str, ...]:
        return self.what.keys

    @property
    def danger(self) -> Danger:
        return self.what.danger

    @property
    def title(self) -> str:
        return f"{self.what.title}: {subjects_words(self.subjects)}" if self.subjects else self.what.title

    @property
    def short(self) -> str:
        """The word in the bottom line."""
        return self.what.title.lower() if len(self.what.title) <= 18 else self.what.title.split(" ")[0].lower()


#: Kinds whose key is the name of a host: the first of them that has a record of a host stands for it.
_NAMED_BY_HOST = ("node", "host", "machine")


def related(registry: Registry, fleet: Fleet, subject: Subject) -> tuple[Subject, ...]:
    """`subject`, then what its records refer to, so that a GPU's row also stands for its job and its node.

    A field `<kind>_id` of its own record, or of a record that extends it (gpu_use extends gpu), names a record of that
    kind; the first part of its key, when a host is called so, names that host.
    """
    kinds = registry.kinds
    found: dict[Subject, None] = {subject: None}
    for kind in kinds.values():
        if kind.kind_name != subject.kind and not kind.kind_name.startswith(f"{subject.kind}_"):
            continue
        record = fleet.get(kind, subject.key)
        for name in kind.__struct_fields__ if record is not None else ():
            value = getattr(record, name)
            if name.endswith("_id") and name[:-3] in kinds and isinstance(value, str) and value:
                found[Subject(name[:-3], (value,))] = None
    for name in _NAMED_BY_HOST:
        if subject.key and name in kinds and fleet.get(kinds[name], subject.key[:1]) is not None:
            found[Subject(name, subject.key[:1])] = None
    return tuple(found)


def offers(registry: Registry, fleet: Fleet, selected: Sequence[Subject], situation: Situation) -> list[Offer]:
    """Every action and workflow for `selected` (the marked rows, else the row under the cursor), with its reason."""
    reach = [related(registry, fleet, subject) for subject in selected]
    things: list[Action | Workflow] = [*registry.actions.values(), *registry.workflows.values()]
    found = []
    for what in things:
        picked = _fitting(what.kinds, reach)
        found.append(Offer(what, picked, reason_against(what, fleet, picked, situation)))
    return found


def _fitting(kinds: Sequence[str], reach: Sequence[Sequence[Subject]]) -> tuple[Subject, ...]:
    """For each selected thing the nearest subject of `kinds`; nothing when one of them has none."""
    found: dict[Subject, None] = {}
    for subjects in reach if kinds else ():
        fitting = next((subject for subject in subjects if subject.kind in kinds), None)
        if fitting is None:
            return ()
        found[fitting] = None
    return tuple(found)


def reason_against(
    what: Action | Workflow, fleet: Fleet, picked: tuple[Subject, ...], situation: Situation
) -> str | None:
    """Why it can't be done to `picked` now, or None."""
    if what.kinds and not picked:
        return f"needs a {' or a '.join(what.kinds).replace('_', ' ')}: select one first"
    if situation.read_only and what.danger > Danger.READS:
        return READ_ONLY
    if isinstance(what, Action):
        try:
            return what.guard(fleet, picked, situation)
        except Exception as error:  # a plugin's code may raise anything; it must cost only itself
            return f"can't be judged: {type(error).__name__}: {error}"
    return None
