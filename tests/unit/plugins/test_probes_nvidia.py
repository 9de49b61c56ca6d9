"""What the GPU samplers make of older drivers and of pynvml modules other than ours; the rest is in unit/agent."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from mleconsole.api import Absent, Gpu, GpuFacts
from mleconsole_plugins.nvidia import remote
from mleconsole_plugins.nvidia.probes import KEEPS, PROBES, parse_gpu_facts, parse_gpus


class NVMLError(Exception):
    def __init__(self, value: int) -> None:
        super().__init__(f"code {value}")
        self.value = value


def raising(value: int) -> Any:
    def call(*arguments: Any) -> Any:
        raise NVMLError(value)

    return call


def old_module(**functions: Any) -> Any:
    """A pynvml of years ago: bytes for text, no versions, few functions."""
    told: dict[str, Any] = {
        "NVMLError": NVMLError,
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlSystemGetDriverVersion": lambda: b"418.87",
        "nvmlDeviceGetName": lambda handle: b"Tesla V100",
        "nvmlDeviceGetUUID": lambda handle: b"GPU-1",
        "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(used=5 << 20, total=100 << 20),
        "nvmlDeviceGetCurrentClocksThrottleReasons": lambda handle: 0x8 | 0x1,
    }
    return SimpleNamespace(**told | functions)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any library will do where only its presence is looked at."""
    name = next((n for n in ("libc.so.6", "libc.so") if _loads(n)), None)
    if name is None:
        pytest.skip("no C library by a known name")
    monkeypatch.setattr(remote, "LIBRARY", name)


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def gpu(module: Any) -> Gpu:
    state: dict[str, Any] = {"module": lambda name: module}
    (records,) = parse_gpus(msgspec.json.encode(remote.sample_gpus(state)), "node01").records.values()
    (record,) = records.values()
    assert isinstance(record, Gpu)
    return record


def facts(module: Any) -> GpuFacts:
    state: dict[str, Any] = {"module": lambda name: module}
    (records,) = parse_gpu_facts(msgspec.json.encode(remote.sample_gpu_facts(state)), "node01").records.values()
    (record,) = records.values()
    assert isinstance(record, GpuFacts)
    return record


def test_an_old_module_gives_what_it_has(library: None) -> None:
    record = gpu(old_module())
    assert record.memory_used_mib == 5
    assert record.throttle == ("hw_slowdown",), "idle is no throttling"
    assert record.util_percent == record.power_watts == Absent("driver too old")
    old = facts(old_module())
    assert (old.name, old.uuid, old.driver, old.memory_total_mib) == ("Tesla V100", "GPU-1", "418.87", 100)
    assert old.remapped_rows == old.remap_pending == old.nvlinks_up == Absent("driver too old")


def test_a_function_that_takes_no_version_is_called_without(library: None) -> None:
    assert gpu(old_module(nvmlMemory_v2=2)).memory_used_mib == 5


def test_the_driver_falls_back_where_the_newer_name_is_unknown(library: None) -> None:
    record = gpu(old_module(nvmlDeviceGetCurrentClocksEventReasons=raising(13)))
    assert record.throttle == ("hw_slowdown",)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (3, "not supported by this GPU"),
        (4, "permission denied"),
        (15, "GPU is lost"),
        (16, "GPU needs a reset"),
        (4711, "code 4711"),
    ],
)
def test_errors_in_words(library: None, number: int, words: str) -> None:
    assert gpu(old_module(nvmlDeviceGetPowerUsage=raising(number))).power_watts == Absent(words)


def test_a_gpu_that_is_gone_is_not_asked_again(library: None) -> None:
    asked: list[str] = []
    module = old_module(
        nvmlDeviceGetUtilizationRates=raising(15), nvmlDeviceGetPowerUsage=lambda handle: asked.append("power")
    )
    assert gpu(module).power_watts == Absent("GPU is lost")
    assert asked == []


def test_link_errors_by_field_totals(library: None) -> None:
    def fields(handle: Any, ids: list[int]) -> list[Any]:
        value = SimpleNamespace(uiVal=0, ullVal=3, ulVal=0, sllVal=0)
        return [SimpleNamespace(nvmlReturn=0 if id != 2 else 3, valueType=3, value=value) for id in ids]

    module = old_module(
        nvmlDeviceGetNvLinkState=lambda handle, link: 1 if link < 6 else raising(2)(),
        nvmlDeviceGetFieldValues=fields,
        NVML_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL=1,
        NVML_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL=2,
        NVML_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL=3,
    )
    record = facts(module)
    assert (record.nvlinks_up, record.nvlinks_total, record.nvlink_errors) == (6, 6, 6)


def test_no_driver_is_missing_and_not_looked_for_every_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "LIBRARY", "libno-such-driver.so.1")
    state: dict[str, Any] = {}
    for _ in range(2):
        with pytest.raises(remote.Missing, match="no NVIDIA driver"):
            remote.sample_gpus(state)
    assert state["trouble"][1] > 0


def test_what_the_plugin_takes_from_here() -> None:
    assert [(probe.id, probe.period, probe.on_change) for probe in PROBES] == [
        ("gpus", 1.0, False),
        ("gpu_facts", 5.0, True),
    ]
    assert {keep.field for keep in KEEPS} == {
        "util_percent",
        "power_watts",
        "memory_used_mib",
        "temperature_celsius",
        "sm_clock_mhz",
    }
    assert all(keep.field in Gpu.__struct_fields__ for keep in KEEPS)
