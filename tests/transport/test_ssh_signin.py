"""Signing in: passwords, codes, passphrases, host keys; and that nobody is asked twice."""

import asyncio
from pathlib import Path

import asyncssh
import pytest

from mleconsole.model.plan import LOGIN, Danger
from mleconsole.transport.interface import Trouble

PASSWORD, CODE, PASSPHRASE = "a password", "123456", "a passphrase"


async def hostname(transport, host=LOGIN):
    return await transport.run(host, ["echo", "here"], danger=Danger.READS, deadline=5)


async def test_a_key_asks_nobody_and_commands_get_a_connection_of_their_own(bench):
    rules = await bench.serve("login")
    transport = bench.transport()
    assert await asyncio.gather(*(transport.connect(LOGIN) for _ in range(20))) == [None] * 20
    assert rules.connections == 1
    await asyncio.gather(*(hostname(transport) for _ in range(10)))
    assert rules.connections == 2 == transport.counters.login_connections


async def test_a_password_is_asked_again_when_it_was_wrong(bench, person):
    rules = await bench.serve("login", auth="password")
    ask = person(password=["wrong", PASSWORD])
    transport = bench.transport(ask=ask)
    assert await transport.connect(LOGIN) is None
    assert ask.kinds() == ["password", "password"] and "denied" in ask.asked[1].text
    assert ask.asked[0].prompts == (("Password of alice@login", False),)
    assert (await hostname(transport)).text == "here\n"
    assert rules.connections == 1  # one connection carries all


async def test_two_rounds_of_codes(bench, person):
    rules = await bench.serve("login", auth="codes")
    ask = person(password=[PASSWORD], codes=[CODE])
    assert await bench.transport(ask=ask).connect(LOGIN) is None
    assert ask.kinds() == ["password", "codes"]
    assert ask.asked[1].prompts == (("Code:", True),) and ask.asked[1].text == "Second step"
    assert rules.connections == 1


async def test_a_key_and_then_a_code(bench, person):
    await bench.serve("login", auth="key+code")
    ask = person(codes=["000000", CODE])
    transport = bench.transport(ask=ask)
    assert await transport.connect(LOGIN) is None
    assert ask.kinds() == ["codes", "codes"] and ask.asked[0].text == "Touch your token."
    assert "not accepted" in ask.asked[1].text


async def test_giving_up_is_signed_out_and_stays_so(bench, person):
    rules = await bench.serve("login", auth="codes")
    ask = person(password=[None])
    transport = bench.transport(ask=ask)
    for _ in range(3):
        unreached = await transport.connect(LOGIN)
        assert unreached.kind is Trouble.SIGNED_OUT and "given up" in unreached.reason
    assert len(ask.asked) == 1 and rules.attempts == 1
    ask.answers = {"password": [PASSWORD], "codes": [CODE]}
    await transport.sign_in_again()
    assert await transport.connect(LOGIN) is None


async def test_wrong_codes_end_in_signed_out(bench, person):
    rules = await bench.serve("login", auth="password")
    ask = person(password=["wrong"])
    transport = bench.transport(ask=ask)
    unreached = await transport.connect(LOGIN)
    assert unreached.kind is Trouble.SIGNED_OUT and len(ask.asked) == 3
    assert (await hostname(transport)).trouble is not None
    assert rules.attempts == 1


async def test_with_nobody_there_it_says_what_was_asked(bench):
    await bench.serve("login", auth="codes")
    unreached = await bench.transport(ask=None).connect(LOGIN)
    assert unreached.kind is Trouble.SIGNED_OUT and "nobody is there to ask" in unreached.reason


async def test_a_key_that_is_not_authorized_is_denied_in_the_servers_words(bench):
    rules = await bench.serve("login", banner="Access denied: you have no active jobs here\n")
    rules.authorized.clear()
    unreached = await bench.transport().connect(LOGIN)
    assert unreached.kind is Trouble.DENIED and "no active jobs" in unreached.reason


async def test_after_a_drop_an_interactive_login_never_asks_by_itself(bench, person, until):
    rules = await bench.serve("login", auth="password", cable=True)
    ask = person(password=[PASSWORD])
    transport = bench.transport(ask=ask)
    await transport.connect(LOGIN)
    rules.cable.cut()
    await until(lambda: transport._login.up is None)
    for _ in range(3):
        unreached = await transport.connect(LOGIN)
        assert unreached.kind is Trouble.SIGNED_OUT and "press r" in unreached.reason
        assert (await hostname(transport)).trouble is not None
    assert len(ask.asked) == 1 and rules.attempts == 1
    await transport.sign_in_again()
    assert len(ask.asked) == 2 and (await hostname(transport)).text == "here\n"


async def test_after_a_drop_a_login_by_key_is_made_again_by_connect_alone(bench, until):
    rules = await bench.serve("login", cable=True)
    transport = bench.transport()
    await transport.connect(LOGIN)
    rules.cable.cut()
    await until(lambda: transport._login.up is None)
    assert "down" in (await hostname(transport)).trouble.reason
    assert rules.connections == 1
    assert await transport.connect(LOGIN) is None
    assert (await hostname(transport)).text == "here\n"


async def test_an_encrypted_key_is_asked_for_once(bench, person):
    bench.write_key(PASSPHRASE)
    rules = await bench.serve("login")
    await bench.serve("node01")
    ask = person(passphrase=["wrong", PASSPHRASE])
    transport = bench.transport(ask=ask)
    assert await transport.connect(LOGIN) is None
    assert ask.kinds() == ["passphrase"] * 2 and "not its passphrase" in ask.asked[1].text
    assert await transport.connect("node01") is None
    assert (await hostname(transport)).ok and rules.connections == 2  # the second asked nobody
    assert len(ask.asked) == 2


@pytest.mark.parametrize("answer", [None, "wrong"])
async def test_an_encrypted_key_without_its_passphrase_is_passed_over(bench, person, answer):
    bench.write_key(PASSPHRASE)
    await bench.serve("login")
    ask = person(passphrase=[answer])
    transport = bench.transport(ask=ask)
    unreached = await transport.connect(LOGIN)
    assert unreached.kind is Trouble.DENIED and "passphrase" in unreached.reason
    count = len(ask.asked)
    await transport.connect(LOGIN)
    assert len(ask.asked) == count


async def test_a_missing_identity_file_is_ignored(bench):
    await bench.serve("login", config=f"IdentityFile {bench.path}/absent")
    assert await bench.transport().connect(LOGIN) is None


async def test_an_unknown_host_key_is_asked_once_and_remembered(bench, person):
    rules = await bench.serve("login", known=False)
    ask = person(host_key=["yes"])
    assert await bench.transport(ask=ask).connect(LOGIN) is None
    (question,) = ask.asked
    assert question.fingerprint == rules.hostkey.get_fingerprint() and question.fingerprint in question.text
    assert bench.own.stat().st_mode & 0o777 == 0o600
    assert await bench.transport(ask=None).connect(LOGIN) is None  # a new session asks nothing
    assert len(bench.own.read_text().splitlines()) == 1


@pytest.mark.parametrize("answer", ["no", None, ""])
async def test_a_declined_host_key_is_not_used(bench, person, answer):
    rules = await bench.serve("login", known=False)
    ask = person(host_key=[answer])
    transport = bench.transport(ask=ask)
    for _ in range(2):
        assert (await transport.connect(LOGIN)).kind is Trouble.HOST_KEY
    assert len(ask.asked) == 1 and rules.connections == 0 and not bench.own.exists()


async def test_a_changed_host_key_is_refused_with_file_and_line(bench, person):
    rules = await bench.serve("login")
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    bench.known.write_text(f"# a comment\nlogin {other}")
    ask = person(host_key=["yes"])
    transport = bench.transport(ask=ask)
    unreached = await transport.connect(LOGIN)
    assert unreached.kind is Trouble.HOST_KEY and "changed" in unreached.reason
    assert f"{bench.known} line 2" in unreached.reason and "ssh-keygen" in unreached.reason
    assert not ask.asked and rules.connections == 0
    bench.known.write_text(f"login {rules.hostkey.export_public_key().decode()}")
    await transport.sign_in_again()
    assert await transport.connect(LOGIN) is None


async def test_a_revoked_host_key_is_refused(bench, person):
    rules = await bench.serve("login")
    with bench.known.open("a") as file:
        file.write(f"@revoked * {rules.hostkey.export_public_key().decode()}")
    unreached = await bench.transport(ask=person(host_key=["yes"])).connect(LOGIN)
    assert unreached.kind is Trouble.HOST_KEY and "revoked" in unreached.reason and rules.connections == 0


async def test_a_host_certificate_of_a_known_authority_is_trusted(bench):
    authority = asyncssh.generate_private_key("ssh-ed25519")
    hostkey = asyncssh.generate_private_key("ssh-ed25519")
    certificate = authority.generate_host_certificate(hostkey, "login", principals=["login"])
    await bench.serve("login", hostkey=(hostkey, certificate), known=False)
    assert (await bench.transport().connect(LOGIN)).kind is Trouble.HOST_KEY
    bench.known.write_text(f"@cert-authority login {authority.export_public_key().decode()}")
    assert await bench.transport().connect(LOGIN) is None


async def test_a_user_certificate_beside_the_key_is_offered(bench):
    rules = await bench.serve("login")
    authority = asyncssh.generate_private_key("ssh-ed25519")
    authority.generate_user_certificate(bench.key, "alice", principals=["alice"]).write_certificate(
        f"{bench.identity}-cert.pub"
    )
    rules.authorized.clear()
    transport = bench.transport()
    assert (await transport.connect(LOGIN)).kind is Trouble.DENIED
    pairs = await transport._login.keyring.ready(transport._login.endpoint)
    offered = [pair.has_cert for pair in pairs]
    assert offered == [True, False]


async def test_keys_of_the_agent_are_used(bench, monkeypatch):
    agent = await asyncio.create_subprocess_exec(
        "ssh-agent", "-D", "-a", str(bench.path / "agent"), stdout=-1, stderr=-1
    )
    await agent.stdout.readline()
    try:
        client = await asyncssh.connect_agent(str(bench.path / "agent"))
        await client.add_keys([bench.key])
        client.close()
        bench.identity.unlink()
        await bench.serve("login", config=f"IdentityAgent {bench.path}/agent")
        assert await bench.transport().connect(LOGIN) is None
    finally:
        agent.terminate()
        await agent.wait()


async def test_through_a_jump_host(bench):
    jump = await bench.serve("jump")
    login = await bench.serve("login", config="ProxyJump jump")
    transport = bench.transport()
    assert await transport.connect(LOGIN) is None
    assert (await hostname(transport)).text == "here\n"
    assert jump.connections == 1 and login.connections == 2


async def test_through_a_proxy_command(bench):
    rules = await bench.serve("login")
    script = Path(bench.path / "proxy.py")
    script.write_text(
        "import socket, sys, threading, os\n"
        "s = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
        "def up():\n"
        "    while data := os.read(0, 65536): s.sendall(data)\n"
        "    s.shutdown(socket.SHUT_WR)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while data := s.recv(65536): os.write(1, data)\n"
    )
    bench.block("proxied", f"HostName 127.0.0.1\n  Port {rules.port}\n  HostKeyAlias login\n"
                f"  ProxyCommand {__import__('sys').executable} {script} %h %p")  # fmt: skip
    assert await bench.transport("proxied").connect(LOGIN) is None


async def test_a_destination_that_can_not_be_used_is_told(bench):
    for login in ("-oProxyCommand=id", "two words"):
        unreached = await bench.transport(login).connect(LOGIN)
        assert unreached.kind is Trouble.DENIED and "not an ssh destination" in unreached.reason


async def test_ending_while_a_person_is_asked(bench):
    await bench.serve("login", auth="password")
    gone = asyncio.Event()

    async def ask(question):
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()

    transport = bench.transport(ask=ask)
    attempt = asyncio.ensure_future(transport.connect(LOGIN))
    while transport._login._attempt is None:
        await asyncio.sleep(0)
    await asyncio.sleep(0.3)
    await transport.close()
    assert gone.is_set()
    attempt.cancel()


async def test_a_server_that_does_not_wait_for_the_person(bench, until):
    """LoginGraceTime ends while the person looks for the token: the question goes away, and is not repeated."""
    rules = await bench.serve("login", auth="password")
    asked, withdrawn = [], []

    async def ask(question):
        asked.append(question)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            withdrawn.append(question)
            raise

    transport = bench.transport(ask=ask)
    attempt = asyncio.ensure_future(transport.connect(LOGIN))
    await until(lambda: asked)
    rules.open[0].abort()
    assert (await attempt).kind is Trouble.SIGNED_OUT and withdrawn == asked
    assert (await transport.connect(LOGIN)).kind is Trouble.SIGNED_OUT and len(asked) == 1


async def test_the_clock_stands_while_a_person_thinks(bench, person):
    await bench.serve("login", auth="password")
    answer = asyncio.Event()

    async def ask(question):
        asyncio.get_running_loop().call_later(0.6, answer.set)
        await answer.wait()
        return (PASSWORD,)

    assert await bench.transport(ask=ask, connect_timeout=0.4).connect(LOGIN) is None
