"""One row for each file system: a shared one is told once, whatever number of hosts mount it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from mleconsole.api import Absent, Fleet, Host, Mount, known
from mleconsole.api.tools import FRESH_SECONDS, fold_names, natural

ON_CHANGE_SECONDS = 60.0  # an unchanged answer travels once a minute


class Disk(NamedTuple):
    """A file system as the pane shows it: the mount that speaks for it and all hosts that see it so."""

    mount: Mount
    hosts: tuple[str, ...]  # sorted
    host_words: str  # folded
    reason: str = ""  # why a host's row has no mount


def fresh_mounts(fleet: Fleet, host: str) -> bool:
    """Whether that host's mounts were told lately enough to be judged."""
    age = fleet.slot_age(Mount, host)
    return known(age) and age <= FRESH_SECONDS + ON_CHANGE_SECONDS


@lru_cache(maxsize=2)  # the same snapshot is asked by three rules and by the pane
def fold(fleet: Fleet, flat: bool = False) -> tuple[Disk, ...]:
    """Shared mounts by (fsid, path) as one row, those that do not answer apart from those that do; `flat`: per host."""
    single: list[Disk] = []
    groups: dict[tuple[str, str, str], list[Mount]] = {}
    names = sorted(fleet.hosts(Mount), key=natural)
    for host in names:
        for mount in fleet.on(Mount, host).values():
            if flat or not (mount.shared and mount.fsid):
                single.append(Disk(mount, (host,), host))
                continue
            trouble = mount.used_bytes.reason if isinstance(mount.used_bytes, Absent) else ""
            groups.setdefault((mount.fsid, mount.path, trouble), []).append(mount)
    live = {host.name for host in fleet.of(Host) if host.state == "live"}
    shared = []
    for mounts in groups.values():
        speaker = min(mounts, key=lambda mount: (mount.host not in live, _age(fleet, mount)))
        hosts = tuple(mount.host for mount in mounts)
        shared.append(Disk(speaker, hosts, fold_names(hosts)))
    return (*sorted(shared, key=lambda disk: (disk.mount.path, disk.hosts)), *single)


def _age(fleet: Fleet, mount: Mount) -> float:
    """Age in whole minutes, so that the host that speaks for a file system does not change with every answer."""
    age = fleet.slot_age(Mount, mount.host)
    return age // 150 if known(age) else float("inf")
