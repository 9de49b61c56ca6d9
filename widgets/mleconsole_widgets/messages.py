"""Messages: what the widgets tell the screen they stand in."""

from __future__ import annotations

from textual.message import Message

from mleconsole.model.record import Subject


class Opened(Message):
    """Enter or a double click on something that has a subject."""

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        self.subject = subject


class CursorMoved(Message):
    """The cursor is on another subject, or its cells are absent for another reason.

    `subject` is None on a row about nothing and in an empty view; `reason` is "" when nothing is absent. It is escaped.
    """

    def __init__(self, subject: Subject | None, reason: str = "") -> None:
        super().__init__()
        self.subject = subject
        self.reason = reason


class MarksChanged(Message):
    """Another set of rows is marked."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
