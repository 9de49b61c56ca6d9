"""Rules on disks: nearly full in bytes or inodes, and mounts that do not answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mleconsole.api import Absent, Alert, Fleet, History, Mount, Rule, Severity, known
from mleconsole.api.tools import amount, count, duration, percent, short_name
from mleconsole_plugins.disks.folding import Disk, fold, fresh_mounts
from mleconsole_plugins.disks.runway import runway

WARN_PERCENT = 80.0  # distributed file systems stop being reliable from 80 % on (book, D3)
SCRATCH_PERCENT = 75.0  # a fast-filling scratch is warned about earlier (book, D1: fs-watchdog at 0.75)
CRITICAL_PERCENT = 95.0  # root's reserve on ext4 is 5 %: beyond it writes begin to fail
#: Full by nature: images that are only read.
READ_ONLY_TYPES = frozenset(("squashfs", "iso9660", "erofs", "cramfs", "udf"))
#: Reasons for unknown numbers that are no fault of the file system.
HARMLESS = ("permission denied", "operation not permitted", "not mounted")


def warn_at(mount: Mount) -> float:
    """Per cent from which this mount is worth a warning: 75 for a shared scratch, else 80."""
    return SCRATCH_PERCENT if mount.shared and "scratch" in mount.path.lower() else WARN_PERCENT


def level(mount: Mount, share: object) -> Severity | None:
    """What `share` per cent (of bytes or inodes) means for this mount; None when it is quiet or unknown."""
    if not isinstance(share, float) or mount.fstype in READ_ONLY_TYPES:
        return None
    if share >= CRITICAL_PERCENT:
        return Severity.CRITICAL
    return Severity.WARNING if share >= warn_at(mount) else None


def unanswering(mount: Mount) -> str:
    """The reason why a mount that should answer does not (hung, stale handle, I/O error), else ""."""
    if not isinstance(mount.used_bytes, Absent):
        return ""
    reason = mount.used_bytes.reason
    return "" if any(word in reason.lower() for word in HARMLESS) else reason


def place(disk: Disk) -> str:
    """`/scratch`, or with its host where it is that host's own: `node03 /tmp`."""
    return disk.mount.path if len(disk.hosts) > 1 else f"{short_name(disk.hosts[0])} {disk.mount.path}"


def _fresh(fleet: Fleet) -> Iterable[Disk]:
    return (disk for disk in fold(fleet) if any(fresh_mounts(fleet, host) for host in disk.hosts))


def disk_full(fleet: Fleet, history: History) -> Iterator[Alert]:
    """Bytes: 80 % warns (75 % on a shared scratch), 95 % is critical; with the runway where it fills."""
    for disk in _fresh(fleet):
        mount = disk.mount
        share = percent(mount.used_bytes, mount.size_bytes)
        found = level(mount, share)
        if found is None or not known(mount.used_bytes) or not known(mount.size_bytes):
            continue
        fills = runway(mount, history)
        then = f", full in {duration(fills.seconds)} at {amount(fills.rate * 3600)}/h" if fills is not None else ""
        left = f", {amount(max(0, mount.size_bytes - mount.used_bytes))} left"
        yield Alert(
            found,
            mount.subject,
            f"{place(disk)}: {share:.0f} % full{then}{left}",
            evidence=(f"{mount.fstype} {mount.source}", disk.host_words),
            host=disk.host_words,
        )


def inodes_full(fleet: Fleet, history: History) -> Iterator[Alert]:
    """Inodes, at the same levels: no file can be made when they are gone, however many bytes are free (book, D4)."""
    for disk in _fresh(fleet):
        mount = disk.mount
        share = percent(mount.inodes_used, mount.inodes_total)
        found = level(mount, share)
        if found is None or not known(mount.inodes_used) or not known(mount.inodes_total):
            continue
        left = count(max(0, mount.inodes_total - mount.inodes_used), "file")
        yield Alert(
            found,
            mount.subject,
            f"{place(disk)}: {share:.0f} % of its inodes used, room for {left}",
            evidence=(f"{mount.fstype} {mount.source}", disk.host_words),
            host=disk.host_words,
        )


def mount_hung(fleet: Fleet, history: History) -> Iterator[Alert]:
    """A mount that does not answer: whatever touches it waits in D state."""
    for disk in _fresh(fleet):
        if reason := unanswering(disk.mount):
            where = disk.host_words if len(disk.hosts) > 1 else short_name(disk.hosts[0])
            yield Alert(
                Severity.CRITICAL,
                disk.mount.subject,
                f"{where} {disk.mount.path}: {reason}; programs that touch it hang or fail",
                evidence=(f"{disk.mount.fstype} {disk.mount.source}",),
                host=disk.host_words,
            )


RULES = (Rule("disk_full", disk_full), Rule("inodes_full", inodes_full), Rule("mount_hung", mount_hung))
