"""A real SSH server in this process (and the faults it can be told), a wire that can be cut, and transports to try."""

import asyncio
import contextlib
import os
import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import pytest

from mleconsole.transport.gate import Gate
from mleconsole.transport.ssh import SshTransport

PASSWORD, CODE, PASSPHRASE = "a password", "123456", "a passphrase"


@dataclass
class Rules:
    """How the server behaves; a test may change it between connections."""

    auth: str = "key"  # key | password | codes | key+code | nothing
    sessions: int = 100  # at once on a connection, as MaxSessions
    exec: bool = True
    banner: str = ""
    connections: int = 0  # that were authenticated
    attempts: int = 0
    open: list = field(default_factory=list)
    most_sessions: int = 0


class Server(asyncssh.SSHServer):
    def __init__(self, rules, authorized):
        self.rules, self.authorized = rules, authorized
        self.running = 0
        self.rounds = 0
        self.key_seen = False

    def connection_made(self, conn):
        self.conn = conn
        self.rules.attempts += 1
        self.rules.open.append(conn)
        if self.rules.auth == "key+code":
            succeed = conn.send_userauth_success

            async def success():
                if self.rounds:
                    await succeed()
                else:
                    self.key_seen = True
                    conn.send_userauth_failure(True)

            conn.send_userauth_success = success

    def connection_lost(self, exc):
        self.rules.open.remove(self.conn)

    def begin_auth(self, username):
        if self.rules.banner:
            self.conn.send_auth_banner(self.rules.banner)
        return True

    def auth_completed(self):
        self.rules.connections += 1

    def public_key_auth_supported(self):
        return self.rules.auth in ("key", "key+code") and not self.key_seen

    def validate_public_key(self, username, key):
        return key.public_data in self.authorized

    def password_auth_supported(self):
        return self.rules.auth == "password"

    def validate_password(self, username, password):
        return password == PASSWORD

    def kbdint_auth_supported(self):
        return self.rules.auth == "codes" or (self.rules.auth == "key+code" and self.key_seen)

    def get_kbdint_challenge(self, username, lang, submethods):
        if self.rules.auth == "key+code":
            return "", "Touch your token.", "", [("Verification code: ", True)]
        return "Sign in", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username, responses):
        self.rounds += 1
        if self.rules.auth == "codes" and self.rounds == 1:
            return ("", "Second step", "", [("Code: ", True)]) if list(responses) == [PASSWORD] else False
        good = list(responses) == [CODE]
        if not good:
            self.rounds = 0
        return good

    def session_requested(self):
        if self.running >= self.rules.sessions:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "open failed")
        if not self.rules.exec:
            return False
        self.running += 1
        self.rules.most_sessions = max(self.rules.most_sessions, self.running)
        return asyncssh.SSHServerProcess(self.program, None, 3, False)

    def connection_requested(self, dest_host, dest_port, orig_host, orig_port):
        try:  # in OpenSSH's words, which are not this library's
            socket.create_connection((dest_host, dest_port)).close()
        except ConnectionRefusedError:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "Connection refused") from None
        except OSError as error:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, error.strerror) from None
        return True

    async def program(self, process):
        child = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", process.command, stdin=-1, stdout=-1, stderr=-1, start_new_session=True
        )
        feeding = asyncio.ensure_future(self._copy(process.stdin, child.stdin))
        try:
            await asyncio.gather(self._copy(child.stdout, process.stdout), self._copy(child.stderr, process.stderr))
            process.exit(await child.wait())
        except (OSError, asyncssh.Error, asyncssh.SignalReceived):
            process.close()
        finally:
            feeding.cancel()
            self.running -= 1
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child._transport.close()  # wait() would wait for its pipes, which nobody reads now

    async def _copy(self, reader, writer):
        with contextlib.suppress(OSError, asyncssh.Error, asyncssh.SignalReceived):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        if isinstance(writer, asyncio.StreamWriter):
            writer.close()


class Cable:
    """A TCP connection that the test can cut, freeze, or make slow to greet."""

    def __init__(self, port):
        self.to, self.frozen, self.pairs = port, False, []

    async def plug(self):
        self.server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def _carry(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        self.pairs.append((writer, far_writer))
        await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))

    async def _copy(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if not self.frozen:
                    writer.write(data)
        writer.close()

    def cut(self):
        for pair in self.pairs:
            for writer in pair:
                writer.transport.abort()
        self.pairs.clear()

    def unplug(self):
        self.server.close()
        self.cut()


class Person:
    """Answers questions as it was told, and remembers them."""

    def __init__(self, **answers):
        self.answers = {kind: list(given) for kind, given in answers.items()}
        self.asked = []

    async def __call__(self, question):
        self.asked.append(question)
        given = self.answers.get(question.kind)
        assert given, f"nobody expected to be asked {question}"
        answer = given.pop(0) if len(given) > 1 else given[0]
        return (answer,) if isinstance(answer, str) else answer

    def kinds(self):
        return [question.kind for question in self.asked]


class Bench:
    """Servers, an ssh configuration and transports of one test; all is ended with it."""

    def __init__(self, path: Path):
        self.path = path
        self.config = path / "config"
        self.known = path / "known_hosts"
        self.own = path / "state" / "known_hosts"
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.identity = path / "id"
        self.write_key()
        self.log = []
        self._blocks = []
        self._ends = []
        self.hostkeys = {}

    def write_key(self, passphrase=None):
        self.key.write_private_key(str(self.identity), passphrase=passphrase, rounds=16, ignore_few_rounds=True)
        self.identity.chmod(0o600)

    async def serve(self, name, *, known=True, config="", hostkey=None, cable=False, names=(), **rules):
        """Start a server that the ssh configuration knows as `name` (and `names`); gives its Rules."""
        rules = Rules(**rules)
        hostkey = hostkey or asyncssh.generate_private_key("ssh-ed25519")
        authorized = {self.key.public_data}
        acceptor = await asyncssh.create_server(
            lambda: Server(rules, authorized), "127.0.0.1", 0, server_host_keys=[hostkey], encoding=None,
            keepalive_interval=0, login_timeout=30,
        )  # fmt: skip
        rules.port = acceptor.get_port()
        rules.authorized, rules.hostkey = authorized, hostkey
        if cable:
            rules.cable = await Cable(rules.port).plug()
            rules.port = rules.cable.port
            self._ends.append(rules.cable.unplug)

        def end():
            acceptor.close()
            for conn in list(rules.open):
                conn.abort()

        rules.stop = end
        self._ends.append(end)
        self.block(
            " ".join([name, *names]), f"HostName 127.0.0.1\n  Port {rules.port}\n  HostKeyAlias {name}\n  {config}"
        )
        if known:
            with self.known.open("a") as file:
                file.write(f"{name} {hostkey.export_public_key().decode()}")
        return rules

    def block(self, names, text):
        self._blocks.append(f"Host {names}\n  {text}\n")
        self.write()

    def write(self):
        common = (
            f"Host *\n  User alice\n  IdentityFile {self.identity}\n  IdentityAgent none\n"
            f"  UserKnownHostsFile {self.known}\n  GlobalKnownHostsFile none\n"
        )
        self.config.write_text("".join(self._blocks) + common)

    def transport(self, login="alice@login", *, ask=None, read_only=False, **options):
        made = SshTransport(
            login, ssh_config=str(self.config), ask=ask, gate=Gate(read_only), log=self.log.append,
            known_hosts_file=self.own, **{"keepalive": 20.0, "connect_timeout": 5.0, **options},
        )  # fmt: skip
        self._ends.append(made.close)
        return made

    async def end(self):
        for end in reversed(self._ends):
            result = end()
            if result is not None:
                await result
        await asyncio.sleep(0)


@pytest.fixture
async def bench(tmp_path):
    bench = Bench(tmp_path)
    yield bench
    await bench.end()


@pytest.fixture
def person():
    return Person


async def until(condition, seconds=5.0):
    """Wait for what other tasks bring about; fails when it does not come."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture(name="until")
def until_fixture():
    return until
