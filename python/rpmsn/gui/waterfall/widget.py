# SPDX-License-Identifier: GPL-3.0-or-later
"""The waterfall as a Qt widget: power, classes over it, a labelled box round every carrier.

Knows Qt and the names of the message keys, nothing of GNU Radio's run time: `waterfall_overlay` feeds it, and so can a
script. All methods belong to the Qt thread.

The parts of the picture each have a module that can be read, and tested, by itself:

====================== =================================================================
`history`              rows of the last hour, and where a sample or a time lies among them
`boxes`                when carriers were on, as frames go by
`settings`             what the user can set
`levels`               in what power is said
`picture`              draws the rows and the breaks between them
`detail`               draws the part in view from the samples, where these can be had
`box_layer`            draws the boxes, with labels where there is room
`pixels`               what these two have in common
`bands`, `band_strip`  3GPP bands below the frequency axis
`spectrum`             the lines above
`time_axis`            the clock next to the rows
`frequency_axis`       the frequencies below them
`pointing`             what is under the mouse, clicks, the menu
`cursors`              the measuring pair
`selection`            a part that is marked
`bookmarks`            frequencies with names
`view`                 mouse wheel and dragging
`scroll`               newest rows, or older ones
`controls`             the row of controls
`status`               a status message as text
`status_bar`           shows this text
====================== =================================================================
"""

import html
import logging
import math
import os
import re
from collections import deque
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from ...errors import RpmsnError, is_number, require
from ...messages.frame import Frame, Scale, check_frame
from ...messages.report import Report, check_report
from ..actions import add_action, hint, set_keys
from ..pictures import save_pixmap
from ..qt import QtCore, QtGui, QtWidgets, pg
from ..theme import THEMES, Theme, power_colors, style_sheet
from ..translation import mark, tr
from ..wording import band_texts
from .band_strip import LANES, BandStrip
from .bookmarks import Bookmark, BookmarkLayer
from .box_layer import BoxLayer
from .boxes import SegmentBoxes
from .controls import Controls
from .cursors import CursorPair
from .detail import DetailLayer, Wanted
from .frequency_axis import FrequencyAxis, UnitLabel
from .history import DROPPED, LOST, SKIP, Break, Chunk, History, format_seconds
from .levels import DBM, HIGHEST_OFFSET, LevelUnit, dbm_offset, gain_key
from .picture import Picture
from .pointing import Pointing
from .scroll import TimeScroll
from .selection import Selection
from .settings import LEVEL_LIMITS, SMALLEST_RANGE, Settings
from .spectrum import SpectrumPlot
from .status import ENDED, SOURCE_STATE, is_duty_cycled
from .status_bar import StatusBar
from .time_axis import TimeAxis, format_day, format_time
from .view import SMALLEST_CLOSER, SMALLEST_COLUMNS, SMALLEST_SECONDS, SMALLEST_SPAN, WaterfallView

logger = logging.getLogger(__name__)

MINIMUM_SIZE = (420, 240)
"""Pixels; in less there is no room for the picture. GNU Radio's window scrolls where it is smaller."""
REDRAW_INTERVAL_MS = 40
FRAME_SECONDS = 0.04
"""Of a frame, until the first one says."""
TIME_SAMPLE, POWER_SAMPLE = "00:00:00.00", "-00"
"""Texts as wide as those left and right of the picture."""
BAR_PIXELS, AXIS_PIXELS = 12, 16
"""Width of the colour scale, and of ticks and margins of an axis."""
MAX_VIEW_ROWS = 8192
MAX_PENDING_FRAMES, MAX_PENDING_SEGMENTS = 64, 4096
ZOOM_ROOM = 0.1
"""Beside what is zoomed to, of its width."""
SCAN_SECONDS = 5.0
"""A radio that is tuned and within so long tuned again scans."""
LOWEST_PICTURE, LINES_BELOW = 80, 4
"""The picture has so many pixels before there is a spectrum, and so many lines of text are below it at least."""
LOW_PIXELS, ONE_LANE_PIXELS = 400, 480
"""Lower than this, what matters less than the picture is left out, or smaller; of 3GPP bands there is one lane."""
WAITING = mark("waiting for frames")
CLOCK_WORDS = {"host": mark(", computer's clock"), "radio": mark(", radio's clock")}
SETTLED_DB = 1.0
"""The axes of the power follow the noise floor where it has moved by more."""


class WaterfallWidget(QtWidgets.QWidget):
    """Waterfall with the classes over it, the spectrum above and the state of the analysis below.

    Feed it by `add_frame`, `add_segment` and `set_status`. docs/waterfall.md describes every control and key.

    Args:
        title: written above the picture; "" for none.
        history_frames: frames that are in view at first; an hour can be scrolled back to.
        rows_per_frame: rows of each; frames with more are reduced.
        parent: QWidget or None.
        settings: attributes of `waterfall_settings.Settings` that are not to be as they are there.

    Raises:
        rpmsn.errors.ParameterError: a value is not allowed.

    Example:
        >>> widget = WaterfallWidget("downlink, band 3", theme="light")          # doctest: +SKIP
        >>> widget.add_frame(fields, image, mask)                                # doctest: +SKIP
    """

    tune_requested = QtCore.pyqtSignal(float)
    """Hz, absolute, at a double click; only sent where the centre frequency is known."""
    carrier_selected = QtCore.pyqtSignal(object)
    """burst_id of the carrier whose box was clicked, None where a click meets no box."""
    settings_changed = QtCore.pyqtSignal(dict)
    """All settings, as of `settings()`, after any of them has changed."""
    menu_requested = QtCore.pyqtSignal(object, object)
    """A menu (QMenu) that is about to open, and the `Place` that it is for: the moment to add to it."""
    about_to_redraw = QtCore.pyqtSignal()
    """25 times a second, before what has arrived is drawn: the moment to pass on what waits elsewhere."""

    def __init__(
        self,
        title: str = "",
        history_frames: int = 64,
        rows_per_frame: int = 8,
        parent: QtWidgets.QWidget | None = None,
        **settings: Any,
    ):
        check_size(history_frames, rows_per_frame)
        self._settings = Settings().changed(settings)
        super().__init__(parent)
        self.history = History(rows_per_frame)
        self.segments = SegmentBoxes()
        self.history_frames = history_frames
        self._theme: Theme | None = None
        self._is_low: bool | None = None
        self._held: tuple[History, SegmentBoxes] | None = None
        self._frames: deque[Frame] = deque(maxlen=MAX_PENDING_FRAMES)
        self._segments: deque[Report] = deque(maxlen=MAX_PENDING_SEGMENTS)
        self._note = WAITING
        self._is_over = False
        self._span: Scale | None = None
        self._fitted: tuple | None = None
        self._tuned_time = -math.inf
        self._drawn_version = -1
        self._gain: float | None = None
        self._floor_db = math.nan
        self._wanted_view: dict | None = None
        self._start_time: float | None = None
        self._build(title)
        self._connect()
        self._show_settings()
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._on_timer)
        self._timer.start(REDRAW_INTERVAL_MS)

    def add_frame(self, fields: dict, image: np.ndarray, mask: np.ndarray | None) -> bool:
        """Add a frame; it shows at the next redraw.

        Args:
            fields: dict of a frame PDU, keys as in `keys.FRAME_KEYS`.
            image: uint8, shape (rows, columns).
            mask: uint8, same shape; None where no network has seen the frame yet. It may come again with one.

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
        """Add a segment, the dict of a segment PDU.

        Returns:
            False where the segment was not right: that is logged, and the segment skipped.
        """
        try:
            self._segments.append(check_report(fields))
        except ValueError as error:
            logger.warning("segment skipped: %s", error)
            return False
        return True

    def set_status(self, fields: dict) -> bool:
        """Show the state of the analysis, the dict of a status PDU.

        Returns:
            False where the status was not right: that is logged, and the status skipped.
        """
        try:
            self.status_bar.set_status(fields)
            self.history.duty_cycled = is_duty_cycled(fields)
            self._is_over = fields.get(SOURCE_STATE) == ENDED
        except (TypeError, ValueError) as error:
            logger.warning("status skipped: %s", error)
            return False
        return True

    def clear(self) -> None:
        """Forget rows, boxes and reference annotations; settings stay."""
        self.history.clear()
        self.detail.clear()
        self.segments.clear()
        self._frames.clear()
        self._segments.clear()
        self.spectrum.lines.reset()
        self.band_strip.clear()
        self._span = self._fitted = None
        self.pause_button.setChecked(False)
        self.set_reference_annotations([])
        self.select_carrier(None)
        self._scroll.home()
        self._note = WAITING
        self.status_bar.has_found = None
        self._is_over = False

    def select_carrier(self, burst_id: int | None) -> None:
        """Highlight a carrier and, where it is out of sight, bring it into view; None for none. Sends no signal."""
        self.box_layer.selected = burst_id
        box = None if burst_id is None else self.shown[1].newest_of(burst_id)
        if box is not None:
            y0, y1 = self.shown[0].y_of_sample(np.array([box.start_offset, box.end_offset], float))
            self._scroll.show(y0, y1)
            self._show_frequencies(box.freq_lower / 1e6, box.freq_upper / 1e6)
        self.box_layer.update()

    def set_reference_annotations(self, annotations: list) -> None:
        """Draw what a file says of itself, dashed, for comparison with what was found.

        Args:
            annotations: dicts with `label` (str), `freq_lower`, `freq_upper` (Hz), `start` ((whole s, fraction) since
                1970, or None for the beginning), `duration` (s, or None for all that follows), and who said it,
                `by` (`file` where that is missing).
        """
        references = []
        for annotation in annotations:
            start = None if annotation["start"] is None else float(sum(annotation["start"]))
            duration = annotation["duration"]
            end = None if start is None or duration is None else start + float(duration)
            references.append(
                (
                    f"{tr(annotation.get('by', 'file'))}: {annotation['label']}",
                    float(annotation["freq_lower"]),
                    float(annotation["freq_upper"]),
                    start,
                    end,
                )
            )
        self.box_layer.references = references
        self.box_layer.update()

    def set_bookmarks(self, bookmarks: list[Bookmark]) -> None:
        """Draw these frequencies, with their names and colours."""
        for layer in self.bookmark_layers:
            layer.bookmarks = list(bookmarks)
            layer.update()

    def show_frequency(self, frequency: float) -> bool:
        """Bring a frequency in Hz into view; False where no row in view has it."""
        newest = self.shown[0].newest
        if newest is None or newest.scale.column_of(frequency) is None:
            return False
        low, high = self.waterfall_plot.viewRange()[0]
        middle, half = frequency / 1e6, (high - low) / 2
        if not low <= middle <= high:
            self.waterfall_plot.setXRange(middle - half, middle + half, padding=0)
        return True

    def save_picture(self, path: str | os.PathLike[str]) -> None:
        """Write the widget as it looks now; the ending of `path` (.png, .jpg) says in which format.

        Raises:
            RpmsnError: it cannot be written there, or the ending is none of a picture.
        """
        save_pixmap(self.grab(), path)

    def settings(self) -> dict:
        """What the user has set, as plain values that `apply_settings` takes: for a file of settings."""
        return self._settings.as_dict()

    def apply_settings(self, settings: dict) -> None:
        """Take settings over, as named in `waterfall_settings.Settings`; those that are not there stay as they are.

        Raises:
            rpmsn.errors.ParameterError: a value is not allowed; nothing has changed then.
        """
        before, self._settings = self._settings, self._settings.changed(settings)
        if self._settings != before:
            self._show_settings()
            self.settings_changed.emit(self.settings())

    @property
    def current(self) -> Settings:
        """What is set."""
        return self._settings

    @property
    def level_unit(self) -> LevelUnit:
        """What powers are said in, at this gain."""
        return LevelUnit(self._settings.unit, dbm_offset(self._settings.dbm_offsets, self._gain))

    def set_start_time(self, time: float | None) -> None:
        """What times from the start count from, s since 1970; None for the first row that comes from now on."""
        self._start_time = time
        self._show_clock()

    def _show_clock(self) -> None:
        """Times of day, or from the start."""
        self.time_axis.zero = (self._start_time or 0.0) if self._settings.from_start else 0.0
        self.time_axis.picture = None
        self.time_axis.update()
        self._name_axes()

    def set_gain(self, gain: float | None) -> None:
        """Gain of the radio, dB, None where it is not known: dBm have an offset for each."""
        if gain != self._gain:
            self._gain = gain
            self._show_unit()

    @property
    def paused(self) -> bool:
        """Whether the picture is held."""
        return self.pause_button.isChecked()

    def autoscale(self) -> None:
        """Fit the levels to the rows in view, once."""
        low, high = self.waterfall_plot.viewRange()[1]
        parts = [
            chunk.scale.decibels_of(np.percentile(chunk.image[: chunk.rows], (2.0, 99.8)))
            for chunk in self.shown[0].between(low, high)
        ]
        if parts:
            low = max(np.floor(min(part[0] for part in parts)) - 1, LEVEL_LIMITS[0])
            high = min(max(np.ceil(max(part[1] for part in parts)) + 1, low + 5 + SMALLEST_RANGE), LEVEL_LIMITS[1])
            self.apply_settings({"levels": [float(low), float(high)]})

    def home(self) -> None:
        """Whole span, newest rows."""
        self._scroll.home()
        self._span = self._fitted = None
        self._fit_span()

    def show_all(self) -> None:
        """Whole span, all rows."""
        self.home()
        if self.shown[0].newest is not None:
            self._scroll.show_all()

    def reset_spectrum(self) -> None:
        """Restart average and max hold."""
        self.spectrum.lines.reset()

    @property
    def shown(self) -> tuple[History, SegmentBoxes]:
        """The history that is drawn: that of the moment when Pause was pressed, or the current one."""
        return self._held or (self.history, self.segments)

    def _build(self, title: str) -> None:
        """Make the parts and lay them out."""
        self.setMinimumSize(*MINIMUM_SIZE)
        self.setFocusPolicy(QtCore.Qt.StrongFocus)
        self.setAttribute(QtCore.Qt.WA_StyledBackground, True)
        layout = QtWidgets.QVBoxLayout(self)
        if title:
            heading = QtWidgets.QLabel(html.escape(title))
            heading.setObjectName("title")
            heading.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Fixed)
            layout.addWidget(heading)
        self.controls = Controls()
        self.pause_button = self.controls.pause_button
        layout.addWidget(self.controls)
        self.scroll_bar = QtWidgets.QScrollBar(QtCore.Qt.Vertical)
        self.scroll_bar.setAccessibleName(tr("Place in the history"))
        middle = QtWidgets.QHBoxLayout()
        middle.setSpacing(2)
        middle.addWidget(self._build_plots(), stretch=1)
        middle.addWidget(self.scroll_bar)
        layout.addLayout(middle, stretch=1)
        self.measure_label = QtWidgets.QLabel()
        self.measure_label.hide()
        layout.addWidget(self.measure_label)
        self.status_bar = StatusBar(THEMES[self._settings.theme])
        layout.addWidget(self.status_bar)
        self._scroll = TimeScroll(
            self.waterfall_plot.getViewBox(), self.scroll_bar, self.history, self.history_frames * FRAME_SECONDS
        )

    def _build_plots(self):
        """Spectrum over waterfall, with one frequency axis, and the scale of the power."""
        self.plots = pg.GraphicsLayoutWidget()
        self.plots.setAccessibleName(tr("Spectrum and waterfall"))
        self.plots.ci.layout.setContentsMargins(0, 0, 0, 0)
        self.plots.ci.layout.setSpacing(2)
        self.time_axis = TimeAxis(self.history)
        self.spectrum = SpectrumPlot(self.plots.addPlot(row=0, col=0))
        self.waterfall_plot = self.plots.addPlot(
            row=1, col=0, viewBox=WaterfallView(), axisItems={"left": self.time_axis, "bottom": FrequencyAxis()}
        )
        self.power_bar = pg.ColorBarItem(values=(0, 1), width=12, interactive=False, colorMap=pg.colormap.get("CET-L1"))
        self.power_bar.getAxis("right").setWidth(self._axis_width(POWER_SAMPLE))
        self.waterfall_plot.layout.addItem(self.power_bar, 2, 5)
        texts_at = self.waterfall_plot.getAxis("bottom").texts_at
        self.band_strip = BandStrip(self.waterfall_plot.getViewBox(), THEMES[self._settings.theme], texts_at)
        self.waterfall_plot.layout.addItem(self.band_strip, 4, 1)
        self.unit_label = UnitLabel(self.waterfall_plot.getAxis("bottom"))
        self.waterfall_plot.layout.addItem(self.unit_label, 3, 0)
        self.plots.ci.layout.setRowStretchFactor(1, 1)
        for plot in (self.spectrum.plot, self.waterfall_plot):
            plot.setMenuEnabled(False)
            plot.hideButtons()
            # The same in both plots, so that their frequencies stand in line.
            plot.layout.setColumnFixedWidth(5, self._axis_width(POWER_SAMPLE) + BAR_PIXELS)
            plot.getAxis("left").setWidth(self._axis_width(TIME_SAMPLE))
        self.unit_label.setMaximumWidth(self._axis_width(TIME_SAMPLE))  # or it would widen its column
        self.spectrum.plot.setXLink(self.waterfall_plot)
        self.picture = Picture(self.history, self._settings)
        self.box_layer = BoxLayer(self.history, self.segments, self._settings, lambda: self.picture.texts)
        self.detail = DetailLayer(self.history, self._settings)
        theme = THEMES[self._settings.theme]
        flags, lines = BookmarkLayer(theme, has_flags=True), BookmarkLayer(theme, has_flags=False)
        self.bookmark_layers = (flags, lines)
        self.spectrum.plot.addItem(lines, ignoreBounds=True)
        for item in (self.picture, self.detail, self.box_layer, flags):
            self.waterfall_plot.addItem(item, ignoreBounds=True)
        self.cursors = CursorPair(self.waterfall_plot)
        self.selection = Selection(self.waterfall_plot)
        return self.plots

    def _connect(self) -> None:
        """Controls, keys and mouse."""
        self.controls.requested.connect(self.apply_settings)
        self.controls.autoscale_button.clicked.connect(self.autoscale)
        self.controls.measure_button.toggled.connect(self._on_measure)
        self.pause_button.toggled.connect(self._on_pause)
        for name, slot in (
            ("home", self.home),
            ("all", self.show_all),
            ("reset", self.reset_spectrum),
            ("save", self._ask_where_to_save),
            ("offset", self._ask_offset),
        ):
            self.controls.actions[name].triggered.connect(slot)
        self._add_actions()
        self.cursors.moved.connect(self._show_measurement)
        view = self.waterfall_plot.getViewBox()
        view.sigRangeChanged.connect(self._look_again)
        view.sigResized.connect(self._look_again)
        for plot in (self.spectrum.plot, self.waterfall_plot):
            plot.getViewBox().sigResized.connect(self._name_axes)
        self.detail.on_shown = self._show_part
        self.pointing = Pointing(self)

    def _add_actions(self) -> None:
        """What has a key."""
        controls = self.controls
        self.pause_action = add_action(
            self, tr("Pause the picture; the analysis continues"), "Space", self.pause_button.toggle
        )
        for name, key in (("home", "Home"), ("all", "Shift+Home"), ("reset", "R")):
            set_keys(controls.actions[name], [key])
            self.addAction(controls.actions[name])
        autoscale = add_action(self, tr("Fit the levels to what is in view"), "A", self.autoscale)
        measure = add_action(self, tr("Measure with two cursors"), "M", controls.measure_button.toggle)
        add_action(self, tr("Scroll down by a view"), "PgDown", self._page_down)
        add_action(self, tr("Scroll up by a view"), "PgUp", self._page_up)
        add_action(self, tr("Select no carrier, mark nothing, no cursors"), "Esc", self._deselect)
        for button, action in (
            (self.pause_button, self.pause_action),
            (controls.autoscale_button, autoscale),
            (controls.measure_button, measure),
        ):
            button.setToolTip(hint(button.toolTip(), action))

    def _on_timer(self) -> None:
        """Redraw; what goes wrong is logged: an exception in a slot of PyQt5 may end the process, and the analysis."""
        try:
            self._tick()
        except Exception:
            logger.exception("the waterfall could not be drawn")

    def _tick(self) -> None:
        """Add what has arrived and draw once; runs 25 times a second."""
        self.about_to_redraw.emit()
        breaks = self._take_in()
        self._say(breaks)
        if self._is_over and not self.paused:
            self._scroll.fit()
        if not self.paused and self._drawn_version != self.history.version:
            self._drawn_version = self.history.version
            self.detail.look_again()
            self._scroll.update()
            if self._scroll.following:
                self._fit_span()
            self._follow_floor()
            self.spectrum.show_part(None)
            self._update_picture()
            self.pointing.show_hover()
        if self._wanted_view is not None and self.history.newest is not None:
            self._restore_wanted(self._wanted_view)
        if self.history.newest is not None and not self.history.unclassified:
            self.status_bar.has_found = bool(self.segments.boxes)
        self.status_bar.refresh()

    def _take_in(self) -> list[Break]:
        """Frames and segments that wait; returns the breaks that they brought."""
        breaks, has_boxes = [], bool(self._segments)
        while self._frames:
            frame = self._frames.popleft()
            newest = self.history.newest
            classified = self.history.classify(frame)
            if classified is not None:
                self.picture.color_again(*classified)
                continue
            if newest is not None and frame.start_offset <= newest.start_offset:
                self.segments.clear()
                self._span = self._fitted = None
            found = self.history.push(frame)
            if found is not None and found.kind != SKIP:
                breaks.append(found)
                self.segments.part_at(frame.start_offset)
            self.spectrum.lines.add(frame)
            if newest is None:
                self._begin(frame)
        self.take_segments()
        if has_boxes and not self.paused:
            self.box_layer.update()
        return breaks

    def _begin(self, frame) -> None:
        """The first frame says how long frames are, and when it began."""
        if self._start_time is None:
            self.set_start_time(frame.start_time)
        if self.history.newest_y <= frame.duration * 1.01:
            self._scroll.seconds = self.history_frames * max(frame.duration, FRAME_SECONDS / 4)
            if not self.paused:
                self._scroll.home()
        if self._note == WAITING:
            self._note = ""

    def take_segments(self) -> None:
        """Join the segments that have come to the boxes."""
        if self.history.newest is None:
            return
        oldest = self.history.oldest_offset
        self.segments.forget_before(oldest)
        while self._segments:
            report = self._segments.popleft()
            if report.end_offset > oldest:
                self.segments.add(report)
                for chunk, row in self.history.recolor(report):
                    self.picture.color_again(chunk, row)
                self.band_strip.add_proven(band_texts(report))

    def _say(self, breaks: list[Break]) -> None:
        """Notes in the picture, and at once in the status bar what is missing."""
        for found in breaks:
            if found.kind in (LOST, DROPPED):
                self.status_bar.show_break(found.text)
        note = self._words_of_view() or tr(self._note)
        if note != self.box_layer.note:
            self.box_layer.note = note
            self.box_layer.update()

    def _words_of_view(self) -> str:
        """Where the view is, unless it is at the newest rows."""
        behind = self._scroll.behind
        back = ""
        if not self._scroll.following:
            back = tr("{time} back \u2013 Home returns to the newest rows", time=format_seconds(behind))
        if not self.paused:
            return back
        since = self.history.newest_y - self.shown[0].newest_y
        newer = tr("Paused; the analysis continues ({time} s newer) \u2013 Space resumes", time=f"{max(since, 0):.0f}")
        return f"{newer} \u2013 {back}" if back else newer

    def _update_picture(self) -> None:
        """Redraw rows, boxes and clock."""
        self.picture.update()
        self.box_layer.update()
        self.time_axis.picture = None
        self.time_axis.update()
        self._name_axes()

    def _follow_floor(self) -> None:
        """Power over full scale is said over the noise floor, which is not the same in every frame."""
        floor_db = self.spectrum.lines.floor_db
        is_known = math.isfinite(floor_db)
        has_moved = is_known and not abs(floor_db - self._floor_db) <= SETTLED_DB
        if has_moved or is_known != math.isfinite(self._floor_db):
            self._floor_db = floor_db
            self._show_unit()

    def _show_unit(self) -> None:
        """Axes and lines in the unit of powers."""
        unit = self.level_unit
        shift = unit.shift(self._floor_db)
        self.spectrum.set_unit(unit, shift)
        self.power_bar.setLevels([level + shift for level in self._settings.levels])
        self._name_axes()

    def _fit_span(self) -> None:
        """After a retune show the new span, or all spans of a radio that scans; a view that fits already stays."""
        newest = self.shown[0].newest
        if newest is None or self._span == newest.scale:
            return
        is_scanning = self._span is not None and newest.start_time - self._tuned_time < SCAN_SECONDS
        self._tuned_time = -math.inf if self._span is None else newest.start_time
        self._span = newest.scale
        scales = {chunk.scale: chunk.y1 for chunk in self.shown[0].chunks}
        view = self.waterfall_plot.getViewBox()
        lower, upper = span_of(scales)
        smallest = SMALLEST_COLUMNS * self._span.column_width if self.detail.ask is None else SMALLEST_SPAN
        view.setLimits(xMin=lower, xMax=upper, minXRange=smallest / 1e6)
        recent = [scale for scale, y1 in scales.items() if y1 > self.shown[0].newest_y - 2 * SCAN_SECONDS]
        fitted = span_of(recent if is_scanning else [self._span])
        if fitted != self._fitted:
            self._fitted = fitted
            view.setXRange(*fitted, padding=0)

    def _show_frequencies(self, lower: float, upper: float) -> None:
        """Bring a band, in MHz, into view, unless it is."""
        low, high = self.waterfall_plot.viewRange()[0]
        if lower < low or upper > high:
            width = max(high - low, 1.2 * (upper - lower))
            middle = (lower + upper) / 2
            self.waterfall_plot.setXRange(middle - width / 2, middle + width / 2, padding=0)

    def _name_axes(self, *_: object) -> None:
        """Say what frequencies and times are measured from: a date lasts a day, and a window may stay open longer."""
        history, theme = self.shown[0], THEMES[self._settings.theme]
        bottom, left = ("MHz", tr("Frequency, MHz")), "UTC"
        if history.newest is not None:
            self.band_strip.set_absolute(history.newest.center_frequency != 0.0)
            if history.newest.center_frequency == 0.0:
                bottom = tr("offset, MHz"), tr("Offset from centre, MHz")
            clock = tr(CLOCK_WORDS.get(history.newest.clock, ""))
            low, high = self.waterfall_plot.viewRange()[1]
            time = float(history.time_of_y(min(high, history.newest_y))) - self.time_axis.zero
            left = format_day(time) + ("" if self.time_axis.zero else clock)
            if self.time_axis.is_fine(low, high, self.time_axis.height()):
                left = tr("{clock}, s after {minute}", clock=left, minute=format_time(math.floor(time), 0)[:-3])
        self.unit_label.set_text(*bottom)
        self.waterfall_plot.getAxis("bottom").set_known(history.newest is not None)
        labels = [(self.waterfall_plot.getAxis("left"), left)]
        width = math.nan if history.newest is None else history.newest.scale.column_width
        power = self.level_unit.label(self._floor_db, width)
        labels += [(self.spectrum.plot.getAxis("left"), power), (self.power_bar.getAxis("right"), power)]
        for axis, label in labels:
            label = self._fitting(label, axis.height())
            if (axis.labelText, axis.labelStyle) != (label, {"color": theme.text}):
                axis.setLabel(label, color=theme.text)
                axis.resizeEvent()  # pyqtgraph centres the label there alone

    def _fitting(self, text: str, length: float) -> str:
        """A label, or its first word where there is no more room along an axis."""
        texts = [text, re.split(r"[ ,]", text)[0]]
        fits = (text for text in texts if self.fontMetrics().horizontalAdvance(text) <= length)
        return next(fits, texts[-1])

    def _axis_width(self, sample: str) -> int:
        """Pixels that a vertical axis needs: its label, and numbers as long as a sample."""
        metrics = self.fontMetrics()
        return metrics.height() + metrics.horizontalAdvance(sample) + AXIS_PIXELS

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Called by Qt when the widget has another size: the spectrum has its part of the height."""
        super().resizeEvent(event)
        is_low = self.height() < LOW_PIXELS
        self._set_low(is_low)
        controls = self.controls.layout().heightForWidth(self.width())
        others = controls + LINES_BELOW * self.fontMetrics().height() + LOWEST_PICTURE
        self.spectrum.fit(self.height(), self.height() - others, is_low)
        self.band_strip.set_lanes(1 if self.height() < ONE_LANE_PIXELS else LANES)

    def _set_low(self, is_low: bool) -> None:
        """Where there is little room, less is between the parts, and within."""
        if is_low == self._is_low:
            return
        self._is_low = is_low
        self.layout().setContentsMargins(8, 2 if is_low else 6, 8, 2 if is_low else 6)
        self.layout().setSpacing(2 if is_low else 4)
        self.controls.layout().setSpacing(6 if is_low else 8)
        self.setStyleSheet(style_sheet(THEMES[self._settings.theme], is_low))
        self.status_bar.set_brief(is_low)

    def _show_settings(self) -> None:
        """Bring everything to what is set."""
        settings = self._settings
        self._show_theme(THEMES[settings.theme])
        self.controls.show_settings(settings)
        self.waterfall_plot.invertY(settings.newest == "bottom")
        self.scroll_bar.setInvertedAppearance(settings.newest == "bottom")
        self.power_bar.setColorMap(power_colors(settings))
        self.band_strip.show_bands(settings.bands)
        for part in (self.spectrum, self.picture, self.detail, self.box_layer):
            part.set_settings(settings)
        self._show_unit()
        self._show_clock()

    def _show_theme(self, theme: Theme) -> None:
        """Colours of everything but the picture."""
        if theme == self._theme:
            return
        self._theme = theme
        self.setStyleSheet(style_sheet(theme, bool(self._is_low)))
        self.plots.setBackground(theme.background)
        self.status_bar.set_theme(theme)
        self.cursors.set_theme(theme)
        self.selection.set_theme(theme)
        for layer in self.bookmark_layers:
            layer.theme = theme
            layer.update()
        self.band_strip.set_theme(theme)
        axes = [plot.getAxis(name) for plot in (self.spectrum.plot, self.waterfall_plot) for name in ("left", "bottom")]
        for axis in (*axes, self.power_bar.getAxis("right")):
            style_axis(axis, theme)
        self.unit_label.update()
        self._name_axes()

    def _on_pause(self, is_paused: bool) -> None:
        """Hold what is drawn, or go on with what has come meanwhile."""
        self.pause_button.setText(tr("Resume") if is_paused else tr("Pause"))
        self._held = (self.history.snapshot(), self.segments.snapshot()) if is_paused else None
        history, segments = self.shown
        for part in (self.picture, self.detail, self.box_layer, self.time_axis, self._scroll):
            part.history = history
        self.box_layer.segments = segments
        self._scroll.is_held = is_paused
        self._drawn_version = -1
        if not is_paused:
            self._scroll.following = True
        self._scroll.update()
        self._say([])
        self._update_picture()

    def _on_measure(self, is_on: bool) -> None:
        self.cursors.set_visible(is_on)
        self.measure_label.setVisible(is_on)
        self._show_measurement()

    def _show_measurement(self) -> None:
        if self.cursors.is_visible:
            self.measure_label.setText(self.cursors.text(self.shown[0], self.level_unit))

    def _page_down(self) -> None:
        self._scroll.page(1.0 if self._settings.newest == "top" else -1.0)

    def _page_up(self) -> None:
        self._scroll.page(-1.0 if self._settings.newest == "top" else 1.0)

    def _deselect(self) -> None:
        """Esc: no carrier, no marked part, no cursors."""
        self.selection.clear()
        self.controls.measure_button.setChecked(False)
        self.select_carrier(None)
        self.carrier_selected.emit(None)

    def _ask_offset(self) -> None:
        """What dBFS are in dBm, at this gain."""
        words = tr("dBm at 0 dBFS")
        if self._gain is not None:
            words = tr("dBm at 0 dBFS at a gain of {gain} dB", gain=f"{self._gain:g}")
        before = dbm_offset(self._settings.dbm_offsets, self._gain) or 0.0
        offset, is_given = QtWidgets.QInputDialog.getDouble(
            self, tr("Offset of dBm"), words, before, -HIGHEST_OFFSET, HIGHEST_OFFSET, 1
        )
        if is_given:
            offsets = {**self._settings.dbm_offsets, gain_key(self._gain): offset}
            self.apply_settings({"unit": DBM, "dbm_offsets": offsets})

    def _ask_where_to_save(self) -> None:
        path, _ = QtWidgets.QFileDialog.getSaveFileName(
            self, tr("Save picture"), "waterfall.png", tr("Pictures (*.png *.jpg)")
        )
        if path:
            try:
                self.save_picture(path)
            except RpmsnError as error:
                QtWidgets.QMessageBox.warning(self, tr("Save picture"), str(error))

    def _show_part(self) -> None:
        """The spectrum is as fine as the picture."""
        shown = self.detail.shown
        self.spectrum.show_part(None if shown is None else (shown.frequencies, shown.spectrum))

    def _look_again(self, *_) -> None:
        self.detail.look_again()
        self._name_axes()

    def zoom_to_selection(self) -> None:
        """Show the marked part alone."""
        self.zoom_to(self.selection.frequencies, self.selection.heights, room=0.0)
        self.selection.clear()

    def zoom_to_carrier(self, burst_id: int) -> None:
        """Show the newest box of a carrier as large as there is room for."""
        box = self.shown[1].newest_of(burst_id)
        if box is not None:
            y0, y1 = self.shown[0].y_of_sample(np.array([box.start_offset, box.end_offset], float))
            self.zoom_to((box.freq_lower, box.freq_upper), (y0, y1))

    def zoom_to(self, frequencies: tuple[float, float], heights: tuple[float, float], room: float = ZOOM_ROOM) -> None:
        """Show a part of the picture, with some room around it.

        Args:
            frequencies: lower and upper edge, Hz.
            heights: older and newer edge, s of signal.
            room: on either side, of the width.
        """
        room = room * (frequencies[1] - frequencies[0])
        self.waterfall_plot.setXRange((frequencies[0] - room) / 1e6, (frequencies[1] + room) / 1e6, padding=0)
        self._scroll.zoom_to(*heights)

    def view(self) -> dict:
        """What is in view, as `restore_view` takes it: `frequencies`, MHz, empty for the whole span; `seconds`."""
        history = self.shown[0]
        if history.newest is None:
            return {}
        low, high = self.waterfall_plot.viewRange()[0]
        is_whole = self._fitted is not None and np.allclose(self._fitted, (low, high), rtol=0, atol=1e-6)
        y0, y1 = self.waterfall_plot.viewRange()[1]
        return {"frequencies": [] if is_whole else [low, high], "seconds": y1 - y0}

    def samples_in_view(self) -> np.ndarray:
        """First and last sample of the stream that are in view; empty where nothing is."""
        history = self.shown[0]
        if history.newest is None:
            return np.empty(0, np.int64)
        return self.samples_between(np.array(self.waterfall_plot.viewRange()[1]))

    def samples_between(self, heights: np.ndarray) -> np.ndarray:
        """First and last sample of the stream between two heights; there are rows between them."""
        history = self.shown[0]
        low, high = np.clip(heights, history.oldest_y, history.newest_y)
        chunks = history.between(low, high)
        if not chunks:
            return np.empty(0, np.int64)
        y, offsets = zip(*((y, offset) for part in chunks for y, offset in _ends(part)))
        return np.interp([low, high], y, offsets).astype(np.int64) - [0, 1]

    def set_detail(self, ask: Callable[[Wanted], None] | None) -> None:
        """Who has the samples of what is shown: called with what the picture wants to show finer, and answers by
        `detail.show`; None where nobody has them."""
        self.detail.ask = ask
        self.detail.clear()
        self._scroll.smallest = SMALLEST_SECONDS if ask is None else SMALLEST_CLOSER
        self._span = self._fitted = None

    def restore_view(self, view: dict) -> None:
        """Show what `view` returned, as soon as there is something to show."""
        self._wanted_view = view

    def _restore_wanted(self, wanted: dict) -> None:
        """The first rows are there."""
        self._wanted_view = None
        frequencies, seconds = wanted.get("frequencies"), wanted.get("seconds")
        if isinstance(seconds, float) and math.isfinite(seconds) and seconds > 0:
            self._scroll.seconds = seconds
            self._scroll.home()
        if isinstance(frequencies, list) and len(frequencies) == 2 and all(map(is_number, frequencies)):
            self.waterfall_plot.setXRange(*frequencies, padding=0)


def _ends(chunk: Chunk) -> tuple[tuple[float, int], tuple[float, int]]:
    """(height, sample) of the edges of a chunk."""
    return (chunk.y0, chunk.start_offset), (chunk.y1, chunk.end_offset)


def span_of(scales: Collection[Scale]) -> tuple[float, float]:
    """Lower and upper edge of all that some scales show, MHz."""
    return min(scale.freq_lower for scale in scales) / 1e6, max(scale.freq_upper for scale in scales) / 1e6


def style_axis(axis: pg.AxisItem, theme: Theme) -> None:
    """Give an axis the colours of a theme, with plain units."""
    axis.setPen(theme.muted)
    axis.setTextPen(theme.text)
    axis.enableAutoSIPrefix(False)


def check_size(history_frames: int, rows_per_frame: int) -> None:
    """Raise ParameterError where so many rows cannot be in view."""
    require(
        "the waterfall",
        "history_frames and rows_per_frame",
        (history_frames, rows_per_frame),
        history_frames >= 1 and rows_per_frame >= 1 and history_frames * rows_per_frame <= MAX_VIEW_ROWS,
        f"1 or more of both, and together at most {MAX_VIEW_ROWS} rows",
    )
