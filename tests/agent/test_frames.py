"""FrameReader: any pieces give the same frames, and nothing but FrameError comes of garbage."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mleconsole.collect import frames
from mleconsole.collect.frames import Frame, FrameError, FrameReader

MARKER = b"\nMLECONSOLE-AGENT-1\n"
HELLO: dict[str, Any] = {"t": "hello", "protocol": 1, "bundle": "abc", "host": "node01", "samplers": ["gpus"], "pid": 7}

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
said = st.lists(
    st.one_of(
        st.builds(lambda n, d: {"t": "s", "n": n, "d": d}, st.text(max_size=8), values),
        st.builds(lambda n, r: {"t": "a", "n": n, "r": r}, st.text(max_size=8), st.text(max_size=30)),
        st.builds(lambda n: {"t": "=", "n": n}, st.text(max_size=8)),
        st.builds(lambda cpu, rss: {"t": "cost", "cpu": cpu, "rss": rss}, st.floats(0, 100), st.integers(0, 2**40)),
    ),
    max_size=8,
)


def stream(batches: list[list[Any]], junk: bytes = b"", hello: Any = HELLO) -> bytes:
    """The bytes that an agent would write: a sync flush after every batch."""
    deflate = zlib.compressobj()
    out = junk + MARKER
    for batch in [[hello], *batches]:
        text = b"".join(json.dumps(frame, ensure_ascii=False).encode("utf-8", "replace") + b"\n" for frame in batch)
        out += deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return out


def plain(frame: Frame) -> Any:
    return frame.type, frame.name, frame.reason, frame.data, frame.cpu, frame.rss, frame.samplers


def read(data: bytes, cuts: list[int]) -> tuple[list[Any], str]:
    reader, found, at = FrameReader(), [], 0
    for cut in [*sorted(cuts), len(data)]:
        try:
            found += [plain(frame) for frame in reader.feed(data[at:cut])]
        except FrameError as error:
            return found + [plain(frame) for frame in error.frames], str(error)
        at = max(at, cut)
    return found, ""


@given(st.data(), st.lists(said, max_size=4), st.sampled_from([b"", b"motd\r\n", b"\xff\nMLECONSOLE-AGENT\n"]))
@settings(max_examples=150, deadline=None)
def test_any_pieces_give_the_same_frames(data: st.DataObject, batches: list[list[Any]], junk: bytes) -> None:
    whole = stream(batches, junk)
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=12))
    found, trouble = read(whole, cuts)
    assert (found, trouble) == read(whole, [])
    assert trouble == ""
    sent = [frame for batch in batches for frame in batch]
    assert [(frame[0], frame[1]) for frame in found[1:]] == [(frame["t"], frame.get("n", "")) for frame in sent]
    for frame, original in zip(found[1:], sent, strict=True):
        if original["t"] == "s":
            assert json.loads(frame[3]) == json.loads(json.dumps(original["d"]).encode("utf-8", "replace"))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damage_is_found_in_any_pieces(data: st.DataObject) -> None:
    whole = bytearray(stream([[{"t": "s", "n": "gpus", "d": [[i, i * i]]}] for i in range(6)]))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(len(MARKER), len(whole) - 1))] = data.draw(st.integers(0, 255))
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=8))
    found, trouble = read(bytes(whole), cuts)
    at_once, trouble_at_once = read(bytes(whole), [])
    assert bool(trouble) == bool(trouble_at_once)
    # zlib keeps nothing of the piece that it chokes on: fewer frames may come of larger pieces, never other ones.
    assert all(one == other for one, other in zip(found, at_once, strict=False))


@given(st.binary(max_size=400), st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_garbage_raises_nothing_else(garbage: bytes, marked: bool, deflated: bool) -> None:
    reader = FrameReader()
    try:
        reader.feed((MARKER if marked else b"") + (zlib.compress(garbage) if deflated else garbage))
        reader.feed(garbage)
    except FrameError as error:
        assert str(error)
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\nMLECONSOLE-AGENT-2\n", "its agent speaks protocol 2, this console 1"),
        (MARKER + b"plain text, not deflated", "its stream is garbled (it does not inflate)"),
        (stream([], hello={**HELLO, "protocol": 9}), "its agent speaks protocol 9, this console 1"),
        (stream([], hello={"t": "s", "n": "x", "d": 1}), "its first frame is 's' and no hello"),
        (stream([["not a frame"]]), "it sent what is no frame: '\"not a frame\"'"),
        (stream([[{"n": "no type"}]]), 'it sent what is no frame: \'{"n": "no type"}\''),
        (b"x" * (frames.JUNK_LIMIT + 1), "it printed 1 MiB and no sign of an agent"),
        (stream([[{"t": "s", "n": "x", "d": "y" * frames.LINE_LIMIT}]]), "it sent a frame of more than 4 MiB"),
        (MARKER + zlib.compress(b"\n"), "it sent what is no frame: ''"),
        (MARKER + zlib.compress(json.dumps(HELLO).encode() + b"\n") + b"x", "it ended its stream and went on talking"),
    ],
)
def test_each_trouble_has_its_sentence(data: bytes, sentence: str) -> None:
    reader = FrameReader()
    for _ in range(2):  # and it stays broken
        with pytest.raises(FrameError) as caught:
            reader.feed(data)
        assert str(caught.value) == sentence


def bomb(line: bytes) -> bytes:
    deflate = zlib.compressobj(9)
    head = MARKER + deflate.compress(json.dumps(HELLO).encode() + b"\n")
    return head + b"".join(deflate.compress(line * ((2 << 20) // len(line))) for _ in range(50)) + deflate.flush()


def test_a_bomb_of_many_frames_is_not_inflated_to_its_end() -> None:
    with pytest.raises(FrameError, match="inflates beyond belief") as caught:
        FrameReader().feed(bomb(b'{"t":"=","n":"x"}\n'))
    assert len(caught.value.frames) < 200_000


def test_a_bomb_of_large_frames_is_not_inflated_to_its_end() -> None:
    with pytest.raises(FrameError, match="inflates beyond belief") as caught:
        FrameReader().feed(bomb(b'{"t":"s","n":"x","d":"' + b"y" * 100_000 + b'"}\n'))
    assert len(caught.value.frames) * 100_000 < 1.1 * frames.INFLATE_FREE


def test_good_frames_ahead_of_the_damage_are_not_lost() -> None:
    with pytest.raises(FrameError) as caught:
        FrameReader().feed(stream([[{"t": "s", "n": "gpus", "d": [1]}], ["bad"]]))
    assert [(frame.type, frame.data) for frame in caught.value.frames][1:] == [("s", b"[1]")]


def test_a_large_answer_survives_small_pieces() -> None:
    text = json.dumps({"t": "s", "n": "big", "d": "z" * 1_000_000}).encode() + b"\n"
    deflate = zlib.compressobj()
    hello = deflate.compress(json.dumps(HELLO).encode() + b"\n") + deflate.flush(zlib.Z_SYNC_FLUSH)
    whole = MARKER + hello + deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH)
    found, trouble = read(whole, list(range(0, len(whole), 100)))
    assert trouble == "" and len(found) == 2 and len(found[1][3]) == 1_000_002


def test_control_lines_are_one_line_each() -> None:
    lines = [
        frames.beat(),
        frames.periods({"gpus": 1.5}),
        frames.once("gpus"),
        frames.options({"tools": {"py-spy": "/x\n"}}),
        frames.module("pynvml", b"source\n" * 100),
        frames.bye(),
    ]
    for line in lines:
        assert line.endswith(b"\n") and line.count(b"\n") == 1
        assert "t" in json.loads(line)
