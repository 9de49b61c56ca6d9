"""YAML bytes -> plain values and the line each stands on. Whatever the bytes are, the only error is Wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import inf, nan
from typing import Any

Path = tuple[str | int, ...]

LIMIT_BYTES = 1 << 20
LIMIT_VALUES = 20_000
LIMIT_DEPTH = 32


class Wrong(Exception):
    """One thing that is wrong with a file: a sentence without its place, and the place (a path, or a line)."""

    def __init__(self, sentence: str, path: Path = (), line: int = 0) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.path = path
        self.line = line


class Document:
    """The plain value of a file (dict, list, str, int, float, bool, None) and `line(path)` of each value in it."""

    def __init__(self, value: Any, lines: Mapping[Path, int]) -> None:
        self.value = value
        self._lines = lines

    def line(self, path: Path) -> int:
        """The line of the value at `path`, or of the nearest one around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def read(content: bytes) -> Document:
    """Read one YAML document; aliases, tags and merge keys are not for configuration and are refused."""
    if len(content) > LIMIT_BYTES:
        raise Wrong(f"is larger than {LIMIT_BYTES // 1024} KiB, which no configuration is")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Wrong("is not UTF-8 text", line=content.count(b"\n", 0, error.start) + 1) from None
    return _plain(text) or _Reader().read(text)


#: `key: word`, where the word begins with a letter or a slash, so that it is no number, date or other sort of value.
_LINE = re.compile(r"([a-z_]+):[ ]+([A-Za-z/][A-Za-z0-9_./@-]*(?::[0-9]+)?)[ ]*")
_REMARK = re.compile(r"(?:[ ]*|#[ -~]*)")
_NO_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})


def _plain(text: str) -> Document | None:
    """What most files are, lines of `key: word`, read without the library, whose import alone takes 30 ms; None for
    any file that has something else in it, be it right or wrong. That both give the same is a test."""
    found: dict[str, Any] = {}
    lines: dict[Path, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if _REMARK.fullmatch(line):
            continue
        match = _LINE.fullmatch(line)
        if match is None or match[1] in found or {match[1], match[2].lower()} & _NO_TEXT:
            return None
        lines.setdefault((), number)
        lines[(match[1],)] = number
        found[match[1]] = match[2]
    return Document(found, lines) if found else None


class _Reader:
    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.seen: set[int] = set()

    def read(self, text: str) -> Document:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        try:
            node = YAML(typ="safe", pure=True).compose(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = " ".join(str(error.problem or error.context or "it can't be read").split())
            raise Wrong(f"is not YAML: {problem}", line=mark.line + 1 if mark else 0) from None
        except YAMLError as error:
            raise Wrong("is not YAML: " + " ".join(str(getattr(error, "reason", error)).split())) from None
        except RecursionError:
            raise Wrong("is not a configuration: it is nested too deeply") from None
        except Exception as error:  # the library's own slips on hostile text are the file's fault to a person
            raise Wrong(f"is not YAML: {type(error).__name__}") from None
        return Document(None if node is None else self._value(node, ()), self.lines)

    def _value(self, node: Any, path: Path) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if id(node) in self.seen:
            raise Wrong("YAML aliases (*name) are not read here; write the value out", line=line)
        self.seen.add(id(node))
        if len(path) > LIMIT_DEPTH or len(self.seen) > LIMIT_VALUES:
            raise Wrong("is not a configuration: it is too large or nested too deeply", line=line)
        tag = str(node.tag or "").removeprefix("tag:yaml.org,2002:")
        kind = type(node).__name__
        if kind == "MappingNode" and tag == "map":
            return self._mapping(node, path)
        if kind == "SequenceNode" and tag == "seq":
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        if kind == "ScalarNode":
            return _scalar(tag, str(node.value), line)
        raise Wrong("YAML tags (!name) are not read here", line=line)

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if type(key_node).__name__ != "ScalarNode":
                raise Wrong("a key must be one word", line=line)
            key = str(key_node.value)
            if key in found:
                from mleconsole.config.words import quoted

                raise Wrong(f"{quoted(key)} stands twice", line=line)
            self.lines[(*path, key)] = line
            found[key] = self._value(value_node, (*path, key))
        return found


def _scalar(tag: str, text: str, line: int) -> Any:
    if tag in ("str", "timestamp"):
        return text
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() in ("true", "yes", "on")
    plain = text.replace("_", "").lower()
    try:
        if tag == "int":
            return int(plain, 0 if plain.lstrip("+-")[:2] in ("0x", "0o", "0b") else 10)
        if tag == "float":
            special = {".inf": inf, "+.inf": inf, "-.inf": -inf, ".nan": nan}
            return special[plain] if plain in special else float(plain)
    except ValueError:
        raise Wrong("a number that can't be read", line=line) from None
    raise Wrong("YAML tags (!name) are not read here", line=line)
