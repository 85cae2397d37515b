# SPDX-License-Identifier: GPL-3.0-or-later
"""The waterfall as a Qt widget: power, classes over it, a labelled box round every segment.

Knows Qt and the names of the message keys, nothing of GNU Radio's run time: `waterfall_overlay` feeds it, and so can a
script. All methods belong to the Qt thread.

The parts of the picture each have a module that can be read, and tested, by itself:

===================== =================================================================
`waterfall_frame`     a frame, checked
`waterfall_history`   rows, newest first, and where a sample or a time lies among them
`waterfall_boxes`     segments joined to boxes as frames go by
`waterfall_box_layer` draws the boxes, with labels where there is room
`waterfall_time_axis` the clock beside the rows
`waterfall_status`    a status message in words
`waterfall_theme`     all colours
`waterfall_qt`        the one place that imports Qt
===================== =================================================================
"""
import html
import logging
import math
from collections import deque
from datetime import datetime, timezone

import numpy as np

from rpmsn.classes import CLASS_COLORS, CLASS_NAMES, LTE, NR, OTHER
from rpmsn.errors import ParameterError

from . import pdu
from .waterfall_box_layer import BoxLayer
from .waterfall_boxes import SegmentBoxes, check_segment
from .waterfall_frame import Frame, check_frame, mean_spectrum
from .waterfall_history import SKIP, History
from .waterfall_qt import QtCore, QtGui, QtWidgets, pg
from .waterfall_status import describe_status
from .waterfall_theme import COLOR_MAPS, THEMES, class_colors, power_colors, style_sheet
from .waterfall_time_axis import TimeAxis, format_time

logger = logging.getLogger(__name__)

MINIMUM_SIZE = (700, 400)
"""Pixels; in less the controls cut one another off. GNU Radio's window scrolls where it is smaller."""
REDRAW_INTERVAL_MS = 40
TIME_AXIS_WIDTH = 120
POWER_BAR_WIDTH = 66
"""Pixels left and right of the picture, the same in both plots, so that their frequencies stand in line."""
MAX_HISTORY_ROWS = 8192
MAX_PENDING_SEGMENTS = 4096
NOTE_SECONDS = 4.0


class WaterfallWidget(QtWidgets.QWidget):
    """Waterfall with the classes over it, the spectrum above and the state of the analysis below.

    Newest rows are at the top. Space pauses (frames that come meanwhile wait, as many as the history holds), the
    wheel zooms in frequency, Autoscale fits levels and frequency. A double click sends `tune_requested`.

    Args:
        title: written above the picture; "" for none.
        history_frames: frames that stay in the picture.
        rows_per_frame: rows of each; frames with more are reduced.
        theme: a name of `THEMES`.
        alpha: how much the colours of the classes cover, 0..1.
        color_map: a name of `COLOR_MAPS`.
        parent: QWidget or None.

    Raises:
        rpmsn.errors.ParameterError: a value is not allowed.

    Example:
        >>> widget = WaterfallWidget("downlink, band 3")          # doctest: +SKIP
        >>> widget.add_frame(fields, image, mask)                 # doctest: +SKIP
    """

    tune_requested = QtCore.pyqtSignal(float)
    """Hz, absolute, at a double click; only sent where the centre frequency is known."""
    carrier_selected = QtCore.pyqtSignal(object)
    """burst_id of the carrier whose box was clicked, None where a click meets no box."""

    def __init__(self, title: str = "", history_frames: int = 64, rows_per_frame: int = 8, theme: str = "dark",
                 alpha: float = 0.4, color_map: str = "gray", parent=None):
        check_parameters(history_frames, rows_per_frame, theme, alpha, color_map)
        super().__init__(parent)
        self.theme = THEMES[theme]
        self.history = History(history_frames, rows_per_frame)
        self.segments = SegmentBoxes()
        self.levels = (0, 255)
        self.alpha, self.color_map = alpha, color_map
        self._frames = deque(maxlen=history_frames)
        self._pending_segments = deque(maxlen=MAX_PENDING_SEGMENTS)
        self._note_ticks = 0
        self._samples_lost = 0
        self.selected = None
        self.reference_annotations: list = []
        self._build(title)
        self._connect()
        self._apply_colors()
        self._show_note("waiting for frames")
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._timer.start(REDRAW_INTERVAL_MS)

    def add_frame(self, fields: dict, image: np.ndarray, mask: np.ndarray) -> bool:
        """Take a frame in; it shows at the next redraw.

        Args:
            fields: dict of a frame PDU, keys as in `pdu.FRAME_KEYS`.
            image: uint8, shape (rows, columns).
            mask: uint8, same shape.

        Returns:
            False where the frame was not right: that is logged, and the frame skipped.
        """
        try:
            self._frames.append(check_frame(fields, image, mask))
        except ValueError as error:
            logger.warning("frame skipped: %s", error)
            return False
        return True

    def add_segment(self, fields: dict) -> bool:
        """Take a segment in, the dict of a segment PDU.

        Returns:
            False where the segment was not right: that is logged, and the segment skipped.
        """
        try:
            box = check_segment(fields)
        except ValueError as error:
            logger.warning("segment skipped: %s", error)
            return False
        if box is not None:
            self._pending_segments.append(box)
        return True

    def set_status(self, fields: dict) -> bool:
        """Show the state of the analysis, the dict of a status PDU.

        Returns:
            False where the status was not right: that is logged, and the status skipped.
        """
        try:
            troubles, facts = describe_status(fields, self._samples_lost)
        except (TypeError, ValueError) as error:
            logger.warning("status skipped: %s", error)
            return False
        self._samples_lost = fields.get(pdu.SAMPLES_LOST, 0)
        color = self.theme.alarm if troubles else self.theme.good
        words, details = html.escape("; ".join(troubles) or "ok"), html.escape(" \u00b7 ".join(facts))
        self.status_label.setText(f'<span style="color:{color}; font-weight:600">{words}</span>&nbsp;&nbsp; {details}')
        return True

    def clear(self) -> None:
        """Forget rows, boxes and reference annotations; settings stay."""
        self.history.clear(columns=2)
        self.segments.clear()
        self._frames.clear()
        self._pending_segments.clear()
        self.set_reference_annotations([])
        self.box_layer.update()

    def select_carrier(self, burst_id: int | None) -> None:
        """Highlight a carrier and, where it is out of sight, bring it into view; None for none. Sends no signal."""
        self.selected = burst_id
        self.box_layer.update()

    def set_reference_annotations(self, annotations: list) -> None:
        """Draw what a file says of itself, dashed, for comparison with what was found.

        Args:
            annotations: dicts with `label` (str), `freq_lower`, `freq_upper` (Hz), `start` ((whole s, fraction) since
                1970, or None for the beginning), `duration` (s, or None for all that follows).
        """
        self.reference_annotations = list(annotations)

    def save_picture(self, path) -> None:
        """Write the widget as it looks now; the ending of `path` (.png, .jpg) says in which format.

        Raises:
            OSError: it cannot be written there.
        """
        if not self.grab().save(str(path)):
            raise OSError(f"{path}: the picture cannot be written; take a folder that exists and an ending .png")

    def settings(self) -> dict:
        """What the user has set, as plain values that `apply_settings` takes: for a file of settings."""
        return {}

    def apply_settings(self, settings: dict) -> None:
        """Take settings over; keys that are not there stay as they are, and keys that are not known are ignored."""

    @property
    def paused(self) -> bool:
        """Whether the picture is held."""
        return self.pause_button.isChecked()

    def set_alpha(self, alpha: float) -> None:
        """How much the classes cover, 0..1; values beyond are clipped."""
        self.alpha_slider.setValue(round(100 * alpha))

    def autoscale(self) -> None:
        """Fit the levels to the rows in the picture and the frequency axis to the span, once."""
        filled = slice(0, self.history.filled_rows)
        rows = self.history.image[filled][self.history.mask[filled, 0] < SKIP]
        if rows.size:
            low, high = np.percentile(rows, (2.0, 99.8))
            self.levels = (max(0.0, low - 4), min(255.0, max(high, low + 24)))
            self._fit_span()
        self._apply_colors()

    def _build(self, title: str) -> None:
        """Make the parts and lay them out."""
        self.setMinimumSize(*MINIMUM_SIZE)
        self.setFocusPolicy(QtCore.Qt.StrongFocus)
        self.setAttribute(QtCore.Qt.WA_StyledBackground, True)
        self.setStyleSheet(style_sheet(self.theme))
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(4)
        if title:
            heading = QtWidgets.QLabel(html.escape(title))
            heading.setObjectName("title")
            heading.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Fixed)
            layout.addWidget(heading)
        layout.addLayout(self._build_controls())
        layout.addWidget(self._build_plots(), stretch=1)
        self.status_label = QtWidgets.QLabel("no status yet")
        self.status_label.setWordWrap(True)
        self.status_label.setAlignment(QtCore.Qt.AlignTop)
        self.status_label.setMinimumHeight(2 * self.status_label.fontMetrics().lineSpacing() + 4)
        self.cursor_label = QtWidgets.QLabel("")
        self.cursor_label.setObjectName("cursor")
        foot = QtWidgets.QHBoxLayout()
        foot.addWidget(self.status_label, stretch=1)
        foot.addWidget(self.cursor_label, alignment=QtCore.Qt.AlignTop)
        layout.addLayout(foot)

    def _build_controls(self):
        """Switches (which are the legend too), slider and buttons."""
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(10)
        self.classes_box = self._check_box("Classes", "Colour every pixel by its class")
        self.boxes_box = self._check_box("Boxes", "Draw segments with label, bandwidth and confidence")
        self.class_boxes = {name: self._check_box(name, f"Show what is {name}", CLASS_COLORS[name])
                            for name in (CLASS_NAMES[LTE], CLASS_NAMES[NR], CLASS_NAMES[OTHER])}
        self.alpha_slider = QtWidgets.QSlider(QtCore.Qt.Horizontal)
        self.alpha_slider.setRange(0, 100)
        self.alpha_slider.setValue(round(100 * self.alpha))
        self.alpha_slider.setMinimumWidth(60)
        self.alpha_slider.setMaximumWidth(120)
        self.alpha_slider.setToolTip("How much the colours of the classes cover")
        self.autoscale_button = QtWidgets.QPushButton("Autoscale")
        self.autoscale_button.setToolTip("Fit levels and frequency axis once")
        self.pause_button = QtWidgets.QPushButton("Pause")
        self.pause_button.setCheckable(True)
        self.pause_button.setToolTip("Hold the picture (Space)")
        for widget in (self.classes_box, self.alpha_slider, *self.class_boxes.values(), self.boxes_box):
            row.addWidget(widget)
        row.addStretch(1)
        for widget in (self.autoscale_button, self.pause_button):
            widget.setFocusPolicy(QtCore.Qt.NoFocus)
            row.addWidget(widget)
        return row

    @staticmethod
    def _check_box(text: str, hint: str, color=None):
        """A check box that is on, with a swatch of a colour."""
        box = QtWidgets.QCheckBox(text)
        box.setChecked(True)
        box.setToolTip(hint)
        box.setFocusPolicy(QtCore.Qt.NoFocus)
        if color is not None:
            swatch = QtGui.QPixmap(14, 14)
            swatch.fill(QtGui.QColor(*color))
            box.setIcon(QtGui.QIcon(swatch))
        return box

    def _build_plots(self):
        """Spectrum over waterfall, with one frequency axis, and the scale of the power."""
        plots = pg.GraphicsLayoutWidget()
        plots.setBackground(self.theme.background)
        plots.ci.layout.setContentsMargins(0, 0, 0, 0)
        plots.ci.layout.setSpacing(2)
        self.time_axis = TimeAxis(self.history)
        self.spectrum_plot = plots.addPlot(row=0, col=0)
        self.waterfall_plot = plots.addPlot(row=1, col=0, axisItems={"left": self.time_axis})
        self.power_bar = pg.ColorBarItem(values=(0, 1), width=12, interactive=False, colorMap=pg.colormap.get("CET-L1"))
        self.waterfall_plot.layout.addItem(self.power_bar, 2, 5)
        plots.ci.layout.setRowStretchFactor(1, 1)
        self.spectrum_plot.setFixedHeight(120)
        for plot in (self.spectrum_plot, self.waterfall_plot):
            self._dress_plot(plot)
        self._dress_axis(self.power_bar.getAxis("right"))
        self.power_bar.getAxis("right").setLabel("dB over noise", color=self.theme.text)
        self._fill_spectrum_plot()
        self._fill_waterfall_plot()
        return plots

    def _dress_plot(self, plot) -> None:
        """What both plots share."""
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMouseEnabled(x=True, y=False)
        plot.layout.setColumnFixedWidth(5, POWER_BAR_WIDTH)
        for name in ("left", "bottom"):
            self._dress_axis(plot.getAxis(name))
        plot.getAxis("left").setWidth(TIME_AXIS_WIDTH)

    def _dress_axis(self, axis) -> None:
        axis.setPen(self.theme.muted)
        axis.setTextPen(self.theme.text)
        axis.enableAutoSIPrefix(False)

    def _fill_spectrum_plot(self) -> None:
        """A line for the newest frame, in dB above the noise floor."""
        fill = QtGui.QColor(self.theme.line)
        fill.setAlpha(50)
        self.spectrum_line = self.spectrum_plot.plot(pen=pg.mkPen(self.theme.line, width=1), fillLevel=-100, brush=fill)
        self.spectrum_plot.setLabel("left", "dB over noise", color=self.theme.text)
        self.spectrum_plot.getAxis("bottom").setStyle(showValues=False)
        self.spectrum_plot.showGrid(x=True, y=True, alpha=0.18)
        self.spectrum_plot.setXLink(self.waterfall_plot)

    def _fill_waterfall_plot(self) -> None:
        """Power, classes over it, boxes on top."""
        self.power_item = pg.ImageItem(axisOrder="row-major")
        self.class_item = pg.ImageItem(axisOrder="row-major")
        self.box_layer = BoxLayer(self.history, self.segments, self.theme)
        for item in (self.power_item, self.class_item, self.box_layer):
            self.waterfall_plot.addItem(item, ignoreBounds=True)
        self.waterfall_plot.invertY(True)
        self.waterfall_plot.setYRange(0, self.history.rows, padding=0)
        self.waterfall_plot.setLabel("bottom", "Frequency, MHz", color=self.theme.text)
        self.waterfall_plot.setLabel("left", "Time", color=self.theme.text)

    def _connect(self) -> None:
        """Switches, keys and mouse."""
        for box in (self.classes_box, self.boxes_box, *self.class_boxes.values()):
            box.toggled.connect(self._apply_colors)
        self.alpha_slider.valueChanged.connect(self._apply_colors)
        self.autoscale_button.clicked.connect(self.autoscale)
        self.pause_button.toggled.connect(self._on_pause)
        space = QtWidgets.QShortcut(QtGui.QKeySequence(QtCore.Qt.Key_Space), self)
        space.setContext(QtCore.Qt.WidgetWithChildrenShortcut)
        space.activated.connect(self.pause_button.toggle)
        scene = self.waterfall_plot.scene()
        scene.sigMouseMoved.connect(self._on_mouse_moved)
        scene.sigMouseClicked.connect(self._on_mouse_clicked)

    def _tick(self) -> None:
        """Take in what has come and draw once; runs 25 times a second."""
        if self._note_ticks:
            self._note_ticks -= 1
            if not self._note_ticks:
                self._show_note("")
        if self.paused or not (self._frames or self._pending_segments):
            return
        reason, n_frames = None, len(self._frames)
        while self._frames:
            reason = self._push(self._frames.popleft()) or reason
        self._take_segments()
        if n_frames:
            self._redraw_rows()
            if reason is not None or self.box_layer.note == "waiting for frames":
                self._show_note(reason or "", NOTE_SECONDS)
        self.box_layer.update()

    def _push(self, frame: Frame) -> str | None:
        """Add a frame to the history; new axes where it needs them. Returns why rows were removed, or None."""
        before = self.history.newest
        reason = self.history.push(frame)
        if before is not None and frame.start_offset <= before.start_offset:
            self.segments.clear()
        if before is None or reason is not None:
            self._fit_span()
            self._name_axes()
            self._apply_colors()
        self.segments.forget_before(self.history.oldest_offset)
        return reason

    def _take_segments(self) -> None:
        """Join the segments that have come to the boxes; edges may wander by two columns."""
        newest = self.history.newest
        if newest is None:
            return
        tolerance = 2.0 * newest.sample_rate / newest.image.shape[1]
        while self._pending_segments:
            box = self._pending_segments.popleft()
            if box.end_offset > self.history.oldest_offset:
                self.segments.add(box, tolerance)

    def _redraw_rows(self) -> None:
        """Bring the rows and the spectrum to the screen."""
        self.power_item.setImage(self.history.image, autoLevels=False, levels=self.levels)
        self.class_item.setImage(self.history.mask, autoLevels=False, levels=(0, 256))
        for item in (self.power_item, self.class_item):
            item.setRect(self._picture_rect())
        frequencies, decibels = mean_spectrum(self.history.newest)
        self.spectrum_line.setData(frequencies / 1e6, decibels)
        self.time_axis.picture = None
        self.time_axis.update()

    def _picture_rect(self):
        """The history in the waterfall's coordinates: MHz across, rows down."""
        frame = self.history.newest
        left = (frame.center_frequency - frame.sample_rate / 2) / 1e6
        return QtCore.QRectF(left, 0, frame.sample_rate / 1e6, self.history.rows)

    def _fit_span(self) -> None:
        """Show the whole span, and nothing beyond it."""
        rect = self._picture_rect()
        view = self.waterfall_plot.getViewBox()
        view.setLimits(xMin=rect.left(), xMax=rect.right(), minXRange=rect.width() / 1000)
        view.setXRange(rect.left(), rect.right(), padding=0)

    def _name_axes(self) -> None:
        """Say what frequencies and times are measured from."""
        frame = self.history.newest
        known = frame.center_frequency != 0.0
        self.waterfall_plot.setLabel("bottom", "Frequency, MHz" if known else "Offset from centre, MHz")
        date = datetime.fromtimestamp(frame.start_time, timezone.utc).strftime("%Y-%m-%d") if frame.is_utc else ""
        self.waterfall_plot.setLabel("left", f"UTC, {date}" if frame.is_utc else "Time since start, s")

    def _apply_colors(self, *_) -> None:
        """Put levels, colour tables and switches into force."""
        self.alpha = self.alpha_slider.value() / 100
        shown = {name for name, box in self.class_boxes.items() if box.isChecked()}
        self.class_item.setLookupTable(class_colors(shown if self.classes_box.isChecked() else set(), self.alpha,
                                                    self.theme))
        colors = power_colors(self.color_map, self.theme)
        self.power_item.setLookupTable(colors.getLookupTable(0.0, 1.0, 256))
        self.power_item.setLevels(self.levels)
        self.power_bar.setColorMap(colors)
        self.power_bar.setLevels(self._levels_in_db())
        self.spectrum_plot.setYRange(*self._levels_in_db(), padding=0.05)
        self.box_layer.shown = shown
        self.box_layer.boxes_visible = self.boxes_box.isChecked()
        self.box_layer.update()

    def _levels_in_db(self) -> tuple[float, float]:
        """Lowest and highest power of the colour table, dB above the noise floor."""
        frame = self.history.newest
        low, high = (frame.db_min, frame.db_max) if frame is not None else (0.0, 50.0)
        return tuple(low + level / 255 * (high - low) for level in self.levels)

    def _on_pause(self, is_paused: bool) -> None:
        self.pause_button.setText("Resume" if is_paused else "Pause")
        self._show_note("paused" if is_paused else "")

    def _show_note(self, text: str, seconds: float = 0.0) -> None:
        """Write a note into the picture, for some seconds or, with 0, until the next."""
        self.box_layer.note = text
        self._note_ticks = math.ceil(seconds * 1000 / REDRAW_INTERVAL_MS)
        self.box_layer.update()

    def _on_mouse_moved(self, position) -> None:
        """Say what is under the mouse."""
        point = self._picture_point(position)
        self.cursor_label.setText("" if point is None else self._describe(*point))

    def _on_mouse_clicked(self, event) -> None:
        """A double click asks for the frequency under the mouse."""
        point = self._picture_point(event.scenePos())
        if event.double() and point is not None and self.history.newest.center_frequency != 0.0:
            self.tune_requested.emit(point[0])

    def _picture_point(self, position):
        """(Hz, row) of a position in the scene, None outside the picture."""
        view = self.waterfall_plot.getViewBox()
        if self.history.newest is None or not view.sceneBoundingRect().contains(position):
            return None
        point = view.mapSceneToView(position)
        inside = self._picture_rect().contains(point) and point.y() < self.history.filled_rows
        return (1e6 * point.x(), point.y()) if inside else None

    def _describe(self, frequency: float, y: float) -> str:
        """Frequency, time, power and class of a point in the picture."""
        frame, rect = self.history.newest, self._picture_rect()
        columns = self.history.image.shape[1]
        column = min(int((frequency / 1e6 - rect.left()) / rect.width() * columns), columns - 1)
        class_id = self.history.mask[int(y), column]
        time = format_time(self.history.time_of_y(y), frame.is_utc, decimals=3)
        where = f"{frequency / 1e6:.3f} MHz \u00b7 {time}{' UTC' if frame.is_utc else ' s'}"
        if class_id >= SKIP:
            return f"{where} \u00b7 not shown"
        power = frame.db_min + self.history.image[int(y), column] / 255 * (frame.db_max - frame.db_min)
        return f"{where} \u00b7 {power:.0f} dB \u00b7 {CLASS_NAMES[class_id]}"


def check_parameters(history_frames: int, rows_per_frame: int, theme: str, alpha: float, color_map: str) -> None:
    """Raise ParameterError where `WaterfallWidget` cannot be built with these."""
    if history_frames < 1 or rows_per_frame < 1 or history_frames * rows_per_frame > MAX_HISTORY_ROWS:
        raise ParameterError(f"history_frames = {history_frames} and rows_per_frame = {rows_per_frame}: both must be 1 "
                             f"or more and their product at most {MAX_HISTORY_ROWS} rows; take fewer rows per frame")
    if theme not in THEMES:
        raise ParameterError(f"theme = {theme!r}; choose one of {', '.join(THEMES)}")
    if color_map not in COLOR_MAPS:
        raise ParameterError(f"color_map = {color_map!r}; choose one of {', '.join(COLOR_MAPS)}")
    if not 0.0 <= alpha <= 1.0:
        raise ParameterError(f"alpha = {alpha}; choose a value from 0 (classes not seen) to 1 (power not seen)")
