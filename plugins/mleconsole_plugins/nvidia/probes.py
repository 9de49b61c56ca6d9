"""Probes of NVIDIA GPUs: what moves every second, and facts and error counters on change."""

from __future__ import annotations

import msgspec

from mleconsole.api import AgentProbe, Gpu, GpuFacts, Keep, Observation, with_host

_gpus = msgspec.json.Decoder(list[Gpu])
_facts = msgspec.json.Decoder(list[GpuFacts])


def parse_gpus(raw: bytes, host: str) -> Observation:
    """All GPUs of a host."""
    return Observation({Gpu: {record.key: record for record in with_host(_gpus.decode(raw), host)}})


def parse_gpu_facts(raw: bytes, host: str) -> Observation:
    """The facts of all GPUs of a host."""
    return Observation({GpuFacts: {record.key: record for record in with_host(_facts.decode(raw), host)}})


PROBES = (
    AgentProbe("gpus", "gpus", 1.0, parse_gpus, follows_interval=True),
    AgentProbe("gpu_facts", "gpu_facts", 5.0, parse_gpu_facts, on_change=True),
)
KEEPS = (
    Keep(Gpu, "util_percent"),
    Keep(Gpu, "power_watts"),
    Keep(Gpu, "memory_used_mib"),
    Keep(Gpu, "temperature_celsius"),
    Keep(Gpu, "sm_clock_mhz"),
)
