"""What we print on: how wide it is, and whether colour is welcome."""

from __future__ import annotations

import os
import shutil
from typing import TextIO

from mleconsole.model.view import View


def width_of(out: TextIO) -> int | None:
    """Cells of the terminal that `out` is; None (as wide as it gets) for a file or a pipe."""
    return shutil.get_terminal_size().columns if out.isatty() else None


def colour_on(out: TextIO) -> bool:
    """Colour on a terminal that has some, unless NO_COLOR says no."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") not in ("", "dumb")


def print_view(view: View, out: TextIO) -> None:
    """Write a View as text."""
    from mleconsole.render.plain import text

    for line in text(view, width=width_of(out), colour=colour_on(out)):
        out.write(line + "\n")
    out.flush()
