"""Sampler of mounted file systems in bytes and inodes. Runs inside the agent: stdlib only, Python 3.6."""

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, NamedTuple

    Line = NamedTuple("Line", [("device", str), ("root", str), ("path", str), ("fstype", str), ("source", str)])
else:
    from collections import namedtuple

    Line = namedtuple("Line", "device root path fstype source")

DEADLINE = 2.0  # seconds for one mount
#: File systems that many hosts mount from one place.
NETWORK = set(
    """
    nfs nfs4 lustre gpfs beegfs ceph glusterfs wekafs panfs cifs smb3 smbfs 9p afs orangefs pvfs2 ocfs2 gfs2 quobyte
    vastnfs daosfs juicefs moosefs virtiofs
    """.split()  # noqa: SIM905
)
#: What holds no files of anybody.
PSEUDO = set(
    """
    proc sysfs cgroup cgroup2 devpts devtmpfs debugfs tracefs securityfs pstore bpf mqueue hugetlbfs configfs fusectl
    binfmt_misc autofs rpc_pipefs nsfs nfsd squashfs efivarfs selinuxfs ramfs rootfs iso9660 cvmfs2 fuse.lxcfs
    fuse.portal fuse.gvfsd-fuse fuse.snapfuse fuse.squashfuse fuse.fuse-overlayfs
    """.split()  # noqa: SIM905
)
#: Places of the system and of containers; only file systems of the network are looked at below them.
SYSTEM = re.compile(
    r"/(proc|sys|dev|run|etc|boot|usr|snap|var/run|var/lib/(docker|containers?|containerd|kubelet|snapd|lxc[df]?))(/|$)"
)
#: Where a site puts what everybody sees, be it by a bind mount.
COMMON = ("/home", "/shared", "/work", "/project", "/projects", "/data")


class Missing(Exception):
    """What is asked for is not there; the text says why."""


def absent(reason: str) -> "Dict[str, str]":
    return {"absent": reason}


def parse(text: str) -> "List[Line]":
    """The lines of a mountinfo file; the last of several on one path is the one that is seen."""
    found = {}  # type: Dict[str, Line]
    for line in text.splitlines():
        left, separator, right = line.partition(" - ")
        words, rest = left.split(" "), right.split(" ")
        if not separator or len(words) < 6 or len(rest) < 2:
            continue
        path = plain(words[4])
        found.pop(path, None)
        found[path] = Line(words[2], plain(words[3]), path, rest[0], plain(rest[1]))
    return list(found.values())


def plain(word: str) -> str:
    """Undo mountinfo's octal escapes of blanks."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), word)


def remote(fstype: str) -> bool:
    return fstype in NETWORK or (fstype.startswith("fuse.") and fstype not in PSEUDO)


def chosen(lines: "List[Line]") -> "List[Line]":
    """The mounts worth watching: no pseudo file systems, nothing of the system or of containers, each device once."""
    kept = {}  # type: Dict[Any, Line]
    for line in lines:
        if line.fstype in PSEUDO or (line.fstype == "overlay" and line.path != "/"):
            continue
        if SYSTEM.match(line.path) and not remote(line.fstype):
            continue
        same = (line.device, line.source) if not remote(line.fstype) else (line.source, line.root)
        if same not in kept or len(line.path) < len(kept[same].path):
            kept[same] = line
    return list(kept.values())


def named(lines: "List[Line]", paths: "List[str]") -> "List[Line]":
    """The mounts that a person asked for by path; a path within a mount is told with that mount's numbers."""
    found = []
    for path in paths:
        path = path.rstrip("/") or "/"
        holders = [line for line in lines if path == line.path or path.startswith(line.path.rstrip("/") + "/")]
        holder = max(holders, key=lambda line: len(line.path)) if holders else None
        if holder is None or (holder.path == "/" and path != "/"):
            found.append(Line("", "", path, "", ""))
        else:
            found.append(holder._replace(path=path))
    return found


def numbers(path: str) -> "Any":
    return os.statvfs(path)


def row(line: "Line", answer: "Any") -> "List[Any]":
    """One row of Mount; `answer` is a statvfs or the absence of one."""
    shared, fsid = remote(line.fstype), ""
    if shared:
        fsid = "%s:%s" % (line.fstype, line.source) + ("" if line.root in ("/", "") else ":" + line.root)
    if isinstance(answer, dict):
        return [line.path, line.source, line.fstype, answer, answer, answer, answer, shared, fsid]
    kernel_id = getattr(answer, "f_fsid", 0)  # from Python 3.7 on
    if line.fstype == "tmpfs" and kernel_id:
        # Random for every tmpfs: equal only where hosts (containers of one machine) see the very same one. Those of
        # disks are no such proof: machines made from one image have equal ones.
        fsid = "tmpfs:%x:%s:%s" % (kernel_id, line.source, line.root)
        shared = line.path in COMMON
    unit = answer.f_frsize or answer.f_bsize
    used = (answer.f_blocks - answer.f_bfree) * unit
    # What root alone may use is left out, so that used of size is the Use% of df.
    size = used + answer.f_bavail * unit
    if answer.f_files:
        inodes = [answer.f_files - answer.f_ffree, answer.f_files]  # type: List[Any]
    else:
        inodes = [absent("this file system does not count inodes")] * 2
    return [line.path, line.source, line.fstype, used, size, *inodes, shared, fsid]


def sample_mounts(state: "Dict[str, Any]") -> "List[List[Any]]":
    """Rows of Mount. A mount that hangs is told as such while the others are told their numbers."""
    try:
        with open(state.get("mountinfo", "/proc/self/mountinfo"), encoding="utf-8", errors="replace") as file:
            lines = parse(file.read())
    except OSError as error:
        raise Missing("the mounts can't be read: %s" % error.strerror) from None
    paths = state["options"].get("filesystems") or []
    mounts = named(lines, [str(path) for path in paths]) if paths else chosen(lines)
    ask = state.get("statvfs", numbers)
    calls = [(line, state["call"](line.path, ask, line.path)) if line.fstype else (line, None) for line in mounts]
    rows = []
    for line, call in calls:
        if call is None:
            answer = absent("not mounted on this host")  # type: Any
        else:
            try:
                answer = call.get(DEADLINE)
            except OSError as error:
                answer = absent((error.strerror or str(error)).lower())
            except Exception as error:  # hung
                answer = absent(str(error))
        rows.append(row(line, answer))
    return rows


SAMPLERS = {"mounts": sample_mounts}
