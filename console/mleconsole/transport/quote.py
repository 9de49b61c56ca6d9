"""quote: the one function that turns argv into the line a remote login shell reads, whatever shell that is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

_PLAIN = re.compile(r"[A-Za-z0-9_@%+:,./-]+")
_HARMLESS = re.compile(r"[A-Za-z0-9_@%+=:,./ -]")
_DECODER = 'eval "$(printf %b "$1")"'

#: What `ssh` on the login host is told: never ask, give up soon, notice a dead peer, forward nothing.
SSH_OPTIONS = (
    "-T",
    "-x",
    "-o", "BatchMode=yes",
    "-o", "ConnectTimeout=8",
    "-o", "ServerAliveInterval=10",
    "-o", "ServerAliveCountMax=2",
    "-o", "ControlPath=none",
    "-o", "ClearAllForwardings=yes",
)  # fmt: skip


def quote(argv: Sequence[str]) -> str:
    """The command line that gives exactly `argv` in bash, dash (any POSIX sh) and tcsh.

    The first word is quoted unless it is a path: no shell takes it for a keyword or an assignment, nor tcsh for an
    alias. `!` stands outside quotes, where both families read `\\!` alike. A newline can't be said in words that both
    read alike, so argv with one is handed to `sh` in printf escapes. Raises ValueError for NUL, lone surrogates and
    an empty argv.
    """
    if not argv:
        raise ValueError("there is no command to run: argv is empty")
    for word in argv:
        if "\0" in word:
            raise ValueError(f"a NUL byte can't be in a command line: {word!r}")
        try:
            word.encode()
        except UnicodeEncodeError:
            raise ValueError(f"not valid Unicode, so it can't be in a command line: {word!r}") from None
    if any("\n" in word for word in argv):
        return f"'sh' -c {_word(_DECODER)} sh '{_escapes(shlex.join(argv))}'"
    first = argv[0] if "/" in argv[0] and _PLAIN.fullmatch(argv[0]) else _quoted(argv[0])
    return " ".join((first, *map(_word, argv[1:])))


def unquote(line: str) -> tuple[str, ...]:
    """The argv that `quote` was given, from its line. Raises ValueError for a line that no shell would read."""
    words = shlex.split(line)
    if len(words) == 5 and words[:4] == ["sh", "-c", _DECODER, "sh"]:
        octal = re.sub(r"\\0([0-7]{3})", lambda found: chr(int(found[1], 8)), words[4])
        return tuple(shlex.split(octal.encode("latin-1").decode()))
    return tuple(words)


def relay_argv(host: str, argv: Sequence[str]) -> tuple[str, ...]:
    """argv that runs `argv` on `host` by the ssh program of the machine it is run on (the login host)."""
    return ("ssh", *SSH_OPTIONS, "--", _destination(host), quote(argv))


def _destination(host: str) -> str:
    if not host or host.startswith("-") or any(c.isspace() or not c.isprintable() for c in host):
        raise ValueError(f"not the name of a host: {host!r}")
    return host


def _word(word: str) -> str:
    return word if _PLAIN.fullmatch(word) else _quoted(word)


def _quoted(word: str) -> str:
    inside = word.replace("'", "'\"'\"'").replace("!", "'\\!'")
    return f"'{inside}'"


def _escapes(text: str) -> str:
    """`text` for `printf %b` within single quotes of any shell: all but harmless characters as octal bytes."""
    return "".join(c if _HARMLESS.fullmatch(c) else "".join(f"\\0{byte:03o}" for byte in c.encode()) for c in text)
