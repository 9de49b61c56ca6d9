"""Ramps: how big a value is, as a colour, for every terminal and for colour-blind eyes. Pure.

Dark is low and bright is high on a dark ground; on a light ground the ramp runs the other way, so that low is close to
the ground there too. Each level is a foreground colour and the character that it is drawn with.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

from rich.color import Color
from rich.style import Style


class Ramp(NamedTuple):
    """`levels` steps: (character, colour or None) each; `absent` for what is not known."""

    steps: tuple[tuple[str, str | None], ...]
    absent: str = "·"

    @property
    def levels(self) -> int:
        return len(self.steps)

    def styles(self, base: Style) -> tuple[Style, ...]:
        """One style a level, on the ground of `base`."""
        return tuple(base + Style(color=Color.parse(c)) if c is not None else base for _, c in self.steps)


FULL = "█"

#: Lightness rises evenly from blue over violet and rose to pale yellow: 16 steps.
_TRUE = (
    "#1f2a5c", "#2c2f74", "#3d3388", "#503697", "#6439a1", "#783ca6", "#8c40a6", "#a045a2",
    "#b44c9a", "#c65590", "#d66184", "#e27078", "#eb826e", "#f19869", "#f4b36e", "#f6d488",
)  # fmt: skip
_TRUE_LIGHT = (
    "#dfe3ef", "#cfd3ea", "#c2c2e4", "#b8b0dd", "#b09dd4", "#a98aca", "#a277be", "#9a65b0",
    "#9053a1", "#844291", "#763380", "#68266f", "#591b5f", "#4a134f", "#3b0d40", "#2c0931",
)  # fmt: skip
#: Exact entries of the 256-colour cube, so that no terminal has to round.
_CUBE = ("17", "18", "54", "55", "91", "127", "133", "169", "175", "210", "216", "222")
_CUBE_LIGHT = ("189", "183", "147", "141", "134", "133", "97", "91", "90", "54", "53", "16")
_SHADES = "░▒▓█"
#: Exact entries of the 16-colour palette, for the same reason.
_BLUE, _CYAN, _WHITE, _BLACK = "#0000aa", "#00aaaa", "#aaaaaa", "#000000"

RAMPS = {
    True: {
        1 << 24: Ramp(tuple((FULL, colour) for colour in _TRUE)),
        256: Ramp(tuple((FULL, f"color({number})") for number in _CUBE)),
        16: Ramp(
            tuple(zip("░▒▓█▒▓██", (_BLUE,) * 4 + (_CYAN,) * 3 + (_WHITE,), strict=True)),
        ),
        0: Ramp(tuple((shade, None) for shade in " " + _SHADES)),
    },
    False: {
        1 << 24: Ramp(tuple((FULL, colour) for colour in _TRUE_LIGHT)),
        256: Ramp(tuple((FULL, f"color({number})") for number in _CUBE_LIGHT)),
        16: Ramp(
            tuple(zip("░▒▓▒▓█▓█", (_CYAN,) * 3 + (_BLUE,) * 3 + (_BLACK,) * 2, strict=True)),
        ),
        0: Ramp(tuple((shade, None) for shade in " " + _SHADES)),
    },
}


def ramp(colours: int, dark: bool) -> Ramp:
    """The ramp for a terminal of so many colours (0, 16, 256, 2**24) on a dark or light ground."""
    return RAMPS[dark].get(colours, RAMPS[dark][16])


def level(value: float, low: float, high: float, levels: int) -> int:
    """The step of a value on [low, high]; -1 for NaN. What lies outside gets the nearest step."""
    if isnan(value):
        return -1
    if high <= low:
        return levels - 1 if value > low else 0
    share = (value - low) / (high - low)
    return 0 if share <= 0 else levels - 1 if share >= 1 else int(share * levels)


def levels_of(values: Sequence[float], low: float, high: float, levels: int) -> bytes:
    """The steps of many values; 255 stands for NaN."""
    top = levels - 1
    span = high - low
    if span <= 0:
        return bytes(255 if v != v else top if v > low else 0 for v in values)
    factor = levels / span
    return bytes(
        [255 if v != v else 0 if v <= low else top if v >= high else min(top, int((v - low) * factor)) for v in values]
    )
