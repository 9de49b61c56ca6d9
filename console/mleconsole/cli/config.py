"""mleconsole config: check a cluster.yaml, show what a target resolves to, list plugins and keys."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mleconsole.cli.options import json_option, target_argument
from mleconsole.cli.stop import OK

if TYPE_CHECKING:
    from mleconsole.config.schema import Config
    from mleconsole.plugin import Registry

Row = Mapping[str, Any]


@click.group()
def config() -> None:
    """Check a cluster.yaml, show what a target means, list plugins and keys.

    \b
      mleconsole config check cluster.yaml
      mleconsole config show alice@login.example.org
      mleconsole config plugins
      mleconsole config keys
    """


@config.command()
@click.argument("file", metavar="FILE")
def check(file: str) -> int:
    """Read a cluster.yaml and say what it means, or what is wrong with it and where.

    \b
      mleconsole config check cluster.yaml
    """
    from mleconsole.config.load import load_file

    for line in meaning(load_file(Path(file))):
        print(line)
    return OK


@config.command()
@target_argument
@json_option
def show(target: str, as_json: bool) -> int:
    """Show every key of a target, those that nobody set too.

    \b
      mleconsole config show cluster.yaml
      mleconsole config show local --json
    """
    from mleconsole.config.load import load_target
    from mleconsole.config.schema import Config
    from mleconsole.render.json import dumps, value_json

    found = {name: value_json(getattr(load_target(target), name)) for name in Config.__struct_fields__}
    if as_json:
        print(dumps(found))
    else:
        for key, value in found.items():
            print(f"{key}: {dumps(value)}")
    return OK


@config.command()
@click.argument("target", metavar="[TARGET]", default="local")
@json_option
def plugins(target: str, as_json: bool) -> int:
    """List the plugins: what each brings, what of it is proven on real hardware, and why one is off.

    \b
      mleconsole config plugins
      mleconsole config plugins cluster.yaml --json
    """
    _print_rows(plugin_rows(_registry(target)[1]), as_json)
    return OK


@config.command()
@click.argument("target", metavar="[TARGET]", default="local")
@json_option
def keys(target: str, as_json: bool) -> int:
    """List panes, switches, actions, workflows and commands with their ids and keys (rebound by `keys:`).

    \b
      mleconsole config keys
      mleconsole config keys cluster.yaml --json
    """
    config, registry = _registry(target)
    _print_rows(list(key_rows(config, registry)), as_json)
    return OK


def meaning(config: Config) -> list[str]:
    """`ok`, and the configuration in sentences."""
    where = f"sign in to {config.login}" if config.login else "this machine is the login host"
    nodes = {"": "all nodes that are found", "mine": "the nodes of your own jobs"}.get(config.nodes, config.nodes)
    lines = [
        "ok",
        f"{config.name}: {where}" + (f" by {config.ssh_config}" if config.ssh_config else ""),
        f"asks {nodes} every {config.interval:g} s; {'only looks' if config.read_only else 'may act when told to'}",
    ]
    if config.filesystems:
        lines.append(f"watches {', '.join(config.filesystems)}")
    if config.sudo:
        lines.append(f"runs {', '.join(config.sudo)} by sudo -n")
    for team, users in config.teams.items():
        lines.append(f"team {team}: {', '.join(users)}")
    off = [id for id, options in config.plugins.items() if options is False]
    if off:
        lines.append(f"without the plugins {', '.join(off)}")
    return lines


def plugin_rows(registry: Registry) -> list[Row]:
    """One row a plugin, those that are off too."""
    roles = ("panes", "actions", "workflows", "probes")
    rows: list[Row] = []
    for plugin in registry.plugins.values():
        brings = ", ".join(f"{len(getattr(plugin, role))} {role}" for role in roles if getattr(plugin, role))
        proven = ", ".join(f"{what}: {how}" for what, how in plugin.proven.items())
        rows.append({"id": plugin.id, "state": "on", "title": plugin.title, "brings": brings, "proven": proven})
    for id, sentence in registry.disabled.items():
        rows.append({"id": id, "state": "off", "title": sentence, "brings": "", "proven": ""})
    return sorted(rows, key=lambda row: str(row["id"]))


def key_rows(config: Config, registry: Registry) -> Iterator[Row]:
    """One row for everything that has an id: what it is, its keys and what it does."""
    from mleconsole.app.keys import COMMANDS, KeyTable, harmless_key

    table = KeyTable(config.keys)

    def row(what: str, id: str, given: tuple[str, ...], title: str, danger: str = "") -> Row:
        keys = " ".join(table.keys_of(id, given))
        return {"what": what, "id": id, "keys": keys, "danger": danger, "title": title}

    for pane in registry.panes.values():
        detail = f" (of a {' or '.join(pane.detail_of)})" if pane.detail_of else ""
        yield row("pane", pane.id, (pane.key,), f"{pane.title}{detail}")
        for switch in pane.switches:
            yield row("switch", switch.id, (switch.key,), f"{pane.id}: {switch.title}: {' / '.join(switch.values)}")
    for what, things in (("action", registry.actions), ("workflow", registry.workflows)):
        for thing in things.values():
            keys = tuple(key for key in table.keys_of(thing.id, thing.keys) if harmless_key(key, thing.danger))
            yield row(what, thing.id, keys, thing.title, thing.danger.name.lower())
    for command in COMMANDS:
        yield row("command", command.id, command.keys, command.title)


def _registry(target: str) -> tuple[Config, Registry]:
    from mleconsole.config.load import load_target
    from mleconsole.plugin import Registry

    config = load_target(target)
    return config, Registry.load(config.plugins)


def _print_rows(rows: list[Row], as_json: bool) -> None:
    from mleconsole.cli.terminal import print_view
    from mleconsole.model.view import Column, Table
    from mleconsole.render.json import dumps

    if as_json:
        print(dumps(rows))
        return
    names = tuple(rows[0]) if rows else ()
    # the last column is the one to give way
    columns = tuple(
        Column(name, name.upper(), lambda row, name=name: row[name], width=0, priority=min(index, 1))  # type: ignore[misc]
        for index, name in enumerate(names)
        if any(row[name] for row in rows)
    )
    print_view(Table(columns, rows, lambda row: None, empty="There is none."), sys.stdout)
