# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples -> input quality, powers, artefacts and network input, in one pass: all that later stages need of a frame.

`FeatureExtractor` converts the samples once and looks at them in this order: levels, powers of the pixels (and
correlations), artefacts of the receiver. `Features` holds the results; the samples are not needed any more afterwards.
"""

import time
from dataclasses import dataclass

import numpy as np

from . import quality
from .artefacts import NO_ARTEFACTS, Artefacts, find_artefacts
from .image import Analyser, feature_set, frame_length, published_image, rows_of
from .iq_image import image_coherence
from .quality import Finding, InputQuality
from .sums import real_values


@dataclass
class Features:
    """What a frame's samples are turned into.

    Attributes:
        samples: how many there were.
        power: float32, shape (rows, 256), mean power in every pixel, linear (`rpmsn.signal.image`).
        floor: noise power in a pixel, linear.
        image: uint8, shape (256, 256): 0..255 over -5..55 dB over the noise floor.
        network_input: float32, shape (1, channels, 256, 256); None where the input is not fit to be judged.
        artefacts: what the receiver makes itself; none where the input is not fit to be judged.
        quality: what is wrong with the input.
        seconds: what the parts took: `health`, `image`.
    """

    samples: int
    power: np.ndarray
    floor: float
    image: np.ndarray
    network_input: np.ndarray | None
    artefacts: Artefacts
    quality: InputQuality
    seconds: dict[str, float]


class FeatureExtractor:
    """Extracts the features of frames, one after the other. Keeps its buffers: not for two threads at once.

    Args:
        sample_rate: Hz.
        frame_seconds: of a whole frame.
        features: name of the feature set, as in model cards.
        known_findings: what is wrong with every frame, known beforehand.

    Attributes:
        frame_samples: samples of a whole frame.

    Raises:
        ParameterError: a sample rate, frame length or feature set that is not allowed.
    """

    def __init__(
        self, sample_rate: float, frame_seconds: float, features: str, known_findings: tuple[Finding, ...] = ()
    ) -> None:
        self.frame_samples = frame_length(sample_rate, frame_seconds)
        self._feature_set = feature_set(features)
        self._known_findings = known_findings
        # The correlations are measured only where a network will see them.
        self._analysers = {
            correlated: Analyser(sample_rate, self.frame_samples, correlated)
            for correlated in {False, self._feature_set.correlated}
        }

    def extract(self, samples: np.ndarray) -> Features:
        """The features of a frame.

        Args:
            samples: complex, shape (n,), or int16 or int8, shape (n, 2), where 32768 or 128 stands for 1.0: a whole
                frame, or at least 256 of a shorter chunk.

        Raises:
            ParameterError: there are too few or too many samples, or they are of another kind.
        """
        begun = time.perf_counter()
        values = real_values(samples)
        rows_of(len(values) // 2, self.frame_samples)
        findings = [*quality.of_values(values), *self._known_findings]
        is_judged = all(finding.judged for finding in findings)
        checked = time.perf_counter()
        analyser = self._analysers[is_judged and self._feature_set.correlated]
        # Values that are NaN, infinite or too large are found in the powers.
        with np.errstate(over="ignore", invalid="ignore"):
            analysis = analyser.analyse(values)
        if not quality.has_finite_power(analysis.power):
            values, finding = quality.without_bad_values(values)
            findings.append(finding)
            is_judged = False
            analysis = self._analysers[False].analyse(values)
        artefacts, network_input = NO_ARTEFACTS, None
        if is_judged:
            artefacts = find_artefacts(image_coherence(values), analysis.power, analysis.floor)
            findings += quality.of_artefacts(artefacts, analysis.power, analysis.floor)
            is_published = self._feature_set.name == "published"
            network_input = (published_image(values) if is_published else analysis.image())[None]
        return Features(
            samples=len(values) // 2,
            power=analysis.power,
            floor=analysis.floor,
            image=analysis.picture(),
            network_input=network_input,
            artefacts=artefacts,
            quality=InputQuality(tuple(findings)),
            seconds={"health": checked - begun, "image": time.perf_counter() - checked},
        )
