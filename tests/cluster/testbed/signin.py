"""How the login host signs people in: a key, a password, or either with a one-time code."""

from __future__ import annotations

import base64
import contextlib
import hmac
import struct
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from testbed.layout import LOGIN, USERS
from testbed.shell import TestbedError

if TYPE_CHECKING:
    from testbed.cluster import Cluster

PASSWORD = "testbed-password"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PERIOD = 30

SSHD = {
    "key": "AuthenticationMethods publickey\n",
    "password": "PubkeyAuthentication no\nPasswordAuthentication yes\nAuthenticationMethods password\n",
    "key+otp": "KbdInteractiveAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive\n",
    "password+otp": (
        "PubkeyAuthentication no\nKbdInteractiveAuthentication yes\nAuthenticationMethods keyboard-interactive\n"
    ),
}
OTP = "auth required pam_google_authenticator.so secret=/etc/testbed-otp/${USER} user=root\n"
PAM_AUTH = {
    "key+otp": OTP,
    "password+otp": "auth required pam_unix.so\n" + OTP,
}
PAM = "/etc/pam.d/sshd"
DROP_IN = "/etc/ssh/testbed.d/signin.conf"


class SignIn:
    """Changes the login host's sshd and PAM; connections that stand are not touched."""

    def __init__(self, cluster: Cluster) -> None:
        self.login = cluster.host(LOGIN)

    @property
    def password(self) -> str:
        """Every user's password in the modes that ask for one."""
        return PASSWORD

    def otp_code(self, at: float | None = None) -> str:
        """The one-time code that a user's telephone would show now (RFC 6238)."""
        step = int((time.time() if at is None else at) // PERIOD)
        digest = hmac.digest(base64.b32decode(SECRET), struct.pack(">Q", step), "sha1")
        offset = digest[-1] & 15
        return f"{(struct.unpack_from('>I', digest, offset)[0] & 0x7FFFFFFF) % 10**6:06d}"

    @contextlib.contextmanager
    def mode(self, mode: str) -> Iterator[SignIn]:
        """Sign in with "key", "password", "key+otp" or "password+otp" while the context lasts.

        Codes come as the prompt "Verification code: ", and, as with a site that does not forbid it, may be used
        again while they are valid.
        """
        if mode not in SSHD:
            raise TestbedError(f"unknown sign-in mode {mode!r}: one of {', '.join(SSHD)}")
        original = self.login.check("cat", PAM)
        try:
            self._secrets()
            if mode in PAM_AUTH:
                self.login.write(PAM, original.replace("@include common-auth\n", PAM_AUTH[mode]))
            self.login.write(DROP_IN, SSHD[mode])
            self.login.service("restart", "sshd")
            yield self
        finally:
            self.login.write(PAM, original)
            self.login.check("rm", "-f", DROP_IN)
            self.login.service("restart", "sshd")

    @contextlib.contextmanager
    def sudo(self, user: str, *commands: str) -> Iterator[None]:
        """The user may run those commands (absolute paths) on the login host with `sudo -n`."""
        path = f"/etc/sudoers.d/testbed-{user}"
        try:
            self.login.write(path, f"{user} ALL=(root) NOPASSWD: {', '.join(commands)}\n", 0o440)
            yield
        finally:
            self.login.check("rm", "-f", path)

    @contextlib.contextmanager
    def admin_level(self, user: str, level: str) -> Iterator[None]:
        """The user's AdminLevel in slurmdbd: None, Operator or Administrator; slurmctld hears of it a moment later."""
        modify = ["sacctmgr", "-i", "-Q", "modify", "user", user, "set"]
        before = self.login.check("sacctmgr", "-n", "-P", "list", "user", user, "format=admin").strip()
        self.login.check(*modify, f"adminlevel={level}")
        try:
            yield
        finally:
            self.login.check(*modify, f"adminlevel={before}")

    def _secrets(self) -> None:
        self.login.run(["chpasswd"], input="".join(f"{user}:{PASSWORD}\n" for user in USERS))
        for user in USERS:
            self.login.write(f"/etc/testbed-otp/{user}", f'{SECRET}\n" WINDOW_SIZE 3\n" TOTP_AUTH\n', 0o400)
