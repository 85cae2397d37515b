# SPDX-License-Identifier: GPL-3.0-or-later
"""The carriers as a Qt table model: which rows are shown, in which order, in which colours."""

from typing import Any

from ...classes import CLASS_COLORS
from ...messages import keys
from ..qt import QtCore, QtGui
from ..theme import Theme
from . import columns as carrier_columns
from .carrier_list import CarrierList, CarrierRow
from .columns import COLUMNS, NAMES, OCCUPANCY, ON_AIR, Column

CARRIER_ROLE = QtCore.Qt.UserRole
FRACTIONS_ROLE = QtCore.Qt.UserRole + 1
CHANGING = (keys.SNR_DB, keys.CONFIDENCE, keys.BANDWIDTH, ON_AIR, OCCUPANCY)
"""Columns whose values change all the time: rows sorted by them change places now and then, not at every update."""
SWATCH_PIXELS = 12
ARROWS = (" ▲", " ▼")
"""What the header of the column that rows are sorted by ends in: lowest or highest first."""


class CarrierModel(QtCore.QAbstractTableModel):
    """Rows are carriers that pass the filter, sorted; rows that stay keep their selection.

    Args:
        carriers: CarrierList.
        theme: colours.

    Attributes:
        rows: list of CarrierRow that are shown.
        words: all of these have to be in a row's text; lower case.
        labels: classes that are shown; None for all.
        shows_gone: whether carriers that are gone are shown.
        shows_faint: whether those are of which there is too little to mean anything.
        hidden: numbers of carriers that are not shown.
    """

    def __init__(self, carriers: CarrierList, theme: Theme, parent: QtCore.QObject | None = None):
        super().__init__(parent)
        self.carriers = carriers
        self.rows: list[CarrierRow] = []
        self.words: tuple[str, ...] = ()
        self.labels: set[str] | None = None
        self.shows_gone, self.shows_faint = True, False
        self.hidden: set[int] = set()
        self.sorted_by, self.is_descending = keys.CENTER_FREQUENCY, False
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Colours from here on."""
        self.theme = theme
        self._swatches = {label: _swatch(color) for label, color in CLASS_COLORS.items()}
        self._announce_all()

    def update(self, may_resort: bool = True) -> None:
        """Show the carriers as they are now; `may_resort` lets rows change places by values that always change."""
        wanted = [carrier for carrier in self.carriers.rows() if self._passes(carrier)]
        self._remove(set(wanted))
        known = set(self.rows)
        new = [carrier for carrier in wanted if carrier not in known]
        if new:
            self.beginInsertRows(QtCore.QModelIndex(), len(self.rows), len(self.rows) + len(new) - 1)
            self.rows += new
            self.endInsertRows()
        if new or may_resort or self.sorted_by not in CHANGING:
            self._order()
        self._announce_all()

    def row_of(self, carrier: CarrierRow) -> int | None:
        """Row of a carrier, None where it is not shown."""
        return self.rows.index(carrier) if carrier in self.rows else None

    def rowCount(self, parent: QtCore.QModelIndex = QtCore.QModelIndex()) -> int:
        """Qt asks how many rows there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QtCore.QModelIndex = QtCore.QModelIndex()) -> int:
        """Qt asks how many columns there are."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: int, role: int = QtCore.Qt.DisplayRole) -> Any:
        """Qt asks what stands in the header."""
        if orientation != QtCore.Qt.Horizontal:
            return None
        if role == QtCore.Qt.DisplayRole:
            title = carrier_columns.title(COLUMNS[section], self.carriers)
            return title + ARROWS[self.is_descending] if COLUMNS[section].name == self.sorted_by else title
        if role == QtCore.Qt.ToolTipRole:
            return carrier_columns.hint(COLUMNS[section], self.carriers)
        if role == QtCore.Qt.TextAlignmentRole:
            return _alignment(COLUMNS[section])
        return None

    def data(self, index: QtCore.QModelIndex, role: int = QtCore.Qt.DisplayRole) -> Any:
        """Qt asks what a cell says and how it looks."""
        carrier, column = self.rows[index.row()], COLUMNS[index.column()]
        if role == QtCore.Qt.DisplayRole:
            return carrier_columns.text(carrier, column.name, self.carriers)
        if role == QtCore.Qt.TextAlignmentRole:
            return _alignment(column)
        if role == QtCore.Qt.ForegroundRole and carrier.gone:
            return QtGui.QColor(self.theme.muted)
        if role == QtCore.Qt.DecorationRole and column.name == keys.LABEL:
            return self._swatches.get(carrier.label, self._swatches["other"])
        if role == QtCore.Qt.ToolTipRole:
            return carrier_columns.describe(carrier)
        if role == CARRIER_ROLE:
            return carrier
        if role == FRACTIONS_ROLE and self.carriers.timeline is not None:
            return carrier.occupancy.fractions(self.carriers.timeline)
        return None

    def sort(self, column: int, order: int = QtCore.Qt.AscendingOrder) -> None:
        """Qt asks for another order, at a click on the header."""
        self.sorted_by = NAMES[column] if 0 <= column < len(NAMES) else keys.CENTER_FREQUENCY
        self.is_descending = order == QtCore.Qt.DescendingOrder
        self._order()
        self.headerDataChanged.emit(QtCore.Qt.Horizontal, 0, len(COLUMNS) - 1)

    def _passes(self, carrier: CarrierRow) -> bool:
        """Whether the filter lets a carrier through."""
        if carrier.carrier_id in self.hidden:
            return False
        if carrier.is_faint and not self.shows_faint:
            return False
        if carrier.gone and not self.shows_gone or self.labels is not None and carrier.label not in self.labels:
            return False
        return carrier_columns.passes(carrier, self.words, self.carriers)

    def _remove(self, wanted: set) -> None:
        """Remove the rows that are not wanted, run by run from the end."""
        last = len(self.rows) - 1
        while last >= 0:
            first = last
            if self.rows[last] not in wanted:
                while first and self.rows[first - 1] not in wanted:
                    first -= 1
                self.beginRemoveRows(QtCore.QModelIndex(), first, last)
                del self.rows[first : last + 1]
                self.endRemoveRows()
            last = first - 1

    def _order(self) -> None:
        """Bring the rows into their order; what is selected stays selected."""
        ordered = sorted(
            self.rows,
            reverse=self.is_descending,
            key=lambda carrier: (carrier_columns.sort_value(carrier, self.sorted_by, self.carriers), carrier.key),
        )
        if ordered == self.rows:
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        places = {carrier: row for row, carrier in enumerate(ordered)}
        after = [self.index(places[self.rows[index.row()]], index.column()) for index in before]
        self.rows = ordered
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _announce_all(self) -> None:
        """Every value may be another."""
        if self.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, len(COLUMNS) - 1))
        self.headerDataChanged.emit(QtCore.Qt.Horizontal, 0, len(COLUMNS) - 1)


def _alignment(column: Column) -> int:
    side = QtCore.Qt.AlignRight if column.is_number else QtCore.Qt.AlignLeft
    return int(side | QtCore.Qt.AlignVCenter)


def _swatch(color: tuple[int, int, int]) -> QtGui.QPixmap:
    """A square of a class's colour."""
    pixmap = QtGui.QPixmap(SWATCH_PIXELS, SWATCH_PIXELS)
    pixmap.fill(QtGui.QColor(*color))
    return pixmap
