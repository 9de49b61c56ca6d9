"""Login: the connection to the login host; it signs in, and knows when only a person may do so again."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from mleconsole.transport.interface import Ask, Counters, Trouble, Unreached
from mleconsole.transport.resolve import Endpoint, ResolveError, resolve, split_destination
from mleconsole.transport.sharing import outcome

if TYPE_CHECKING:
    from mleconsole.transport.keys import Keyring
    from mleconsole.transport.trust import Trust
    from mleconsole.transport.wire import Wire

#: A dial is repeated after an unknown host key was accepted; each time with one question at most.
_DIALS = 3


class Login:
    """ONE connection carries the tunnels to all nodes; a second one the commands, when signing in needs no person.

    After an interactive sign-in the one connection carries all. When that drops, nothing is retried and nobody is
    asked before `again`.
    """

    def __init__(
        self,
        destination: str,
        ssh_config: str,
        ask: Ask | None,
        trust: Trust,
        counters: Counters,
        *,
        keepalive: float,
        timeout: float,
    ) -> None:
        self.destination = destination
        self.ssh_config = ssh_config
        self.keepalive = keepalive
        self.timeout = timeout
        self.endpoint: Endpoint | None = None
        self.main: Wire | None = None
        self.refused: Unreached | None = None  # stands until `again`
        self.interactive = False
        self.tried = False
        self.lost_words = "the login connection is down"
        self._ask = ask
        self._trust = trust
        self._counters = counters
        self._keyring: Keyring | None = None
        self._hops: list[Wire] = []
        self._second: Wire | None = None
        self._second_refused = False
        self._attempt: asyncio.Task[Unreached | None] | None = None
        self._seconding: asyncio.Task[None] | None = None

    @property
    def keyring(self) -> Keyring:
        if self._keyring is None:
            from mleconsole.transport.keys import Keyring
            from mleconsole.transport.wire import decoder

            self._keyring = Keyring(decoder())
        return self._keyring

    @property
    def user(self) -> str:
        if self.endpoint is not None:
            return self.endpoint.user
        with contextlib.suppress(ResolveError):
            return split_destination(self.destination)[0]
        return ""

    @property
    def up(self) -> Wire | None:
        return self.main if self.main is not None and self.main.alive else None

    @property
    def signing_in(self) -> bool:
        return self._attempt is not None and not self._attempt.done()

    async def connect(self) -> Unreached | None:
        """None when signed in. Callers at the same time share one attempt, which outlives them."""
        if self.up is not None:
            return None
        if self.refused is not None:
            return self.refused
        if not self.signing_in:
            self.tried = True
            self._attempt = asyncio.ensure_future(self._sign_in())
        assert self._attempt is not None
        return await outcome(self._attempt)

    async def commands(self) -> Wire | None:
        """The connection that commands run on, or None when there is none at all."""
        main = self.up
        if self._second is not None and self._second.alive:
            return self._second
        if main is None or self.interactive or self._second_refused:
            return main
        if self._seconding is None or self._seconding.done():
            self._seconding = asyncio.ensure_future(self._open_second())
        await asyncio.wait({self._seconding})
        return self._second or self.up

    async def again(self) -> None:
        """A person wants to sign in: forget what was refused."""
        self.refused = None
        self.endpoint = None
        self.keyring.again()
        self._trust.again()

    async def close(self) -> None:
        """End everything, also an attempt under way."""
        tasks = {task for task in (self._attempt, self._seconding) if task is not None and not task.done()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=2.0)
        await self.drop()
        if self._keyring is not None:
            self._keyring.close()

    async def drop(self) -> None:
        """End the connections; `connect` may make them anew."""
        wires = [wire for wire in (self._second, self.main) if wire is not None]
        self.main = self._second = None
        await asyncio.gather(*(wire.close() for wire in wires))
        await self._close_hops()

    async def _sign_in(self) -> Unreached | None:
        try:
            if self.endpoint is None:
                self.endpoint = await resolve(self.destination, self.ssh_config)
        except ResolveError as error:
            return Unreached(Trouble.DENIED, str(error))
        via = await self._through(self.endpoint)
        if isinstance(via, Unreached):
            return via
        wire = await self.dial(self.endpoint, via, self._ask)
        if isinstance(wire, Unreached):
            return wire
        self._counters.login_connections += 1
        self.interactive = wire.asked or any(hop.asked for hop in self._hops)
        self.main = wire
        self._second_refused = False
        wire.on_lost = lambda: self._lost(wire)
        if not wire.alive:
            self._lost(wire)
            return self.refused or Unreached(Trouble.UNREACHABLE, wire.lost_words)
        return None

    async def _through(self, point: Endpoint) -> Wire | Unreached | None:
        """The connection to the last jump host, or None when there is none to go through."""
        if not point.proxy_jump:
            return None
        if self._hops and self._hops[-1].alive:
            return self._hops[-1]
        await self._close_hops()
        for destination in point.proxy_jump:
            try:
                hop = await resolve(destination, self.ssh_config)
            except ResolveError as error:
                return Unreached(Trouble.DENIED, str(error))
            wire = await self.dial(hop, self._hops[-1] if self._hops else None, self._ask)
            if isinstance(wire, Unreached):
                await self._close_hops()
                return Unreached(wire.kind, f"the jump host {hop.name}: {wire.reason}")
            self._hops.append(wire)
        return self._hops[-1]

    async def dial(self, point: Endpoint, via: Wire | None, ask: Ask | None) -> Wire | Unreached:
        """Connect to the login host or a hop before it, asking `ask` what there is to ask."""
        from mleconsole.transport import wire as wires

        for _ in range(_DIALS):
            known = await self._trust.about(point, node=False)
            dial = wires.Dial(
                endpoint=point,
                host=point.host,
                known=known,
                keys=tuple(await self.keyring.ready(point)),
                more_keys=lambda: self.keyring.unlock(point, ask),
                ask=ask,
                via=via,
                timeout=self.timeout,
                keepalive=self.keepalive,
            )
            got = await wires.connect(dial)
            if isinstance(got, wires.Wire):
                return got
            if got.key is None:
                return self._keep(self._told(got.unreached, got.asked))
            refusal = await self._trust.settle(point, got.key, known, node=False)
            if refusal is not None:
                return self._keep(refusal)
        return self._keep(Unreached(Trouble.HOST_KEY, "it shows another host key at every attempt"))

    def _told(self, unreached: Unreached, asked: bool) -> Unreached:
        """What a failed sign-in means: once a person has been asked, only a person may try again."""
        notes = "; ".join(self.keyring.notes[-2:])
        reason = unreached.reason
        if unreached.kind in (Trouble.DENIED, Trouble.SIGNED_OUT) and notes:
            reason = f"{reason} ({notes})"
        if asked and unreached.kind is not Trouble.SIGNED_OUT:
            return Unreached(Trouble.SIGNED_OUT, f"signing in failed: {reason}; press r to try again")
        return Unreached(unreached.kind, reason)

    def _keep(self, unreached: Unreached) -> Unreached:
        """Where only a person can help, the next attempts give the same answer without a dial."""
        if unreached.kind in (Trouble.SIGNED_OUT, Trouble.HOST_KEY):
            self.refused = unreached
        return unreached

    async def _open_second(self) -> None:
        """One try for each first connection: a site that allows one, or would ask a person, stays at one."""
        self._second_refused = True
        if self.endpoint is None:
            return
        kept = self.refused
        wire = await self.dial(self.endpoint, self._hops[-1] if self._hops else None, None)
        self.refused = kept
        if isinstance(wire, Unreached):
            return
        self._counters.login_connections += 1
        self._second = wire
        self._second_refused = False

    def _lost(self, wire: Wire) -> None:
        if self.main is not wire:
            return
        self.main = None
        self.lost_words = f"the login connection is down: {wire.lost_words}"
        if self._seconding is not None:
            self._seconding.cancel()
        if self.interactive:
            self.refused = Unreached(Trouble.SIGNED_OUT, f"signed out: {wire.lost_words}; press r to sign in again")

    async def _close_hops(self) -> None:
        hops, self._hops = self._hops, []
        for hop in reversed(hops):
            await hop.close()
