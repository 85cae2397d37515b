# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the input fit to be judged? What is wrong with a frame's samples, by name, in words, and what to do.

Looking at every value costs as much as a part of the analysis itself. So levels are taken from blocks spread evenly
over the frame, which is as good for a fraction of the values; a value that is not a number, of which a single one
spoils a frame, shows in the powers of the pixels, to which every sample contributes.
"""

from dataclasses import dataclass

import numpy as np

from . import iq_image as mirror
from .image import COLUMNS
from .sums import FULL_SCALE, real_values

OK_KIND = "ok"
NOT_A_NUMBER = "not-a-number"
CONSTANT = "constant"
OVERLOAD = "overload"
TOO_WEAK = "too-weak"
NARROW_SPAN = "narrow-span"
CLIPPING = "clipping"
DC_SPUR = "dc-spur"
MIRROR_IMAGE = "mirror-image"
GRAVEST_FIRST = (NOT_A_NUMBER, CONSTANT, OVERLOAD, TOO_WEAK, NARROW_SPAN, CLIPPING, DC_SPUR, MIRROR_IMAGE)

OVERLOAD_FRACTION = 0.01
"""Fraction of values at the rail from which on an input counts as overloaded: its spectrum is that of the clipping."""
CLIPPING_FRACTION = 0.002
"""Share from which on it is said that some are clipped, and the frame is judged all the same."""
RAIL = (0.98, 1.02)
"""Where full scale lies. A stream whose largest value lies outside is not scaled to 1.0..."""
UNSCALED_RAILS = tuple((2**bits - 1) / 32768 for bits in (11, 13))
"""...but 12 and 14 bit converters whose codes were taken for 16 bit ones have a rail of their own."""

FEW_STEPS = 2
FEW_LEVELS = 2 * FEW_STEPS + 1
"""Values of -2..2 steps of the converter at most: less than that is too weak."""
COARSEST_STEP = 1 / 128
"""The step of an 8 bit converter, the coarsest there is; few levels beyond two of them are a choice of the sender."""
DEAD_FRACTION = 0.01
"""Where fewer values than this differ from the most frequent one, nothing can be said about the signal."""
WEAK_DBFS, DEAD_DBFS = -90.0, -150.0
"""Mean power below which a signal is called weak, and below which float32 has no room for its spectrum."""
LARGEST = 1e12
"""Larger than any sample; sums of the powers of what is larger have no room in float32."""
LARGEST_POWER = 2 * LARGEST**2
"""In a pixel, no samples up to `LARGEST` have more."""

SPUR_DB = 6.0
SPUR_PARTS = 8
SPUR_COLUMN = COLUMNS // 2
SPUR_COLUMNS = (SPUR_COLUMN - 1, SPUR_COLUMN + 2)
"""Columns of a spur at zero frequency, the end excluded: the window spreads it to one on either side."""
NEIGHBOURS = 4

VISIBLE_DB = 3.0
"""A I/Q image is reported where it lifts the power by so much..."""
VISIBLE_COLUMNS = 3
"""...in so many columns."""

BLOCK = 1024
BLOCKS = 300
PICKED_VALUES = 4096


@dataclass(frozen=True)
class Health:
    """What is wrong with the input of a frame.

    Attributes:
        kind: `ok`, or the gravest of `GRAVEST_FIRST` that was found.
        text: `ok`, or what is wrong and what to do, in words: all that was found, the gravest first.
        judged: False where nothing may be said about the frame.
    """

    kind: str
    text: str
    judged: bool

    def __str__(self):
        return self.text


OK = Health(OK_KIND, "ok", True)


def check(samples, analysis=None):
    """What is wrong with the samples of a frame.

    Args:
        samples: complex64, shape (n,), or int16 or int8, shape (n, 2).
        analysis: rpmsn.signal.image.Analysis of them; without one, a spur at zero frequency is not looked for.

    Returns:
        Health.
    """
    findings = of_samples(samples)
    if not (_is_finite(samples) if analysis is None else has_finite_power(analysis)):
        findings.append(without_bad_values(samples)[1])
    elif analysis is not None:
        findings += of_spectrum(analysis)
    return combined(findings)


def combined(findings):
    """One Health out of a list of them."""
    if not findings:
        return OK
    ordered = sorted(findings, key=lambda finding: GRAVEST_FIRST.index(finding.kind))
    return Health(
        ordered[0].kind, "; ".join(finding.text for finding in ordered), all(finding.judged for finding in findings)
    )


def of_samples(samples):
    """Findings that levels alone tell: constant, overload, clipping, too weak. Cheap: see the module's docstring.

    Args:
        samples: as of `check`.

    Returns:
        list of Health.
    """
    if _is_constant(samples):
        return [
            Health(
                CONSTANT,
                "all samples are the same: nothing is connected, or the source has stopped; check the "
                "cable and the source",
                False,
            )
        ]
    values, scale = _evenly_spread(samples)
    peak = max(float(values.max()), -float(values.min())) / scale
    found = _clipped(values, scale, peak) or _weak(values, scale, peak)
    return [found] if found else []


def narrow_span(text):
    """The finding that LTE and NR cannot be told apart at a sample rate, in these words."""
    return Health(NARROW_SPAN, text, True)


def has_finite_power(analysis):
    """False where the frame holds values that are not a number, infinite, or absurdly large (`LARGEST`)."""
    return bool(analysis.power.max() <= LARGEST_POWER)  # False for NaN, too


def without_bad_values(samples):
    """Samples with what is not a number, infinite or absurdly large replaced by zero, and how many values that were.

    Args:
        samples: complex64, shape (n,).

    Returns:
        (samples, Health): a copy.
    """
    values = samples.copy().view(np.float32)
    is_good = np.abs(values) <= LARGEST  # False for NaN, too
    values[~is_good] = 0
    return values.view(np.complex64), Health(
        NOT_A_NUMBER,
        f"{np.count_nonzero(~is_good)} values are NaN, infinite or larger than {LARGEST:g}: the source is faulty; "
        "look for a division by zero or a wrong sample format before this block",
        False,
    )


def of_spectrum(analysis, mirrored=None):
    """Findings that the powers of the pixels tell: a spur at zero frequency all the time, and I/Q images.

    Args:
        analysis: rpmsn.signal.image.Analysis.
        mirrored: bool, shape (256,), columns with a I/Q image (`rpmsn.signal.iq_image`); None for none.

    Returns:
        list of Health.
    """
    found = []
    if has_spur(analysis.power):
        found.append(
            Health(
                DC_SPUR,
                "a spike at the centre frequency, as receivers make it themselves (DC offset): "
                "nothing so narrow is reported there; tune a little aside to see it",
                True,
            )
        )
    if mirrored is not None:
        levels = analysis.power[:, mirrored].mean(axis=0)
        if np.count_nonzero(levels > analysis.floor * 10 ** (VISIBLE_DB / 10)) >= VISIBLE_COLUMNS:
            found.append(
                Health(
                    MIRROR_IMAGE,
                    "I/Q images of strong signals, as receivers make them themselves (I/Q "
                    "imbalance): nothing is reported there; tune aside to see what they hide",
                    True,
                )
            )
    return found


def has_spur(power):
    """Whether there is a spur at zero frequency, all the time; `power` is float32, shape (rows, 256), linear."""
    parts = np.array_split(
        power[:, SPUR_COLUMNS[0] - NEIGHBOURS : SPUR_COLUMNS[1] + NEIGHBOURS], min(SPUR_PARTS, len(power))
    )
    spectra = np.array([part.mean(axis=0) for part in parts])
    beside = np.maximum(spectra[:, :NEIGHBOURS].mean(axis=1), spectra[:, -NEIGHBOURS:].mean(axis=1))
    spur = spectra[:, NEIGHBOURS + SPUR_COLUMN - SPUR_COLUMNS[0]]
    return bool((spur > beside * 10 ** (SPUR_DB / 10)).all())


def without_spur(pixels):
    """Pixels with what is beside the centre frequency in place of the receiver's own spur.

    So the spur is not reported, and does not part a carrier that goes on to both sides.
    """
    first, after = SPUR_COLUMNS
    changed = pixels.copy()
    changed[..., first:after] = (pixels[..., first - 1 : first] + pixels[..., after : after + 1]) / 2
    return changed


def without_own_signals(probabilities, mirrored, is_spur, noise):
    """Probabilities without what the receiver makes itself: I/Q images are noise, then a spur is what is beside it.

    Args:
        probabilities: float32, shape (classes, rows, 256).
        mirrored: bool, shape (256,), columns with a I/Q image (`rpmsn.signal.iq_image`).
        is_spur: whether there is a spur at zero frequency (`has_spur`).
        noise: index of the class noise.

    Returns:
        The same, changed only in a copy.
    """
    probabilities = mirror.without_mirrored(probabilities, mirrored, noise)
    return without_spur(probabilities) if is_spur else probabilities


def _clipped(values, scale, peak):
    """The finding of an overload or of clipping; None if there is none."""
    if RAIL[0] <= peak <= RAIL[1]:
        rail = RAIL[0]
    else:
        rail = next((rail for rail in UNSCALED_RAILS if rail <= peak <= rail + 1 / 32768), None)
    if rail is None:
        return None
    share = (np.count_nonzero(values >= rail * scale) + np.count_nonzero(values <= -rail * scale)) / values.size
    if share > OVERLOAD_FRACTION:
        return Health(OVERLOAD, f"overload: {share:.0%} of the values are at the rail; lower the gain", False)
    if share > CLIPPING_FRACTION:
        return Health(CLIPPING, f"clipping: {share:.1%} of the values are at the rail; lower the gain a little", True)
    return None


def _weak(values, scale, peak):
    """The finding of a signal that is too weak; None if it is not."""
    if not peak <= FEW_STEPS * COARSEST_STEP:
        return None
    # An odd distance picks from I and from Q.
    picked = values[..., :: max(1, values.size // PICKED_VALUES) | 1]
    levels, counts = np.unique(picked, return_counts=True)
    if len(levels) <= FEW_LEVELS:
        is_dead = 1 - counts.max() / counts.sum() < DEAD_FRACTION
        return Health(
            TOO_WEAK,
            "level too low: the signal uses no more than two steps of the converter; raise the "
            "gain, or check the antenna",
            not is_dead,
        )
    level = 10 * np.log10(2 * np.mean(np.square(picked, dtype=np.float64)) / scale**2)
    if level < WEAK_DBFS:
        return Health(
            TOO_WEAK,
            f"level too low: {-level:.0f} dB below full scale; raise the gain, or scale the samples "
            "so that full scale is 1.0",
            bool(level >= DEAD_DBFS),
        )
    return None


def _evenly_spread(samples):
    """Values of I and Q in blocks spread evenly over the frame, or all of a short one, and which value is full scale.

    Returns:
        (values, scale): a view, of one or two dimensions.
    """
    values = real_values(samples)
    scale = FULL_SCALE[values.dtype]
    blocks = values.size // BLOCK
    if blocks <= BLOCKS:
        return values, scale
    return values[: blocks * BLOCK].reshape(blocks, BLOCK)[:: blocks // BLOCKS], scale


def _is_constant(samples):
    """Whether all samples are the same one; a look at the first few spares that at the others."""
    return bool((samples[:BLOCK] == samples[0]).all()) and bool((samples == samples[0]).all())


def _is_finite(samples):
    values = real_values(samples)
    # False for NaN, too; no memory is needed.
    return values.dtype.kind == "i" or bool(values.min() >= -LARGEST and values.max() <= LARGEST)
