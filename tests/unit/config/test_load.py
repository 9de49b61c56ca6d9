"""A target is a Config or one sentence; a file may hold anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mleconsole.config.keys import CHECKS
from mleconsole.config.load import load_target, parse
from mleconsole.config.schema import Config, ConfigError
from mleconsole.config.yaml import Wrong, _plain, _Reader


def read(text: str | bytes, **overrides: object) -> Config:
    content = text.encode() if isinstance(text, str) else text
    return parse(content, "cluster.yaml", Path("cluster.yaml"), overrides)


def refused(text: str | bytes, **overrides: object) -> str:
    with pytest.raises(ConfigError) as error:
        read(text, **overrides)
    return str(error.value)


def test_the_smallest_file_is_one_line() -> None:
    assert read("login: alice@login.example.org\n") == Config(
        name="login.example.org", login="alice@login.example.org", source="cluster.yaml"
    )


def test_all_keys(tmp_path: Path) -> None:
    (tmp_path / "ssh").write_text("")
    file = tmp_path / "prod.yaml"
    file.write_text(
        """
name: Big one
login: alice@login:2222
nodes: [node01, 'node[02-04]']
ssh_config: ssh
filesystems: [/scratch, /home]
interval: 2
read_only: true
teams: {nlp: [alice, bob]}
sudo: [scontrol]
plugins: {slurm: {cluster: a, depth: [1, 2.5, null]}, nvidia: false, disks: }
tools: {py-spy: /opt/bin/py-spy}
keys: {cancel: K}
"""
    )
    config = load_target(str(file))
    assert config == Config(
        name="Big one",
        login="alice@login:2222",
        nodes="node[01-04]",
        ssh_config=str(tmp_path / "ssh"),
        filesystems=("/scratch", "/home"),
        interval=2.0,
        read_only=True,
        teams={"nlp": ("alice", "bob")},
        sudo=("scontrol",),
        plugins={"slurm": {"cluster": "a", "depth": [1, 2.5, None]}, "nvidia": False, "disks": {}},
        tools={"py-spy": "/opt/bin/py-spy"},
        keys={"cancel": "K"},
        source=str(file),
    )


def test_every_field_of_config_has_a_key() -> None:
    assert set(Config.__struct_fields__) - {"source"} == set(CHECKS)


def test_the_file_names_the_cluster(tmp_path: Path) -> None:
    (tmp_path / "prod.yaml").write_text("login: a@b")
    assert load_target(str(tmp_path / "prod.yaml")).name == "prod"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("login: a@b\n\nnodse: x", 'cluster.yaml:3: unknown key "nodse" (did you mean "nodes"?)'),
        ("login: a@b\nqqqqq: x", 'cluster.yaml:2: unknown key "qqqqq"'),
        ("name: x", "cluster.yaml: the key login is missing; write: login: alice@login.example.org"),
        ("", "cluster.yaml: the key login is missing; write: login: alice@login.example.org"),
        ("login: -oProxyCommand=x", "cluster.yaml:1: \"login\" must be user@host, user@host:port or an alias of ssh, "
         'not "-oProxyCommand=x"'),
        ("login: a@b\nread_only: maybe", 'cluster.yaml:2: "read_only" must be true or false, not text'),
        ("login: a@b\ninterval: .nan", 'cluster.yaml:2: "interval" must be from 0.2 to 3600 seconds, not "nan"'),
        ("login: a@b\ninterval: 1s", 'cluster.yaml:2: "interval" must be a number of seconds, not text'),
        ("login: a@b\nteams:\n  nlp: [a]\n  cv: 3", 'cluster.yaml:4: "teams.cv" must be a list, such as [a, b], '
         "not a number"),
        ("login: a@b\nfilesystems:\n- /a\n- b", 'cluster.yaml:4: "filesystems" must be absolute paths, not "b"'),
        ("login: a@b\nnodes: 'node['", 'cluster.yaml:2: "nodes" must be "mine" or a nodeset such as node[01-16], '
         'not "node["'),
        ("login: a@b\nnodes: 'n[1-99999999]'", 'cluster.yaml:2: "nodes" names more than 65536 nodes: "n[1-99999999]"'),
        ("login: a@b\nlogin: c@d", 'cluster.yaml:2: "login" stands twice'),
        ("a: &x [*x]", "cluster.yaml:1: YAML aliases (*name) are not read here; write the value out"),
        ("login: !!python/object:os.system x", "cluster.yaml:1: YAML tags (!name) are not read here"),
        ("- a", "cluster.yaml:1: is not a mapping of keys; the smallest is one line: login: alice@login.example.org"),
        ("login: [", "cluster.yaml:1: is not YAML: expected the node content, but found '<stream end>'"),
        (b"login: a@b\nname: \xff", "cluster.yaml:2: is not UTF-8 text"),
        ("login: a@b\nssh_config: nowhere", 'cluster.yaml:2: "ssh_config" names no file: "nowhere"'),
        ("login: a@b\ntools: {py-spy: bin/x}", 'cluster.yaml:2: "tools.py-spy" must be an absolute path on the nodes, '
         'not "bin/x"'),
    ],
)  # fmt: skip
def test_errors_are_one_sentence_with_the_line(text: str | bytes, sentence: str) -> None:
    assert refused(text) == sentence


def test_options_win_and_are_named_in_errors() -> None:
    config = read("login: a@b\nnodes: mine", nodes="n[1-2]", read_only=True)
    assert (config.nodes, config.read_only) == ("n[1-2]", True)
    assert refused("login: a@b", nodes="@all").startswith('--nodes: "nodes" must be "mine" or a nodeset')


@pytest.mark.parametrize(
    ("target", "name", "login"),
    [
        ("local", "local", ""),
        ("alice@login.example.org", "login.example.org", "alice@login.example.org"),
        ("alice@login:22", "login", "alice@login:22"),
        ("prod", "prod", "prod"),
        ("alice@[fe80::1%eth0]:22", "fe80::1%eth0", "alice@[fe80::1%eth0]:22"),
        ("alice@corp.example@login", "login", "alice@corp.example@login"),
    ],
)
def test_targets_that_are_no_file(target: str, name: str, login: str) -> None:
    assert load_target(target) == Config(name=name, login=login)


@pytest.mark.parametrize("target", ["", " ", "-oProxyCommand=x", "a b", "a@b:99999", "a@", "@b", "a\nb", "a@-b"])
def test_words_that_are_no_target(target: str) -> None:
    with pytest.raises(ConfigError):
        load_target(target)


@pytest.mark.parametrize("target", ["demo", "demo:hang@30"])
def test_demo_is_not_a_target_of_this_version(target: str) -> None:
    with pytest.raises(ConfigError, match="demo is not a target of this version"):
        load_target(target)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_target(str(tmp_path / "x.yaml"))
    with pytest.raises(ConfigError, match="recordings are not a target of this version"):
        load_target(str(tmp_path))


PIECES = st.sampled_from(
    ["login", "nodes", "teams", "plugins", ": ", ":", "- ", "\n", "\n  ", "[", "]", "{", "}", "a@b", "&x ", "*x",
     "!!int ", "true", "0x", "1_0", ".nan", "'", '"', "|", ">", "?", "<<: ", "---", "%YAML 9.9", "#", "\t",
     "\0", "n[1-9]", ","]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=30).map("".join)))
def test_any_text_is_a_config_or_one_sentence(text: str) -> None:
    any_bytes(text.encode("utf-8", "surrogatepass"))


@settings(deadline=None, max_examples=200)
@given(
    st.one_of(st.binary(), st.lists(PIECES, max_size=20).map(lambda p: ("login: a@b\nnodes: " + "".join(p)).encode()))
)
def test_any_bytes_are_a_config_or_one_sentence(content: bytes) -> None:
    any_bytes(content)


def any_bytes(content: bytes) -> None:
    try:
        config = read(content)
    except ConfigError as error:
        assert str(error).startswith("cluster.yaml:")
        assert str(error).isprintable()
    else:
        assert isinstance(config, Config)
        assert config.name


@settings(deadline=None, max_examples=300)
@given(st.text())
def test_any_word_is_a_target_or_one_sentence(target: str) -> None:
    try:
        config = load_target(target)
    except ConfigError as error:
        assert str(error).isprintable()
    else:
        assert isinstance(config, Config)


_WORDS = st.sampled_from(
    [
        "login",
        "name",
        "a@b:22",
        "/x/y.z",
        "true",
        "on",
        "Y",
        "~",
        "1",
        "1e3",
        "e5",
        "x:",
        "x:1",
        "[a]",
        "- a",
        "#b",
        "'q'",
        "null",
        "a b",
        ".5",
        "0x1f",
        "2001-01-01",
        "\t",
        "&a",
        "*a",
        "!t",
        "|",
        ">",
        "%",
        "?",
        "é",
        "a#b",
        "a #b",
        "<<",
    ]
)
_PLAIN = st.lists(
    st.builds(
        "{}{}{}{}{}".format,
        st.sampled_from(["", "", "", " ", "# "]),
        _WORDS,
        st.sampled_from([": ", ": ", ":", ":  ", "", " "]),
        _WORDS | st.text("abc/.:@-_ #0159TrueNoFyn", max_size=8),
        st.sampled_from(["", "", " ", "\r", "\t"]),
    ),
    max_size=4,
).map("\n".join)


@settings(max_examples=600)
@given(_PLAIN)
def test_the_quick_reader_agrees_with_the_library_or_says_nothing(text: str) -> None:
    quick = _plain(text)
    if quick is None:
        return
    try:
        slow = _Reader().read(text)
    except Wrong as wrong:
        raise AssertionError(wrong.sentence) from None
    assert quick.value == slow.value
    assert {key: quick.line((key,)) for key in quick.value} == {key: slow.line((key,)) for key in slow.value}
    assert quick.line(()) == slow.line(())


def test_the_quick_reader_reads_what_most_files_are() -> None:
    text = "# ours\nname: prod\n\nlogin: alice@login.example.org:2222\nssh_config: conf/ssh_config\n"
    quick = _plain(text)
    assert quick is not None
    assert quick.value == {"name": "prod", "login": "alice@login.example.org:2222", "ssh_config": "conf/ssh_config"}
    assert quick.line(("login",)) == 4
