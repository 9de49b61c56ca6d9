"""A session for one command: opened, waited for as long as a person would, and always ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mleconsole.api import CommandProbe
from mleconsole.cli.stop import UNREACHABLE, Stop
from mleconsole.model.format import escape

if TYPE_CHECKING:
    from mleconsole.cli.ask import Asker
    from mleconsole.config.schema import Config
    from mleconsole.plugin import Registry
    from mleconsole.session import Session

STEP_SECONDS = 0.05


def talk(sentence: str) -> None:
    """One line to the person, on stderr; text from the cluster is escaped."""
    print(escape(sentence), file=sys.stderr, flush=True)


class Running:
    """A started session and the person it may have to ask."""

    def __init__(self, session: Session, asker: Asker | None) -> None:
        self.session = session
        self._asker = asker

    def wait(self, done: Callable[[], bool], timeout: float | None) -> bool:
        """Until `done()`, at most `timeout` seconds of the cluster's time (what the person takes is not counted).

        Raises Stop(4) as soon as it is certain that the target can't be reached.
        """
        deadline = time.monotonic() + timeout if timeout is not None else None
        while not done():
            self._refused()
            if deadline is not None and time.monotonic() >= deadline:
                return False
            if self._asker is None:
                time.sleep(STEP_SECONDS)
            else:
                taken = self._asker.serve(STEP_SECONDS)
                deadline = deadline + taken if deadline is not None else None
        return True

    def wait_for_answers(self, probes: frozenset[str], timeout: float) -> tuple[str, ...]:
        """Until everything needed has answered; returns what has not. Raises Stop(4) when nobody let us in."""
        session = self.session
        if not self.wait(lambda: session.status.login not in ("connecting", "lost") or self._lost(), timeout):
            raise Stop(UNREACHABLE, f"{_who(session)}: no answer within {timeout:g} s")
        if self.wait(lambda: not self._missing(probes), timeout):
            return ()
        return self._missing(probes)

    def _missing(self, probes: frozenset[str]) -> tuple[str, ...]:
        """What has not answered, or whose answer is not in the newest Fleet yet."""
        waiting = self.session.waiting_for()
        if waiting:
            return waiting
        known = self.session.registry.probes
        seen = {probe for _, probe in self.session.store.fleet.all_seen()}
        commands = (id for id in probes if isinstance(known.get(id), CommandProbe))
        return tuple(f"the answer of {id}" for id in commands if id not in seen)

    def _lost(self) -> bool:
        """A first attempt that failed is said at once: a command does not try for hours, as the console does."""
        status = self.session.status
        if status.login == "lost":
            raise Stop(UNREACHABLE, escape(f"{_who(self.session)}: {status.sentence or 'no answer'}"))
        return False

    def _refused(self) -> None:
        status = self.session.status
        if status.login in ("refused", "signed_out"):
            raise Stop(UNREACHABLE, escape(f"{_who(self.session)}: {status.sentence or 'signing in failed'}"))


def _who(session: Session) -> str:
    return session.config.login or "this machine"


class Prepared:
    """A target and its plugins, read but not yet connected to."""

    def __init__(self, target: str, overrides: Mapping[str, Any] | None = None) -> None:
        from mleconsole.config.load import load_target
        from mleconsole.plugin import Registry

        self.config: Config = load_target(target, overrides)
        self.registry: Registry = Registry.load(self.config.plugins)

    @contextmanager
    def started(self, probes: frozenset[str], *, read_only: bool = False) -> Iterator[Running]:
        """Connect and collect `probes` until the block ends."""
        from mleconsole.cli.ask import Asker, has_terminal
        from mleconsole.session import open_session

        for sentence in self.registry.disabled.values():
            talk(sentence)
        asker = Asker() if has_terminal() else None
        session = open_session(self.config, self.registry, asker, read_only=read_only)
        session.need(probes)
        session.start()
        try:
            yield Running(session, asker)
        finally:
            session.stop()
