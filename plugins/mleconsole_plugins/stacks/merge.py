"""Merge: many stacks to few classes. Stacks are one class when their functions and files are the same from end to end;
line numbers may differ and are shown as far as they agree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mleconsole_plugins.stacks.parse import Frame

_SITE = re.compile(r"^.*/(?:site|dist)-packages/")
_STDLIB = re.compile(r"^.*/lib/python\d[\d.]*/")
_HEX = re.compile(r"0x[0-9a-fA-F]+")


class Spot(NamedTuple):
    """A frame of a class: its function, file and every line seen there."""

    function: str
    file: str
    lines: tuple[int, ...]

    def __str__(self) -> str:
        lines = [str(line) for line in self.lines if line]
        where = (
            f"{self.file}:{lines[0]}"
            if len(lines) == 1
            else f"{self.file}:{lines[0]}-{lines[-1]}"
            if lines
            else self.file
        )
        return f"{self.function} ({where})" if where else self.function


class Class(NamedTuple):
    """Stacks that are the same: labels of their owners, and the frames, innermost first."""

    labels: tuple[str, ...]
    spots: tuple[Spot, ...]


def normal(frames: Iterable[Frame]) -> tuple[Frame, ...]:
    """Frames without install prefixes, addresses and repeated recursion."""
    found: list[Frame] = []
    for frame in frames:
        file = _STDLIB.sub("", _SITE.sub("", frame.file))
        function = _HEX.sub("0x", frame.function)
        if found and found[-1].function == function and found[-1].file == file:
            continue
        found.append(Frame(function, file, frame.line))
    return tuple(found)


def classes(stacks: Mapping[str, Sequence[Frame]]) -> list[Class]:
    """{label: frames} to classes, the smallest first: what few ranks do is what one looks for."""
    groups: dict[tuple[tuple[str, str], ...], list[tuple[str, tuple[Frame, ...]]]] = {}
    for label, frames in stacks.items():
        plain = normal(frames)
        groups.setdefault(tuple((frame.function, frame.file) for frame in plain), []).append((label, plain))
    found = []
    for signature, members in groups.items():
        spots = tuple(
            Spot(function, file, tuple(sorted({frames[depth].line for _, frames in members})))
            for depth, (function, file) in enumerate(signature)
        )
        found.append(Class(tuple(label for label, _ in members), spots))
    return sorted(found, key=lambda one: (len(one.labels), _first(one.labels)))


def _first(labels: Sequence[str]) -> tuple[int, str]:
    numbers = [int(label.split()[-1]) for label in labels if label.split()[-1:] and label.split()[-1].isdigit()]
    return (min(numbers) if numbers else 0, labels[0] if labels else "")


def ranges(numbers: Iterable[int]) -> str:
    """`0-1,3` for 0, 1, 3."""
    runs: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)


def fold_labels(labels: Sequence[str]) -> str:
    """`rank 0`, `rank 1`, `rank 3` -> `ranks 0-1,3`; other labels are listed."""
    numbers: dict[str, list[int]] = {}
    rest: list[str] = []
    for label in labels:
        word, _, number = label.rpartition(" ")
        if word == "rank" and number.isascii() and number.isdigit():
            numbers.setdefault(word, []).append(int(number))
        else:
            rest.append(label)
    parts = [f"{word}{'s' * (len(found) > 1)} {ranges(found)}" for word, found in numbers.items()]
    return ", ".join(parts + rest)
