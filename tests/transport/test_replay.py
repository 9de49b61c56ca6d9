"""What was recorded is answered again, without the cluster."""

import asyncio
import time

import pytest

from mleconsole.model.plan import LOGIN, Danger
from mleconsole.transport.gate import Gate
from mleconsole.transport.interface import Denied, Unreached
from mleconsole.transport.local import LocalTransport
from mleconsole.transport.record import RecordingTransport
from mleconsole.transport.replay import ReplayError, ReplayTransport

READS = Danger.READS


async def record(file, until):
    transport = RecordingTransport(LocalTransport(gate=Gate(False)), file, time.monotonic)
    await transport.connect(LOGIN)
    counter = file.parent / "counter"
    count = ["sh", "-c", f"echo x >> {counter}; wc -l < {counter}"]
    lived = [await transport.run(LOGIN, count, danger=READS, deadline=5) for _ in range(2)]
    lived.append(await transport.run(LOGIN, ["sh", "-c", "echo odd >&2; exit 4"], danger=READS, deadline=5))
    lived.append(await transport.run(LOGIN, ["sleep", "60"], danger=READS, deadline=0.1))
    heard = bytearray()
    stream = await transport.stream(LOGIN, ["cat"], heard.extend, danger=READS, deadline=5)
    stream.write(b"\x00said\n")
    await until(lambda: heard == b"\x00said\n")
    stream.close()
    await stream.wait()
    await transport.close()
    return count, lived


async def test_it_answers_as_the_cluster_did(tmp_path, until):
    file = tmp_path / "recording.gz"
    count, lived = await record(file, until)
    replay = ReplayTransport(file)
    assert replay.user == LocalTransport(gate=Gate(False)).user
    again = [await replay.run(LOGIN, done.argv, danger=READS, deadline=5) for done in lived]
    for now, then in zip(again, lived, strict=True):
        assert (now.exit_status, now.stdout, now.stderr, now.trouble) == (
            then.exit_status, then.stdout, then.stderr, then.trouble,
        )  # fmt: skip
    assert (await replay.run(LOGIN, count, danger=READS, deadline=5)).stdout == lived[1].stdout  # the last stays
    heard = bytearray()
    stream = await replay.stream(LOGIN, ["cat"], heard.extend, danger=READS, deadline=5)
    await until(lambda: heard == b"\x00said\n")
    ended = asyncio.ensure_future(stream.wait())
    stream.close()
    assert (await ended).ok


async def test_what_was_not_recorded_is_trouble(tmp_path, until):
    file = tmp_path / "recording.gz"
    await record(file, until)
    replay = ReplayTransport(file, Gate(True))
    done = await replay.run(LOGIN, ["other"], danger=READS, deadline=5)
    assert "not in the recording" in done.trouble.reason
    assert isinstance(await replay.connect("node99"), Unreached) and await replay.connect(LOGIN) is None
    with pytest.raises(Denied):
        await replay.run(LOGIN, ["other"], danger=Danger.CHANGES, deadline=5)


async def test_a_recording_that_breaks_off_is_good_up_to_there(tmp_path, until):
    file = tmp_path / "recording.gz"
    count, lived = await record(file, until)
    file.write_bytes(file.read_bytes()[:-30])
    try:
        replay = ReplayTransport(file)
    except ReplayError:
        pytest.fail("what is whole was thrown away")
    assert (await replay.run(LOGIN, count, danger=READS, deadline=5)).stdout == lived[0].stdout


@pytest.mark.parametrize("content", [b"", b"no gzip at all"])
def test_another_file_is_refused_in_one_sentence(tmp_path, content):
    file = tmp_path / "other"
    file.write_bytes(content)
    with pytest.raises(ReplayError, match="recording"):
        ReplayTransport(file)
