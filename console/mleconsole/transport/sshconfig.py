"""A small reader of ssh_config for machines without an ssh program: Host blocks and the options that we use."""

from __future__ import annotations

import re
import shlex
from fnmatch import fnmatchcase
from pathlib import Path

#: Options of which every occurrence counts, not the first alone.
_MANY = frozenset({"identityfile", "certificatefile"})


def read_config(host: str, ssh_config: str = "") -> dict[str, list[str]]:
    """{keyword in lower case: values} for `host` from `ssh_config`, else from ~/.ssh/config and /etc/ssh/ssh_config.

    As in ssh the first value of an option wins. `Match` blocks are taken for not matching, `Include` is followed.
    """
    files = [Path(ssh_config)] if ssh_config else [Path("~/.ssh/config"), Path("/etc/ssh/ssh_config")]
    answers: dict[str, list[str]] = {}
    for file in files:
        _read(file.expanduser(), host, answers, depth=0)
    if "hostname" in answers:
        answers["hostname"] = [answers["hostname"][0].replace("%h", host)]
    return answers


def _read(file: Path, host: str, answers: dict[str, list[str]], depth: int) -> None:
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        return
    applies = True
    for line in lines:
        found = re.match(r"\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*?)\s*$", line)
        if found is None:
            continue
        keyword, rest = found[1].lower(), found[2]
        if keyword == "host":
            applies = matches(host, words(rest))
        elif keyword == "match":
            applies = words(rest) == ["all"]
        elif applies and keyword == "include" and depth < 16:
            for other in included(file, rest):
                _read(other, host, answers, depth + 1)
        elif applies and (keyword in _MANY or keyword not in answers):
            said = words(rest)
            value = (
                rest if keyword in ("proxycommand", "userknownhostsfile", "globalknownhostsfile") else "".join(said[:1])
            )
            answers.setdefault(keyword, []).append(value)


def included(file: Path, patterns: str) -> list[Path]:
    """The files that an `Include` line of `file` names."""
    found: list[Path] = []
    for pattern in words(patterns):
        base = Path(pattern).expanduser()
        base = base if base.is_absolute() else file.parent / base
        found += sorted(base.parent.glob(base.name))
    return found


def matches(host: str, patterns: list[str]) -> bool:
    """True when one of `patterns` matches `host` and none of those with a leading `!` does."""
    host = host.lower()
    hits = [pattern for pattern in patterns if fnmatchcase(host, pattern.removeprefix("!").lower().replace("[", "[[]"))]
    return bool(hits) and not any(pattern.startswith("!") for pattern in hits)


def words(text: str) -> list[str]:
    """The words of a line; none of one that ssh would refuse."""
    try:
        return shlex.split(text, comments=True)
    except ValueError:  # an open quote: ssh would refuse the line; it matches nothing here
        return []
