"""What came of it: outcomes and reports on stdout, trouble on stderr, raw files in a folder."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mleconsole.cli.session import talk
from mleconsole.cli.stop import FOUND, OK
from mleconsole.cli.terminal import colour_on, print_view, width_of
from mleconsole.model.format import escape

if TYPE_CHECKING:
    from mleconsole.api import Action, Outcome, Report, View


def print_outcome(action: Action, outcome: Outcome, as_json: bool) -> int:
    """Print the results host by host (or as the action presents them); 0 when every step was good, else 1."""
    view = presented(action, outcome)
    if as_json:
        from mleconsole.render.json import dumps, outcome_json

        print(dumps(outcome_json(outcome, view)))
    elif view is not None:
        print_view(view, sys.stdout)
    for step, completed in outcome.results:
        name = f"{step.host} {step.label}".rstrip()
        if not completed.ok:
            talk(f"{name}: {completed.words()}")
        elif not as_json and view is None:
            for line in completed.text.splitlines() or ["done"]:
                print(escape(f"{name}: {line}"))
    return OK if outcome.ok else FOUND


def presented(action: Action, outcome: Outcome) -> View | None:
    """The action's own View of the outcome; a presentation that fails costs only itself."""
    if action.present is None:
        return None
    try:
        return action.present(outcome)
    except Exception as error:  # a plugin's code may raise anything; the plain results are still there
        talk(f"{action.id} could not present its results: {type(error).__name__}: {error}")
        return None


def print_report(id: str, report: Report, as_json: bool) -> int:
    """Print a verdict and save its raw files; the exit status is the report's own."""
    from mleconsole.journal import save_files
    from mleconsole.render.json import dumps, report_json

    content = dumps(report_json(report))
    if as_json:
        print(content)
    else:
        from mleconsole.render.plain import report_text

        for line in report_text(report, width=width_of(sys.stdout), colour=colour_on(sys.stdout)):
            print(line)
    if report.files:
        folder = save_files(id, {**report.files, "report.json": content.encode()})
        talk(f"files saved to {folder}" if folder else "the files of this report could not be saved")
    return report.exit_status
