"""Words for errors: the nearest known word to one that is unknown, and how text from outside is quoted."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean "nodes"?)`, or "" when nothing is near."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f' (did you mean "{near[0]}"?)' if near else ""


def quoted(text: object, limit: int = 60) -> str:
    """Text from outside as it may stand in a sentence: on one line, control characters escaped, not too long."""
    word = str(text)
    word = word if len(word) <= limit else word[: limit - 1] + "…"
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in word) + '"'
