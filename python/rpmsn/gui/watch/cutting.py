# SPDX-License-Identifier: GPL-3.0-or-later
"""Cuts a part of a recording into a file of its own while the window goes on."""

import threading
from collections.abc import Callable
from pathlib import Path

from ...errors import RpmsnError
from ..qt import QtCore, QtWidgets
from ..translation import tr

POLL_MS = 100
PROGRESS_STEPS = 1000
SHOW_AFTER_MS = 500


class CutTask(QtCore.QObject):
    """Runs a cut in a thread, with a window that shows how far it is and can stop it.

    Args:
        parent: QWidget.
        work: function, on_progress -> Path of what was written, or None; as of `rpmsn.recording.cut.cut`.
        on_done: called with the Path, or None where it was stopped.
        on_failed: called with a sentence.
    """

    def __init__(
        self,
        parent: QtWidgets.QWidget,
        work: Callable[[Callable[[float], bool]], Path | None],
        on_done: Callable[[Path | None], None],
        on_failed: Callable[[str], None],
    ) -> None:
        super().__init__(parent)
        self._work, self._on_done, self._on_failed = work, on_done, on_failed
        self._fraction = 0.0
        self._result: Path | None = None
        self._problem = ""
        self._is_stopping = False
        self._dialog = QtWidgets.QProgressDialog(tr("Cutting…"), tr("Stop"), 0, PROGRESS_STEPS, parent)
        self._dialog.setMinimumDuration(SHOW_AFTER_MS)
        self._thread = threading.Thread(target=self._run, name="rpmsn cut", daemon=True)
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._poll)
        self._thread.start()
        self._timer.start(POLL_MS)

    def stop(self) -> None:
        """Stop it; nothing is written then."""
        self._is_stopping = True
        self._thread.join()

    def _run(self) -> None:
        try:
            self._result = self._work(self._progress)
        except (RpmsnError, OSError) as error:
            self._problem = str(error)

    def _progress(self, fraction: float) -> bool:
        self._fraction = fraction
        return not self._is_stopping

    def _poll(self) -> None:
        """In Qt's thread: how far is it?"""
        self._is_stopping |= self._dialog.wasCanceled()
        if self._thread.is_alive():
            self._dialog.setValue(min(PROGRESS_STEPS - 1, round(self._fraction * PROGRESS_STEPS)))
            return
        self._timer.stop()
        self._dialog.reset()
        self._dialog.deleteLater()
        if self._problem:
            self._on_failed(self._problem)
        else:
            self._on_done(self._result)
