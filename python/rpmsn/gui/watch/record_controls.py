# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording IQ of a radio: a button, its menu, and how far it is."""

import os
import time
from typing import TYPE_CHECKING, Any

from ..qt import QtCore, QtWidgets
from ..waterfall.history import format_seconds

if TYPE_CHECKING:
    from .radio_process import RadioWatch

RECORD, STOP = "\u25cf Record", "\u25a0 Stop"


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
        self.button.setAccessibleName("Record IQ, or end the recording")
        menu = QtWidgets.QMenu(self.button)
        self.button.setMenu(menu)
        self.record_action = menu.addAction("&Record, or end the recording")
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
            self, "Folder for recordings", self._settings["record_folder"]
        )
        if folder:
            self._settings["record_folder"] = folder
        return bool(folder)

    def update_now(self) -> None:
        """Show how far it is."""
        state = self._radio.recorder
        is_recording = bool(state.recording)
        held = format_seconds(min(state.held_seconds, state.most_seconds))
        self.button.setText(STOP if is_recording else RECORD)
        folder = self._settings["record_folder"]
        self.button.setToolTip(f"All samples to a SigMF file in {folder or 'a folder that is asked for'}")
        self.before_action.setText(f"Record, with the last {held}")
        self.last_action.setText(f"Save the last {held} alone")
        for action in (self.before_action, self.last_action):
            action.setEnabled(state.held_seconds > 0 and not is_recording)
        self.folder_action.setText(f"Folder: {folder}\u2026" if folder else "Folder\u2026")
        lost = f", {state.lost_samples} samples left out: the disk is late" if state.lost_samples else ""
        if is_recording:
            text = f"{format_seconds(state.seconds)}, {state.bytes / 1e6:.0f} MB{lost}"
        else:
            text = f"last {held} held" if state.held_seconds > 0 else ""
        self.label.setText(text)
        written = "" if is_recording or not state.finished else f"written: {state.finished}{lost}"
        saying = f"not recorded: {state.fault}" if state.fault else written
        if saying and saying != self._last_said:
            self.said.emit(saying)
        self._last_said = saying
