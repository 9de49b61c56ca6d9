"""Records what a real agent says on a node of the test cluster, for the simulated nodes to replay.

python tests/bench/record_frames.py tests/cluster/run/ssh_config node01 > tests/fixtures/frames/node.jsonl
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
import zlib

from mleconsole.api import AgentProbe
from mleconsole.collect import frames
from mleconsole.collect.bundle import make_bundle
from mleconsole.plugin import Registry

SECONDS = 12.0


def main(ssh_config: str, node: str) -> None:
    registry = Registry.load()
    bundle = make_bundle(registry.plugins.values())
    probes = [p for p in registry.probes.values() if isinstance(p, AgentProbe)]
    settings = {
        "periods": {p.sampler: p.period for p in probes},
        "deadlines": {p.sampler: p.deadline for p in probes},
        "on_change": [p.sampler for p in probes if p.on_change],
    }
    argv = ["ssh", "-F", ssh_config, node, shlex.join(bundle.argv)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(bundle.first_bytes(settings))
    process.stdin.flush()
    reader, inflate, seen_marker, until = frames.FrameReader(), zlib.decompressobj(), b"", time.monotonic() + SECONDS
    wanted: dict[str, bytes] = {}
    while time.monotonic() < until:
        data = process.stdout.read1(65536)
        if not data:
            break
        for frame in reader.feed(data):
            if frame.type == "want":
                process.stdin.write(bundle.module(frame.name))
                process.stdin.flush()
        if b"MLECONSOLE-AGENT-1\n" not in seen_marker:
            seen_marker += data
            _, marker, data = seen_marker.partition(b"MLECONSOLE-AGENT-1\n")
            if not marker:
                continue
        for line in inflate.decompress(data).splitlines():
            if line.startswith((b'{"t":"s"', b'{"t":"hello"')):
                name = line.split(b'"n":"', 1)[1].split(b'"', 1)[0].decode() if b'"n":"' in line else "hello"
                wanted[name] = line
    process.stdin.close()
    process.wait(10)
    for line in wanted.values():
        sys.stdout.buffer.write(line + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
