"""Registry: the plugins behind the entry points, each loaded by itself; one that fails is disabled with a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from mleconsole.api import Action, AgentProbe, CommandProbe, Kind, Pane, Plugin, Workflow
from mleconsole.entries import entries
from mleconsole.model import kinds as core
from mleconsole.model.record import Record

GROUP = "mleconsole.plugins"
T = TypeVar("T")


class Registry:
    """All roles of all enabled plugins. The first plugin that takes an id or a pane's digit keeps it."""

    def __init__(self, plugins: Iterable[Plugin] = (), disabled: Mapping[str, str] | None = None) -> None:
        self.plugins: dict[str, Plugin] = {}
        self.disabled: dict[str, str] = dict(disabled or {})  # plugin id -> one sentence
        for plugin in plugins:
            self.plugins[plugin.id] = plugin

    @classmethod
    def load(cls, options: Mapping[str, Any] | None = None) -> Registry:
        """Load every entry point in the group, isolated from each other; `options` {id: false} leaves one out."""
        registry = cls()
        options = options or {}
        for entry in entries(GROUP):
            if options.get(entry.name) is False:
                continue
            try:
                plugin = entry.load()
                if not isinstance(plugin, Plugin):
                    raise TypeError(f"`{entry.value}` is a {type(plugin).__name__}, not a mleconsole.api.Plugin")
            except Exception as error:  # a stranger's code may raise anything; it must cost only itself
                registry.disable(
                    entry.name, f"plugin {entry.name} is off: {type(error).__name__}: {' '.join(str(error).split())}"
                )
                continue
            registry.plugins[plugin.id] = plugin
        return registry

    def disable(self, plugin: str, sentence: str) -> None:
        """Take a plugin out for the rest of this session, with the sentence a person reads."""
        self.plugins.pop(plugin, None)
        self.disabled.setdefault(plugin, sentence)

    def _roles(self, role: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for plugin in self.plugins.values():
            for value in getattr(plugin, role):
                found.setdefault(value.id, value)
        return found

    @property
    def panes(self) -> dict[str, Pane]:
        """{id: Pane}, in the order of their digit, then their order."""
        panes: dict[str, Pane] = self._roles("panes")
        return dict(sorted(panes.items(), key=lambda item: (item[1].key or "~", item[1].order, item[0])))

    @property
    def actions(self) -> dict[str, Action]:
        return self._roles("actions")

    @property
    def workflows(self) -> dict[str, Workflow]:
        return self._roles("workflows")

    @property
    def probes(self) -> dict[str, AgentProbe | CommandProbe]:
        return self._roles("probes")

    @property
    def kinds(self) -> dict[str, Kind]:
        """{kind name: Kind}: the core ones and those that plugins declare."""
        found: dict[str, Kind] = {
            kind.kind_name: kind
            for kind in vars(core).values()
            if isinstance(kind, type) and issubclass(kind, Record) and kind is not Record
        }
        for plugin in self.plugins.values():
            for kind in plugin.kinds:
                found.setdefault(kind.kind_name, kind)
        return found

    def owner(self, role: str, id: str) -> str:
        """The plugin that brought the value `id` of `role` (panes, probes, rules ...)."""
        for plugin in self.plugins.values():
            if any(value.id == id for value in getattr(plugin, role)):
                return plugin.id
        return ""
