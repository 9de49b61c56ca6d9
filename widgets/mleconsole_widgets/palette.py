"""Palette: the one place of colours: a dark and a light theme. Amber and red belong to warnings and faults alone."""

from __future__ import annotations

from textual.app import App
from textual.theme import Theme

DARK = Theme(
    name="mle-dark",
    dark=True,
    primary="#7fa8c9",
    secondary="#8a94a3",
    accent="#7fa8c9",
    foreground="#d7dae0",
    background="#101216",
    surface="#191c22",
    panel="#22262d",
    success="#8a94a3",  # fine is quiet
    warning="#e8a33d",
    error="#f26d6d",
    variables={"input-selection-background": "#7fa8c9 40%", "block-cursor-text-style": "none"},
)
LIGHT = Theme(
    name="mle-light",
    dark=False,
    primary="#2b6490",
    secondary="#5d6673",
    accent="#2b6490",
    foreground="#1d2129",
    background="#fbfbfa",
    surface="#f0f0ee",
    panel="#e4e4e1",
    success="#5d6673",
    warning="#95580a",
    error="#b3261e",
    variables={"input-selection-background": "#2b6490 30%", "block-cursor-text-style": "none"},
)

#: Colours of lines in a chart, told apart by hue and lightness by colour-blind eyes too; the first is the plain one.
DARK_LINES = ("#8fc1e3", "#e3c16f", "#b58fe0", "#7fd1b9", "#f0f0f0", "#d98fb0")
LIGHT_LINES = ("#1f5f8f", "#8a6a00", "#6b3fa0", "#1c7a63", "#303030", "#9c3d6a")


def install(app: App[object], *, dark: bool = True) -> None:
    """Register both themes with an app and take one."""
    app.register_theme(DARK)
    app.register_theme(LIGHT)
    app.theme = DARK.name if dark else LIGHT.name
