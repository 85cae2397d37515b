# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples -> frames -> masks -> segments. The sink block and `rpmsn annotate` both run exactly this.

`Segmenter.analyse` does a frame at once. For several threads (`streaming.pool`) there are three parts: `prepare`
(input quality and image) and `infer` (the network) know nothing of other frames; `finish` (segments) takes the frames
in order.
"""

import time
from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from .. import runtimes
from ..classes import CLASS_NAMES, LTE, NOISE, NR, OTHER
from ..errors import ParameterError
from ..models.model import FRAME_SECONDS
from ..signal import image as spectrogram
from ..signal import iq_image as mirror
from ..signal import quality as input_health
from ..signal.quality import Health
from .segments import FrameGeometry, find_segments


@dataclass
class Frame:
    """One analysed frame.

    Attributes:
        number: frames since the stream began, from 0.
        geometry: where its pixels lie.
        image: uint8, shape (256, 256): 0..255 over -5..55 dB over the noise floor.
        mask: uint8, shape (256, 256): the most probable class of every pixel, ids of `rpmsn.classes`; noise alone where
            not fit. What is decided of a run as a whole stands in `segments`: `other` there may be LTE or NR here.
        floor_db: noise floor, dB over full scale, in one pixel's bandwidth.
        segments: list of Segment; none where the input is not fit to be judged.
        health: `condition` in words: "ok", or what is wrong with the input.
        new_from: first sample that no earlier frame held; the last frame of a recording reaches back
            over the one before to be whole.
        repeated: True where the recording was shorter than a frame and was repeated to fill the image.
        condition: what is wrong with the input, and whether the frame was judged all the same.
        seconds: what the parts of the analysis took: `health`, `image`, `network`, `segments`.
    """

    number: int
    geometry: FrameGeometry
    image: np.ndarray
    mask: np.ndarray
    floor_db: float
    segments: list = field(default_factory=list)
    health: str = input_health.OK.text
    new_from: int = 0
    repeated: bool = False
    condition: Health = input_health.OK
    seconds: dict = field(default_factory=dict)

    @property
    def end_offset(self):
        """First sample after the frame."""
        return self.geometry.start_offset + self.geometry.samples


@dataclass
class Prepared:
    """A frame on its way: what `Segmenter.prepare` made of its samples, for `infer` and `finish`.

    Attributes:
        geometry: where its pixels lie.
        analysis: rpmsn.signal.image.Analysis.
        image: uint8, shape (256, 256).
        network_input: float32, shape (1, channels, 256, 256); None where the input is not fit to be judged.
        mirrored: bool, shape (256,), columns with a I/Q image (`rpmsn.signal.iq_image`).
        findings: list of Health.
        new_from: first sample to report.
        run: number that frames share as long as nothing comes between them.
        seconds: as of Frame, so far.
    """

    geometry: FrameGeometry
    analysis: spectrogram.Analysis
    image: np.ndarray
    network_input: np.ndarray | None
    mirrored: np.ndarray
    findings: list
    new_from: int
    run: int
    seconds: dict

    def has(self, kind):
        """Whether this kind of fault was found."""
        return any(finding.kind == kind for finding in self.findings)


class Segmenter:
    """Turns the samples of one frame into a mask and segments. Not to be used by two threads at once, but that
    `finish` may run beside `prepare` and `infer`; `replicas` are for more threads.

    Args:
        model: rpmsn.models.model.Model.
        sample_rate: Hz, 1e6 to 125e6.
        threads: of the runtime.
        runtime: name of one of `runtimes.KINDS`, `auto` for the fastest, or something with `probabilities(images)`.
        frame_seconds: 0.01 to 0.2; None for what the model was trained with.
        average_frames: class probabilities are averaged over so many frames, as long as they belong together: steadier
            for what is always there, and late and blurred for what comes and goes. 1 for each frame on its own.

    Attributes:
        frame_samples: samples in a frame at this rate.
        warnings: what a user should know before believing the result, in words.

    Raises:
        ParameterError: a rate, frame length or number of frames that cannot be.
    """

    def __init__(self, model, sample_rate, threads=1, runtime=runtimes.AUTO, frame_seconds=None, average_frames=1):
        self.model = model
        self.card = model.card
        self.sample_rate = float(sample_rate)
        self.frame_seconds = frame_duration(model.card, frame_seconds)
        self.frame_samples = spectrogram.frame_length(sample_rate, self.frame_seconds)
        if average_frames < 1:
            raise ParameterError(f"average_frames is {average_frames}, but 1 (each on its own) or more is allowed")
        self.average_frames = average_frames
        self.runtime = runtimes.create(model, runtime, threads) if isinstance(runtime, str) else runtime
        self.warnings = rate_warnings(model.card, sample_rate) + frame_warnings(model.card, self.frame_seconds)
        self._class_ids = np.array([CLASS_NAMES.index(name) for name in model.card.classes], np.uint8)
        self._noise = model.card.classes.index(CLASS_NAMES[NOISE])
        self._analysers = {}
        self.reset()

    def at_rate(self, sample_rate):
        """The same at another sample rate, with the same runtime."""
        return Segmenter(
            self.model,
            sample_rate,
            runtime=self.runtime,
            frame_seconds=self.frame_seconds,
            average_frames=self.average_frames,
        )

    def replicas(self, count):
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
            )
            for _ in range(count - 1)
        ]

    def warm_up(self):
        """Analyse a frame of noise: libraries are loaded and buffers made, so that the first frame is not late."""
        noise = np.random.default_rng(1).standard_normal((self.frame_samples, 2), np.float32) * np.float32(0.1)
        self.infer(self.prepare(noise.view(np.complex64)[:, 0]))

    def reset(self):
        """Forget earlier frames, which `average_frames` has kept."""
        self._recent = deque(maxlen=self.average_frames)
        self._recent_of = None

    def analyse(self, samples, start_offset=0, center_frequency=0.0, number=0, new_from=None, run=0):
        """Analyse one frame.

        Args:
            samples: complex64, shape (n,), or int16 or int8, shape (n, 2): `frame_samples` of them, or fewer (at least
                256) where a recording is shorter than a frame; its rows are then repeated to fill the image, and
                segments are reported once.
            start_offset: number of the first sample since the stream began.
            center_frequency: Hz; 0 if it is not known.
            number: of the frame.
            new_from: report segments from this sample on only.
            run: another number than before says that the frame does not belong to those before (retune, gap).

        Returns:
            Frame.
        """
        prepared = self.prepare(samples, start_offset, center_frequency, new_from, run)
        return self.finish(prepared, self.infer(prepared), number)

    def prepare(self, samples, start_offset=0, center_frequency=0.0, new_from=None, run=0):
        """Look at the samples of a frame, arguments as of `analyse`; they are not needed any more afterwards.

        Returns:
            Prepared.
        """
        begun = time.perf_counter()
        samples = np.ascontiguousarray(samples, np.complex64 if np.iscomplexobj(samples) else None)
        findings = input_health.of_samples(samples) + self._span_findings()
        checked = time.perf_counter()
        is_judged = all(finding.judged for finding in findings)
        # What is not a number, or too large, is found in the result.
        with np.errstate(over="ignore", invalid="ignore"):
            analysis = self._analyser(is_judged).analyse(samples)
        if not input_health.has_finite_power(analysis):
            samples, finding = input_health.without_bad_values(samples)
            findings.append(finding)
            is_judged = False
            analysis = self._analyser(is_judged).analyse(samples)
        mirrored = np.zeros(spectrogram.COLUMNS, bool)
        if is_judged:
            shares = mirror.image_coherence(samples)
            mirrored = mirror.image_columns(shares, analysis.power, analysis.floor)
            findings += input_health.of_spectrum(analysis, mirrored)
        image = spectrogram.to_uint8(spectrogram.fill_rows(analysis.levels))
        network_input = self._network_input(samples, analysis) if is_judged else None
        geometry = FrameGeometry(
            self.sample_rate, float(center_frequency), int(start_offset), len(samples), len(analysis.power)
        )
        return Prepared(
            geometry,
            analysis,
            image,
            network_input,
            mirrored,
            findings,
            int(start_offset if new_from is None else new_from),
            run,
            {"health": checked - begun, "image": time.perf_counter() - checked},
        )

    def infer(self, prepared):
        """Probability of every class in every pixel, float32, shape (classes, 256, 256); None where not fit.

        The receiver's I/Q images are noise, and its own spur is what is beside it.
        """
        if prepared.network_input is None:
            return None
        begun = time.perf_counter()
        probabilities = input_health.without_own_signals(
            self.runtime.probabilities(prepared.network_input)[0],
            prepared.mirrored,
            prepared.has(input_health.DC_SPUR),
            self._noise,
        )
        prepared.seconds["network"] = time.perf_counter() - begun
        return probabilities

    def finish(self, prepared, probabilities, number=0):
        """The Frame, from what `prepare` and `infer` gave. Where scores are averaged, frames have to come in order."""
        begun = time.perf_counter()
        levels, geometry = prepared.analysis.levels, prepared.geometry
        segments = []
        if probabilities is None:
            mask = np.full(prepared.image.shape, NOISE, np.uint8)
        else:
            probabilities = self._averaged(prepared, probabilities)
            best = probabilities.argmax(axis=0)
            mask = self._class_ids[best]
            found = find_segments(
                best[: geometry.rows],
                probabilities[:, : geometry.rows],
                prepared.analysis.power,
                prepared.analysis.floor,
                geometry,
                self.card.classes,
            )
            segments = [
                cut
                for segment in self._fit_to_report(prepared, found, mask)
                if (cut := _from(segment, prepared.new_from)) is not None
            ]
        condition = input_health.combined(prepared.findings)
        seconds = {**prepared.seconds, "segments": time.perf_counter() - begun}
        return Frame(
            number,
            geometry,
            prepared.image,
            mask,
            float(10 * np.log10(max(prepared.analysis.floor, 1e-30))),
            segments,
            condition.text,
            prepared.new_from,
            len(levels) < spectrogram.ROWS,
            condition,
            seconds,
        )

    def _span_findings(self):
        if self.sample_rate >= self.card.sample_rates[0]:
            return []
        return [input_health.narrow_span(rate_warnings(self.card, self.sample_rate)[0])]

    def _analyser(self, is_judged):
        """What measures the powers, and the correlations if the network will see them."""
        correlated = is_judged and spectrogram.feature_set(self.card.features).correlated
        if correlated not in self._analysers:
            self._analysers[correlated] = spectrogram.Analyser(self.sample_rate, self.frame_samples, correlated)
        return self._analysers[correlated]

    def _network_input(self, samples, analysis):
        """The image that the model's card asks for, with a batch dimension."""
        if self.card.features == "published":
            return spectrogram.published_image(samples)[None]
        return analysis.image()[None]

    def _averaged(self, prepared, probabilities):
        """Mean of the probabilities of this frame and of those before it that belong to it."""
        if self.average_frames == 1:
            return probabilities
        geometry = prepared.geometry
        belongs_to = (prepared.run, geometry.sample_rate, geometry.center_frequency, geometry.samples)
        if belongs_to != self._recent_of:
            self._recent.clear()
            self._recent_of = belongs_to
        self._recent.append(probabilities)
        return sum(self._recent) / np.float32(len(self._recent))

    def _fit_to_report(self, prepared, segments, mask):
        """Segments without a class that this span cannot tell; so the mask, in place."""
        if prepared.has(input_health.NARROW_SPAN):
            mask[(mask == LTE) | (mask == NR)] = OTHER
            segments = [
                replace(segment, class_id=OTHER, label=CLASS_NAMES[OTHER]) if segment.class_id in (LTE, NR) else segment
                for segment in segments
            ]
        return segments


def frame_duration(card, frame_seconds=None):
    """Seconds of a frame: what is asked for, or else what a model was trained with.

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


def frame_warnings(card, frame_seconds):
    """A sentence where `frame_seconds` is not what the model was trained with."""
    if frame_seconds == card.frame_seconds:
        return []
    return [
        f"frames last {1e3 * frame_seconds:g} ms and model {card.name} was trained with "
        f"{1e3 * card.frame_seconds:g} ms: expect more mistakes"
    ]


def rate_warnings(card, sample_rate):
    """A sentence for every way in which `sample_rate` is not what the model was trained for."""
    low, high = card.sample_rates
    if low <= sample_rate <= high:
        return []
    consequence = "both are reported as other; raise the sample rate" if sample_rate < low else "lower the sample rate"
    return [
        f"model {card.name} was trained for {low / 1e6:g} to {high / 1e6:g} Msps and the signal has "
        f"{sample_rate / 1e6:g} Msps: do not rely on LTE and NR being told apart ({consequence})"
    ]


def _from(segment, first_sample):
    """The part of a segment from a sample on; None where nothing of it is left."""
    if segment.end_offset <= first_sample:
        return None
    if segment.start_offset >= first_sample:
        return segment
    return replace(segment, start_offset=int(first_sample))
