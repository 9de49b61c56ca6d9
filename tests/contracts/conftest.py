"""What the contracts share: the repository, wheels built once, and a clean interpreter to look from."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


def _build_wheel(source: Path, into: Path) -> Path:
    """A wheel of the project in `source`, by the backend that is installed: nothing is fetched."""
    argv = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(into), str(source)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = into.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def build_wheel() -> Callable[[Path, Path], Path]:
    """(project folder, output folder) -> the wheel."""
    return _build_wheel


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Our own wheel, open."""
    return zipfile.ZipFile(_build_wheel(ROOT, tmp_path_factory.mktemp("wheel")))


@pytest.fixture(scope="session")
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python code or arguments in a fresh interpreter."""

    def run(*argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, **environment}
        return subprocess.run(
            [sys.executable, *argv], env=env, capture_output=True, text=True, timeout=60, check=False, cwd="/"
        )

    return run
