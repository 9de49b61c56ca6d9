"""Switches: the values that each pane's own switches have now, and the Focus that is given to its view."""

from __future__ import annotations

from collections.abc import Sequence

from mleconsole.api import Alert, Focus, Pane, Situation, Subject, Switch


class Switches:
    """{pane: {switch: value}}, kept for the whole session."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, str]] = {}

    def options(self, pane: Pane) -> dict[str, str]:
        """Every switch of the pane with its value."""
        mine = self._values.get(pane.id, {})
        return {switch.id: mine.get(switch.id, switch.values[0] if switch.values else "") for switch in pane.switches}

    def turn(self, pane: Pane, switch: Switch) -> str:
        """To the switch's next value; gives it."""
        if not switch.values:
            return ""
        now = self.options(pane)[switch.id]
        index = switch.values.index(now) if now in switch.values else -1
        return self.set(pane, switch, switch.values[(index + 1) % len(switch.values)])

    def set(self, pane: Pane, switch: Switch, value: str) -> str:
        self._values.setdefault(pane.id, {})[switch.id] = value
        return value

    def focus(
        self, pane: Pane, subject: Subject | None, situation: Situation, alerts: Sequence[Alert], epoch: float
    ) -> Focus:
        return Focus(
            user=situation.user,
            subject=subject,
            options=self.options(pane),
            alerts=tuple(alerts),
            situation=situation,
            epoch=epoch,
        )
