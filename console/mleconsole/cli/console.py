"""Open the console on a target. Stdlib only at the top: the screen answers before click and the rest are imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mleconsole.session import Session
    from mleconsole.transport.interface import Ask

FIRST_PANE = "overview"


class Wanted(NamedTuple):
    """What the words after `connect` ask for."""

    target: str
    read_only: bool = False
    nodes: str = ""
    pane: str = FIRST_PANE


def wanted(words: Sequence[str]) -> Wanted | None:
    """The words after `connect`; None for anything but the plain right form, which click then explains."""
    found = Wanted("")
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word == "--read-only":
            found = found._replace(read_only=True)
        elif name in ("--nodes", "--pane"):
            if not equals:
                if not rest:
                    return None
                value = rest.pop(0)
            if not value or value.startswith("-"):
                return None
            found = found._replace(nodes=value) if name == "--nodes" else found._replace(pane=value)
        elif word.startswith("-") or not word or found.target:
            return None
        else:
            found = found._replace(target=word)
    return found if found.target else None


def run(wanted: Wanted) -> int:
    """Show the console until the person leaves; the exit status. Raises ConfigError."""
    from mleconsole.app.start import run_app

    def open_it(ask: Ask) -> Session:
        from mleconsole.config.load import load_target
        from mleconsole.config.schema import ConfigError
        from mleconsole.config.words import did_you_mean, quoted
        from mleconsole.plugin import Registry
        from mleconsole.session import open_session

        config = load_target(wanted.target, {"nodes": wanted.nodes} if wanted.nodes else {})
        registry = Registry.load(config.plugins)
        panes = registry.panes
        if wanted.pane not in panes and wanted.pane != FIRST_PANE:
            raise ConfigError(f"no pane is called {quoted(wanted.pane)}{did_you_mean(wanted.pane, panes)}")
        return open_session(config, registry, ask, read_only=wanted.read_only)

    return run_app(open_it, title=title_of(wanted.target), login_text=wanted.target, pane=wanted.pane)


def title_of(target: str) -> str:
    """What the top line calls the cluster until its configuration is read."""
    name = target.rsplit("/", 1)[-1]
    for suffix in (".yaml", ".yml"):
        name = name.removesuffix(suffix)
    return name.rsplit("@", 1)[-1] or target
