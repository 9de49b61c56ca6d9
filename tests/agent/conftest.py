"""A real agent as a local process, fed by the real bundle and read by the real FrameReader."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mleconsole.api import AgentProbe, Observation, Plugin
from mleconsole.collect.bundle import Bundle, make_bundle
from mleconsole.collect.frames import Frame, FrameReader

PATIENCE = 30.0  # seconds that a frame may take on a busy machine


class Running:
    """One agent: `wait` for frames, `say` control lines."""

    def __init__(
        self, bundle: Bundle, settings: Mapping[str, Any], argv: Sequence[str], env: Mapping[str, str]
    ) -> None:
        self.bundle = bundle
        self.reader = FrameReader()
        self.frames: list[Frame] = []
        self._passed = 0
        self.process = subprocess.Popen(
            [*argv, *bundle.argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(env)
        )
        self.say(bundle.first_bytes(settings))

    def say(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def wait(
        self, type: str | None, name: str | None = None, where: Callable[[Frame], bool] = lambda frame: True
    ) -> Frame:
        """The next frame of that type and name for which `where` holds, after the one given last."""
        ends = time.monotonic() + PATIENCE
        while True:
            while self._passed < len(self.frames):
                frame = self.frames[self._passed]
                self._passed += 1
                if type in (None, frame.type) and name in (None, frame.name) and where(frame):
                    return frame
            told = [(frame.type, frame.name, frame.reason, frame.data[:80]) for frame in self.frames]
            assert self.read(ends), f"no {type} {name} came; stderr {self.stderr()!r}, frames {told}"

    def read(self, ends: float) -> bool:
        """Take in what has come; False at EOF or past `ends`."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], max(0.0, ends - time.monotonic()))[0]:
            return False
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        self.frames += self.reader.feed(data)
        return bool(data)

    def ended(self) -> int:
        """Its exit status, once it has ended by itself."""
        ends = time.monotonic() + PATIENCE
        while self.process.stdout is not None and not self.process.stdout.closed and self.read(ends):
            pass
        return self.process.wait(PATIENCE)

    def stderr(self) -> str:
        assert self.process.stderr is not None
        if self.process.poll() is None:
            return "(running)"
        return self.process.stderr.read().decode()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def nothing(raw: bytes, host: str) -> Observation:
    return Observation()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plugin]:
    """Makes an installed plugin out of the source of its remote module."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(source: str, *samplers: str, id: str = "test", modules: tuple[str, ...] = ()) -> Plugin:
        name = f"remote_{uuid.uuid4().hex}"
        (tmp_path / f"{name}.py").write_text(source)
        probes = tuple(AgentProbe(sampler, sampler, 1.0, nothing) for sampler in samplers)
        return Plugin(id, id, probes=probes, remote=name, modules=modules)

    return make


@pytest.fixture
def agent(home: Path) -> Iterator[Callable[..., Running]]:
    """Starts agents with settings; every one is ended with the test."""
    running: list[Running] = []

    def start(
        *plugins: Plugin,
        argv: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        periods: Mapping[str, float] | None = None,
        **settings: Any,
    ) -> Running:
        bundle = make_bundle(plugins)
        assert not bundle.troubles
        probes = [probe for plugin in plugins for probe in plugin.probes if isinstance(probe, AgentProbe)]
        filled = {
            "periods": {probe.sampler: probe.period for probe in probes} | dict(periods or {}),
            "deadlines": {probe.sampler: probe.deadline for probe in probes},
            "on_change": [probe.sampler for probe in probes if probe.on_change],
            "options": {},
        } | settings
        around = {"PATH": os.environ["PATH"], "HOME": str(home), "USER": "tester"} | dict(env or {})
        running.append(Running(bundle, filled, argv, around))
        return running[-1]

    yield start
    for one in running:
        one.close()


@pytest.fixture(scope="session")
def nvml_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the stand-in libnvidia-ml.so.1, for LD_LIBRARY_PATH."""
    source = Path(__file__).parents[1] / "cluster/testbed/lib/fakenvml.c"
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not source.exists():
        pytest.skip("no C compiler, or no source of the stand-in libnvidia-ml")
    folder = tmp_path_factory.mktemp("nvml")
    library = folder / "libnvidia-ml.so.1"
    options = ["-shared", "-fPIC", "-O1", "-Wl,-soname,libnvidia-ml.so.1", "-o", str(library), str(source), "-lpthread"]
    subprocess.run([compiler, *options], check=True)
    return folder


class Gpus:
    """The values of the stand-in GPUs; a change is seen by the next call."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.env = {"FAKE_NVML": str(path), "LD_LIBRARY_PATH": str(folder)}
        self.set("count 8")

    def set(self, *lines: str) -> None:
        new = self.path.with_suffix(".new")
        new.write_text("\n".join(lines) + "\n")
        new.rename(self.path)


@pytest.fixture
def gpus(tmp_path: Path, nvml_folder: Path) -> Gpus:
    return Gpus(tmp_path / "gpus.conf", nvml_folder)
