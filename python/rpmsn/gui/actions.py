# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done by a key: each as one QAction, from which menus, tooltips and the list of keys are made."""

from collections.abc import Callable, Iterable, Sequence

from .qt import QtCore, QtGui, QtWidgets


def add_action(
    widget: QtWidgets.QWidget, text: str, keys: str | Sequence[str], slot: Callable[[], object], in_window: bool = False
) -> QtWidgets.QAction:
    """An action that a widget, and everything in it, answers to; or the whole window.

    Args:
        widget: what it belongs to.
        text: what it does, for menus and for the list of keys.
        keys: its shortcut, or several; none where it is empty.
        slot: called without arguments.
        in_window: whether the key holds in all of the window.
    """
    action = QtWidgets.QAction(text, widget)
    action.triggered.connect(lambda *_: slot())
    set_keys(action, [keys] if isinstance(keys, str) else keys, in_window)
    widget.addAction(action)
    return action


def set_keys(action: QtWidgets.QAction, keys: Iterable[str], in_window: bool = False) -> None:
    """Give an action its shortcuts."""
    action.setShortcuts([QtGui.QKeySequence(key) for key in keys if key])
    context = QtCore.Qt.WindowShortcut if in_window else QtCore.Qt.WidgetWithChildrenShortcut
    action.setShortcutContext(context)


def copy_text(text: str) -> None:
    """Put a text on the clipboard."""
    QtWidgets.QApplication.clipboard().setText(text)


def key_text(action: QtWidgets.QAction) -> str:
    """Its keys, as people write them; "" where it has none."""
    return ", ".join(key.toString(QtGui.QKeySequence.NativeText) for key in action.shortcuts())


def plain_text(action: QtWidgets.QAction) -> str:
    """What it does, without marks for the keyboard."""
    return action.text().replace("&", "").rstrip("…")


def hint(words: str, action: QtWidgets.QAction) -> str:
    """A tooltip: what a button does, and the key for it."""
    return f"{words} ({key_text(action)})" if action.shortcuts() else words


def with_keys(actions: Iterable[QtWidgets.QAction]) -> list[tuple[str, str]]:
    """(keys, what they do) of every action that has a key."""
    return [(key_text(action), plain_text(action)) for action in actions if action.shortcuts()]
