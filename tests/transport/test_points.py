"""Points: one `ssh -G` speaks for hosts that the configuration can't tell apart, and for no other."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from mleconsole.transport.points import Points, host_patterns
from mleconsole.transport.resolve import resolve

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no ssh program here")
HOSTS = [f"node{number:02}" for number in range(1, 21)] + ["gpu-a", "gpu-b", "login"]

PLAIN = """
Host node*
  User alice
  HostName %h.cluster.example.org
  UserKnownHostsFile ~/.ssh/known_cluster
Host node07 !node08
  Port 2207
Host *
  IdentityFile ~/.ssh/%r
"""
NAMED = "Host node*\n  HostKeyAlias key-of-%h\n  IdentityFile ~/keys/%n\n"
COMMAND = "Host node*\n  ProxyCommand nc %h %p\n"
MATCHED = "Match host node0*\n  User carol\nHost *\n  User alice\n"


@pytest.mark.parametrize(
    ("text", "most"),
    [(PLAIN, 3), (NAMED, 25), (COMMAND, 25), (MATCHED, 25), ("", 1)],
    ids=["plain", "named", "command", "match", "empty"],
)
async def test_what_is_shared_is_what_ssh_says(tmp_path: Path, text: str, most: int) -> None:
    config = tmp_path / "config"
    config.write_text(text)
    points = Points(str(config))
    got = await asyncio.gather(*(points.of(host) for host in HOSTS))
    for host, point in zip(HOSTS, got, strict=True):
        assert point == await resolve(host, str(config))
    assert points.asked <= most


async def test_included_files_count(tmp_path: Path) -> None:
    (tmp_path / "more").write_text("Host node03\n  User dave\n")
    config = tmp_path / "config"
    config.write_text(f"Include {tmp_path}/more\nHost *\n  User alice\n")
    points = Points(str(config))
    assert [(await points.of(host)).user for host in ("node01", "node02", "node03")] == ["alice", "alice", "dave"]
    assert points.asked == 2
    (tmp_path / "more").write_text("Match exec true\n  User eve\n")
    assert host_patterns(str(config)) is None
