"""Nodes: one connection to each, through the one login connection; they never ask more than about a host key."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from mleconsole.transport.interface import Trouble, Unreached
from mleconsole.transport.keys import MOST_OFFERED
from mleconsole.transport.points import Points
from mleconsole.transport.resolve import Endpoint, ResolveError
from mleconsole.transport.sharing import outcome

if TYPE_CHECKING:
    from mleconsole.transport.signin import Login
    from mleconsole.transport.trust import Trust
    from mleconsole.transport.wire import Wire

AT_ONCE = 32  # dials under way; a login host's sshd bears it, for they are all tunnels in one connection


class Nodes:
    """The connections to nodes by name."""

    def __init__(self, login: Login, trust: Trust, *, keepalive: float, timeout: float) -> None:
        self._login = login
        self._trust = trust
        self._keepalive = keepalive
        self._timeout = timeout
        self._addresses: dict[str, str] = {}
        self._points: dict[str, Endpoint] = {}
        self._wires: dict[str, Wire] = {}
        self._attempts: dict[str, asyncio.Task[Unreached | None]] = {}
        self._declined: dict[str, Unreached] = {}
        self._dials = asyncio.Semaphore(AT_ONCE)
        self._resolved = Points(login.ssh_config)

    def address(self, host: str, address: str) -> None:
        if address and address != self._addresses.get(host, host):
            self._addresses[host] = address

    def up(self, host: str) -> Wire | None:
        wire = self._wires.get(host)
        return wire if wire is not None and wire.alive else None

    async def connect(self, host: str) -> Unreached | None:
        """None when `host` can be spoken to. Callers at the same time share one attempt."""
        if self.up(host) is not None:
            return None
        if self._declined and self._trust.changed():
            self._declined.clear()
        if host in self._declined:
            return self._declined[host]
        attempt = self._attempts.get(host)
        if attempt is None or attempt.done():
            attempt = self._attempts[host] = asyncio.ensure_future(self._attempt(host))
        return await outcome(attempt)

    async def forget(self, host: str) -> None:
        """Drop the connection and what is known of `host` but its address."""
        attempt = self._attempts.pop(host, None)
        if attempt is not None and not attempt.done():
            attempt.cancel()
        self._points.pop(host, None)
        wire = self._wires.pop(host, None)
        if wire is not None:
            await wire.close()

    def again(self) -> None:
        """The person wants another try with host keys that were declined."""
        self._declined.clear()
        self._points.clear()

    async def close(self) -> None:
        await asyncio.gather(*(self.forget(host) for host in {*self._wires, *self._attempts}))

    async def _attempt(self, host: str) -> Unreached | None:
        from mleconsole.transport import wire as wires

        if self._login.up is None and (self._login.signing_in or not self._login.tried):
            await self._login.connect()
        tunnel = self._login.up
        if tunnel is None:
            return self._login_lost()
        try:
            point = await self._point(host)
        except ResolveError as error:
            return Unreached(Trouble.DENIED, str(error))
        address = self._addresses.get(host, "")
        target = address if address and point.host == host else point.host
        for _ in range(2):
            known = await self._trust.about(point, node=True, address=address)
            async with self._dials:
                got = await wires.connect(
                    wires.Dial(
                        endpoint=point,
                        host=target,
                        known=known,
                        keys=tuple(await self._keys(point, tunnel)),
                        more_keys=None,
                        ask=None,
                        via=tunnel,
                        timeout=self._timeout,
                        keepalive=self._keepalive,
                    )
                )
            if isinstance(got, wires.Wire):
                self._trust.note(host, known, got.shown)
                self._wires[host] = got
                return None
            if self._login.up is None:
                return self._login_lost()
            if got.key is None:
                return got.unreached
            refusal = await self._trust.settle(point, got.key, known, node=True)
            if refusal is not None:
                if not known.named:  # a person said no; a key that changed may change back, and is looked at again
                    self._declined[host] = refusal
                return refusal
        return Unreached(Trouble.HOST_KEY, "it shows another host key at every attempt")

    def _login_lost(self) -> Unreached:
        refused = self._login.refused
        return Unreached(Trouble.LOGIN_LOST, refused.reason if refused is not None else self._login.lost_words)

    async def _point(self, host: str) -> Endpoint:
        point = self._points.get(host)
        if point is None:
            point = await self._resolved.of(host)
            if not point.user_given:
                point = replace(point, user=self._login.user)
            self._points[host] = point
        return point

    async def _keys(self, point: Endpoint, tunnel: Wire) -> list[object]:
        """The key that the login host took, then the node's own if any are configured, then the login host's."""
        ring, login = self._login.keyring, self._login.endpoint
        own = await ring.ready(point)
        others = await ring.ready(login) if login is not None else []
        pairs = [*own, *others] if point.identities_given else [*others, *own]
        first = [tunnel.key] if tunnel.key is not None else []
        return ring.for_nodes([*first, *pairs])[:MOST_OFFERED]
