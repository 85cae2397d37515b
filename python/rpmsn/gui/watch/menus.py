# SPDX-License-Identifier: GPL-3.0-or-later
"""The menus of the window: everything that it can do, with its key."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...signal.resolution import PICTURE_COLUMNS
from ..actions import set_keys
from ..qt import QtGui, QtWidgets
from ..translation import mark, tr
from ..with_table import BELOW, BESIDE, HIDDEN
from .keys_help import show_keys

if TYPE_CHECKING:
    from .window import WatchWindow

SYSTEM = "system"
THEME_TEXTS = {SYSTEM: mark("As the &desktop"), "dark": mark("D&ark"), "light": mark("&Light")}
PLACES = (
    (BELOW, mark("Carriers &below the picture"), "Ctrl+1"),
    (BESIDE, mark("Carriers be&side it"), "Ctrl+2"),
    (HIDDEN, mark("Carriers &hidden"), "Ctrl+3"),
)

Choice = tuple[str, str, Callable[[], object], Callable[[], bool]]
"""Of which one holds: text, key, what it does, whether it holds."""


class Menus:
    """Fills the menu bar of a window.

    Args:
        window: WatchWindow with its parts.
        opens: whether other sources can be opened in it.

    Attributes:
        recent_menu: what was open; None where nothing can be opened.
        keys_dialog: the list of keys, None before it is asked for.
    """

    def __init__(self, window: "WatchWindow", opens: bool) -> None:
        self._window = window
        self.recent_menu: QtWidgets.QMenu | None = None
        self.keys_dialog: QtWidgets.QDialog | None = None
        bar = window.menuBar()
        self._fill_file(bar.addMenu(tr("&File")), opens)
        self._fill_edit(bar.addMenu(tr("&Edit")))
        self._fill_view(bar.addMenu(tr("&View")))
        bar.addMenu(window.bookmark_menu)
        window.addAction(window.bookmark_menu.add_action)
        self._add(bar.addMenu(tr("&Help")), tr("&Keys and mouse"), "F1", self._show_keys)

    def _fill_file(self, menu: QtWidgets.QMenu, opens: bool) -> None:
        window = self._window
        if opens:
            self._add(menu, tr("&Open…"), "Ctrl+O", window.ask_and_open)
            self.recent_menu = recent = menu.addMenu(tr("Open &recent"))
            recent.aboutToShow.connect(lambda: self._fill_recent(recent))
            menu.addSeparator()
        self._add(menu, tr("&Save picture…"), "Ctrl+S", window.ask_and_save)
        set_keys(window.table.export_action, ["Ctrl+E"], in_window=True)
        menu.addAction(window.table.export_action)
        self._add(menu, tr("Save &labels to train on…"), "Ctrl+T", window.editor.ask_and_save_training)
        menu.addSeparator()
        self._add(menu, tr("&Quit"), "Ctrl+Q", window.ask_and_close)

    def _fill_edit(self, menu: QtWidgets.QMenu) -> None:
        window = self._window
        for action, keys in (
            (window.editor.createUndoAction(window, tr("&Undo")), ["Ctrl+Z"]),
            (window.editor.createRedoAction(window, tr("&Redo")), ["Ctrl+Shift+Z", "Ctrl+Y"]),
        ):
            set_keys(action, keys, in_window=True)
            menu.addAction(action)
        self._add(
            menu, tr("&Delete the selected carriers"), "Del", lambda: window.editor.delete(window.table.selected())
        )

    def _fill_view(self, menu: QtWidgets.QMenu) -> None:
        window, view = self._window, self._window.view
        self._add_group(
            menu,
            [
                (tr(text), key, partial(view.set_place, place), partial(lambda place: view.place == place, place))
                for place, text, key in PLACES
            ],
        )
        detach = self._add(menu, tr("Carriers &detached"), "Ctrl+4", view.toggle_detached)
        detach.setCheckable(True)
        menu.aboutToShow.connect(lambda: detach.setChecked(view.panels[0].isFloating()))
        menu.addSeparator()
        columns = menu.addMenu(tr("C&olumns of the picture"))
        self._add_group(
            columns,
            [
                (
                    str(count),
                    "",
                    partial(window.choose_columns, count),
                    partial(lambda count: window.settings["columns"] == count, count),
                )
                for count in PICTURE_COLUMNS
            ],
        )
        # A publisher decides itself.
        menu.aboutToShow.connect(lambda: columns.setEnabled(bool(window.player or window.radio)))
        menu.addSeparator()
        self._add_group(
            menu,
            [
                (
                    tr(text),
                    "",
                    partial(window.choose_theme, name),
                    partial(lambda name: window.theme_choice == name, name),
                )
                for name, text in THEME_TEXTS.items()
            ],
        )

    def _add(self, menu: QtWidgets.QMenu, text: str, key: str, slot: Callable[[], object]) -> QtWidgets.QAction:
        action = menu.addAction(text)
        action.setShortcut(QtGui.QKeySequence(key))
        action.triggered.connect(lambda *_: slot())
        return action

    def _add_group(self, menu: QtWidgets.QMenu, choices: list[Choice]) -> None:
        group = QtWidgets.QActionGroup(self._window)
        actions = []
        for text, key, slot, holds in choices:
            action = group.addAction(self._add(menu, text, key, slot))
            action.setCheckable(True)
            actions.append((action, holds))
        menu.aboutToShow.connect(lambda: [action.setChecked(holds()) for action, holds in actions])

    def _fill_recent(self, menu: QtWidgets.QMenu) -> None:
        """What was open: names, in full where two are alike."""
        menu.clear()
        recent = self._window.settings["recent"]
        names = [Path(entry["source"]).name for entry in recent]
        for entry, name in zip(recent, names):
            text = name if names.count(name) == 1 else entry["source"]
            action = menu.addAction(text.replace("&", "&&"))
            action.setToolTip(entry["source"])
            action.triggered.connect(lambda _=False, entry=entry: self._window.ask_and_show(entry))
        menu.setToolTipsVisible(True)
        if not recent:
            menu.addAction(tr("nothing yet")).setEnabled(False)

    def _show_keys(self) -> None:
        window = self._window
        own = [action for menu in window.menuBar().actions() for action in menu.menu().actions()]
        sections = [(tr("Window"), own), (tr("Picture"), window.waterfall.actions())]
        if window.transport is not None:
            sections.append((tr("Recording"), window.transport.actions()))
        if window.radio_bar is not None:
            sections.append((tr("Radio"), window.radio_bar.actions()))
        carriers = [action for action in window.table.actions() if action not in own]
        sections.append((tr("Carriers"), [*carriers, *window.table.filter_edit.actions()]))
        self.keys_dialog = show_keys(window, sections)
