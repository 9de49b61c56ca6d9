"""put: whole files under their own name, or none."""

import asyncio

import pytest

from mleconsole.model.absent import Absent
from mleconsole.model.plan import LOGIN
from mleconsole.transport.files import put
from mleconsole.transport.gate import Gate
from mleconsole.transport.interface import Denied
from mleconsole.transport.local import LocalTransport


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("content", [b"", b"\x00\xff\n" * 70_000], ids=["empty", "large"])
async def test_a_file_arrives_whole_and_private(home, content):
    path = await put(LocalTransport(gate=Gate(False)), LOGIN, "tool-1.py", content, deadline=10)
    assert path == f"{home}/.cache/mleconsole/tool-1.py"
    written = home / ".cache/mleconsole/tool-1.py"
    assert written.read_bytes() == content and written.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in written.parent.iterdir()] == ["tool-1.py"]


async def test_what_breaks_off_replaces_nothing(home):
    transport = LocalTransport(gate=Gate(False))
    await put(transport, LOGIN, "tool", b"the old one", deadline=10)

    class Breaks:
        """The same wire, losing the second half of stdin."""

        async def run(self, host, argv, *, danger, deadline, stdin):
            return await transport.run(host, argv, danger=danger, deadline=deadline, stdin=stdin[: len(stdin) // 2])

    answer = await put(Breaks(), LOGIN, "tool", b"a new one that is longer", deadline=10)
    assert isinstance(answer, Absent)
    assert [(f.name, f.read_bytes()) for f in (home / ".cache/mleconsole").iterdir()] == [("tool", b"the old one")]


async def test_two_at_once_leave_one_whole_file(home):
    transport = LocalTransport(gate=Gate(False))
    await asyncio.gather(*(put(transport, LOGIN, "tool", bytes([n]) * 100_000, deadline=20) for n in range(4)))
    assert len(set((home / ".cache/mleconsole/tool").read_bytes())) == 1


async def test_without_room_it_says_why(home):
    (home / ".cache").write_text("a file where a folder should be")
    answer = await put(LocalTransport(gate=Gate(False)), LOGIN, "tool", b"x", deadline=10)
    assert isinstance(answer, Absent) and "could not be written on login" in answer.reason and "mkdir" in answer.reason


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "-x", "a\nb"])
async def test_names_with_a_path_are_refused(home, name):
    with pytest.raises(ValueError, match="file name"):
        await put(LocalTransport(gate=Gate(False)), LOGIN, name, b"", deadline=5)


async def test_read_only_puts_nothing(home):
    with pytest.raises(Denied):
        await put(LocalTransport(gate=Gate(True)), LOGIN, "tool", b"x", deadline=5)
    assert not (home / ".cache").exists()
