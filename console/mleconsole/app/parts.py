"""Parts: what the shell asks of the widgets inside a page, whichever they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual.widget import Widget

from mleconsole.api import Subject

if TYPE_CHECKING:
    from mleconsole_widgets.table import ViewTable

#: How often, and how many times, a page is looked at until its first part is there.
SEEK_SECONDS = 0.02
SEEK_TRIES = 100


def focusable(page: Widget) -> list[Widget]:
    """The parts of a page that can be selected in, in the order of tab."""
    return [widget for widget in page.query("*") if widget.focusable and widget.display]


def current(page: Widget) -> Widget | None:
    """The part the person is in, or the page's first."""
    focused = page.screen.focused
    if focused is not None and page in focused.ancestors_with_self:
        return focused
    parts = focusable(page)
    return parts[0] if parts else None


def table(page: Widget) -> ViewTable | None:
    """The table that filter and sort are about: the current part, else the page's first table.

    It is asked for by its name: a page is painted before the first table, and so its code, is needed.
    """
    tables = cast("list[ViewTable]", list(page.query("ViewTable")))
    part = current(page) if tables else None
    return next((table for table in tables if table is part), tables[0] if tables else None)


def selected(page: Widget) -> Subject | None:
    """What the cursor is on."""
    subject = getattr(current(page), "subject", None)
    return subject if isinstance(subject, Subject) else None


def marked(page: Widget) -> tuple[Subject, ...]:
    """The marked rows of the current table."""
    found = table(page)
    return tuple(found.marks) if found is not None else ()


def chosen(page: Widget) -> tuple[Subject, ...]:
    """What an action is about: the marked rows, else the row under the cursor."""
    marks: Sequence[Subject] = marked(page)
    if marks:
        return tuple(marks)
    one = selected(page)
    return (one,) if one is not None else ()
