"""Absent: what stands in a field whose value is unknown, with the reason in words."""

from __future__ import annotations

from typing import Any, TypeGuard, TypeVar

import msgspec

T = TypeVar("T")


class Absent(msgspec.Struct, frozen=True, gc=False, rename={"reason": "absent"}):
    """An unknown value and why it is unknown: ``Absent("permission denied")``.

    On the wire and in ``--json`` it is ``{"absent": reason}``. It is falsy only in the sense of never
    being compared: use :func:`known` before any arithmetic.
    """

    reason: str

    def __str__(self) -> str:
        return self.reason


def known(value: T | Absent) -> TypeGuard[T]:
    """True when `value` is a real value and not an Absent."""
    return not isinstance(value, Absent)


def number(value: Any) -> float | None:
    """`value` as a float, or None when it is absent or not a number (for histories and sorting)."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return None
