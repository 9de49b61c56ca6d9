"""Points: the Endpoints of many nodes. One `ssh -G` answers for all that the configuration can't tell apart."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

from mleconsole.transport.resolve import Endpoint, resolve
from mleconsole.transport.sshconfig import included, matches, words

AT_ONCE = 4  # `ssh -G` processes at once

Signature = tuple[bool, ...]


class Points:
    """A thousand nodes would be a thousand processes (12 ms each beside a busy console): node01 speaks for node02.

    Hosts are alike when the same `Host` lines match them. A configuration with `Match` or canonical names is asked
    for every host by itself, and so is one that has the host's name in a path, an alias or a command.
    """

    def __init__(self, ssh_config: str = "") -> None:
        self._config = ssh_config
        self._patterns: list[list[str]] | None = None
        self._read = False
        self._models: dict[Signature, Endpoint] = {}
        self._locks: dict[Signature, asyncio.Lock] = {}
        self._asking = asyncio.Semaphore(AT_ONCE)
        self.asked = 0  # how often ssh was

    async def of(self, host: str) -> Endpoint:
        """The Endpoint of `host`. Raises ResolveError like `resolve`."""
        if not self._read:
            self._patterns, self._read = await asyncio.to_thread(host_patterns, self._config), True
        if self._patterns is None:
            return await self._ask(host)
        signature = tuple(matches(host, patterns) for patterns in self._patterns)
        async with self._locks.setdefault(signature, asyncio.Lock()):
            model = self._models.get(signature)
            if model is None:
                point = self._models[signature] = await self._ask(host)
                return point
        return renamed(model, host) or await self._ask(host)

    async def _ask(self, host: str) -> Endpoint:
        async with self._asking:
            self.asked += 1
            return await resolve(host, self._config)


def host_patterns(ssh_config: str) -> list[list[str]] | None:
    """The patterns of every `Host` line that ssh would read; None when more than those decides."""
    files = [Path(ssh_config)] if ssh_config else [Path("~/.ssh/config"), Path("/etc/ssh/ssh_config")]
    found: list[list[str]] = []
    for file in files:
        if not _collect(file.expanduser(), found, 0):
            return None
    return found


def _collect(file: Path, found: list[list[str]], depth: int) -> bool:
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        return True
    for line in lines:
        got = re.match(r"\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*?)\s*$", line)
        keyword, rest = (got[1].lower(), got[2]) if got is not None else ("", "")
        if keyword == "host":
            found.append(words(rest))
        elif keyword == "include":
            if depth >= 16 or not all(_collect(other, found, depth + 1) for other in included(file, rest)):
                return False
        elif (keyword == "match" and words(rest) != ["all"]) or keyword.startswith("canonical"):
            return False
    return True


def renamed(model: Endpoint, host: str) -> Endpoint | None:
    """The Endpoint that `model` is for `host`, or None when the model's own name is in more than its address."""
    address = model.host.replace(model.name, host, 1) if model.name in model.host else model.host
    rest = (getattr(model, field.name) for field in fields(model) if field.name not in ("name", "host"))
    if any(model.name in text for value in rest for text in _texts(value)):
        return None
    return replace(model, name=host, host=address)


def _texts(value: object) -> Sequence[str]:
    return [str(part) for part in value] if isinstance(value, tuple) else [str(value)]
