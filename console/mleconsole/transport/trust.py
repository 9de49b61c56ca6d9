"""Trust: which host keys are accepted. Files decide; then the cluster's own list for nodes; then the person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mleconsole.transport.hostkeys import HostKey, Known, KnownHosts, Verdict, host_pattern, remember
from mleconsole.transport.interface import Ask, Question, Trouble, Unreached
from mleconsole.transport.resolve import Endpoint

#: What is read through the login connection: the administrators' own list of the cluster's host keys.
CLUSTER_LIST = ("cat", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
_CLUSTER_NAME = "/etc/ssh/ssh_known_hosts on the login host"


@dataclass(slots=True)
class Trust:
    """The host keys of one session, in `own` (our file) and the user's and global files that ssh_config names.

    A node that no file of this machine names is looked up in the list that the login host keeps in /etc/ssh. That list
    came over an authenticated connection, and who could falsify it owns the login host that all nodes are reached
    through; its use is told by `source`, and the reading stands in the command log. Nothing of it is written down.
    """

    own: Path
    ask: Ask | None
    cluster_list: Callable[[], Awaitable[str | None]] | None = None  # the text of CLUSTER_LIST; None: not to be had now
    source: dict[str, str] = field(default_factory=dict)  # host -> the line that made its key trusted
    _files: KnownHosts = field(default_factory=KnownHosts)
    _cluster: KnownHosts | None = None
    _stale: bool = False
    _declined: set[str] = field(default_factory=set)
    _accept_all: bool = False
    _decline_all: bool = False
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _listing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def about(self, point: Endpoint, *, node: bool, address: str = "") -> Known:
        """What is known of an endpoint. Nodes are looked up under their address too, and in the cluster's list."""
        names = _names(point, address)
        await self._read((self.own, *point.known_hosts_files))
        known = await self._look_up(names)
        if not known.named and point.port != 22:  # as ssh: a key known without the port is as good, if it matches
            plain = await self._look_up(_names(point, address, port=22))
            known = Known(authorities=plain.authorities, revoked=known.revoked + plain.revoked, other=plain.keys)
        if node and not known.named and not known.other:
            listed = (await self._listed()).about(*names, *_names(point, address, port=22))
            known = Known(listed.keys, listed.authorities, known.revoked + listed.revoked)
        return known

    def note(self, host: str, known: Known, key: HostKey | None) -> None:
        """Remember which line made the key of `host` trusted."""
        entry = known.judge(key)[1] if key is not None else None
        if entry is not None:
            self.source[host] = entry.place

    async def settle(self, point: Endpoint, key: HostKey, known: Known, *, node: bool) -> Unreached | None:
        """A key was shown that `known` does not hold: None when it is trusted now (dial again), else why not."""
        verdict, entry = known.judge(key)
        if verdict is Verdict.CHANGED and self._files.changed():
            await self._read(anew=True)
            known = await self.about(point, node=node)
            verdict, entry = known.judge(key)
        if verdict is Verdict.KNOWN:
            return None
        if verdict is Verdict.REVOKED and entry is not None:
            return Unreached(Trouble.HOST_KEY, f"its host key {key.fingerprint} is revoked by {entry.place}")
        if verdict is Verdict.CHANGED and entry is not None:
            return Unreached(Trouble.HOST_KEY, _changed_words(point, key, entry.file, entry.line))
        return await self._unknown(point, key, node)

    def changed(self) -> bool:
        """True when a known_hosts file was edited since it was read; it is read anew then at the next question."""
        self._stale = self._stale or self._files.changed()
        return self._stale

    def again(self) -> None:
        """The person wants another try: what was declined is asked again, and files are read anew."""
        self._declined.clear()
        self._decline_all = False
        self._cluster = None
        self._stale = True

    async def _unknown(self, point: Endpoint, key: HostKey, node: bool) -> Unreached | None:
        name = point.key_name
        async with self._one_at_a_time:
            if self._files.about(name).judge(key)[0] is Verdict.KNOWN:  # accepted while we waited
                return None
            if name in self._declined or (node and self._decline_all):
                return Unreached(
                    Trouble.HOST_KEY, f"its host key {key.fingerprint} was not accepted; press r to be asked again"
                )
            if self.ask is None:
                return Unreached(
                    Trouble.HOST_KEY,
                    f"its host key {key.fingerprint} is unknown, and nobody is there to ask; "
                    "connect once from a terminal to see and accept it",
                )
            answer = None
            if not (node and self._accept_all):
                answer = await self.ask(_question(point, key, node))
                word = answer[0].strip().lower() if answer else ""
                self._accept_all = self._accept_all or (node and word == "all")
                self._decline_all = self._decline_all or (node and answer is None)
                if word not in ("yes", "all"):
                    self._declined.add(name)
                    return Unreached(Trouble.HOST_KEY, f"its host key {key.fingerprint} was not accepted")
            try:
                await asyncio.to_thread(remember, self.own, name, key)
            except OSError as error:
                return Unreached(Trouble.HOST_KEY, f"its host key can't be kept in {self.own}: {error.strerror}")
            await self._read(anew=True)
            return None

    async def _read(self, files: Iterable[Path] = (), anew: bool = False) -> None:
        """Have `files` read besides those that are; all anew when asked to."""
        async with self._lock:
            more = [file for file in files if file not in self._files.files]
            if more or anew or self._stale:
                self._files = await asyncio.to_thread(KnownHosts, (*self._files.files, *more))
                self._stale = False

    async def _look_up(self, names: tuple[str, ...]) -> Known:
        files = self._files
        return await asyncio.to_thread(files.about, *names) if files.slow else files.about(*names)

    async def _listed(self) -> KnownHosts:
        async with self._listing:  # not _lock: reading the list may open a connection, which reads files
            if self._cluster is None and self.cluster_list is not None:
                text = await self.cluster_list()
                self._cluster = KnownHosts(text=text, name=_CLUSTER_NAME) if text is not None else None
            return self._cluster or KnownHosts()


def _names(point: Endpoint, address: str, port: int | None = None) -> tuple[str, ...]:
    if point.host_key_alias:
        return (point.host_key_alias,)
    hosts = dict.fromkeys(host for host in (point.host, point.name, address) if host)
    return tuple(host_pattern(host, point.port if port is None else port) for host in hosts)


def _question(point: Endpoint, key: HostKey, node: bool) -> Question:
    told = " Nor is it in the list that the login host keeps." if node else ""
    choices = "yes, no, or all (every unknown node of this cluster)" if node else "yes or no"
    return Question(
        "host_key",
        point.name if node else point.title,
        f"The host key of {point.key_name} is not known on this machine.{told} Its {key.short} fingerprint is "
        f"{key.fingerprint}. Trust it, and remember it?",
        ((choices, True),),
        key.fingerprint,
    )


def _changed_words(point: Endpoint, key: HostKey, file: str, line: int) -> str:
    remedy = (
        f"remove that line (ssh-keygen -f {file} -R '{point.key_name}') and try again"
        if file != _CLUSTER_NAME
        else "ask the administrators to renew that list"
    )
    return (
        f"its host key changed: it shows {key.short} {key.fingerprint}, but {file} line {line} names another key. "
        f"If it was reinstalled, {remedy}; if not, somebody may stand in between, and nothing was sent"
    )
