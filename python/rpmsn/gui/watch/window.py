# SPDX-License-Identifier: GPL-3.0-or-later
"""The window of `rpmsn watch`: waterfall, carriers, controls of a file, and problems."""

import html
import logging
import math
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ...errors import RpmsnError
from ..actions import set_keys
from ..qt import QtCore, QtGui, QtWidgets
from ..theme import THEMES, system_theme
from ..translation import mark, tr, tr_report
from ..waterfall.bookmarks import bookmarks_of
from ..waterfall.settings import Settings
from ..with_table import BELOW, BESIDE, WIDE_PIXELS, WaterfallWithTable
from .bookmark_menu import BookmarkMenu
from .closeups import Closeups
from .comparison import ComparisonTable
from .editing import Editor
from .feed import Feed
from .menus import SYSTEM, Menus
from .overview import Mark, Survey
from .player import Player
from .radio_bar import RadioBar
from .radio_process import RadioWatch
from .session import with_newest
from .style import style_sheet
from .transport import TransportBar

if TYPE_CHECKING:
    from .publisher_source import PublisherSource

    Source = Player | PublisherSource | RadioWatch

logger = logging.getLogger(__name__)

DRAIN_INTERVAL_MS = 40
SLOW_EVERY = 12
"""Twice a second: what need not be shown at every drain."""
SAID_MS = 15_000
SETTLE_MS = 700
"""So long after the end of a recording its picture is complete."""
MAX_REFERENCES = 5000
MOST_PAIRS = 20_000
"""Annotations times carriers that are compared twice a second while nobody looks at the table."""
PROGRAM = "rpmsn watch"
RECORDINGS = mark("Recordings (*.sigmf-meta *.sigmf-data *.sigmf *.wav *.npy);;All files (*)")
SMALLEST_WINDOW, LOW_WINDOW = 400, 600
"""Pixels; lower than the second, the bars are smaller."""


class WatchWindow(QtWidgets.QMainWindow):
    """Shows a source, and others that are opened in it.

    Args:
        source: Player, PublisherSource or RadioWatch.
        feed: Feed that the source puts everything into.
        settings: dict as of `settings`; updated when the window closes.
        picture: path of a picture that is written when the recording is over, and then the window closes; None for
            none.
        described: what the source is, as of `session`; {} where it cannot be opened again.
        open_source: function, (description, Feed, settings) -> a source that is opened in the window; None where none
            can be. It raises RpmsnError.
        continues: whether the last session goes on: its zoom and filter hold.

    Attributes:
        source: what is shown.
        problem: what is wrong with it, "" where nothing is.
        theme_choice: `dark`, `light`, or `system` for what the desktop has.
    """

    painted = QtCore.pyqtSignal()
    """The window is on the screen for the first time."""

    def __init__(
        self,
        source: "Source",
        feed: Feed,
        settings: dict,
        picture: str | None = None,
        described: Mapping[str, Any] | None = None,
        open_source: "Callable[[Mapping[str, Any], Feed, dict], Source] | None" = None,
        continues: bool = False,
    ) -> None:
        super().__init__()
        self.settings, self._picture, self._open_source = settings, picture, open_source
        self._continues = continues
        self.problem = ""
        self._ticks = 0
        self._ending = self._is_painted = self._is_low = False
        self._closing: list[tuple[Source, threading.Thread]] = []
        self.theme_choice = settings["theme"]
        self._theme = system_theme() if self.theme_choice == SYSTEM else self.theme_choice
        self._readers: list[Closeups | Survey] = []
        self._results: dict[tuple, str] = {}
        self._build()
        self.editor = Editor(self, self.view)
        self.editor.drawn_changed.connect(self._show_references)
        bookmarks = bookmarks_of(settings["bookmarks"])
        self.bookmark_menu = BookmarkMenu(self.menuBar(), self.view, bookmarks, self._on_tune)
        self.menus = Menus(self, opens=open_source is not None)
        self._show_source(source, feed, described or {})
        self._restore()
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._drain)
        self._timer.start(DRAIN_INTERVAL_MS)

    def _build(self) -> None:
        """The parts that every source has, from the top: banner, picture and panels, room for controls."""
        self.view = WaterfallWithTable(theme=self._theme)
        self.table, self.waterfall = self.view.table, self.view.waterfall
        self.table.picture_of = self
        self.comparison: ComparisonTable | None = None
        self.transport: TransportBar | None = None
        self.radio_bar: RadioBar | None = None
        self.banner = QtWidgets.QLabel("")
        self.banner.setObjectName("banner")
        self.banner.setWordWrap(True)
        self.banner.setTextInteractionFlags(QtCore.Qt.TextSelectableByMouse)
        self.banner.hide()
        centre = QtWidgets.QWidget()
        self._layout = QtWidgets.QVBoxLayout(centre)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addWidget(self.banner)
        self._layout.addWidget(self.view, stretch=1)
        self.setCentralWidget(centre)
        self.setAcceptDrops(True)
        for part in (self.waterfall.plots, self.waterfall.plots.viewport(), self.table.filter_edit):
            part.setAcceptDrops(False)  # a recording that is dropped there is the window's
        self.waterfall.tune_requested.connect(self._on_tune)
        self.waterfall.settings_changed.connect(self._on_settings)

    def _show_source(self, source: "Source", feed: Feed, described: Mapping[str, Any]) -> None:
        """Show a source from now on; its controls are below the picture."""
        self.source, self._feed, self._described = source, feed, dict(described)
        self.player = source if isinstance(source, Player) else None
        self.radio = source if isinstance(source, RadioWatch) else None
        self.setWindowTitle(f"{source.title} - {PROGRAM}")
        self.table.recording = source.recording
        self.table.recording_span = getattr(source, "recording_span", None)
        self.settings["recent"] = with_newest(self.settings["recent"], self._described)
        if self.player is not None:
            self.transport = TransportBar(self.player)
            self.transport.set_low(self._is_low)
            self._layout.addWidget(self.transport)
            self._begin_readers(self.player, self.transport)
            self._color_overview()
            if self.player.recording.annotations:
                player, recording = self.player, self.player.recording
                self.comparison = ComparisonTable(
                    recording.annotations,
                    THEMES[self._theme],
                    recording.sample_count,
                    lambda row: [player.recording_span(time.sample_start, time.sample_end) for time in row.each_time()],
                )
                self.view.add_panel(mark("Compared with the file"), self._with_summary(self.comparison))
        if self.radio is not None:
            self.radio_bar = RadioBar(self.radio, self.settings)
            self.radio_bar.recording.said.connect(lambda text: self.statusBar().showMessage(text, SAID_MS))
            self.radio_bar.set_low(self._is_low)
            self._layout.addWidget(self.radio_bar)
        begin = None if self.player is None else self.player.recording.time_at(0)
        self.waterfall.set_start_time(None if begin is None else float(sum(begin)))
        self.waterfall.set_gain(None)
        # A recording has one pause: that of the player.
        self.waterfall.pause_button.setVisible(self.player is None)
        set_keys(self.waterfall.pause_action, [] if self.player is not None else ["Space"])
        self.editor.begin(self.player)
        self._show_references()

    def _begin_readers(self, player: Player, transport: TransportBar) -> None:
        """Overview and finer spectra: by further readers of the file, where there can be such."""
        try:
            closer, all_of_it = (player.recording.second_reader() for _ in range(2))
        except RpmsnError as error:
            logger.warning("there is no overview, and the picture gets no finer than its rows: %s", error)
            return
        survey = Survey(all_of_it)
        survey.grown.connect(transport.slider.set_power, QtCore.Qt.QueuedConnection)
        survey.start()
        self._readers = [Closeups(closer, self.waterfall, player.positions_of), survey]

    def _end_readers(self) -> None:
        while self._readers:
            self._readers.pop().stop()

    def _leave_source(self) -> None:
        """Take away what belongs to the source; it ends in the background, since that may take seconds."""
        self._end_readers()
        thread = threading.Thread(target=self.source.stop, name="rpmsn source ends")
        thread.start()
        self._closing.append((self.source, thread))
        bars: tuple[QtWidgets.QWidget | None, ...] = (self.transport, self.radio_bar)
        for bar in filter(None, bars):
            self._layout.removeWidget(bar)
            bar.setParent(None)
            bar.deleteLater()
        for panel in self.view.panels[1:]:
            self.view.remove_panel(panel)
        self.transport = self.radio_bar = self.comparison = None
        self._results = {}
        self.view.clear()

    def open(self, described: Mapping[str, Any]) -> bool:
        """Show another source instead; where it cannot be opened a message says why, and all stays as it is.

        Args:
            described: as of `session`.
        """
        if self._open_source is None:
            return False
        feed = Feed()
        self.settings = self.remember()
        try:
            source = self._open_source(described, feed, self.settings)
        except (RpmsnError, OSError) as error:
            QtWidgets.QMessageBox.warning(self, tr("Open"), str(error))
            return False
        self._leave_source()
        self._show_source(source, feed, described)
        source.start()
        return True

    @property
    def has_failed(self) -> bool:
        """Whether what is shown has ended because of a problem."""
        return self._feed.failed

    def stop_sources(self) -> bool:
        """End what is shown and what was; whether something hangs."""
        self._end_readers()
        self.source.stop()
        for _, thread in self._closing:
            thread.join()
        return any(source.is_stuck for source in (self.source, *(source for source, _ in self._closing)))

    def ask_and_open(self) -> None:
        """Ask for a recording, and show it."""
        recording = self.source.recording
        folder = str(recording.path.parent) if recording is not None else ""
        path, _ = QtWidgets.QFileDialog.getOpenFileName(self, tr("Open recording"), folder, tr(RECORDINGS))
        if path:
            self.ask_and_show({"source": path})

    def ask_and_show(self, described: Mapping[str, Any]) -> None:
        """`open`, unless a person wants to keep what is shown for the corrections that no file has."""
        if self.editor.may_be_left():
            self.open(described)

    def ask_and_close(self) -> None:
        """Close the window, unless likewise."""
        if self.editor.may_be_left():
            self.close()

    def dragEnterEvent(self, event: QtGui.QDragEnterEvent) -> None:
        """Called by Qt when something is dragged over the window."""
        if self._open_source is not None and _dropped_path(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QtGui.QDropEvent) -> None:
        """Called by Qt when it is dropped: a recording is opened."""
        path = _dropped_path(event.mimeData())
        if path:
            event.acceptProposedAction()
            self.ask_and_show({"source": path})

    def _restore(self) -> None:
        """Everything as the settings say."""
        settings = self.settings
        self.resize(*(max(SMALLEST_WINDOW, length) for length in settings["window"]))
        try:
            self.waterfall.apply_settings({**settings["waterfall"], "theme": self._theme})
        except RpmsnError as error:
            logger.warning("settings of the waterfall are not used: %s", error)
        self.table.apply_settings(settings["carriers"])
        if not (settings["layout"] and self.view.restore_layout(settings["layout"])):
            self.view.set_place(settings["table"] or self._usual_place())
        session = settings["session"]
        if session and session.get("source") == self._described.get("source") and self._continues:
            self.waterfall.restore_view(session)
            self.table.filter_edit.setText(str(session.get("filter") or ""))
        if settings["maximized"]:
            self.setWindowState(QtCore.Qt.WindowMaximized)
        self._apply_theme()

    def _usual_place(self) -> str:
        return BESIDE if self.width() >= WIDE_PIXELS else BELOW

    def remember(self) -> dict:
        """The settings as they are now."""
        settings = dict(self.settings)
        place = self.view.place
        if settings["table"] or place != self._usual_place():
            settings["table"] = place
        normal = self.normalGeometry() if self.isMaximized() else self.geometry()
        settings |= {
            "window": [normal.width(), normal.height()],
            "maximized": self.isMaximized(),
            "layout": self.view.layout_text(),
            "theme": self.theme_choice,
            "waterfall": self.waterfall.settings(),
            "carriers": self.table.settings(),
            "bookmarks": [bookmark.as_dict() for bookmark in self.bookmark_menu.bookmarks],
            "session": dict(self._described),
        }
        if self._described:
            settings["session"] |= {**self.waterfall.view(), "filter": self.table.filter_edit.text()}
        if self.player is not None:
            if self._described:
                settings["session"]["position"] = 0.0 if self.player.ended else self.player.position
            speed = self.player.speed
            settings |= {"speed": 0 if math.isinf(speed) else speed, "loop": self.player.loop}
        return settings

    def changeEvent(self, event: QtCore.QEvent) -> None:
        """Called by Qt when the desktop has other colours, among others."""
        super().changeEvent(event)
        if event.type() == QtCore.QEvent.PaletteChange and self.theme_choice == SYSTEM:
            self.choose_theme(SYSTEM)

    def choose_theme(self, name: str) -> None:
        """`dark`, `light`, or `system` for what the desktop has."""
        self.theme_choice = name
        self.waterfall.apply_settings({"theme": system_theme() if name == SYSTEM else name})

    def choose_columns(self, columns: int) -> None:
        """Other columns of the picture, of a recording or a radio."""
        self.settings["columns"] = columns
        source = self.player or self.radio
        if source is not None:
            source.set_columns(columns)

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Called by Qt when the window has another size."""
        super().resizeEvent(event)
        is_low = self.height() < LOW_WINDOW
        if is_low != self._is_low:
            self._is_low = is_low
            self.setStyleSheet(style_sheet(THEMES[self._theme], is_low))
            for bar in (self.transport, self.radio_bar):
                if bar is not None:
                    bar.set_low(is_low)

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Called by Qt when the window has to be drawn."""
        super().paintEvent(event)
        if not self._is_painted:
            self._is_painted = True
            self.painted.emit()

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:
        """Called by Qt when the window is closed, by a person or by the program."""
        if event.spontaneous() and not self.editor.may_be_left():
            event.ignore()
            return
        self._timer.stop()
        self.editor.end()
        self._end_readers()
        self.settings = self.remember()
        super().closeEvent(event)
        # Qt would go on while a menu or a dialog is open.
        QtWidgets.QApplication.instance().quit()

    def _drain(self) -> None:
        """Show what has come; runs 25 times a second."""
        news = self._feed.take()
        if news.is_restarted:
            self.waterfall.clear()
            self._show_references()
        for fields, image, mask, shown in news.frames:
            self.waterfall.add_frame(shown, image, mask)
            if mask is not None:
                self.table.add_frame(fields)
        correct = self.editor.corrections.apply
        for box in news.boxes:
            self.waterfall.add_segment(correct(box))
        for segment in news.segments:
            self.table.add_segment(correct(segment))
        if news.status is not None:
            self.waterfall.set_status(news.status)
        if self.transport is not None:
            self.transport.update_now()
        self._ticks += 1
        if self._ticks % SLOW_EVERY == 0:
            self._update_slow_parts()

    def _update_slow_parts(self) -> None:
        """What is updated twice a second."""
        self._show_banner()
        if self.radio_bar is not None:
            self.radio_bar.update_now()
            self.waterfall.set_gain(None if self.radio is None else self.radio.gain)
            self.setWindowTitle(f"{self.source.title} - {PROGRAM}")
        if self.transport is not None and self.player is not None:
            self.transport.slider.set_marks(*self._overview_of(self.player))
        if self.comparison is not None:
            self._compare(self.comparison)
        is_over = self._feed.failed or self.player is not None and self.player.finished
        if self._picture and is_over and not self._ending:
            self._ending = True
            QtCore.QTimer.singleShot(SETTLE_MS, self.save_and_close)

    def _with_summary(self, comparison: ComparisonTable) -> QtWidgets.QWidget:
        """The comparison with its sum above."""
        box = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(box)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(2)
        self.summary_label = QtWidgets.QLabel("")
        self.summary_label.setWordWrap(True)
        self.summary_label.setTextInteractionFlags(QtCore.Qt.TextSelectableByMouse)
        layout.addWidget(self.summary_label)
        layout.addWidget(comparison)
        return box

    def _compare(self, comparison: ComparisonTable) -> None:
        """What was found next to what the file says: in the table, and at its annotations in the picture."""
        rows = self.view.listed()
        if not comparison.isVisible() and len(comparison.annotations) * len(rows) > MOST_PAIRS:
            return
        comparison.show_carriers(rows)
        is_over = self.player is not None and self.player.finished
        self.summary_label.setText(comparison.summary() + ("" if is_over else f" ({tr('so far')})"))
        results = comparison.results() if is_over else {}
        if results != self._results:
            self._results = results
            self._show_references()

    def _overview_of(self, player: Player) -> tuple[list[Mark], tuple[float, float] | None]:
        """Carriers of the table, and what the picture shows, as fractions of the recording."""
        recording = player.recording
        count, rate = recording.sample_count, recording.sample_rate
        marks = []
        for carrier in (time for row in self.table.model.rows for time in row.each_time()):
            start, end = player.recording_span(carrier.sample_start, carrier.sample_end)
            center = recording.capture_at(start).center_frequency or 0.0
            lower, upper = (
                min(max((edge - center) / rate + 0.5, 0.0), 1.0) for edge in (carrier.freq_lower, carrier.freq_upper)
            )
            marks.append(Mark(start / count, end / count, lower, upper, carrier.label))
        seen = player.positions_of(self.waterfall.samples_in_view())
        is_run = len(seen) == 2 and 0 <= seen[0] < seen[1]
        return marks, (seen[0] / count, seen[1] / count) if is_run else None

    def save_and_close(self) -> None:
        """Write the picture that was asked for, and close."""
        if self._picture and not self._feed.failed:
            try:
                self.table.save_picture(self._picture)
            except RpmsnError as error:
                self._feed.fail(str(error))
                logger.error("%s", error)
        self.close()

    def _show_banner(self) -> None:
        """Show above the picture what is wrong, or what the source is doing."""
        self.problem = self._feed.problem
        message = self.problem or self._feed.note
        color = THEMES[self._theme].alarm if self.problem else THEMES[self._theme].muted
        text = f'<span style="color:{color}">{html.escape(tr_report(message))}</span>' if message else ""
        if text != self.banner.text():
            self.banner.setText(text)
            self.banner.setVisible(bool(message))

    def _show_references(self) -> None:
        """Draw the annotations of a file."""
        if self.player is not None:
            references = self.player.reference_annotations(self.editor.drawn, self._results)
            if len(references) > MAX_REFERENCES:
                logger.warning(
                    "%s has %d annotations; the first %d are drawn", self.source.title, len(references), MAX_REFERENCES
                )
            self.waterfall.set_reference_annotations(references[:MAX_REFERENCES])

    def _color_overview(self) -> None:
        if self.transport is not None:
            self.transport.slider.set_settings(Settings().changed(self.waterfall.settings()))

    def _on_settings(self, settings: dict) -> None:
        """Something about the waterfall was set."""
        self._color_overview()
        if settings["theme"] != self._theme:
            self._theme = settings["theme"]
            if self.theme_choice != SYSTEM or system_theme() != self._theme:
                self.theme_choice = self._theme
            self._apply_theme()

    def _apply_theme(self) -> None:
        theme = THEMES[self._theme]
        if self.comparison is not None:
            self.comparison.set_theme(theme)
        self._color_overview()
        self.setStyleSheet(style_sheet(theme, self._is_low))

    def _on_tune(self, frequency: float) -> None:
        """A double click in the picture."""
        if self.radio is not None and self.radio_bar is not None and self.radio_bar.is_locked:
            text = tr("the frequency is locked; {frequency} MHz is not tuned to", frequency=f"{frequency / 1e6:.3f}")
            self.statusBar().showMessage(text, SAID_MS)
        elif self.radio is not None:
            self.radio.tune(frequency)
        else:
            text = tr(
                "{frequency} MHz: {source} cannot be tuned; a radio can",
                frequency=f"{frequency / 1e6:.3f}",
                source=self.source.title,
            )
            self.statusBar().showMessage(text, SAID_MS)

    def ask_and_save(self) -> None:
        """Ask where to, and write a picture of the window."""
        path, _ = QtWidgets.QFileDialog.getSaveFileName(self, tr("Save picture"), "watch.png", tr("Picture (*.png)"))
        if not path:
            return
        try:
            self.table.save_picture(path if path.lower().endswith(".png") else f"{path}.png")
        except RpmsnError as error:
            QtWidgets.QMessageBox.warning(self, tr("Save picture"), str(error))


def _dropped_path(data: QtCore.QMimeData) -> str:
    """The first file of what is dropped, "" where there is none."""
    paths = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
    return paths[0] if paths else ""
