# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples -> frames -> masks -> segments. The sink block and `rpmsn annotate` both run exactly this."""
from dataclasses import dataclass, field, replace

import numpy as np

from .. import spectrogram
from ..classes import CLASS_NAMES, NOISE
from . import runtimes
from .segments import FrameGeometry, find_segments

CLIPPING_LIMIT = 0.01
"""Share of values at the rail from which on an input counts as overloaded."""
RAIL = (0.98, 1.02)
"""Where full scale lies. A stream whose largest value lies outside is not scaled to 1.0, and has no known rail."""


@dataclass
class Frame:
    """One analysed frame.

    Attributes:
        number: frames since the stream began, from 0.
        geometry: where its pixels lie.
        image: uint8, shape (256, 256): 0..255 over -5..55 dB over the noise floor.
        mask: uint8, shape (256, 256): class of every pixel, ids of `rpmsn.classes`; noise alone where not fit.
        floor_db: noise floor, dB over full scale, in one pixel's bandwidth.
        segments: list of Segment; none where the input is not fit to be judged.
        health: "ok", or what is wrong with the input, in words.
        new_from: first sample that no earlier frame held; the last frame of a recording reaches back
            over the one before to be whole.
        repeated: True where the recording was shorter than a frame and was repeated to fill the image.
    """

    number: int
    geometry: FrameGeometry
    image: np.ndarray
    mask: np.ndarray
    floor_db: float
    segments: list = field(default_factory=list)
    health: str = "ok"
    new_from: int = 0
    repeated: bool = False

    @property
    def end_offset(self):
        """First sample after the frame."""
        return self.geometry.start_offset + self.geometry.samples


class Segmenter:
    """Turns the samples of one frame into a mask and segments.

    Args:
        model: rpmsn.inference.model.Model.
        sample_rate: Hz, 1e6 to 125e6.
        threads: of the runtime.
        runtime: name of one of `runtimes.KINDS`, `auto` for the fastest, or something with `probabilities(images)`.

    Attributes:
        frame_samples: samples in a frame at this rate.
        warnings: what a user should know before believing the result, in words.
    """

    def __init__(self, model, sample_rate, threads=1, runtime=runtimes.AUTO):
        self.card = model.card
        self.sample_rate = float(sample_rate)
        self.frame_samples = spectrogram.frame_length(sample_rate, model.card.frame_seconds)
        self.runtime = runtimes.create(model, runtime, threads) if isinstance(runtime, str) else runtime
        self._class_ids = np.array([CLASS_NAMES.index(name) for name in model.card.classes], np.uint8)
        self.warnings = rate_warnings(model.card, sample_rate)

    def analyse(self, samples, start_offset=0, center_frequency=0.0, number=0, new_from=None):
        """Analyse one frame.

        Args:
            samples: complex64, shape (n,): `frame_samples` of them, or fewer (at least 256) where a recording is
                shorter than a frame; its rows are then repeated to fill the image, and segments are reported once.
            start_offset: number of the first sample since the stream began.
            center_frequency: Hz; 0 if it is not known.
            number: of the frame.
            new_from: report segments from this sample on only.

        Returns:
            Frame.
        """
        samples, health = check_health(samples)
        n = len(samples)
        rows = spectrogram.rows_of(n, self.frame_samples)
        analysis = spectrogram.analyse(samples, self.sample_rate, rows, correlated=self.card.recipe == "cyclic")
        geometry = FrameGeometry(self.sample_rate, float(center_frequency), int(start_offset), n, rows)
        levels, floor = spectrogram.fill_rows(analysis.levels), analysis.floor
        new_from = start_offset if new_from is None else new_from
        if health == "ok":
            probabilities = self.runtime.probabilities(self._network_input(samples, analysis))[0]
            best = probabilities.argmax(axis=0)
            mask = self._class_ids[best]
            found = find_segments(best[:rows], probabilities[:, :rows], analysis.power, floor, geometry,
                                  self.card.classes)
            segments = [cut for segment in found if (cut := _from(segment, new_from)) is not None]
        else:
            mask, segments = np.full(levels.shape, NOISE, np.uint8), []
        return Frame(number, geometry, spectrogram.to_uint8(levels), mask,
                     float(10 * np.log10(max(floor, 1e-30))), segments, health, new_from, rows < spectrogram.ROWS)

    def _network_input(self, samples, analysis):
        """The image that the model's card asks for, with a batch dimension."""
        if self.card.recipe == "published":
            return spectrogram.published_image(samples)[None]
        return analysis.image()[None]


def rate_warnings(card, sample_rate):
    """A sentence for every way in which `sample_rate` is not what the model was trained for."""
    low, high = card.sample_rates
    if low <= sample_rate <= high:
        return []
    return [f"model {card.name} was trained for {low / 1e6:g} to {high / 1e6:g} Msps and the signal has "
            f"{sample_rate / 1e6:g} Msps: do not rely on LTE and NR being told apart"]


def check_health(samples):
    """Samples fit to be analysed, and what is wrong with them.

    Returns:
        (samples, health): complex64 with values that are not numbers replaced by zero; "ok" or a sentence.
    """
    samples = np.ascontiguousarray(samples, np.complex64)
    parts = samples.view(np.float32)
    # A NaN survives minimum and maximum, so two passes find every bad value.
    highest, lowest = float(parts.max()), float(parts.min())
    if not (np.isfinite(highest) and np.isfinite(lowest)):
        bad = int(np.count_nonzero(~np.isfinite(parts)))
        return np.nan_to_num(parts, nan=0.0, posinf=0.0, neginf=0.0).view(np.complex64), (
            f"{bad} values are NaN or infinite: the source is faulty")
    if highest == lowest:
        return samples, "all samples are the same: nothing is connected, or the source has stopped"
    peak = max(highest, -lowest)
    if RAIL[0] <= peak <= RAIL[1]:
        share = np.count_nonzero(np.abs(parts) >= RAIL[0]) / parts.size
        if share > CLIPPING_LIMIT:
            return samples, f"overload: {share:.0%} of the values are at the rail; lower the gain"
    return samples, "ok"


def _from(segment, first_sample):
    """The part of a segment from a sample on; None where nothing of it is left."""
    if segment.end_offset <= first_sample:
        return None
    if segment.start_offset >= first_sample:
        return segment
    return replace(segment, start_offset=int(first_sample))


class Framer:
    """Cuts a stream that arrives in pieces of any size into frames, and analyses them.

    Every sample lands in a frame: the last one, at `flush`, reaches back over samples that were already analysed, or
    is repeated where there are too few. Segments are reported for the new samples alone.

    Args:
        segmenter: Segmenter.
        center_frequency: Hz; 0 if it is not known.
        start_offset: number of the first sample that will be pushed.
        number: of the first frame.
    """

    def __init__(self, segmenter, center_frequency=0.0, start_offset=0, number=0):
        self.segmenter = segmenter
        self.center_frequency = center_frequency
        self.number = number
        self.analysed = 0
        self.skipped = 0
        self._start = start_offset
        self._filling = np.empty(segmenter.frame_samples, np.complex64)
        self._before = np.empty(segmenter.frame_samples, np.complex64)
        self._filled = 0
        self._kept = 0

    def push(self, samples):
        """Take samples; yields a Frame for every frame that became whole."""
        taken = 0
        while taken < len(samples):
            count = min(len(samples) - taken, len(self._filling) - self._filled)
            self._filling[self._filled:self._filled + count] = samples[taken:taken + count]
            self._filled += count
            taken += count
            if self._filled == len(self._filling):
                yield self._analyse(self._filling, self._start)

    def flush(self):
        """End of the stream, or of what belongs together: the rest, if there is one, as one last frame.

        Yields at most one Frame. Fewer than 256 samples in all cannot be analysed; they are counted in `skipped`.
        """
        rest = self._filling[:self._filled]
        back = min(self._kept, len(self._filling) - self._filled)
        if not self._filled:
            return
        if back + self._filled < spectrogram.COLUMNS:
            self.skipped += self._filled
            self._start += self._filled
            self._filled = self._kept = 0
            return
        reached_back = self._before[len(self._before) - back:]
        yield self._analyse(np.concatenate([reached_back, rest]), self._start - back)

    def _analyse(self, samples, start_offset):
        """Analyse samples of which the last `_filled` are new, and keep them for a last frame to reach back to."""
        frame = self.segmenter.analyse(samples, start_offset, self.center_frequency, self.number, new_from=self._start)
        self.number += 1
        self.analysed += self._filled
        self._start += self._filled
        self._filling, self._before = self._before, self._filling
        self._kept = self._filled if self._filled == len(self._before) else 0
        self._filled = 0
        return frame
