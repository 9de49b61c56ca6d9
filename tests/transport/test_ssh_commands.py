"""run and stream over real SSH: output, limits, deadlines, refusals, and what they cost."""

import asyncio
import time

import pytest

from mleconsole.model.plan import LOGIN, Danger
from mleconsole.transport.interface import Denied, Trouble, Unreached

READS = Danger.READS


def run(transport, host, *argv, deadline=10.0, **more):
    return transport.run(host, argv, danger=READS, deadline=deadline, **more)


async def test_a_command_gives_its_output_and_exit_status(bench):
    await bench.serve("login")
    transport = bench.transport()
    assert await transport.connect(LOGIN) is None
    done = await run(transport, LOGIN, "sh", "-c", "cat; echo told >&2; exit 3", stdin=b"given\n")
    assert (done.exit_status, done.stdout, done.stderr, done.trouble) == (3, b"given\n", b"told\n", None)
    assert transport.who == "alice@login" and transport.user == "alice"
    (entry,) = bench.log
    assert entry.argv[0] == "sh" and entry.exit_status == 3 and entry.bytes_in == 11 and "exit 3" in entry.quoted


async def test_a_large_output_arrives_whole(bench):
    await bench.serve("login")
    done = await run(bench.transport(), LOGIN, "head", "-c", "5000000", "/dev/zero")
    assert len(done.stdout) == 5_000_000 and done.ok


async def test_a_program_that_does_not_read_its_stdin_is_no_trouble(bench):
    await bench.serve("login")
    done = await run(bench.transport(), LOGIN, "true", stdin=b"x" * 3_000_000)
    assert done.ok


async def test_past_the_deadline_it_is_stopped_and_says_so(bench):
    rules = await bench.serve("login")
    transport = bench.transport()
    await transport.connect(LOGIN)
    began = time.monotonic()
    done = await run(transport, LOGIN, "sh", "-c", "echo before; sleep 60", deadline=0.5)
    assert time.monotonic() - began < 3
    assert done.exit_status is None and done.stdout == b"before\n" and "within 0.5 s" in done.trouble.reason
    assert rules.connections == 2
    after = await run(transport, LOGIN, "echo", "next")
    assert after.text == "next\n", after


async def test_over_the_limit_it_is_stopped_and_says_so(bench):
    await bench.serve("login")
    done = await run(bench.transport(), LOGIN, "cat", "/dev/zero", limit=1 << 20)
    assert len(done.stdout) == 1 << 20 and "more than 1 MiB" in done.trouble.reason and done.exit_status is None


async def test_read_only_lets_nothing_else_through(bench):
    rules = await bench.serve("login")
    transport = bench.transport(read_only=True)
    for danger in (Danger.LOADS, Danger.CHANGES, Danger.DESTROYS):
        with pytest.raises(Denied, match="read-only"):
            await transport.run(LOGIN, ["touch", str(bench.path / "no")], danger=danger, deadline=5)
        with pytest.raises(Denied, match="touch"):
            await transport.stream(LOGIN, ["touch", "x"], lambda data: None, danger=danger, deadline=5)
    assert rules.attempts == 0
    assert (await run(transport, LOGIN, "echo", "read")).ok


async def test_argv_that_no_line_can_hold_is_trouble(bench):
    await bench.serve("login")
    done = await run(bench.transport(), LOGIN, "echo", "a\0b")
    assert "NUL" in done.trouble.reason


async def test_a_stream_is_a_conversation(bench, until):
    await bench.serve("login")
    transport, heard = bench.transport(), bytearray()
    stream = await transport.stream(LOGIN, ["cat"], heard.extend, danger=READS, deadline=5)
    stream.write(b"one\n")
    await until(lambda: heard == b"one\n")
    waiting = asyncio.ensure_future(stream.wait())
    impatient = asyncio.ensure_future(stream.wait())
    await asyncio.sleep(0)
    impatient.cancel()  # must not end the other
    stream.write(b"two\n")
    await until(lambda: heard == b"one\ntwo\n")
    stream.close()
    done = await waiting
    assert done.stdout == b"" and transport.counters.bytes_in == 8


async def test_a_stream_keeps_the_end_of_stderr(bench):
    await bench.serve("login")
    argv = ["sh", "-c", "seq 1 10000 >&2; echo last words >&2; exit 7"]
    stream = await bench.transport().stream(LOGIN, argv, lambda data: None, danger=READS, deadline=5)
    done = await stream.wait()
    assert done.exit_status == 7 and len(done.stderr) == 4096 and done.words() == "last words"


async def test_the_server_may_end_a_command_in_mid_stream(bench, until):
    rules = await bench.serve("login")
    transport, heard = bench.transport(), bytearray()
    stream = await transport.stream(LOGIN, ["sh", "-c", "echo begun; cat"], heard.extend, danger=READS, deadline=5)
    await until(lambda: heard == b"begun\n")
    rules.open[0].close()
    done = await stream.wait()
    assert done.exit_status is None and done.trouble is not None


async def test_few_sessions_on_the_server_make_commands_wait_not_fail(bench):
    rules = await bench.serve("login", sessions=2)
    transport = bench.transport()
    done = await asyncio.gather(*(run(transport, LOGIN, "sh", "-c", f"sleep 0.1; echo {n}") for n in range(8)))
    assert [d.text for d in done] == [f"{n}\n" for n in range(8)]
    assert rules.most_sessions == 2


async def test_when_no_session_gets_free_it_says_so(bench):
    await bench.serve("login", sessions=0)
    done = await run(bench.transport(), LOGIN, "true", deadline=0.6)
    assert "no session was free within 0.6 s" in done.trouble.reason
    unreached = await bench.transport().stream(LOGIN, ["true"], lambda data: None, danger=READS, deadline=0.6)
    assert isinstance(unreached, Unreached) and unreached.kind is Trouble.UNREACHABLE


async def test_we_never_hold_more_sessions_than_a_default_sshd_allows(bench):
    rules = await bench.serve("login")
    transport = bench.transport()
    done = await asyncio.gather(*(run(transport, LOGIN, "sleep", "0.05") for _ in range(40)))
    assert all(d.ok for d in done) and rules.most_sessions <= 8


async def test_a_host_that_runs_nothing_says_so(bench):
    await bench.serve("login", exec=False)
    done = await run(bench.transport(), LOGIN, "true", deadline=0.6)
    assert done.trouble is not None and done.exit_status is None
