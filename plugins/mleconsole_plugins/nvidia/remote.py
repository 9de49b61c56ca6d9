"""Samplers of NVIDIA GPUs by NVML. Runs inside the agent: stdlib and pynvml only, Python 3.6."""

import ctypes
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Tuple

LIBRARY = "libnvidia-ml.so.1"
RETRY = 15.0  # seconds between two looks for a driver that is not there
LINKS_EVERY = 10.0  # seconds; 18 links of 8 GPUs are 144 calls into the driver
MOST_LINKS = 18
#: What NVML's error numbers mean, in words.
REASONS = {
    2: "not told by this GPU",
    3: "not supported by this GPU",
    4: "permission denied",
    9: "the NVIDIA driver is not loaded",
    10: "timed out in the driver",
    12: "no NVIDIA driver: %s not found" % LIBRARY,
    13: "driver too old",
    15: "GPU is lost",
    16: "GPU needs a reset",
    17: "the operating system blocks it",
    18: "driver and %s differ in version: a reboot is due" % LIBRARY,
    19: "GPU is in use elsewhere",
    999: "unknown NVML error",
}
GONE = (15, 16)  # after these no other call on the GPU is worth its time
#: Bits of the clock event reasons; idle (1) is no throttling.
THROTTLES = (
    (0x2, "application_clocks"),
    (0x4, "sw_power_cap"),
    (0x8, "hw_slowdown"),
    (0x10, "sync_boost"),
    (0x20, "sw_thermal"),
    (0x40, "hw_thermal"),
    (0x80, "hw_power_brake"),
    (0x100, "display_clocks"),
)
#: Error totals over all links of a GPU: field names, and the counters to add up link by link where there are none.
LINK_TOTALS = (
    "NVML_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL",
    "NVML_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL",
    "NVML_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL",
    "NVML_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL",
)
LINK_COUNTERS = (0, 1, 2, 3)  # replay, recovery, CRC of flits, CRC of data


class Missing(Exception):
    """What is asked for is not there; the text says why."""


def absent(reason: str) -> "Dict[str, str]":
    return {"absent": reason}


def words(error: Exception) -> str:
    """An NVMLError in words."""
    number = getattr(error, "value", 999)
    return REASONS.get(number) or str(error).lower() or "NVML error %s" % number


def text(value: "Any") -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def connect(state: "Dict[str, Any]") -> "Any":
    """pynvml, initialised. Missing with the reason when there is no driver."""
    trouble = state.get("trouble")
    if trouble is not None and time.monotonic() < trouble[1]:
        raise Missing(trouble[0])
    if state.get("nvml") is None:
        try:
            ctypes.CDLL(LIBRARY)
        except OSError:
            raise refuse(state, REASONS[12]) from None
        nvml = state["module"]("pynvml")
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as error:
            raise refuse(state, words(error)) from None
        state["nvml"] = nvml
        state["handles"] = {}
    return state["nvml"]


def refuse(state: "Dict[str, Any]", reason: str) -> Missing:
    """Remember for a while that there is nothing to be had."""
    state["nvml"] = None
    state["trouble"] = (reason, time.monotonic() + RETRY)
    return Missing(reason)


class Reader(object):
    """Reads the fields of one GPU, each by itself; once the GPU is gone it asks no more."""

    def __init__(self, nvml: "Any", index: int, handles: "Dict[int, Any]") -> None:
        self.nvml = nvml
        self.handle = None  # type: Any
        self.gone = ""
        if index not in handles:
            try:
                handles[index] = nvml.nvmlDeviceGetHandleByIndex(index)
            except nvml.NVMLError as error:
                self.gone = words(error)
                return
        self.handle = handles[index]

    def get(self, names: "Any", *arguments: "Any") -> "Any":
        """What nvmlDevice`name` answers, the first of `names` that driver and module know; else absent in words."""
        if self.gone:
            return absent(self.gone)
        reason = REASONS[13]
        for name in (names,) if isinstance(names, str) else names:
            function = getattr(self.nvml, "nvmlDevice" + name, None)
            if function is None:
                continue
            try:
                return function(self.handle, *arguments)
            except self.nvml.NVMLError as error:
                reason = words(error)
                number = getattr(error, "value", 999)
                if number in GONE:
                    self.gone = reason
                if number != 13:
                    break
        return absent(reason)


def told(value: "Any", pick: "Callable[[Any], Any]") -> "Any":
    """`pick(value)`, or the absence that `value` is."""
    return value if isinstance(value, dict) else pick(value)


def readers(state: "Dict[str, Any]") -> "List[Tuple[int, Reader]]":
    """A Reader for every GPU that the driver counts."""
    nvml = connect(state)
    try:
        count = nvml.nvmlDeviceGetCount()
    except nvml.NVMLError as error:
        raise refuse(state, words(error)) from None
    return [(index, Reader(nvml, index, state["handles"])) for index in range(count)]


def used_memory(gpu: Reader) -> "Any":
    """MiB in use as nvidia-smi counts them: without what the driver keeps for itself, where it can tell."""
    version = getattr(gpu.nvml, "nvmlMemory_v2", None)
    if version is not None:
        try:
            value = gpu.get("GetMemoryInfo", version)
            if not isinstance(value, dict) or gpu.gone:
                return told(value, lambda memory: int(memory.used) >> 20)
        except TypeError:  # a pynvml whose function takes no version
            pass
    return told(gpu.get("GetMemoryInfo"), lambda memory: int(memory.used) >> 20)


def sample_gpus(state: "Dict[str, Any]") -> "List[List[Any]]":
    """Rows of Gpu."""
    rows = []
    for index, gpu in readers(state):
        load = gpu.get("GetUtilizationRates")
        bits = gpu.get(("GetCurrentClocksEventReasons", "GetCurrentClocksThrottleReasons"))
        rows.append(
            [
                index,
                told(load, lambda value: value.gpu),
                told(load, lambda value: value.memory),
                told(gpu.get("GetPowerUsage"), lambda value: round(value / 1000.0)),
                used_memory(gpu),
                gpu.get("GetTemperature", 0),
                gpu.get("GetClockInfo", 1),
                told(bits, lambda value: [word for bit, word in THROTTLES if value & bit]),
            ]
        )
    return rows


def links(gpu: Reader) -> "List[Any]":
    """NVLinks: up, total, errors since the driver was loaded."""
    up = total = 0
    counted = []  # type: List[int]
    for link in range(MOST_LINKS):
        state = gpu.get("GetNvLinkState", link)
        if isinstance(state, dict):
            if link == 0:
                return [state, state, state]
            break
        total += 1
        up += 1 if state else 0
        counted.append(link)
    fields = [number for number in (getattr(gpu.nvml, name, None) for name in LINK_TOTALS) if number is not None]
    answers = gpu.get("GetFieldValues", fields) if fields else absent(REASONS[13])
    if not isinstance(answers, dict):
        totals = [field_value(answer) for answer in answers if answer.nvmlReturn == 0]
        if totals:
            return [up, total, sum(totals)]
    values = [gpu.get("GetNvLinkErrorCounter", link, counter) for link in counted for counter in LINK_COUNTERS[:1]]
    if any(isinstance(value, dict) for value in values):
        return [up, total, next(value for value in values if isinstance(value, dict))]
    values += [gpu.get("GetNvLinkErrorCounter", link, counter) for link in counted for counter in LINK_COUNTERS[1:]]
    return [up, total, sum(value for value in values if not isinstance(value, dict))]


def field_value(answer: "Any") -> int:
    """The number in an nvmlFieldValue, by its type tag."""
    names = {0: "dVal", 1: "uiVal", 2: "ulVal", 3: "ullVal", 4: "sllVal", 5: "siVal"}
    return int(getattr(answer.value, names.get(answer.valueType, "ullVal")))


def sample_gpu_facts(state: "Dict[str, Any]") -> "List[List[Any]]":
    """Rows of GpuFacts."""
    found = readers(state)
    nvml = state["nvml"]
    try:
        driver = text(nvml.nvmlSystemGetDriverVersion())  # type: Any
    except nvml.NVMLError as error:
        driver = absent(words(error))
    kept = state.setdefault("links", {})
    rows = []
    now = time.monotonic()
    for index, gpu in found:
        remaps = gpu.get("GetRemappedRows")
        row = [
            index,
            told(gpu.get("GetUUID"), text),
            told(gpu.get("GetName"), text),
            told(gpu.get("GetMemoryInfo"), lambda memory: int(memory.total) >> 20),
            told(gpu.get(("GetEnforcedPowerLimit", "GetPowerManagementLimit")), lambda value: round(value / 1000.0, 1)),
            gpu.get("GetMaxClockInfo", 1),
            gpu.get("GetTotalEccErrors", 0, 0),
            gpu.get("GetTotalEccErrors", 1, 0),
            told(remaps, lambda value: value[0] + value[1]),
            told(remaps, lambda value: bool(value[2])),
            told(remaps, lambda value: bool(value[3])),
            gpu.get("GetCurrPcieLinkGeneration"),
            gpu.get("GetMaxPcieLinkGeneration"),
            gpu.get("GetCurrPcieLinkWidth"),
            gpu.get("GetMaxPcieLinkWidth"),
        ]
        if gpu.gone:
            row += [absent(gpu.gone)] * 3
            kept.pop(index, None)
        else:
            if index not in kept or now - kept[index][0] >= LINKS_EVERY:
                kept[index] = (now, links(gpu))
            row += kept[index][1]
        rows.append([*row, driver])
    return rows


SAMPLERS = {"gpus": sample_gpus, "gpu_facts": sample_gpu_facts}
