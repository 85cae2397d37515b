# SPDX-License-Identifier: GPL-3.0-or-later
"""A stream cut into frames and analysed in one thread: what the pools of threads have to equal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from rpmsn.detection.segmenter import Frame, Segmenter
from rpmsn.signal.image import COLUMNS
from rpmsn.streaming.intake import ANALYSED, FAILED, TOO_SHORT, Intake, StreamTime


class Framer:
    """Cuts a stream that arrives in pieces of any size into frames, and analyses them, all in one thread.

    Every sample lands in a frame: the last one, at `flush`, reaches back over samples that were already analysed, or
    is repeated where there are too few. Segments are reported for the new samples alone.

    Args:
        segmenter: Segmenter.
        center_frequency: Hz; 0 if it is not known.
        start_offset: number of the first sample that will be pushed.
        number: of the first frame.
        dtype: type of the samples, one of `intake.SAMPLE_TYPES`.

    Attributes:
        number: of the next frame.
        analysed: samples that were analysed.
        skipped: samples of runs that were too short for it.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        center_frequency: float = 0.0,
        start_offset: int = 0,
        number: int = 0,
        dtype: DTypeLike = np.complex64,
    ) -> None:
        self.segmenter = segmenter
        self.center_frequency = center_frequency
        self.number = number
        self._offset = start_offset
        self._clock = StreamTime(start_offset, 0, 0.0, segmenter.sample_rate, "file")
        self._intake = Intake(segmenter.frame_samples, live=False, depth=1, dtype=dtype, wait_seconds=0)

    @property
    def analysed(self) -> int:
        return self._intake.counts().analysed

    @property
    def skipped(self) -> int:
        return self._intake.counts().too_short

    def push(self, samples: ArrayLike) -> Iterator[Frame]:
        """Take samples; yields a Frame for every frame that became whole."""
        rest = np.asarray(samples, self._intake.dtype)
        while len(rest):
            taken = self._intake.write(rest, self._offset, self.center_frequency, self._clock)
            self._offset += taken
            rest = rest[taken:]
            yield from self._analyse_waiting()

    def flush(self) -> Iterator[Frame]:
        """End of the stream, or of what belongs together: the rest, if there is one, as one last frame.

        Yields at most one Frame. Fewer than 256 samples in all cannot be analysed; they are counted in `skipped`.
        """
        self._intake.cut()
        yield from self._analyse_waiting()

    def _analyse_waiting(self) -> Iterator[Frame]:
        while (job := self._intake.get(0)) is not None:
            fate = FAILED
            try:
                samples, start_offset = job.frame()
                if len(samples) < COLUMNS:
                    fate = TOO_SHORT
                    continue
                frame = self.segmenter.analyse(
                    samples, start_offset, self.center_frequency, self.number, job.start_offset, job.run
                )
                fate = ANALYSED
            finally:
                self._intake.done(job, fate)
            self.number += 1
            yield frame
