# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of carriers next to the waterfall, as a Qt widget.

Knows Qt and the names of the message keys. All methods belong to the Qt thread. Its parts:

=============== ============================================================
`carrier_list`  carriers as segment messages report them (no Qt)
`occupancy`     when a carrier was on the air (no Qt)
`columns`       what the cells say (no Qt)
`export`        carriers into SigMF and CSV files (no Qt)
`table_model`   rows, their order and the filter
`table_strip`   draws when a carrier was on the air
`table_style`   colours
=============== ============================================================
"""

import logging
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from ...classes import CLASS_COLORS
from ...errors import RpmsnError, is_number
from ...messages import keys
from ...recording import Recording
from ..actions import add_action, copy_text, hint
from ..flow_layout import FlowLayout
from ..pictures import save_pixmap
from ..qt import QtCore, QtGui, QtWidgets
from ..theme import THEMES
from ..translation import counted, mark, tr
from . import columns as carrier_columns
from . import export as carrier_export
from .carrier_list import CarrierList, CarrierRow
from .columns import COLUMNS, NAMES, OCCUPANCY
from .table_model import CARRIER_ROLE, CarrierModel
from .table_strip import StripDelegate
from .table_style import style_sheet

logger = logging.getLogger(__name__)

UPDATE_INTERVAL_MS = 250
RESORT_SECONDS = 2.0
MAX_WAITING = 1500
"""Segments that are taken in at one update: 6000 a second. Of more the newest are kept, and the table says so."""
STRIP_WIDTH, MARGIN = 150, 12
"""Pixels: of the column with the strips; in the others beside the text."""
WARN_SECONDS = 5.0
QWIDGETSIZE_MAX = 2**24 - 1
"""Qt's own, which PyQt5 does not have."""
ROOMY_LINES = 11
"""Lower than so many lines of text, the table leaves out what the menus have, too: rows matter more."""
FILE_KINDS = mark("SigMF annotations (*.sigmf-meta)"), mark("Table (*.csv)"), mark("Picture (*.png)")


class CarrierTable(QtWidgets.QWidget):
    """Carriers with class, place, quality and time on the air; sorted at a click on the header, filtered by text.

    A click on a row sends `carrier_selected`. Ctrl-C copies the rows that are selected, Ctrl-F goes to the filter,
    Escape clears it, Ctrl-E exports.

    Args:
        theme: a name of `THEMES`.
        clock: seconds of a clock that never jumps.
        parent: QWidget or None.

    Attributes:
        carriers: CarrierList.
        recording: `rpmsn.recording.Recording` that the carriers are of, for SigMF export; None for a live stream.
        recording_span: function, (start, end) in samples of the stream -> the same in the recording; None where these
            are the same, or there is none.
        picture_of: QWidget that a picture shows; None for the table alone.
        drawn: annotations of the recording that a person drew, as of `Recording.annotations`; exported with the others.

    Example:
        >>> table = CarrierTable()                                       # doctest: +SKIP
        >>> table.add_segment(fields)                                    # doctest: +SKIP
        >>> table.carrier_selected.connect(waterfall.select_carrier)     # doctest: +SKIP
    """

    exported = QtCore.pyqtSignal(str)
    """Path of a file that a person has had written."""
    carrier_selected = QtCore.pyqtSignal(object)
    """`burst_id` of the carrier that was clicked, None when nothing is selected any more."""

    zoom_requested = QtCore.pyqtSignal(int)
    """`burst_id` of a carrier that the picture is to show as large as it can."""
    menu_requested = QtCore.pyqtSignal(object, object)
    """A menu (QMenu) for a carrier (CarrierRow) that is about to open: the moment to add to it."""

    def __init__(
        self, theme: str = "dark", clock: Callable[[], float] = time.monotonic, parent: QtWidgets.QWidget | None = None
    ):
        super().__init__(parent)
        self.carriers = CarrierList()
        self.recording: Recording | None = None
        self.recording_span: Callable[[int, int], tuple[int, int]] | None = None
        self.picture_of: QtWidgets.QWidget | None = None
        self.drawn: list[dict] = []
        self._clock = clock
        self._waiting: deque[dict] = deque(maxlen=MAX_WAITING)
        self._frames: deque[tuple] = deque(maxlen=MAX_WAITING)
        self._not_counted = self._not_counted_before = 0
        self._resorted = self._warned = -RESORT_SECONDS
        self._skipped = 0
        self._is_selecting = self._is_low = False
        self._theme = theme
        self.model = CarrierModel(self.carriers, THEMES[theme], self)
        self._build()
        self._connect()
        self.set_theme(theme)
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self.update_now)
        self._timer.start(UPDATE_INTERVAL_MS)

    def add_segment(self, fields: dict) -> None:
        """Add a segment message (dict, keys as in `keys.SEGMENT_KEYS`); it shows at the next update."""
        self._not_counted += len(self._waiting) == MAX_WAITING
        self._waiting.append(fields)

    def add_frame(self, fields: dict) -> None:
        """Note which samples were analysed (dict of a frame message): carriers may be silent in them."""
        try:
            frame = (
                *(int(fields[key]) for key in (keys.START_OFFSET, keys.END_OFFSET, keys.PDU_NUM)),
                float(fields[keys.SAMPLE_RATE]),
                float(fields.get(keys.JUDGED, 1.0)),
            )
            self.carriers.is_absolute = float(fields[keys.CENTER_FREQUENCY]) != 0.0
        except (KeyError, TypeError, ValueError):
            return  # the waterfall says so
        if frame[0] < frame[1] and frame[3] > 0:
            self._frames.append(frame)

    def clear(self) -> None:
        """Forget all carriers."""
        self._waiting.clear()
        self._frames.clear()
        self._not_counted = self._not_counted_before = 0
        self.carriers.clear()
        self.update_now()

    def select_carrier(self, burst_id: int | None) -> None:
        """Select the row of a carrier and scroll to it; None selects nothing. Sends no signal."""
        self._is_selecting = True
        try:
            carrier = None if burst_id is None else self.carriers.find(burst_id)
            row = None if carrier is None else self.model.row_of(carrier)
            if row is None:
                self.view.clearSelection()
                self.view.setCurrentIndex(QtCore.QModelIndex())
            else:
                self.view.selectRow(row)
                self.view.scrollTo(self.model.index(row, 0))
        finally:
            self._is_selecting = False

    def selected(self) -> list[CarrierRow]:
        """Carriers whose rows are selected, from the top."""
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        return [self.model.rows[row] for row in rows]

    def copy(self) -> str:
        """Put the selected rows, or all where none is, on the clipboard as text with tabs; returns it."""
        text = carrier_columns.table_text(self.selected() or self.model.rows, self.carriers)
        copy_text(text)
        return text

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write the carriers that are shown to a file.

        Args:
            path: ends in `.sigmf-meta`, `.csv` or `.png`.

        Returns:
            Path that was written: a file that exists is not replaced, except by a picture.

        Raises:
            RpmsnError: the file cannot be written; the message says why.
        """
        if str(path).lower().endswith(".png"):
            return self.save_picture(path)
        rows = [time for carrier in self.model.rows for time in carrier.each_time()]
        if self.recording is not None and self.recording_span is not None:
            rows = [carrier_export.placed(carrier, self.recording, self.recording_span) for carrier in rows]
        return carrier_export.export(rows, path, self.recording, self.drawn)

    def save_picture(self, path: str | os.PathLike[str]) -> Path:
        """Write a picture of the table, or of `picture_of`.

        Raises:
            RpmsnError: the file cannot be written.
        """
        return save_pixmap((self.picture_of or self).grab(), path)

    def settings(self) -> dict:
        """How the table is set up, as plain values: what `apply_settings` takes."""
        return {
            "sorted_by": self.model.sorted_by,
            "descending": self.model.is_descending,
            "shows_gone": self.gone_box.isChecked(),
            "shows_faint": self.faint_box.isChecked(),
            "hidden": [name for index, name in enumerate(NAMES) if self.view.isColumnHidden(index)],
        }

    def apply_settings(self, settings: dict) -> None:
        """Set the table up as `settings` returned; what is missing or not right stays as it is."""
        if settings.get("sorted_by") in NAMES:
            order = QtCore.Qt.DescendingOrder if settings.get("descending") is True else QtCore.Qt.AscendingOrder
            self.view.sortByColumn(NAMES.index(settings["sorted_by"]), order)
        for name, box in (("shows_gone", self.gone_box), ("shows_faint", self.faint_box)):
            if isinstance(settings.get(name), bool):
                box.setChecked(settings[name])
        hidden = settings.get("hidden")
        if isinstance(hidden, list):
            for index, name in enumerate(NAMES):
                self.view.setColumnHidden(index, name in hidden and name != keys.BURST_ID)

    def set_theme(self, theme: str) -> None:
        """Colours, by a name of `THEMES`."""
        self.model.set_theme(THEMES[theme])
        self.strips.theme = THEMES[theme]
        self._theme = theme
        self._set_low(self._is_low)

    def update_now(self) -> None:
        """Add what has arrived and show it; runs four times a second."""
        while self._waiting:
            fields = self._waiting.popleft()
            # In their order: a segment that is far behind the frames is one of a stream that has restarted.
            if is_number(number := fields.get(keys.PDU_NUM)):
                self._take_frames(number)
            self._take(fields)
        self._take_frames()
        self.carriers.end_silent()
        is_due = self._clock() - self._resorted >= RESORT_SECONDS
        if is_due:
            self._resorted = self._clock()
        self.model.update(may_resort=is_due)
        self._show_counts()

    def _take_frames(self, last: float | None = None) -> None:
        """The frames that wait, all or up to the one of a number."""
        while self._frames and (last is None or self._frames[0][2] <= last):
            self.carriers.add_frame(*self._frames.popleft())

    def _take(self, fields: dict) -> None:
        """One segment; what is not right is counted, and logged now and then."""
        try:
            self.carriers.add(fields)
        except ValueError as error:
            self._skipped += 1
            if self._clock() - self._warned >= WARN_SECONDS:
                self._warned = self._clock()
                logger.warning("segment left out of the table (%d so far): %s", self._skipped, error)

    def _show_counts(self) -> None:
        """How many carriers there are, and whether the table keeps up."""
        on_air = self.carriers.count_on_air
        gone = len(self.carriers.rows()) - on_air
        parts = [tr("{count} on the air", count=on_air), tr("{count} gone", count=gone)]
        if len(self.model.rows) != on_air + gone:
            parts.append(tr("{count} shown", count=len(self.model.rows)))
        lost = self._not_counted - self._not_counted_before
        self._not_counted_before = self._not_counted
        if lost:
            words = counted(
                "{count} segment a second is too much to count",
                "{count} segments a second are too many to count",
                4 * lost,
            )
            parts.append(f"<b>{words}</b>")
        text = " · ".join(parts)
        if text != self.count_label.text():
            self.count_label.setText(text)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Called by Qt when the widget has another size."""
        super().resizeEvent(event)
        is_low = self.height() < ROOMY_LINES * self.fontMetrics().height()
        for part in (*self.class_boxes.values(), self.clear_button, self.copy_button, self.export_button):
            part.setVisible(not is_low)
        if is_low != self._is_low:
            self._set_low(is_low)

    def _set_low(self, is_low: bool) -> None:
        """Where there is room for few rows, less is between them, and around."""
        self._is_low = is_low
        self.layout().setContentsMargins(8, 2 if is_low else 4, 8, 2 if is_low else 6)
        self.layout().setSpacing(2 if is_low else 4)
        line = self.view.fontMetrics().height()
        rows, header = self.view.verticalHeader(), self.view.horizontalHeader()
        rows.setMinimumSectionSize(line)
        rows.setDefaultSectionSize(line + (2 if is_low else 6))
        header.setMaximumHeight(line + 4 if is_low else QWIDGETSIZE_MAX)
        self.setStyleSheet(style_sheet(THEMES[self._theme], is_low))

    def _build(self) -> None:
        """Make the parts and lay them out."""
        self.setAttribute(QtCore.Qt.WA_StyledBackground, True)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addLayout(self._build_filter())
        self.view = self._build_view()
        layout.addWidget(self.view, stretch=1)

    def _build_filter(self):
        """The line above the table: what is shown, and what can be done with it."""
        row = FlowLayout()
        self.filter_edit = QtWidgets.QLineEdit()
        self.filter_edit.setPlaceholderText(
            tr("filter: words that a row has to have, such as 1842, band:B3, verdict:proven")
        )
        self.filter_edit.setClearButtonEnabled(True)
        self.filter_edit.setMinimumWidth(10 * self.fontMetrics().horizontalAdvance("0"))
        self.filter_edit.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        self.filter_edit.setAccessibleName(tr("Filter of the carriers"))
        row.addWidget(self.filter_edit)
        self.count_label = QtWidgets.QLabel("")
        self.count_label.setObjectName("count")
        row.addWidget(self.count_label)
        self.class_boxes = {}
        for name in keys.LABELS:
            self.class_boxes[name] = _check_box(
                name, tr("List carriers that are {label}", label=name), CLASS_COLORS[name]
            )
            row.addWidget(self.class_boxes[name])
        self.gone_box = _check_box(tr("gone"), tr("List carriers that are gone, too"))
        self.faint_box = _check_box(
            tr("faint"), tr("List what is unsure and below the noise, or was on for less than 1 ms, too")
        )
        self.faint_box.setChecked(False)
        self.clear_button = _button(tr("Clear gone"), tr("Take carriers that are gone off the list"))
        self.copy_button = _button(tr("Copy"), tr("Copy the selected rows, or all, as text"))
        self.export_button = _button(tr("Export…"), tr("Write the carriers that are shown as SigMF, CSV or picture"))
        for widget in (self.gone_box, self.faint_box, self.clear_button, self.copy_button, self.export_button):
            row.addWidget(widget)
        return row

    def _build_view(self):
        """The table itself."""
        view = QtWidgets.QTableView()
        view.setAccessibleName(tr("Carriers"))
        view.setModel(self.model)
        view.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectRows)
        view.setSelectionMode(QtWidgets.QAbstractItemView.ExtendedSelection)
        view.setShowGrid(False)
        view.setAlternatingRowColors(True)
        view.setWordWrap(False)
        view.setTabKeyNavigation(False)
        view.verticalHeader().hide()
        view.setHorizontalScrollMode(QtWidgets.QAbstractItemView.ScrollPerPixel)
        self.strips = StripDelegate(view)
        view.setItemDelegateForColumn(NAMES.index(OCCUPANCY), self.strips)
        view.setSortingEnabled(True)
        view.sortByColumn(NAMES.index(keys.CENTER_FREQUENCY), QtCore.Qt.AscendingOrder)
        header = view.horizontalHeader()
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        header.setContextMenuPolicy(QtCore.Qt.CustomContextMenu)
        metrics = view.fontMetrics()
        for index, column in enumerate(COLUMNS):
            words = map(tr, carrier_columns.VERDICT_WORDS if column.name == keys.VERDICT else [column.sample])
            wide = max(map(metrics.horizontalAdvance, [*words, tr(column.title) + " ▲ "]))
            view.setColumnWidth(index, wide + MARGIN if column.name != OCCUPANCY else STRIP_WIDTH)
        return view

    def _connect(self) -> None:
        """Buttons, keys and mouse."""
        self.filter_edit.textChanged.connect(self._apply_filter)
        for box in (*self.class_boxes.values(), self.gone_box, self.faint_box):
            box.toggled.connect(self._apply_filter)
        self.clear_button.clicked.connect(self._clear_gone)
        self.copy_button.clicked.connect(self.copy)
        self.export_button.clicked.connect(self.ask_and_export)
        self.view.selectionModel().selectionChanged.connect(self._on_selection)
        self.view.clicked.connect(lambda index: self.carrier_selected.emit(index.data(CARRIER_ROLE).carrier_id))
        self.view.horizontalHeader().customContextMenuRequested.connect(self._choose_columns)
        self.view.setContextMenuPolicy(QtCore.Qt.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._open_menu)
        copy = add_action(self, tr("Copy the selected carriers, or all, as text"), "Ctrl+C", self.copy)
        self.filter_action = add_action(self, tr("Filter the carriers"), "Ctrl+F", self._go_to_filter)
        self.export_action = add_action(self, tr("&Export carriers…"), "Ctrl+E", self.ask_and_export)
        add_action(self.filter_edit, tr("List all carriers again"), "Esc", self._leave_filter)
        for button, action in ((self.copy_button, copy), (self.export_button, self.export_action)):
            button.setToolTip(hint(button.toolTip(), action))

    def _apply_filter(self, *_) -> None:
        self.model.words = tuple(self.filter_edit.text().lower().split())
        shown = {name for name, box in self.class_boxes.items() if box.isChecked()}
        self.model.labels = None if len(shown) == len(self.class_boxes) else shown
        self.model.shows_gone = self.gone_box.isChecked()
        self.model.shows_faint = self.faint_box.isChecked()
        self.update_now()

    def _clear_gone(self) -> None:
        self.carriers.clear_gone()
        self.update_now()

    def _go_to_filter(self) -> None:
        self.filter_edit.setFocus()
        self.filter_edit.selectAll()

    def _leave_filter(self) -> None:
        self.filter_edit.clear()
        self.view.setFocus()

    def _on_selection(self, *_) -> None:
        """Arrow keys and Ctrl-click select, too; a single row is the carrier to jump to."""
        if self._is_selecting:
            return
        chosen = self.selected()
        if len(chosen) <= 1:
            self.carrier_selected.emit(chosen[0].carrier_id if chosen else None)

    def _open_menu(self, position) -> None:
        """Menu on a row: what can be done with its carrier."""
        index = self.view.indexAt(position)
        if not index.isValid():
            return
        carrier = index.data(CARRIER_ROLE)
        menu = QtWidgets.QMenu(self)
        menu.setAttribute(QtCore.Qt.WA_DeleteOnClose)
        menu.addAction(tr("&Zoom to it in the picture"), lambda: self.zoom_requested.emit(carrier.carrier_id))
        megahertz = f"{carrier.center_frequency / 1e6:.6f}"
        menu.addAction(tr("Copy &frequency: {frequency} MHz", frequency=megahertz), lambda: copy_text(megahertz))
        self.add_to_menu(menu, carrier)
        menu.popup(self.view.viewport().mapToGlobal(position))

    def add_to_menu(self, menu: QtWidgets.QMenu, carrier: CarrierRow) -> None:
        """What can be done with a carrier, wherever it was clicked."""
        text = carrier_columns.table_text([carrier], self.carriers)
        menu.addAction(tr("&Copy carrier as text"), lambda: copy_text(text))
        menu.addSeparator()
        for word in carrier_columns.filter_words(carrier):
            menu.addAction(tr("List only {word}", word=word), lambda word=word: self.filter_edit.setText(word))
        if self.filter_edit.text():
            menu.addAction(tr("List &all carriers"), self.filter_edit.clear)
        self.menu_requested.emit(menu, carrier)

    def _choose_columns(self, position) -> None:
        """Menu on the header: which columns are shown."""
        menu = QtWidgets.QMenu(self)
        for index, column in enumerate(COLUMNS[1:], start=1):
            action = menu.addAction(tr(column.title))
            action.setCheckable(True)
            action.setChecked(not self.view.isColumnHidden(index))
            action.toggled.connect(lambda shown, index=index: self.view.setColumnHidden(index, not shown))
        menu.exec_(self.view.horizontalHeader().mapToGlobal(position))

    def ask_and_export(self) -> None:
        """Ask for the name of a file and write the carriers that are shown to it."""
        path, kind = QtWidgets.QFileDialog.getSaveFileName(
            self,
            tr("Export carriers"),
            str(carrier_export.suggested_path(self.recording)),
            ";;".join(map(tr, FILE_KINDS)),
            options=QtWidgets.QFileDialog.DontConfirmOverwrite,
        )
        if not path:
            return
        suffix = kind[kind.index("*") + 1 : -1] if kind else ""
        if not path.lower().endswith((".sigmf-meta", ".csv", ".png")):
            path += suffix
        try:
            written = self.export(path)
            self.exported.emit(str(written))
        except (RpmsnError, OSError) as error:
            QtWidgets.QMessageBox.warning(self, tr("Export carriers"), str(error))
        else:
            self.count_label.setText(tr("written: {path}", path=written))


def _check_box(text: str, hint: str, color=None):
    """A check box that is on, with a swatch of a colour."""
    box = QtWidgets.QCheckBox(text)
    box.setChecked(True)
    box.setToolTip(hint)
    box.setAccessibleName(hint)
    if color is not None:
        swatch = QtGui.QPixmap(12, 12)
        swatch.fill(QtGui.QColor(*color))
        box.setIcon(QtGui.QIcon(swatch))
    return box


def _button(text: str, hint: str):
    button = QtWidgets.QPushButton(text)
    button.setToolTip(hint)
    button.setFocusPolicy(QtCore.Qt.TabFocus)
    return button
