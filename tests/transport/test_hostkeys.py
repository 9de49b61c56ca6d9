"""known_hosts: our reading of it against ssh-keygen's, and what is told apart."""

import shutil
import subprocess

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mleconsole.transport.hostkeys import HostKey, KnownHosts, Verdict, host_pattern, remember


def key(kind="ssh-ed25519"):
    made = asyncssh.generate_private_key(kind)
    return HostKey(made.get_algorithm(), made.public_data)


A, B, C = key(), key(), key("ecdsa-sha2-nistp256")


def judged(text, names, shown):
    return KnownHosts(text=text, name="file").about(*names).judge(shown)


@pytest.mark.parametrize(
    ("text", "name", "shown", "verdict"),
    [
        (f"host {A.text}", "host", A, Verdict.KNOWN),
        (f"host {A.text} a comment", "HOST", A, Verdict.KNOWN),
        (f"host {A.text}", "host", B, Verdict.CHANGED),
        (f"host {A.text}", "host", C, Verdict.CHANGED),
        (f"host {A.text}", "other", A, Verdict.UNKNOWN),
        (f"one,host,10.0.0.1 {A.text}", "10.0.0.1", A, Verdict.KNOWN),
        (f"host {A.text}\nhost {B.text}", "host", B, Verdict.KNOWN),
        (f"*.example.org,!bad.example.org {A.text}", "good.example.org", A, Verdict.KNOWN),
        (f"*.example.org,!bad.example.org {A.text}", "bad.example.org", A, Verdict.UNKNOWN),
        (f"node0? {A.text}", "node07", A, Verdict.KNOWN),
        (f"[host]:2222 {A.text}", host_pattern("host", 2222), A, Verdict.KNOWN),
        (f"[host]:2222 {A.text}", "host", A, Verdict.UNKNOWN),
        (f"host {A.text}\n@revoked * {A.text}", "host", A, Verdict.REVOKED),
        (f"@cert-authority * {A.text}", "host", B, Verdict.UNKNOWN),
        (f"#host {A.text}", "host", A, Verdict.UNKNOWN),
        (f"  host   {A.text}", "host", A, Verdict.KNOWN),
        (f"@strange host {A.text}", "host", A, Verdict.UNKNOWN),
        (f"host ssh-rsa {A.text.split()[1]}", "host", A, Verdict.UNKNOWN),
        (f"broken\n\n\x00\n|1|x|y {A.text}\nhost {A.text}", "host", A, Verdict.KNOWN),
    ],
    ids=[f"line{number}" for number in range(19)],  # the keys are made anew by every worker: no names of tests
)  # fmt: skip
def test_verdicts(text, name, shown, verdict):
    assert judged(text, [name], shown)[0] is verdict


def test_the_line_of_a_changed_key_is_named():
    verdict, entry = judged(f"# first\nother {B.text}\nhost {A.text}\n", ["host"], B)
    assert verdict is Verdict.CHANGED and entry.place == "file line 3"


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading(text):
    assert judged(f"{text}\nhost {A.text}", ["host"], A)[0] is not Verdict.CHANGED


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen here")
def test_hashed_names_and_fingerprints_are_ssh_keygens(tmp_path):
    file = tmp_path / "known_hosts"
    file.write_text(f"host {A.text}\n[far]:2200 {C.text}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
    assert "host" not in file.read_text()
    known = KnownHosts([file])
    assert known.about("host").judge(A)[0] is Verdict.KNOWN
    assert known.about(host_pattern("far", 2200)).judge(C)[0] is Verdict.KNOWN
    assert known.about("far").judge(C)[0] is Verdict.UNKNOWN
    listed = subprocess.run(["ssh-keygen", "-l", "-f", file], check=True, capture_output=True, text=True).stdout
    assert A.fingerprint in listed and C.fingerprint in listed
    assert f"({A.short})" in listed and f"({C.short})" in listed


def test_remembering_appends_whole_lines(tmp_path):
    file = tmp_path / "new" / "known_hosts"
    remember(file, "a", A)
    file.write_text(file.read_text().rstrip("\n"))  # somebody's editor left no newline
    remember(file, "[b]:22022", B)
    known = KnownHosts([file])
    assert known.about("a").judge(A)[0] is Verdict.KNOWN and known.about("[b]:22022").judge(B)[0] is Verdict.KNOWN
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
    assert not known.changed()
    remember(file, "c", C)
    assert known.changed()


def test_files_that_are_not_there_are_empty(tmp_path):
    assert not KnownHosts([tmp_path / "absent", tmp_path]).about("host").named
