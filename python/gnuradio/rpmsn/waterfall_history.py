# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of the waterfall, newest first, and where a sample or a time lies among them (no Qt)."""
import dataclasses
from collections import deque

import numpy as np

from .waterfall_frame import Frame, reduce_rows

SKIP, BREAK, HATCH = 252, 253, 254
"""Values in the mask's rows where time jumps: a thin line over frames that were analysed but not sent here, and ground
and stripes over signal that nobody analysed."""
SKIP_ROWS, GAP_ROWS = 1, 10
"""Height in rows of that line and of those stripes."""


@dataclasses.dataclass(frozen=True)
class Strip:
    """The rows of one frame among the rows of the history.

    Attributes:
        start_offset, end_offset: samples since the stream began.
        start_time, end_time: s, on the scale of `Frame.start_time`.
        rows: how many rows show the frame.
        gap_rows: rows of a break below, where signal before this frame is not in the picture.
    """

    start_offset: int
    end_offset: int
    start_time: float
    end_time: float
    rows: int
    gap_rows: int


class History:
    """Rows of the last frames, newest first, and where samples and times lie among them.

    `y` counts rows downwards from the newest edge, 0, to the oldest, `rows`.

    Args:
        frames: how many frames fit where there are no breaks in time.
        rows_per_frame: rows that a frame is reduced to; the history keeps `frames * rows_per_frame` rows.

    Attributes:
        image, mask: uint8, shape (rows, columns), as in `Frame`; the mask also holds `SKIP`, `BREAK` and
            `HATCH`.
        filled_rows: rows from the newest edge that hold something.
        strips: where the frames lie, newest first.
        newest: the last frame, None while there is none.
    """

    def __init__(self, frames: int, rows_per_frame: int):
        self.rows_per_frame = rows_per_frame
        self.rows = frames * rows_per_frame
        self.clear(columns=2)

    def clear(self, columns: int) -> None:
        """Forget everything; rows will be `columns` wide."""
        self.image = np.zeros((self.rows, columns), np.uint8)
        self.mask = np.zeros((self.rows, columns), np.uint8)
        self.filled_rows = 0
        self.strips: deque[Strip] = deque()
        self.newest: Frame | None = None
        self._update_knots()

    def push(self, frame: Frame) -> str | None:
        """Put a frame on top.

        Returns:
            In words why older rows were thrown away, None where they were not.
        """
        reason = self._why_clear(frame)
        if reason is not None or self.newest is None:
            self.clear(frame.image.shape[1])
        gap_rows = self._gap_rows(frame)
        if gap_rows:
            self._shift_in(*self._break_rows(gap_rows))
        image, mask = reduce_rows(frame, self.rows_per_frame)
        self._shift_in(image[::-1], mask[::-1])
        self.strips.appendleft(Strip(frame.start_offset, frame.end_offset, frame.start_time,
                                     frame.start_time + frame.duration, len(image), gap_rows))
        self.newest = frame
        self._drop_old_strips()
        self._update_knots()
        return reason

    def y_of_sample(self, offset: float) -> float:
        """Row of a sample; before the oldest and after the newest row: that edge."""
        return float(np.interp(offset, self._knot_offsets, self._knot_rows))

    def y_of_time(self, time: float) -> float:
        """Row of a time in s, on the scale of `Frame.start_time`."""
        return float(np.interp(time, self._knot_times, self._knot_rows))

    def time_of_y(self, y: float) -> float:
        """Time of a row, in s."""
        return float(np.interp(y, self._knot_rows[::-1], self._knot_times[::-1]))

    @property
    def has_gaps(self) -> bool:
        """Whether time jumps somewhere between the rows."""
        return any(strip.gap_rows for strip in self.strips)

    @property
    def oldest_offset(self) -> int:
        """First sample that is still in the picture."""
        return self.strips[-1].start_offset if self.strips else 0

    def _why_clear(self, frame: Frame) -> str | None:
        """Why the rows so far cannot stand under the axes of this frame, or None."""
        if self.newest is None:
            return None
        if frame.picture != self.newest.picture:
            return f"{_changed_words(self.newest, frame)}: older rows removed"
        if frame.start_offset <= self.newest.start_offset:
            return "the stream began anew: older rows removed"
        return None

    def _gap_rows(self, frame: Frame) -> int:
        """Rows of the break between the newest frame and this one, 0 where they adjoin."""
        if self.newest is None:
            return 0
        missing = (frame.start_offset - self.newest.end_offset) / frame.sample_rate
        if frame.is_utc:
            missing = max(missing, frame.start_time - self.newest.start_time - self.newest.duration)
        if missing <= frame.duration / min(self.rows_per_frame, frame.image.shape[0]):
            return 0
        not_sent = (frame.number - self.newest.number - 1) * frame.duration
        return SKIP_ROWS if abs(missing - not_sent) < frame.duration / 2 else GAP_ROWS

    def _break_rows(self, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Image and mask of a break: stripes, or a line that goes on with the power below it and so stays faint."""
        if rows == SKIP_ROWS:
            return self.image[:rows].copy(), np.full((rows, self.image.shape[1]), SKIP, np.uint8)
        row, column = np.ogrid[:rows, :self.image.shape[1]]
        mask = np.where((row + 3 * column) % 12 < 4, HATCH, BREAK).astype(np.uint8)
        return np.zeros_like(mask), mask

    def _shift_in(self, image: np.ndarray, mask: np.ndarray) -> None:
        """Put rows on top, the oldest fall out."""
        count = min(len(image), self.rows)
        for rows, new in ((self.image, image), (self.mask, mask)):
            rows[count:] = rows[:self.rows - count].copy()
            rows[:count] = new[:count]
        self.filled_rows = min(self.rows, self.filled_rows + count)

    def _drop_old_strips(self) -> None:
        """Forget strips that fell out altogether."""
        top = 0
        for kept, strip in enumerate(self.strips):
            if top >= self.rows:
                while len(self.strips) > kept:
                    self.strips.pop()
                return
            top += strip.rows + strip.gap_rows

    def _update_knots(self) -> None:
        """Corners of the broken line from samples, and times, to rows; samples and times ascending."""
        knots = []
        top = 0
        for strip in self.strips:
            knots += [(top, strip.end_offset, strip.end_time), (top + strip.rows, strip.start_offset, strip.start_time)]
            top += strip.rows + strip.gap_rows
        rows, offsets, times = np.array(knots or [(0, 0, 0.0)], np.float64)[::-1].T
        self._knot_rows = rows
        self._knot_offsets = np.maximum.accumulate(offsets)
        self._knot_times = np.maximum.accumulate(times)


def _changed_words(old: Frame, new: Frame) -> str:
    """What differs between the axes of two frames."""
    if old.center_frequency != new.center_frequency:
        return f"tuned to {new.center_frequency / 1e6:.6g} MHz"
    if old.sample_rate != new.sample_rate:
        return f"sample rate now {new.sample_rate / 1e6:.6g} MHz"
    return "the picture's scale changed"
