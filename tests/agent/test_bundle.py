"""The bundle: deterministic, built from source that is never imported, one bad plugin costs only itself."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from mleconsole.api import AgentProbe, Observation, Plugin
from mleconsole.collect.bundle import AGENT, PACKAGE, make_bundle, source_of

GOOD = "def one(state): return 1\nSAMPLERS = {'one': one}"
REMOTES = tuple(f"mleconsole_plugins.{name}.remote" for name in ("disks", "host", "network", "nvidia", "processes"))
SENT = tuple(f"{PACKAGE}.{name}" for name in AGENT) + REMOTES


def test_equal_plugins_give_equal_bundles(plugin: Callable[..., Plugin]) -> None:
    one = plugin(GOOD, "one", id="one")
    two = plugin("def two(state): return 2\nSAMPLERS = {'two': two}", "two", id="two")
    assert make_bundle([one, two]) == make_bundle([two, one])
    assert make_bundle([one]).hash != make_bundle([one, two]).hash


def test_the_hash_follows_every_source(plugin: Callable[..., Plugin]) -> None:
    first = plugin(GOOD, "one")
    second = replace(plugin(GOOD + "\n# changed", "one"), id=first.id)
    assert make_bundle([first]).hash != make_bundle([second]).hash


def test_remote_modules_are_not_imported(plugin: Callable[..., Plugin]) -> None:
    loud = plugin("raise RuntimeError('imported on the console')", "one")
    bundle = make_bundle([loud])
    assert not bundle.troubles
    assert loud.remote not in sys.modules


def test_what_is_wrong_with_a_plugin_is_told_and_costs_only_itself(plugin: Callable[..., Plugin]) -> None:
    good = plugin(GOOD, "one", id="a_good")
    probe = AgentProbe("x", "x", 1.0, lambda raw, host: Observation())
    plugins = [
        good,
        plugin("def one(:\n", "bad", id="syntax"),
        plugin(GOOD, "one", id="z_clash"),
        Plugin("gone", "gone", probes=(probe,), remote="no_such_module_anywhere"),
        Plugin("nameless", "nameless", probes=(probe,)),
        plugin(GOOD, "modular", id="modular", modules=("no_such_module_anywhere",)),
        Plugin("quiet", "quiet"),
    ]
    bundle = make_bundle(plugins)
    troubles = bundle.troubles
    assert set(troubles) == {"syntax", "z_clash", "gone", "nameless", "modular"}
    assert "does not compile" in troubles["syntax"] and "line 1" in troubles["syntax"]
    assert troubles["z_clash"] == "plugin z_clash has no samplers: plugin a_good has a sampler of the same name"
    assert "no source of no_such_module_anywhere" in troubles["gone"]
    assert "names no `remote` module" in troubles["nameless"]
    assert bundle.program == make_bundle([good]).program


def test_modules_are_sent_only_when_wanted(plugin: Callable[..., Plugin]) -> None:
    bundle = make_bundle([plugin(GOOD, "one", modules=("pynvml",))])
    assert bundle.sources["pynvml"] == source_of("pynvml")
    assert len(bundle.program) < 20_000, "pynvml must not travel with every start"
    assert bundle.module("pynvml").startswith(b'{"t":"module"')
    assert bundle.module("other") == b""


def test_the_start_is_one_short_command(plugin: Callable[..., Plugin]) -> None:
    argv = make_bundle([plugin(GOOD, "one")]).argv
    assert argv[:2] == ("sh", "-c")
    assert sum(map(len, argv)) < 1500
    for python in ("python3 ", "/usr/libexec/platform-python", "python3.11", "python3.6"):
        assert python in argv[2]


@pytest.mark.parametrize("module", SENT)
def test_what_is_sent_is_valid_from_python_3_6_on(module: str) -> None:
    source = source_of(module).decode()
    tree = ast.parse(source, feature_version=(3, 6))
    for node in ast.walk(tree):
        assert not isinstance(node, (ast.NamedExpr, ast.Match)), f"{module}:{node.lineno}"
        if isinstance(node, ast.arguments):
            assert not node.posonlyargs, f"{module}: positional-only arguments"
        if isinstance(node, ast.ImportFrom):
            assert node.module not in ("__future__", "dataclasses"), f"{module}:{node.lineno}"
        if isinstance(node, ast.FormattedValue):
            pytest.fail(f"{module}:{node.lineno}: f-strings are left out (the = form is from 3.8 on)")
        if isinstance(node, ast.keyword) and node.arg in ("capture_output", "text"):
            pytest.fail(f"{module}: subprocess {node.arg}= is from Python 3.7 on")
        if isinstance(node, ast.Attribute) and node.attr in ("removeprefix", "removesuffix", "time_ns", "utcnow"):
            pytest.fail(f"{module}:{node.lineno}: {node.attr}")


@pytest.mark.parametrize("module", SENT)
def test_what_is_sent_imports_the_stdlib_and_pynvml_alone(module: str) -> None:
    for node in ast.walk(ast.parse(source_of(module))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module or ""]
        for name in names:
            top = name.split(".")[0]
            inside = module.startswith(PACKAGE) and name.startswith(PACKAGE + ".")
            assert inside or top in sys.stdlib_module_names or top == "pynvml", f"{module} imports {name}"
            assert top not in ("distutils", "imp", "asyncore", "pipes", "cgi", "asyncio", "dataclasses"), name


def test_every_file_of_the_agent_is_sent() -> None:
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None and spec.origin is not None
    files = {path.stem for path in Path(spec.origin).parent.glob("*.py")} - {"__init__"}
    assert files == set(AGENT)
