# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings in pieces: cut on frame borders, analysed apart, tracked as one.

What the network sees in a frame does not depend on the frames before: that is done a piece at a time, in any order, and
kept as `Piece`. Carriers and the search for cells do: `track` takes the frames of all pieces in order, and reads only
the samples that the search asks for. So the result is that of the whole recording, however it was cut.
"""

import base64
import gzip
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits

from ..detection.segmenter import Frame, Segmenter, frame_duration, frame_warnings, rate_warnings
from ..detection.segments import FrameGeometry, Segment
from ..signal.image import frame_length
from ..signal.quality import Finding, InputQuality
from ..signal.sums import expect_samples
from ..streaming.analysis import Analysis, Tracking, capture_runs, replayed
from ..streaming.pool import Replay
from ..tracking.tracker import Event

if TYPE_CHECKING:
    from ..models.model import Model
    from ..recording import Recording

NO_PIXELS = np.empty((0, 0), np.uint8)
LOWEST_BYTES_A_SECOND = 2e6
"""Of a recording that is not compressed: 1 Msps of 8 bits."""

Follow = Callable[["AnalysedFrame | None", list[Event]], object]


@dataclass(frozen=True)
class AnalysedFrame:
    """A frame as it waits to be tracked.

    Attributes:
        frame: without image and mask.
        start, end: its new samples.
    """

    frame: Frame
    start: int
    end: int


@dataclass
class Piece:
    """What was found in a piece of a recording.

    Attributes:
        frames: in order.
        analysed, too_short: samples, as of `Analysis.samples_analysed` and `samples_skipped`.
        picture: the image of the first frame that was judged, PNG; empty where none was.
        picture_center: Hz, its middle; 0 where it is not known.
    """

    frames: list[AnalysedFrame] = field(default_factory=list)
    analysed: int = 0
    too_short: int = 0
    picture: bytes = b""
    picture_center: float = 0.0

    def add(self, frame: Frame, start: int, end: int) -> None:
        """Take in the next frame, with its new samples, but not its pixels."""
        if frame.condition.judged and not self.picture:
            self.picture, self.picture_center = _as_png(frame.image), frame.geometry.center_frequency
        slim = replace(frame, image=NO_PIXELS, mask=NO_PIXELS, seconds={})
        self.frames.append(AnalysedFrame(slim, start, end))

    def to_bytes(self) -> bytes:
        """All of it; numbers are as they were, to the last digit."""
        frames = [
            {
                "start": one.start,
                "end": one.end,
                "geometry": asdict(one.frame.geometry),
                "segments": [asdict(segment) for segment in one.frame.segments],
                "findings": [asdict(finding) for finding in one.frame.condition.findings],
                "new_from": one.frame.new_from,
                "repeated": one.frame.repeated,
                "floor_db": one.frame.floor_db,
            }
            for one in self.frames
        ]
        content = {
            "frames": frames,
            "analysed": self.analysed,
            "too_short": self.too_short,
            "picture": base64.b64encode(self.picture).decode(),
            "picture_center": self.picture_center,
        }
        return gzip.compress(json.dumps(content, default=_plain).encode(), 3, mtime=0)

    @classmethod
    def from_bytes(cls, content: bytes) -> "Piece":
        """What `to_bytes` gave.

        Raises:
            ValueError: it is something else, or cut short.
        """
        try:
            values = json.loads(gzip.decompress(content))
            picture = base64.b64decode(values.pop("picture"))
            return cls(**{**values, "frames": [_frame(entry) for entry in values["frames"]], "picture": picture})
        except Exception as error:  # whatever gzip, json and the classes raise for what is damaged
            raise ValueError(f"{type(error).__name__}: {error}") from error


def _plain(value: Any) -> Any:
    """A number of numpy as one of Python."""
    return value.item()


def _frame(entry: dict[str, Any]) -> AnalysedFrame:
    segments = [
        Segment(**{**one, "rows": tuple(one["rows"]), "columns": tuple(one["columns"])}) for one in entry["segments"]
    ]
    frame = Frame(
        0,
        FrameGeometry(**entry["geometry"]),
        NO_PIXELS,
        NO_PIXELS,
        entry["floor_db"],
        segments,
        entry["new_from"],
        entry["repeated"],
        InputQuality(tuple(Finding(**one) for one in entry["findings"])),
    )
    return AnalysedFrame(frame, entry["start"], entry["end"])


def ranges(recording: "Recording", frame_samples: int, seconds: float) -> list[tuple[int, int]]:
    """(first sample, the one after the last) of the pieces of a recording, each about so long.

    A piece ends where a whole frame of a capture segment does, and never right before the last, shorter one, which
    reaches back over the frame before it.
    """
    most = max(1, int(seconds * recording.sample_rate / frame_samples)) * frame_samples
    start, cuts = 0, [0]
    for run in capture_runs(recording)[0]:
        while run.end - start > most:
            cut = run.start + max(0, (start + most - run.start) // frame_samples) * frame_samples
            if cut > run.start and run.end - cut < frame_samples:
                break
            cuts.append(cut)
            start = cut
    return list(zip(cuts, [*cuts[1:], recording.sample_count]))


def samples_of_frame(recording: "Recording", model: "Model", frame_seconds: float | None) -> int:
    """Samples in a frame of a recording."""
    return frame_length(recording.sample_rate, frame_duration(model.card, frame_seconds))


def analyse(
    recording: "Recording", segmenter: Segmenter, start: int, end: int, advance: Callable[[int], object]
) -> Piece:
    """Analyse a piece of a recording, but for what depends on other pieces.

    Args:
        recording: the whole recording.
        segmenter: for its sample rate.
        start, end: as of `ranges`.
        advance: is called with the number of samples that were analysed.
    """
    runs = [
        replace(run, start=max(run.start, start), end=min(run.end, end))
        for run in capture_runs(recording)[0]
        if run.start < end and run.end > start
    ]
    # As `Annotator.analyse`: the length of the whole recording decides how sums are made, and their last digits.
    expect_samples(recording.sample_count)
    replay = Replay([segmenter], recording.native_type)
    piece = Piece()
    with threadpool_limits(1, user_api="blas"):
        for result in replay.results(replayed(recording, runs)):
            if result.error is not None:
                raise result.error
            if result.frame is not None:
                piece.add(result.frame, result.start_offset, result.end_offset)
                advance(result.end_offset - result.start_offset)
    counts = replay.intake.counts()
    piece.analysed, piece.too_short = counts.analysed, counts.too_short
    return piece


def _as_png(image: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).save(content, "png")
    return content.getvalue()


def track(
    recording: "Recording",
    model: "Model",
    pieces: Iterable[Piece],
    runtime: str,
    frame_seconds: float | None = None,
    cells: bool = True,
    listeners: Sequence[Follow] = (),
) -> Analysis:
    """The carriers of a recording, from its pieces in order: those of `RecordingAnalyser` for all of it.

    Args:
        recording: the whole recording.
        model: that the pieces were analysed by.
        pieces: all, in order.
        runtime: name of what ran the network.
        frame_seconds, cells: as of `RecordingAnalyser`.
        listeners: are called with every frame and its events, and with None and those of the end.
    """
    seconds = frame_duration(model.card, frame_seconds)
    warnings = [
        *recording.warnings,
        *rate_warnings(model.card, recording.sample_rate),
        *frame_warnings(model.card, seconds),
    ]
    tracking = Tracking(recording, samples_of_frame(recording, model, frame_seconds), runtime, warnings, cells=cells)
    analysed, skipped = 0, capture_runs(recording)[1]
    with threadpool_limits(1, user_api="blas"):
        for piece in pieces:
            for one in piece.frames:
                events = tracking.follow(one.frame, one.start, one.end)
                for listen in listeners:
                    listen(one, events)
            analysed, skipped = analysed + piece.analysed, skipped + piece.too_short
        result = tracking.finish(analysed, skipped)
    for listen in listeners:
        listen(None, tracking.last_events)
    return result
