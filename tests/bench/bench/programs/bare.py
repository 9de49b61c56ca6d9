"""Bare asyncssh: one login connection, a tunnel to every node, the console's agent started there, to its first GPUs.

argv: the folder of a simulated cluster. Prints {"seconds": wall, "cpu": this process} from the first connection on.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import asyncssh

from mleconsole.api import AgentProbe
from mleconsole.collect import frames
from mleconsole.collect.bundle import Bundle, make_bundle
from mleconsole.plugin import Registry
from mleconsole.transport.quote import quote


async def first_data(
    node: str, login: asyncssh.SSHClientConnection, bundle: Bundle, settings: Any, options: Any
) -> None:
    async with (
        asyncssh.connect(node, 22, tunnel=login, **options) as connection,
        connection.create_process(quote(bundle.argv), encoding=None) as process,
    ):
        process.stdin.write(bundle.first_bytes(settings))
        reader = frames.FrameReader()
        while data := await process.stdout.read(65536):
            if any(frame.type == "s" and frame.name == "gpus" for frame in reader.feed(data)):
                break
        process.stdin.write_eof()


async def main(folder: Path, bundle: Bundle, settings: Any) -> None:
    key = asyncssh.read_private_key(str(folder / "key"))
    known = asyncssh.read_known_hosts(str(folder / "known_hosts"))
    options = {"username": "alice", "client_keys": [key], "known_hosts": known, "config": None, "agent_path": None}
    port = int((folder / "ssh_config").read_text().split("Port ", 1)[1].split()[0])
    began, cpu = time.monotonic(), time.process_time()
    async with asyncssh.connect("127.0.0.1", port, **options) as login:
        told = await login.run("sinfo --Node", check=True)
        nodes = [line.split("\x1f", 1)[0] for line in str(told.stdout).split("\n") if line]
        await asyncio.gather(*(first_data(node, login, bundle, settings, options) for node in nodes))
        print(json.dumps({"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu, "nodes": len(nodes)}))


registry = Registry.load()
agent = {p.sampler: p.period for p in registry.probes.values() if isinstance(p, AgentProbe)}
asyncio.run(main(Path(sys.argv[1]), make_bundle(registry.plugins.values()), {"periods": agent}))
