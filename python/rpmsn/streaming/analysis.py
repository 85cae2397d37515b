# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole recording: read in pieces, analysed frame by frame, carriers out. Memory does not grow with its length."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..detection.segmenter import Frame, ProbabilitySource, Segmenter
from ..detection.segments import Segment
from ..errors import RecordingError
from ..runtimes import AUTO
from ..signal.quality import INFORMATION, NARROW_SPAN
from ..tracking.carrier import Carrier
from ..tracking.tracker import Event, Tracker, consolidate
from .cells import ReplaySearch
from .intake import StreamTime
from .pool import Replay, Run

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


class Tracking:
    """The part of an analysis that takes frames one after the other: segments to carriers, and the search for cells.

    Args:
        recording: the whole recording.
        frame_samples: of a whole frame.
        runtime: name of what runs the network.
        warnings: that are known before the first frame.
        keep_segments, cells: as of `RecordingAnalyser`.
        threads: of the search for cells.

    Attributes:
        tracker: Tracker.
        result: Analysis, complete after `finish`.
        last_events: those that the end brought.
    """

    def __init__(
        self,
        recording: Recording,
        frame_samples: int,
        runtime: str,
        warnings: Sequence[str] = (),
        keep_segments: bool = False,
        cells: bool = True,
        threads: int = 1,
    ) -> None:
        self.tracker = Tracker(carriers_kept=None)
        self.result = Analysis(samples=recording.sample_count, runtime=runtime, warnings=list(warnings))
        self.last_events: list[Event] = []
        self._recording, self._frame_samples = recording, frame_samples
        self._keep_segments = keep_segments
        self._cells = ReplaySearch(threads) if cells else None
        self._unfit, self._noted, self._known = _Texts(), _Texts(), _Texts()

    def follow(self, frame: Frame, start: int, end: int) -> list[Event]:
        """Take in a frame; returns its events.

        Args:
            frame: the next one; neither its image nor its mask is used.
            start, end: first of the new samples in it, and the one after the last.
        """
        self.result.frames += 1
        self.result.frames_judged += frame.condition.judged
        if frame.condition.information:
            self._known.add(frame.condition.information)
        if not frame.condition.judged:
            self._unfit.add(frame.health)
        elif any(finding.kind not in (NARROW_SPAN, *INFORMATION) for finding in frame.condition.findings):
            self._noted.add(frame.health)
        if frame.repeated:
            self._warn(
                f"shorter than a frame: {frame.geometry.samples} samples, where a frame has "
                f"{self._frame_samples}; analysed all the same, with less evidence"
            )
        events = self.tracker.update(frame)
        events += self._proven(frame, start, end)
        return self._kept(events)

    def finish(self, analysed: int, skipped: int) -> Analysis:
        """No more frames will come; returns the result.

        Args:
            analysed, skipped: samples, as of Analysis.
        """
        self.result.samples_analysed, self.result.samples_skipped = analysed, skipped
        frames = self.result.frames
        if self._unfit.count:
            self._warn(f"{self._unfit.count} of {frames} frames were not judged: {self._unfit.first}")
        for texts in (self._noted, self._known):
            if texts.count:
                self._warn(f"{texts.count} of {frames} frames: {texts.first}")
        if skipped:
            self._warn(f"{skipped} samples were too few to analyse on their own")
        self.last_events = self._kept(self._proven())
        self.last_events += self._kept(self.tracker.finish())
        self.result.carriers = consolidate(self.tracker.carriers)
        return self.result

    def _proven(self, frame: Frame | None = None, start: int = 0, end: int = 0) -> list[Event]:
        """Search a frame for cells (None: what is left at the end); a search that fails is noted, and the last one."""
        if self._cells is None:
            return []
        try:
            if frame is None:
                return self._cells.finish(self.tracker)
            samples: Any = LaterSamples(self._recording, start, end - start)
            return self._cells.follow(frame, samples, start, self.tracker)
        except RecordingError:
            raise  # samples that cannot be read are no fault of the search
        except Exception as error:  # carriers go on without cells
            self._warn(f"the search for cells failed, and ended: {error}")
            self._cells = None
            return []

    def _kept(self, events: list[Event]) -> list[Event]:
        """Keep the segments of events, if that was asked for; returns the events."""
        if self._keep_segments:
            self.result.segments += [(event.segment, event.carrier) for event in events if event.segment is not None]
        return events

    def _warn(self, text: str) -> None:
        if text not in self.result.warnings:
            self.result.warnings.append(text)


@dataclass
class _Texts:
    """How many there were, and the first."""

    count: int = 0
    first: str = ""

    def add(self, text: str) -> None:
        self.first = self.first or text
        self.count += 1


@dataclass(frozen=True)
class CaptureRun:
    """Samples of a recording that belong together: a capture segment, or a part of one.

    Attributes:
        start, end: first sample, and the one after the last.
        center_frequency: Hz, 0 where it is not known.
    """

    start: int
    end: int
    center_frequency: float


def capture_runs(recording: Recording) -> tuple[list[CaptureRun], int]:
    """The capture segments that are analysed, and how many samples those have that are too short for it."""
    captures = recording.captures
    shortest = SHORTEST_SEGMENT_SECONDS * recording.sample_rate if len(captures) > 1 else 0
    ends = [capture.sample_start for capture in captures[1:]] + [recording.sample_count]
    found = [
        CaptureRun(capture.sample_start, end, capture.center_frequency or 0.0) for capture, end in zip(captures, ends)
    ]
    long = [run for run in found if run.end - run.start >= shortest]
    return long, sum(run.end - run.start for run in found) - sum(run.end - run.start for run in long)


def replayed(recording: Recording, runs: Sequence[CaptureRun]) -> Iterator[Run]:
    """Runs of a recording as `pool.Replay` takes them."""
    chunk = max(1, int(CHUNK_SECONDS * recording.sample_rate))
    for run in runs:
        seconds, fraction = recording.time_at(run.start) or divmod(time.time(), 1)
        clock = StreamTime(run.start, int(seconds), fraction, recording.sample_rate, "file")
        pieces = (
            recording.read_native(start, min(chunk, run.end - start)) for start in range(run.start, run.end, chunk)
        )
        yield Run(run.start, run.center_frequency, clock, pieces)


class LaterSamples:
    """Samples of a recording that are read when, and if, somebody looks at them.

    Args:
        recording: stays open as long as this is used.
        start, count: which.
    """

    def __init__(self, recording: Recording, start: int, count: int) -> None:
        self._recording, self._start, self._count = recording, start, count

    def __len__(self) -> int:
        return self._count

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        samples = self._recording.read_native(self._start, self._count)
        return samples if dtype is None else samples.astype(dtype)


class RecordingAnalyser:
    """Analyses a recording: iterate over `frames()`, then read `result`.

    Args:
        recording: rpmsn.recording.Recording.
        model: rpmsn.models.model.Model.
        workers: frames that are analysed at the same time, each in a thread of its own; as many threads search for
            cells.
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
        self._tracking = Tracking(
            recording,
            self.segmenter.frame_samples,
            self.segmenter.runtime.name,
            [*recording.warnings, *self.segmenter.warnings],
            keep_segments,
            cells,
            workers,
        )
        self.tracker, self.result = self._tracking.tracker, self._tracking.result
        workers = min(workers, math.ceil(recording.sample_count / self.segmenter.frame_samples))
        self._replay = Replay(self.segmenter.replicas(max(1, workers)), recording.native_type, duty_cycle)

    def frames(self) -> Iterator[tuple[Frame, list[Event]]]:
        """Analyse; yields every Frame with the list of its Events. Segments of another centre frequency (a new
        capture segment in the recording) start a new frame."""
        runs, skipped = capture_runs(self.recording)
        for result in self._replay.results(replayed(self.recording, runs)):
            if result.error is not None:
                raise result.error
            if result.frame is not None:
                events = self._tracking.follow(result.frame, result.start_offset, result.end_offset)
                result.frame.mask = self.tracker.settled_mask(result.frame)
                yield result.frame, events
        counts = self._replay.intake.counts()
        self._tracking.finish(counts.analysed, skipped + counts.too_short)

    def run(self) -> Analysis:
        """Analyse all; returns the Analysis."""
        for _ in self.frames():
            pass
        return self.result
