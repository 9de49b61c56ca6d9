"""Report: what a workflow ends in: a verdict sentence, its evidence, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field

from mleconsole.model.absent import Absent
from mleconsole.model.view import View


@dataclass(frozen=True, slots=True)
class Evidence:
    source: str
    fact: str
    age_seconds: float | Absent


@dataclass(frozen=True, slots=True)
class Unreadable:
    source: str
    host: str
    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    verdict: str
    sentence: str
    confidence: str = ""  # HIGH | MEDIUM | LOW, or "" where a verdict has none
    evidence: tuple[Evidence, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    next: tuple[tuple[str, ...], ...] = ()  # argv of the safe next steps
    views: tuple[View, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)  # name -> content, saved beside the report
    exit_status: int = 0  # 0 ok; 1 found; 3 undetermined
