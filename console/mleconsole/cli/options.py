"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from mleconsole.cli.stop import USAGE, Stop
from mleconsole.config.words import did_you_mean, quoted

target_argument = click.argument("target", metavar="TARGET")
read_only_option = click.option("--read-only", is_flag=True, help="Only look: nothing that changes or loads is run.")
nodes_option = click.option(
    "--nodes", default="", metavar="mine|NODESET", help="Only these nodes, such as node[01-16]."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
timeout_option = click.option(
    "--timeout",
    default=15.0,
    show_default=True,
    metavar="SECONDS",
    type=click.FloatRange(0.1, 86400),
    help="Wait at most so long for answers.",
)
set_option = click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set one of its inputs.")


def pairs(words: Iterable[str]) -> dict[str, str]:
    """NAME=VALUE words as a dict; a word without = or a name given twice is a usage error."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise Stop(USAGE, f"--set wants NAME=VALUE, not {quoted(word)}")
        if name in found:
            raise Stop(USAGE, f"--set {name} stands twice")
        found[name] = value
    return found


def chosen(noun: str, word: str, known: dict[str, Any]) -> Any:
    """known[word], or a usage error that names the nearest."""
    if word in known:
        return known[word]
    near = did_you_mean(word, known)
    listed = near or (f"; there are: {', '.join(known)}" if known else "; there is none")
    raise Stop(USAGE, f"no {noun} is called {quoted(word)}{listed}")
