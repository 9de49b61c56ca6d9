"""Known hosts: every file read once, asked per host; tells a key that is known from unknown, changed and revoked."""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from mleconsole.transport.sshconfig import matches

OWN_FILE = "known_hosts"


class Verdict(Enum):
    KNOWN = "known"
    UNKNOWN = "unknown"  # no file names this host: a person may accept the key
    CHANGED = "changed"  # files name this host with other keys: never accepted here
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public host key: its type ("ssh-ed25519") and the bytes that follow in base64 in known_hosts."""

    type: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """SHA256:..., as ssh writes it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def short(self) -> str:
        """ED25519, RSA, ECDSA: the word that ssh uses for the type."""
        return self.type.removeprefix("sk-").removeprefix("ssh-").split("@")[0].split("-")[0].upper()

    @property
    def text(self) -> str:
        """The two words of an OpenSSH public key line."""
        return f"{self.type} {base64.b64encode(self.blob).decode()}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a known_hosts file. `marker` is "", "cert-authority" or "revoked"."""

    marker: str
    key: HostKey
    file: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.file} line {self.line}"


@dataclass(frozen=True, slots=True)
class Known:
    """What the files say about one host."""

    keys: tuple[Entry, ...] = ()
    authorities: tuple[Entry, ...] = ()
    revoked: tuple[Entry, ...] = ()
    other: tuple[Entry, ...] = ()  # keys of the same host without its port: good when they match, no proof otherwise

    @property
    def named(self) -> bool:
        return bool(self.keys or self.authorities)

    def judge(self, key: HostKey) -> tuple[Verdict, Entry | None]:
        """The verdict on a plain host key, with the line that it rests on (an arbitrary one of several)."""
        for entry in self.revoked:
            if entry.key == key:
                return Verdict.REVOKED, entry
        for entry in self.keys + self.other:
            if entry.key == key:
                return Verdict.KNOWN, entry
        if self.keys:
            same = [entry for entry in self.keys if entry.key.type == key.type]
            return Verdict.CHANGED, (same or self.keys)[0]
        return Verdict.UNKNOWN, None


def host_pattern(host: str, port: int = 22) -> str:
    """A host as known_hosts writes it: host, or [host]:port for another port than 22."""
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


class KnownHosts:
    """The entries of some known_hosts files, indexed; never changed once it is made, so that threads may make it."""

    def __init__(self, files: Iterable[Path] = (), text: str = "", name: str = "") -> None:
        """Read `files` in their order, and `text`, which is called `name` in sentences.

        A file that does not exist or can't be read is empty; lines that can't be read are skipped, as ssh does.
        """
        self.files = tuple(dict.fromkeys(files))
        self._exact: dict[str, list[Entry]] = {}
        self._hashed: list[tuple[bytes, bytes, Entry]] = []  # salt, digest, entry
        self._patterns: list[tuple[list[str], Entry]] = []
        self._found: dict[str, Known] = {}
        self._stamps = [_stamp(file) for file in self.files]
        for file in self.files:
            try:
                self._load(file.read_text(errors="replace"), str(file))
            except OSError:
                continue
        self._load(text, name)

    def changed(self) -> bool:
        """True when a file on disk differs from what was read (one stat per file)."""
        return [_stamp(file) for file in self.files] != self._stamps

    @property
    def slow(self) -> bool:
        """True when a look-up takes a while (3 microseconds for each hashed line): it belongs in a thread then."""
        return len(self._hashed) > 300

    def about(self, *names: str) -> Known:
        """What is known of a host under any of its names (aliases, host_pattern(host, port))."""
        keys: dict[str, list[Entry]] = {"": [], "cert-authority": [], "revoked": []}
        for name in dict.fromkeys(names):
            known = self._about(name.lower())
            keys[""] += known.keys
            keys["cert-authority"] += known.authorities
            keys["revoked"] += known.revoked
        return Known(tuple(keys[""]), tuple(keys["cert-authority"]), tuple(keys["revoked"]))

    def _load(self, text: str, file: str) -> None:
        for number, line in enumerate(text.splitlines(), 1):
            parsed = _parse(line, file, number)
            if parsed is None:
                continue
            names, entry = parsed
            if names.startswith("|1|"):
                try:
                    salt, digest = (base64.b64decode(part) for part in names[3:].split("|"))
                except (ValueError, binascii.Error):
                    continue
                self._hashed.append((salt, digest, entry))
            elif any(c in names for c in "*?!"):
                self._patterns.append((names.split(","), entry))
            else:
                for name in names.lower().split(","):
                    self._exact.setdefault(name, []).append(entry)

    def _about(self, name: str) -> Known:
        if name not in self._found:
            entries = list(self._entries(name))
            self._found[name] = Known(
                tuple(e for e in entries if not e.marker),
                tuple(e for e in entries if e.marker == "cert-authority"),
                tuple(e for e in entries if e.marker == "revoked"),
            )
        return self._found[name]

    def _entries(self, name: str) -> Iterator[Entry]:
        yield from self._exact.get(name, ())
        for patterns, entry in self._patterns:
            if matches(name, patterns):
                yield entry
        for salt, digest, entry in self._hashed:
            if hmac.digest(salt, name.encode(), "sha1") == digest:
                yield entry


def remember(file: Path, pattern: str, key: HostKey) -> None:
    """Append one line to our own known_hosts file: private, made when missing, safe beside other consoles.

    Raises OSError when it can't be written.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, ("\n" if torn else "").encode() + f"{pattern} {key.text}\n".encode())
    finally:
        os.close(descriptor)


def own_file() -> Path:
    """Where the keys that people accepted in the console are kept."""
    import platformdirs

    return Path(platformdirs.user_data_dir("mleconsole", appauthor=False)) / OWN_FILE


def _parse(line: str, file: str, number: int) -> tuple[str, Entry] | None:
    words = line.split(None, 4)
    if not words or words[0].startswith("#"):
        return None
    marker = ""
    if words[0].startswith("@"):
        marker = words.pop(0)[1:]
        if marker not in ("cert-authority", "revoked"):
            return None
    if len(words) < 3:
        return None
    try:
        blob = base64.b64decode(words[2], validate=True)
    except (ValueError, binascii.Error):
        return None
    length = int.from_bytes(blob[:4], "big")
    if blob[4 : 4 + length] != words[1].encode():  # the blob names its own type: anything else is damage
        return None
    return words[0], Entry(marker, HostKey(words[1], blob), file, number)


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size
