"""Disks: shared file systems told once, levels, inodes, runway, and mounts that do not answer."""

from __future__ import annotations

from typing import Any

import pytest

from mleconsole.api import Absent, Focus, History, Mount, Severity, Subject, Tone
from mleconsole_plugins.disks.panes import disks, drawn_in, mount
from mleconsole_plugins.disks.rules import disk_full, inodes_full, mount_hung
from mleconsole_plugins.disks.runway import runway

TB = 10**12
HUNG = Absent("did not answer within 2 s (hung)")
FLAT = Focus(options={"fold": "flat"})


def four(build: Any) -> Any:
    cluster = build()
    for number in range(1, 5):
        cluster.host(f"node{number:02d}")
    return cluster


NODES = [f"node{number:02d}" for number in range(1, 5)]


def test_json_keys_and_folding(build: Any, rows: Any) -> None:
    cluster = four(build).shared(NODES, "/data", 50 * TB)
    for host in NODES:
        cluster.mount(host, "/tmp", 1 * TB, fstype="xfs")
    shown = rows(disks(cluster.build(), History(), Focus()))
    assert list(shown[0])[:6] == ["host", "mount", "used_bytes", "size_bytes", "inodes_used", "inodes_total"]
    assert [(row["host"], row["mount"], row["hosts"]) for row in shown] == [
        ("node[01-04]", "/data", 4),
        ("node01", "/tmp", 1),
        ("node02", "/tmp", 1),
        ("node03", "/tmp", 1),
        ("node04", "/tmp", 1),
    ]
    assert shown[0]["used_percent"] == 50.0 and shown[0]["inodes_percent"] == 0.1
    flat = rows(disks(cluster.fleet, History(), FLAT))
    assert [(row["host"], row["mount"]) for row in flat[:2]] == [("node01", "/data"), ("node01", "/tmp")]
    assert len(flat) == 8


def test_a_host_where_a_shared_mount_hangs_stands_apart(build: Any, rows: Any) -> None:
    cluster = four(build).shared(NODES[:3], "/data", 50 * TB).shared(["node04"], "/data", HUNG, size=HUNG)
    shown = rows(disks(cluster.build(), History(), Focus()))
    assert [(row["host"], row["used_bytes"]) for row in shown] == [("node[01-03]", 50 * TB), ("node04", HUNG)]
    (alert,) = mount_hung(cluster.fleet, History())
    assert alert.subject == Subject("mount", ("node04", "/data")) and alert.severity is Severity.CRITICAL
    assert alert.sentence == "node04 /data: did not answer within 2 s (hung); programs that touch it hang or fail"


@pytest.mark.parametrize("reason", ["permission denied", "not mounted on this host", "Operation not permitted"])
def test_what_may_not_be_read_does_not_hang(build: Any, reason: str) -> None:
    cluster = four(build).mount("node01", "/secret", Absent(reason), Absent(reason))
    assert list(mount_hung(cluster.build(), History())) == []


def test_hosts_without_mounts_say_why(build: Any, rows: Any) -> None:
    cluster = build().host("node01", "lost", "timed out").host("node02").trouble("node02", "mounts", "can't be read")
    shown = rows(disks(cluster.build(), History(), Focus()))
    assert [(row["host"], row["mount"].reason) for row in shown] == [
        ("node01", "unreachable for 10m: timed out"),
        ("node02", "can't be read"),
    ]


@pytest.mark.parametrize(
    ("path", "used", "severity"),
    [
        ("/data", 79.9, None),
        ("/data", 80.0, Severity.WARNING),
        ("/data", 94.9, Severity.WARNING),
        ("/data", 95.0, Severity.CRITICAL),
        ("/scratch", 74.9, None),
        ("/scratch", 75.0, Severity.WARNING),
    ],
)
def test_levels(build: Any, screen: Any, path: str, used: float, severity: Severity | None) -> None:
    fleet = four(build).shared(NODES, path, int(used * TB)).build()
    found = list(disk_full(fleet, History()))
    assert [alert.severity for alert in found] == ([] if severity is None else [severity])
    (cells,) = screen(disks(fleet, History(), Focus()))
    tones = {None: Tone.PLAIN, Severity.WARNING: Tone.WARN, Severity.CRITICAL: Tone.BAD}
    assert cells["used_percent"][1] is tones[severity]


def test_a_private_scratch_has_the_common_level(build: Any) -> None:
    fleet = build().host("node01").mount("node01", "/scratch", 76 * TB, fstype="xfs").build()
    assert list(disk_full(fleet, History())) == []


def test_a_shared_mount_is_one_alert_and_a_private_one_names_its_node(build: Any) -> None:
    cluster = four(build).shared(NODES, "/data", 91 * TB).mount("node02", "/tmp", 97 * TB, fstype="xfs")
    found = sorted(disk_full(cluster.build(), History()), key=lambda alert: alert.sentence)
    assert [(alert.host, alert.sentence) for alert in found] == [
        ("node[01-04]", "/data: 91 % full, 9.0 TB left"),
        ("node02", "node02 /tmp: 97 % full, 3.0 TB left"),
    ]


def test_images_are_full_by_nature(build: Any) -> None:
    fleet = build().host("n1").mount("n1", "/opt/image", 100 * TB, fstype="squashfs").build()
    assert list(disk_full(fleet, History())) == []


def test_inodes(build: Any) -> None:
    fleet = four(build).shared(NODES, "/home", 10 * TB, inodes_used=960_000).build()
    (alert,) = inodes_full(fleet, History())
    assert alert.severity is Severity.CRITICAL
    assert alert.sentence == "/home: 96 % of its inodes used, room for 40,000 files"
    assert list(disk_full(fleet, History())) == []


def test_no_inodes_counted_is_no_alert(build: Any) -> None:
    uncounted = Absent("this file system does not count inodes")
    fleet = four(build).shared(NODES, "/home", TB, inodes_used=uncounted, inodes_total=uncounted).build()
    assert list(inodes_full(fleet, History())) == []


def test_stale_mounts_are_not_judged(build: Any) -> None:
    cluster = four(build).shared(NODES, "/data", 91 * TB)
    assert len(list(disk_full(cluster.build(), History()))) == 1
    assert list(disk_full(cluster.silent(300.0), History())) == []


def filled(build: Any, past: Any, steps: int, grow: int, start: int = 90 * TB) -> tuple[Any, History]:
    history = past(Mount, "used_bytes")
    cluster = build().host("node01")
    for step in range(steps):
        cluster.mount("node01", "/scratch", start + step * grow)
        cluster.remember(history, 1)
    return cluster, history


def test_runway_of_a_filling_mount(build: Any, past: Any, rows: Any) -> None:
    cluster, history = filled(build, past, steps=31, grow=10**9)  # 1 GB each 4 s: 0.9 TB an hour
    (row,) = rows(disks(cluster.fleet, history, Focus()))
    assert row["fill_bytes_per_hour"] == pytest.approx(900 * 10**9, rel=0.01)
    assert row["full_in_seconds"] == pytest.approx(9.97 * TB / 250e6, rel=0.01)
    (alert,) = disk_full(cluster.fleet, history)
    assert alert.sentence == "node01 /scratch: 90 % full, full in 11h 4m at 900 GB/h, 10.0 TB left"


@pytest.mark.parametrize(
    ("steps", "grow"),
    [
        (31, 0),  # nothing changes
        (31, -(10**9)),  # it empties
        (10, 10**9),  # too short a past
        (31, 1000),  # below what history can tell
        (60, 10**8 // 100),  # fuller only in years
    ],
)
def test_no_runway_where_it_means_nothing(build: Any, past: Any, steps: int, grow: int) -> None:
    cluster, history = filled(build, past, steps, grow)
    (found,) = cluster.fleet.of(Mount)
    assert runway(found, history) is None


def test_one_jump_is_no_trend(build: Any, past: Any) -> None:
    history = past(Mount, "used_bytes")
    cluster = build().host("node01").mount("node01", "/scratch", 50 * TB)
    cluster.remember(history, 30)
    cluster.mount("node01", "/scratch", 51 * TB)
    fleet = cluster.remember(history, 3)
    (found,) = fleet.of(Mount)
    assert runway(found, history) is None


def test_the_page_of_a_shared_mount(build: Any) -> None:
    cluster = four(build).shared(NODES[:3], "/data", 91 * TB).shared(["node04"], "/data", HUNG, size=HUNG)
    page = mount(cluster.build(), History(), Focus(subject=Subject("mount", ("node04", "/data"))))
    parts = {section.id: section.view for section in page.sections}
    facts = {fact.label: fact.value for fact in parts["facts"].facts}
    assert facts["Hosts that mount it"] == 4 and facts["Used"] == HUNG and facts["Note"] == HUNG.reason
    assert [row.mount.host for row in parts["hosts"].rows] == NODES
    gone = mount(cluster.fleet, History(), Focus(subject=Subject("mount", ("node04", "/gone"))))
    assert "not mounted any more" in gone.text


@pytest.mark.parametrize(
    ("size", "unit", "one"), [(None, "B", 1.0), (268_000_000, "MB", 1e6), (1_500_000_000_000, "GB", 1e9), (0, "B", 1.0)]
)
def test_a_disk_is_drawn_in_the_unit_of_its_size(size: int | None, unit: str, one: float) -> None:
    assert drawn_in(size) == (unit, one)
