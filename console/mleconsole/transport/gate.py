"""Gate: the one choke point that every transport asks before anything is run, streamed or put on a host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mleconsole.model.plan import Danger
from mleconsole.transport.interface import Denied

_DOES = {Danger.LOADS: "puts load on the cluster", Danger.CHANGES: "changes things", Danger.DESTROYS: "destroys things"}


@dataclass(frozen=True, slots=True)
class Gate:
    """With `read_only` only Danger.READS passes."""

    read_only: bool = False

    def check(self, danger: Danger, argv: Sequence[str]) -> None:
        """Raises Denied with a sentence when `argv`, as dangerous as it is declared, may not be run."""
        if self.read_only and danger is not Danger.READS:
            program = argv[0] if argv else "this"
            raise Denied(
                f"not run: the console is read-only and `{program}` {_DOES[danger]}; leave out --read-only to allow it"
            )
