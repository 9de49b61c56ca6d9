"""Rules on GPUs: each fires on its fault, names node and GPU, and is quiet on healthy, idle and stale data."""

from __future__ import annotations

from typing import Any

import pytest

from mleconsole.api import Absent, Gpu, GpuFacts, History, Severity
from mleconsole_plugins.nvidia.judge import _median_without
from mleconsole_plugins.nvidia.rules import RULES

RULE = {rule.id: rule.alerts for rule in RULES}


def fired(fleet: Any, history: History | None = None) -> dict[str, list[Any]]:
    """{rule id: its alerts} of the rules that fire."""
    found = {id: list(alerts(fleet, history or History())) for id, alerts in RULE.items()}
    return {id: alerts for id, alerts in found.items() if alerts}


def job_of_eight(build: Any, **of_gpu3: Any) -> Any:
    """node03 with 8 GPUs of job 48213; `of_gpu3` is what is odd about GPU 3."""
    cluster = build().host("node03").node("node03")
    for index in range(8):
        cluster.gpu("node03", index, **(of_gpu3 if index == 3 else {})).use("node03", index, "48213")
    return cluster


def test_healthy_gpus_are_quiet(build: Any) -> None:
    assert fired(job_of_eight(build).build()) == {}


def test_idle_gpus_are_quiet_at_start(build: Any) -> None:
    """Idle links train down, idle GPUs draw little and lower their clocks: nothing of that is a fault."""
    cluster = build().host("node01").node("node01")
    for index in range(8):
        cluster.gpu(
            "node01", index, util_percent=0.0, power_watts=71.0, sm_clock_mhz=345, pcie_gen=1, throttle=("hw_thermal",),
            memory_used_mib=4,
        ).use("node01", index, Absent("no job"))  # fmt: skip
    assert fired(cluster.build()) == {}


def test_a_spinning_gpu_is_named_with_its_peers(build: Any) -> None:
    found = fired(job_of_eight(build, power_watts=71.0, util_percent=100.0).build())
    assert list(found) == ["gpu_spins"]
    (alert,) = found["gpu_spins"]
    assert alert.subject == ("gpu", ("node03", "3"))
    assert alert.host == "node03" and alert.severity is Severity.CRITICAL
    assert alert.sentence == (
        "node03 gpu3: power 71 W while 7 peers of job 48213 draw 640 W, util 100 %: it spins or waits"
    )
    assert "job 48213" in alert.evidence


@pytest.mark.parametrize(
    "odd",
    [
        {"util_percent": 60.0, "power_watts": 71.0},  # it works little, and says so
        {"util_percent": 100.0, "power_watts": 500.0},  # full and drawing
        {"util_percent": 100.0, "power_watts": Absent("not supported by this GPU")},
        {"util_percent": 100.0, "power_watts": 71.0, "power_limit_watts": Absent("not read")},
    ],
)
def test_no_spin_without_both_signs(build: Any, odd: dict[str, Any]) -> None:
    assert "gpu_spins" not in fired(job_of_eight(build, **odd).build())


def test_no_spin_when_all_peers_draw_little(build: Any) -> None:
    """A light job: every GPU is at 100 % and 71 W. Power alone proves nothing."""
    cluster = build().host("node03")
    for index in range(8):
        cluster.gpu("node03", index, util_percent=100.0, power_watts=71.0).use("node03", index, "48213")
    assert fired(cluster.build()) == {}


def test_no_spin_without_peers_of_the_same_job(build: Any) -> None:
    cluster = job_of_eight(build, util_percent=100.0, power_watts=71.0)
    cluster.use("node03", 3, "50000")
    assert fired(cluster.build()) == {}


def test_a_gpu_that_drew_power_just_now_is_no_spin(build: Any, past: Any) -> None:
    history = past(Gpu, "power_watts")
    cluster = job_of_eight(build)
    cluster.remember(history, 5)
    cluster.gpu("node03", 3, util_percent=100.0, power_watts=71.0)
    assert fired(cluster.build(1.0), history) == {}
    cluster.remember(history, 4)
    assert list(fired(cluster.build(1.0), history)) == ["gpu_spins"]


def test_stale_samples_are_not_judged(build: Any) -> None:
    cluster = job_of_eight(build, power_watts=71.0, util_percent=100.0)
    cluster.build()
    assert fired(cluster.silent(300.0)) == {}


def test_median_without_one() -> None:
    assert _median_without([1.0], 1.0) is None
    assert _median_without([1.0, 9.0], 1.0) == 9.0
    assert _median_without([1.0, 5.0, 7.0], 1.0) == 6.0
    assert _median_without([1.0, 5.0, 7.0], 7.0) == 3.0


@pytest.mark.parametrize(
    ("reason", "said"), [("GPU is lost", "is lost to its driver"), ("GPU needs a reset", "wants the GPU to be reset")]
)
def test_a_lost_gpu(build: Any, reason: str, said: str) -> None:
    gone = Absent(reason)
    names = ("util_percent", "power_watts", "memory_used_mib", "temperature_celsius", "sm_clock_mhz", "throttle")
    found = fired(job_of_eight(build, **dict.fromkeys(names, gone)).build())
    (alert,) = found["gpu_lost"]
    assert list(found) == ["gpu_lost"]
    assert alert.sentence.startswith("node03 gpu3: ") and said in alert.sentence
    assert alert.severity is Severity.CRITICAL


def test_a_gpu_whose_power_is_not_supported_is_not_lost(build: Any) -> None:
    assert fired(job_of_eight(build, power_watts=Absent("not supported by this GPU")).build()) == {}


@pytest.mark.parametrize(
    ("odd", "rule", "severity", "said"),
    [
        ({"ecc_uncorrected": 10}, "gpu_ecc", Severity.CRITICAL, "10 uncorrectable ECC errors"),
        ({"remap_failed": True}, "gpu_rows", Severity.CRITICAL, "return the GPU"),
        ({"remap_pending": True}, "gpu_rows", Severity.WARNING, "reset the GPU"),
        ({"throttle": ("sw_power_cap", "hw_thermal"), "temperature_celsius": 91, "sm_clock_mhz": 1200}, "gpu_throttled",
         Severity.WARNING, "slowed by heat at 91 °C, 1200 of 1980 MHz"),
        ({"throttle": ("hw_slowdown", "hw_power_brake")}, "gpu_throttled", Severity.WARNING, "power brake"),
        ({"pcie_gen": 4}, "gpu_pcie", Severity.WARNING, "gen4 x16 under load, gen5 x16 is possible"),
        ({"pcie_width": 8}, "gpu_pcie", Severity.WARNING, "gen5 x8 under load"),
        ({"nvlinks_up": 17}, "gpu_nvlink", Severity.WARNING, "1 NVLink of 18 down"),
        ({"nvlinks_up": 0}, "gpu_nvlink", Severity.WARNING, "18 NVLinks of 18 down"),
    ],
)  # fmt: skip
def test_each_fault_fires_its_own_rule(
    build: Any, odd: dict[str, Any], rule: str, severity: Severity, said: str
) -> None:
    found = fired(job_of_eight(build, **odd).build())
    assert list(found) == [rule]
    (alert,) = found[rule]
    assert alert.sentence.startswith("node03 gpu3: ") and said in alert.sentence
    assert alert.severity is severity and alert.subject == ("gpu", ("node03", "3"))


@pytest.mark.parametrize(
    "odd",
    [
        {"throttle": ("sw_power_cap",)},  # how a GPU works at full load
        {"throttle": Absent("driver too old")},
        {"throttle": ("application_clocks", "sync_boost", "display_clocks")},
        {"ecc_corrected": 20_000},
        {"ecc_uncorrected": Absent("not supported by this GPU")},
        {"pcie_gen": Absent("not read")},
        {"nvlinks_up": Absent("not supported by this GPU"), "nvlinks_total": Absent("not supported by this GPU")},
        {"remap_pending": Absent("driver too old"), "remap_failed": Absent("driver too old")},
    ],
)
def test_what_is_no_fault(build: Any, odd: dict[str, Any]) -> None:
    assert fired(job_of_eight(build, **odd).build()) == {}


def test_a_node_without_bridges_has_no_links_down(build: Any) -> None:
    cluster = build().host("node01")
    for index in range(2):
        cluster.gpu("node01", index, nvlinks_up=0, nvlinks_total=12)
    assert fired(cluster.build()) == {}


def test_a_link_is_slow_only_after_a_minute_of_load(build: Any, past: Any) -> None:
    """Facts are read every few seconds: a link seen at gen1 may still belong to the idle time before."""
    history = past(Gpu, "util_percent")
    cluster = job_of_eight(build, util_percent=0.0, pcie_gen=1)
    cluster.remember(history, 5)
    cluster.gpu("node03", 3, util_percent=100.0, pcie_gen=1)
    cluster.remember(history, 5)
    assert fired(cluster.build(), history) == {}
    cluster.remember(history, 12)
    assert list(fired(cluster.build(), history)) == ["gpu_pcie"]


def test_a_missing_gpu(build: Any) -> None:
    cluster = build().host("node07").node("node07", gpus=8)
    for index in range(7):
        cluster.gpu("node07", index)
    (alert,) = fired(cluster.build())["gpu_missing"]
    assert alert.sentence == "node07: 7 GPUs answer, the scheduler counts 8"
    assert alert.subject == ("node", ("node07",))


def test_no_driver_on_a_gpu_node(build: Any) -> None:
    cluster = build().host("node07").node("node07", gpus=8)
    cluster.trouble("node07", "gpus", "the NVIDIA driver is not loaded")
    (alert,) = fired(cluster.build())["gpu_missing"]
    assert alert.sentence == "node07: 0 GPUs answer (the NVIDIA driver is not loaded), the scheduler counts 8"


def test_no_gpu_is_missing_before_the_first_answer_nor_while_a_host_is_silent(build: Any) -> None:
    assert fired(build().host("node07").node("node07").build()) == {}
    assert fired(build().host("node07", "lost", "timed out").node("node07").build()) == {}
    started = build().host("node07", ago=5.0).node("node07").trouble("node07", "gpus", "pynvml is on its way")
    assert fired(started.build()) == {}


def test_a_node_without_gpus_misses_none(build: Any) -> None:
    cluster = build().host("cpu01").node("cpu01", gpus=0)
    cluster.trouble("cpu01", "gpus", "no NVIDIA driver: libnvidia-ml.so.1 not found")
    assert fired(cluster.build()) == {}


def test_error_counts_of_unknown_age_are_not_told(build: Any) -> None:
    cluster = job_of_eight(build, ecc_uncorrected=3)
    cluster.build()
    fleet = cluster.silent(1_000.0)
    assert fleet.count(GpuFacts) == 8 and fired(fleet) == {}
