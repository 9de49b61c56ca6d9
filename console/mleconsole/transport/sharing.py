"""Sharing one attempt among all who wait for it."""

from __future__ import annotations

import asyncio

from mleconsole.transport.interface import Trouble, Unreached


async def outcome(attempt: asyncio.Task[Unreached | None]) -> Unreached | None:
    """What `attempt` comes to. It goes on when we are cancelled; when it is, that is trouble and no cancellation."""
    await asyncio.wait({attempt})
    if attempt.cancelled():
        return Unreached(Trouble.UNREACHABLE, "the attempt to connect was ended")
    return attempt.result()
