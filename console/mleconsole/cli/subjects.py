"""Words of the command line -> Subjects: `48213`, `node03`, `node03:3` (a GPU), `node03:/scratch` (a mount)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mleconsole.api import Fleet, Kind, Subject
from mleconsole.cli.stop import FOUND, Stop
from mleconsole.config.words import did_you_mean, quoted

SHOWN = 5


def matches(fleet: Fleet, kinds: Mapping[str, Kind], names: Sequence[str], word: str) -> list[Subject]:
    """The subjects of kinds `names` that `word` may mean: its whole key joined by `:`, else the last part of its key.

    The kinds are tried in their order; the first that has one wins.
    """
    for name in names:
        kind = kinds.get(name)
        if kind is None:
            continue
        whole: dict[Subject, None] = {}
        last: dict[Subject, None] = {}
        for record in fleet.of(kind):
            key = record.key
            if ":".join(key) == word:
                whole[Subject(name, key)] = None
            elif key and key[-1] == word:
                last[Subject(name, key)] = None
        if whole or last:
            return list(whole or last)
    return []


def find(fleet: Fleet, kinds: Mapping[str, Kind], names: Sequence[str], word: str) -> Subject:
    """The one subject that `word` means; Stop(1) with a sentence when there is none, or more than one."""
    noun = " or ".join(name.replace("_", " ") for name in names) or "thing"
    found = matches(fleet, kinds, names, word)
    if not found:
        known = [":".join(record.key) for name in names if name in kinds for record in fleet.of(kinds[name])]
        raise Stop(FOUND, f"there is no {noun} {quoted(word)} in what the cluster told{did_you_mean(word, known)}")
    if len(found) > 1:
        named = ", ".join(":".join(subject.key) for subject in found[:SHOWN])
        more = ", ..." if len(found) > SHOWN else ""
        raise Stop(FOUND, f"{quoted(word)} may be any of {len(found)}: {named}{more}; write one of these")
    return found[0]
