# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole recording: read in pieces, analysed frame by frame, carriers out. Memory does not grow with its length."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..detection.segmenter import Frame, ProbabilitySource, Segmenter
from ..detection.segments import Segment
from ..runtimes import AUTO
from ..signal.quality import INFORMATION, NARROW_SPAN
from ..tracking.carrier import Carrier
from ..tracking.tracker import Event, Tracker, consolidate
from .cells import ReplaySearch
from .intake import StreamTime
from .pool import Replay, Result, Run

if TYPE_CHECKING:
    from ..models.model import Model
    from ..recording import Recording

CHUNK_SECONDS = 0.04
SHORTEST_SEGMENT_SECONDS = 5e-4
"""One slot of LTE. Capture segments between retunes that are shorter are left out: each would cost a frame's time."""


@dataclass
class Analysis:
    """What was found in a recording.

    Attributes:
        carriers: list of Carrier, lowest frequency first.
        samples: samples in the recording.
        samples_analysed: samples that were analysed; the rest are `samples_skipped` (a run of fewer than 256, or a
            capture segment shorter than `SHORTEST_SEGMENT_SECONDS`).
        frames: how many there were.
        frames_judged: those whose input was fit to be judged.
        warnings: what a reader of the result should know, in words, each once.
        runtime: name of what ran the network.
        segments: list of (Segment, Carrier) in the order of the frames, if they were asked for.
    """

    carriers: list[Carrier] = field(default_factory=list)
    samples: int = 0
    samples_analysed: int = 0
    samples_skipped: int = 0
    frames: int = 0
    frames_judged: int = 0
    warnings: list[str] = field(default_factory=list)
    runtime: str = ""
    segments: list[tuple[Segment, Carrier]] = field(default_factory=list, repr=False)

    @property
    def coverage(self) -> float:
        """Fraction of the samples that were analysed."""
        return self.samples_analysed / self.samples if self.samples else 0.0

    @property
    def judged(self) -> float:
        """Fraction of the frames whose input was fit to be judged; where it is 0, nothing is known of the band."""
        return self.frames_judged / self.frames if self.frames else 0.0


class RecordingAnalyser:
    """Analyses a recording: iterate over `frames()`, then read `result`.

    Args:
        recording: rpmsn.recording.Recording.
        model: rpmsn.models.model.Model.
        workers: frames that are analysed at the same time, each in a thread of its own.
        runtime: name of one of `runtimes.KINDS`, `auto` for the fastest, or a runtime that was made before.
        frame_seconds: 0.01 to 0.2; None for what the model was trained with.
        average_frames: class probabilities are averaged over so many frames.
        duty_cycle: fraction of the frames to analyse, above 0 to 1.
        keep_segments: keep the segments in the result, as well as the carriers; then memory grows with their number.
        cells: also search for LTE and NR cells, which prove carriers.
    """

    def __init__(
        self,
        recording: Recording,
        model: Model,
        workers: int = 1,
        runtime: str | ProbabilitySource = AUTO,
        frame_seconds: float | None = None,
        average_frames: int = 1,
        duty_cycle: float = 1.0,
        keep_segments: bool = False,
        cells: bool = True,
    ) -> None:
        self.recording = recording
        self.segmenter = Segmenter(
            model, recording.sample_rate, runtime=runtime, frame_seconds=frame_seconds, average_frames=average_frames
        )
        self.tracker = Tracker(carriers_kept=None)
        self._workers = workers
        self._keep_segments = keep_segments
        self._cells = ReplaySearch() if cells else None
        workers = min(workers, math.ceil(recording.sample_count / self.segmenter.frame_samples))
        self._replay = Replay(
            self.segmenter.replicas(max(1, workers)),
            recording.native_type,
            duty_cycle,
            hold_samples=self._cells is not None,
        )
        self.result = Analysis(
            samples=recording.sample_count,
            runtime=self.segmenter.runtime.name,
            warnings=list(recording.warnings) + list(self.segmenter.warnings),
        )

    def frames(self) -> Iterator[tuple[Frame, list[Event]]]:
        """Analyse; yields every Frame with the list of its Events. Segments of another centre frequency (a new
        capture segment in the recording) start a new frame."""
        unfit: list[str] = []
        noted: list[str] = []
        known: list[str] = []
        for result in self._replay.results(self._runs()):
            if result.error is not None:
                raise result.error
            frame = result.frame
            if frame is None:
                continue
            self.result.frames += 1
            self.result.frames_judged += frame.condition.judged
            if frame.condition.information:
                known.append(frame.condition.information)
            if not frame.condition.judged:
                unfit.append(frame.health)
            elif any(finding.kind not in (NARROW_SPAN, *INFORMATION) for finding in frame.condition.findings):
                noted.append(frame.health)
            if frame.repeated:
                self._warn(
                    f"shorter than a frame: {frame.geometry.samples} samples, where a frame has "
                    f"{self.segmenter.frame_samples}; analysed all the same, with less evidence"
                )
            events = self.tracker.update(frame)
            events += self._proven(result)
            yield frame, self._noted(events)
        counts = self._replay.intake.counts()
        self.result.samples_analysed = counts.analysed
        self.result.samples_skipped += counts.too_short
        if unfit:
            self._warn(f"{len(unfit)} of {self.result.frames} frames were not judged: {unfit[0]}")
        for texts in (noted, known):
            if texts:
                self._warn(f"{len(texts)} of {self.result.frames} frames: {texts[0]}")
        if self.result.samples_skipped:
            self._warn(f"{self.result.samples_skipped} samples were too few to analyse on their own")
        self._noted(self._proven(None))
        self._noted(self.tracker.finish())
        self.result.carriers = consolidate(self.tracker.carriers)

    def _proven(self, result: Result | None) -> list[Event]:
        """Search a frame for cells (None: what is left at the end); a search that fails is noted, and the last one."""
        if self._cells is None:
            return []
        try:
            if result is None:
                return self._cells.finish(self.tracker)
            assert result.frame is not None and result.samples is not None, "a frame with its samples, as asked for"
            return self._cells.follow(result.frame, result.samples, result.start_offset, self.tracker)
        except Exception as error:  # carriers go on without cells
            self._warn(f"the search for cells failed, and ended: {error}")
            self._cells = None
            return []

    def _noted(self, events: list[Event]) -> list[Event]:
        """Keep the segments of events, if that was asked for; returns the events."""
        if self._keep_segments:
            self.result.segments += [(event.segment, event.carrier) for event in events if event.segment is not None]
        return events

    def run(self) -> Analysis:
        """Analyse all; returns the Analysis."""
        for _ in self.frames():
            pass
        return self.result

    def _runs(self) -> Iterator[Run]:
        """A Run for every capture segment."""
        captures = self.recording.captures
        shortest = SHORTEST_SEGMENT_SECONDS * self.recording.sample_rate if len(captures) > 1 else 0
        ends = [capture.sample_start for capture in captures[1:]] + [self.recording.sample_count]
        for capture, end in zip(captures, ends):
            first = capture.sample_start
            if end - first < shortest:
                self.result.samples_skipped += end - first
            else:
                seconds, fraction = self.recording.time_at(first) or divmod(time.time(), 1)
                clock = StreamTime(first, int(seconds), fraction, self.recording.sample_rate, "file")
                yield Run(first, capture.center_frequency or 0.0, clock, self._pieces(first, end))

    def _pieces(self, first: int, end: int) -> Iterator[np.ndarray]:
        chunk = max(1, int(CHUNK_SECONDS * self.recording.sample_rate))
        for start in range(first, end, chunk):
            yield self.recording.read_native(start, min(chunk, end - start))

    def _warn(self, text: str) -> None:
        if text not in self.result.warnings:
            self.result.warnings.append(text)
