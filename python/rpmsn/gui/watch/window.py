# SPDX-License-Identifier: GPL-3.0-or-later
"""The window of `rpmsn watch`: waterfall, carriers, controls of a file, and problems."""

import html
import logging
import math
from typing import TYPE_CHECKING

from ...errors import RpmsnError
from ..qt import QtCore, QtGui, QtWidgets
from ..theme import THEMES
from ..with_table import BELOW, BESIDE, HIDDEN, WIDE_PIXELS, WaterfallWithTable
from .comparison import ComparisonTable
from .feed import Feed
from .player import Player
from .radio_bar import RadioBar
from .radio_process import RadioWatch
from .style import style_sheet
from .transport import TransportBar

if TYPE_CHECKING:
    from .publisher_source import PublisherSource

    Source = Player | PublisherSource | RadioWatch

logger = logging.getLogger(__name__)

DRAIN_INTERVAL_MS = 40
SLOW_EVERY = 12
"""Twice a second: what need not be shown at every drain."""
SETTLE_MS = 700
"""So long after the end of a recording its picture is complete."""
MAX_REFERENCES = 5000
PROGRAM = "rpmsn watch"


class WatchWindow(QtWidgets.QMainWindow):
    """Shows a source.

    Args:
        source: Player, PublisherSource or RadioWatch.
        feed: Feed that the source puts everything into.
        settings: dict as of `settings`; updated when the window closes.
        picture: path of a picture that is written when the recording is over, and then the window closes; None for
            none.

    Attributes:
        problem: what is wrong with the source, "" where nothing is.
    """

    painted = QtCore.pyqtSignal()
    """The window is on the screen for the first time."""

    def __init__(self, source: "Source", feed: Feed, settings: dict, picture: str | None = None) -> None:
        super().__init__()
        self.source, self._feed, self.settings, self._picture = source, feed, settings, picture
        self.player: Player | None = source if isinstance(source, Player) else None
        self.radio: RadioWatch | None = source if isinstance(source, RadioWatch) else None
        self.problem = ""
        self._ticks = 0
        self._ending = self._is_painted = self._is_split = False
        self._theme = settings["theme"]
        self._build()
        self._build_menu()
        self._restore()
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._drain)
        self._timer.start(DRAIN_INTERVAL_MS)

    def _build(self) -> None:
        """The parts, from the top: banner, picture and tables, controls of a file or a radio."""
        self.setWindowTitle(f"{self.source.title} - {PROGRAM}")
        self.view = WaterfallWithTable(theme=self._theme)
        self.table, self.waterfall = self.view.table, self.view.waterfall
        self.table.recording = self.source.recording
        self.table.recording_span = getattr(self.source, "recording_span", None)
        self.table.picture_of = self
        self.comparison = self.transport = self.radio_bar = None
        self.banner = QtWidgets.QLabel("")
        self.banner.setObjectName("banner")
        self.banner.setWordWrap(True)
        self.banner.setTextInteractionFlags(QtCore.Qt.TextSelectableByMouse)
        self.banner.hide()
        centre = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.banner)
        layout.addWidget(self.view, stretch=1)
        if self.player is not None:
            self.transport = TransportBar(self.player)
            layout.addWidget(self.transport)
            if self.player.recording.annotations:
                self.comparison = ComparisonTable(self.player.recording.annotations, THEMES[self._theme])
                self.view.tabs.addTab(self.comparison, "Compared with the file")
        if self.radio is not None:
            self.radio_bar = RadioBar(self.radio)
            layout.addWidget(self.radio_bar)
        self.setCentralWidget(centre)
        self.waterfall.tune_requested.connect(self._on_tune)
        self.waterfall.settings_changed.connect(self._on_settings)
        self.view.splitterMoved.connect(self._on_split)
        self._show_references()

    def _build_menu(self) -> None:
        """Everything that the window can do, with its key."""
        bar = self.menuBar()
        menu = bar.addMenu("&File")
        self._add_action(menu, "&Save picture…", "Ctrl+S", self._ask_and_save)
        # Without a key here: the table has it.
        self._add_action(menu, "&Export carriers…\tCtrl+E", "", self.table.ask_and_export)
        menu.addSeparator()
        self._add_action(menu, "&Quit", "Ctrl+Q", self.close)
        menu = bar.addMenu("&Table")
        group = QtWidgets.QActionGroup(self)
        self.place_actions = {}
        for place, text, key in (
            (BELOW, "&Below the picture", "Ctrl+1"),
            (BESIDE, "Be&side it", "Ctrl+2"),
            (HIDDEN, "&Hidden", "Ctrl+3"),
        ):
            action = self._add_action(menu, text, key, lambda _=False, place=place: self.view.set_place(place))
            action.setCheckable(True)
            group.addAction(action)
            self.place_actions[place] = action
        menu = bar.addMenu("&Help")
        self._add_action(menu, "&Keys and mouse", "F1", self._show_keys)

    def _add_action(self, menu, text: str, key: str, slot):
        action = menu.addAction(text)
        action.setShortcut(QtGui.QKeySequence(key))
        action.triggered.connect(slot)
        return action

    def _restore(self) -> None:
        """Everything as the settings say."""
        settings = self.settings
        self.resize(*(max(400, length) for length in settings["window"]))
        try:
            self.waterfall.apply_settings({**settings["waterfall"], "theme": self._theme})
        except RpmsnError as error:
            logger.warning("settings of the waterfall are not used: %s", error)
        self.table.apply_settings(settings["carriers"])
        place = settings["table"] or (BESIDE if self.width() >= WIDE_PIXELS else BELOW)
        self.place_actions[place].setChecked(True)
        self.view.set_place(place, settings["split"] if settings["table"] else ())
        if settings["maximized"]:
            self.setWindowState(QtCore.Qt.WindowMaximized)
        self._apply_theme()

    def remember(self) -> dict:
        """The settings as they are now."""
        settings = dict(self.settings)
        place = self.view.place
        if settings["table"] or self._is_split or place != (BESIDE if self.width() >= WIDE_PIXELS else BELOW):
            settings["table"] = place
        normal = self.normalGeometry() if self.isMaximized() else self.geometry()
        settings |= {
            "window": [normal.width(), normal.height()],
            "maximized": self.isMaximized(),
            "split": self.view.sizes() if place != HIDDEN else settings["split"],
            "theme": self._theme,
            "waterfall": self.waterfall.settings(),
            "carriers": self.table.settings(),
        }
        if self.player is not None:
            speed = self.player.speed
            settings |= {"speed": 0 if math.isinf(speed) else speed, "loop": self.player.loop}
        return settings

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Called by Qt when the window has to be drawn."""
        super().paintEvent(event)
        if not self._is_painted:
            self._is_painted = True
            self.painted.emit()

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:
        """Called by Qt when the window is closed."""
        self._timer.stop()
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
            self.table.add_frame(fields)
        for box in news.boxes:
            self.waterfall.add_segment(box)
        for segment in news.segments:
            self.table.add_segment(segment)
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
            self.setWindowTitle(f"{self.source.title} - {PROGRAM}")
        if self.comparison is not None and self.comparison.isVisible():
            self.comparison.show_carriers(self.table.carriers.rows())
        is_over = self._feed.failed or self.player is not None and self.player.finished
        if self._picture and is_over and not self._ending:
            self._ending = True
            QtCore.QTimer.singleShot(SETTLE_MS, self.save_and_close)

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
        text = f'<span style="color:{color}">{html.escape(message)}</span>' if message else ""
        if text != self.banner.text():
            self.banner.setText(text)
            self.banner.setVisible(bool(message))

    def _show_references(self) -> None:
        """Draw the annotations of a file."""
        if self.player is not None:
            references = self.player.reference_annotations()
            if len(references) > MAX_REFERENCES:
                logger.warning(
                    "%s has %d annotations; the first %d are drawn", self.source.title, len(references), MAX_REFERENCES
                )
            self.waterfall.set_reference_annotations(references[:MAX_REFERENCES])

    def _on_split(self, *_) -> None:
        """The user has resized picture and table: the sizes are remembered, with the place of the table."""
        self._is_split = True

    def _on_settings(self, settings: dict) -> None:
        """Something about the waterfall was set."""
        if settings["theme"] != self._theme:
            self._theme = settings["theme"]
            self._apply_theme()

    def _apply_theme(self) -> None:
        theme = THEMES[self._theme]
        if self.comparison is not None:
            self.comparison.set_theme(theme)
        self.setStyleSheet(style_sheet(theme))

    def _on_tune(self, frequency: float) -> None:
        """A double click in the picture."""
        if self.radio is not None:
            self.radio.tune(frequency)
        else:
            self.statusBar().showMessage(
                f"{frequency / 1e6:.3f} MHz: {self.source.title} cannot be tuned; a radio can", 4000
            )

    def _ask_and_save(self) -> None:
        path, _ = QtWidgets.QFileDialog.getSaveFileName(self, "Save picture", "watch.png", "Picture (*.png)")
        if not path:
            return
        try:
            self.table.save_picture(path if path.lower().endswith(".png") else f"{path}.png")
        except RpmsnError as error:
            QtWidgets.QMessageBox.warning(self, "Save picture", str(error))

    def _show_keys(self) -> None:
        QtWidgets.QMessageBox.information(self, "Keys and mouse", KEYS)


KEYS = """<table cellspacing="6">
<tr><td><b>Space</b></td><td>pause the picture; the analysis continues</td></tr>
<tr><td><b>wheel, drag, Home</b></td><td>zoom, pan, all of it again</td></tr>
<tr><td><b>click, double click</b></td><td>select a carrier; tune a radio</td></tr>
<tr><td><b>P</b></td><td>play or pause a recording</td></tr>
<tr><td><b>.</b></td><td>pause, and play one frame</td></tr>
<tr><td><b>[ ]</b></td><td>slower, faster</td></tr>
<tr><td><b>L</b></td><td>loop</td></tr>
<tr><td><b>Ctrl-Left, Ctrl-Right</b></td><td>back, forwards</td></tr>
<tr><td><b>Ctrl-F, Esc</b></td><td>filter the carriers; all of them</td></tr>
<tr><td><b>Ctrl-C</b></td><td>copy carriers as text</td></tr>
<tr><td><b>Ctrl-E</b></td><td>export carriers: SigMF, CSV, picture</td></tr>
<tr><td><b>Ctrl-S</b></td><td>save a picture of the window</td></tr>
<tr><td><b>Ctrl-1, 2, 3</b></td><td>carriers below, beside, hidden</td></tr>
<tr><td><b>Ctrl-Q</b></td><td>quit</td></tr>
</table>"""
