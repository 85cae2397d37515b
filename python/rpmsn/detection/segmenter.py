# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples of a frame -> features -> class probabilities -> mask and segments. The sink block and the shell run this.

`Segmenter.analyse` does a frame at once. For several threads (`streaming.pool`) there are three parts: `prepare`
(features) and `infer` (the network) do not depend on other frames; `finish` (segments) takes the frames in order.
"""

import time
from collections import deque
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import DTypeLike

from .. import runtimes
from ..classes import CLASS_NAMES, LTE, NOISE, NR, OTHER
from ..errors import ParameterError
from ..models.model import FRAME_SECONDS
from ..signal import quality
from ..signal.features import FeatureExtractor, Features
from ..signal.image import COLUMNS, ROWS, decibels
from ..signal.picture import picture_of
from ..signal.quality import InputQuality
from ..signal.rates import is_rate_within
from ..signal.resolution import Resolution
from ..signal.sums import FULL_SCALE
from .deciding import decider_of
from .segments import FrameGeometry, Segment, find_segments

if TYPE_CHECKING:
    from ..models.model import Model, ModelCard


class ProbabilitySource(Protocol):
    """What runs a network: `runtimes.Runtime`, or a stand-in for it."""

    @property
    def name(self) -> str:
        """For status lines."""

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities, float32, shape (batch, classes, 256, 256), of images (batch, channels, 256, 256)."""


@dataclass
class Frame:
    """One analysed frame.

    Attributes:
        number: frames since the stream began, from 0.
        geometry: where its pixels lie.
        image: uint8, shape (256, 256): 0..255 over -5..55 dB over the noise floor.
        mask: uint8, shape (256, 256): the most probable class of every pixel, ids of `rpmsn.classes`; noise alone where
            not fit. LTE and NR within a segment that is one of them are that; what is `other` by the decision about a
            segment may be LTE or NR here. A stream's tracker then settles it by its carriers.
        floor_db: noise floor, dB over full scale, in one pixel's bandwidth.
        segments: none where the input is not fit to be judged.
        new_from: first sample that no earlier frame held; the last frame of a recording reaches back
            over the one before to be whole.
        repeated: True where the recording was shorter than a frame and was repeated to fill the image.
        condition: what is wrong with the input, and whether the frame was judged all the same.
        seconds: what the parts of the analysis took: `health`, `image`, `picture`, `network`, `segments`.
        picture: uint8, shape (rows, columns), of the new samples, where more columns are asked for than the image has;
            else None.
    """

    number: int
    geometry: FrameGeometry
    image: np.ndarray
    mask: np.ndarray
    floor_db: float
    segments: list[Segment] = field(default_factory=list)
    new_from: int = 0
    repeated: bool = False
    condition: InputQuality = quality.OK
    seconds: dict[str, float] = field(default_factory=dict)
    picture: np.ndarray | None = None

    @property
    def health(self) -> str:
        """Text of `condition`: "ok", or what is wrong with the input and what to do."""
        return self.condition.text

    @property
    def end_offset(self) -> int:
        """First sample after the frame."""
        return self.geometry.start_offset + self.geometry.samples


@dataclass
class Prepared:
    """A frame after `Segmenter.prepare`, for `infer` and `finish`.

    Attributes:
        features: of its samples.
        geometry: where its pixels lie.
        new_from: first sample to report.
        run: number of the uninterrupted run of frames.
        seconds: as of Frame, so far.
        picture: as of Frame.
    """

    features: Features
    geometry: FrameGeometry
    new_from: int
    run: int
    seconds: dict[str, float]
    picture: np.ndarray | None = None


class Segmenter:
    """Turns the samples of one frame into a mask and segments. Not to be used by two threads at once, but that
    `finish` may run beside `prepare` and `infer`; `replicas` are for more threads.

    Args:
        model: rpmsn.models.model.Model.
        sample_rate: Hz, 1e6 to 125e6.
        threads: of the runtime.
        runtime: name of one of `runtimes.KINDS`, `auto` for the fastest, or something with `probabilities(images)`.
        frame_seconds: 0.01 to 0.2; None for what the model was trained with.
        average_frames: class probabilities are averaged over as many frames of one run: steadier for continuous
            transmissions, late and blurred for short ones. 1 for each frame on its own.
        resolution: of the pictures of frames; several Segmenters may share it.

    Attributes:
        frame_samples: samples in a frame at this rate.
        warnings: what limits the result, as sentences for the user.

    Raises:
        ParameterError: a rate, frame length or number of frames that is not allowed.
    """

    def __init__(
        self,
        model: "Model",
        sample_rate: float,
        threads: int = 1,
        runtime: str | ProbabilitySource = runtimes.AUTO,
        frame_seconds: float | None = None,
        average_frames: int = 1,
        resolution: Resolution | None = None,
    ) -> None:
        self.model = model
        self.resolution = resolution or Resolution()
        self.card = model.card
        self.sample_rate = float(sample_rate)
        self.frame_seconds = frame_duration(model.card, frame_seconds)
        narrow = not is_rate_within(sample_rate, model.card.sample_rates[0])
        self._extractor = FeatureExtractor(
            sample_rate,
            self.frame_seconds,
            model.card.features,
            (quality.narrow_span(rate_warnings(model.card, sample_rate)[0]),) if narrow else (),
        )
        self.frame_samples = self._extractor.frame_samples
        if average_frames < 1:
            raise ParameterError(f"average_frames is {average_frames}, but 1 (each on its own) or more is allowed")
        self.average_frames = average_frames
        self.runtime = runtimes.create(model, runtime, threads) if isinstance(runtime, str) else runtime
        self.warnings = rate_warnings(model.card, sample_rate) + frame_warnings(model.card, self.frame_seconds)
        self._class_ids = np.array([CLASS_NAMES.index(name) for name in model.card.classes], np.uint8)
        self._noise = model.card.classes.index(CLASS_NAMES[NOISE])
        self._decider = decider_of(model.card)
        self.reset()
        # A short chunk now, so that workers do not come to a library's first use at once.
        with runtimes.first_use("the image"):
            self.prepare(_noise(2 * COLUMNS))

    def at_rate(self, sample_rate: float) -> "Segmenter":
        """The same at another sample rate, with the same runtime."""
        return Segmenter(
            self.model,
            sample_rate,
            runtime=self.runtime,
            frame_seconds=self.frame_seconds,
            average_frames=self.average_frames,
            resolution=self.resolution,
        )

    def replicas(self, count: int) -> "list[Segmenter]":
        """A list of `count` Segmenters for as many threads, of which this is the first.

        Each has a runtime of its own; one that was given as an object is shared.
        """
        runtime = self.runtime
        return [self] + [
            Segmenter(
                self.model,
                self.sample_rate,
                getattr(runtime, "threads", 1),
                runtime.name if isinstance(runtime, runtimes.Runtime) else runtime,
                self.frame_seconds,
                self.average_frames,
                self.resolution,
            )
            for _ in range(count - 1)
        ]

    def warm_up(self, dtype: DTypeLike = np.complex64) -> None:
        """Analyse a frame of noise: libraries are loaded, code is compiled and buffers made, so that the first frame is
        not late.

        Args:
            dtype: of the samples that will come: complex64, int16 or int8.
        """
        self.infer(self.prepare(_noise(self.frame_samples, dtype)))

    def reset(self) -> None:
        """Forget earlier frames, which `average_frames` has kept."""
        self._recent: deque[np.ndarray] = deque(maxlen=self.average_frames)
        self._recent_of: tuple | None = None

    def analyse(
        self,
        samples: np.ndarray,
        start_offset: int = 0,
        center_frequency: float = 0.0,
        number: int = 0,
        new_from: int | None = None,
        run: int = 0,
    ) -> Frame:
        """Analyse one frame.

        Args:
            samples: complex64, shape (n,), or int16 or int8, shape (n, 2): `frame_samples` of them, or fewer (at least
                256) where a recording is shorter than a frame; its rows are then repeated to fill the image, and
                segments are reported once.
            start_offset: number of the first sample since the stream began.
            center_frequency: Hz; 0 if it is not known.
            number: of the frame.
            new_from: report segments from this sample on only.
            run: a number that changes where the frame does not continue those before (retune, gap).

        Returns:
            Frame.
        """
        prepared = self.prepare(samples, start_offset, center_frequency, new_from, run)
        return self.finish(prepared, self.infer(prepared), number)

    def prepare(
        self,
        samples: np.ndarray,
        start_offset: int = 0,
        center_frequency: float = 0.0,
        new_from: int | None = None,
        run: int = 0,
    ) -> Prepared:
        """Extract a frame's features, arguments as of `analyse`; its samples are not needed any more afterwards."""
        features = self._extractor.extract(samples)
        geometry = FrameGeometry(
            self.sample_rate, float(center_frequency), int(start_offset), features.samples, len(features.power)
        )
        first = int(start_offset if new_from is None else new_from)
        prepared = Prepared(features, geometry, first, run, dict(features.seconds))
        begun, new = time.perf_counter(), samples[first - int(start_offset) :]
        prepared.picture = picture_of(new, self.resolution.columns, self.frame_samples, features.floor)
        prepared.seconds["picture"] = time.perf_counter() - begun
        return prepared

    def infer(self, prepared: Prepared) -> np.ndarray | None:
        """Probability of every class in every pixel, float32, shape (classes, 256, 256); None where not fit.

        The receiver's own artefacts are removed.
        """
        features = prepared.features
        if features.network_input is None:
            return None
        begun = time.perf_counter()
        probabilities = features.artefacts.without(self.runtime.probabilities(features.network_input)[0], self._noise)
        prepared.seconds["network"] = time.perf_counter() - begun
        return probabilities

    def finish(self, prepared: Prepared, probabilities: np.ndarray | None, number: int = 0) -> Frame:
        """The Frame, from what `prepare` and `infer` gave. Where scores are averaged, frames have to come in order."""
        begun = time.perf_counter()
        features, geometry = prepared.features, prepared.geometry
        segments = []
        if probabilities is None:
            mask = np.full(features.image.shape, NOISE, np.uint8)
        else:
            probabilities = self._averaged(prepared, probabilities)
            best = probabilities.argmax(axis=0)
            mask = self._class_ids[best]
            found = find_segments(
                best[: geometry.rows],
                probabilities[:, : geometry.rows],
                features.power,
                features.floor,
                geometry,
                self.card.classes,
                self._decider,
            )
            _settle(mask, found)
            segments = [
                cut
                for segment in self._reportable(features.quality, found, mask)
                if (cut := _from(segment, prepared.new_from)) is not None
            ]
        return Frame(
            number=number,
            geometry=geometry,
            image=features.image,
            mask=mask,
            floor_db=decibels(features.floor),
            picture=prepared.picture,
            segments=segments,
            new_from=prepared.new_from,
            repeated=geometry.rows < ROWS,
            condition=features.quality,
            seconds={**prepared.seconds, "segments": time.perf_counter() - begun},
        )

    def _averaged(self, prepared: Prepared, probabilities: np.ndarray) -> np.ndarray:
        """Mean of the probabilities of this frame and of those before it that belong to it."""
        if self.average_frames == 1:
            return probabilities
        geometry = prepared.geometry
        belongs_to = (prepared.run, geometry.sample_rate, geometry.center_frequency, geometry.samples)
        if belongs_to != self._recent_of:
            self._recent.clear()
            self._recent_of = belongs_to
        self._recent.append(probabilities)
        return reduce(np.add, self._recent) / np.float32(len(self._recent))

    @staticmethod
    def _reportable(found_quality: InputQuality, segments: list[Segment], mask: np.ndarray) -> list[Segment]:
        """Segments without classes that this span does not show; so the mask, in place."""
        if not found_quality.has(quality.NARROW_SPAN):
            return segments
        mask[(mask == LTE) | (mask == NR)] = OTHER
        return [replace(segment, class_id=OTHER) if segment.class_id in (LTE, NR) else segment for segment in segments]


def frame_duration(card: "ModelCard", frame_seconds: float | None = None) -> float:
    """Seconds of a frame: the one given, or else that of the model's training.

    Raises:
        ParameterError: it is outside 0.01 to 0.2 s.
    """
    if frame_seconds is None:
        return card.frame_seconds
    low, high = FRAME_SECONDS
    if not low <= frame_seconds <= high:
        raise ParameterError(
            f"frame_seconds is {frame_seconds:g}, but {low:g} to {high:g} is allowed; "
            f"model {card.name} was trained with {card.frame_seconds:g}"
        )
    return float(frame_seconds)


def frame_warnings(card: "ModelCard", frame_seconds: float) -> list[str]:
    """A sentence where `frame_seconds` is not what the model was trained with."""
    if frame_seconds == card.frame_seconds:
        return []
    return [
        f"frames last {1e3 * frame_seconds:g} ms and model {card.name} was trained with "
        f"{1e3 * card.frame_seconds:g} ms: expect more mistakes"
    ]


def rate_warnings(card: "ModelCard", sample_rate: float) -> list[str]:
    """A sentence where the model was not trained for `sample_rate`."""
    low, high = card.sample_rates
    if is_rate_within(sample_rate, low, high):
        return []
    consequence = "both are reported as other; raise the sample rate" if sample_rate < low else "lower the sample rate"
    return [
        f"model {card.name} was trained for {low / 1e6:g} to {high / 1e6:g} Msps and the signal has "
        f"{sample_rate / 1e6:g} Msps: do not rely on LTE and NR being told apart ({consequence})"
    ]


def _noise(count: int, dtype: DTypeLike = np.complex64) -> np.ndarray:
    """Samples of noise, 17 dB below full scale: complex64, or integers of shape (count, 2)."""
    dtype = np.dtype(dtype)
    parts = np.random.default_rng(1).standard_normal((count, 2), np.float32) * np.float32(0.1)
    if dtype.kind == "c":
        return parts.view(np.complex64)[:, 0]
    return (parts * np.float32(FULL_SCALE[dtype])).astype(dtype)


def _settle(mask: np.ndarray, segments: list[Segment]) -> None:
    """Give LTE and NR within a segment of LTE or NR its class, in place; what lies within another segment comes last.

    Of a run as a whole the network is surer than of its pixels, but of what kind an interferer in it is.
    """
    for segment in sorted(segments, key=lambda segment: -segment.bandwidth * segment.duration):
        if segment.class_id in (LTE, NR):
            box = mask[slice(*segment.rows), slice(*segment.columns)]
            box[(box == LTE) | (box == NR)] = segment.class_id


def _from(segment: Segment, first_sample: int) -> Segment | None:
    """The part of a segment from a sample on; None where nothing of it is left."""
    if segment.end_offset <= first_sample:
        return None
    if segment.start_offset >= first_sample:
        return segment
    return replace(segment, start_offset=int(first_sample))
