"""Probe of mounted file systems."""

from __future__ import annotations

import msgspec

from mleconsole.api import AgentProbe, Keep, Mount, Observation, with_host

_decoder = msgspec.json.Decoder(list[Mount])


def parse_mounts(raw: bytes, host: str) -> Observation:
    """All watched mounts of a host."""
    return Observation({Mount: {record.key: record for record in with_host(_decoder.decode(raw), host)}})


PROBES = (AgentProbe("mounts", "mounts", 5.0, parse_mounts, on_change=True),)
KEEPS = (Keep(Mount, "used_bytes"), Keep(Mount, "inodes_used"))
