"""Target -> Config: a cluster.yaml, an ssh destination, or `local`. Every error is one sentence with its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mleconsole.config.keys import CHECKS, DESTINATION, LOCAL
from mleconsole.config.schema import Config, ConfigError
from mleconsole.config.words import did_you_mean, quoted
from mleconsole.config.yaml import Document, Wrong, read

SUFFIXES = (".yaml", ".yml")


def load_target(target: str, overrides: Mapping[str, Any] | None = None) -> Config:
    """The Config behind one word of the command line; raises ConfigError.

    A word that ends in .yaml or .yml or has a slash in it is a file; `local` is this machine; anything else is an ssh
    destination. `overrides` are keys of a cluster.yaml set on the command line; they win over the file.
    """
    if not target.strip():
        raise ConfigError("an empty word is no target; give a cluster.yaml, user@host or local")
    if target == "demo" or target.startswith("demo:"):
        raise ConfigError("demo is not a target of this version; give a cluster.yaml, user@host or local")
    if is_file_name(target):
        return load_file(Path(target), overrides)
    try:
        values = {"login": CHECKS["login"](target, ("target",))}
    except Wrong as wrong:
        raise ConfigError(wrong.sentence.replace('"target"', "a target", 1)) from None
    return _config(values, overrides, source="")


def is_file_name(target: str) -> bool:
    """True when `target` names a file rather than a machine."""
    return "/" in target or target.endswith(SUFFIXES)


def load_file(path: Path, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read a cluster.yaml."""
    shown = quoted(path, 200)[1:-1]
    try:
        file = path.expanduser()
        if file.is_dir():
            raise ConfigError(f"{shown}: is a folder; recordings are not a target of this version")
        content = file.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{shown}: no such file; the smallest is one line: login: alice@login.example.org") from None
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{shown}: can't be read: {reason}") from None
    return parse(content, shown, file, overrides)


def parse(content: bytes, shown: str, file: Path, overrides: Mapping[str, Any] | None = None) -> Config:
    """The Config in the bytes of a cluster.yaml that is called `shown` in errors and lies at `file`."""
    document: Document | None = None
    try:
        document = read(content)
        values = _check(document.value)
        if "ssh_config" in values:
            values["ssh_config"] = _ssh_config(values["ssh_config"], file)
    except Wrong as wrong:
        line = wrong.line or (document.line(wrong.path) if document is not None else 0)
        raise ConfigError(f"{shown}:{line}: {wrong.sentence}" if line else f"{shown}: {wrong.sentence}") from None
    if "login" not in values:
        raise ConfigError(f"{shown}: the key login is missing; write: login: alice@login.example.org")
    if "name" not in values and file.stem not in ("cluster", "mleconsole") and file.stem.isprintable() and file.stem:
        values["name"] = file.stem
    return _config(values, overrides, source=str(file))


def _check(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Wrong("is not a mapping of keys; the smallest is one line: login: alice@login.example.org", line=1)
    found: dict[str, Any] = {}
    for key, item in value.items():
        if key not in CHECKS:
            raise Wrong(f"unknown key {quoted(key)}{did_you_mean(key, CHECKS)}", (key,))
        found[key] = CHECKS[key](item, (key,))
    return found


def _ssh_config(word: str, file: Path) -> str:
    """A path in a file is relative to that file."""
    try:
        path = Path(word).expanduser()
        path = path if path.is_absolute() else file.parent / path
        there = path.is_file()
    except (OSError, ValueError, RuntimeError):
        there = False
    if not there:
        raise Wrong(f'"ssh_config" names no file: {quoted(word, 200)}', ("ssh_config",))
    return str(path)


def _config(values: dict[str, Any], overrides: Mapping[str, Any] | None, source: str) -> Config:
    for key, value in (overrides or {}).items():
        option = "--" + key.replace("_", "-")
        if key not in CHECKS:
            raise ConfigError(f"unknown option {option}{did_you_mean(key, CHECKS)}")
        try:
            values[key] = CHECKS[key](value, (key,))
        except Wrong as wrong:
            raise ConfigError(f"{option}: {wrong.sentence}") from None
    if not values.get("name"):
        match = DESTINATION.fullmatch(values["login"])
        values["name"] = match["host"].strip("[]") if match else LOCAL
    return Config(**values, source=source)
