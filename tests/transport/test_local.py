"""The Target `local`: commands on this machine, and nodes by the real ssh program."""

import asyncio
import shutil
import time

import pytest

from mleconsole.model.plan import LOGIN, Danger
from mleconsole.transport.gate import Gate
from mleconsole.transport.interface import Denied, Trouble
from mleconsole.transport.local import LocalTransport

READS = Danger.READS


@pytest.fixture
async def transport(request):
    made = LocalTransport(gate=Gate(False))
    yield made
    await made.close()


def run(transport, *argv, host=LOGIN, deadline=5.0, **more):
    return transport.run(host, argv, danger=READS, deadline=deadline, **more)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def test_a_command_on_this_machine(transport):
    assert await transport.connect(LOGIN) is None
    done = await run(transport, "sh", "-c", "cat; echo told >&2; exit 3", stdin=b"given\n")
    assert (done.exit_status, done.stdout, done.stderr, done.trouble) == (3, b"given\n", b"told\n", None)
    assert transport.counters.commands == 1 and transport.user and "@" in transport.who


async def test_a_program_that_is_not_there_reads_as_in_a_shell(transport):
    done = await run(transport, "no-such-program-here", "-x")
    assert done.exit_status == 127 and done.trouble is None and "not found" in done.words()


async def test_past_the_deadline_the_whole_group_is_killed(transport, until):
    began = time.monotonic()
    done = await run(transport, "sh", "-c", "sleep 61 & echo $!; sleep 62", deadline=0.3)
    assert time.monotonic() - began < 2 and "within 0.3 s" in done.trouble.reason and done.exit_status is None
    await until(lambda: not alive(int(done.stdout)))


async def test_over_the_limit_it_is_killed(transport):
    done = await run(transport, "cat", "/dev/zero", limit=1000)
    assert len(done.stdout) == 1000 and "more than 1000 bytes" in done.trouble.reason


async def test_an_end_by_a_signal_is_told(transport):
    done = await run(transport, "sh", "-c", "kill -TERM $$")
    assert done.exit_status is None and "SIGTERM" in done.trouble.reason


async def test_much_stdin_to_a_program_that_reads_none(transport):
    assert (await run(transport, "true", stdin=b"x" * 1_000_000)).ok


async def test_read_only():
    transport = LocalTransport(gate=Gate(True))
    with pytest.raises(Denied):
        await transport.run(LOGIN, ["true"], danger=Danger.CHANGES, deadline=5)
    with pytest.raises(Denied):
        await transport.stream(LOGIN, ["true"], lambda data: None, danger=Danger.LOADS, deadline=5)
    assert transport.counters.commands == 0


async def test_a_stream_ends_with_its_stdin(transport, until):
    heard = bytearray()
    argv = ["sh", "-c", "echo $$; cat; echo bye >&2"]
    stream = await transport.stream(LOGIN, argv, heard.extend, danger=READS, deadline=5)
    stream.write(b"one\n")
    await until(lambda: heard.endswith(b"one\n"))
    waiting = asyncio.ensure_future(stream.wait())
    stream.close()
    done = await waiting
    assert done.exit_status == 0 and done.words() == "bye"


async def test_closing_the_transport_leaves_nothing_running(until):
    transport, heard = LocalTransport(gate=Gate(False)), bytearray()
    argv = ["sh", "-c", "trap '' TERM HUP; echo $$; sleep 63"]
    await transport.stream(LOGIN, argv, heard.extend, danger=READS, deadline=5)
    await until(lambda: heard.endswith(b"\n"))
    await transport.close()
    await until(lambda: not alive(int(heard)))


@pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh program here")
class TestNodes:
    @pytest.fixture
    async def local(self, bench):
        made = LocalTransport(gate=Gate(False), ssh_config=str(bench.config), log=bench.log.append)
        yield made
        await made.close()

    async def test_a_node_by_ssh(self, bench, local):
        await bench.serve("node01")
        assert await local.connect("node01") is None
        done = await run(local, "printf", "%s", "it's a\nb!", host="node01")
        assert done.text == "it's a\nb!" and bench.log[-1].way == "relay"
        assert (await run(local, "false", host="node01")).exit_status == 1

    async def test_a_stream_on_a_node(self, bench, local, until):
        await bench.serve("node01")
        heard = bytearray()
        stream = await local.stream("node01", ["cat"], heard.extend, danger=READS, deadline=10)
        stream.write(b"through ssh\n")
        await until(lambda: heard == b"through ssh\n")
        stream.close()
        assert (await stream.wait()).exit_status is not None

    async def test_troubles(self, bench, local):
        denied = await bench.serve("denied")
        denied.authorized.clear()
        unknown = await bench.serve("unknown", known=False)
        bench.block("refused", "HostName 127.0.0.1\n  Port 1")
        answers = await asyncio.gather(*map(local.connect, ("denied", "unknown", "refused")))
        assert [answer.kind for answer in answers] == [Trouble.DENIED, Trouble.HOST_KEY, Trouble.UNREACHABLE]
        assert "refused" in answers[2].reason and unknown.connections == 0
        assert (await run(local, "true", host="denied")).trouble is not None

    async def test_an_address_is_used_instead_of_the_name(self, bench, local):
        await bench.serve("node01")
        local.address("alias", "node01")
        assert (await run(local, "echo", "here", host="alias")).text == "here\n"

    async def test_at_255_the_programs_own_word_stands(self, bench, local):
        await bench.serve("node01")
        done = await run(local, "sh", "-c", "echo mine >&2; exit 255", host="node01")
        assert done.exit_status == 255 and done.words() == "mine"
