"""Legend: the scale of a heat map in one line: its lowest value, every step, its highest value with the unit."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style

from mleconsole.model.format import significant
from mleconsole_widgets.cells import escape
from mleconsole_widgets.lines import Piece
from mleconsole_widgets.ramps import Ramp


def legend(ramp: Ramp, styles: Sequence[Style], low: float, high: float, unit: str, words: Style) -> list[Piece]:
    """The pieces of the scale; `styles` are those of the steps."""
    each = 2 if ramp.levels <= 8 else 1
    pieces: list[Piece] = [(f"  {significant(low)} ", words)]
    pieces += [(character * each, style) for (character, _), style in zip(ramp.steps, styles, strict=True)]
    pieces.append((f" {significant(high)} {escape(unit)}".rstrip(), words))
    return pieces
