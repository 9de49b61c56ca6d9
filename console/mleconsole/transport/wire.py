"""Wire: one SSH connection. The only module that speaks asyncssh; what goes wrong comes out as words."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncssh
from asyncssh.encryption import get_default_encryption_algs
from asyncssh.kex import get_default_kex_algs
from asyncssh.public_key import get_default_certificate_algs, get_default_public_key_algs

from mleconsole.transport.hostkeys import HostKey, Known, Verdict
from mleconsole.transport.interface import Ask, Question, Trouble, Unreached
from mleconsole.transport.keys import Decoder, Pair, WrongPassphrase
from mleconsole.transport.resolve import Endpoint
from mleconsole.transport.text import shown
from mleconsole.transport.words import explain, lost

SESSIONS = 8  # of sshd's default MaxSessions 10; 2 are left to whoever shares the connection
STREAMS = 6  # of those: programs that keep running leave room for commands
TRIES = 3  # of a password, or of codes
PATIENCE = 90.0  # seconds after a person's answer: the server may wait for a telephone
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dial:
    """All that one attempt to connect needs. With `ask` None nobody is asked anything."""

    endpoint: Endpoint
    host: str  # what is connected to: the endpoint's host, or another address of it
    known: Known
    keys: tuple[Pair, ...]
    more_keys: Callable[[], Awaitable[list[Pair]]] | None  # asked for when all keys were refused
    ask: Ask | None
    via: Wire | None = None
    timeout: float = 10.0  # seconds for each stage; the clock stands while a person is asked
    keepalive: float = 10.0  # seconds; a peer silent for three times that is lost


@dataclass(frozen=True, slots=True)
class Failed:
    """A Dial that failed. `key` is the host key that was shown and not trusted; `asked`: a person had answered."""

    unreached: Unreached
    key: HostKey | None = None
    asked: bool = False


class _Client(asyncssh.SSHClient):
    """The callbacks of one connection."""

    def __init__(self, dial: Dial, clock: asyncio.Timeout) -> None:
        self._dial = dial
        self._clock = clock
        self._keys = list(dial.keys)
        self._passwords = 0
        self._rounds = 0
        self.stage = "tcp"
        self.asked = False
        self.gave_up = False
        self.nobody = False  # something was asked, and there is nobody to ask
        self.banner = ""
        self.shown: HostKey | None = None
        self.accepted: Pair = None  # the key that was offered last
        self.lost: Callable[[Exception | None], None] | None = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self.stage = "greeting"

    def connection_lost(self, exc: Exception | None) -> None:
        if self.lost is not None:
            self.lost(exc)

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.shown = HostKey(key.get_algorithm(), key.public_data)
        return self._dial.known.judge(self.shown)[0] is Verdict.KNOWN

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        blob = key.public_data
        return any(entry.key.blob == blob for entry in self._dial.known.authorities)

    def begin_auth(self, username: str) -> None:
        self.stage = "auth"

    def auth_banner_received(self, msg: str, lang: str) -> None:
        self.banner = msg

    async def public_key_auth_requested(self) -> Any:
        if not self._keys and self._dial.more_keys is not None:
            self._keys = list(await self._person(self._dial.more_keys(), asks=False))
        if not self._keys:
            return None
        self.accepted = self._keys.pop(0)
        return [self.accepted]

    async def password_auth_requested(self) -> str | None:
        text = "Permission denied, please try again." if self._passwords else ""
        self._passwords += 1
        if self._passwords > TRIES:
            return None
        title = self._dial.endpoint.title
        answer = await self._question(Question("password", title, text, ((f"Password of {title}", False),)))
        return answer[0] if answer else None

    def kbdint_auth_requested(self) -> str | None:
        if self._dial.ask is None:
            self.nobody = True
            return None
        self._rounds += 1
        return None if self.gave_up or self._rounds > TRIES else ""

    async def kbdint_challenge_received(self, name: str, instructions: str, lang: str, prompts: Any) -> Any:
        if not prompts:  # the server only tells something
            self.banner = instructions or self.banner
            return []
        asked = tuple((shown(prompt), bool(echo)) for prompt, echo in prompts)
        passwords = all("password" in prompt.lower() and not echo for prompt, echo in asked)
        again = "That was not accepted." if self._rounds > 1 else ""
        text = " ".join(shown(part, 400) for part in (again, name, instructions) if part.strip())
        question = Question("password" if passwords else "codes", self._dial.endpoint.title, text, asked)
        answer = await self._question(question)
        return None if answer is None else list(answer)

    async def _question(self, question: Question) -> tuple[str, ...] | None:
        if self._dial.ask is None:
            self.nobody = True
            return None
        if self.gave_up:
            return None
        answer = await self._person(self._dial.ask(question))
        self.gave_up = answer is None
        return answer

    async def _person(self, answer: Awaitable[T], asks: bool = True) -> T:
        """Wait for a person without a deadline of ours."""
        self.asked = self.asked or asks
        with contextlib.suppress(RuntimeError):  # the attempt is over already
            self._clock.reschedule(None)
        try:
            return await answer
        finally:
            with contextlib.suppress(RuntimeError):
                self._clock.reschedule(asyncio.get_running_loop().time() + max(PATIENCE, self._dial.timeout))


async def connect(dial: Dial) -> Wire | Failed:
    """One attempt; expected trouble is a Failed."""
    client: _Client | None = None
    if dial.via is not None and not dial.via.alive:
        return Failed(Unreached(Trouble.LOGIN_LOST, dial.via.lost_words))
    try:
        async with asyncio.timeout(dial.timeout) as clock:
            client = _Client(dial, clock)
            made = client
            connection = await asyncssh.connect(dial.host, client_factory=lambda: made, **_options(dial))
    except Exception as error:  # a host that speaks no SSH, or a broken one, may make the library raise anything
        if dial.via is not None and not dial.via.alive:
            return Failed(Unreached(Trouble.LOGIN_LOST, dial.via.lost_words))
        if client is None:
            return Failed(Unreached(Trouble.UNREACHABLE, shown(str(error))))
        tunnelled = dial.via is not None
        unreached = explain(
            error, client.stage, dial.timeout, tunnelled, client.banner, client.gave_up, client.nobody
        )  # fmt: skip
        key = client.shown if unreached.kind is Trouble.HOST_KEY else None
        return Failed(unreached, key, client.asked)
    return Wire(connection, client)


class Wire:
    """A connection that stands. `asked`: a person was needed to sign in; `key` is the key that let us in."""

    def __init__(self, connection: asyncssh.SSHClientConnection, client: _Client) -> None:
        self.connection = connection
        self.asked = client.asked
        self.key = client.accepted
        self.shown = client.shown  # its plain host key; None when it showed a certificate
        self.alive = not connection.is_closed()
        self.lost_words = lost(None)
        self.on_lost: Callable[[], None] | None = None
        self._sessions = asyncio.Semaphore(SESSIONS)
        self._streams = asyncio.Semaphore(STREAMS)
        client.lost = self._lost

    def _lost(self, error: Exception | None) -> None:
        if not self.alive:
            return
        self.alive = False
        self.lost_words = lost(error)
        if self.on_lost is not None:
            self.on_lost()

    async def session(self, line: str, on_data: Callable[[bytes], None], on_error: Callable[[bytes], None],
                      lasting: bool = False) -> Channel:  # fmt: skip
        """Run `line` in the remote login shell. Waits for a free session, and again while the server has none.

        Raises ConnectionError when the connection is gone or the server runs nothing. The caller bounds the time.
        """
        gates = [self._sessions, self._streams] if lasting else [self._sessions]
        with contextlib.ExitStack() as held:
            for gate in reversed(gates):
                await gate.acquire()
                held.callback(gate.release)
            pause = 0.05
            while True:
                channel = Channel(on_data, on_error)
                try:
                    await self._open(channel, line)
                    break
                except asyncssh.ChannelOpenError as error:
                    if not self.alive:
                        raise ConnectionError(self.lost_words) from None
                    if error.code not in (asyncssh.OPEN_CONNECT_FAILED, asyncssh.OPEN_RESOURCE_SHORTAGE):
                        raise ConnectionError(f"it runs no commands for us: {shown(str(error))}") from None
                except (OSError, asyncssh.Error) as error:
                    raise ConnectionError(self.lost_words if not self.alive else shown(str(error))) from None
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(1.0, pause * 2.0)
            channel.release = held.pop_all().close
            if channel.done.done():
                channel.release()
            return channel

    async def _open(self, channel: Channel, line: str) -> None:
        """Open the session; when we are cancelled meanwhile, it is closed as soon as it is there."""
        opening = asyncio.ensure_future(
            self.connection.create_session(lambda: channel, line, encoding=None, request_pty=False)
        )
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:

            def close(task: asyncio.Future[Any]) -> None:
                if not task.cancelled() and task.exception() is None:
                    channel.kill()

            opening.add_done_callback(close)
            raise

    async def close(self) -> None:
        """End the connection; returns soon, whatever the other side does."""
        self.on_lost = None
        self.alive = False
        self.connection.close()
        try:
            async with asyncio.timeout(1.0):
                await self.connection.wait_closed()
        except (OSError, asyncssh.Error):  # TimeoutError is one of the first
            self.connection.abort()


class Channel(asyncssh.SSHClientSession[bytes]):
    """One remote program. `done` ends with its exit status, or None; `words` then say what ended it otherwise."""

    def __init__(self, on_data: Callable[[bytes], None], on_error: Callable[[bytes], None]) -> None:
        self._on_data = on_data
        self._on_error = on_error
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._status: int | None = None
        self.words = ""
        self.done: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self.release: Callable[[], None] | None = None

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if datatype is None:
            self._on_data(data)
        else:
            self._on_error(data)

    def exit_status_received(self, status: int) -> None:
        self._status = status

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        self.words = f"it was ended by signal {shown(signal)}"

    def connection_lost(self, exc: Exception | None) -> None:
        if self._status is None and not self.words:
            self.words = lost(exc) if exc is not None else "it ended without an exit status"
        if not self.done.done():
            self.done.set_result(self._status)
        if self.release is not None:
            self.release()

    def write(self, data: bytes) -> None:
        """Give it `data` on stdin; after it ended that goes nowhere."""
        if self._channel is not None and not self._channel.is_closing():
            with contextlib.suppress(OSError):
                self._channel.write(data)

    def write_eof(self) -> None:
        if self._channel is not None and not self._channel.is_closing():
            with contextlib.suppress(OSError):
                self._channel.write_eof()

    def kill(self) -> None:
        """SIGKILL for its process group (sshd from 7.9 on does it), then close."""
        if self._channel is not None and not self.done.done():
            with contextlib.suppress(OSError):
                self._channel.kill()
            self._channel.close()

    def close(self) -> None:
        """End of its stdin, and of the channel."""
        self.write_eof()
        if self._channel is not None:
            self._channel.close()


def _options(dial: Dial) -> dict[str, Any]:
    point, known = dial.endpoint, dial.known
    options: dict[str, Any] = {
        "port": point.port,
        "username": point.user,
        "config": None,
        "client_keys": None,  # given one by one by the callback, so that the one that let us in is known
        "agent_path": None,
        "agent_forwarding": False,
        # Revoked keys are given for certificates, which the library checks by itself; plain keys are judged by Known.
        "known_hosts": ([], [], [key for entry in known.revoked if (key := _key(entry.key.text)) is not None]),
        "host_key_alias": point.host_key_alias or point.host,
        "server_host_key_algs": _host_key_algs(known),
        "kex_algs": _kex_algs(),
        "encryption_algs": _encryption_algs(),
        "x509_trusted_certs": None,
        "host_based_auth": False,
        "gss_kex": False,
        "gss_auth": point.gssapi and dial.via is None,
        "connect_timeout": None,
        "login_timeout": 0,
        "keepalive_interval": dial.keepalive,
        "keepalive_count_max": 2,
    }
    if dial.via is not None:
        options["tunnel"] = dial.via.connection
    elif point.proxy_command:
        options["proxy_command"] = ["/bin/sh", "-c", f"exec {point.proxy_command}"]
    return options


def _host_key_algs(known: Known) -> list[str]:
    """Types that are known of this host first, so that a server with several shows one that we can check."""
    plain = [alg.decode() for alg in get_default_public_key_algs()]
    types = {"rsa-sha2" if entry.key.type == "ssh-rsa" else entry.key.type for entry in known.keys}
    first = [alg for alg in plain if any(alg.startswith(type) for type in types)]
    certificates = [alg.decode() for alg in get_default_certificate_algs()] if known.authorities else []
    return [*certificates, *first, *(alg for alg in plain if alg not in first)]


def _kex_algs() -> list[str]:
    """The library's own order with group exchange last: it costs 370 ms of arithmetic, the others 2."""
    algs = [alg.decode() for alg in get_default_kex_algs()]
    return sorted(algs, key=lambda alg: "group-exchange" in alg)


def _encryption_algs() -> list[str]:
    """The library's own list with AES-GCM first: small packets, each twice encrypted on their way through the login
    connection, are what we read all day, and the library's ChaCha20 sets up three ciphers for every one of them."""
    algs = [alg.decode() for alg in get_default_encryption_algs()]
    return sorted(algs, key=lambda alg: ("gcm" not in alg, "256" in alg))


def decoder() -> Decoder:
    return Decoder(_private, _public, _agent, lambda pair: bytes(pair.public_data))


def _private(data: bytes, passphrase: str | None, certificates: Iterable[Path]) -> list[Pair]:
    try:
        key = asyncssh.import_private_key(data, passphrase)
    except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError) as error:
        if isinstance(error, asyncssh.KeyEncryptionError) or "assphrase" in str(error):
            raise WrongPassphrase(str(error)) from None
        raise
    pairs: list[Pair] = []
    for file in certificates:
        try:
            certificate = asyncssh.read_certificate(str(file))
        except (OSError, ValueError):
            continue
        if certificate.key.public_data == key.public_data:
            pairs += asyncssh.load_keypairs([(key, certificate)])
    return [*pairs, *asyncssh.load_keypairs([key])]


def _key(data: str | bytes) -> asyncssh.SSHKey | None:
    try:
        return asyncssh.import_public_key(data)
    except (ValueError, IndexError):
        return None


def _public(data: bytes) -> bytes | None:
    key = _key(data)
    return key.public_data if key is not None else None


async def _agent(path: str) -> tuple[list[Pair], Callable[[], None]]:
    agent = asyncssh.SSHAgentClient(path)
    return list(await agent.get_keys()), agent.close
