# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording IQ of a radio: a button, its menu, and how far it is."""

import os
import time
from typing import TYPE_CHECKING, Any

from ..qt import QtCore, QtWidgets
from ..translation import counted, mark, tr
from ..waterfall.history import format_seconds

if TYPE_CHECKING:
    from .radio_process import RadioWatch

RECORD, STOP = mark("\u25cf Record"), mark("\u25a0 Stop")


class RecordControls(QtWidgets.QWidget):
    """Begins and ends recordings of a radio, and says how much of the time before is held.

    Args:
        radio: RadioWatch.
        settings: of the window; `record_folder` is where to.

    Attributes:
        button: begins and ends, and has the menu.
        record_action, before_action, last_action, folder_action: from now on; with what is held; that alone; where to.
        label: how far it is.
    """

    said = QtCore.pyqtSignal(str)
    """A sentence: what was written, or why nothing is."""

    def __init__(self, radio: "RadioWatch", settings: dict[str, Any]) -> None:
        super().__init__()
        self._radio, self._settings = radio, settings
        self._last_said = ""
        self.label = QtWidgets.QLabel("")
        self.button = QtWidgets.QToolButton()
        self.button.setPopupMode(QtWidgets.QToolButton.MenuButtonPopup)
        self.button.setFocusPolicy(QtCore.Qt.NoFocus)
        self.button.setAccessibleName(tr("Record IQ, or end the recording"))
        menu = QtWidgets.QMenu(self.button)
        self.button.setMenu(menu)
        self.record_action = menu.addAction(tr("&Record, or end the recording"))
        self.before_action = menu.addAction("")
        self.last_action = menu.addAction("")
        menu.addSeparator()
        self.folder_action = menu.addAction("")
        self.button.clicked.connect(self.toggle)
        self.record_action.triggered.connect(self.toggle)
        self.before_action.triggered.connect(lambda: self.record(radio.recorder.held_seconds))
        self.last_action.triggered.connect(lambda: self.record(radio.recorder.held_seconds, goes_on=False))
        self.folder_action.triggered.connect(self.ask_for_folder)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.label)
        layout.addWidget(self.button)
        self.update_now()

    def toggle(self) -> None:
        """Record, or end the recording."""
        if self._radio.recorder.recording:
            self._radio.end_recording()
        else:
            self.record()

    def record(self, before_seconds: float = 0.0, goes_on: bool = True) -> None:
        """Record; where no folder is known it is asked for, and what comes meanwhile is recorded too."""
        began = time.monotonic()
        if os.path.isdir(self._settings["record_folder"]) or self.ask_for_folder():
            asked = time.monotonic() - began
            self._radio.record(self._settings["record_folder"], before_seconds + asked, goes_on)

    def ask_for_folder(self) -> bool:
        """Ask where recordings go; whether that was said."""
        folder = QtWidgets.QFileDialog.getExistingDirectory(
            self, tr("Folder for recordings"), self._settings["record_folder"]
        )
        if folder:
            self._settings["record_folder"] = folder
        return bool(folder)

    def update_now(self) -> None:
        """Show how far it is."""
        state = self._radio.recorder
        is_recording = bool(state.recording)
        held = format_seconds(min(state.held_seconds, state.most_seconds))
        self.button.setText(tr(STOP if is_recording else RECORD))
        folder = self._settings["record_folder"]
        self.button.setToolTip(
            tr("All samples to a SigMF file in {folder}", folder=folder or tr("a folder that is asked for"))
        )
        self.before_action.setText(tr("Record, with the last {time}", time=held))
        self.last_action.setText(tr("Save the last {time} alone", time=held))
        for action in (self.before_action, self.last_action):
            action.setEnabled(state.held_seconds > 0 and not is_recording)
        self.folder_action.setText(tr("Folder: {folder}\u2026", folder=folder) if folder else tr("Folder\u2026"))
        lost = ""
        if state.lost_samples:
            lost = ", " + counted(
                "{count} sample left out: the disk is late",
                "{count} samples left out: the disk is late",
                state.lost_samples,
            )
        if is_recording:
            text = f"{format_seconds(state.seconds)}, {state.bytes / 1e6:.0f} MB{lost}"
        else:
            text = tr("last {time} held", time=held) if state.held_seconds > 0 else ""
        self.label.setText(text)
        written = "" if is_recording or not state.finished else tr("written: {path}", path=state.finished) + lost
        saying = tr("not recorded: {reason}", reason=state.fault) if state.fault else written
        if saying and saying != self._last_said:
            self.said.emit(saying)
        self._last_said = saying
