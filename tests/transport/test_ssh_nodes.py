"""Nodes through the one login connection: cost, troubles in words, host keys, and what a drop means."""

import asyncio
import socket
import time

import asyncssh
import pytest

from mleconsole.model.plan import LOGIN, Danger
from mleconsole.transport.interface import Trouble, Unreached

READS = Danger.READS


def say(transport, host, *argv, deadline=10.0):
    return transport.run(host, argv or ("echo", "here"), danger=READS, deadline=deadline)


async def test_64_nodes_cost_two_login_connections(bench):
    names = [f"node{n:02}" for n in range(1, 65)]
    login = await bench.serve("login")
    nodes = await bench.serve(names[0], names=names[1:])
    transport = bench.transport()
    await transport.connect(LOGIN)
    assert await asyncio.gather(*(transport.connect(name) for name in names)) == [None] * 64
    done = await asyncio.gather(*(say(transport, name) for name in names), say(transport, LOGIN))
    assert all(d.text == "here\n" for d in done)
    assert nodes.connections == 64 and login.connections <= 2
    assert transport.counters.login_connections == login.connections
    assert transport.counters.by_host["node07"] == 1


async def test_a_node_alone_signs_in_to_the_login_host_first(bench):
    await bench.serve("login")
    await bench.serve("node01")
    assert (await say(bench.transport(), "node01")).text == "here\n"


async def test_troubles_are_told_in_words(bench):
    await bench.serve("login")
    denied = await bench.serve("denied", banner="Access denied by pam_slurm_adopt: you have no active jobs\n")
    denied.authorized.clear()
    silent = socket.create_server(("127.0.0.1", 0))
    closed = socket.create_server(("127.0.0.1", 0))
    bench.block("refused", f"HostName 127.0.0.1\n  Port {closed.getsockname()[1]}")
    closed.close()
    bench.block("silent", f"HostName 127.0.0.1\n  Port {silent.getsockname()[1]}")
    bench.block("nowhere", "HostName no-such-host.invalid")
    transport = bench.transport(connect_timeout=1.0)
    await transport.connect(LOGIN)
    began = time.monotonic()
    troubles = await asyncio.gather(*(transport.connect(name) for name in ("refused", "silent", "nowhere", "denied")))
    assert time.monotonic() - began < 4.0
    assert troubles[0] == Unreached(Trouble.UNREACHABLE, "connection refused")
    assert troubles[1] == Unreached(Trouble.UNREACHABLE, "it takes connections, but gave no SSH greeting within 1 s")
    assert troubles[2].kind is Trouble.UNREACHABLE and "no such host" in troubles[2].reason
    assert troubles[3].kind is Trouble.DENIED and "no active jobs" in troubles[3].reason
    assert await transport.connect(LOGIN) is None
    silent.close()


async def test_a_login_host_that_is_not_there_is_told_in_words(bench):
    silent = socket.create_server(("127.0.0.1", 0))
    closed = socket.create_server(("127.0.0.1", 0))
    bench.block("silent", f"HostName 127.0.0.1\n  Port {silent.getsockname()[1]}")
    bench.block("refused", f"HostName 127.0.0.1\n  Port {closed.getsockname()[1]}")
    bench.block("nowhere", "HostName no-such-host.invalid")
    closed.close()
    assert (
        "no SSH greeting within 0.5 s" in (await bench.transport("silent", connect_timeout=0.5).connect(LOGIN)).reason
    )
    assert await bench.transport("refused").connect(LOGIN) == Unreached(Trouble.UNREACHABLE, "connection refused")
    assert (await bench.transport("nowhere").connect(LOGIN)).kind is Trouble.UNREACHABLE
    silent.close()


async def test_a_node_that_wants_a_password_asks_nobody(bench, person):
    await bench.serve("login")
    await bench.serve("node01", auth="codes")
    ask = person()
    transport = bench.transport(ask=ask)
    unreached = await transport.connect("node01")
    assert unreached.kind is Trouble.DENIED and not ask.asked


async def test_when_the_login_drops_all_nodes_are_lost_with_it(bench, until):
    login = await bench.serve("login", cable=True)
    await bench.serve("node01", names=["node02"])
    transport = bench.transport()
    await transport.connect(LOGIN)
    streams = [
        await transport.stream(n, ["cat"], lambda d: None, danger=READS, deadline=5) for n in ("node01", "node02")
    ]
    running = asyncio.ensure_future(say(transport, "node01", "sleep", "60", deadline=30.0))
    await until(lambda: transport.counters.commands == 3)
    login.cable.cut()
    for stream in streams:
        async with asyncio.timeout(3):
            assert (await stream.wait()).trouble is not None
    async with asyncio.timeout(3):
        assert "login connection is down" in (await running).trouble.reason
    for name in ("node01", "node02"):
        assert (await transport.connect(name)).kind is Trouble.LOGIN_LOST
        assert "login connection is down" in (await say(transport, name)).trouble.reason
        started = await transport.stream(name, ["cat"], lambda d: None, danger=READS, deadline=5)
        assert started.kind is Trouble.LOGIN_LOST
    assert login.attempts == 1  # nodes never make the login connection anew
    assert await transport.connect(LOGIN) is None
    assert (await say(transport, "node01")).text == "here\n"


async def test_a_half_open_node_is_noticed_and_costs_only_itself(bench):
    await bench.serve("login")
    frozen = await bench.serve("node01", cable=True)
    await bench.serve("node02")
    transport = bench.transport(keepalive=0.2)
    await transport.connect("node01")
    await transport.connect("node02")
    stream = await transport.stream("node01", ["cat"], lambda d: None, danger=READS, deadline=5)
    frozen.cable.frozen = True
    began = time.monotonic()
    async with asyncio.timeout(5):
        done = await stream.wait()
    assert "keepalive" in done.trouble.reason and time.monotonic() - began < 3
    assert (await say(transport, "node02")).text == "here\n"
    frozen.cable.frozen = False
    assert (await say(transport, "node01")).text == "here\n"


async def test_a_half_open_login_is_noticed(bench, until):
    login = await bench.serve("login", cable=True)
    transport = bench.transport(keepalive=0.2)
    await transport.connect(LOGIN)
    login.cable.frozen = True
    done = await say(transport, LOGIN, "sleep", "60", deadline=20.0)
    assert done.trouble is not None
    await until(lambda: transport._login.up is None, 3.0)
    login.cable.frozen = False
    assert await transport.connect(LOGIN) is None


async def test_forget_drops_one_node_and_it_comes_back(bench, until):
    await bench.serve("login")
    rules = await bench.serve("node01")
    transport = bench.transport()
    await transport.connect("node01")
    await transport.forget("node01")
    await until(lambda: not rules.open)
    assert (await say(transport, "node01")).text == "here\n" and rules.connections == 2


async def test_forgetting_the_login_does_not_sign_a_person_out(bench, person):
    rules = await bench.serve("login", auth="password")
    transport = bench.transport(ask=person(password=["a password"]))
    await transport.connect(LOGIN)
    await transport.forget(LOGIN)
    assert (await say(transport, LOGIN)).ok and rules.connections == 1


async def test_another_address_is_connected_to_but_the_name_is_looked_up(bench):
    await bench.serve("login")
    rules = await bench.serve("other")
    bench.block("node01", f"Port {rules.port}")
    with bench.known.open("a") as file:
        file.write(f"[node01]:{rules.port} {rules.hostkey.export_public_key().decode()}")
    transport = bench.transport()
    transport.address("node01", "127.0.0.1")
    assert await transport.connect("node01") is None


async def test_unknown_nodes_that_the_cluster_lists_ask_nobody(bench, person):
    """The login host's /etc/ssh/ssh_known_hosts is read through the login connection."""
    names = ["node01", "node02"]
    rules = [await bench.serve(name, known=False) for name in names]
    await bench.serve("login")
    transport = bench.transport(ask=person())
    lines = [f"{name} {rule.hostkey.export_public_key().decode()}" for name, rule in zip(names, rules, strict=True)]

    async def listed():
        return "".join(lines)

    transport._trust.cluster_list = listed
    assert await asyncio.gather(*map(transport.connect, names)) == [None, None]
    assert transport.key_sources["node02"] == "/etc/ssh/ssh_known_hosts on the login host line 2"
    assert not bench.own.exists()


async def test_a_node_whose_key_the_cluster_lists_differently_is_refused(bench, person):
    await bench.serve("login")
    rules = await bench.serve("node01", known=False)
    transport = bench.transport(ask=person())
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()

    async def listed():
        return f"node01 {other}"

    transport._trust.cluster_list = listed
    unreached = await transport.connect("node01")
    assert unreached.kind is Trouble.HOST_KEY and "changed" in unreached.reason and rules.connections == 0


async def test_the_reading_of_the_clusters_list_is_in_the_command_log(bench, person):
    await bench.serve("login")
    await bench.serve("node01", known=False)
    transport = bench.transport(ask=person(host_key=["no"]))
    await transport.connect("node01")
    assert [e.argv[:2] for e in bench.log if e.host == LOGIN] == [("cat", "/etc/ssh/ssh_known_hosts")]


@pytest.mark.parametrize(
    ("answers", "questions", "reached"),
    [(["yes"], 5, 5), (["all"], 1, 5), (["yes", "all"], 2, 5), (["no"], 5, 0), ([None], 1, 0), (["no", "all"], 2, 4)],
)
async def test_unknown_nodes_are_asked_one_at_a_time_and_all_means_all(bench, person, answers, questions, reached):
    await bench.serve("login")
    names = [f"node{n}" for n in range(5)]
    for name in names:
        await bench.serve(name, known=False)
    ask = person(host_key=answers)
    transport = bench.transport(ask=ask)
    await transport.connect(LOGIN)
    answers = await asyncio.gather(*map(transport.connect, names))
    assert len(ask.asked) == questions and answers.count(None) == reached
    assert all(a is None or a.kind is Trouble.HOST_KEY for a in answers)
    await asyncio.gather(*map(transport.connect, names))
    assert len(ask.asked) == questions  # nobody is asked again
    assert await bench.transport(ask=None).connect(LOGIN) is None


async def test_all_is_never_for_the_login_host(bench, person):
    await bench.serve("login", known=False)
    await bench.serve("node01", known=False)
    ask = person(host_key=["all", "yes"])
    transport = bench.transport(ask=ask)
    await transport.connect("node01")
    assert len(ask.asked) == 2 and "all" not in ask.asked[0].prompts[0][0] and "all" in ask.asked[1].prompts[0][0]


async def test_a_changed_node_is_looked_at_again_once_the_file_was_mended(bench):
    await bench.serve("login")
    rules = await bench.serve("node01")
    good = bench.known.read_text()
    bench.known.write_text(
        "\n".join(line for line in good.splitlines() if line.startswith("login"))
        + f"\nnode01 {asyncssh.generate_private_key('ssh-ed25519').export_public_key().decode()}"
    )
    transport = bench.transport()
    assert "changed" in (await transport.connect("node01")).reason
    bench.known.write_text(good)
    assert await transport.connect("node01") is None and rules.connections == 1


async def test_a_node_whose_key_changes_back_is_trusted_again(bench):
    await bench.serve("login")
    rules = await bench.serve("node01")
    transport = bench.transport()
    impostor = await bench.serve("other", known=False)
    true_port = rules.port
    blocks = list(bench._blocks)
    bench._blocks = [block.replace(f"Port {true_port}", f"Port {impostor.port}") for block in blocks]
    bench.write()
    assert "changed" in (await transport.connect("node01")).reason and impostor.connections == 0
    bench._blocks = blocks
    bench.write()
    await transport.forget("node01")  # its address is another one now
    assert await transport.connect("node01") is None


@pytest.mark.parametrize(
    "greeting",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-x\r\n" + bytes(range(256)) * 40,
        b"\x00" * 5000,
        b"SSH-1.5-old\r\n",
        b"",
    ],
)
async def test_a_host_that_speaks_no_ssh_costs_only_itself(bench, greeting):
    async def speak(reader, writer):
        writer.write(greeting)
        await writer.drain()
        writer.close()

    liar = await asyncio.start_server(speak, "127.0.0.1", 0)
    bench.block("liar", f"HostName 127.0.0.1\n  Port {liar.sockets[0].getsockname()[1]}")
    await bench.serve("login")
    await bench.serve("node01")
    transport = bench.transport(connect_timeout=2.0)
    await transport.connect(LOGIN)
    answers = await asyncio.gather(transport.connect("liar"), transport.connect("node01"))
    assert answers[0].kind is Trouble.UNREACHABLE and answers[0].reason and answers[1] is None
    direct = await bench.transport("liar", connect_timeout=2.0).connect(LOGIN)
    assert direct.kind is Trouble.UNREACHABLE and direct.reason
    liar.close()


async def test_to_forget_a_node_ends_an_attempt_as_trouble_not_as_cancellation(bench, until):
    silent = socket.create_server(("127.0.0.1", 0))
    bench.block("silent", f"HostName 127.0.0.1\n  Port {silent.getsockname()[1]}")
    await bench.serve("login")
    transport = bench.transport()
    await transport.connect(LOGIN)
    waiting = asyncio.ensure_future(transport.connect("silent"))
    await until(lambda: transport._nodes._attempts)
    await transport.forget("silent")
    assert (await waiting).kind is Trouble.UNREACHABLE
    silent.close()
