# SPDX-License-Identifier: GPL-3.0-or-later
"""Which part of the history is in view: the newest rows, or what the user has scrolled back to."""

from ..qt import QtCore, QtWidgets, pg
from .history import History
from .view import SMALLEST_SECONDS

STEPS_PER_SECOND = 100
"""Of the scroll bar."""
NEAR_NEWEST = 0.02
"""Fraction of the view within which its end counts as the newest row."""


class TimeScroll(QtCore.QObject):
    """Keeps the view on the newest rows until the user scrolls away, and the scroll bar in step.

    Args:
        view: WaterfallView.
        bar: QScrollBar.
        seconds: of signal in view at first.

    Attributes:
        history: History in view.
        following: whether the newest row stays in view.
        smallest: s of signal that can be looked at.
        is_held: whether the rows stand still; where they move, a zoom keeps the newest one in view.
    """

    def __init__(self, view: pg.ViewBox, bar: QtWidgets.QScrollBar, history: History, seconds: float):
        super().__init__()
        self._view, self._bar, self.history = view, bar, history
        self.seconds = seconds
        self.following, self.is_held = True, False
        self.smallest = SMALLEST_SECONDS
        self._last_height = 0.0
        view.sigRangeChangedManually.connect(self._on_view_moved)
        bar.valueChanged.connect(self._on_bar_moved)

    @property
    def behind(self) -> float:
        """Seconds of signal between the newest row and the newer end of the view."""
        return max(self.history.newest_y - self._view.viewRange()[1][1], 0.0)

    def update(self) -> None:
        """New rows have come, or other ones are shown."""
        newest, height = self.history.newest_y, self._height()
        self._view.setLimits(
            yMin=min(self.history.oldest_y, newest - self.seconds), yMax=newest, minYRange=self.smallest
        )
        if self.following:
            self._view.setYRange(newest - height, newest, padding=0)
        self._last_height = self._height()
        self._update_bar()

    def home(self) -> None:
        """Back to the newest rows, as many as at first."""
        self.following = True
        self._view.setLimits(yMin=None, yMax=None)
        self._view.setYRange(self.history.newest_y - self.seconds, self.history.newest_y, padding=0)
        self.update()

    def show_all(self) -> None:
        """All rows that there are."""
        self.zoom_to(self.history.oldest_y, self.history.newest_y)

    def fit(self) -> None:
        """All rows in view at once, where they are fewer than there is room for; one that scrolled back stays there."""
        length = self.history.newest_y - self.history.oldest_y
        if self.following and 0 < length < self._height() * (1 - 1e-6):
            self.seconds = max(length, SMALLEST_SECONDS)
            self.home()

    def page(self, pages: float) -> None:
        """Scroll by so many views; above 0 towards what is older."""
        self._view.translateBy(y=-pages * self._height())
        self._on_view_moved()

    def show(self, y0: float, y1: float) -> None:
        """Bring heights into view, unless they are; at least the newer end of what is too high."""
        low, high = self._view.viewRange()[1]
        if y1 <= high + 1e-9 and y1 > low and (y0 >= low or y0 <= low < y1 - 0.1 * (high - low)):
            return
        height = self._height()
        top = min(y1 + 0.1 * height, self.history.newest_y)
        self._view.setYRange(top - height, top, padding=0)
        self._on_view_moved()

    def zoom_to(self, y0: float, y1: float) -> None:
        """Show these heights, and stay there."""
        height = max(y1 - y0, self.smallest)
        self._view.setLimits(yMin=None, yMax=None)
        self._view.setYRange((y0 + y1 - height) / 2, (y0 + y1 + height) / 2, padding=0)
        self._last_height = self._height()
        self._on_view_moved()

    def _height(self) -> float:
        low, high = self._view.viewRange()[1]
        return high - low

    def _on_view_moved(self, *_) -> None:
        """The user has moved the view: follow if the newest row is at its end, or was before a zoom."""
        height = self._height()
        is_zoom = abs(height - self._last_height) > 1e-6 * height
        is_kept = self.following and is_zoom and not self.is_held
        self.following = is_kept or self.behind <= NEAR_NEWEST * height
        self.update()

    def _on_bar_moved(self, steps: int) -> None:
        """The user has moved the bar."""
        height = self._height()
        newer_end = self.history.newest_y - steps / STEPS_PER_SECOND
        self._view.setYRange(newer_end - height, newer_end, padding=0)
        self._on_view_moved()

    def _update_bar(self) -> None:
        """Range and place of the bar; it does not answer."""
        height = self._height()
        hidden = max(self.history.newest_y - self.history.oldest_y - height, 0.0)
        self._bar.blockSignals(True)
        self._bar.setRange(0, round(hidden * STEPS_PER_SECOND))
        self._bar.setPageStep(max(1, round(height * STEPS_PER_SECOND)))
        self._bar.setSingleStep(max(1, round(height * STEPS_PER_SECOND / 10)))
        self._bar.setValue(round(self.behind * STEPS_PER_SECOND))
        self._bar.blockSignals(False)
