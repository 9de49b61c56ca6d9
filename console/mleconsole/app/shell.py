"""Shell: lends this terminal to a local program (ssh to a node) and takes it back."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence

from textual.app import App, SuspendNotSupported

from mleconsole.model.format import escape


def lend_terminal(app: App[int], argv: Sequence[str]) -> str:
    """Run `argv` in the foreground of this terminal; the sentence about how it ended.

    The app's loop stands still meanwhile; collection goes on in its own thread.
    """
    command = escape(shlex.join(argv))
    try:
        with app.suspend():
            print(f"mleconsole: {command}   (leave it to come back)", flush=True)
            try:
                status = subprocess.run(list(argv), check=False).returncode
            except OSError as error:
                return f"{command}: {error.strerror or error}"
            except KeyboardInterrupt:
                status = 130
    except SuspendNotSupported:
        return f"this terminal can't be lent; run it yourself: {command}"
    return f"back from {command}" + (f" (exit status {status})" if status else "")
