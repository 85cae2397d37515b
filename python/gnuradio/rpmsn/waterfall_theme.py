# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours of the waterfall: the widget's parts, the classes and the power."""
import dataclasses

import numpy as np

from rpmsn.classes import CLASS_COLORS, CLASS_NAMES, NOISE

from .waterfall_history import BREAK, HATCH, SKIP
from .waterfall_qt import QtGui, pg

COLOR_MAPS = {"gray": "CET-L1", "inferno": "inferno", "viridis": "viridis"}
"""Maps for power. The first is the default: grey leaves all hues to the classes."""
SKIP_ALPHA = 70
"""How much the line over frames that were not sent covers, 0..255: they may be every second frame."""


@dataclasses.dataclass(frozen=True)
class Theme:
    """Colours of the widget's parts, as #rrggbb.

    Attributes:
        background, surface: ground of the window and of its buttons.
        text, muted: writing, and what should stand back.
        line: spectrum and highlights.
        alarm, good: state of the analysis.
        label_background: ground of the texts in the picture, rim of the boxes.
        dark: whether weak power is dark.
    """

    background: str
    surface: str
    text: str
    muted: str
    line: str
    alarm: str
    good: str
    label_background: str
    dark: bool


THEMES = {
    "dark": Theme(background="#14171c", surface="#232830", text="#e6e9ee", muted="#98a1ad", line="#8fd0ff",
                  alarm="#ff6b5e", good="#62c995", label_background="#101318", dark=True),
    "light": Theme(background="#fbfbfa", surface="#ececea", text="#1c2026", muted="#5b636e", line="#20507a",
                   alarm="#b3261e", good="#1b7a4b", label_background="#ffffff", dark=False),
}


def class_colors(shown: set, alpha: float, theme: Theme) -> np.ndarray:
    """Colours to lay over the power.

    Args:
        shown: names of the classes to colour; others are clear. Breaks always show.
        alpha: how much the colours cover, 0..1.
        theme: Theme.

    Returns:
        uint8, shape (256, 4), id of `rpmsn.classes` (or `SKIP`, `BREAK`, `HATCH`) -> RGBA.
    """
    table = np.zeros((256, 4), np.uint8)
    for class_id, name in enumerate(CLASS_NAMES):
        if class_id != NOISE and name in shown:
            table[class_id] = (*CLASS_COLORS[name], round(255 * alpha))
    table[SKIP] = (*QtGui.QColor(theme.background).getRgb()[:3], SKIP_ALPHA)
    table[BREAK] = QtGui.QColor(theme.background).getRgb()
    table[HATCH] = QtGui.QColor(theme.muted).getRgb()
    return table


def power_colors(name: str, theme: Theme):
    """pyqtgraph's ColorMap for power, by a name of `COLOR_MAPS`; weak is the colour of the theme's ground."""
    colors = pg.colormap.get(COLOR_MAPS[name])
    if not theme.dark:
        colors = pg.ColorMap(colors.pos, colors.getColors(mode="byte")[::-1])
    return colors


def style_sheet(theme: Theme) -> str:
    """Qt style of the widget's controls."""
    return f"""
        WaterfallWidget {{ background: {theme.background}; }}
        QLabel, QCheckBox {{ color: {theme.text}; background: transparent; font-size: 13px; }}
        QLabel#title {{ font-size: 15px; font-weight: 600; }}
        QLabel#cursor {{ color: {theme.muted}; }}
        QPushButton {{ color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.muted};
                       border-radius: 4px; padding: 3px 12px; font-size: 13px; }}
        QPushButton:hover {{ border-color: {theme.line}; }}
        QPushButton:checked {{ background: {theme.line}; color: {theme.background}; }}
    """
