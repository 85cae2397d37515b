# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours of the waterfall: the widget's parts, and the colour of every pixel from its power and its class."""

import dataclasses

import numpy as np

from ..classes import CLASS_COLORS, CLASS_NAMES, NOISE
from ..messages.frame import Scale
from .qt import QtGui, QtWidgets, pg
from .waterfall.settings import Settings

COLOR_MAPS = {"gray": "CET-L1", "inferno": "inferno", "viridis": "viridis", "cividis": "cividis"}
"""Perceptual maps for power. The first is the default: grey leaves all hues to the classes."""


LUMA = np.array([0.299, 0.587, 0.114])
"""Brightness of red, green and blue."""
FADE = 2.5
"""What is coloured by a class has the power as brightness: from 40 % of opacity on nothing is left of a map's hue."""


@dataclasses.dataclass(frozen=True)
class Theme:
    """Colours of the widget's parts, as #rrggbb.

    Attributes:
        background, surface: background of the window and of its buttons.
        text, muted: text, and text that should not stand out.
        line, hold: spectrum and highlights; the spectrum's highest values.
        alarm, warning, good: state of the analysis.
        label_background: background of the texts in the picture, rim of the boxes.
        dark: whether weak power is dark.
    """

    background: str
    surface: str
    text: str
    muted: str
    line: str
    hold: str
    alarm: str
    warning: str
    good: str
    label_background: str
    dark: bool


THEMES = {
    "dark": Theme(
        background="#14171c",
        surface="#232830",
        text="#e6e9ee",
        muted="#98a1ad",
        line="#8fd0ff",
        hold="#cc79a7",
        alarm="#ff6b5e",
        warning="#ffc04d",
        good="#62c995",
        label_background="#101318",
        dark=True,
    ),
    "light": Theme(
        background="#fbfbfa",
        surface="#ececea",
        text="#1c2026",
        muted="#5b636e",
        line="#20507a",
        hold="#a14f82",
        alarm="#b3261e",
        warning="#8a5a00",
        good="#1b7a4b",
        label_background="#ffffff",
        dark=False,
    ),
}


def system_theme() -> str:
    """`dark` or `light`, as the desktop is."""
    palette = QtWidgets.QApplication.palette()
    window, text = (palette.color(role).lightness() for role in (QtGui.QPalette.Window, QtGui.QPalette.WindowText))
    return "dark" if window < text else "light"


def power_colors(settings: Settings) -> pg.ColorMap:
    """pyqtgraph's ColorMap for power; weak power has the theme's background colour."""
    colors = pg.colormap.get(COLOR_MAPS[settings.color_map])
    if not THEMES[settings.theme].dark:
        colors = pg.ColorMap(colors.pos, colors.getColors(mode="byte")[::-1])
    return colors


def pixel_colors(settings: Settings, scale: Scale) -> np.ndarray:
    """Colour of every pair of class and power.

    Returns:
        uint32 (0xffrrggbb), shape (number of classes * 256,); index = class id * 256 + value of the image.
    """
    low, high = settings.levels
    levels = np.clip((scale.decibels_of(np.arange(256)) - low) / (high - low), 0.0, 1.0)
    power = power_colors(settings).map(levels, mode="byte")[:, :3].astype(float)
    brightness = power @ LUMA[:, None]
    table = np.empty((len(CLASS_NAMES), 256, 3))
    for class_id, name in enumerate(CLASS_NAMES):
        alpha = settings.alpha if class_id != NOISE and name in settings.classes else 0.0
        # The hue of a map of colours would make another one of that of the class.
        faded = min(1.0, FADE * alpha)
        below = (1 - faded) * power + faded * brightness
        table[class_id] = (1 - alpha) * below + alpha * np.array(CLASS_COLORS[name])
    red, green, blue = np.rint(table).astype(np.uint32).reshape(-1, 3).T
    return 0xFF000000 | red << 16 | green << 8 | blue


def button_padding(is_low: bool) -> str:
    """Qt style: what is between the text of a button, or of a field, and its border; less in a low window."""
    return "1px 8px" if is_low else "3px 10px"


def style_sheet(theme: Theme, is_low: bool = False) -> str:
    """Qt style of the widget's controls."""
    return f"""
        WaterfallWidget {{ background: {theme.background}; }}
        QLabel, QCheckBox {{ color: {theme.text}; background: transparent; }}
        QLabel#title {{ font-weight: 600; }}
        QLabel#readout, QLabel#hint {{ color: {theme.muted}; }}
        QPushButton {{ color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.muted};
                       border-radius: 4px; padding: {button_padding(is_low)}; }}
        QCheckBox::indicator {{ width: 0.65em; height: 0.65em; border: 2px solid {theme.muted}; border-radius: 3px; }}
        QCheckBox::indicator:checked {{ background: {theme.line}; }}
        QPushButton::menu-indicator {{ subcontrol-position: right center; right: 5px; }}
        QPushButton:hover {{ border-color: {theme.line}; }}
        QPushButton:checked {{ background: {theme.line}; color: {theme.background}; }}
        QMenu {{ color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.muted}; }}
        QMenu::item:selected {{ background: {theme.line}; color: {theme.background}; }}
        {scroll_bar_style(theme)}
        QToolTip {{ color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.muted}; }}
    """


def scroll_bar_style(theme: Theme) -> str:
    """Qt style of scroll bars."""
    return f"""
        QScrollBar {{ background: {theme.surface}; width: 10px; height: 10px; margin: 0; border: none; }}
        QScrollBar::handle {{ background: {theme.muted}; border-radius: 5px; min-height: 24px; min-width: 24px; }}
        QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
            background: none; border: none; width: 0; height: 0; }}
    """
