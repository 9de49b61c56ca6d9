"""Asking: polls the command probes on the login host, each at its pace, backing off from a slow or failing server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from mleconsole.api import CLUSTER, LOGIN, Absent, CommandProbe, Completed, Danger, ProbeTrouble, Situation
from mleconsole.collect.inbox import Inbox
from mleconsole.collect.pacing import Pacing, backed_off
from mleconsole.model.fleet import Arrival
from mleconsole.transport.interface import Transport


class Asking:
    """One loop per command probe, on the collector's loop."""

    def __init__(
        self,
        probe: CommandProbe,
        transport: Transport,
        inbox: Inbox,
        situation: Callable[[], Situation],
        pacing: Callable[[], Pacing],
        login_up: asyncio.Event,
        clock: Callable[[], float],
        on_notice: Callable[[str, str], None],
    ) -> None:
        self.probe = probe
        self._transport = transport
        self._inbox = inbox
        self._situation = situation
        self._pacing = pacing
        self._login_up = login_up
        self._clock = clock
        self._on_notice = on_notice
        self._memory: Any = None
        self._wake = asyncio.Event()
        self.answered = False  # it has answered, or told its trouble, at least once
        self.trouble = ""

    def now(self) -> None:
        """Ask at once (a pane that needs it came up, or an action changed something)."""
        self._wake.set()

    async def run(self) -> None:
        failures = 0
        while True:
            await self._login_up.wait()
            began = self._clock()
            ok = await self._ask()
            self.answered = True
            failures = 0 if ok else failures + 1
            pause = backed_off(self._pacing().period(self.probe), self._clock() - began, failures)
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)

    async def _ask(self) -> bool:
        probe = self.probe
        argv = probe.argv(self._situation())
        done = await self._transport.run(LOGIN, argv, danger=Danger.READS, deadline=probe.deadline)
        now = self._clock()
        trouble = self._trouble_of(done)
        if trouble is None:
            try:
                answer = probe.parse(done, self._memory)
            except ProbeTrouble as error:
                trouble = str(error)
            except Exception as error:  # a parser met something new: its own cells alone are stale
                trouble = f"{probe.id} could not be read: {type(error).__name__}: {error}"
                self._on_notice(probe.id, trouble)
            else:
                self._memory = answer.memory
                self.trouble = ""
                if answer.observation.notice:
                    self._on_notice(probe.id, answer.observation.notice)
                self._inbox.put(Arrival(CLUSTER, probe.id, now, answer.observation))
                return True
        self.trouble = trouble
        self._inbox.put(Arrival(CLUSTER, probe.id, now, trouble=Absent(trouble)))
        return False

    def _trouble_of(self, done: Completed) -> str | None:
        if done.trouble is not None:
            return f"{self.probe.id}: {done.trouble.reason}"
        if done.exit_status == 127:
            return f"{self.probe.requires or done.argv[0]} is not found on the login host"
        return None
