"""Text: how the answers of squeue and sinfo are cut into records and fields, and how their failures are said."""

from __future__ import annotations

from collections.abc import Iterable

from mleconsole.api import Completed, ProbeTrouble

#: Between fields. A job's name may hold it, so free text stands last in every format and keeps what is left over.
UNIT = "\x1f"
#: Between fields that are read together.
GROUP = "\x1d"
#: Ends a record; names may hold line breaks.
RECORD = "\x1e\n"

_PREFIXES = ("slurm_load_jobs error: ", "slurm_load_node: ", "slurm_load_partitions: ", "error: ")


def columns(names: Iterable[str], group: Iterable[str] = ()) -> str:
    """The value of --Format: every field whole and unpadded, UNIT between them (GROUP after those that are in `group`
    and not its last), RECORD's first byte at the end."""
    given, inner = list(names), list(group)[:-1]
    ends = [GROUP if name in inner else UNIT for name in given[:-1]] + [RECORD[0]]
    return ",".join(f"{name}:{end}" for name, end in zip(given, ends, strict=True))


def records(text: str, command: str) -> list[str]:
    """The records of an answer, without their ends. Raises ProbeTrouble for one that was cut off."""
    if not text:
        return []
    found = text.split(RECORD)
    if found.pop():
        raise ProbeTrouble(f"{command}: its answer ends in the middle of a line; it is asked again")
    return found


def answered(done: Completed, command: str) -> str:
    """The answer's text. Raises ProbeTrouble with the tool's own words when it failed."""
    if done.ok:
        return done.text
    words = done.words()
    if "rror:" in words:
        words = words.partition("rror:")[2].strip()
    for prefix in _PREFIXES:
        words = words.removeprefix(prefix)
    raise ProbeTrouble(f"{command}: {words}")
