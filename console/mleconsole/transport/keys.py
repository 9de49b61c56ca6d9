"""Keys: private keys are read and decrypted once and used for every connection; what is missing is passed over."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mleconsole.transport.interface import Ask, Question
from mleconsole.transport.resolve import Endpoint

TRIES = 3
#: sshd ends a connection at its 6th failed try (MaxAuthTries): nodes are offered no more keys than this.
MOST_OFFERED = 5

Pair = Any  # a key pair of the ssh library


class WrongPassphrase(ValueError):
    """The key file needs a passphrase, or another one."""


@dataclass(frozen=True, slots=True)
class Decoder:
    """What is done with key files by the ssh library alone.

    `private(data, passphrase, certificates)` gives pairs, raises WrongPassphrase, or ValueError for no key at all;
    `public(data)` gives the public blob in a public or unencrypted private key file, or None;
    `agent(path)` gives the agent's pairs and what closes it, raising OSError or ValueError; `blob(pair)` is a pair's
    public blob.
    """

    private: Callable[[bytes, str | None, Iterable[Path]], list[Pair]]
    public: Callable[[bytes], bytes | None]
    agent: Callable[[str], Awaitable[tuple[list[Pair], Callable[[], None]]]]
    blob: Callable[[Pair], bytes]


@dataclass(slots=True)
class Keyring:
    """All key pairs that were read so far, shared by the login host and all nodes."""

    decoder: Decoder
    notes: list[str] = field(default_factory=list)  # why a key file could not be used
    _pairs: dict[Path, list[Pair]] = field(default_factory=dict)
    _locked: dict[Path, bytes] = field(default_factory=dict)
    _skipped: set[Path] = field(default_factory=set)
    _publics: dict[Path, bytes | None] = field(default_factory=dict)
    _agents: dict[str, list[Pair]] = field(default_factory=dict)
    _closers: list[Callable[[], None]] = field(default_factory=list)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ready(self, endpoint: Endpoint) -> list[Pair]:
        """The pairs that need no person, in ssh's order: of the agent those that files name, its others, files."""
        async with self._lock:
            agent = await self._agent(endpoint.identity_agent)
            for file in endpoint.identity_files:
                if file not in self._pairs and file not in self._locked and file not in self._skipped:
                    await asyncio.to_thread(self._read, file, endpoint.certificate_files)
        named = {self.decoder.blob(pair) for file in endpoint.identity_files for pair in self._pairs.get(file, ())}
        named |= {blob for file in endpoint.identity_files if (blob := self._public(file)) is not None}
        first = [pair for pair in agent if self.decoder.blob(pair) in named]
        others = [] if endpoint.identities_only else [pair for pair in agent if self.decoder.blob(pair) not in named]
        files = [pair for file in endpoint.identity_files for pair in self._pairs.get(file, ())]
        return self.distinct([*first, *others, *files])

    def distinct(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Each pair once, in the given order."""
        first: dict[bytes, Pair] = {}
        for pair in pairs:
            first.setdefault(self.decoder.blob(pair), pair)
        return list(first.values())

    def for_nodes(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Each once, without security keys: those want a touch for every signature, and there are many nodes."""
        return [pair for pair in self.distinct(pairs) if not self.decoder.blob(pair)[4:].startswith(b"sk-")]

    async def unlock(self, endpoint: Endpoint, ask: Ask | None) -> list[Pair]:
        """Ask for the passphrase of the next encrypted key of `endpoint`; its pairs, or [] when there is none left.

        A key whose passphrase was given up is not asked for again before `again`.
        """
        async with self._lock:
            held = {self.decoder.blob(pair) for pair in await self._agent(endpoint.identity_agent)}
            for file in endpoint.identity_files:
                if file not in self._locked or self._public(file) in held:
                    continue
                if ask is None:
                    self.notes.append(f"{file} is encrypted, and nobody is there to ask for its passphrase")
                elif pairs := await self._ask(file, self._locked[file], endpoint, ask):
                    self._pairs[file] = pairs
                    del self._locked[file]
                    return pairs
                self._skipped.add(file)
                del self._locked[file]
        return []

    def again(self) -> None:
        """The person wants another try: keys that were passed over are looked at anew, and so is the agent."""
        self._skipped.clear()
        self._publics.clear()
        self._agents.clear()
        self.notes.clear()
        self.close()

    def close(self) -> None:
        """Close the connections to agents."""
        for close in self._closers:
            close()
        self._closers.clear()

    async def _ask(self, file: Path, data: bytes, endpoint: Endpoint, ask: Ask) -> list[Pair]:
        text = ""
        for _ in range(TRIES):
            answer = await ask(
                Question("passphrase", endpoint.title, text, ((f"Passphrase of {file}", False),)),
            )
            if not answer:
                self.notes.append(f"the passphrase of {file} was not given")
                return []
            try:
                return await asyncio.to_thread(
                    self.decoder.private, data, answer[0], self._certificates(file, endpoint)
                )
            except WrongPassphrase:
                text = "That was not its passphrase."
            except ValueError as error:
                self.notes.append(f"{file} can't be used: {error}")
                return []
        self.notes.append(f"{file}: {TRIES} wrong passphrases")
        return []

    def _certificates(self, file: Path, endpoint: Endpoint) -> tuple[Path, ...]:
        return (*endpoint.certificate_files, Path(f"{file}-cert.pub"))

    def _read(self, file: Path, certificates: tuple[Path, ...]) -> None:
        try:
            data = file.read_bytes()
        except FileNotFoundError:  # as ssh: the usual names are tried, and most do not exist
            self._skipped.add(file)
            return
        except OSError as error:
            self._skipped.add(file)
            self.notes.append(f"{file} can't be read: {error.strerror}")
            return
        try:
            self._pairs[file] = self.decoder.private(data, None, (*certificates, Path(f"{file}-cert.pub")))
        except WrongPassphrase:
            self._locked[file] = data
        except ValueError as error:
            self._skipped.add(file)
            if self.decoder.public(data) is None:  # a public key is fine: it names a key of the agent
                self.notes.append(f"{file} can't be used: {error}")

    def _public(self, file: Path) -> bytes | None:
        if file not in self._publics:
            self._publics[file] = self._find_public(file)
        return self._publics[file]

    def _find_public(self, file: Path) -> bytes | None:
        for public in (Path(f"{file}.pub"), file):
            try:
                blob = self.decoder.public(public.read_bytes())
            except OSError:
                continue
            if blob is not None:
                return blob
        return None

    async def _agent(self, setting: str) -> list[Pair]:
        path = agent_path(setting)
        if not path:
            return []
        if path not in self._agents:
            try:
                self._agents[path], close = await self.decoder.agent(path)
                self._closers.append(close)
            except (OSError, ValueError) as error:
                self._agents[path] = []
                self.notes.append(f"the ssh agent at {path} does not answer: {error}")
        return self._agents[path]


def agent_path(setting: str) -> str:
    """The socket of an IdentityAgent setting: "none", "SSH_AUTH_SOCK", "$VARIABLE" or a path; "" for no agent."""
    if setting == "none":
        return ""
    if setting == "SSH_AUTH_SOCK":
        return os.environ.get("SSH_AUTH_SOCK", "")
    if setting.startswith("$"):
        return os.environ.get(setting[1:].strip("{}"), "")
    return str(Path(setting).expanduser())
