"""The command `mleconsole`: finds the command, runs it, and turns whatever happens into a sentence and an exit status.

`connect` in its plain form paints its first frame before anything is imported that the interpreter has not itself:
`typing`, `signal` and `collections` alone would cost as much as all before that frame.
"""

from __future__ import annotations

import os
import sys

from mleconsole.cli import stop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COMPLETE = "_MLECONSOLE_COMPLETE"  # set by a shell that asks for completions
TRACEBACK = "MLECONSOLE_TRACEBACK"  # set by a developer who wants the traceback of a defect


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status and raises nothing."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        status = _connect(words)
        if status is None:
            status = _command(words)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        _be_quiet()
        return stop.OK
    except (KeyboardInterrupt, EOFError):
        return stop.INTERRUPTED
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else stop.OK
    except Exception as error:  # the last funnel: a sentence for the person, never a traceback
        status, sentence = explain(error, words)
        _say(sentence)
        return status


def _connect(words: Sequence[str]) -> int | None:
    """`connect` as most people type it; None for everything else."""
    if words[:1] != ["connect"]:
        return None
    from mleconsole.cli.console import run, wanted

    plain = wanted(words[1:])
    return run(plain) if plain is not None else None


def _command(words: list[str]) -> int:
    import signal

    from mleconsole.cli.group import group

    if COMPLETE in os.environ:
        group.main(words, prog_name="mleconsole")
    signal.signal(signal.SIGTERM, _terminated)
    with group.make_context("mleconsole", words) as context:
        status = group.invoke(context)
    return status if isinstance(status, int) else stop.OK


def _terminated(number: int, frame: object) -> None:
    """SIGTERM ends a command as ctrl-c does: what it started on hosts is ended first."""
    raise SystemExit(128 + number)


def explain(error: Exception, words: Sequence[str]) -> tuple[int, str]:
    """(exit status, sentence for stderr) of anything that ended a command."""
    import click

    from mleconsole.config.schema import ConfigError

    match error:
        case click.exceptions.Exit():
            return error.exit_code, ""
        case click.exceptions.NoArgsIsHelpError():
            return stop.USAGE, error.format_message()
        case click.UsageError():
            where = error.ctx.command_path if error.ctx is not None else "mleconsole"
            message = error.format_message().strip().rstrip(".")
            return stop.USAGE, f"{where}: {message[:1].lower()}{message[1:]} (see {where} --help)"
        case click.ClickException():
            return stop.USAGE, error.format_message()
        case ConfigError():
            return stop.USAGE, str(error)
        case stop.Stop():
            return error.status, error.sentence
        case click.Abort():
            return stop.INTERRUPTED, ""
    if os.environ.get(TRACEBACK):
        raise error
    from mleconsole.journal import log_defect

    kept = log_defect(f"mleconsole {' '.join(words[:1])}", error)
    where = f"; the details are in {kept}" if kept else ""
    return stop.UNDETERMINED, f"a defect of mleconsole stopped this: {type(error).__name__}: {error}{where}"


def _say(sentence: str) -> None:
    """On stderr, with nothing in it that could move a cursor."""
    if not sentence:
        return
    safe = "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in sentence)
    try:
        print(safe, file=sys.stderr, flush=True)
    except OSError:
        pass


def _be_quiet() -> None:
    """Who read our output has had enough: nothing more, also at the interpreter's own last flush."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass
