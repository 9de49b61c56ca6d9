"""Probe of a host's own load: CPU, memory, load average, clock."""

from __future__ import annotations

import msgspec

from mleconsole.api import AgentProbe, Keep, Machine, Observation, with_host

_decoder = msgspec.json.Decoder(list[Machine])


def parse_machine(raw: bytes, host: str) -> Observation:
    """The one Machine of a host."""
    return Observation({Machine: {record.key: record for record in with_host(_decoder.decode(raw), host)}})


PROBES = (AgentProbe("machine", "machine", 2.0, parse_machine),)
KEEPS = (Keep(Machine, "cpu_percent"), Keep(Machine, "memory_used_mib"), Keep(Machine, "load1"))
