"""A file system that hangs on demand: a tiny FUSE server that speaks the kernel's protocol itself.

hungfs.py MOUNTPOINT SOURCE FSTYPE mounts an empty file system and answers for it. Stop this process with SIGSTOP and
every stat or statvfs on the mount blocks, as on a dead file server; SIGCONT, or its end, releases them.
"""

import ctypes
import errno
import os
import struct
import sys
import time

LOOKUP, FORGET, GETATTR, OPEN, STATFS, RELEASE, INIT, OPENDIR, READDIR, RELEASEDIR = 1, 2, 3, 14, 17, 18, 26, 27, 28, 29
BATCH_FORGET, INTERRUPT = 42, 36
DIRECTORY = 0o040755


def attributes() -> bytes:
    """The struct fuse_attr of the one directory there is."""
    now = int(time.time())
    times = struct.pack("<QQQIII", now, now, now, 0, 0, 0)
    return struct.pack("<QQQ", 1, 0, 0) + times + struct.pack("<IIIIIII", DIRECTORY, 2, 0, 0, 0, 4096, 0)


def answer(opcode: int, body: bytes) -> "bytes | int | None":
    """The payload of a reply, an errno, or None where the protocol wants no reply."""
    if opcode == INIT:
        major, minor = struct.unpack_from("<II", body)
        return struct.pack("<IIIIHHIIHHI7I", major, min(minor, 31), 65536, 0, 12, 9, 65536, 1, 0, 0, 0, *[0] * 7)
    if opcode == GETATTR:
        return struct.pack("<QII", 0, 0, 0) + attributes()
    if opcode == STATFS:
        return struct.pack("<QQQQQIIII6I", 1 << 28, 1 << 27, 1 << 27, 1 << 20, 1 << 19, 4096, 255, 4096, 0, *[0] * 6)
    if opcode == OPENDIR:
        return struct.pack("<QII", 0, 0, 0)
    if opcode == READDIR:
        return b""
    if opcode == RELEASEDIR:
        return b""
    if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
        return None
    return errno.ENOENT if opcode == LOOKUP else errno.ENOSYS


def main() -> None:
    """Mount, say so with one line, and serve until unmounted."""
    where, source, fstype = sys.argv[1:4]
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    if libc.mount(source.encode(), where.encode(), fstype.encode(), 6, options.encode()) != 0:  # nosuid, nodev
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    print("mounted", flush=True)
    while True:
        try:
            request = os.read(device, 1 << 17)
        except OSError as error:
            if error.errno in (errno.EINTR, errno.EAGAIN, errno.ENOENT):
                continue
            return  # ENODEV: unmounted
        _, opcode, unique = struct.unpack_from("<IIQ", request)
        reply = answer(opcode, request[40:])
        if reply is None:
            continue
        payload, code = (b"", -reply) if isinstance(reply, int) else (reply, 0)
        os.write(device, struct.pack("<IiQ", 16 + len(payload), code, unique) + payload)


if __name__ == "__main__":
    main()
