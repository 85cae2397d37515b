# SPDX-License-Identifier: GPL-3.0-or-later
"""The annotations of a file next to what was found, as a table."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...recording.comparison import Span, matched, shared_band, shared_time
from ..qt import QtCore, QtGui, QtWidgets
from ..translation import mark, tr
from ..wording import confidence_text

if TYPE_CHECKING:
    from ...tracking.carrier import Carrier
    from ..theme import Theme

Annotation = dict[str, Any]

TITLES = (
    mark("in the file"),
    mark("from, MHz"),
    mark("to, MHz"),
    mark("found"),
    mark("from, MHz"),
    mark("to, MHz"),
    mark("confidence"),
    mark("same band"),
    mark("same time"),
    mark("result"),
)
RESULT = len(TITLES) - 1
SAME, OTHER_CLASS, MISSED, EXTRA = mark("found"), mark("wrong class"), mark("missed"), mark("not in the file")
MAX_ANNOTATIONS = 500
"""Different ones that are compared; a file may have one for each of thousands of bursts."""


class ComparisonTable(QtWidgets.QTableWidget):
    """Each annotation of a file with the carrier that covers most of it, then the carriers that it does not have.

    `same band` and `same time` are the parts of the band, and of the time, of both together that they have in common.

    Args:
        annotations: list of dict, as in SigMF metadata; several of one class and band are one, at several times.
        theme: Theme.
        sample_count: of the recording: where annotations end that say no end.
        times_of: function, carrier -> (start, end) in samples of the recording of each time that it was on the air.
        parent: QWidget or None.
    """

    def __init__(
        self,
        annotations: list[dict],
        theme: "Theme",
        sample_count: int,
        times_of: Callable[[Any], list[Span]],
        parent: QtWidgets.QWidget | None = None,
    ) -> None:
        super().__init__(0, len(TITLES), parent)
        self._times_of = times_of
        self._annotated: dict[tuple, list[Span]] = {}
        for entry in annotations:
            self._annotated.setdefault(_place(entry), []).append(_span(entry, sample_count))
        self.annotations = distinct(annotations)[:MAX_ANNOTATIONS]
        self.pairs: list[tuple] = []
        self._times: list[float | None] = []
        self.set_theme(theme)
        self.setHorizontalHeaderLabels([tr(title) for title in TITLES])
        self.setAccessibleName(tr("Compared with the file"))
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
        """Other colours."""
        self._theme = theme
        for row in range(self.rowCount()):
            self._color(self.item(row, RESULT))

    def show_carriers(self, carriers: list) -> None:
        """Compare with these (list of CarrierRow)."""
        self.pairs = matched(self.annotations, latest(carriers))
        self._times = [self._shared_time(*pair) for pair in self.pairs]
        rows = [_row(*pair, time) for pair, time in zip(self.pairs, self._times)]
        if self.rowCount() != len(rows):
            self.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for column, text in enumerate(cells):
                self._set_text(row, column, text)

    def summary(self) -> str:
        """All of it in one line."""
        counts = Counter(result_of(*pair) for pair in self.pairs)
        line = tr(
            "{count} in the file: {found} found, {wrong} wrong class, {missed} missed; {extra} not in the file",
            count=len(self.annotations),
            found=counts[SAME],
            wrong=counts[OTHER_CLASS],
            missed=counts[MISSED],
            extra=counts[EXTRA],
        )
        bands = [shared_band(*pair) for pair in self.pairs if None not in pair]
        times = [time for time in self._times if time is not None]
        if not bands:
            return line
        band, time = (f"{100 * sum(parts) / len(parts):.0f} %" for parts in (bands, times))
        return tr("{line}; {band} of the bands and {time} of the times in common", line=line, band=band, time=time)

    def results(self) -> dict[tuple, str]:
        """(label, lower edge, upper edge) of every annotation -> what has become of it."""
        return {_place(annotation): result_of(annotation, carrier) for annotation, carrier in self.pairs if annotation}

    def _shared_time(self, annotation: Annotation | None, carrier: "Carrier | None") -> float | None:
        if annotation is None or carrier is None:
            return None
        return shared_time(self._annotated[_place(annotation)], self._times_of(carrier))

    def copy(self) -> str:
        """Put the selected rows, or all where none is, on the clipboard as text with tabs; returns it."""
        chosen = sorted({index.row() for index in self.selectedIndexes()}) or range(self.rowCount())
        lines = [map(tr, TITLES), *([self.item(row, column).text() for column in range(len(TITLES))] for row in chosen)]
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
            if column == RESULT:
                self._color(item)

    def _color(self, item: QtWidgets.QTableWidgetItem) -> None:
        """The result in the colour of what it says."""
        colors = {tr(SAME): self._theme.good, tr(OTHER_CLASS): self._theme.alarm}
        item.setForeground(QtGui.QColor(colors.get(item.text(), self._theme.muted)))


def distinct(annotations: list) -> list:
    """Annotations with both edges; of several of one class and band only the first."""
    found: dict[tuple, dict] = {}
    for entry in annotations:
        key = _place(entry)
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


def _row(annotation, carrier, time: float | None) -> list:
    """Cells of a row; any may be None."""
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
    return [*left, *right, shared, "" if time is None else f"{100 * time:.0f} %", tr(result_of(annotation, carrier))]


def result_of(annotation: Annotation | None, carrier: "Carrier | None") -> str:
    """What has become of an annotation, or what a carrier is; either may be None."""
    if annotation is None:
        return EXTRA
    if carrier is None:
        return MISSED
    return SAME if str(annotation.get("core:label", "?")).lower() == carrier.label.lower() else OTHER_CLASS


def _place(annotation) -> tuple:
    edges = (annotation.get(f"core:freq_{side}_edge") for side in ("lower", "upper"))
    return str(annotation.get("core:label", "?")), *edges


def _span(annotation, sample_count: int) -> Span:
    start, count = annotation.get("core:sample_start", 0), annotation.get("core:sample_count")
    return start, sample_count if count is None else start + count
