"""Words for what went wrong on the way to a host: the kind of trouble decides what is tried next."""

from __future__ import annotations

import socket

from mleconsole.transport.interface import Trouble, Unreached
from mleconsole.transport.text import last_line, shown

#: Codes of SSH_DISCONNECT (RFC 4253 11.1) that asyncssh's exceptions carry.
_HOST_KEY_NOT_VERIFIABLE, _KEY_EXCHANGE_FAILED, _CONNECTION_LOST, _NO_MORE_AUTH = 9, 3, 10, 14
_PROHIBITED = 1  # SSH_OPEN_ADMINISTRATIVELY_PROHIBITED

_TUNNEL_WORDS = (
    ("refused", "connection refused"),
    ("no route", "no route to it from the login host"),
    ("unreachable", "no route to it from the login host"),
    ("timed out", "connect timed out"),
    ("name or service not known", "no such host: the login host does not know its name"),
    ("name resolution", "no such host: the login host can't look up its name"),
    ("nodename", "no such host: the login host does not know its name"),
    ("no address", "no such host: its name has no address on the login host"),
)


def explain(
    error: BaseException,
    stage: str,
    timeout: float,
    tunnelled: bool = False,
    banner: str = "",
    gave_up: bool = False,
    nobody: bool = False,
) -> Unreached:
    """The trouble behind an exception of a connect. `stage` is tcp, greeting or auth: how far it came."""
    code = getattr(error, "code", None)
    text = shown(str(error))
    if gave_up:
        return Unreached(Trouble.SIGNED_OUT, "signing in was given up; press r to sign in")
    if isinstance(error, TimeoutError):
        return Unreached(Trouble.UNREACHABLE, _timeout_words(stage, timeout))
    if isinstance(error, socket.gaierror):
        missing = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
        return Unreached(Trouble.UNREACHABLE, "no such host" if missing else f"its name can't be looked up: {text}")
    kind = type(error).__name__
    if kind == "ChannelOpenError":
        return _tunnel(code, text)
    if code == _HOST_KEY_NOT_VERIFIABLE:
        return Unreached(Trouble.HOST_KEY, f"its host key is not trusted: {text}")
    if code == _KEY_EXCHANGE_FAILED:
        return Unreached(Trouble.DENIED, f"no encryption that both sides know: {text}")
    said = last_line(banner)
    if code == _NO_MORE_AUTH or (stage == "auth" and "authentication" in text.lower()):
        if nobody:
            return Unreached(
                Trouble.SIGNED_OUT if not tunnelled else Trouble.DENIED,
                "it asks for a password or a code, and nobody is there to ask" if not tunnelled
                else _denied(said, "it takes no key of ours"),
            )  # fmt: skip
        return Unreached(Trouble.DENIED, _denied(said, "it takes no key of ours" if tunnelled else ""))
    if stage == "auth" and (code == _CONNECTION_LOST or isinstance(error, ConnectionError) or code is not None):
        # The host ends the connection after the key was right: PAM's account step (no job there, nologin).
        return Unreached(Trouble.DENIED, _denied(said or text, "it closed the connection while we signed in"))
    if isinstance(error, ConnectionRefusedError):
        return Unreached(Trouble.UNREACHABLE, "connection refused")
    if code == _CONNECTION_LOST or isinstance(error, ConnectionError):
        return Unreached(
            Trouble.UNREACHABLE, "it closed the connection before the SSH greeting ended (too many at once?)"
        )
    if isinstance(error, OSError):
        return Unreached(Trouble.UNREACHABLE, shown(error.strerror or str(error)).lower())
    if code is None and not isinstance(error, ValueError):
        return Unreached(Trouble.UNREACHABLE, f"it speaks SSH in a way we do not understand: {text or kind}")
    return Unreached(Trouble.UNREACHABLE, text or kind)


def lost(error: BaseException | None) -> str:
    """Why a connection that stood is gone."""
    said = shown(str(error)) if error is not None else ""
    return (
        f"the connection was lost: {said}" if said and said.lower() != "connection lost" else "the connection was lost"
    )


def _timeout_words(stage: str, timeout: float) -> str:
    if stage == "tcp":
        return f"connect timed out after {timeout:g} s"
    if stage == "greeting":
        return f"it takes connections, but gave no SSH greeting within {timeout:g} s"
    return f"signing in took longer than {timeout:g} s"


def _tunnel(code: int | None, text: str) -> Unreached:
    low = text.lower()
    if code == _PROHIBITED:
        return Unreached(Trouble.DENIED, f"the login host forwards no connections: {text}")
    for part, words in _TUNNEL_WORDS:
        if part in low:
            return Unreached(Trouble.UNREACHABLE, words)
    return Unreached(Trouble.UNREACHABLE, f"the login host can't connect to it: {text}")


def _denied(said: str, otherwise: str) -> str:
    detail = said or otherwise
    return f"permission denied: {detail}" if detail else "permission denied"


def ssh_said(stderr: bytes, status: int | None) -> Unreached | None:
    """What the ssh PROGRAM says when it ends with 255; None when it is the remote program's own end."""
    if status != 255:
        return None
    text = stderr.decode("utf-8", "replace")
    low, said = text.lower(), last_line(text)
    if "host key verification failed" in low or "identification has changed" in low:
        if "has changed" in low:
            return Unreached(Trouble.HOST_KEY, f"its host key changed: {said}")
        return Unreached(Trouble.HOST_KEY, "its host key is unknown; connect once with `ssh` to see and accept it")
    if "permission denied" in low or "access denied" in low or "too many authentication failures" in low:
        return Unreached(Trouble.DENIED, said)
    signs = ("ssh:", "connect to host", "kex_exchange", "connection closed", "connection reset", "timed out")
    if any(sign in low for sign in signs):
        return Unreached(Trouble.UNREACHABLE, said)
    return None
