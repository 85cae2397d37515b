# SPDX-License-Identifier: GPL-3.0-or-later
"""The annotations of a file next to what was found, as a table."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from ...recording.comparison import matched, shared_band
from ..qt import QtCore, QtGui, QtWidgets
from ..wording import confidence_text

if TYPE_CHECKING:
    from ...tracking.carrier import Carrier
    from ..theme import Theme

Annotation = dict[str, Any]

TITLES = ("in the file", "from, MHz", "to, MHz", "found", "from, MHz", "to, MHz", "confidence", "same band", "result")
SAME, OTHER_CLASS, MISSED, EXTRA = "found", "wrong class", "missed", "not in the file"
MAX_ANNOTATIONS = 500
"""Different ones that are compared; a file may have one for each of thousands of bursts."""


class ComparisonTable(QtWidgets.QTableWidget):
    """Each annotation of a file with the carrier that covers most of it, then the carriers that it does not have.

    `same band` is the part of the band of both together that they have in common.

    Args:
        annotations: list of dict, as in SigMF metadata.
        theme: Theme.
        parent: QWidget or None.
    """

    def __init__(self, annotations: list[dict], theme: "Theme", parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(0, len(TITLES), parent)
        self.annotations = distinct(annotations)[:MAX_ANNOTATIONS]
        self.pairs: list[tuple] = []
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
        self.pairs = matched(self.annotations, latest(carriers))
        rows = [_row(annotation, carrier) for annotation, carrier in self.pairs]
        if self.rowCount() != len(rows):
            self.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for column, text in enumerate(cells):
                self._set_text(row, column, text)

    def summary(self) -> str:
        """All of it in one line."""
        counts = Counter(result_of(*pair) for pair in self.pairs)
        parts = [f"{counts[result]} {result}" for result in (SAME, OTHER_CLASS, MISSED)]
        line = f"{len(self.annotations)} in the file: {', '.join(parts)}; {counts[EXTRA]} {EXTRA}"
        shared = [shared_band(*pair) for pair in self.pairs if None not in pair]
        return f"{line}; {100 * sum(shared) / len(shared):.0f} % of the bands in common" if shared else line

    def results(self) -> dict[tuple, str]:
        """(label, lower edge, upper edge) of every annotation -> what has become of it."""
        return {_place(annotation): result_of(annotation, carrier) for annotation, carrier in self.pairs if annotation}

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
    left, right = ["", "", ""], ["", "", "", ""]
    if annotation is not None:
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
    is_pair = annotation is not None and carrier is not None
    shared = f"{100 * shared_band(annotation, carrier):.0f} %" if is_pair else ""
    return [*left, *right, shared, result_of(annotation, carrier)]


def result_of(annotation: Annotation | None, carrier: "Carrier | None") -> str:
    """What has become of an annotation, or what a carrier is; either may be None."""
    if annotation is None:
        return EXTRA
    if carrier is None:
        return MISSED
    return SAME if str(annotation.get("core:label", "?")).lower() == carrier.label.lower() else OTHER_CLASS


def _place(annotation) -> tuple:
    return (
        str(annotation.get("core:label", "?")),
        annotation["core:freq_lower_edge"],
        annotation["core:freq_upper_edge"],
    )
