# SPDX-License-Identifier: GPL-3.0-or-later
"""The annotations of a file next to what was found, as a table."""

from typing import TYPE_CHECKING

from ...recording.comparison import matched
from ..qt import QtCore, QtGui, QtWidgets
from ..wording import confidence_text

if TYPE_CHECKING:
    from ..theme import Theme

TITLES = ("in the file", "from, MHz", "to, MHz", "found", "from, MHz", "to, MHz", "confidence", "verdict")
SAME, OTHER_CLASS, MISSED, EXTRA = "same class", "other class", "not found yet", "not in the file"
MAX_ANNOTATIONS = 500
"""Different ones that are compared; a file may have one for each of thousands of bursts."""


class ComparisonTable(QtWidgets.QTableWidget):
    """Each annotation of a file with the carrier that covers most of it, then the carriers that it does not have.

    Args:
        annotations: list of dict, as in SigMF metadata.
        theme: Theme.
        parent: QWidget or None.
    """

    def __init__(self, annotations: list[dict], theme: "Theme", parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(0, len(TITLES), parent)
        self.annotations = distinct(annotations)[:MAX_ANNOTATIONS]
        self.set_theme(theme)
        self.setHorizontalHeaderLabels(TITLES)
        self.setAccessibleName("Compared with the file")
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.horizontalHeader().setSectionResizeMode(QtWidgets.QHeaderView.Stretch)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setEditTriggers(QtWidgets.QAbstractItemView.NoEditTriggers)
        self.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectRows)
        copy = QtWidgets.QShortcut(QtGui.QKeySequence("Ctrl+C"), self)
        copy.setContext(QtCore.Qt.WidgetShortcut)
        copy.activated.connect(self.copy)

    def set_theme(self, theme: "Theme") -> None:
        """Colours from here on."""
        self._theme = theme

    def show_carriers(self, carriers: list) -> None:
        """Compare with these (list of CarrierRow)."""
        pairs = matched(self.annotations, latest(carriers))
        rows = [_row(annotation, carrier) for annotation, carrier in pairs]
        if self.rowCount() != len(rows):
            self.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for column, text in enumerate(cells):
                self._set_text(row, column, text)

    def copy(self) -> str:
        """Put the selected rows, or all where none is, on the clipboard as text with tabs; returns it."""
        chosen = sorted({index.row() for index in self.selectedIndexes()}) or range(self.rowCount())
        lines = [TITLES, *([self.item(row, column).text() for column in range(len(TITLES))] for row in chosen)]
        text = "\n".join("\t".join(line) for line in lines) + "\n"
        QtWidgets.QApplication.clipboard().setText(text)
        return text

    def _set_text(self, row: int, column: int, text: str) -> None:
        """A cell, made once and changed where it says something else."""
        item = self.item(row, column)
        if item is None:
            item = QtWidgets.QTableWidgetItem()
            item.setTextAlignment(QtCore.Qt.AlignCenter)
            self.setItem(row, column, item)
        if item.text() != text:
            item.setText(text)
            if column == len(TITLES) - 1:
                item.setForeground(
                    QtGui.QColor(
                        self._theme.good
                        if text == SAME
                        else self._theme.alarm
                        if text == OTHER_CLASS
                        else self._theme.muted
                    )
                )


def distinct(annotations: list) -> list:
    """Annotations with both edges; of several of one class and band only the first."""
    found: dict[tuple, dict] = {}
    for entry in annotations:
        key = tuple(entry.get(name) for name in ("core:label", "core:freq_lower_edge", "core:freq_upper_edge"))
        if None not in key[1:]:
            found.setdefault(key, entry)
    return list(found.values())


def latest(carriers: list) -> list:
    """Carriers without those that are gone and were replaced by a later one in the same band."""
    kept: list = []
    for carrier in sorted(carriers, key=lambda carrier: (carrier.gone, -carrier.key)):
        if not carrier.gone or not any(_is_same_place(carrier, other) for other in kept):
            kept.append(carrier)
    return sorted(kept, key=lambda carrier: carrier.freq_lower)


def _is_same_place(carrier, other) -> bool:
    """Whether two carriers of one class overlap in more than half of the band that they cover together."""
    both = min(carrier.freq_upper, other.freq_upper) - max(carrier.freq_lower, other.freq_lower)
    whole = max(carrier.freq_upper, other.freq_upper) - min(carrier.freq_lower, other.freq_lower)
    return carrier.label == other.label and both > whole / 2


def _row(annotation, carrier) -> list:
    """Cells of a row; either may be None."""
    left, right, verdict = ["", "", ""], ["", "", "", ""], EXTRA
    if annotation is not None:
        verdict = MISSED
        left = [
            str(annotation.get("core:label", "?")),
            f"{annotation['core:freq_lower_edge'] / 1e6:.3f}",
            f"{annotation['core:freq_upper_edge'] / 1e6:.3f}",
        ]
    if carrier is not None:
        right = [
            carrier.label,
            f"{carrier.freq_lower / 1e6:.3f}",
            f"{carrier.freq_upper / 1e6:.3f}",
            confidence_text(carrier),
        ]
    if annotation is not None and carrier is not None:
        verdict = SAME if left[0].lower() == right[0].lower() else OTHER_CLASS
    return [*left, *right, verdict]
