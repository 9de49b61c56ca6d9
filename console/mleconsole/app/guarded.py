"""Guarded views: the functions inside a View are a plugin's and run while painting; what they raise is a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec.structs import replace

from mleconsole.api import Absent, Column, Sections, Table, Tone, View

T = TypeVar("T")


def guarded(view: View) -> View:
    """The same view; a value that can't be computed is Absent with the error, a tone is plain, a subject is none."""
    if isinstance(view, Sections):
        return replace(view, sections=tuple(replace(section, view=guarded(section.view)) for section in view.sections))
    if not isinstance(view, Table):
        return view
    return replace(
        view,
        columns=tuple(map(_column, view.columns)),
        subject=_safe(view.subject, lambda error: None),
        age=_safe(view.age, _absent) if view.age is not None else None,
    )


def _column(column: Column) -> Column:
    tone = _safe(column.tone, lambda error: Tone.PLAIN) if column.tone is not None else None
    return replace(column, value=_safe(column.value, _absent), tone=tone)


def _absent(error: Exception) -> Absent:
    return Absent(f"can't be computed: {type(error).__name__}: {error}")


def _safe(function: Callable[[Any], T], otherwise: Callable[[Exception], T]) -> Callable[[Any], T]:
    def call(row: Any) -> T:
        try:
            return function(row)
        except Exception as error:
            return otherwise(error)

    return call
