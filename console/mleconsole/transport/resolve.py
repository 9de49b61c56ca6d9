"""resolve: what the user's ssh configuration says about a destination, as `ssh -G` tells it, in a frozen Endpoint."""

from __future__ import annotations

import asyncio
import getpass
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mleconsole.transport.sshconfig import read_config

_SIMPLE = re.compile(r"[^\s\x00-\x1f\x7f@]+")
GLOBAL_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
USER_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
DEFAULT_IDENTITIES = tuple(
    f"~/.ssh/{name}"
    for name in ("id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss", "id_dsa")
)


class ResolveError(ValueError):
    """The destination or the ssh configuration can't be used, in one sentence."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and as whom to connect. Paths are expanded; a file that is named need not exist."""

    name: str  # the destination as it was given, without user and port
    user: str
    host: str  # HostName: what is connected to, and looked up in known_hosts unless there is an alias
    port: int = 22
    user_given: bool = True  # False: it is only the local user's name, for want of a better one
    identity_files: tuple[Path, ...] = ()
    identities_given: bool = False  # False: ssh's own list of usual names
    identities_only: bool = False
    certificate_files: tuple[Path, ...] = ()
    identity_agent: str = "SSH_AUTH_SOCK"  # "none", "SSH_AUTH_SOCK", "$VARIABLE" or the path of a socket
    known_hosts_files: tuple[Path, ...] = ()
    host_key_alias: str = ""
    proxy_jump: tuple[str, ...] = ()
    proxy_command: str = ""  # tokens expanded; run by sh
    gssapi: bool = False

    @property
    def title(self) -> str:
        """alice@login.example.org, as it was given."""
        return f"{self.user}@{self.name}"

    @property
    def key_name(self) -> str:
        """The name under which its host key is known, as in known_hosts: an alias, host or [host]:port."""
        if self.host_key_alias:
            return self.host_key_alias
        return self.host if self.port == 22 else f"[{self.host}]:{self.port}"


def split_destination(destination: str) -> tuple[str, str, int]:
    """(user, host, port) of user@host:port; "" and 0 for what is not given. Raises ResolveError."""
    text = destination.removeprefix("ssh://").rstrip("/") if destination.startswith("ssh://") else destination
    user, _, rest = text.rpartition("@")
    found = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?|([^:]+)(?::(\d+))?|([^:]*:[^:]*:.*)", rest)
    host = (found[1] or found[3] or found[5]) if found else ""
    port = int(found[2] or found[4] or 0) if found else 0
    for word in (host, user or "x"):
        if word.startswith("-") or not _SIMPLE.fullmatch(word.replace("@", "")):
            raise ResolveError(f"{destination!r} is not an ssh destination; write user@host or a name of ~/.ssh/config")
    if port > 65535:
        raise ResolveError(f"{destination!r}: there is no port {port}")
    return user, host, port


async def resolve(destination: str, ssh_config: str = "") -> Endpoint:
    """The Endpoint of `destination` by `ssh -G` (about 3 ms), or by our own small reader where there is no ssh.

    Raises ResolveError for a destination or a configuration that can't be used.
    """
    user, host, port = split_destination(destination)
    if ssh_config and not Path(ssh_config).expanduser().exists():
        raise ResolveError(f"there is no ssh_config file {ssh_config}")
    if shutil.which("ssh") is None:
        answers = await asyncio.to_thread(read_config, host, ssh_config)
    else:
        answers = await asyncio.to_thread(_ask_ssh, user, host, port, ssh_config)
    try:
        return endpoint(user, host, port, answers)
    except ValueError as error:
        raise ResolveError(f"the ssh configuration can't be used for {host}: {error}") from None


def _ask_ssh(user: str, host: str, port: int, ssh_config: str) -> dict[str, list[str]]:
    argv = ["ssh", "-G", "-T"]
    argv += ["-F", str(Path(ssh_config).expanduser())] if ssh_config else []
    argv += ["-l", user] if user else []
    argv += ["-p", str(port)] if port else []
    try:
        done = subprocess.run(
            [*argv, "--", host], stdin=subprocess.DEVNULL, capture_output=True, timeout=10, text=True, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ResolveError(f"`ssh -G {host}` could not be asked: {error}") from None
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
        raise ResolveError(f"the ssh configuration can't be used for {host}: {said}")
    answers: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        word, _, value = line.partition(" ")
        answers.setdefault(word.lower(), []).append(value)
    return answers


def endpoint(user: str, host: str, port: int, answers: Mapping[str, Sequence[str]]) -> Endpoint:
    """Endpoint of what was asked for and the answered options {keyword in lower case: values}."""

    def one(word: str, default: str = "") -> str:
        values = answers.get(word)
        return values[0] if values else default

    local = _local_user()
    name, asked = one("hostname", host), one("user", local)
    where = int(one("port", str(port or 22)))
    tokens = {"%": "%", "h": name, "n": host, "p": str(where), "r": user or asked, "u": local, "d": str(Path.home())}
    identities = [word for word in answers.get("identityfile", ()) if word != "none"]
    known = [*answers.get("userknownhostsfile", [" ".join(USER_KNOWN_HOSTS)])]
    known += answers.get("globalknownhostsfile", [" ".join(GLOBAL_KNOWN_HOSTS)])
    files = [word for line in known for word in _words(line) if word != "none"]
    jump, command = one("proxyjump", "none"), one("proxycommand", "none")
    alias = one("hostkeyalias", "none")
    return Endpoint(
        name=host,
        user=user or asked,
        host=name,
        port=port or where,
        user_given=bool(user) or asked != local,
        identity_files=_paths(identities or DEFAULT_IDENTITIES, tokens),
        identities_given=not set(identities) <= set(DEFAULT_IDENTITIES),
        identities_only=one("identitiesonly") == "yes",
        certificate_files=_paths([w for w in answers.get("certificatefile", ()) if w != "none"], tokens),
        identity_agent=one("identityagent", "SSH_AUTH_SOCK"),
        known_hosts_files=_paths(files, tokens),
        host_key_alias="" if alias == "none" else alias,
        proxy_jump=() if jump == "none" else tuple(jump.split(",")),
        proxy_command="" if command == "none" else _expand(command, tokens),
        gssapi=one("gssapiauthentication") == "yes",
    )


def _local_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a uid without a name (containers)
        return "nobody"


def _expand(text: str, tokens: Mapping[str, str]) -> str:
    return re.sub(r"%([%a-zA-Z])", lambda found: tokens.get(found[1], found[0]), text)


def _paths(words: Sequence[str], tokens: Mapping[str, str]) -> tuple[Path, ...]:
    found = []
    for word in words:
        expanded = Path(_expand(word.strip('"'), tokens))
        try:
            expanded = expanded.expanduser()
        except RuntimeError:  # ~stranger: no such file then
            pass
        found.append(expanded)
    return tuple(dict.fromkeys(found))


def _words(line: str) -> list[str]:
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', line)]
