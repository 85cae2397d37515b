# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours of the carrier table."""

from ..qt import QtGui
from ..theme import Theme, button_padding, scroll_bar_style

CHOSEN_FRACTION = 0.35
"""Fraction of the theme's bright colour in the background of selected rows: strips stay readable on it."""


def style_sheet(theme: Theme, is_low: bool = False) -> str:
    """Qt style of the table; less is between texts and borders where it is low."""
    ground, line = QtGui.QColor(theme.background), QtGui.QColor(theme.line)
    chosen = QtGui.QColor(
        *(
            round((1 - CHOSEN_FRACTION) * low + CHOSEN_FRACTION * high)
            for low, high in zip(ground.getRgb()[:3], line.getRgb()[:3])
        )
    )
    return f"""
        CarrierTable {{ background: {theme.background}; }}
        QLabel, QCheckBox {{ color: {theme.text}; background: transparent; }}
        QLabel#count {{ color: {theme.muted}; padding: 0 6px; }}
        QLineEdit {{ color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.muted};
                     border-radius: 4px; padding: {1 if is_low else 3}px 6px; }}
        QPushButton {{ color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.muted};
                       border-radius: 4px; padding: {button_padding(is_low)}; }}
        QPushButton:hover, QLineEdit:focus {{ border-color: {theme.line}; }}
        QCheckBox::indicator {{ width: 0.65em; height: 0.65em; border: 1px solid {theme.muted}; border-radius: 3px; }}
        QCheckBox::indicator:checked {{ background: {theme.line}; }}
        QTableView {{ color: {theme.text}; background: {theme.background}; alternate-background-color: {theme.surface};
                      selection-background-color: {chosen.name()}; selection-color: {theme.text};
                      border: 1px solid {theme.surface}; }}
        QTableView::item {{ padding: 0 5px; }}
        QHeaderView::section {{ color: {theme.text}; background: {theme.surface}; border: none;
                                border-right: 1px solid {theme.background};
                                padding: {1 if is_low else 3}px 6px; }}
        QHeaderView::up-arrow, QHeaderView::down-arrow {{ image: none; width: 0; height: 0; }}
        {scroll_bar_style(theme)}
        QTableCornerButton::section {{ background: {theme.surface}; border: none; }}
    """
