"""Report: what a workflow ends in: a verdict sentence, its evidence, and what could not be read."""

from __future__ import annotations

import msgspec

from mleconsole.model.absent import Absent
from mleconsole.model.view import View


class Evidence(msgspec.Struct, frozen=True):
    source: str
    fact: str
    age_seconds: float | Absent


class Unreadable(msgspec.Struct, frozen=True):
    source: str
    host: str
    reason: str
    remedy: str = ""


class Report(msgspec.Struct, frozen=True):
    verdict: str
    sentence: str
    confidence: str = ""  # HIGH | MEDIUM | LOW, or "" where a verdict has none
    evidence: tuple[Evidence, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    next: tuple[tuple[str, ...], ...] = ()  # argv of the safe next steps
    views: tuple[View, ...] = ()
    files: dict[str, bytes] = {}  # name -> content, saved beside the report
    exit_status: int = 0  # 0 ok; 1 found; 3 undetermined
