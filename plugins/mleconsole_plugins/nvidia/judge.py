"""Judgements on one GPU: lost, spinning, throttled, ECC, rows, PCIe, NVLink. Rules and the GPU pane share them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mleconsole.api import Absent, Fleet, Gpu, GpuFacts, GpuUse, History, Key, Severity, known
from mleconsole.api.tools import FRESH_SECONDS, count, known_points, short_name

LOADED_PERCENT = 50.0  # GPU-Util from which a GPU counts as under load: clocks and links have left their idle states
SPIN_UTIL_PERCENT = 95.0
SPIN_POWER_SHARE = 0.40
SPIN_PEERS_DRAW = 1.5
FACTS_FRESH_SECONDS = 300.0  # facts travel on change and every 60 s; more slowly while nobody looks

_HEAT = frozenset(("sw_thermal", "hw_thermal"))


class Finding(NamedTuple):
    """What is wrong with one GPU: a few words for a column, and one sentence that stands alone."""

    severity: Severity
    note: str
    sentence: str
    evidence: tuple[str, ...] = ()


def gpu_words(key: Key) -> str:
    """`node03 gpu3`."""
    return f"{short_name(key[0])} gpu{key[1]}"


def lost(gpu: Gpu) -> Finding | None:
    """The driver itself says that the GPU is lost (NVML_ERROR_GPU_IS_LOST: it fell off the bus, Xid 79) or needs a
    reset (NVML_ERROR_RESET_REQUIRED)."""
    for value in (gpu.util_percent, gpu.power_watts, gpu.temperature_celsius, gpu.memory_used_mib):
        if not isinstance(value, Absent):
            continue
        reason = value.reason.lower()
        if "gpu is lost" in reason:
            then = "the GPU is lost to its driver; drain the node, then reset the GPU or reboot"
            return Finding(Severity.CRITICAL, "lost", f"{gpu_words(gpu.key)}: {then}", (value.reason,))
        if "needs a reset" in reason:
            then = "the driver wants the GPU to be reset; drain the node, then reset it"
            return Finding(Severity.CRITICAL, "needs a reset", f"{gpu_words(gpu.key)}: {then}", (value.reason,))
    return None


def ecc(facts: GpuFacts) -> Finding | None:
    """Any uncorrectable error since the driver was loaded (the volatile count) is told (book, G3)."""
    errors = facts.ecc_uncorrected
    if isinstance(errors, Absent) or errors <= 0:
        return None
    what = count(errors, "uncorrectable ECC error")
    then = "since its driver was loaded; drain the node and reset the GPU"
    return Finding(Severity.CRITICAL, what, f"{gpu_words(facts.key)}: {what} {then}")


def rows(facts: GpuFacts) -> Finding | None:
    """Row remapping: failed means return the GPU, pending means it needs a reset (book, G4; Xid 63 and 64)."""
    if facts.remap_failed is False and facts.remap_pending is False:
        return None
    words = gpu_words(facts.key)
    if facts.remap_failed is True:
        return Finding(
            Severity.CRITICAL,
            "row remap failed",
            f"{words}: a memory row could not be remapped: no spare rows; drain the node and return the GPU",
        )
    if facts.remap_pending is True:
        return Finding(
            Severity.WARNING,
            "row remap pending",
            f"{words}: a memory row waits to be remapped; reset the GPU when the node is drained",
        )
    return None


def throttled(gpu: Gpu, facts: GpuFacts | None) -> Finding | None:
    """A thermal or power-brake slowdown in force under load (book, G9: any of them is less than full performance).
    The plain power cap is how a GPU works at full load, and is never told."""
    if not known(gpu.throttle) or not gpu.throttle or not _loaded_now(gpu):
        return None
    if not _HEAT.isdisjoint(gpu.throttle):
        what, note = "heat", "throttled: heat"
    elif "hw_power_brake" in gpu.throttle:
        what, note = "the power brake (the rack's or the power supply's)", "throttled: power brake"
    elif "hw_slowdown" in gpu.throttle:
        what, note = "the hardware", "throttled: hardware"
    else:
        return None
    said = []
    if known(gpu.temperature_celsius):
        said.append(f"{gpu.temperature_celsius} °C")
    if known(gpu.sm_clock_mhz):
        top = facts.sm_clock_max_mhz if facts is not None else Absent("not read")
        said.append(f"{gpu.sm_clock_mhz} of {top} MHz" if known(top) else f"{gpu.sm_clock_mhz} MHz")
    at = f" at {', '.join(said)}" if said else ""
    return Finding(Severity.WARNING, note, f"{gpu_words(gpu.key)}: slowed by {what}{at}", gpu.throttle)


def _loaded_now(gpu: Gpu) -> bool:
    return known(gpu.util_percent) and gpu.util_percent >= LOADED_PERCENT


def under_load(gpu: Gpu, history: History, now: float, seconds: float = 60.0) -> bool:
    """Loaded now and at every remembered point of the last `seconds`: links and facts had the time to follow."""
    if not _loaded_now(gpu):
        return False
    points = known_points(history.series(Gpu, gpu.key, "util_percent"), seconds, now)
    return all(value >= LOADED_PERCENT for _, value in points)


def pcie(gpu: Gpu, facts: GpuFacts, history: History, now: float) -> Finding | None:
    """A host link below its maximum under load (book, G13: gen 4 instead of 5 halves it). Idle links train down by
    themselves and are never told."""
    gen, gen_max, width, width_max = facts.pcie_gen, facts.pcie_gen_max, facts.pcie_width, facts.pcie_width_max
    if gen == gen_max and width == width_max:
        return None
    slow = known(gen) and known(gen_max) and 0 < gen < gen_max
    narrow = known(width) and known(width_max) and 0 < width < width_max
    if not (slow or narrow) or not under_load(gpu, history, now):
        return None
    is_now, could_be = f"gen{gen} x{width}", f"gen{gen_max} x{width_max}"
    return Finding(
        Severity.WARNING,
        f"PCIe {is_now}",
        f"{gpu_words(gpu.key)}: its PCIe link runs at {is_now} under load, {could_be} is possible",
    )


def nvlink(facts: GpuFacts, siblings: Mapping[Key, GpuFacts]) -> Finding | None:
    """Links down while others of this GPU or of this node's GPUs are up (book, G12: all should be). A node on which no
    link is up at all has no bridge, which is no fault."""
    up, total = facts.nvlinks_up, facts.nvlinks_total
    if up == total:
        return None
    if not known(up) or not known(total) or up >= total:
        return None
    if up == 0 and not any(known(other.nvlinks_up) and other.nvlinks_up > 0 for other in siblings.values()):
        return None
    return Finding(
        Severity.WARNING,
        f"NVLink {up}/{total}",
        f"{gpu_words(facts.key)}: {count(total - up, 'NVLink')} of {total} down",
    )


def idles_in_kernel(gpu: Gpu, facts: GpuFacts | None) -> bool:
    """GPU-Util is full but power is not: one waiting kernel is enough for 100 % (book, U1)."""
    util, power = gpu.util_percent, gpu.power_watts
    if isinstance(util, Absent) or util < SPIN_UTIL_PERCENT or isinstance(power, Absent) or facts is None:
        return False
    limit = facts.power_limit_watts
    return not isinstance(limit, Absent) and power < SPIN_POWER_SHARE * limit


def spins(fleet: Fleet, history: History) -> Iterator[tuple[Key, Finding]]:
    """GPUs at util >= 95 % and power < 40 % of the limit while the median peer of the same job draws >= 1.5 times as
    much. Power and peers are what tells it from a light job (book, U1, which says 30 % without looking at peers). A
    GPU that drew more within the last 12 s is left out: between two steps every GPU rests."""
    suspects: list[tuple[Gpu, GpuFacts, str]] = []
    for host, slot in fleet.hosts(Gpu).items():
        facts = fleet.on(GpuFacts, host)
        if not facts or not fresh(fleet, host):
            continue
        for key, gpu in slot.items():
            if idles_in_kernel(gpu, told := facts.get(key)) and told is not None:
                use = fleet.on(GpuUse, host).get(key)
                if use is not None and known(use.job_id):
                    suspects.append((gpu, told, use.job_id))
    if not suspects:
        return
    powers = _job_powers(fleet, {job for _, _, job in suspects})
    for gpu, facts_, job in suspects:
        power, limit = gpu.power_watts, facts_.power_limit_watts
        if not known(power) or not known(limit):
            continue
        drawn = powers.get(job, [])
        peers = _median_without(drawn, power)
        if peers is None or peers < SPIN_PEERS_DRAW * power or not _stays_low(gpu, limit, history, fleet.now):
            continue
        others = count(len(drawn) - 1, "peer")
        draw = "draws" if len(drawn) == 2 else "draw"
        yield (
            gpu.key,
            Finding(
                Severity.CRITICAL,
                "spins or waits",
                f"{gpu_words(gpu.key)}: power {power:.0f} W while {others} of job {job} {draw} {peers:.0f} W, "
                f"util {gpu.util_percent:.0f} %: it spins or waits",
                (f"job {job}", f"power limit {limit:.0f} W", "looks hung: D triage"),
            ),
        )


def fresh(fleet: Fleet, host: str) -> bool:
    """Whether that host's GPU samples are new enough to be judged."""
    age = fleet.slot_age(Gpu, host)
    return known(age) and age <= FRESH_SECONDS


def _job_powers(fleet: Fleet, jobs: set[str]) -> dict[str, list[float]]:
    """{job: its GPUs' power in watts, rising}."""
    powers: dict[str, list[float]] = {job: [] for job in jobs}
    for host, uses in fleet.hosts(GpuUse).items():
        if not fresh(fleet, host):
            continue
        gpus = fleet.on(Gpu, host)
        for key, use in uses.items():
            if use.job_id in jobs and (gpu := gpus.get(key)) is not None and known(gpu.power_watts):
                powers[str(use.job_id)].append(gpu.power_watts)
    for drawn in powers.values():
        drawn.sort()
    return powers


def _median_without(rising: list[float], one: float) -> float | None:
    """The median of a sorted list without one occurrence of `one`."""
    rest = len(rising) - 1
    if rest < 1:
        return None
    taken = bisect_left(rising, one)

    def at(index: int) -> float:
        return rising[index if index < taken else index + 1]

    return at(rest // 2) if rest % 2 else (at(rest // 2 - 1) + at(rest // 2)) / 2


def _stays_low(gpu: Gpu, limit: float, history: History, now: float) -> bool:
    points = known_points(history.series(Gpu, gpu.key, "power_watts", 5), 12.0, now)
    return all(value < SPIN_POWER_SHARE * limit for _, value in points)


def of_gpu(gpu: Gpu, facts: GpuFacts | None, fleet: Fleet, history: History) -> Finding | None:
    """The worst finding on one GPU but spinning, which needs its peers (see :func:`spins`)."""
    if (found := lost(gpu)) is not None:
        return found
    told: list[Finding | None] = [throttled(gpu, facts)]
    if facts is not None:
        told += [ecc(facts), rows(facts), pcie(gpu, facts, history, fleet.now)]
        told.append(nvlink(facts, fleet.on(GpuFacts, gpu.host)))
    return max((one for one in told if one is not None), key=lambda one: one.severity, default=None)
