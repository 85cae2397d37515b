# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole recording: read in pieces, analysed frame by frame, carriers out. Memory does not grow with its length."""
from dataclasses import dataclass, field

from .carriers import Tracker, consolidate
from .runtimes import AUTO
from .segmenter import Framer, Segmenter

CHUNK_SECONDS = 0.04


@dataclass
class Analysis:
    """What a recording holds.

    Attributes:
        carriers: list of Carrier, lowest frequency first.
        samples: samples in the recording.
        samples_analysed: samples that were looked at; the rest are `samples_skipped` (a stretch of fewer than 256).
        frames: how many there were.
        warnings: what a reader of the result should know, in words, each once.
        runtime: name of what ran the network.
    """

    carriers: list = field(default_factory=list)
    samples: int = 0
    samples_analysed: int = 0
    samples_skipped: int = 0
    frames: int = 0
    warnings: list = field(default_factory=list)
    runtime: str = ""

    @property
    def coverage(self):
        """Share of the samples that were analysed."""
        return self.samples_analysed / self.samples if self.samples else 0.0


class RecordingAnalyser:
    """Analyses a recording: iterate over `frames()`, then read `result`.

    Args:
        recording: rpmsn.recording.Recording.
        model: rpmsn.inference.model.Model.
        threads: of the runtime.
        runtime: name of one of `runtimes.KINDS`, or `auto` for the fastest.
    """

    def __init__(self, recording, model, threads=1, runtime=AUTO):
        self.recording = recording
        self.segmenter = Segmenter(model, recording.sample_rate, threads, runtime)
        self.tracker = Tracker()
        self.result = Analysis(samples=recording.sample_count, runtime=self.segmenter.runtime.name,
                               warnings=list(recording.warnings) + list(self.segmenter.warnings))

    def frames(self):
        """Analyse; yields every Frame with the list of its Events. Segments of another centre frequency (a new
        capture segment in the recording) start a new frame."""
        unfit = []
        for first, last, center_frequency in self._stretches():
            framer = Framer(self.segmenter, center_frequency, first, self.result.frames)
            for frame in self._frames_of(framer, first, last):
                self.result.frames += 1
                if frame.health != "ok":
                    unfit.append(frame.health)
                if frame.repeated:
                    self._warn(f"shorter than a frame: {frame.geometry.samples} samples, where a frame has "
                               f"{self.segmenter.frame_samples}; analysed all the same, with less to go by")
                yield frame, self.tracker.update(frame)
            self.result.samples_analysed += framer.analysed
            self.result.samples_skipped += framer.skipped
        if unfit:
            self._warn(f"{len(unfit)} of {self.result.frames} frames were not judged: {unfit[0]}")
        if self.result.samples_skipped:
            self._warn(f"{self.result.samples_skipped} samples were too few to analyse on their own")
        self.tracker.finish()
        self.result.carriers = consolidate(self.tracker.carriers)

    def run(self):
        """Analyse all; returns the Analysis."""
        for _ in self.frames():
            pass
        return self.result

    def _stretches(self):
        """(first sample, the one after the last, centre frequency in Hz or 0) of every capture segment."""
        captures = self.recording.captures
        ends = [capture.sample_start for capture in captures[1:]] + [self.recording.sample_count]
        for capture, end in zip(captures, ends):
            end = min(end, self.recording.sample_count)
            if end > capture.sample_start:
                yield capture.sample_start, end, capture.center_frequency or 0.0

    def _frames_of(self, framer, first, last):
        chunk = max(1, int(CHUNK_SECONDS * self.recording.sample_rate))
        for start in range(first, last, chunk):
            yield from framer.push(self.recording.read(start, min(chunk, last - start)))
        yield from framer.flush()

    def _warn(self, text):
        if text not in self.result.warnings:
            self.result.warnings.append(text)
