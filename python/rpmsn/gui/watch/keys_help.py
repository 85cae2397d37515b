# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of keys, made from the actions that answer to them, and what the mouse does."""

import html

from ..actions import with_keys
from ..qt import QtWidgets
from ..translation import mark, tr

MOUSE = (
    (mark("wheel, drag"), mark("zoom in frequency, pan")),
    (mark("Ctrl and wheel, Shift and wheel"), mark("zoom in time, scroll")),
    (mark("click, double click"), mark("select a carrier; tune a radio")),
    (mark("right click"), mark("what can be done with the carrier, or the place, there")),
    (mark("Shift and drag"), mark("mark a part; right click there: zoom to it, cut it to a file, annotate it")),
    (mark("drop a recording"), mark("open it")),
)


def keys_table(sections: list[tuple[str, list[QtWidgets.QAction]]]) -> str:
    """HTML with a table of keys and mouse.

    Args:
        sections: titles, each with its actions; those without a key are left out.
    """
    mouse = [(tr(action), tr(words)) for action, words in MOUSE]
    parts = [(title, with_keys(actions)) for title, actions in sections]
    rows = "".join(_section(title, lines) for title, lines in [*parts, (tr("Mouse"), mouse)] if lines)
    return f'<table cellspacing="2">{rows}</table>'


def show_keys(parent: QtWidgets.QWidget, sections: list[tuple[str, list[QtWidgets.QAction]]]) -> QtWidgets.QDialog:
    """A window with the list, which may stay open; it scrolls where the screen is small."""
    dialog = QtWidgets.QDialog(parent)
    dialog.setWindowTitle(tr("Keys and mouse"))
    text = QtWidgets.QTextBrowser()
    text.setAccessibleName(tr("Keys and mouse"))
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
