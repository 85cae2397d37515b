# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments joined to boxes as frames go by (no Qt)."""

import dataclasses
import math
from collections import deque

import numpy as np

from ...classes import CLASS_COLORS
from ...messages import keys

MAX_BOXES = 4000
OPEN_BOXES = 8
"""Boxes of one carrier, the newest, that a further segment may lengthen."""
JOIN_FRACTION = 0.15
"""Edges of one carrier count as the same within this fraction of its bandwidth: they waver from frame to frame."""


@dataclasses.dataclass(eq=False)
class Box:
    """A segment, or several of one carrier joined as frames went by.

    Attributes:
        label: name of the class.
        confidence: 0..1.
        bandwidth: Hz.
        freq_lower, freq_upper: edges, Hz.
        start_offset, end_offset: samples since the stream began.
        burst_id: the carrier, None where the sender names none.
    """

    label: str
    confidence: float
    bandwidth: float
    freq_lower: float
    freq_upper: float
    start_offset: int
    end_offset: int
    burst_id: int | None = None

    @property
    def color(self) -> tuple[int, int, int]:
        """RGB of the class."""
        return CLASS_COLORS.get(self.label, CLASS_COLORS["other"])

    def texts(self) -> list[str]:
        """What may be written on the box, the best first."""
        confidence = f"{100 * self.confidence:.0f} %"
        full = f"{self.label} {format_bandwidth(self.bandwidth)} {confidence}"
        return [full, f"{self.label} {confidence}", self.label]


def format_bandwidth(bandwidth: float) -> str:
    """Hz as MHz, or kHz where MHz would round the value away."""
    return f"{bandwidth / 1e6:.1f} MHz" if bandwidth >= 0.95e6 else f"{bandwidth / 1e3:.0f} kHz"


def check_segment(fields: dict) -> Box | None:
    """Check what a segment PDU holds.

    Args:
        fields: the PDU's dict, keys as in `keys.SEGMENT_KEYS`.

    Returns:
        Box, or None for a carrier that is gone.

    Raises:
        ValueError: something is missing or cannot be drawn; the message names it.
    """
    if fields.get(keys.EVENT) == "gone":
        return None
    try:
        numbers = {
            key: float(fields[key]) for key in (keys.CONFIDENCE, keys.BANDWIDTH, keys.FREQ_LOWER, keys.FREQ_UPPER)
        }
        burst_id = fields.get(keys.BURST_ID)
        box = Box(
            label=str(fields[keys.LABEL]),
            burst_id=None if burst_id is None else int(burst_id),
            start_offset=int(fields[keys.START_OFFSET]),
            end_offset=int(fields[keys.END_OFFSET]),
            **numbers,
        )
    except KeyError as error:
        raise ValueError(f"a segment without {error.args[0]}") from error
    except (TypeError, OverflowError) as error:
        raise ValueError(f"a segment with a value of a wrong kind: {error}") from error
    values = (box.confidence, box.bandwidth, box.freq_lower, box.freq_upper)
    has_samples = 0 <= box.start_offset < box.end_offset < 2**64
    if not all(map(math.isfinite, values)) or box.freq_upper <= box.freq_lower or not has_samples:
        raise ValueError(f"a segment without extent: {box}")
    return box


class SegmentBoxes:
    """Boxes in the picture: segments of one carrier that adjoin in time become one, with the mean of their edges.

    A segment that covers only a part of its carrier's band (a burst) lengthens the box that is there. One that reaches
    well beyond it ends it and begins a box of its own, so that two boxes of one carrier do not overlap.

    Attributes:
        boxes: list of Box, at most `MAX_BOXES`; those that ended first leave first.
    """

    def __init__(self):
        self.boxes: list[Box] = []
        self._open: dict = {}
        self._break_offset = 0

    def clear(self) -> None:
        """Forget all boxes."""
        self.boxes.clear()
        self._open.clear()
        self._break_offset = 0

    def part_at(self, offset: int) -> None:
        """No box reaches over a sample from now on: the signal before it and after it does not adjoin."""
        self._break_offset = offset

    def snapshot(self) -> "SegmentBoxes":
        """A copy that stays as it is; nothing may be added to it."""
        held = SegmentBoxes()
        held.boxes = [dataclasses.replace(box) for box in self.boxes]
        return held

    def add(self, box: Box, edge_tolerance: float) -> None:
        """Take a box in, or lengthen the one that it continues; `edge_tolerance` in Hz."""
        key = (box.burst_id, box.label)
        known_boxes = self._open.setdefault(key, deque(maxlen=OPEN_BOXES))
        for known in known_boxes:
            tolerance = max(edge_tolerance, JOIN_FRACTION * known.bandwidth)
            beyond = max(known.freq_lower - box.freq_lower, box.freq_upper - known.freq_upper)
            is_parted = known.start_offset < self._break_offset <= box.start_offset
            if not is_parted and _adjoins(known, box) and beyond <= tolerance:
                within = max(box.freq_lower - known.freq_lower, known.freq_upper - box.freq_upper)
                _lengthen(known, box, is_part=within > tolerance)
                return
        if box.burst_id is not None:
            _end_overlapped(known_boxes, box)
        known_boxes.append(box)
        self.boxes.append(box)
        if len(self.boxes) > MAX_BOXES:  # a carrier that goes on for hours came first, but has not ended
            self.boxes = sorted(self.boxes, key=lambda box: box.end_offset)[MAX_BOXES // 10 :]
        if len(self._open) > 2 * MAX_BOXES:
            self._open = dict(list(self._open.items())[MAX_BOXES:])

    def forget_before(self, offset: int) -> None:
        """Drop the boxes that ended before a sample."""
        self.boxes = [box for box in self.boxes if box.end_offset > offset]

    def newest_of(self, burst_id: int) -> Box | None:
        """The box of a carrier that ends last."""
        own = (box for box in self.boxes if box.burst_id == burst_id)
        return max(own, key=lambda box: box.end_offset, default=None)

    def at(self, frequency: float, offset: float, shown=None) -> Box | None:
        """The narrowest box round a frequency in Hz and a sample, of the classes `shown` (all if None)."""
        return min(
            (
                box
                for box in self.boxes
                if box.freq_lower <= frequency <= box.freq_upper
                and box.start_offset <= offset < box.end_offset
                and (shown is None or box.label in shown)
            ),
            key=lambda box: box.bandwidth,
            default=None,
        )


def _adjoins(known: Box, box: Box) -> bool:
    """Whether `box` is no further away from `known` in time than it is long."""
    length = box.end_offset - box.start_offset
    return known.start_offset - length <= box.start_offset <= known.end_offset + length


def _lengthen(known: Box, box: Box, is_part: bool) -> None:
    """Lengthen `known` by `box`; its edges become the mean, weighted by duration, unless `box` is a part."""
    lengths = known.end_offset - known.start_offset, box.end_offset - box.start_offset
    share = 0.0 if is_part else lengths[1] / sum(lengths)
    for name in ("confidence", "freq_lower", "freq_upper"):
        setattr(known, name, (1 - share) * getattr(known, name) + share * getattr(box, name))
    known.bandwidth = known.freq_upper - known.freq_lower
    known.start_offset = min(known.start_offset, box.start_offset)
    known.end_offset = max(known.end_offset, box.end_offset)


def _end_overlapped(known_boxes, box: Box) -> None:
    """Let older boxes of the carrier end where `box` begins, where they would overlap."""
    for known in known_boxes:
        if (
            known.freq_lower < box.freq_upper
            and box.freq_lower < known.freq_upper
            and known.start_offset < box.start_offset < known.end_offset
        ):
            known.end_offset = box.start_offset


def part_overlaps(edges: np.ndarray) -> np.ndarray:
    """Draw neighbours apart whose edges cross.

    Args:
        edges: shape (n, 4): left, right, top, bottom of each box.

    Returns:
        The same with left and right edges moved to the middle of what two boxes share. A box inside another, or one
        that shares more than half of its width, stays as it is.
    """
    left, right, top, bottom = edges.T
    shared = right[:, None] - left[None, :]
    crosses = (
        (left[:, None] < left[None, :])
        & (right[:, None] < right[None, :])
        & (shared > 0)
        & (top[:, None] < bottom[None, :])
        & (top[None, :] < bottom[:, None])
        & (shared < 0.5 * np.minimum.outer(right - left, right - left))
    )
    middle = np.where(crosses, (right[:, None] + left[None, :]) / 2, np.nan)
    parted = edges.copy()
    parted[:, 1] = np.fmin(right, np.fmin.reduce(middle, axis=1, initial=np.inf))
    parted[:, 0] = np.fmax(left, np.fmax.reduce(middle, axis=0, initial=-np.inf))
    return parted
