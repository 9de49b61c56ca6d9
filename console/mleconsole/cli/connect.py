"""mleconsole connect: the words of the command; what it does is in `console.py`."""

from __future__ import annotations

import click

from mleconsole.cli.console import FIRST_PANE, Wanted, run
from mleconsole.cli.options import nodes_option, read_only_option, target_argument


@click.command()
@target_argument
@read_only_option
@nodes_option
@click.option("--pane", default=FIRST_PANE, metavar="ID", help="Begin with this pane (see `mleconsole config keys`).")
def connect(target: str, read_only: bool, nodes: str, pane: str) -> int:
    """Open the console on a cluster.

    \b
      mleconsole connect cluster.yaml
      mleconsole connect alice@login.example.org --read-only
      mleconsole connect prod --nodes mine          an alias of your ssh configuration
      mleconsole connect local --pane gpus          this machine
    """
    return run(Wanted(target, read_only, nodes, pane))
