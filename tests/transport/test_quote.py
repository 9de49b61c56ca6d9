"""quote, through the real shells that people have as login shells."""

import os
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mleconsole.transport.quote import quote, relay_argv, unquote

SHELLS = ["bash", "dash", "tcsh"]
#: Prints the words it gets, each ended by NUL.
PRINTER = "/usr/bin/printf"
NASTY = st.text(st.sampled_from(list("!'\"\\\n\r\t $`~*?[]{}()<>|&;#^=%a1-é→😀\x01\x1b\x7f")), max_size=12)
ANY = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)
WORDS = st.lists(NASTY | ANY, max_size=5)


def through(shell: str, argv: list[str], home: str, tmp: str, lang: str = "C.UTF-8") -> list[str]:
    environment = {"HOME": home, "PATH": os.environ["PATH"], "LANG": lang}
    done = subprocess.run(
        [shell, "-c", quote([PRINTER, r"%s\0", *argv])], capture_output=True, env=environment, cwd=tmp, timeout=20
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().split("\0")[:-1] if argv else []


@pytest.fixture(params=SHELLS)
def shell(request):
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return request.param


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return str(tmp_path_factory.mktemp("home")), str(tmp_path_factory.mktemp("work"))


def test_any_words_arrive_unchanged_in_every_shell(shell, places):
    @settings(max_examples=60, deadline=None, database=None)
    @given(WORDS)
    def check(words):
        assert through(shell, words, *places) == words

    check()


@pytest.mark.parametrize(
    "word",
    ["hi!there", "!!", "a\nb", "\n", "\\\n", "a'\n'!b\\", "it's", "", "$HOME `id` $(id)", "a=b", "=ls", "~", "-n",
     "^a^b", "\\!", "'!'", "%1", "日本\n語", "!\\\n!"],
)  # fmt: skip
def test_known_traps_arrive_unchanged(shell, places, word):
    for lang in ("C", "C.UTF-8"):
        assert through(shell, [word, word], *places, lang) == [word, word]


@pytest.mark.parametrize("program", ["if", "a=b", "exec!", "two words", "ün", "line\nbreak"])
def test_the_first_word_is_a_program_and_nothing_else(shell, places, program, tmp_path):
    path = tmp_path / program
    path.write_text('#!/bin/sh\necho ran "$@"\n')
    path.chmod(0o755)
    environment = {"HOME": places[0], "PATH": f"{tmp_path}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
    done = subprocess.run([shell, "-c", quote([program, "x"])], capture_output=True, env=environment, timeout=20)
    assert done.stdout == b"ran x\n", done.stderr


def test_a_tcsh_alias_does_not_replace_the_program(tmp_path):
    if shutil.which("tcsh") is None:
        pytest.skip("tcsh is not installed")
    (tmp_path / ".cshrc").write_text("alias echo '/bin/echo aliased'\n")
    done = subprocess.run(
        ["tcsh", "-c", quote(["echo", "x"])], capture_output=True, env={**os.environ, "HOME": str(tmp_path)}
    )
    assert done.stdout == b"x\n"


@given(st.lists(NASTY | ANY, min_size=1, max_size=5))
def test_unquote_undoes_quote(words):
    assert unquote(quote(words)) == tuple(words)


@pytest.mark.parametrize("argv", [["a\0b"], ["a", "\ud800"], []])
def test_what_no_command_line_can_hold_is_refused(argv):
    with pytest.raises(ValueError):
        quote(argv)


def test_a_relay_hands_the_quoted_command_to_ssh():
    argv = relay_argv("node01", ("echo", "it's", "a!"))
    assert argv[0] == "ssh" and "BatchMode=yes" in argv
    assert argv[-3:-1] == ("--", "node01") and unquote(argv[-1]) == ("echo", "it's", "a!")


@pytest.mark.parametrize("host", ["-oProxyCommand=id", "", "a b", "a\nb"])
def test_a_relay_refuses_what_is_no_host(host):
    with pytest.raises(ValueError):
        relay_argv(host, ("id",))
