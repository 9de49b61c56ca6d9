"""Views, outcomes and reports -> JSON. A table is a list of rows; an unknown value is {"absent": reason}."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from math import isfinite, isnan
from typing import Any

import msgspec

from mleconsole.model.absent import Absent
from mleconsole.model.plan import Completed, Outcome, Plan, Step
from mleconsole.model.record import Subject
from mleconsole.model.report import Report
from mleconsole.model.view import (
    Chart,
    Facts,
    Form,
    Grid,
    GridGroup,
    Log,
    Matrix,
    Sections,
    Style,
    Table,
    Text,
    Tree,
    TreeNode,
    View,
)

Json = Any
NOT_MEASURED = {"absent": "not measured"}


def dumps(value: Json) -> str:
    """One line of JSON."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # bytes of the cluster that were no text and came along as lone surrogates
        return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def view_json(view: View) -> Json:
    """A Table alone is a list of rows, ready for jq; every other View is an object that names itself in `view`."""
    return table_rows(view) if isinstance(view, Table) else part_json(view)


def part_json(view: View) -> dict[str, Json]:
    """Any View as an object with `view` and, where it has one, `title`."""
    match view:
        case Table():
            body = {"rows": table_rows(view), "notices": list(view.notices)}
        case Grid():
            body = _grid(view)
        case Matrix():
            body = _scale(view) | {"labels": list(view.labels), "values": [_numbers(row) for row in view.values]}
        case Tree():
            body = {"roots": [_node(root) for root in view.roots]}
        case Chart():
            body = {"unit": view.unit, "lines": [_line(line) for line in view.lines]}
        case Facts():
            body = {"facts": _facts(view)}
        case Log():
            body = {"lines": list(view.lines)}
        case Text():
            body = {"text": view.text}
        case Form():
            body = {"fields": [_field(field) for field in view.fields]}
        case Sections():
            body = {"sections": [{"id": part.id, **part_json(part.view)} for part in view.sections]}
    title = {"title": view.title} if view.title else {}
    return {"view": type(view).__name__.lower(), **title, **body}


def table_rows(table: Table) -> list[dict[str, Json]]:
    """One object a row: the columns with `json`, and `age_seconds` where the table knows ages."""
    columns = [column for column in table.columns if column.json]
    rows = []
    for row in table.rows:
        found = {column.id: value_json(_exact(column.value(row), column.style)) for column in columns}
        if table.age is not None:
            age = table.age(row)
            found["age_seconds"] = value_json(age if isinstance(age, Absent) else round(age, 1))
        rows.append(found)
    return rows


def _exact(value: Any, style: Style) -> Any:
    """No more digits of a time than are known: durations to 0.1 s, points in time to the second."""
    if not isinstance(value, float) or not isfinite(value):
        return value
    return round(value, 1) if style is Style.DURATION else round(value) if style is Style.TIME else value


def value_json(value: Any) -> Json:
    """Any value of a cell: never NaN or infinity, which JSON has not."""
    match value:
        case None | bool() | str():
            return value
        case Enum():
            return value_json(value.value)
        case int():
            # beyond 64 bits other readers of JSON lose digits
            return int(value) if -(2**63) <= value < 2**64 else str(int(value))
        case Absent():
            return {"absent": value.reason}
        case float():
            return value if isfinite(value) else (NOT_MEASURED if isnan(value) else {"absent": "out of range"})
        case bytes():
            return value.decode("utf-8", "replace")
        case Subject():
            return subject_json(value)
        case Mapping():
            return {str(key): value_json(item) for key, item in value.items()}
        case AbstractSet():
            return sorted((value_json(item) for item in value), key=str)
        case Sequence():
            return [value_json(item) for item in value]
        case _ if hasattr(value, "tolist"):  # an array of numbers
            return [value_json(item) for item in value.tolist()]
        case _:
            return str(value)


def subject_json(subject: Subject | None) -> Json:
    """{"kind", "key"}, or null."""
    return None if subject is None else {"kind": subject.kind, "key": list(subject.key)}


def plan_json(plan: Plan) -> dict[str, Json]:
    """What would run, word by word."""
    return {
        "title": plan.title,
        "danger": plan.danger.name.lower(),
        "consequences": list(plan.consequences),
        "steps": [_step(step) for step in plan.steps],
    }


def outcome_json(outcome: Outcome, view: View | None = None) -> dict[str, Json]:
    """What ran and what it gave; `view` is the action's own presentation of it."""
    found = {
        "title": outcome.plan.title,
        "ok": outcome.ok,
        "results": [completed_json(step, completed) for step, completed in outcome.results],
    }
    return found if view is None else {**found, "presented": view_json(view)}


def completed_json(step: Step, completed: Completed) -> dict[str, Json]:
    """One step and its result."""
    return {
        **_step(step),
        "ok": completed.ok,
        "exit_status": value_json(completed.exit_status if completed.trouble is None else completed.trouble),
        "seconds": round(completed.seconds, 3),
        "stdout": value_json(completed.stdout),
        "stderr": value_json(completed.stderr),
    }


def report_json(report: Report) -> dict[str, Json]:
    """A verdict with all that it stands on; files are named with their sizes."""
    return {
        "verdict": report.verdict,
        "sentence": report.sentence,
        "confidence": report.confidence,
        "exit_status": report.exit_status,
        "evidence": [
            {"source": item.source, "fact": item.fact, "age_seconds": value_json(item.age_seconds)}
            for item in report.evidence
        ],
        "unreadable": [
            {"source": item.source, "host": item.host, "reason": item.reason, "remedy": item.remedy}
            for item in report.unreadable
        ],
        "next": [list(argv) for argv in report.next],
        "views": [part_json(view) for view in report.views],
        "files": {name: len(content) for name, content in report.files.items()},
    }


def lower_snake(label: str) -> str:
    """`GPU hours lost` -> `gpu_hours_lost`."""
    words = "".join(c.lower() if c.isalnum() else " " for c in label).split()
    return "_".join(words) or "value"


def _step(step: Step) -> dict[str, Json]:
    label = {"label": step.label} if step.label else {}
    return {"host": step.host, "argv": list(step.argv), **label}


def _scale(view: Grid | Matrix) -> dict[str, Json]:
    return {"metric": view.metric, "unit": view.unit, "low": value_json(view.low), "high": value_json(view.high)}


def _grid(grid: Grid) -> dict[str, Json]:
    return _scale(grid) | {"groups": [_group(group) for group in grid.groups]}


def _group(group: GridGroup) -> dict[str, Json]:
    values: list[Json] = []
    for index, value in enumerate(group.values):
        number = value_json(value)
        if isinstance(number, dict) and (reason := group.reasons.get(index) or group.reason):
            number = {"absent": reason}
        values.append(number)
    return {"label": group.label, "values": values, **({"absent": group.reason} if group.reason else {})}


def _numbers(values: Sequence[float]) -> list[Json]:
    return [value_json(value) for value in values]


def _facts(view: Facts) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for fact in view.facts:
        name = id = fact.id or lower_snake(fact.label)
        again = 2
        while id in found:
            id, again = f"{name}_{again}", again + 1
        found[id] = value_json(_exact(fact.value, fact.style))
    return found


def _line(line: Any) -> dict[str, Json]:
    return {"name": line.name, "times": _numbers(line.times), "values": _numbers(line.values)}


def _node(node: TreeNode) -> dict[str, Json]:
    found: dict[str, Json] = {"text": node.text}
    if node.note:
        found["note"] = node.note
    if node.subject is not None:
        found["subject"] = subject_json(node.subject)
    if node.children:
        found["children"] = [_node(child) for child in node.children]
    return found


def _field(field: Any) -> dict[str, Json]:
    default = None if field.type == "secret" else value_json(field.default)
    return {
        "id": field.id,
        "title": field.title,
        "type": field.type,
        "default": default,
        "choices": list(field.choices),
    }
