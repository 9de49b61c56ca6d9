"""put: leaves a file of ours in ~/.cache/mleconsole on a host, whole or not at all."""

from __future__ import annotations

import re

from mleconsole.model.absent import Absent
from mleconsole.model.plan import Danger
from mleconsole.transport.interface import Transport

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,200}")
# $1 the name, $2 the size. A connection that breaks ends stdin early: only a file of the right size gets its name.
_SCRIPT = (
    'umask 077; d="$HOME/.cache/mleconsole"; mkdir -p "$d" && t="$d/.$1.$$" && trap \'rm -f "$t"\' EXIT && '
    'cat > "$t" && [ "$(wc -c < "$t")" -eq "$2" ] && mv -f "$t" "$d/$1" && printf "%s\\n" "$d/$1"'
)


async def put(transport: Transport, host: str, name: str, content: bytes, *, deadline: float) -> str | Absent:
    """Write `content` as `name` and give its path on the host, or why not. An existing file is replaced at once.

    It is Danger.CHANGES: raises Denied when the console is read-only, and ValueError for a name with a path in it.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a plain file name: {name!r}")
    argv = ("sh", "-c", _SCRIPT, "sh", name, str(len(content)))
    done = await transport.run(host, argv, danger=Danger.CHANGES, deadline=deadline, stdin=content)
    lines = done.text.splitlines()
    if done.ok and lines:
        return lines[-1]  # what a login script prints comes before
    return Absent(f"{name} could not be written on {host}: {done.words()}")
