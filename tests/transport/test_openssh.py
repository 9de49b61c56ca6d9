"""The same transport against OpenSSH's own sshd, run as an ordinary process on a port of its own."""

import asyncio
import getpass
import os
import signal
import socket
import subprocess
from pathlib import Path

import asyncssh
import pytest

from mleconsole.model.plan import LOGIN, Danger
from mleconsole.transport.interface import Trouble

SSHD = "/usr/sbin/sshd"
READS = Danger.READS
PAM = "UsePAM yes\n" if os.getuid() == 0 else "UsePAM no\n"
pytestmark = pytest.mark.skipif(not os.access(SSHD, os.X_OK), reason=f"no {SSHD} here")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
async def sshd(bench):
    """Start sshd with more lines of configuration; gives its port and process. The bench knows it as `names`."""
    started = []

    async def start(config="", names="login node01 node02", keys=()):
        port, folder = free_port(), bench.path / f"sshd{len(started)}"
        folder.mkdir()
        hostkey = asyncssh.generate_private_key("ssh-ed25519")
        hostkey.write_private_key(str(folder / "hostkey"))
        (folder / "hostkey").chmod(0o600)
        authorized = [bench.key, *keys]
        (folder / "authorized").write_text("".join(key.export_public_key().decode() for key in authorized))
        (folder / "config").write_text(
            f"ListenAddress 127.0.0.1:{port}\nHostKey {folder}/hostkey\nAuthorizedKeysFile {folder}/authorized\n"
            f"StrictModes no\nPidFile none\nPasswordAuthentication no\n{PAM}{config}"
        )
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "config"], stderr=subprocess.PIPE)
        started.append(process)
        assert b"Server listening" in await asyncio.to_thread(process.stderr.readline)
        bench.block(names, f"HostName 127.0.0.1\n  Port {port}\n  User {getpass.getuser()}\n  HostKeyAlias sshd{port}")
        with bench.known.open("a") as file:
            file.write(f"sshd{port} {hostkey.export_public_key().decode()}")
        return process

    yield start
    for process in started:
        process.terminate()
        process.stderr.close()
        await asyncio.to_thread(process.wait, 10)


def run(transport, host, *argv, deadline=15.0, **more):
    return transport.run(host, argv, danger=READS, deadline=deadline, **more)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def test_commands_on_login_and_nodes(bench, sshd):
    await sshd()
    transport = bench.transport("login")
    assert await transport.connect(LOGIN) is None and transport.user == getpass.getuser()
    hosts = (LOGIN, "node01", "node02")
    done = await asyncio.gather(*(run(transport, host, "printf", "%s|", "it's", "a\nb", "!x", "") for host in hosts))
    assert [d.stdout for d in done] == [b"it's|a\nb|!x||"] * 3, done
    done = await run(transport, "node01", "sh", "-c", "cat; exit 3", stdin=b"x" * 3_000_000)
    assert done.exit_status == 3 and len(done.stdout) == 3_000_000
    assert transport.counters.login_connections == 2


@pytest.mark.skipif(os.getuid() == 0, reason="sshd passes no signals to sessions of root")
async def test_past_the_deadline_the_remote_program_is_dead(bench, sshd, until):
    await sshd()
    transport = bench.transport("login")
    done = await run(transport, "node01", "sh", "-c", "echo $$; sleep 64 & echo $!; wait", deadline=2.0)
    assert "within 2 s" in done.trouble.reason
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) == 2
    await until(lambda: not any(alive(pid) for pid in pids))


async def test_a_closed_stream_ends_what_reads_its_stdin(bench, sshd, until):
    await sshd()
    transport, heard = bench.transport("login"), bytearray()
    stream = await transport.stream(
        "node01", ["sh", "-c", "echo $$; exec cat"], heard.extend, danger=READS, deadline=10
    )
    await until(lambda: heard.endswith(b"\n"))
    stream.close()
    await until(lambda: not alive(int(heard)))


async def test_max_sessions_makes_commands_wait(bench, sshd):
    await sshd("MaxSessions 2\n")
    transport = bench.transport("login")
    done = await asyncio.gather(*(run(transport, LOGIN, "sh", "-c", f"sleep 0.05; echo {n}") for n in range(9)))
    assert [d.text for d in done] == [f"{n}\n" for n in range(9)], done


async def test_an_end_by_a_signal_and_a_missing_program_are_told(bench, sshd):
    await sshd()
    transport = bench.transport("login")
    done = await run(transport, LOGIN, "sh", "-c", "kill -TERM $$")
    assert "signal TERM" in done.trouble.reason
    assert (await run(transport, LOGIN, "no-such-program-here")).exit_status == 127


async def test_a_login_that_dies_takes_its_nodes_along(bench, sshd):
    first = await sshd(names="login")
    await sshd(names="node01")
    transport = bench.transport("login")
    stream = await transport.stream("node01", ["cat"], lambda data: None, danger=READS, deadline=10)
    pids = subprocess.run(["pgrep", "-P", str(first.pid)], capture_output=True, text=True).stdout.split()
    for pid in pids:
        os.kill(int(pid), signal.SIGKILL)
    async with asyncio.timeout(5):
        assert (await stream.wait()).trouble is not None
    assert (await transport.connect("node01")).kind is Trouble.LOGIN_LOST
    assert await transport.connect(LOGIN) is None and await transport.connect("node01") is None


async def test_two_keys_in_turn(bench, sshd):
    """A key that is right but not enough (partial success), as with a key and a code."""
    second = asyncssh.generate_private_key("ssh-ed25519")
    second.write_private_key(str(bench.path / "second"))
    await sshd("AuthenticationMethods publickey,publickey\n", keys=[second])
    assert (await bench.transport("login").connect(LOGIN)).kind is Trouble.DENIED
    bench.block("login", f"IdentityFile {bench.path}/second")
    transport = bench.transport("login")
    assert await transport.connect(LOGIN) is None
    assert await transport.connect("node01") is None


async def test_a_login_that_forwards_nothing_is_told(bench, sshd):
    await sshd("AllowTcpForwarding no\n", names="login")
    await sshd(names="node01")
    unreached = await bench.transport("login").connect("node01")
    assert unreached.kind is Trouble.DENIED and "forwards no connections" in unreached.reason


async def test_a_login_with_many_keys_offers_the_one_that_worked_first(bench, sshd):
    """MaxAuthTries on the nodes is met though the agent and the files hold more keys than it allows."""
    await sshd("MaxAuthTries 20\n", names="login")
    await sshd("MaxAuthTries 2\n", names="node01")
    wrong = []
    for n in range(8):
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(bench.path / f"wrong{n}"))
        wrong.append(f"IdentityFile {bench.path}/wrong{n}")
    bench.block("login", "\n  ".join(wrong))
    transport = bench.transport("login")
    assert await transport.connect(LOGIN) is None
    assert await transport.connect("node01") is None
