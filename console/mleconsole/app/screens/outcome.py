"""Outcome and report as Views: what came of an action, host by host, and the end of a workflow."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from mleconsole.api import (
    Column,
    Completed,
    Evidence,
    Fact,
    Facts,
    Outcome,
    Report,
    Section,
    Sections,
    Step,
    Style,
    Table,
    Text,
    Tone,
    Unreadable,
    View,
)


def said(completed: Completed) -> str:
    """What a host said: its words of failure, else its last line of output, else that it is done."""
    if not completed.ok:
        return completed.words()
    lines = [line for line in completed.text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "done"


def outcome_view(outcome: Outcome, present: Callable[[Outcome], View] | None) -> View:
    """The action's own presentation, or a list of host: words."""
    trouble = ""
    if present is not None:
        try:
            return present(outcome)
        except Exception as error:  # a plugin's code may raise anything; the plain list still tells what happened
            trouble = f"the action's own view failed: {type(error).__name__}: {error}"
    labelled = any(step.label for step, _ in outcome.results)
    columns = [Column("host", "HOST", lambda row: row[0].host, priority=0)]
    if labelled:
        columns.append(Column("label", "FOR", lambda row: row[0].label, priority=1))
    columns += [
        Column("said", "WHAT IT SAID", lambda row: said(row[1]), priority=0, tone=_tone),
        Column("seconds", "TOOK", lambda row: round(row[1].seconds, 2), Style.NUMBER, unit="s", priority=3),
    ]
    return Table(
        columns=tuple(columns),
        rows=outcome.results,
        subject=lambda row: None,
        title=outcome.plan.title,
        empty="The plan had no step: nothing was run.",
        notices=(trouble,) if trouble else (),
    )


def _tone(row: tuple[Step, Completed]) -> Tone:
    return Tone.PLAIN if row[1].ok else Tone.WARN


def needs_reading(outcome: Outcome, presented: bool) -> bool:
    """Whether an outcome deserves a screen: someone said something, something failed, or the action presents it."""
    return presented or not outcome.ok or any(completed.stdout.strip() for _, completed in outcome.results)


def summary(outcome: Outcome) -> str:
    """One sentence: how many of how many hosts did it, and the first failure."""
    failed = [(step, completed) for step, completed in outcome.results if not completed.ok]
    if not failed:
        return f"done: {outcome.plan.title}"
    step, completed = failed[0]
    more = f", and {len(failed) - 1} more failed" if len(failed) > 1 else ""
    return f"{outcome.plan.title}: {step.host}: {completed.words()}{more}"


def report_view(report: Report) -> View:
    """Verdict, evidence, what could not be read, what to do next, then the report's own views."""
    facts = [Fact("verdict", report.verdict, tone=Tone.STRONG), Fact("", report.sentence)]
    if report.confidence:
        facts.append(Fact("confidence", report.confidence))
    sections = [Section("verdict", Facts(tuple(facts)), min_height=3, weight=1, priority=0)]
    for index, view in enumerate(report.views):
        sections.append(Section(f"view{index}", view, weight=4, min_height=6, priority=1))
    if report.evidence:
        sections.append(Section("evidence", _evidence(report.evidence), weight=2, min_height=4, priority=2))
    if report.unreadable:
        sections.append(Section("unreadable", _unreadable(report.unreadable), weight=1, min_height=3, priority=3))
    if report.next:
        commands = "\n".join(shlex.join(argv) for argv in report.next)
        sections.append(Section("next", Text(commands, title="Next"), weight=1, min_height=3, priority=2))
    return Sections(tuple(sections))


def _evidence(evidence: tuple[Evidence, ...]) -> Table:
    return Table(
        columns=(
            Column("source", "SOURCE", lambda e: e.source, priority=0),
            Column("fact", "FACT", lambda e: e.fact, priority=0),
            Column("age_seconds", "AGE", lambda e: e.age_seconds, Style.DURATION, priority=2),
        ),
        rows=evidence,
        subject=lambda row: None,
        title="Evidence",
    )


def _unreadable(unreadable: tuple[Unreadable, ...]) -> Table:
    return Table(
        columns=(
            Column("source", "NOT READ", lambda u: u.source, priority=0),
            Column("host", "HOST", lambda u: u.host, priority=1),
            Column("reason", "WHY", lambda u: u.reason, priority=0),
            Column("remedy", "HOW TO READ IT", lambda u: u.remedy or None, priority=2),
        ),
        rows=unreadable,
        subject=lambda row: None,
        title="Not read",
    )
