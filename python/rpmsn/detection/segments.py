# SPDX-License-Identifier: GPL-3.0-or-later
"""Mask -> segments: connected runs of one class in one frame, measured on the powers themselves.

Where a network is uncertain, patches of one class appear inside a carrier of another. So first the connected runs that
are not noise are found, whatever their class; then the columns of each vote, by the sums of their class probabilities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import ndimage

from ..classes import CLASS_NAMES, LTE, NOISE, OTHER
from ..signal.image import COLUMNS, decibels
from . import lte_splitting
from .deciding import describe

MIN_PIXELS = 24
"""Smaller components are specks, not segments."""
MIN_COLUMN_FRACTION = 0.25
"""A column belongs to a segment where it holds this fraction of what the segment's fullest column holds."""
MIN_RUN_COLUMNS = 4
"""Within one run, columns of another class than most are a carrier of their own from this width on..."""
MIN_RUN_MARGIN = 0.3
"""...and where that class leads the majority's by this fraction of all probability there."""
MIN_SNR_DB = -10.0
"""What has less power than this over the noise floor is not reported, whatever its class."""
MIN_FILLING_SNR_DB, FILLING = -3.0, 0.75
"""The same of what is neither LTE nor NR and fills so much of the span: 1.8 dB over the quietest part, as much as a
receiver's own noise varies with its filters."""
MIN_STANDARD_ERRORS = 6.0
"""What stands less far above the noise floor, in standard errors of the mean power of noise in a box as wide and as
long, is noise: a frame has some 1e8 boxes, of which one in 1e9 comes that far."""
EDGE_REACH = 3
"""An edge is looked for this many columns to either side of the mask's, and the levels beyond."""


@dataclass(frozen=True)
class FrameGeometry:
    """Where the pixels of a frame lie.

    Attributes:
        sample_rate: of the radio, Hz.
        center_frequency: Hz, absolute; 0 where it is not known.
        start_offset: number of the frame's first sample since the stream began.
        samples: samples in the frame.
        rows: rows of the image that show these samples.
        columns: of the image.
        span: what all columns cover, Hz; None: `sample_rate`. More, where steps of a scan lie side by side.
    """

    sample_rate: float
    center_frequency: float
    start_offset: int
    samples: int
    rows: int
    columns: int = COLUMNS
    span: float | None = None

    @property
    def column_hz(self) -> float:
        """Width of a column, Hz."""
        return (self.span or self.sample_rate) / self.columns

    def frequency(self, column: float) -> float:
        """Hz at a place on the column axis: 0 is the first column's lower end, `columns` the last one's upper end."""
        half = (self.span or self.sample_rate) / 2
        place = self.center_frequency + (column - (self.columns + 1) / 2) * self.column_hz
        return float(np.clip(place, self.center_frequency - half, self.center_frequency + half))

    def offset(self, row: int) -> int:
        """Number of the sample where a row starts."""
        return self.start_offset + row * self.samples // self.rows


@dataclass(frozen=True)
class Segment:
    """One connected run of one class in one frame.

    Attributes:
        class_id: the class, an index of `rpmsn.classes.CLASS_NAMES`.
        confidence: probability of the class, 0..1: by the model's decision, or where it has none the mean over the
            segment's pixels.
        freq_lower, freq_upper: edges, Hz, absolute when the centre frequency is known.
        start_offset, end_offset: samples since the stream began; the end is the first sample after it.
        sample_rate: Hz.
        snr_db: mean power over that of the frame's noise floor, minus one, dB.
        pwr_db: power inside the edges while on, dB over full scale.
        rows: the segment's first row and the one after its last, in the frame's image.
        columns: the same of columns.
    """

    class_id: int
    confidence: float
    freq_lower: float
    freq_upper: float
    start_offset: int
    end_offset: int
    sample_rate: float
    snr_db: float
    pwr_db: float
    rows: tuple
    columns: tuple

    @property
    def label(self) -> str:
        """Name of the class."""
        return CLASS_NAMES[self.class_id]

    @property
    def center_frequency(self) -> float:
        """Middle between the edges, Hz."""
        return (self.freq_lower + self.freq_upper) / 2

    @property
    def bandwidth(self) -> float:
        """Distance of the edges, Hz."""
        return self.freq_upper - self.freq_lower

    @property
    def duration(self) -> float:
        """Seconds."""
        return (self.end_offset - self.start_offset) / self.sample_rate


class Classifier(Protocol):
    """What classifies segments: `deciding.Decider`."""

    def decide(self, segments: Sequence[Segment], values: Sequence[np.ndarray]) -> list[Segment]:
        """Segments with their classes, of a frame's segments with those of the network and what describes them."""


def find_segments(
    mask: np.ndarray,
    probabilities: np.ndarray,
    power: np.ndarray,
    floor: float,
    geometry: FrameGeometry,
    classes: Sequence[str] = CLASS_NAMES,
    decider: Classifier | None = None,
) -> list[Segment]:
    """Segments of one frame, lowest frequency first.

    Args:
        mask: integer, shape (rows, 256), indices into `classes`.
        probabilities: float32, shape (classes, rows, 256).
        power: float32, shape (rows, 256), linear (`rpmsn.signal.image.power`).
        floor: noise power in a pixel, linear.
        geometry: FrameGeometry.
        classes: names in the order of the model's outputs.
        decider: says what the segments are; None: the network alone does.

    Returns:
        list of Segment.
    """
    ids = np.array([CLASS_NAMES.index(label) for label in classes])
    noise, other = (
        next((index for index, class_id in enumerate(ids) if class_id == wanted), None) for wanted in (NOISE, OTHER)
    )
    found, values = [], []
    for pixels, box in _components(mask != noise):
        votes = _votes(probabilities[(slice(None), *box)], pixels, noise)
        for winner, columns in _split_lte(_runs_of_classes(votes, other), votes, pixels, box, power, ids, geometry):
            part = pixels[:, columns]
            count = np.count_nonzero(part)
            if count < MIN_PIXELS:
                continue
            on = np.flatnonzero(part.any(axis=1))
            rows = slice(on[0], on[-1] + 1)
            place = _moved(rows, box[0]), _moved(columns, box[1])
            means = np.zeros(len(CLASS_NAMES))
            means[ids] = votes[:, columns].sum(axis=1) / count
            means[NOISE] = 1 - (means.sum() - means[NOISE])
            class_id, is_on = int(ids[winner]), _is_on(part[rows])
            segment = _measure(class_id, means[class_id], is_on, place, power, floor, geometry)
            if _standard_errors(segment, np.count_nonzero(is_on), geometry) < MIN_STANDARD_ERRORS:
                continue
            found.append(segment)
            values.append(describe(segment, means, count / part[rows].size, geometry))
    if decider is not None:
        found = decider.decide(found, values)
    return sorted(
        (segment for segment in found if segment.snr_db >= _least_snr_db(segment, geometry)),
        key=lambda segment: (segment.freq_lower, segment.start_offset),
    )


def _least_snr_db(segment, geometry):
    is_filling = segment.columns[1] - segment.columns[0] >= FILLING * geometry.columns
    return MIN_FILLING_SNR_DB if is_filling and segment.class_id == OTHER else MIN_SNR_DB


def _split_lte(runs, votes, pixels, box, power, ids, geometry):
    """The runs of `_runs_of_classes`, those of LTE split where the powers show several carriers.

    Each part then has the class that has most votes in its own columns: LTE and NR may lie side by side.
    """
    column_hz = geometry.column_hz
    for winner, columns in runs:
        cuts = []
        # The edges lie no more than so far beyond the mask.
        widest = columns.stop - columns.start + 2 * EDGE_REACH
        if ids[winner] == LTE and lte_splitting.may_be_several(widest, column_hz) and pixels[:, columns].any():
            on = power[box[0]][_is_on(pixels[:, columns])]
            lower, upper = _edges(on.mean(axis=0, dtype=np.float64), _moved(columns, box[1]))
            cuts = lte_splitting.boundaries(on, lower, upper, column_hz)
        if not cuts:
            yield winner, columns
            continue
        inner = [cut - box[1].start for cut in cuts]
        for begun, stop in zip([columns.start, *(cut + 1 for cut in inner)], [*inner, columns.stop]):
            yield int(votes[:, begun:stop].sum(axis=1).argmax()), slice(begun, stop)


def _is_on(pixels):
    """Rows in which a component, bool, shape (rows, columns), fills most of its width."""
    counts = np.count_nonzero(pixels, axis=1)
    return 2 * counts >= counts.max()


def _edges(spectrum, columns):
    """(lower edge, upper edge) on the column axis of what is in some columns of a spectrum, linear."""
    lower = _edge(spectrum, columns.start, columns.stop)
    width = len(spectrum)
    upper = width - _edge(spectrum[::-1], width - columns.stop, width - columns.start)
    if upper - lower < 1:
        return columns.start, columns.stop
    return lower, upper


def _moved(inner, outer):
    """A slice inside another one, as a slice of the whole."""
    return slice(int(outer.start + inner.start), int(outer.start + inner.stop))


def _components(is_signal):
    """Connected components, as (pixels inside the box, box); thin bridges between two carriers are cut."""
    labelled, _ = ndimage.label(is_signal)
    for number, box in enumerate(ndimage.find_objects(labelled), start=1):
        pixels = labelled[box] == number
        if np.count_nonzero(pixels) < MIN_PIXELS:
            continue
        in_column = pixels.sum(axis=0)
        for columns in _runs(in_column >= MIN_COLUMN_FRACTION * in_column.max()):
            place = _moved(columns, box[1])
            # Column 0 holds both ends of the span, and the window spreads it to column 1: these two alone may as
            # well be what is at the upper end.
            if place.stop > 2:
                yield pixels[:, columns], (box[0], place)


def _runs(wanted):
    """Slices of the runs of True in one row of values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]]))).tolist()
    return [slice(begin, end) for begin, end in zip(edges[::2], edges[1::2])]


def _votes(probabilities, pixels, noise):
    """Votes of the columns of a component for each class, float64, shape (classes, columns).

    Args:
        probabilities: float32, shape (classes, rows, columns) of the component's box.
        pixels: bool, shape (rows, columns): those that belong to it.
        noise: index of the class noise, which does not take part.
    """
    votes = (probabilities * pixels).sum(axis=1, dtype=np.float64)
    votes[noise] = -1
    return votes


def _runs_of_classes(votes, other):
    """Which class the columns of a component have: (index of the class, slice of columns) of each run.

    Args:
        votes: as of `_votes`.
        other: index of the class other, or None: a narrow transmission right beside a carrier keeps its columns.
    """
    majority = int(votes.sum(axis=1).argmax())
    winners = votes.argmax(axis=0)
    for index in set(winners.tolist()) - {majority}:
        for columns in _runs(winners == index):
            here = np.maximum(votes[:, columns], 0).sum(axis=1)
            is_sure = here[index] - here[majority] >= MIN_RUN_MARGIN * here.sum()
            is_neighbour = index == other and (columns.start == 0 or columns.stop == len(winners))
            if not is_neighbour and (not is_sure or columns.stop - columns.start < MIN_RUN_COLUMNS):
                winners[columns] = majority
    for index in sorted(set(winners.tolist())):
        for columns in _runs(winners == index):
            yield index, columns


def _measure(class_id, confidence, is_on, box, power, floor, geometry):
    """A component's edges, times, power and SNR; its rows on the air as of `_is_on`."""
    rows, columns = box
    spectrum = power[rows][is_on].mean(axis=0, dtype=np.float64)
    lower, upper = _edges(spectrum, columns)
    inside = spectrum[columns]
    snr = max(inside.mean() / max(floor, 1e-30) - 1, 1e-6)
    return Segment(
        class_id=class_id,
        confidence=float(confidence),
        freq_lower=geometry.frequency(lower),
        freq_upper=geometry.frequency(upper),
        start_offset=int(geometry.offset(rows.start)),
        end_offset=int(geometry.offset(rows.stop)),
        sample_rate=geometry.sample_rate,
        snr_db=float(10 * np.log10(snr)),
        pwr_db=decibels(inside.sum()),
        rows=(int(rows.start), int(rows.stop)),
        columns=(int(columns.start), int(columns.stop)),
    )


def _standard_errors(segment, rows, geometry):
    """How far a segment stands above the noise floor, in standard errors of a mean of noise in its band and rows on the
    air, which has an independent value for each hertz and second."""
    seconds = rows / geometry.rows * geometry.samples / geometry.sample_rate
    return 10 ** (segment.snr_db / 10) * np.sqrt(segment.bandwidth * seconds)


def _edge(spectrum, first, after):
    """Lower edge on the column axis, to a fraction of a column: where the power is half-way between outside and inside.

    A flat band seen through a symmetric window has half its power exactly at the band's edge.

    Args:
        spectrum: mean power a column.
        first, after: the mask's first column, and the one after its last.

    Returns:
        float; 0 is the lower edge of column 0. `first` where no crossing is near.
    """
    if first == 0:
        return 0.0
    width = after - first
    start = min(first + 1, len(spectrum) - 1)
    inside = np.median(spectrum[start : start + min(6, max(1, width - 1))])
    outside = spectrum[max(0, first - EDGE_REACH - 2) : first].min()
    if not inside > outside:
        return float(first)
    half = (inside + outside) / 2
    low, high = max(0, first - EDGE_REACH), min(len(spectrum) - 1, first + min(EDGE_REACH, width - 1))
    for column in range(high, low, -1):
        below, above = spectrum[column - 1], spectrum[column]
        if below < half <= above:
            return column - 0.5 + (half - below) / (above - below)
    return float(first)
