"""Open the console on a target. Nothing is imported at the top: the screen answers before click and the rest are."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mleconsole.session import Session
    from mleconsole.transport.interface import Ask

FIRST_PANE = "overview"


class Wanted:
    """What the words after `connect` ask for; a plain class, as it is made before `typing` may be imported."""

    __slots__ = ("nodes", "pane", "read_only", "target")

    def __init__(self, target: str, read_only: bool = False, nodes: str = "", pane: str = FIRST_PANE) -> None:
        self.target = target
        self.read_only = read_only
        self.nodes = nodes
        self.pane = pane

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Wanted) and all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __repr__(self) -> str:
        return f"Wanted({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


def wanted(words: Sequence[str]) -> Wanted | None:
    """The words after `connect`; None for anything but the plain right form, which click then explains."""
    found = Wanted("")
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word == "--read-only":
            found.read_only = True
        elif name in ("--nodes", "--pane"):
            if not equals:
                if not rest:
                    return None
                value = rest.pop(0)
            if not value or value.startswith("-"):
                return None
            setattr(found, name.removeprefix("--"), value)
        elif word.startswith("-") or not word or found.target:
            return None
        else:
            found.target = word
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
