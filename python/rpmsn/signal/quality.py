# SPDX-License-Identifier: GPL-3.0-or-later
"""Input quality: whether a frame's samples are fit to be judged, what is wrong with them, and what to do.

A pass over every value costs as much as a part of the analysis itself. So levels are taken from blocks spread evenly
over the frame, which is as good for a fraction of the values; values that are not finite, of which a single one
spoils a frame, show in the powers of the pixels, to which every sample contributes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log10
from statistics import NormalDist

import numpy as np

from .artefacts import Artefacts
from .sums import FULL_SCALE

OK_KIND = "ok"
NON_FINITE = "non-finite"
CONSTANT = "constant"
OVERLOAD = "overload"
TOO_WEAK = "too-weak"
NARROW_SPAN = "narrow-span"
CLIPPING = "clipping"
DC_SPUR = "dc-spur"
IQ_IMAGE = "iq-image"
MOST_SEVERE_FIRST = (NON_FINITE, CONSTANT, OVERLOAD, TOO_WEAK, NARROW_SPAN, CLIPPING, DC_SPUR, IQ_IMAGE)
INFORMATION = (DC_SPUR,)
"""Kinds that say how to read a result, and are no fault."""

OVERLOAD_FRACTION = 0.25
"""Fraction of values at the rail from which on a frame is not judged; measured in docs/experiments/input.md."""
CLIPPING_FRACTION = 0.002
"""Fraction from which on clipping is reported; the frame is judged all the same."""
MOST_DECIBELS = 20
"""No more than this is advised at a time: what lies above a rail that nearly all values touch is not known."""
RAIL = (0.98, 1.02)
"""Where full scale lies. A stream whose largest value lies outside is not scaled to 1.0..."""
UNSCALED_RAILS = tuple((2**bits - 1) / 32768 for bits in (11, 13))
"""...but 12 and 14 bit converters whose codes were taken for 16 bit ones have a rail of their own."""

FEW_STEPS = 2
FEW_LEVELS = 2 * FEW_STEPS + 1
"""Values of -2..2 steps of the converter at most: less than that is too weak."""
COARSEST_STEP = 1 / 128
"""The step of an 8 bit converter, the coarsest in use; few levels beyond two of them are what was sent."""
DEAD_FRACTION = 0.01
"""Where fewer values than this differ from the most frequent one, nothing can be said about the signal."""
WEAK_DBFS, DEAD_DBFS = -90.0, -150.0
"""Mean power below which a signal is called weak, and below which float32 has no room for its spectrum."""
LARGEST = 1e12
"""Larger than any sample; sums of the powers of what is larger have no room in float32."""
LARGEST_POWER = 2 * LARGEST**2
"""In a pixel, no samples up to `LARGEST` have more."""

VISIBLE_DB = 3.0
"""An I/Q image is reported where it raises the power by this..."""
VISIBLE_COLUMNS = 3
"""...in this many columns."""

BLOCK = 1024
BLOCKS = 300
PICKED_VALUES = 4096


@dataclass(frozen=True)
class Finding:
    """One fault of the input.

    Attributes:
        kind: one of `MOST_SEVERE_FIRST`.
        text: what is wrong and what to do.
        judged: False where nothing may be said about the frame.
    """

    kind: str
    text: str
    judged: bool


@dataclass(frozen=True)
class InputQuality:
    """What is wrong with the input of a frame, if anything.

    Attributes:
        findings: what was found; none where all is well.
    """

    findings: tuple[Finding, ...] = ()

    @property
    def kind(self) -> str:
        """`ok`, or the kind of the most severe fault."""
        return next((finding.kind for finding in self._ordered() if finding.kind not in INFORMATION), OK_KIND)

    @property
    def text(self) -> str:
        """`ok`, or what is wrong and what to do: all faults, the most severe first, each once."""
        return self._texts(lambda finding: finding.kind not in INFORMATION) or OK_KIND

    @property
    def information(self) -> str:
        """What to know beside the faults; empty if there is nothing."""
        return self._texts(lambda finding: finding.kind in INFORMATION)

    @property
    def judged(self) -> bool:
        """False where nothing may be said about the frame."""
        return all(finding.judged for finding in self.findings)

    def has(self, kind: str) -> bool:
        """Whether there is a finding of this kind."""
        return any(finding.kind == kind for finding in self.findings)

    def _texts(self, is_wanted: Callable[[Finding], bool]) -> str:
        return "; ".join(dict.fromkeys(finding.text for finding in self._ordered() if is_wanted(finding)))

    def _ordered(self) -> list[Finding]:
        return sorted(self.findings, key=lambda finding: MOST_SEVERE_FIRST.index(finding.kind))

    def __str__(self) -> str:
        return self.text


OK = InputQuality()


def of_values(values: np.ndarray) -> list[Finding]:
    """Findings from levels alone: constant, overload, clipping, too weak. Cheap: see the module's docstring.

    Args:
        values: as `sums.real_values` gives them, at least one sample.
    """
    if _is_constant(values):
        text = (
            "all samples are the same: nothing is connected, or the source has stopped; check the cable and the source"
        )
        return [Finding(CONSTANT, text, False)]
    picked, scale = _evenly_spread(values)
    peak = max(float(picked.max()), -float(picked.min())) / scale
    found = _clipped(picked, scale, peak) or _weak(picked, scale, peak)
    return [found] if found else []


def narrow_span(text: str) -> Finding:
    """The finding that LTE and NR cannot be told apart at a sample rate, with this text."""
    return Finding(NARROW_SPAN, text, True)


def has_finite_power(power: np.ndarray) -> bool:
    """False where the frame holds values that are not a number, infinite, or absurdly large (`LARGEST`)."""
    return bool(power.max() <= LARGEST_POWER)  # False for NaN, too


def without_bad_values(values: np.ndarray) -> tuple[np.ndarray, Finding]:
    """A copy of float32 values with those that are NaN, infinite or absurdly large set to zero, and the finding."""
    is_good = np.abs(values) <= LARGEST  # False for NaN, too
    return np.where(is_good, values, np.float32(0)), Finding(
        NON_FINITE,
        f"{np.count_nonzero(~is_good)} values are NaN, infinite or larger than {LARGEST:g}: the source is faulty; "
        "look for a division by zero or a wrong sample format before this block",
        False,
    )


def of_artefacts(artefacts: Artefacts, power: np.ndarray, floor: float) -> list[Finding]:
    """Findings about what the receiver makes itself, where it shows: a spur at zero frequency, and I/Q images.

    Args:
        artefacts: of the frame.
        power: float32, shape (rows, 256), linear.
        floor: noise power in a pixel, linear.
    """
    found = []
    if artefacts.dc_spur:
        text = (
            "a spike at the centre frequency, as receivers make it themselves (DC offset): "
            "nothing so narrow is reported there; tune a little aside to see it"
        )
        found.append(Finding(DC_SPUR, text, True))
    levels = power[:, artefacts.image_columns].mean(axis=0)
    if np.count_nonzero(levels > floor * 10 ** (VISIBLE_DB / 10)) >= VISIBLE_COLUMNS:
        text = (
            "I/Q images of strong signals, as receivers make them themselves (I/Q "
            "imbalance): nothing is reported there; tune aside to see what they hide"
        )
        found.append(Finding(IQ_IMAGE, text, True))
    return found


def _clipped(values: np.ndarray, scale: float, peak: float) -> Finding | None:
    """The finding of an overload or of clipping; None without either."""
    unscaled = (rail for rail in UNSCALED_RAILS if rail <= peak <= rail + 1 / 32768)
    rail = RAIL[0] if RAIL[0] <= peak <= RAIL[1] else next(unscaled, None)
    if rail is None:
        return None
    fraction = (np.count_nonzero(values >= rail * scale) + np.count_nonzero(values <= -rail * scale)) / values.size
    if fraction <= CLIPPING_FRACTION:
        return None
    advice = f"of the values are at the rail; lower the gain by {decibels_too_high(fraction)} dB or more"
    if fraction > OVERLOAD_FRACTION:
        return Finding(OVERLOAD, f"overload: {fraction:.0%} {advice}", False)
    return Finding(CLIPPING, f"clipping: {fraction:.1%} {advice}", True)


def decibels_too_high(fraction: float) -> int:
    """By how many dB a gain has to fall so that values at the rail become rare (`CLIPPING_FRACTION`).

    Args:
        fraction: of values at the rail, above `CLIPPING_FRACTION`; the values are taken as Gaussian, which noise and
            many carriers together are.
    """
    rail, wanted = (NormalDist().inv_cdf(1 - part / 2) for part in (min(fraction, 0.99), CLIPPING_FRACTION))
    return min(MOST_DECIBELS, ceil(20 * log10(wanted / rail)))


def _weak(values: np.ndarray, scale: float, peak: float) -> Finding | None:
    """The finding of a signal that is too weak; None if it is not."""
    if not peak <= FEW_STEPS * COARSEST_STEP:
        return None
    # An odd distance picks from I and from Q.
    picked = values[..., :: max(1, values.size // PICKED_VALUES) | 1]
    levels, counts = np.unique(picked, return_counts=True)
    if len(levels) <= FEW_LEVELS:
        is_dead = 1 - counts.max() / counts.sum() < DEAD_FRACTION
        return Finding(
            TOO_WEAK,
            "level too low: the signal uses no more than two steps of the converter; raise the "
            "gain, or check the antenna",
            not is_dead,
        )
    level = 10 * np.log10(2 * np.mean(np.square(picked, dtype=np.float64)) / scale**2)
    if level < WEAK_DBFS:
        return Finding(
            TOO_WEAK,
            f"level too low: {-level:.0f} dB below full scale; raise the gain, or scale the samples "
            "so that full scale is 1.0",
            bool(level >= DEAD_DBFS),
        )
    return None


def _evenly_spread(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Values of I and Q in blocks spread evenly over the frame, or all of a short one, and which value is full scale.

    Returns:
        (values, scale): a view, of one or two dimensions.
    """
    scale = FULL_SCALE[values.dtype]
    blocks = values.size // BLOCK
    if blocks <= BLOCKS:
        return values, scale
    return values[: blocks * BLOCK].reshape(blocks, BLOCK)[:: blocks // BLOCKS], scale


def _is_constant(values: np.ndarray) -> bool:
    """Whether all samples are the same one; where the first few differ, the others are not read."""
    pairs = values.reshape(-1, 2)
    return bool((pairs[:BLOCK] == pairs[0]).all()) and bool((pairs == pairs[0]).all())
