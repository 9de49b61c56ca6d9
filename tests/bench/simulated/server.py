"""python -m simulated.server --nodes N: one login and N nodes on loopback; prints where, obeys lines on stdin.

Lines: `drop` closes every connection (the storm), `stats` prints counts as JSON, EOF ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import re
import sys
from pathlib import Path
from typing import Any

import asyncssh

from simulated.agent import Replay, recorded
from simulated.slurm import Slurm


class Cluster:
    """All servers share one event loop, one host key and one user key."""

    def __init__(self, nodes: int, gpus: int, jobs: int, folder: Path) -> None:
        self.slurm = Slurm(nodes, gpus, jobs)
        self.folder = folder
        self.names = [self.slurm.name(index + 1) for index in range(nodes)]
        self.ports: dict[str, int] = {}
        self.frames = recorded()
        self.connections: set[asyncssh.SSHServerConnection] = set()
        self.login_connections = 0
        self.commands = 0
        self.agents = 0
        self.agent_bytes = 0
        self.samples = 0

    async def start(self) -> dict[str, Any]:
        host_key, user_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        user_key.write_private_key(str(self.folder / "key"))
        (self.folder / "key").chmod(0o600)
        (self.folder / "key.pub").write_bytes(user_key.export_public_key())
        options: dict[str, Any] = {
            "server_host_keys": [host_key],
            "authorized_client_keys": asyncssh.import_authorized_keys(user_key.export_public_key().decode()),
            "encoding": None,
            "line_editor": False,
        }
        for name in self.names:
            server = await asyncssh.listen(
                "127.0.0.1",
                0,
                server_factory=lambda: _Server(self, False),
                process_factory=lambda process, name=name: self._node(process, name),
                **options,
            )
            self.ports[name] = server.get_port()
        login = await asyncssh.listen(
            "127.0.0.1", 0, server_factory=lambda: _Server(self, True), process_factory=self._login, **options
        )
        public = host_key.export_public_key().decode().strip()
        hosts = ["login", "127.0.0.1", f"[127.0.0.1]:{login.get_port()}", *self.names]
        (self.folder / "known_hosts").write_text("".join(f"{host} {public}\n" for host in hosts))
        (self.folder / "ssh_config").write_text(
            f"Host *\n  User alice\n  IdentityFile {self.folder}/key\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
            f"  StrictHostKeyChecking yes\nHost login\n  HostName 127.0.0.1\n  Port {login.get_port()}\n"
            f"  HostKeyAlias login\n"
        )
        config = self.folder / "cluster.yaml"
        config.write_text(f"name: simulated\nlogin: alice@login\nssh_config: {self.folder}/ssh_config\n")
        return {"config": str(config), "port": login.get_port()}

    async def _login(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        self.commands += 1
        text = self.slurm.answer(process.command or "")
        if "sacctmgr" in (process.command or ""):
            process.exit(1)
            return
        process.stdout.write(text.encode())
        with contextlib.suppress(Exception):
            await process.stdout.drain()
        process.exit(0)

    async def _node(self, process: asyncssh.SSHServerProcess[bytes], name: str) -> None:
        command = process.command or ""
        found = re.search(r"read\((\d+)\)", command)
        if "mleconsole-agent" not in command or found is None:
            process.stdout.write(name.encode() + b"\n")
            process.exit(0)
            return
        with contextlib.suppress(Exception):
            await process.stdin.readexactly(int(found.group(1)))
            await process.stdin.readline()
            replay = Replay(name, self.frames, self.names.index(name))
            self.agents += 1
            listen = asyncio.ensure_future(self._listen(process, replay))
            try:
                process.stdout.write(replay.first())
                base = replay.bytes
                loop = asyncio.get_running_loop()
                due = loop.time() + (self.names.index(name) % 97) / 97
                while not listen.done():
                    due += 1.0
                    await asyncio.wait({listen}, timeout=max(0.0, due - loop.time()))
                    if listen.done():
                        break
                    data = replay.tick()
                    process.stdout.write(data)
                    self.samples += 1
                    self.agent_bytes += replay.bytes - base
                    base = replay.bytes
            finally:
                self.agents -= 1
                listen.cancel()
        process.exit(0)

    async def _listen(self, process: asyncssh.SSHServerProcess[bytes], replay: Replay) -> None:
        """The console's lines: a beat is answered, EOF ends the agent."""
        while line := await process.stdin.readline():
            if b'"beat"' in line:
                process.stdout.write(replay.beat())

    def drop(self) -> None:
        for connection in list(self.connections):
            connection.abort()


class _Server(asyncssh.SSHServer):
    def __init__(self, cluster: Cluster, login: bool) -> None:
        self._cluster, self._login = cluster, login
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._cluster.connections.add(conn)
        self._cluster.login_connections += self._login

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._cluster.connections.discard(self._connection)
            self._cluster.login_connections -= self._login

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> Any:
        """A tunnel to a node: to that node's own server, on whatever port it has here."""
        port = self._cluster.ports.get(dest_host)
        if not self._login or port is None:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "no such host")
        assert self._connection is not None
        return self._connection.forward_connection("127.0.0.1", port)


async def serve(arguments: argparse.Namespace) -> None:
    cluster = Cluster(arguments.nodes, arguments.gpus, arguments.jobs, Path(arguments.folder))
    print(json.dumps(await cluster.start()), flush=True)
    gc.freeze()
    gc.set_threshold(50_000, 20, 1_000)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        if line.strip() == b"drop":
            cluster.drop()
        print(
            json.dumps(
                {
                    "login_connections": cluster.login_connections,
                    "commands": cluster.commands,
                    "agents": cluster.agents,
                    "agent_bytes": cluster.agent_bytes,
                    "samples": cluster.samples,
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name, default in (("nodes", 64), ("gpus", 8), ("jobs", 2000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--folder", required=True)
    asyncio.run(serve(parser.parse_args()))
