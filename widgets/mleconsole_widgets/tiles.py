"""Tiles: the wide cells of a heat map, each with its number on the colour of its step. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from rich.color import Color
from rich.style import Style

from mleconsole_widgets.lines import Piece
from mleconsole_widgets.ramps import FULL, Ramp

_DARK, _LIGHT = Color.parse("#101014"), Color.parse("#f4f4f6")
MIDDLE = 140  # brightness, of 255, from which words on a colour are dark


def number(value: float, width: int) -> str:
    """A whole number for a tile of `width` cells; "" where it does not fit."""
    words = "" if isnan(value) else f"{value:.0f}"
    return words if len(words) <= width else ""


def grounds(ramp: Ramp, base: Style) -> tuple[Style, ...]:
    """For each step: words on its colour, dark ones on bright colours; () where characters tell the steps."""
    if any(character != FULL or colour is None for character, colour in ramp.steps):
        return ()
    styles = []
    for _, name in ramp.steps:
        colour = Color.parse(name or "")
        red, green, blue = colour.get_truecolor()
        bright = 0.299 * red + 0.587 * green + 0.114 * blue
        styles.append(base + Style(color=_DARK if bright >= MIDDLE else _LIGHT, bgcolor=colour))
    return tuple(styles)


def tile(
    words: str, width: int, step: int, ramp: Ramp, styles: Sequence[Style], on: Sequence[Style], plain: Style
) -> list[Piece]:
    """One tile of `width` cells; `styles` are those of the steps, `on` those of `grounds`. Without grounds the words
    stand beside the character of the step."""
    if on:
        return [(words.center(width), on[step])]
    bar = max(1, width - len(words) - 1) if words else width
    return [(ramp.steps[step][0] * bar, styles[step]), (words.rjust(width - bar), plain)]
