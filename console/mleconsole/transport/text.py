"""Text of the other side (banners, prompts, stderr) made safe to stand in one of our sentences."""

from __future__ import annotations

LONGEST = 200


def shown(text: str, longest: int = LONGEST) -> str:
    """`text` with control and other unprintable characters escaped, newlines as spaces, and no longer than that."""
    line = " ".join(text.split())
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    return safe if len(safe) <= longest else safe[: longest - 1] + "…"


def last_line(text: str) -> str:
    """The last line of `text` that says something, made safe; "" when none does."""
    said = [line for line in text.splitlines() if line.strip()]
    return shown(said[-1]) if said else ""
