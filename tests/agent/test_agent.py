"""The agent as a real process: what it says, what it survives, and when it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mleconsole.api import Plugin
from mleconsole.collect import frames
from mleconsole.collect.bundle import make_bundle

COUNT = """
def count(state):
    state["n"] = state.get("n", 0) + 1
    return state["n"]
"""


def test_hello_says_who_it_is(agent: Any, plugin: Any) -> None:
    running = agent(plugin(COUNT + "SAMPLERS = {'count': count}", "count"))
    hello = running.wait("hello")
    assert running.frames[0] is hello
    assert hello.protocol == 1
    assert hello.bundle == running.bundle.hash
    assert hello.host == os.uname().nodename
    assert hello.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert hello.python.startswith("3.")
    assert hello.samplers == ("count",)
    assert hello.pid == running.process.pid, "the shell must be replaced, not kept beside the agent"
    assert hello.user == "tester"
    assert os.getpriority(os.PRIO_PROCESS, hello.pid) >= min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)


def test_samples_come_on_their_period(agent: Any, plugin: Any) -> None:
    running = agent(plugin(COUNT + "SAMPLERS = {'count': count}", "count"), periods={"count": 0.1})
    values = [int(running.wait("s", "count").data) for _ in range(4)]
    assert values == sorted(set(values))


def test_period_changes_while_it_runs(agent: Any, plugin: Any) -> None:
    running = agent(plugin(COUNT + "SAMPLERS = {'count': count}", "count"), periods={"count": 3600})
    assert running.wait("s", "count").data == b"1"
    running.say(frames.periods({"count": 0.1, "unknown": 1.0}))
    assert running.wait("s", "count").data == b"2"
    assert int(running.wait("s", "count").data) >= 3


def test_once_samples_now_and_period_zero_only_then(agent: Any, plugin: Any) -> None:
    running = agent(plugin(COUNT + "SAMPLERS = {'count': count}", "count"), periods={"count": 0})
    assert running.wait("s", "count").data == b"1"
    for expected in (b"2", b"3"):
        running.say(frames.once("count"))
        assert running.wait("s", "count").data == expected


def test_unchanged_answers_are_only_confirmed(agent: Any, plugin: Any) -> None:
    source = "def same(state):\n    return state['options'].get('value', 'first')\nSAMPLERS = {'same': same}"
    running = agent(plugin(source, "same"), periods={"same": 0.1}, on_change=["same"])
    assert running.wait("s", "same").data == b'"first"'
    running.wait("=", "same")
    running.wait("=", "same")
    running.say(frames.options({"value": "second"}))
    assert running.wait("s", "same").data == b'"second"'
    running.wait("=", "same")
    running.say(frames.once("same"))
    assert running.wait("s", "same").data == b'"second"', "asked for, it is told in full"


def test_one_that_raises_costs_only_itself(agent: Any, plugin: Any) -> None:
    source = COUNT + (
        "class Missing(Exception): pass\n"
        "def bad(state): return {}['x']\n"
        "def none(state): raise Missing('there is no such thing here')\n"
        "def nan(state): return float('nan')\n"
        "def leave(state): raise SystemExit(3)\n"
        "SAMPLERS = {'count': count, 'bad': bad, 'none': none, 'nan': nan, 'leave': leave}"
    )
    running = agent(plugin(source, "bad", "none", "nan", "leave", "count"), periods={"count": 0.1})
    reasons = {frame.name: frame.reason for frame in [running.wait("a") for _ in range(4)]}
    assert set(reasons) == {"bad", "none", "nan", "leave"}
    assert reasons["bad"] == "the sampler bad failed: KeyError: 'x'"
    assert reasons["none"] == "there is no such thing here"
    assert "SystemExit" in reasons["leave"]
    running.wait("s", "count", lambda frame: int(frame.data) > 3)


def test_a_hung_sampler_hangs_alone(agent: Any, plugin: Any, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    source = COUNT + (
        "def stuck(state):\n"
        "    state['starts'] = state.get('starts', 0) + 1\n"
        f"    with open({str(fifo)!r}) as file:\n"
        "        return [state['starts'], file.read()]\n"
        "SAMPLERS = {'count': count, 'stuck': stuck}"
    )
    deadlines = {"stuck": 0.2}
    running = agent(plugin(source, "stuck", "count"), periods={"count": 0.1, "stuck": 0.1}, deadlines=deadlines)
    assert running.wait("a", "stuck").reason == "did not answer within 0.2 s (hung)"
    first = int(running.wait("s", "count").data)
    running.wait("s", "count", lambda frame: int(frame.data) > first + 10)
    running.say(frames.once("stuck"))  # nor does asking start it a second time
    running.say(frames.beat())
    running.wait("beat")
    fifo.write_text("released")
    assert json.loads(running.wait("s", "stuck").data) == [1, "released"]
    assert sum(frame.type == "a" for frame in running.frames) == 1, "told once, not at every look"


def test_two_plugins_do_not_share_names(agent: Any, plugin: Any) -> None:
    source = "VALUE = %r\ndef sample(state): return VALUE\nSAMPLERS = {%r: sample}"
    running = agent(
        plugin(source % ("one", "a"), "a", id="p1"), plugin(source % ("two", "b"), "b", id="p2"), periods={"a": 0.1}
    )
    assert running.wait("s", "b").data == b'"two"'
    assert running.wait("s", "a").data == b'"one"'


def test_a_plugin_that_does_not_run_here_says_so(agent: Any, plugin: Any) -> None:
    broken = plugin("import no_such_module_anywhere\nSAMPLERS = {}", "gone", id="broken")
    running = agent(broken, plugin(COUNT + "SAMPLERS = {'count': count}", "count", id="good"))
    reason = running.wait("a", "gone").reason
    assert reason.startswith("does not run on this host's Python 3.") and "no_such_module_anywhere" in reason
    running.say(frames.once("count"))
    running.wait("s", "count")


def test_what_is_printed_does_not_land_among_the_frames(agent: Any, plugin: Any) -> None:
    source = (
        "import os\ndef loud(state):\n    print('noise')\n    os.write(1, b'more')\n    return 'x'\n"
        "SAMPLERS = {'loud': loud}"
    )
    running = agent(plugin(source, "loud"), periods={"loud": 0.1})
    for _ in range(3):
        assert running.wait("s", "loud").data == b'"x"'


def test_odd_text_arrives_as_valid_json(agent: Any, plugin: Any) -> None:
    source = "def odd(state): return ['\\udc80', 'a\\u0007b', 'ä中']\nSAMPLERS = {'odd': odd}"
    told = json.loads(agent(plugin(source, "odd")).wait("s", "odd").data)
    assert told == ["?", "a\u0007b", "ä中"]


def test_an_answer_beyond_measure_is_absent(agent: Any, plugin: Any) -> None:
    source = "def huge(state): return 'x' * 5000000\nSAMPLERS = {'huge': huge}"
    assert agent(plugin(source, "huge")).wait("a", "huge").reason == "answered 5 MB, more than is taken"


def test_garbage_on_stdin_is_passed_over(agent: Any, plugin: Any) -> None:
    running = agent(plugin(COUNT + "SAMPLERS = {'count': count}", "count"))
    running.wait("s", "count")
    running.say(
        b'\xff\xfe\0garbage\n{}\n[1]\n{"t": 1}\n{"t":"once"}\n{"t":"once","n":"no"}\n'
        b'{"t":"periods","p":{"count":"x"}}\n'
    )
    running.say(b'{"t":"module","n":"no","z":"AAAA"}\n' + b"y" * 100000 + b"\n" + frames.beat())
    running.wait("beat")


def test_words_of_a_login_script_are_passed_over(agent: Any, plugin: Any) -> None:
    words = ("sh", "-c", 'echo "Welcome to the cluster"; printf "no newline"; exec "$@"', "sh")
    running = agent(plugin(COUNT + "SAMPLERS = {'count': count}", "count"), argv=words)
    running.wait("s", "count")
    assert running.reader.junk == "Welcome to the cluster\nno newline"


# -- its end --------------------------------------------------------------------------------------------------------


def test_it_ends_without_heartbeat(agent: Any, plugin: Any) -> None:
    running = agent(plugin(COUNT + "SAMPLERS = {'count': count}", "count"), heartbeat=0.5)
    running.wait("hello")
    assert running.ended() == 0


def test_heartbeats_keep_it_alive(agent: Any, plugin: Any) -> None:
    running = agent(plugin(COUNT + "SAMPLERS = {'count': count}", "count"), periods={"count": 0.1}, heartbeat=3.0)
    began = int(running.wait("s", "count").data)
    for step in range(45):  # 4.5 s and more by its own clock, beaten to all the while
        running.wait("s", "count", lambda frame, least=began + step: int(frame.data) > least)
        running.say(frames.beat())
    assert running.process.poll() is None


def test_eof_on_stdin_ends_it_and_what_it_started(agent: Any, plugin: Any, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    script = f"echo $$ > {fifo}; exec sleep 1000"
    source = f"def run(state): return state['run'](['sh', '-c', {script!r}], 900)\nSAMPLERS = {{'run': run}}"
    running = agent(plugin(source, "run"), deadlines={"run": 900})
    child = int(fifo.read_text())
    running.process.stdin.close()
    assert running.ended() == 0
    with open(f"/proc/{child}/stat") if os.path.exists(f"/proc/{child}/stat") else open(os.devnull) as file:
        assert file.read().rpartition(")")[2].split()[:1] in ([], ["Z"]), "a program it ran is still there"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it(agent: Any, plugin: Any, number: signal.Signals) -> None:
    running = agent(plugin(COUNT + "SAMPLERS = {'count': count}", "count"))
    running.wait("s", "count")
    running.process.send_signal(number)
    assert running.ended() == 0


def test_a_reader_that_went_away_ends_it(agent: Any, plugin: Any) -> None:
    running = agent(plugin(COUNT + "SAMPLERS = {'count': count}", "count"), periods={"count": 0.1})
    running.wait("s", "count")
    running.process.stdout.close()
    assert running.process.wait(30) == 0


def test_a_reader_that_does_not_read_delays_no_end(agent: Any, plugin: Any) -> None:
    source = "import os\ndef big(state): return os.urandom(100000).hex()\nSAMPLERS = {'big': big}"
    running = agent(plugin(source, "big"), periods={"big": 0.1}, heartbeat=4.0)
    running.wait("hello")
    assert running.process.wait(30) == 0, "it must end by its heartbeat though its pipe is full"


def test_bye_ends_it(agent: Any, plugin: Any) -> None:
    running = agent(plugin(COUNT + "SAMPLERS = {'count': count}", "count"))
    running.wait("hello")
    running.say(frames.bye())
    assert running.ended() == 0


def test_no_python_is_told_in_a_sentence(plugin: Callable[..., Plugin]) -> None:
    bundle = make_bundle([plugin(COUNT + "SAMPLERS = {'count': count}", "count")])
    if os.path.exists("/usr/libexec/platform-python"):
        pytest.skip("this machine has a platform-python that does not depend on PATH")
    done = subprocess.run(["/bin/sh", *bundle.argv[1:]], env={"PATH": "/nonexistent"}, input=b"", capture_output=True)
    assert done.returncode == 127
    assert done.stderr.decode().startswith("no python3 found on this host")


def test_settings_that_did_not_arrive_are_told(plugin: Callable[..., Plugin]) -> None:
    bundle = make_bundle([plugin(COUNT + "SAMPLERS = {'count': count}", "count")])
    done = subprocess.run(bundle.argv, input=bundle.program + b"{half", capture_output=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr.decode().startswith("mleconsole agent: its settings did not arrive whole")
    assert "Traceback" not in done.stderr.decode()
