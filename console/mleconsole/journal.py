"""Journal: what this console changed anywhere, one JSON line a step, and the log file for its own defects.

Neither ever holds what a command printed, what was typed to sign in, or an argument that was declared secret.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mleconsole.model.plan import Completed, Plan, Step

HIDDEN = "***"
LOG_BYTES = 1 << 20


def state_folder() -> Path:
    """Our folder for state, ~/.local/state/mleconsole where nothing else is set; made when missing, ours alone."""
    from platformdirs import user_state_path

    folder = user_state_path("mleconsole")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def audit_file() -> Path:
    """audit.jsonl in the state folder."""
    return state_folder() / "audit.jsonl"


class Audit:
    """Writes the audit lines of one plan: every step when it is begun and again when it ended.

    A step whose `ended` line is missing was running when the console died. `who` is user@login; texts in `secrets`
    are written as ***. An audit that can't be written is told by `trouble`, never by an exception.
    """

    def __init__(
        self, cluster: str, who: str, action: str, secrets: Sequence[str] = (), file: Path | None = None
    ) -> None:
        self._cluster = cluster
        self._who = who
        self._action = action
        self._secrets = tuple(secret for secret in secrets if secret)
        self._file = file
        self.trouble = ""

    def began(self, plan: Plan) -> None:
        """Write that the steps of `plan` are about to run."""
        self._write([self._line("began", plan, step) for step in plan.steps])

    def ended(self, plan: Plan, step: Step, completed: Completed) -> None:
        """Write how one step ended."""
        line = self._line("ended", plan, step)
        line["exit_status"] = completed.exit_status
        line["seconds"] = round(completed.seconds, 3)
        if completed.trouble is not None:
            line["trouble"] = completed.trouble.reason
        self._write([line])

    def _line(self, event: str, plan: Plan, step: Step) -> dict[str, Any]:
        return {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": event,
            "user": _user(),
            "cluster": self._cluster,
            "as": self._who,
            "action": self._action,
            "title": self._hide(plan.title),
            "danger": plan.danger.name.lower(),
            "host": step.host,
            "argv": [self._hide(word) for word in step.argv],
        }

    def _hide(self, word: str) -> str:
        for secret in self._secrets:
            word = word.replace(secret, HIDDEN)
        return word

    def _write(self, lines: Sequence[dict[str, Any]]) -> None:
        """One write in append mode: lines of several consoles never mix."""
        if not lines:
            return
        import json  # with the first line

        content = "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in lines).encode()
        try:
            descriptor = os.open(self._file or audit_file(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, content)
            finally:
                os.close(descriptor)
        except OSError as error:
            self.trouble = f"the audit line could not be written: {error.strerror or error}"


def _user() -> str:
    """The account on this machine."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def log_defect(what: str, error: BaseException) -> Path | None:
    """Write the traceback of a defect of ours into debug.log; returns the file, or None when it can't be written."""
    import logging
    import logging.handlers

    try:
        file = state_folder() / "debug.log"
        handler = logging.handlers.RotatingFileHandler(file, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
        try:
            file.chmod(0o600)
            record = logging.LogRecord("mleconsole", logging.ERROR, "", 0, what, None, None)
            record.exc_info = (type(error), error, error.__traceback__)
            handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
            handler.emit(record)
        finally:
            handler.close()
    except OSError:
        return None
    return file


def save_files(name: str, files: Mapping[str, bytes]) -> Path | None:
    """Save a report's raw files into a new folder of ours; the folder, or None when it can't be written.

    Only the last part of each file's name counts, so that none lands elsewhere.
    """
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    try:
        folder = state_folder() / "reports" / f"{_safe(name)}-{stamp}"
        folder.mkdir(mode=0o700, parents=True)
        for file, content in files.items():
            (folder / _safe(file)).write_bytes(content)
    except OSError:
        return None
    return folder


def _safe(name: str) -> str:
    last = name.rsplit("/", 1)[-1].lstrip(".")
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in last)[:100] or "file"
