"""python -m bench.one PART FILE [--small]: runs one part and writes its rows and notes as JSON."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

from bench.processes import adopt_orphans, end_all, left_of
from bench.rows import Row

MODULES = {"bytes": "wire"}


def main(name: str, out: str, small: bool) -> int:
    adopt_orphans()
    part = importlib.import_module(f"bench.{MODULES.get(name, name)}")
    rows: list[Row] = []
    notes: list[str] = []
    try:
        for row in part.measure(small, notes):  # what was measured before a failure is told
            rows.append(row)
            Path(out).write_text(json.dumps({"rows": rows, "notes": notes}))
    finally:
        end_all(left_of(set(), 0.0))
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1], sys.argv[2], "--small" in sys.argv)
    sys.stdout.flush()
    os._exit(status)
