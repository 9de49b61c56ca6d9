"""Runs the parts, each in a process of its own and bounded in time, and prints one table of what they measured.

Exit status: 0; 1 when a count is violated or a part failed; 2 a part that does not exist.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from bench.processes import adopt_orphans, descendants, die_with_parent, end_all
from bench.rows import Row, text_table, write_readme

#: Part -> (seconds it may take, seconds with --small).
PARTS = {
    "startup": (240, 30),
    "first": (180, 30),
    "keys": (600, 45),
    "cost": (800, 45),
    "bytes": (120, 40),
    "jobs": (120, 20),
    "peers": (600, 5),
}
OVERALL, OVERALL_SMALL = 2700, 110


def run_part(name: str, small: bool, seconds: float) -> tuple[list[Row], list[str], str]:
    """(rows, notes, why it failed or "")."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        out = Path(folder) / "rows.json"
        argv = [sys.executable, "-m", "bench.one", name, str(out), *(["--small"] if small else [])]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_parent)
        try:
            status: int | None = process.wait(seconds)
            failed = f"{name} ended with status {status}" if status else ""
        except subprocess.TimeoutExpired:
            failed = f"{name} took more than {seconds:.0f} s and was ended"
        left = descendants(os.getpid())
        if left:
            end_all(left)
            failed = failed or f"{name} left {len(left)} processes running"
        process.wait()
        told = json.loads(out.read_text()) if out.exists() else {"rows": [], "notes": []}
    return [Row.of(row)._replace(part=name) for row in told["rows"]], told["notes"], failed


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="64 nodes and 2,000 jobs; asserts the counts")
    parser.add_argument("--only", default="", metavar="NAME,..", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--readme", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    names = [name for name in options.only.split(",") if name] or list(PARTS)
    if unknown := [name for name in names if name not in PARTS]:
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    adopt_orphans()
    deadline = time.monotonic() + (OVERALL_SMALL if options.small else OVERALL)
    rows: list[Row] = []
    notes: list[str] = []
    failures: list[str] = []
    loads = [os.getloadavg()[0]]
    for name in names:
        began = time.monotonic()
        left = deadline - began
        if left < 2.0:
            failures.append(f"{name} was not run: the time for all parts is over")
            continue
        found, told, failed = run_part(name, options.small, min(left, PARTS[name][options.small]))
        loads.append(os.getloadavg()[0])
        print(f"{name}: {time.monotonic() - began:.1f} s{f'; {failed}' if failed else ''}", file=sys.stderr, flush=True)
        rows += found
        notes += told
        failures += [failed] * bool(failed)
    load = f"load average {min(loads):.1f} to {max(loads):.1f}"
    where = f"{len(os.sched_getaffinity(0))} cores that console and cluster share, {load}"
    missed = [row.name for row in rows if not row.met]
    conditions = f"{date.today()}, Python {sys.version.split()[0]}, {where}."
    print(text_table(rows))
    print("\n".join(["", conditions, *notes, f"missed: {'; '.join(missed) or 'none'}"]))
    broken = [
        f"{row.name}: {row.value:g} {row.unit}, at most {row.target:g}" for row in rows if row.gate and not row.met
    ]
    for sentence in failures + broken:
        print(f"bench: {sentence}", file=sys.stderr)
    if options.readme:
        missing = write_readme(rows, [conditions, *notes, *failures, f"Missed: {'; '.join(missed) or 'none'}."])
        if missing:
            print(f"bench: {missing}", file=sys.stderr)
            return 1
    return int(bool(failures or broken))


if __name__ == "__main__":
    sys.exit(main())
