"""Running the machine's own commands: always with a deadline, always with the error text in the exception."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence


class TestbedError(RuntimeError):
    """The testbed cannot do what was asked; the message is one sentence for a person."""

    __test__ = False  # not a test class, whatever its name suggests to pytest


def sh(*argv: str, check: bool = True, timeout: float = 30.0, stdin: str | None = None) -> str:
    """Run argv on this machine and return its output; raise TestbedError with its error text when it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, input=stdin, check=False)
    if check and done.returncode != 0:
        raise TestbedError(f"{' '.join(argv)}: exit {done.returncode}: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout


def need_tools(tools: Sequence[str]) -> None:
    """Raise TestbedError naming every tool that is not installed on this machine."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        raise TestbedError(f"not installed on this machine: {', '.join(missing)}")
