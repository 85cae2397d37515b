# SPDX-License-Identifier: GPL-3.0-or-later
"""Where carriers are, as boxes in the picture (no Qt). A box says what its carrier was last reported to be."""

import dataclasses
from bisect import bisect_right
from collections import deque
from collections.abc import Collection

import numpy as np

from ...classes import CLASS_COLORS
from ...messages.report import Report
from ..wording import label_texts

MAX_BOXES = 4000
OPEN_BOXES = 8
"""Boxes of one carrier, the newest, that a further segment may lengthen; and breaks between them."""
ENDED = "gone"


@dataclasses.dataclass(eq=False)
class Shown:
    """A carrier in the picture: the last message about it, for all its boxes."""

    report: Report


@dataclasses.dataclass(eq=False)
class Box:
    """A carrier from its first segment to its last, or as far as no break in the picture lies between.

    Attributes:
        carrier: what it was last reported to be.
        start_offset, end_offset: samples since the stream began.
    """

    carrier: Shown
    start_offset: int
    end_offset: int

    @property
    def label(self) -> str:
        """Name of the class."""
        return self.carrier.report.label

    @property
    def confidence(self) -> float:
        """0..1."""
        return self.carrier.report.confidence

    @property
    def bandwidth(self) -> float:
        """Hz."""
        return self.carrier.report.bandwidth

    @property
    def freq_lower(self) -> float:
        """Lower edge, Hz."""
        return self.carrier.report.freq_lower

    @property
    def freq_upper(self) -> float:
        """Upper edge, Hz."""
        return self.carrier.report.freq_upper

    @property
    def burst_id(self) -> int | None:
        """Number of the carrier, None where the sender names none."""
        return self.carrier.report.burst_id

    @property
    def verdict(self) -> str:
        """How sure the label is; "" where the sender does not say."""
        return self.carrier.report.verdict

    @property
    def open_sides(self) -> tuple[bool, bool]:
        """Whether the carrier goes on beyond the lower and the upper edge: the span ends there."""
        return self.carrier.report.cut_lower, self.carrier.report.cut_upper

    @property
    def color(self) -> tuple[int, int, int]:
        """RGB of the class."""
        return CLASS_COLORS.get(self.label, CLASS_COLORS["other"])

    def texts(self) -> list[str]:
        """What may be written on the box, the best first."""
        return label_texts(self.carrier.report)


@dataclasses.dataclass(eq=False)
class _Open:
    """A carrier, and its newest boxes: number of breaks before it -> Box."""

    carrier: Shown
    boxes: dict[int, Box] = dataclasses.field(default_factory=dict)


class SegmentBoxes:
    """Boxes in the picture: one a carrier, and a further one after each break.

    Which segments are one carrier, however long it is silent between them, is the tracker's to say. A message moves and
    renames all boxes of its carrier: one carrier has one label and one pair of edges.

    Attributes:
        boxes: list of Box, at most `MAX_BOXES`; those that ended first leave first.
    """

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self._open: dict[int, _Open] = {}
        self._breaks: deque[int] = deque(maxlen=OPEN_BOXES)
        self._forgotten_breaks = 0
        self._oldest = 0

    def clear(self) -> None:
        """Forget all boxes."""
        self.boxes.clear()
        self._open.clear()
        self._breaks.clear()
        self._forgotten_breaks = self._oldest = 0

    def part_at(self, offset: int) -> None:
        """No box reaches over a sample: the signal before it and after it does not adjoin. Segments after it may have
        come first."""
        part = self._forgotten_breaks + len(self._breaks)
        self._forgotten_breaks += len(self._breaks) == OPEN_BOXES
        self._breaks.append(offset)
        for known in self._open.values():
            box = known.boxes.get(part)
            if box is None or box.end_offset <= offset:
                continue
            if box.start_offset >= offset:
                known.boxes[part + 1] = known.boxes.pop(part)
            else:
                known.boxes[part + 1] = Box(known.carrier, offset, box.end_offset)
                box.end_offset = offset
                self._append(known.boxes[part + 1])

    def snapshot(self) -> "SegmentBoxes":
        """A copy that stays as it is; nothing may be added to it."""
        held = SegmentBoxes()
        carriers = {id(box.carrier): dataclasses.replace(box.carrier) for box in self.boxes}
        held.boxes = [dataclasses.replace(box, carrier=carriers[id(box.carrier)]) for box in self.boxes]
        return held

    def add(self, report: Report) -> None:
        """Add a message: it says what its carrier is from now on, and when it was on."""
        if report.burst_id is None:
            if report.event != ENDED:
                self._append(Box(Shown(report), report.start_offset, report.end_offset))
            return
        known = self._open.get(report.burst_id)
        if known is None or report.event == "new":
            known = _Open(Shown(report))
        known.carrier.report = report
        if report.event == ENDED:
            self._open.pop(report.burst_id, None)
            return
        self._open[report.burst_id] = known
        part = self._forgotten_breaks + bisect_right(self._breaks, report.start_offset)
        box = known.boxes.get(part)
        if box is None or box.end_offset <= self._oldest:
            known.boxes[part] = Box(known.carrier, report.start_offset, report.end_offset)
            if len(known.boxes) > OPEN_BOXES:
                del known.boxes[min(known.boxes)]
            self._append(known.boxes[part])
        else:
            box.start_offset = min(box.start_offset, report.start_offset)
            box.end_offset = max(box.end_offset, report.end_offset)
        if len(self._open) > 2 * MAX_BOXES:
            self._open = dict(list(self._open.items())[MAX_BOXES:])

    def _append(self, box: Box) -> None:
        self.boxes.append(box)
        if len(self.boxes) > MAX_BOXES:  # a carrier that lasts for hours came first, but has not ended
            self.forget_before(sorted(box.end_offset for box in self.boxes)[MAX_BOXES // 10 - 1])

    def forget_before(self, offset: int) -> None:
        """Drop the boxes that ended before a sample."""
        self._oldest = max(self._oldest, offset)
        self.boxes = [box for box in self.boxes if box.end_offset > offset]

    def newest_of(self, burst_id: int) -> Box | None:
        """The box of a carrier that ends last."""
        own = (box for box in self.boxes if box.burst_id == burst_id)
        return max(own, key=lambda box: box.end_offset, default=None)

    def replace_report(self, burst_id: int, report: Report) -> None:
        """Say of a carrier what a report says; when it was on stays as it is."""
        for box in self.boxes:
            if box.burst_id == burst_id:
                box.carrier.report = report

    def at(
        self, frequency: float, offset: float, shown: Collection[str] | None = None, hidden: Collection[int | None] = ()
    ) -> Box | None:
        """The narrowest box round a frequency in Hz and a sample, of the classes `shown` (all if None), but none of the
        carriers `hidden`."""
        return min(
            (
                box
                for box in self.boxes
                if box.freq_lower <= frequency <= box.freq_upper
                and box.start_offset <= offset < box.end_offset
                and (shown is None or box.label in shown)
                and box.burst_id not in hidden
            ),
            key=lambda box: box.bandwidth,
            default=None,
        )


def part_overlaps(edges: np.ndarray) -> np.ndarray:
    """Draw neighbours apart whose edges cross.

    Args:
        edges: shape (n, 4): left, right, top, bottom of each box.

    Returns:
        The same with left and right edges moved to the middle of the overlap of two boxes. A box inside another, or
        one that overlaps with more than half of its width, stays as it is.
    """
    left, right, top, bottom = edges.T
    overlap = right[:, None] - left[None, :]
    crosses = (
        (left[:, None] < left[None, :])
        & (right[:, None] < right[None, :])
        & (overlap > 0)
        & (top[:, None] < bottom[None, :])
        & (top[None, :] < bottom[:, None])
        & (overlap < 0.5 * np.minimum.outer(right - left, right - left))
    )
    middle = np.where(crosses, (right[:, None] + left[None, :]) / 2, np.nan)
    separated = edges.copy()
    separated[:, 1] = np.fmin(right, np.fmin.reduce(middle, axis=1, initial=np.inf))
    separated[:, 0] = np.fmax(left, np.fmax.reduce(middle, axis=0, initial=-np.inf))
    return separated
