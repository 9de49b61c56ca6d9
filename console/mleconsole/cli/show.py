"""mleconsole show: any pane as text or JSON, once or every second."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from mleconsole.cli.options import (
    chosen,
    json_option,
    nodes_option,
    pairs,
    set_option,
    target_argument,
    timeout_option,
)
from mleconsole.cli.stop import OK, UNDETERMINED, USAGE, Stop

if TYPE_CHECKING:
    from mleconsole.api import Focus, Pane, Subject, View
    from mleconsole.cli.session import Running
    from mleconsole.plugin import Registry

WATCH_SECONDS = 1.0
SHOWN = 8  # how many of those that did not answer are named


@click.command()
@click.argument("pane", metavar="PANE")
@target_argument
@json_option
@click.option("--watch", is_flag=True, help="One JSON value a line, every second, until ctrl-c.")
@timeout_option
@set_option
@click.option("--of", "subject", default="", metavar="NAME", help="What a detail pane is about: a job, a node, a GPU.")
@click.option(
    "--filter",
    "query",
    default="",
    metavar="QUERY",
    help="Only rows that match, as in the filter line: word !word column:>9.",
)
@click.option("--sort", default="", metavar="COLUMN", help="Sort by this column; -COLUMN: the other way round.")
@nodes_option
def show(
    pane: str,
    target: str,
    as_json: bool,
    watch: bool,
    timeout: float,
    settings: tuple[str, ...],
    subject: str,
    query: str,
    sort: str,
    nodes: str,
) -> int:
    """Print a pane: wait until every host has answered, at most --timeout seconds, then print.

    \b
      mleconsole show gpus cluster.yaml
      mleconsole show jobs cluster.yaml --json | jq '.[] | select(.state == "PENDING")'
      mleconsole show jobs cluster.yaml --set scope=mine --sort -gpus
      mleconsole show gpus cluster.yaml --watch --nodes node[01-04]

    Every pane of every plugin can be printed; `mleconsole config keys` lists them. A table is a list of rows by
    column; a value that is unknown is {"absent": reason}. What could not be read is said on stderr.
    """
    from mleconsole.cli.session import Prepared, talk

    prepared = Prepared(target, {"nodes": nodes} if nodes else {})
    wanted: Pane = chosen("pane", pane, prepared.registry.panes)
    switches = switches_of(wanted, pairs(settings))
    if wanted.detail_of and not subject:
        raise Stop(USAGE, f"pane {pane} is about one {' or '.join(wanted.detail_of)}: name it by --of NAME")
    needs = frozenset(wanted.needs)
    with prepared.started(needs) as running:
        late = running.wait_for_answers(needs, timeout)
        for sentence in (*running.session.status.notices, *_lateness(late, timeout)):
            talk(sentence)
        about = _subject(running, prepared.registry, wanted, subject) if subject else None
        while True:
            view = _view(running, prepared.registry, wanted, _focus(running, switches, about))
            view = _picked(view, query, sort)
            if not watch:
                _print(view, as_json)
                return OK
            _print(view, True)
            running.wait(lambda: False, WATCH_SECONDS)


def switches_of(pane: Pane, given: Mapping[str, str]) -> dict[str, str]:
    """The pane's switches: those given, else their first value; a scope is `all` here, for a script is nobody."""
    known = {switch.id: switch for switch in pane.switches}
    for id, value in given.items():
        chosen(f"switch of pane {pane.id}", id, known)
        chosen(f"value of {id}", value, dict.fromkeys(known[id].values))
    return {
        id: given.get(id, "all" if id == "scope" and "all" in switch.values else switch.values[0])
        for id, switch in known.items()
        if switch.values or id in given
    }


def _focus(running: Running, options: Mapping[str, str], subject: Subject | None) -> Focus:
    from mleconsole.api import Focus

    session = running.session
    situation = session.situation
    return Focus(
        user=situation.user,
        subject=subject,
        options=options,
        alerts=session.store.alerts,
        situation=situation,
        epoch=time.time(),
    )


def _subject(running: Running, registry: Registry, pane: Pane, word: str) -> Subject:
    from mleconsole.cli.subjects import find

    return find(running.session.store.fleet, registry.kinds, pane.detail_of or tuple(registry.kinds), word)


def _view(running: Running, registry: Registry, pane: Pane, focus: Focus) -> View:
    store = running.session.store
    try:
        return pane.view(store.fleet, store.history, focus)
    except Exception as error:  # a plugin's code may raise anything; the person reads a sentence
        raise _broken(registry, pane, error) from error


def _broken(registry: Registry, pane: Pane, error: Exception) -> Stop:
    plugin = registry.owner("panes", pane.id)
    return Stop(UNDETERMINED, f"pane {pane.id} of plugin {plugin} could not be drawn: {type(error).__name__}: {error}")


def _picked(view: View, query: str, sort: str) -> View:
    from mleconsole.render.select import NoColumn, pick

    try:
        return pick(view, query, sort)
    except NoColumn as error:
        return chosen("column", error.word, dict.fromkeys(error.known))  # type: ignore[no-any-return]
    except ValueError as error:
        raise Stop(USAGE, str(error)) from None


def _print(view: View, as_json: bool) -> None:
    if as_json:
        from mleconsole.render.json import dumps, view_json

        print(dumps(view_json(view)), flush=True)
        return
    from mleconsole.cli.terminal import print_view

    print_view(view, sys.stdout)


def _lateness(late: tuple[str, ...], timeout: float) -> tuple[str, ...]:
    """One sentence about what has not answered."""
    if not late:
        return ()
    named = ", ".join(late[:SHOWN])
    more = f" and {len(late) - SHOWN} more" if len(late) > SHOWN else ""
    return (f"no answer within {timeout:g} s: {named}{more}",)
