"""Way: one reach made usable: run and stream argv on a host directly or by argv on the login host."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mleconsole.api import LOGIN, Completed, Danger, Fleet, Reach, Situation
from mleconsole.transport.interface import Stream, Transport, Trouble, Unreached


class Way:
    """Through the login connection itself (a tunnel to the host), or the host is the login host."""

    id = "login"
    title = "through the login connection"
    order = 0

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def usable(self, fleet: Fleet, host: str) -> str | None:
        """A reason why this way can't be tried now, or None."""
        return None

    async def stream(
        self, fleet: Fleet, host: str, argv: Sequence[str], on_data: Callable[[bytes], None], deadline: float
    ) -> Stream | Unreached:
        return await self._transport.stream(host, argv, on_data, danger=Danger.READS, deadline=deadline)

    async def run(
        self, fleet: Fleet, host: str, argv: Sequence[str], danger: Danger, deadline: float, stdin: bytes = b""
    ) -> Completed:
        return await self._transport.run(host, argv, danger=danger, deadline=deadline, stdin=stdin)


class WrappedWay(Way):
    """By another argv on the login host: ssh run there, or a reach that a plugin brings (srun)."""

    def __init__(self, transport: Transport, reach: Reach, situation: Situation) -> None:
        super().__init__(transport)
        self._reach = reach
        self._situation = situation
        self.id = reach.id
        self.title = reach.title
        self.order = reach.order

    def usable(self, fleet: Fleet, host: str) -> str | None:
        return self._reach.usable(fleet, host, self._situation)

    async def stream(
        self, fleet: Fleet, host: str, argv: Sequence[str], on_data: Callable[[bytes], None], deadline: float
    ) -> Stream | Unreached:
        wrapped = self._reach.wrap(fleet, host, self._situation, tuple(argv))
        return await self._transport.stream(LOGIN, wrapped, on_data, danger=Danger.READS, deadline=deadline)

    async def run(
        self, fleet: Fleet, host: str, argv: Sequence[str], danger: Danger, deadline: float, stdin: bytes = b""
    ) -> Completed:
        wrapped = self._reach.wrap(fleet, host, self._situation, tuple(argv))
        done = await self._transport.run(LOGIN, wrapped, danger=danger, deadline=deadline, stdin=stdin)
        return Completed(host, tuple(argv), done.exit_status, done.stdout, done.stderr, done.seconds, done.trouble)


#: What is worth another way: the host answered and refused us. A host that does not answer answers no way better.
TRY_ANOTHER = frozenset({Trouble.DENIED})
