"""Destinations and the user's ssh configuration, by ssh -G and by our own reader where there is no ssh."""

import shutil
from pathlib import Path

import pytest

from mleconsole.transport import resolve as module
from mleconsole.transport.resolve import ResolveError, resolve, split_destination
from mleconsole.transport.sshconfig import read_config

CONFIG = """
# what people have there
Host login cluster-*
  HostName login.example.org   # trailing comment
  Port 2222
  User alice
  IdentityFile ~/.ssh/one
  IdentityFile "~/.ssh/with space"
  HostKeyAlias cluster
  ServerAliveInterval 1m
  ConnectTimeout 30s
  IdentitiesOnly yes
  ProxyJump gate,bob@second:2200

Match host elsewhere
  User nobody

Host proxied
  ProxyCommand nc -X 5 %h %p as %r

Host *
  User default
  UserKnownHostsFile ~/.ssh/kh1 ~/.ssh/kh2
"""


@pytest.fixture(params=["ssh", "reader"])
def config(request, tmp_path, monkeypatch):
    if request.param == "reader":
        monkeypatch.setattr(module.shutil, "which", lambda name: None)
    elif shutil.which("ssh") is None:
        pytest.skip("no ssh program here")
    file = tmp_path / "config"
    file.write_text(CONFIG)
    return str(file)


async def test_an_alias(config):
    point = await resolve("login", config)
    home = Path.home()
    assert (point.user, point.host, point.port, point.name) == ("alice", "login.example.org", 2222, "login")
    assert point.identity_files == (home / ".ssh/one", home / ".ssh/with space") and point.identities_only
    assert point.host_key_alias == point.key_name == "cluster" and point.title == "alice@login"
    assert point.proxy_jump == ("gate", "bob@second:2200")
    assert point.known_hosts_files[:2] == (home / ".ssh/kh1", home / ".ssh/kh2")


async def test_what_is_given_wins(config):
    point = await resolve("carol@login:99", config)
    assert (point.user, point.port, point.host) == ("carol", 99, "login.example.org")


async def test_a_name_that_nothing_is_said_about(config):
    point = await resolve("other.example.org", config)
    assert (point.user, point.host, point.port) == ("default", "other.example.org", 22)
    assert point.key_name == "other.example.org" and point.proxy_jump == () and point.proxy_command == ""
    assert not point.identities_given and Path.home() / ".ssh/id_ed25519" in point.identity_files


async def test_tokens_of_a_proxy_command_are_filled_in(config):
    point = await resolve("dave@proxied:2022", config)
    assert point.proxy_command == "nc -X 5 proxied 2022 as dave"


async def test_a_missing_configuration_is_told():
    with pytest.raises(ResolveError, match="no ssh_config file"):
        await resolve("login", "/no/such/config")


@pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh program here")
async def test_a_configuration_that_ssh_refuses_is_told_in_its_words(tmp_path):
    (tmp_path / "config").write_text("Host *\n  NoSuchOption yes\n")
    with pytest.raises(ResolveError, match="nosuchoption"):
        await resolve("login", str(tmp_path / "config"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("host", ("", "host", 0)),
        ("alice@host", ("alice", "host", 0)),
        ("alice@host:2222", ("alice", "host", 2222)),
        ("ssh://alice@host:2222", ("alice", "host", 2222)),
        ("[::1]:22", ("", "::1", 22)),
        ("fe80::1", ("", "fe80::1", 0)),
        ("alice@corp@host", ("alice@corp", "host", 0)),
    ],
)
def test_destinations(text, expected):
    assert split_destination(text) == expected


@pytest.mark.parametrize(
    "text", ["", "-oProxyCommand=id", "a b", "alice@", "alice@-x", "-l@host", "host:99999", "a\nb"]
)
def test_what_is_no_destination(text):
    with pytest.raises(ResolveError):
        split_destination(text)


def test_the_reader_follows_includes(tmp_path):
    (tmp_path / "more").write_text("Host *\n  Port 77\n")
    (tmp_path / "config").write_text("Include more\nHost a\n  Port 78\n  User=eve\n")
    assert read_config("a", str(tmp_path / "config")) == {"port": ["77"], "user": ["eve"]}
