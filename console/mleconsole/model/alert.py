"""Alert: something a person should know, made by pure rules."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from mleconsole.model.record import Subject


class Severity(IntEnum):
    NOTICE = 0
    WARNING = 1
    CRITICAL = 2


class Alert(NamedTuple):
    """`since` is console monotonic seconds; the store fills it when the rule leaves it 0 (first time it was seen)."""

    severity: Severity
    subject: Subject
    sentence: str
    rule: str = ""  # id of the rule, filled by the store
    since: float = 0.0
    evidence: tuple[str, ...] = ()
    host: str = ""  # where it happens, for the eye
