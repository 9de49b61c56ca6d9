"""The command log says long commands in few words."""

from __future__ import annotations

from mleconsole.app.screens.commands import in_words
from mleconsole.collect.bundle import make_bundle


def test_the_agent_is_one_short_line_and_an_environment_is_left_out():
    words = in_words(make_bundle(()).argv)
    assert words.startswith("agent (python3, ") and words.endswith("k on stdin)") and len(words) < 40
    assert in_words(("env", "A=1", "B=%s", "squeue", "--me", "x y")) == "squeue --me 'x y'"
    assert in_words(("env",)) == "env"
    assert in_words(("A=1", "x")) == "A=1 x"
