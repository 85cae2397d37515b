# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers what the picture wants to see closer, from the samples of a recording, in a thread of its own."""

import logging
import threading
from collections.abc import Callable

import numpy as np

from ...recording import Recording
from ...signal import closeup
from ..qt import QtCore
from ..waterfall.detail import Wanted
from ..waterfall.widget import WaterfallWidget

logger = logging.getLogger(__name__)

NARROW = 0.25
"""Of the sample rate: in less, finer frequencies are worth more than the time that is left out."""


class Closeups(QtCore.QObject):
    """Computes the newest request; older ones are dropped.

    Args:
        recording: Recording that nobody else reads (`Recording.second_reader`).
        picture: WaterfallWidget that asks and shows.
        positions_of: function, samples of the stream -> samples of the recording, below 0 where there are none.
    """

    answered = QtCore.pyqtSignal(object, object, object)
    """Wanted, heights, power: from the thread to Qt's."""

    def __init__(
        self, recording: Recording, picture: WaterfallWidget, positions_of: Callable[[np.ndarray], np.ndarray]
    ) -> None:
        super().__init__()
        self._recording, self._picture, self._positions_of = recording, picture, positions_of
        self._layer = picture.detail
        self._changed = threading.Condition()
        self._newest: Wanted | None = None
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="rpmsn closeups", daemon=True)
        self.answered.connect(self._layer.show, QtCore.Qt.QueuedConnection)
        picture.set_detail(self._ask)
        self._thread.start()

    def stop(self) -> None:
        """No more answers."""
        self._picture.set_detail(None)
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        self._thread.join()

    def _ask(self, wanted: Wanted) -> None:
        is_narrow = wanted.upper - wanted.lower < NARROW * wanted.scale.sample_rate
        if not is_narrow and not self._plan(wanted).covers(wanted.row_samples):
            self._layer.drop()
            return
        with self._changed:
            self._newest = wanted
            self._changed.notify_all()

    def _plan(self, wanted: Wanted) -> closeup.Plan:
        span, rate = wanted.upper - wanted.lower, self._recording.sample_rate
        return closeup.plan(span, wanted.columns, wanted.rows, wanted.row_samples, rate)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_stopping or self._newest is not None)
                wanted, self._newest = self._newest, None
                if self._is_stopping or wanted is None:
                    return
            try:
                self._answer(wanted)
            except Exception as error:  # a file that has become shorter, for one: the rows stay as they are
                logger.warning("no finer picture: %s", error)

    def _answer(self, wanted: Wanted) -> None:
        rate = self._recording.sample_rate
        chosen = self._plan(wanted)
        heights = wanted.heights(chosen.step)
        middles = self._positions_of(wanted.offset_of(heights))
        edges = np.linspace(wanted.lower, wanted.upper, wanted.columns + 1) - wanted.scale.center_frequency
        power = closeup.spectra(
            self._recording.read,
            middles,
            edges,
            chosen,
            rate,
            lambda: self._layer.is_wanted(wanted.number) and not self._is_stopping,
        )
        if power is not None:
            self.answered.emit(wanted, heights, power)
