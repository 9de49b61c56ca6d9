"""Root file systems of the hosts: one folder per Debian suite, built once with mmdebstrap and cached.

The cache key is the suite and a hash of everything that decides the content, so an edited package list builds a new
folder. A build goes into a temporary name and is renamed when complete: a killed build leaves nothing that looks done.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from testbed.shell import TestbedError, need_tools, sh

LIB = Path(__file__).parent / "lib"
SUITES = ("bookworm", "trixie", "sid")

PACKAGES = [
    "openssh-server",
    "openssh-client",
    "munge",
    "slurmctld",
    "slurmd",
    "slurm-client",
    "slurmdbd",
    "slurm-wlm-basic-plugins",
    "mariadb-server",
    "iproute2",
    "iputils-ping",
    "procps",
    "psmisc",
    "python3",
    "python3-venv",
    "iperf3",
    "sudo",
    "nftables",
    "ca-certificates",
    "lsof",
    "util-linux",
    "bsdextrautils",
    "less",
    "kmod",
    "netcat-openbsd",
    "libpam-google-authenticator",
    "tcsh",
]
WHEELS = ["py-spy", "nvidia-ml-py"]
TORCH = ["torch==2.13.0"]
TORCH_SUITES = ("bookworm",)
APT_OPTIONS = ('Acquire::Check-Valid-Until "false"', 'APT::Install-Recommends "false"')
DPKG_OPTIONS = (
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/doc/*",
    "path-exclude=/usr/share/locale/*",
    "force-unsafe-io",
)
RECIPE = 1  # raise it when the steps below change what they build


def cache_folder() -> Path:
    """Where root file systems and the built library are kept between runs."""
    given = os.environ.get("MLECONSOLE_TESTBED_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mleconsole-testbed"


def debian_mirror(apt: Path = Path("/etc/apt")) -> str:
    """The Debian archive this machine itself installs from, read from its apt sources (both file formats)."""
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    candidates: list[str] = []
    for file in files:
        if file.suffix not in (".list", ".sources") or not file.is_file():
            continue
        text = file.read_text(errors="replace")
        candidates += re.findall(r"^\s*deb\s+(?:\[[^]]*\]\s+)?(\S+)", text, re.MULTILINE)
        for line in re.findall(r"^URIs:\s*(.+)$", text, re.MULTILINE):
            candidates += line.split()
    for uri in candidates:
        if re.search(r"/debian/?$", uri):
            return uri
    raise TestbedError(f"no Debian archive in {apt}/sources.list*: the testbed builds its hosts from Debian packages")


def key(suite: str, torch: bool) -> str:
    """The cache key of a suite's root file system."""
    recipe = [RECIPE, PACKAGES, WHEELS, TORCH if torch else [], APT_OPTIONS, DPKG_OPTIONS]
    return f"{suite}-{hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:12]}"


def ensure(suite: str = "bookworm", torch: bool = False) -> Path:
    """The root file system of a suite, built first if the cache does not hold it."""
    if suite not in SUITES:
        raise TestbedError(f"unknown suite {suite!r}: one of {', '.join(SUITES)}")
    if torch and suite not in TORCH_SUITES:
        raise TestbedError(f"torch can be had on {', '.join(TORCH_SUITES)} only")
    cache = cache_folder()
    folder = cache / f"rootfs-{key(suite, torch)}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / f".{folder.name}.lock"):
        if not folder.is_dir():
            _build(suite, torch, folder)
    return folder


def nvml_library() -> Path:
    """The stand-in libnvidia-ml.so.1, built with the machine's own gcc once per version of its source."""
    return _compiled("fakenvml.c", "libnvidia-ml", ("-Wl,-soname,libnvidia-ml.so.1", "-lpthread"))


def clock_library() -> Path:
    """The library whose preloading shifts a program's wall clock."""
    return _compiled("fakeclock.c", "fakeclock", ())


def _compiled(name: str, title: str, flags: Sequence[str]) -> Path:
    """A shared library of ours, kept in the cache under the hash of its source."""
    need_tools(["gcc"])
    source = LIB / name
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    cache = cache_folder()
    library = cache / f"{title}-{digest}.so.1"
    if not library.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=".build-library-") as folder:
            built = Path(folder) / "library"
            options = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
            sh("gcc", *options, "-o", str(built), str(source), *flags, timeout=120)
            built.rename(library)
    return library


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(suite: str, torch: bool, folder: Path) -> None:
    need_tools(["mmdebstrap", "chroot"])
    for stale in folder.parent.glob(f".build-{folder.name}-*"):  # we hold the lock: whoever made it is gone
        _remove_tree(stale)
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".build-{folder.name}-"))
    root = work / "root"
    try:
        mirror = debian_mirror()
        argv = ["mmdebstrap", "--mode=root", "--variant=minbase", "--components=main"]
        argv += [f"--aptopt={option}" for option in APT_OPTIONS] + [f"--dpkgopt={option}" for option in DPKG_OPTIONS]
        argv += [f"--include={','.join(PACKAGES)}", suite, str(root), f"deb {mirror} {suite} main"]
        _talk(f"building the {suite} root file system (half a minute to some minutes, once)")
        with (work / "log").open("w") as log:
            code = subprocess.run(argv, stdout=log, stderr=subprocess.STDOUT, timeout=1800, check=False).returncode
        if code != 0:
            raise TestbedError(f"mmdebstrap exit {code}: {(work / 'log').read_text()[-2000:]}")
        root.chmod(0o755)
        _remove_host_keys(root)
        _install_venv(root, torch)
        root.rename(folder)
    finally:
        _remove_tree(work)


def _remove_host_keys(root: Path) -> None:
    """Every host gets a key of its own; the image's would only confuse sshd."""
    for file in (root / "etc/ssh").glob("ssh_host_*"):
        file.unlink()


def _install_venv(root: Path, torch: bool) -> None:
    """Put py-spy and nvidia-ml-py into /opt/venv, downloaded by this machine's pip with its own configuration."""
    wheels = root / "opt/wheels"
    wheels.mkdir(parents=True)
    wanted = [*WHEELS, *(TORCH if torch else [])]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "-d", str(wheels)]
    sh(*pip, *wanted, timeout=900)
    sh("chroot", str(root), "python3", "-m", "venv", "/opt/venv", timeout=120)
    install = ["/opt/venv/bin/pip", "install", "--quiet", "--no-index", "--find-links=/opt/wheels", *wanted]
    sh("chroot", str(root), *install, timeout=900)
    shutil.rmtree(wheels)


def _remove_tree(folder: Path) -> None:
    sh("rm", "-rf", "--one-file-system", str(folder), timeout=120)


def _talk(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
