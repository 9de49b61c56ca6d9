"""Runs the named groups of tests one after the other and ends with one summary line of them all.

`python tests/run.py unit contracts transport screen cluster bench`. Every group runs even when one before it failed, so
that one run tells everything; the exit status is 1 when any failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from collections import Counter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / ".pytest_cache" / "results"
PARALLEL = ("-n", "2")
#: Machines are busy at times, and many tests wait on real processes: one that passes the second time is listed as
#: rerun, not hidden. At a developer's desk only the real cluster gets a second try.
AGAIN = ("--reruns", "1", "--reruns-delay", "2", "-rR")


class Group(NamedTuple):
    """Folders whose tests run together, and how."""

    folders: tuple[str, ...]
    options: tuple[str, ...] = ()


GROUPS = {
    "unit": Group(("unit",), PARALLEL),
    "agent": Group(("agent",), PARALLEL),
    "contracts": Group(("contracts",), (*PARALLEL, "--dist", "loadfile")),
    "transport": Group(("transport",), PARALLEL),
    "screen": Group(("journeys", "pictures")),
    "cluster": Group(("cluster",)),
}
#: Not pytest: the small benchmark, which fails when a count is violated.
BENCH = (sys.executable, "-m", "bench", "--small")


def run(name: str, group: Group) -> tuple[int, Counter[str]]:
    """One pytest over one group: its exit status, and how many tests did what."""
    folders = [folder for folder in group.folders if any((ROOT / "tests" / folder).rglob("test_*.py"))]
    if not folders:
        print(f"== {name}: there are no tests in {' '.join(group.folders)}", flush=True)
        return (1 if os.environ.get("CI") else 0), Counter()
    result = RESULTS / f"{name}.xml"
    began = time.monotonic()
    print(f"== {name}", flush=True)
    again = AGAIN if os.environ.get("CI") or name == "cluster" else ()
    argv = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={result}", *group.options, *again]
    status = subprocess.run([*argv, *(f"tests/{folder}" for folder in folders)], cwd=ROOT, check=False).returncode
    counts = count(result)
    print(f"== {name}: {words(counts)} in {time.monotonic() - began:.1f} s", flush=True)
    return status, counts


def bench() -> tuple[int, Counter[str]]:
    """The small benchmark counts as one test."""
    print("== bench", flush=True)
    began = time.monotonic()
    status = subprocess.run(BENCH, cwd=ROOT / "tests" / "bench", check=False).returncode
    counts = Counter(failed=1) if status else Counter(passed=1)
    print(f"== bench: {words(counts)} in {time.monotonic() - began:.1f} s", flush=True)
    return status, counts


def count(result: Path) -> Counter[str]:
    """{passed, failed, errors, skipped: n} from a pytest result file; none when pytest did not get to write it."""
    try:
        cases = list(xml.parse(result).iter("testcase"))
    except (OSError, xml.ParseError):
        return Counter(errors=1)
    outcomes = {"failure": "failed", "error": "errors", "skipped": "skipped"}
    return Counter(next((outcomes[child.tag] for child in case if child.tag in outcomes), "passed") for case in cases)


def words(counts: Counter[str]) -> str:
    """`3 failed, 120 passed, 1 skipped`, as pytest orders them."""
    found = [f"{counts[what]} {what}" for what in ("failed", "passed", "skipped", "errors") if counts[what]]
    return ", ".join(found) or "no tests"


def main(names: list[str]) -> int:
    """Run the groups called `names`; 0 when all is well."""
    unknown = [name for name in names if name not in (*GROUPS, "bench")]
    if unknown or not names:
        print(f"groups of tests: {', '.join(GROUPS)}, bench; not: {', '.join(unknown)}", file=sys.stderr)
        return 2
    RESULTS.mkdir(parents=True, exist_ok=True)
    for old in RESULTS.glob("*.xml"):
        old.unlink()
    began = time.monotonic()
    total: Counter[str] = Counter()
    failed = []
    for name in names:
        status, counts = bench() if name == "bench" else run(name, GROUPS[name])
        total += counts
        if status:
            failed.append(name)
    if failed:
        print(f"not well: {', '.join(failed)}")
    print(f"{f' {words(total)} in {time.monotonic() - began:.2f}s ':=^100}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
