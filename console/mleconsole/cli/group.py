"""The group of all commands: their names and one-line helps are here, their code is imported when they run."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import click

from mleconsole import __version__


class Entry(NamedTuple):
    """`module:attribute` of a command, and its line in the list."""

    place: str
    help: str


class LazyGroup(click.Group):
    """Imports a command's module only when that command is asked for; the list of commands needs none of them."""

    def __init__(self, *args: object, entries: dict[str, Entry], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self._entries and not args[0].startswith("-"):
            from mleconsole.config.words import did_you_mean, quoted

            ctx.fail(f"no such command {quoted(args[0])}{did_you_mean(args[0], self._entries)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self._entries.items()])


SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

HELP = """One terminal console for a whole GPU training cluster, over plain SSH.

\b
TARGET is a cluster.yaml, user@host[:port], an alias of your ssh configuration, or `local`.
Nothing is installed on the cluster and nobody needs root there.

\b
  mleconsole connect alice@login.example.org
  mleconsole show gpus cluster.yaml --json | jq .
  mleconsole do cancel cluster.yaml 48213 --dry-run

Exit status: 0 ok, 1 found or refused, 2 usage or configuration, 3 undetermined, 4 the target can't be
reached or signing in failed, 130 interrupted. stdout is data, stderr is talk.
"""

group = LazyGroup(
    name="mleconsole",
    help=HELP,
    context_settings=SETTINGS,
    entries={
        "connect": Entry("mleconsole.cli.connect:connect", "Open the console on a cluster."),
        "show": Entry("mleconsole.cli.show:show", "Print any pane once, as text or JSON; or watch it."),
        "do": Entry("mleconsole.cli.do:do", "Run an action or a workflow, shown before it runs."),
        "config": Entry("mleconsole.cli.config:config", "Check a cluster.yaml; list plugins and keys."),
    },
)
group = click.version_option(__version__, "--version", prog_name="mleconsole", message="%(prog)s %(version)s")(group)
