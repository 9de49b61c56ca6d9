"""Lines: what stands in the top, pane, status and key lines, fitted to a width by priority. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from mleconsole.app.words import cut
from mleconsole.model.view import Tone


class Piece(NamedTuple):
    """Words in a line. Priority 0 is never dropped (it is cut when it must); `tag` is what a click on it means."""

    text: str
    priority: int = 0
    tone: Tone = Tone.PLAIN
    tag: str = ""
    key: str = ""  # drawn strong before the text
    here: bool = False  # drawn in reverse: where the person is

    @property
    def width(self) -> int:
        return cell_len(self.text) + (cell_len(self.key) + (1 if self.text else 0) if self.key else 0)


class Fitted(NamedTuple):
    """Pieces from the left, pieces that end at the right edge, and the cells between them."""

    left: tuple[Piece, ...]
    right: tuple[Piece, ...]
    between: int


def _width(pieces: Sequence[Piece], gap: int) -> int:
    return sum(piece.width for piece in pieces) + gap * max(0, len(pieces) - 1)


def fit(left: Sequence[Piece], right: Sequence[Piece], width: int, gap: int = 2, right_gap: int = 2) -> Fitted:
    """Drop pieces, the highest priority number first and the rightmost of equals, until all fit in `width` cells; when
    only those of priority 0 are left, the longest is cut in the middle."""
    keep_left, keep_right = [p for p in left if p.width], [p for p in right if p.width]

    def needed() -> int:
        both = gap if keep_left and keep_right else 0
        return _width(keep_left, gap) + _width(keep_right, right_gap) + both

    while needed() > width:
        side = max((keep_right, keep_left), key=lambda pieces: max((p.priority for p in pieces), default=-1))
        worst = max((piece.priority for piece in side), default=0)
        if worst > 0:
            index = max(i for i, piece in enumerate(side) if piece.priority == worst)
            del side[index]
            continue
        side = max((keep_left, keep_right), key=lambda pieces: max((p.width for p in pieces), default=0))
        index = max(range(len(side)), key=lambda i: side[i].width)
        longest = side[index]
        room = cell_len(longest.text) - (needed() - width)
        if room < 1:
            del side[index]
        else:
            shorter = cut(longest.text, room)
            side[index] = longest._replace(text=shorter if cell_len(shorter) <= room else shorter[: room // 2])
    return Fitted(
        tuple(keep_left), tuple(keep_right), max(0, width - _width(keep_left, gap) - _width(keep_right, right_gap))
    )
