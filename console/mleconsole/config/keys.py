"""What each key of a cluster.yaml accepts: one check a key, value -> the field of Config, or Wrong(sentence)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from mleconsole.config.words import quoted
from mleconsole.config.yaml import Path, Wrong

MINE = "mine"
LOCAL = "local"
#: [user@]host[:port], where a host is a name, an alias of the user's ssh config, or an IPv6 address in brackets.
DESTINATION = re.compile(
    r"(?:(?P<user>[^\s:/-][^\s:/]*)@)?(?P<host>\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[^\s@:/\[\]-][^\s@:/\[\]]*)(?::(?P<port>\d{1,5}))?"
)
_NODESET = re.compile(r"[\w.,\[\]!&^ -]+", re.ASCII)
_LIMIT_NODES = 65_536


def _name_of(value: Any) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return kinds.get(type(value), "nothing" if value is None else "text")


def text(value: Any, path: Path) -> str:
    """One line of printable text that is not empty (a bare number counts as its digits)."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise Wrong(f"{_key(path)} must be text, not {_name_of(value)}", path)
    if not value.strip() or not value.isprintable():
        raise Wrong(f"{_key(path)} must be one line of text, not {quoted(value)}", path)
    return value.strip()


def texts(value: Any, path: Path) -> tuple[str, ...]:
    """A list of texts; one text alone is a list of one."""
    if isinstance(value, str):
        return (text(value, path),)
    if not isinstance(value, (list, tuple)):
        raise Wrong(f"{_key(path)} must be a list, such as [a, b], not {_name_of(value)}", path)
    return tuple(text(item, (*path, index)) for index, item in enumerate(value))


def destination(value: Any, path: Path) -> str:
    """user@host[:port] or an alias of ssh's configuration; "" for `local`."""
    word = text(value, path)
    if word == LOCAL:
        return ""
    match = DESTINATION.fullmatch(word)
    if match is None or not 0 < int(match["port"] or 22) < 65536:
        raise Wrong(f"{_key(path)} must be user@host, user@host:port or an alias of ssh, not {quoted(word)}", path)
    return word


def nodes(value: Any, path: Path) -> str:
    """`mine` or a nodeset: node[01-16], or a list of them."""
    word = ",".join(texts(value, path))
    if word == MINE:
        return word
    wrong = Wrong(f'{_key(path)} must be "mine" or a nodeset such as node[01-16], not {quoted(word)}', path)
    if not _NODESET.fullmatch(word):
        raise wrong
    _refuse_huge(word, path)
    from ClusterShell.NodeSet import RESOLVER_NOGROUP, NodeSet, NodeSetException

    try:
        found = NodeSet(word, resolver=RESOLVER_NOGROUP)  # type: ignore[no-untyped-call]
    except (NodeSetException, ValueError):
        raise wrong from None
    if not len(found):
        raise wrong
    return str(found)


def _refuse_huge(word: str, path: Path) -> None:
    """A nodeset is unfolded in memory: count first, so that a slip of the hand does not take all of it."""
    total = 1
    for inside in re.findall(r"\[([^\[\]]*)\]", word):
        count = 0
        for part in inside.split(","):
            ends = re.fullmatch(r"\s*(\d{1,18})-(\d{1,18})(?:/\d+)?\s*", part)
            count += abs(int(ends[2]) - int(ends[1])) + 1 if ends else 1
            if not ends and len(part) > 18:
                count = _LIMIT_NODES + 1
        total *= count
        if total > _LIMIT_NODES:
            raise Wrong(f"{_key(path)} names more than {_LIMIT_NODES} nodes: {quoted(word)}", path)


def paths(value: Any, path: Path) -> tuple[str, ...]:
    """Absolute paths on the cluster."""
    found = texts(value, path)
    for index, item in enumerate(found):
        if not PurePosixPath(item).is_absolute():
            raise Wrong(f"{_key(path)} must be absolute paths, not {quoted(item)}", (*path, index))
    return found


def seconds(value: Any, path: Path) -> float:
    """Seconds between samples."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Wrong(f"{_key(path)} must be a number of seconds, not {_name_of(value)}", path)
    if not 0.2 <= value <= 3600:
        raise Wrong(f"{_key(path)} must be from 0.2 to 3600 seconds, not {quoted(value)}", path)
    return float(value)


def truth(value: Any, path: Path) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"{_key(path)} must be true or false, not {_name_of(value)}", path)
    return value


def mapping(value: Any, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Wrong(f"{_key(path)} must be a mapping, such as {{name: value}}, not {_name_of(value)}", path)
    return value


def teams(value: Any, path: Path) -> Mapping[str, tuple[str, ...]]:
    """team -> its users."""
    return {team: texts(users, (*path, team)) for team, users in mapping(value, path).items()}


def tools(value: Any, path: Path) -> Mapping[str, str]:
    """program -> its absolute path on the nodes."""
    found = {tool: text(item, (*path, tool)) for tool, item in mapping(value, path).items()}
    for tool, item in found.items():
        if not PurePosixPath(item).is_absolute():
            raise Wrong(
                f"{_key((*path, tool))} must be an absolute path on the nodes, not {quoted(item)}", (*path, tool)
            )
    return found


def keys(value: Any, path: Path) -> Mapping[str, str]:
    """action or pane id -> key."""
    return {id: text(key, (*path, id)) for id, key in mapping(value, path).items()}


def plugins(value: Any, path: Path) -> Mapping[str, Any]:
    """plugin id -> its options; false leaves it out."""
    found: dict[str, Any] = {}
    for id, options in mapping(value, path).items():
        if isinstance(options, bool):
            found[id] = options
        else:
            found[id] = mapping(options if options is not None else {}, (*path, id))
    return found


def _key(path: Path) -> str:
    words = ".".join(str(part) for part in path if isinstance(part, str))
    return quoted(words)


#: Every key of a cluster.yaml, with the check that makes it a field of Config.
CHECKS: Mapping[str, Callable[[Any, Path], Any]] = {
    "name": text,
    "login": destination,
    "nodes": nodes,
    "ssh_config": text,
    "filesystems": paths,
    "interval": seconds,
    "read_only": truth,
    "teams": teams,
    "sudo": texts,
    "plugins": plugins,
    "tools": tools,
    "keys": keys,
}
