"""Words: text from the cluster made safe for a terminal line, and times as people say them."""

from __future__ import annotations

from datetime import datetime

from mleconsole.model.format import duration, escape
from mleconsole.model.record import Subject


def subject_words(subject: Subject) -> str:
    """`gpu node03 3`, `job 48213`, `node03`: how a subject is named in lines and titles."""
    kind = subject.kind.replace("_", " ")
    named = bool(subject.key) and subject.key[0].startswith(kind)  # node node03 says it twice
    return escape(" ".join(subject.key if named else (kind, *subject.key)))


def subjects_words(subjects: tuple[Subject, ...]) -> str:
    """One subject by name, several by count: `3 jobs`."""
    if len(subjects) == 1:
        return subject_words(subjects[0])
    kinds = {subject.kind for subject in subjects}
    noun = kinds.pop().replace("_", " ") if len(kinds) == 1 else "thing"
    return f"{len(subjects)} {noun}{'es' if noun.endswith('s') else 's'}"


def ago(seconds: float) -> str:
    """`4s`, `12m`, `3h05`; a time to come is now."""
    return duration(max(0.0, seconds))


def clock(epoch: float) -> str:
    """The wall clock of this machine, HH:MM:SS."""
    return datetime.fromtimestamp(epoch).strftime("%H:%M:%S")


def cut(text: str, width: int) -> str:
    """`text` cut in the middle to `width` characters."""
    if len(text) <= width:
        return text
    if width < 3:
        return text[:width]
    head = (width - 1) * 2 // 3
    tail = width - 1 - head
    return f"{text[:head]}…{text[len(text) - tail :]}" if tail else f"{text[:head]}…"
