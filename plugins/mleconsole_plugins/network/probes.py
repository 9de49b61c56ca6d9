"""Probe of network and InfiniBand ports."""

from __future__ import annotations

import msgspec

from mleconsole.api import AgentProbe, Keep, Observation, Port, with_host

_decoder = msgspec.json.Decoder(list[Port])


def parse_ports(raw: bytes, host: str) -> Observation:
    """All ports of a host that are in use."""
    return Observation({Port: {record.key: record for record in with_host(_decoder.decode(raw), host)}})


PROBES = (AgentProbe("ports", "ports", 2.0, parse_ports),)
KEEPS = (Keep(Port, "rx_gbps"), Keep(Port, "tx_gbps"))
