"""The mounts sampler: which mounts, which numbers, and what hangs."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from mleconsole.agent.calls import Calls
from mleconsole.api import Absent, Mount
from mleconsole_plugins.disks import remote
from mleconsole_plugins.disks.probes import KEEPS, PROBES, parse_mounts

MOUNTINFO = """\
20 1 259:2 / / rw,relatime - ext4 /dev/nvme0n1p2 rw
21 20 0:5 / /dev rw - devtmpfs devtmpfs rw
22 21 0:20 / /dev/shm rw - tmpfs tmpfs rw
23 20 0:21 / /run rw - tmpfs tmpfs rw
24 20 0:4 / /proc rw - proc proc rw
25 20 259:1 / /boot/efi rw - vfat /dev/nvme0n1p1 rw
26 20 259:3 / /local rw - xfs /dev/nvme1n1 rw
27 20 259:3 /cache /var/cache/shared rw - xfs /dev/nvme1n1 rw
28 20 0:50 / /home rw - nfs4 storage:/export/home rw
29 20 0:51 / /lustre rw - lustre 10.0.0.1@o2ib:/fs rw
30 20 0:52 / /scratch rw - tmpfs scratch rw
31 20 0:53 / /mnt/with\\040blank rw - fuse.sshfs store:/x rw
32 20 0:54 / /var/lib/docker/overlay2/abc/merged rw - overlay overlay rw
33 20 7:0 / /snap/core/1 ro - squashfs /dev/loop0 ro
34 20 0:55 / /usr/local rw - nfs storage:/export/local rw
35 20 0:56 / /mnt/auto rw - autofs systemd-1 rw
36 35 0:57 / /mnt/auto rw - nfs storage:/export/auto rw
a line that is none
"""


def numbers(blocks: int = 1000, free: int = 400, avail: int = 300, files: int = 100, fsid: int = 0) -> Any:
    return SimpleNamespace(
        f_frsize=4096,
        f_bsize=4096,
        f_blocks=blocks,
        f_bfree=free,
        f_bavail=avail,
        f_files=files,
        f_ffree=40,
        f_fsid=fsid,
    )


@pytest.fixture
def state(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTINFO)
    return {"options": {}, "call": Calls(), "mountinfo": str(path), "statvfs": lambda path: numbers()}


def sample(state: dict[str, Any], host: str = "node01") -> dict[str, Mount]:
    raw = msgspec.json.encode(remote.sample_mounts(state))
    (records,) = parse_mounts(raw, host).records.values()
    assert all(key == (host, record.path) for key, record in records.items())
    return {record.path: record for record in records.values()}


def test_what_holds_files_is_told_and_nothing_else(state: dict[str, Any]) -> None:
    paths = ["/", "/home", "/local", "/lustre", "/mnt/auto", "/mnt/with blank", "/scratch", "/usr/local"]
    found = sample(state)
    assert sorted(found) == paths
    assert found["/mnt/auto"].fstype == "nfs", "the file system on top of its automounter"


def test_numbers_are_those_of_df(state: dict[str, Any]) -> None:
    record = sample(state)["/"]
    assert (record.used_bytes, record.size_bytes) == (600 * 4096, 900 * 4096), "what root keeps for itself is no room"
    assert (record.inodes_used, record.inodes_total) == (60, 100)
    assert (record.source, record.fstype, record.shared, record.fsid) == ("/dev/nvme0n1p2", "ext4", False, "")


def test_no_inode_count_is_no_zero(state: dict[str, Any]) -> None:
    state["statvfs"] = lambda path: numbers(files=0)
    record = sample(state)["/"]
    assert record.inodes_used == record.inodes_total == Absent("this file system does not count inodes")


def test_file_systems_of_the_network_are_shared_under_one_name(state: dict[str, Any]) -> None:
    one, other = sample(state, "node01"), sample(state, "node02")
    for path in ("/home", "/lustre", "/usr/local", "/mnt/with blank"):
        assert one[path].shared and one[path].fsid == other[path].fsid != ""
    assert len({record.fsid for record in one.values() if record.shared}) == 5


def test_a_tmpfs_is_shared_only_where_it_is_the_very_same(state: dict[str, Any], tmp_path: Path) -> None:
    text = "30 20 0:52 / /scratch rw - tmpfs scratch rw\n31 20 0:40 / /home rw - tmpfs home rw\n"
    Path(state["mountinfo"]).write_text(text)
    state["statvfs"] = lambda path: numbers(fsid=7 if path == "/home" else 1)
    one = sample(state)
    state["statvfs"] = lambda path: numbers(fsid=7 if path == "/home" else 2)
    other = sample(state)
    assert one["/home"].shared and one["/home"].fsid == other["/home"].fsid
    assert not one["/scratch"].shared and one["/scratch"].fsid != other["/scratch"].fsid


def test_equal_disks_of_two_hosts_are_never_one(state: dict[str, Any]) -> None:
    state["statvfs"] = lambda path: numbers(fsid=99)  # both made from one image
    assert sample(state)["/"].fsid == "" and sample(state)["/local"].fsid == ""


def test_options_narrow_it_down(state: dict[str, Any]) -> None:
    state["options"] = {"filesystems": ["/home/", "/lustre/project", "/gone", "/"]}
    found = sample(state)
    assert list(found) == ["/home", "/lustre/project", "/gone", "/"]
    assert found["/lustre/project"].fstype == "lustre"
    assert found["/gone"].used_bytes == Absent("not mounted on this host")


def test_an_error_of_one_is_told_in_its_own_cells(state: dict[str, Any]) -> None:
    def refuse(path: str) -> Any:
        if path == "/lustre":
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return numbers()

    state["statvfs"] = refuse
    found = sample(state)
    assert found["/lustre"].size_bytes == Absent("permission denied")
    assert found["/"].size_bytes == 900 * 4096


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_hung_mount_hangs_alone_in_one_thread(
    state: dict[str, Any], gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "DEADLINE", 0.2)
    asked: list[str] = []

    def ask(path: str) -> Any:
        asked.append(path)
        if path == "/lustre":
            gate.wait()
        return numbers()

    state["statvfs"] = ask
    for _ in range(3):
        found = sample(state)
        lustre = found.pop("/lustre")
        assert lustre.used_bytes == lustre.inodes_total == Absent("did not answer within 0.2 s (hung)")
        assert lustre.shared and lustre.fsid == "lustre:10.0.0.1@o2ib:/fs"
        assert all(record.used_bytes == 600 * 4096 for record in found.values())
    assert asked.count("/lustre") == 1
    assert asked.count("/") == 3
    gate.set()
    while isinstance(sample(state)["/lustre"].used_bytes, Absent):
        pass
    assert asked.count("/lustre") >= 1


def test_this_machine(state: dict[str, Any]) -> None:
    own = {"options": {}, "call": Calls()}
    there = os.statvfs("/")
    root = sample(own)["/"]
    assert isinstance(root.size_bytes, int) and 0 < root.size_bytes <= there.f_blocks * there.f_frsize


def test_what_the_plugin_takes_from_here() -> None:
    assert [(probe.id, probe.sampler, probe.on_change) for probe in PROBES] == [("mounts", "mounts", True)]
    assert {keep.field for keep in KEEPS} >= {"used_bytes"}
    assert all(keep.field in Mount.__struct_fields__ for keep in KEEPS)
