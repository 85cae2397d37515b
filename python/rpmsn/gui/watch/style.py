# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours of the window of `rpmsn watch`."""

from ..theme import Theme, button_padding, scroll_bar_style


def style_sheet(theme: Theme, is_low: bool = False) -> str:
    """Qt style of the window's own parts; the bars have less height in a low window."""
    return f"""
        QMainWindow, QMenuBar, QMenu, QStatusBar, TransportBar, RadioBar, QMessageBox, QDialog, QTextBrowser {{
            background: {theme.background}; color: {theme.text}; }}
        QMainWindow > QWidget {{ background: {theme.background}; }}
        QMenuBar::item {{ padding: {1 if is_low else 4}px 8px; }}
        QMenuBar::item:selected, QMenu::item:selected {{ background: {theme.surface}; }}
        QMenu {{ border: 1px solid {theme.muted}; }}
        QLabel {{ color: {theme.text}; }}
        QLabel#banner {{ background: {theme.surface}; padding: {2 if is_low else 6}px 10px; }}
        TransportBar QPushButton, TransportBar QComboBox, RadioBar QComboBox, RadioBar QToolButton {{
            color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.muted};
            border-radius: 4px; padding: {button_padding(is_low)}; }}
        QDialog QPushButton {{
            color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.muted};
            border-radius: 4px; padding: 3px 14px; }}
        QDialog QPushButton:default, QDialog QPushButton:focus {{ border-color: {theme.line}; }}
        RadioBar QDoubleSpinBox, QDialog QAbstractSpinBox, QDialog QLineEdit, QDialog QComboBox {{
            color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.muted};
            border-radius: 4px; padding: 2px 6px; }}
        RadioBar QToolButton[popupMode="1"] {{ padding-right: 20px; }}
        RadioBar QToolButton::menu-button {{ border: none; width: 16px; }}
        RadioBar QToolButton:checked {{ color: {theme.background}; background: {theme.line}; }}
        RadioBar *:disabled {{ color: {theme.muted}; }}
        QComboBox QAbstractItemView {{ color: {theme.text}; background: {theme.surface}; }}
        TransportBar QCheckBox {{ color: {theme.text}; }}
        QCheckBox::indicator {{ width: 0.65em; height: 0.65em; border: 1px solid {theme.muted}; border-radius: 3px; }}
        QCheckBox::indicator:checked {{ background: {theme.line}; }}
        QSlider::groove:horizontal {{ height: 4px; background: {theme.surface}; border-radius: 2px; }}
        QSlider::sub-page:horizontal {{ background: {theme.line}; border-radius: 2px; }}
        QSlider::handle:horizontal {{ width: 12px; margin: -5px 0; border-radius: 6px; background: {theme.text}; }}
        QTableWidget {{ color: {theme.text}; background: {theme.background};
                        alternate-background-color: {theme.surface}; border: none; }}
        QTableView::item {{ padding: 0 5px; }}
        QHeaderView::section {{ color: {theme.text}; background: {theme.surface}; border: none; padding: 3px 6px; }}
        {scroll_bar_style(theme)}
        QToolTip {{ color: {theme.text}; background: {theme.surface}; border: 1px solid {theme.muted}; }}
    """
