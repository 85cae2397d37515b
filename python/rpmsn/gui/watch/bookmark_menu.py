# SPDX-License-Identifier: GPL-3.0-or-later
"""The menu of bookmarks: add, go to, rename, delete."""

from collections.abc import Callable

from ..carriers.carrier_list import CarrierRow
from ..number_box import NumberBox
from ..qt import QtCore, QtGui, QtWidgets
from ..translation import tr
from ..waterfall.bookmarks import Bookmark, next_color
from ..waterfall.pointing import Place
from ..with_table import WaterfallWithTable

NAME, FREQUENCY, COLOR = range(3)
SWATCH_PIXELS = 12
HIGHEST_MHZ = 1e6


class BookmarkMenu(QtWidgets.QMenu):
    """Bookmarks of the window, which are kept.

    Args:
        parent: the menu bar.
        view: picture and table.
        bookmarks: list of Bookmark.
        tune: function, Hz: where a radio can be tuned.
    """

    def __init__(
        self,
        parent: QtWidgets.QWidget,
        view: WaterfallWithTable,
        bookmarks: list[Bookmark],
        tune: Callable[[float], None],
    ) -> None:
        super().__init__(tr("&Bookmarks"), parent)
        self._view, self._tune = view, tune
        self.bookmarks = list(bookmarks)
        self.add_action = QtWidgets.QAction(tr("&Add a bookmark at the selected carrier…"), parent)
        self.add_action.setShortcut(QtGui.QKeySequence("Ctrl+B"))
        self.add_action.triggered.connect(lambda *_: self._add_at_selected())
        self._edit_action = QtWidgets.QAction(tr("&Edit bookmarks…"), parent)
        self._edit_action.triggered.connect(lambda *_: self.edit())
        self.aboutToShow.connect(self._fill)
        self._fill()
        self._show()
        view.waterfall.menu_requested.connect(self._add_to_place)
        view.table.menu_requested.connect(self._add_to_carrier)

    def ask_and_add(self, frequency: float, suggested: str) -> None:
        """Ask for a name, and keep a frequency in Hz."""
        words = tr("Name of {frequency} MHz:", frequency=f"{frequency / 1e6:.6f}")
        name, is_given = QtWidgets.QInputDialog.getText(self, tr("Bookmark"), words, text=suggested)
        if is_given and name.strip():
            self.set_bookmarks([*self.bookmarks, Bookmark(name.strip(), frequency, next_color(self.bookmarks))])

    def set_bookmarks(self, bookmarks: list[Bookmark]) -> None:
        """These from now on."""
        self.bookmarks = list(bookmarks)
        self._fill()
        self._show()

    def go_to(self, bookmark: Bookmark) -> None:
        """Bring it into view, and tune a radio to it that does not hear it."""
        if not self._view.waterfall.show_frequency(bookmark.frequency):
            self._tune(bookmark.frequency)

    def edit(self) -> "BookmarkDialog":
        """A window with all of them."""
        dialog = BookmarkDialog(self.parentWidget().window(), self.bookmarks)
        dialog.accepted.connect(lambda: self.set_bookmarks(dialog.bookmarks()))
        dialog.open()
        return dialog

    def _show(self) -> None:
        self._view.waterfall.set_bookmarks(self.bookmarks)

    def _fill(self) -> None:
        self.clear()
        self.addAction(self.add_action)
        self.addAction(self._edit_action)
        self.addSeparator()
        for bookmark in sorted(self.bookmarks, key=lambda bookmark: bookmark.frequency):
            text = f"{bookmark.name.replace('&', '&&')}\t{bookmark.frequency / 1e6:.3f} MHz"
            self.addAction(_swatch(bookmark.color), text, lambda bookmark=bookmark: self.go_to(bookmark))

    def _add_at_selected(self) -> None:
        chosen = self._view.table.selected()
        if chosen:
            self._add_carrier(chosen[0])
        else:
            low, high = self._view.waterfall.waterfall_plot.viewRange()[0]
            self.ask_and_add(1e6 * (low + high) / 2, "")

    def _add_carrier(self, carrier: CarrierRow) -> None:
        self.ask_and_add(carrier.center_frequency, f"{carrier.label} {carrier.cell_id or ''}".strip())

    def _add_to_place(self, menu: QtWidgets.QMenu, place: Place) -> None:
        if place.box is None:
            menu.addAction(tr("&Bookmark here…"), lambda: self.ask_and_add(place.frequency, ""))

    def _add_to_carrier(self, menu: QtWidgets.QMenu, carrier: CarrierRow) -> None:
        menu.addAction(tr("&Bookmark its centre…"), lambda: self._add_carrier(carrier))


class BookmarkDialog(QtWidgets.QDialog):
    """All bookmarks as a table: names and frequencies to edit, a colour at a double click.

    Args:
        parent: QWidget.
        bookmarks: list of Bookmark.
    """

    def __init__(self, parent: QtWidgets.QWidget, bookmarks: list[Bookmark]) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Bookmarks"))
        self.setAttribute(QtCore.Qt.WA_DeleteOnClose)
        self.table = QtWidgets.QTableWidget(0, 3)
        self.table.setAccessibleName(tr("Bookmarks"))
        self.table.setHorizontalHeaderLabels([tr("name"), "MHz", tr("colour")])
        self.table.verticalHeader().hide()
        self.table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectRows)
        self.table.horizontalHeader().setSectionResizeMode(NAME, QtWidgets.QHeaderView.Stretch)
        self.table.horizontalHeader().setSectionResizeMode(FREQUENCY, QtWidgets.QHeaderView.ResizeToContents)
        for bookmark in bookmarks:
            self._add_row(bookmark)
        self.table.cellDoubleClicked.connect(self._choose_color)
        delete = QtWidgets.QPushButton(tr("&Delete"))
        delete.clicked.connect(self._delete)
        buttons = QtWidgets.QDialogButtonBox(QtWidgets.QDialogButtonBox.Ok | QtWidgets.QDialogButtonBox.Cancel)
        buttons.addButton(delete, QtWidgets.QDialogButtonBox.ActionRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(self.table)
        layout.addWidget(buttons)
        self.resize(420, 320)

    def bookmarks(self) -> list[Bookmark]:
        """As they stand in the table; rows without a name are left out."""
        found = []
        for row in range(self.table.rowCount()):
            name, box = self.table.item(row, NAME).text().strip(), self.table.cellWidget(row, FREQUENCY)
            if name:
                found.append(Bookmark(name, 1e6 * box.value(), self.table.item(row, COLOR).text()))
        return found

    def _add_row(self, bookmark: Bookmark) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        self.table.setItem(row, NAME, QtWidgets.QTableWidgetItem(bookmark.name))
        box = NumberBox()
        box.setRange(-HIGHEST_MHZ, HIGHEST_MHZ)
        box.setDecimals(6)
        box.setAccessibleName(tr("Frequency of the bookmark, MHz"))
        box.setValue(bookmark.frequency / 1e6)
        box.setButtonSymbols(QtWidgets.QAbstractSpinBox.NoButtons)
        self.table.setCellWidget(row, FREQUENCY, box)
        item = QtWidgets.QTableWidgetItem(_swatch(bookmark.color), bookmark.color)
        item.setFlags(item.flags() & ~QtCore.Qt.ItemIsEditable)
        self.table.setItem(row, COLOR, item)

    def _choose_color(self, row: int, column: int) -> None:
        item = self.table.item(row, COLOR)
        if column == COLOR:
            color = QtWidgets.QColorDialog.getColor(QtGui.QColor(item.text()), self, tr("Colour of the bookmark"))
            if color.isValid():
                item.setText(color.name())
                item.setIcon(_swatch(color.name()))

    def _delete(self) -> None:
        for row in sorted({index.row() for index in self.table.selectedIndexes()}, reverse=True):
            self.table.removeRow(row)


def _swatch(color: str) -> QtGui.QIcon:
    """A square of a colour."""
    pixmap = QtGui.QPixmap(SWATCH_PIXELS, SWATCH_PIXELS)
    pixmap.fill(QtGui.QColor(color))
    return QtGui.QIcon(pixmap)
