# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of keys, made from the actions that answer to them, and what the mouse does."""

import html

from ..actions import with_keys
from ..qt import QtWidgets

MOUSE = (
    ("wheel, drag", "zoom in frequency, pan"),
    ("Ctrl and wheel, Shift and wheel", "zoom in time, scroll"),
    ("click, double click", "select a carrier; tune a radio"),
    ("right click", "what can be done with the carrier, or the place, there"),
    ("Shift and drag", "mark a part; right click there: zoom to it, cut it to a file, annotate it"),
    ("drop a recording", "open it"),
)


def keys_table(sections: list[tuple[str, list[QtWidgets.QAction]]]) -> str:
    """HTML with a table of keys and mouse.

    Args:
        sections: titles, each with its actions; those without a key are left out.
    """
    parts = [(title, with_keys(actions)) for title, actions in sections]
    rows = "".join(_section(title, lines) for title, lines in [*parts, ("Mouse", list(MOUSE))] if lines)
    return f'<table cellspacing="2">{rows}</table>'


def show_keys(parent: QtWidgets.QWidget, sections: list[tuple[str, list[QtWidgets.QAction]]]) -> QtWidgets.QDialog:
    """A window with the list, which may stay open; it scrolls where the screen is small."""
    dialog = QtWidgets.QDialog(parent)
    dialog.setWindowTitle("Keys and mouse")
    text = QtWidgets.QTextBrowser()
    text.setHtml(keys_table(sections))
    layout = QtWidgets.QVBoxLayout(dialog)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(text)
    height = round(text.document().size().height())
    dialog.resize(46 * text.fontMetrics().averageCharWidth() + 200, min(max(height, 560), parent.height()))
    dialog.show()
    return dialog


def _section(title: str, lines: list[tuple[str, str]]) -> str:
    rows = "".join(
        f"<tr><td><b>{html.escape(key)}</b>&nbsp;&nbsp;</td><td>{html.escape(words)}</td></tr>" for key, words in lines
    )
    return f'<tr><td colspan="2"><br><i>{html.escape(title)}</i></td></tr>{rows}'
