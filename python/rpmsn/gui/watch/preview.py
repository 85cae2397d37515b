# SPDX-License-Identifier: GPL-3.0-or-later
"""The first frames of a recording without classes: rows to look at while the analysis is being loaded (no Qt)."""

from typing import Any

import numpy as np

from ...detection.segmenter import Frame
from ...detection.segments import FrameGeometry
from ...messages.results import frame_fields
from ...models.model import ModelCard
from ...recording import Recording
from ...signal.image import COLUMNS, Analyser, decibels, frame_length
from ...signal.picture import picture_of
from ...signal.quality import has_finite_power
from ...signal.sums import real_values
from ...streaming.intake import StreamTime


class Preview:
    """Frames from a place of a recording on, cut as the analysis cuts them.

    Args:
        recording: that is read.
        card: of the model: its frames.
        position: first sample.
        clock: StreamTime of the stream that begins with it.
        columns: of the picture, one of `signal.resolution.PICTURE_COLUMNS`.

    Attributes:
        samples: that were shown.
    """

    def __init__(
        self, recording: Recording, card: ModelCard, position: int, clock: StreamTime, columns: int = COLUMNS
    ) -> None:
        self._recording, self._card, self._position, self._clock = recording, card, position, clock
        self._columns = columns
        frame_samples = frame_length(recording.sample_rate, card.frame_seconds)
        self._analyser = Analyser(recording.sample_rate, frame_samples, compiled=False)
        self._frames = 0
        self.samples = 0

    def next(self) -> tuple[dict[str, Any], np.ndarray] | None:
        """Fields of the message about the next frame, and its image; None where there is none that is whole, or all of
        a recording that is shorter than one, or where its samples cannot be shown."""
        begin = self._position + self.samples
        count = min(self._analyser.frame_samples, self._recording.next_capture(begin) - begin)
        if count < (self._analyser.frame_samples if self._frames else COLUMNS):
            return None
        with np.errstate(over="ignore", invalid="ignore"):
            samples = self._recording.read_native(begin, count)
            analysis = self._analyser.analyse(real_values(samples))
        if not has_finite_power(analysis.power):
            return None
        rate, start = self._recording.sample_rate, self._clock.offset + self.samples
        frequency = self._recording.capture_at(begin).center_frequency or 0.0
        image = analysis.picture()
        frame = Frame(
            self._frames,
            FrameGeometry(rate, frequency, start, count, len(analysis.power)),
            image,
            np.zeros_like(image),
            decibels(analysis.floor),
            new_from=start,
            picture=picture_of(samples, self._columns, self._analyser.frame_samples, analysis.floor),
        )
        self.samples += count
        self._frames += 1
        return frame_fields(frame, self._clock, self._card.name)
