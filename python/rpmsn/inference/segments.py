# SPDX-License-Identifier: GPL-3.0-or-later
"""Mask -> segments: connected stretches of one class in one frame, measured on the powers themselves.

A network's doubt shows as patches of one class inside a carrier of another. So first the connected stretches that are
not noise are found, whatever their class; then the columns of each vote, by the sums of their class probabilities.
"""
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ..classes import CLASS_NAMES, LTE, NOISE, NR, OTHER
from ..spectrogram import COLUMNS
from . import lte_parting

MIN_PIXELS = 24
"""Smaller components are specks, not segments."""
MIN_COLUMN_SHARE = 0.25
"""A column belongs to a segment where it holds this share of what the segment's fullest column holds."""
MIN_RUN_COLUMNS = 4
"""Within one stretch, columns of another class than most are a carrier of their own from this width on..."""
MIN_RUN_MARGIN = 0.3
"""...and where that class leads the majority's by this share of all probability there."""
MIN_CONFIDENCE = 0.45
"""LTE or NR is said only with this mean probability; with less there is a transmission of unknown kind: `other`."""
SLICE_HZ = 5e6
"""A span below this shows a slice of most carriers, and slices of LTE and NR are much alike..."""
SLICE_CONFIDENCE = 0.65
"""...so that it takes more to say which."""
BURST_SECONDS = 5e-3
"""What is on the air for less than this takes SLICE_CONFIDENCE as well: bursts of other systems are much like those of
NR..."""
SCRAP_HZ, SCRAP_CONFIDENCE = 2e6, 0.75
"""...and NR narrower than this takes still more: that is half of its SS/PBCH block (3.6 MHz, TS 38.211 7.4.3.1)..."""
MIN_SHARED = 0.5
"""...but where something surer of its class shares this much of its band, it is taken for a piece of the same."""
NARROWEST_LTE_HZ = 0.9e6
"""LTE always sends reference signals over its whole band, of 1.08 MHz at least (TS 36.101 5.6): what is narrower than
this is something else, or so little of a carrier at the end of the span that its class is a guess."""
FAINT_HZ, FAINT_SNR_DB, FAINT_BELOW_DB = 3.2e6, 3.0, 10.0
"""LTE narrower and weaker than this, and so much weaker than other LTE in the same frame, is mostly no LTE: a receiver
makes such products of strong carriers, and of 39 on scenes for evaluation 10 were right."""
MIN_SNR_DB = -10.0
"""What has less power than this over the noise floor is no transmission, whatever the network says."""
EDGE_REACH = 3
"""An edge is looked for this many columns to either side of the mask's, and the levels beyond."""


@dataclass(frozen=True)
class FrameGeometry:
    """Where the pixels of a frame lie.

    Attributes:
        sample_rate: Hz.
        center_frequency: Hz, absolute; 0 where it is not known.
        start_offset: number of the frame's first sample since the stream began.
        samples: samples in the frame.
        rows: rows of the image that show these samples.
        columns: of the image; `sample_rate` is what all of them span.
    """

    sample_rate: float
    center_frequency: float
    start_offset: int
    samples: int
    rows: int
    columns: int = COLUMNS

    def frequency(self, column):
        """Hz at a place on the column axis: 0 is the first column's lower end, `columns` the last one's upper end."""
        bin_width = self.sample_rate / self.columns
        low, high = self.center_frequency - self.sample_rate / 2, self.center_frequency + self.sample_rate / 2
        return float(np.clip(self.center_frequency + (column - (self.columns + 1) / 2) * bin_width, low, high))

    def offset(self, row):
        """Number of the sample where a row starts."""
        return self.start_offset + row * self.samples // self.rows


@dataclass(frozen=True)
class Segment:
    """One connected stretch of one class in one frame.

    Attributes:
        class_id, label: the class (id in `rpmsn.classes.CLASS_NAMES`).
        confidence: mean probability of the class over the segment's pixels, 0..1.
        freq_lower, freq_upper: edges, Hz, absolute when the centre frequency is known.
        start_offset, end_offset: samples since the stream began; the end is the first sample after it.
        sample_rate: Hz.
        snr_db: mean power over that of the frame's noise floor, minus one, dB.
        pwr_db: power inside the edges while on, dB over full scale.
        rows: the segment's first row and the one after its last, in the frame's image.
        columns: the same of columns.
    """

    class_id: int
    label: str
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
    def center_frequency(self):
        """Middle between the edges, Hz."""
        return (self.freq_lower + self.freq_upper) / 2

    @property
    def bandwidth(self):
        """Distance of the edges, Hz."""
        return self.freq_upper - self.freq_lower

    @property
    def duration(self):
        """Seconds."""
        return (self.end_offset - self.start_offset) / self.sample_rate


def find_segments(mask, probabilities, power, floor, geometry, classes=CLASS_NAMES):
    """Segments of one frame, lowest frequency first.

    Args:
        mask: integer, shape (rows, 256), indices into `classes`.
        probabilities: float32, shape (classes, rows, 256).
        power: float32, shape (rows, 256), linear (`rpmsn.spectrogram.power`).
        floor: noise power in a pixel, linear.
        geometry: FrameGeometry.
        classes: names in the order of the model's outputs.

    Returns:
        list of Segment.
    """
    ids = np.array([CLASS_NAMES.index(label) for label in classes])
    noise, other = (next((index for index, class_id in enumerate(ids) if class_id == wanted), None)
                    for wanted in (NOISE, OTHER))
    found = []
    for pixels, box in _components(mask != noise):
        for winner, columns in _parted(_vote(probabilities[(slice(None), *box)], pixels, noise, other), pixels, box,
                                       power, ids, geometry):
            part = pixels[:, columns]
            rows = np.flatnonzero(part.any(axis=1))
            if part.sum() < MIN_PIXELS:
                continue
            rows = slice(rows[0], rows[-1] + 1)
            place = _moved(rows, box[0]), _moved(columns, box[1])
            confidence = float(probabilities[winner][place][part[rows]].mean())
            segment = _measure(int(ids[winner]), classes[winner], confidence, part[rows], place, power, floor, geometry)
            found.append(segment)
    if CLASS_NAMES[OTHER] in classes:
        found = [_as_other(segment) if _is_guess(segment) else segment for segment in found]
        found = _without_loose_pieces(found)
        highest_db = max((segment.snr_db for segment in found if segment.class_id == LTE), default=0.0)
        found = [_as_other(segment) if _is_faint(segment, highest_db) else segment for segment in found]
    return sorted((segment for segment in found if segment.snr_db >= MIN_SNR_DB),
                  key=lambda segment: (segment.freq_lower, segment.start_offset))


def _as_other(segment):
    return replace(segment, class_id=OTHER, label=CLASS_NAMES[OTHER])


def _is_guess(segment):
    """Whether a segment's class is not sure enough, or no LTE carrier is so narrow."""
    least = SLICE_CONFIDENCE if segment.sample_rate < SLICE_HZ else MIN_CONFIDENCE
    return segment.confidence < least or segment.class_id == LTE and segment.bandwidth < NARROWEST_LTE_HZ


def _without_loose_pieces(segments):
    """The segments; bursts and scraps of LTE and NR that nothing surer backs as `other`."""
    bands = {class_id: np.array([(segment.freq_lower, segment.freq_upper) for segment in segments
                                 if segment.class_id == class_id and not _is_piece(segment)]).reshape(-1, 2)
             for class_id in (LTE, NR)}
    return [_as_other(segment) if _is_piece(segment) and not _is_backed(segment, bands[segment.class_id]) else segment
            for segment in segments]


def _is_piece(segment):
    """Whether LTE or NR is so short or narrow that its class is not sure enough by itself."""
    if segment.class_id == NR and segment.bandwidth < SCRAP_HZ:
        return segment.confidence < SCRAP_CONFIDENCE
    is_burst = segment.class_id in (LTE, NR) and segment.duration < BURST_SECONDS
    return is_burst and segment.confidence < SLICE_CONFIDENCE


def _is_backed(segment, bands):
    """Whether one of some bands, shape (n, 2), holds enough of the segment's."""
    shared = np.minimum(bands[:, 1], segment.freq_upper) - np.maximum(bands[:, 0], segment.freq_lower)
    return bool((shared >= MIN_SHARED * segment.bandwidth).any())


def _is_faint(segment, highest_db):
    """Whether LTE is so faint and narrow beside LTE with an SNR of `highest_db` that it is mostly none."""
    is_far_below = segment.snr_db < min(FAINT_SNR_DB, highest_db - FAINT_BELOW_DB)
    return segment.class_id == LTE and segment.bandwidth < FAINT_HZ and is_far_below


def _parted(runs, pixels, box, power, ids, geometry):
    """The runs of `_vote`, those of LTE parted into carriers where the powers say that they are several."""
    column_hz = geometry.sample_rate / geometry.columns
    for winner, columns in runs:
        cuts = []
        # The edges lie no more than so far beyond the mask.
        widest = columns.stop - columns.start + 2 * EDGE_REACH
        if ids[winner] == LTE and lte_parting.may_be_several(widest, column_hz) and pixels[:, columns].any():
            on = power[box[0]][_is_on(pixels[:, columns])]
            lower, upper = _edges(on.mean(axis=0, dtype=np.float64), _moved(columns, box[1]))
            cuts = lte_parting.seams(on, lower, upper, column_hz)
        begun = columns.start
        for cut in cuts:
            yield winner, slice(begun, cut - box[1].start)
            begun = cut - box[1].start + 1
        yield winner, slice(begun, columns.stop)


def _is_on(pixels):
    """Rows where a component, bool, shape (rows, columns), is there over most of its width."""
    shares = pixels.mean(axis=1)
    return shares >= 0.5 * shares.max()


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
        if pixels.sum() < MIN_PIXELS:
            continue
        in_column = pixels.sum(axis=0)
        for columns in _runs(in_column >= MIN_COLUMN_SHARE * in_column.max()):
            place = _moved(columns, box[1])
            # Column 0 holds both ends of the span, and the window spreads it to column 1: these two alone may as
            # well be what is at the upper end.
            if place.stop > 2:
                yield pixels[:, columns], (box[0], place)


def _runs(wanted):
    """Slices of the runs of True in one row of values."""
    runs, _ = ndimage.label(wanted)
    return [columns for columns, in ndimage.find_objects(runs)]


def _vote(probabilities, pixels, noise, other):
    """Which class the columns of a component have: (index of the class, slice of columns) of each run.

    Args:
        probabilities: float32, shape (classes, rows, columns) of the component's box.
        pixels: bool, shape (rows, columns): those that belong to it.
        noise: index of the class noise, which does not take part.
        other: index of the class other, or None: a narrow transmission right beside a carrier keeps its columns.
    """
    votes = (probabilities * pixels).sum(axis=1, dtype=np.float64)
    votes[noise] = -1
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


def _measure(class_id, label, confidence, pixels, box, power, floor, geometry):
    """A component's edges, times, power and SNR."""
    rows, columns = box
    spectrum = power[rows][_is_on(pixels)].mean(axis=0, dtype=np.float64)
    lower, upper = _edges(spectrum, columns)
    inside = spectrum[columns]
    snr = max(inside.mean() / max(floor, 1e-30) - 1, 1e-6)
    return Segment(
        class_id=class_id, label=label, confidence=confidence,
        freq_lower=geometry.frequency(lower), freq_upper=geometry.frequency(upper),
        start_offset=int(geometry.offset(rows.start)), end_offset=int(geometry.offset(rows.stop)),
        sample_rate=geometry.sample_rate, snr_db=float(10 * np.log10(snr)),
        pwr_db=float(10 * np.log10(max(inside.sum(), 1e-30))),
        rows=(int(rows.start), int(rows.stop)), columns=(int(columns.start), int(columns.stop)))


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
    inside = np.median(spectrum[start:start + min(6, max(1, width - 1))])
    outside = spectrum[max(0, first - EDGE_REACH - 2):first].min()
    if not inside > outside:
        return float(first)
    half = (inside + outside) / 2
    low, high = max(0, first - EDGE_REACH), min(len(spectrum) - 1, first + min(EDGE_REACH, width - 1))
    for column in range(high, low, -1):
        below, above = spectrum[column - 1], spectrum[column]
        if below < half <= above:
            return column - 0.5 + (half - below) / (above - below)
    return float(first)
