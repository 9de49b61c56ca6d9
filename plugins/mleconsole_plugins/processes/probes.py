"""Probe of processes that hold a GPU or are a job's Python."""

from __future__ import annotations

import msgspec

from mleconsole.api import AgentProbe, Keep, Observation, Process, with_host

_decoder = msgspec.json.Decoder(list[Process])


def parse_processes(raw: bytes, host: str) -> Observation:
    """All such processes of a host."""
    return Observation({Process: {record.key: record for record in with_host(_decoder.decode(raw), host)}})


# Always at its pace: who holds which GPU, orphans and the stacks of a job are asked for from other panes than its own.
PROBES = (AgentProbe("processes", "processes", 3.0, parse_processes, on_change=True, always=True),)
KEEPS: tuple[Keep, ...] = ()
