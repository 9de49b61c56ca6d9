"""Entries: the entry points of one group, as `importlib.metadata` finds them but without its imports (20 ms at start).

The place and the form of `entry_points.txt` are the packaging standard's. Where something else than plain folders is
on the path (a zip, an import hook that brings distributions), the standard library is asked after all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.machinery import PathFinder
from operator import attrgetter
from typing import Any, NamedTuple

_SUFFIXES = (".dist-info", ".egg-info")


class Entry(NamedTuple):
    """`value` is `module:attribute`, or a module alone."""

    name: str
    value: str

    def load(self) -> Any:
        """Import what it names; raises what that import raises."""
        module, _, attribute = self.value.partition(":")
        found = import_module(module.strip())
        attribute = attribute.partition("[")[0].strip()
        return attrgetter(attribute)(found) if attribute else found


def entries(group: str) -> list[Entry]:
    """Every entry point of `group`, by name; of two distributions of one name the first on the path counts."""
    found = _of_folders(group, sys.path) if _plain() else _of_library(group)
    return sorted(found, key=lambda entry: entry.name)


def _plain() -> bool:
    """Whether folders on `sys.path` are all there is to look at."""
    hooks = (finder for finder in sys.meta_path if finder is not PathFinder)
    return not any(hasattr(finder, "find_distributions") for finder in hooks) and not any(map(os.path.isfile, sys.path))


def _of_library(group: str) -> list[Entry]:
    from importlib.metadata import entry_points

    return [Entry(entry.name, entry.value) for entry in entry_points(group=group)]


def _of_folders(group: str, path: Sequence[str]) -> list[Entry]:
    found: dict[str, list[Entry]] = {}
    for folder in path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if name.lower().endswith(_SUFFIXES):
                distribution = name.rpartition(".")[0].partition("-")[0].replace(".", "_").lower()
                if distribution not in found:
                    found[distribution] = list(_of_file(os.path.join(folder or ".", name, "entry_points.txt"), group))
    return [entry for entries in found.values() for entry in entries]


def _of_file(file: str, group: str) -> Iterator[Entry]:
    try:
        with open(file, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, ValueError):  # most distributions have none
        return
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif section == group and line and not line.startswith("#"):
            name, equals, value = line.partition("=")
            if equals:
                yield Entry(name.strip(), value.strip())
