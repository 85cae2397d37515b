# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments joined to boxes as frames go by (no Qt)."""
import dataclasses
import math
from collections import deque

from rpmsn.classes import CLASS_COLORS

from . import pdu

MAX_BOXES = 1000
JOIN_SHARE = 0.15
"""Edges of one carrier count as the same within this share of its bandwidth: they waver from frame to frame."""


@dataclasses.dataclass
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
        fields: the PDU's dict, keys as in `pdu.SEGMENT_KEYS`.

    Returns:
        Box, or None for a carrier that is gone.

    Raises:
        ValueError: something is missing or cannot be drawn; the message names it.
    """
    if fields.get(pdu.EVENT) == "gone":
        return None
    try:
        numbers = {key: float(fields[key]) for key in (pdu.CONFIDENCE, pdu.BANDWIDTH, pdu.FREQ_LOWER, pdu.FREQ_UPPER)}
        box = Box(label=str(fields[pdu.LABEL]), burst_id=fields.get(pdu.BURST_ID),
                  start_offset=int(fields[pdu.START_OFFSET]), end_offset=int(fields[pdu.END_OFFSET]), **numbers)
    except KeyError as error:
        raise ValueError(f"a segment without {error.args[0]}") from error
    except (TypeError, OverflowError) as error:
        raise ValueError(f"a segment with a value of a wrong kind: {error}") from error
    values = (box.confidence, box.bandwidth, box.freq_lower, box.freq_upper)
    if not all(map(math.isfinite, values)) or box.freq_upper <= box.freq_lower or box.end_offset <= box.start_offset:
        raise ValueError(f"a segment without extent: {box}")
    return box


class SegmentBoxes:
    """Boxes in the picture: segments of one carrier that adjoin in time become one, with the mean of their edges.

    A segment that covers only a part of its carrier's band (a burst) lengthens the box that is there, and one that
    reaches well beyond it gets a box of its own.

    Attributes:
        boxes: the boxes, at most `MAX_BOXES`; the oldest leave first.
    """

    def __init__(self):
        self.boxes: deque[Box] = deque(maxlen=MAX_BOXES)

    def clear(self) -> None:
        """Forget all boxes."""
        self.boxes.clear()

    def add(self, box: Box, edge_tolerance: float) -> None:
        """Take a box in, or lengthen the one that it continues; `edge_tolerance` in Hz."""
        for index, known in enumerate(self.boxes):
            if not self._adjoins(known, box):
                continue
            tolerance = max(edge_tolerance, JOIN_SHARE * known.bandwidth)
            beyond = max(known.freq_lower - box.freq_lower, box.freq_upper - known.freq_upper)
            within = max(box.freq_lower - known.freq_lower, known.freq_upper - box.freq_upper)
            if beyond <= tolerance:
                self.boxes[index] = self._joined(known, box, is_part=within > tolerance)
                return
        self.boxes.append(box)

    def forget_before(self, offset: int) -> None:
        """Drop the boxes that ended before a sample."""
        kept = [box for box in self.boxes if box.end_offset > offset]
        self.boxes.clear()
        self.boxes.extend(kept)

    @staticmethod
    def _joined(known: Box, box: Box, is_part: bool) -> Box:
        """`known`, lengthened by `box`; its edges are the mean, weighted by duration, unless `box` is a part."""
        lengths = known.end_offset - known.start_offset, box.end_offset - box.start_offset
        share = 0.0 if is_part else lengths[1] / sum(lengths)
        mean = {name: (1 - share) * getattr(known, name) + share * getattr(box, name)
                for name in ("confidence", "freq_lower", "freq_upper")}
        return dataclasses.replace(known, start_offset=min(known.start_offset, box.start_offset),
                                   end_offset=max(known.end_offset, box.end_offset),
                                   bandwidth=mean["freq_upper"] - mean["freq_lower"], **mean)

    @staticmethod
    def _adjoins(known: Box, box: Box) -> bool:
        """Whether `box` is of the same carrier as `known` and no further away in time than it is long."""
        length = box.end_offset - box.start_offset
        return (known.label == box.label and known.burst_id == box.burst_id
                and known.start_offset - length <= box.start_offset <= known.end_offset + length)
