# SPDX-License-Identifier: GPL-3.0-or-later
"""A transmission at a low rate of its own, and how it is put into a wide span."""

from dataclasses import dataclass, replace
from math import gcd

import numpy as np
import scipy.fft

from .. import phasors

CELLS_PER_MS = 16
"""Time resolution of `Baseband.on_air`, and the unit of time in which both rates have whole numbers of samples."""

UNITS_IN_BLOCK = 8
ROWS = 4
"""Blocks that are transformed at a time: the FFT is twice as fast on four as on one."""
FLAT_TO = 0.46
"""Blocks pass this fraction of a baseband's sample rate on either side of 0 Hz; from there to one half they fall
off."""
MIN_RATE = 3e6
"""Sample rate from which on a block's filter is short enough for its margins."""
SPAN_SKIRT_HZ = 150e3
"""What is cut by the edge of the span fades out over this."""
SHORT = 1 << 19
"""A chunk no longer than this is transformed as a whole."""
LARGEST_BLOCK = 1 << 17


@dataclass
class Baseband:
    """A transmission round 0 Hz at its own sample rate.

    Attributes:
        samples: complex64, shape (n,); mean power 1 over the time on the air.
        sample_rate: Hz.
        lower, upper: edges of the occupied band, Hz.
        on_air: float32, shape (time cells, frequency cells): the fraction of every cell of
            [0, duration] x [lower, upper] that is on the air.
        hops: None, or a list of (first, last, frequency): samples[first:last] are sent that many Hz higher than they
            lie in `samples`, where they keep within `FLAT_TO`. The samples in no hop are not sent.
        level: float32, shape of `on_air`: power of every cell relative to the mean while on the air.
        label: class of the transmission.
    """

    samples: np.ndarray
    sample_rate: float
    lower: float
    upper: float
    on_air: np.ndarray
    hops: list | None = None
    level: np.ndarray = None  # type: ignore[assignment]  # None is filled in
    label: str = "other"

    def __post_init__(self):
        if self.level is None:
            self.level = self.on_air

    @property
    def occupied_bandwidth(self) -> float:
        """Hz in use at a time: the whole band, or the cells that a drifting tone is in."""
        n_bands = self.on_air.shape[1]
        return (self.upper - self.lower) / n_bands * max(1.0, float(self.on_air.sum(axis=1).max()))

    def with_samples(self, samples: np.ndarray) -> "Baseband":
        """The same transmission with other samples, as many as before."""
        return replace(self, samples=samples)


def place(
    baseband: Baseband,
    n_samples: int,
    sample_rate: float,
    offset_hz: float = 0.0,
    out: np.ndarray | None = None,
    amplitude: float = 1.0,
) -> np.ndarray:
    """Bring a `Baseband` to another rate and offset; what falls outside the span is dropped.

    Both are one period of a periodic signal. Long chunks are worked on in blocks, with images and errors more than
    70 dB down; a chunk is transformed as a whole, and exactly, where it is short, has no common unit of time with
    the baseband, or the baseband's band reaches closer to its own edges than `FLAT_TO`.

    Args:
        n_samples: length wanted; `n_samples / sample_rate` is the duration of the baseband.
        offset_hz: frequency of the baseband's 0 Hz; rounded to whole cycles in the chunk.
        out: complex64, shape (n_samples,), that the signal is added to; zeros if not given.
        amplitude: factor on the signal.

    Returns:
        `out`.
    """
    if out is None:
        out = np.zeros(n_samples, np.complex64)
    n_narrow = baseband.samples.size
    if baseband.hops is None:
        _add(out, baseband, sample_rate, offset_hz, amplitude)
    elif len(baseband.hops) == 1 and tuple(baseband.hops[0][:2]) == (0, n_narrow):
        _add(out, baseband, sample_rate, offset_hz + baseband.hops[0][2], amplitude)
    elif baseband.hops:
        centred = np.zeros(n_samples, np.complex64)
        _add(centred, baseband, sample_rate, 0.0, amplitude)
        for first, last, frequency in baseband.hops:
            if abs(offset_hz + frequency) < sample_rate / 2:
                sent = slice(round(first * n_samples / n_narrow), round(last * n_samples / n_narrow))
                turn = phasor(centred[sent].size, (offset_hz + frequency) / sample_rate)
                out[sent] += centred[sent] * turn
    return out


def phasor(n: int, cycles_per_sample: float) -> np.ndarray:
    """exp(2 pi j f i) for i = 0..n - 1, complex64."""
    fine = np.exp(2j * np.pi * cycles_per_sample * np.arange(256)).astype(np.complex64)
    # In double precision up to here, so that the phase is right after millions of samples.
    coarse = np.exp(2j * np.pi * cycles_per_sample * 256.0 * np.arange(-(-n // 256))).astype(np.complex64)
    return np.multiply.outer(coarse, fine).reshape(-1)[:n]


def _add(out, baseband, sample_rate, offset_hz, amplitude):
    """Add samples without hops to `out`."""
    cycles = round(offset_hz * out.size / sample_rate)
    samples = baseband.samples
    n_units = _n_units(out.size, samples.size, out.size / sample_rate)
    if n_units and baseband.sample_rate < MIN_RATE:
        wanted = max(2 * baseband.sample_rate, MIN_RATE) * out.size / sample_rate
        samples = resampled(samples, n_units * scipy.fft.next_fast_len(int(np.ceil(wanted / n_units))))
    elif baseband.hops is None and max(-baseband.lower, baseband.upper) > FLAT_TO * baseband.sample_rate:
        n_units = 0
    if n_units:
        _add_in_blocks(out, samples, n_units, cycles, amplitude, SPAN_SKIRT_HZ / sample_rate)
    else:
        out += resampled(samples, out.size, cycles, amplitude)


def _n_units(n_wide, n_narrow, duration_s):
    """Units of time in which both chunks have whole numbers of samples; 0 if blocks are not to be used."""
    n_units = gcd(gcd(n_wide, n_narrow), max(1, round(duration_s * 1e3 * CELLS_PER_MS)))
    block = UNITS_IN_BLOCK * n_wide // n_units
    return n_units if n_wide > SHORT and n_units >= UNITS_IN_BLOCK and block <= LARGEST_BLOCK else 0


def resampled(samples: np.ndarray, n_wide: int, cycles: int = 0, amplitude: float = 1.0) -> np.ndarray:
    """The whole chunk at another number of samples and shifted by whole cycles; exact."""
    spectrum = scipy.fft.fft(samples) * np.float32(amplitude * n_wide / samples.size)
    source, target = _bins(samples.size, n_wide, cycles)
    wide = np.zeros(n_wide, np.complex64)
    wide[target] = spectrum[source]
    return scipy.fft.ifft(wide, overwrite_x=True)


def _bins(n_narrow, n_wide, shift):
    """(bins of a narrow spectrum that fall into the wide one, bins of the wide one that they fall on)."""
    frequency = np.arange(-(n_narrow // 2), (n_narrow + 1) // 2)
    inside = (frequency + shift >= -(n_wide // 2)) & (frequency + shift < (n_wide + 1) // 2)
    return frequency[inside] % n_narrow, (frequency[inside] + shift) % n_wide


def _add_in_blocks(out, samples, n_units, cycles, amplitude, skirt):
    """Add samples at another rate and frequency, in overlapping blocks of which a unit is thrown away.

    Args:
        cycles: shift in whole cycles of the chunk.
        skirt: width of the fading at the edges of the span, as a fraction of the new sample rate.
    """
    narrow, wide = samples.size // n_units, out.size // n_units
    n_narrow, n_wide, n_kept = UNITS_IN_BLOCK * narrow, UNITS_IN_BLOCK * wide, UNITS_IN_BLOCK - 1
    shift = round(cycles * UNITS_IN_BLOCK / n_units)
    extended = np.concatenate([samples, np.resize(samples, n_narrow)])
    # Whole bins are shifted in the spectrum of the blocks, the rest before.
    rest = (cycles - shift * n_units / UNITS_IN_BLOCK) / n_units
    turn = phasor(n_narrow, rest / narrow)
    source, target = _bins(n_narrow, n_wide, shift)
    weights = (_weights(source, n_narrow, target, n_wide, skirt) * amplitude * n_wide / n_narrow).astype(np.float32)
    runs = _runs(source, target)
    spread = np.zeros((ROWS, n_wide), np.complex64)
    for starts in _chunks_on_air(samples.reshape(n_units, narrow).any(axis=1)):
        blocks = np.stack([extended[start * narrow : start * narrow + n_narrow] for start in starts])
        phase = rest * starts + shift * starts % UNITS_IN_BLOCK / UNITS_IN_BLOCK
        blocks *= turn
        blocks *= np.exp(2j * np.pi * phase).astype(np.complex64)[:, None]
        spectra = scipy.fft.fft(blocks, axis=1, overwrite_x=True)
        spread[...] = 0
        for part, bins, wide_bins in runs:
            np.multiply(spectra[:, bins], weights[part], out=spread[: len(starts), wide_bins])
        shifted = scipy.fft.ifft(spread[: len(starts)], axis=1)
        for start, block in zip(starts, shifted):
            kept = min(n_kept, n_units - start) * wide
            _add_round(out, start * wide + wide // 2, block[wide // 2 : wide // 2 + kept])


def _chunks_on_air(is_sent):
    """First units of the blocks that have anything in them, in arrays of up to `ROWS`."""
    starts = np.arange(0, is_sent.size, UNITS_IN_BLOCK - 1)
    touched = is_sent.take(starts[:, None] + np.arange(UNITS_IN_BLOCK), mode="wrap").any(axis=1)
    return np.split(starts[touched], np.arange(ROWS, np.count_nonzero(touched), ROWS)) if touched.any() else []


def _runs(source, target):
    """Slices of the two arrays, and of the bins in both that they stand for, where the bins follow each other."""
    breaks = np.flatnonzero((np.diff(source) != 1) | (np.diff(target) != 1)) + 1
    edges = [0, *breaks.tolist(), source.size] if source.size else []
    return [
        (
            slice(first, last),
            slice(source[first], source[first] + last - first),
            slice(target[first], target[first] + last - first),
        )
        for first, last in zip(edges, edges[1:])
    ]


def _weights(source, n_narrow, target, n_wide, skirt):
    """Gain of every bin: 1, falling off at both ends of the narrow band and at the edges of the span."""
    inner = np.abs(np.fft.fftfreq(n_narrow, 1.0)[source])
    gain = _fall((inner - FLAT_TO) / (0.5 - FLAT_TO))
    position = np.fft.fftfreq(n_wide, 1.0)[target]
    for edge in (-1, 1):
        if (edge * position).max(initial=0) > 0.5 - 2 / n_wide:
            gain = gain * _fall((edge * position - 0.5 + skirt) / skirt)
    return gain


def _fall(beyond):
    """From 1 at 0 to 0 at 1, smoothly."""
    return np.cos(np.pi / 2 * np.clip(beyond, 0, 1)) ** 2


def _add_round(out, first, part):
    """out[first:first + part.size] += part, where the end is followed by the beginning."""
    room = min(part.size, out.size - first)
    out[first : first + room] += part[:room]
    out[: part.size - room] += part[room:]


def grid(duration_s: float, rate: float) -> tuple[int, float]:
    """(samples, exact rate) at or above `rate`: whole, and quick to transform, in every 1 / `CELLS_PER_MS` ms."""
    n_units = n_cells(duration_s)
    samples = n_units * scipy.fft.next_fast_len(int(np.ceil(round(duration_s * rate / n_units, 6))))
    return samples, samples / duration_s


def unit_phasor(phase: np.ndarray) -> np.ndarray:
    """exp(j phase) as complex64; the phase is wrapped in double precision first."""
    return phasors.of_angles(np.mod(phase, 2 * np.pi).astype(np.float32))


def n_cells(duration_s: float) -> int:
    """Time cells of `Baseband.on_air`."""
    return max(1, int(round(duration_s * 1e3 * CELLS_PER_MS)))


def always(duration_s: float) -> np.ndarray:
    """`on_air` of what never stops."""
    return np.ones((n_cells(duration_s), 1), np.float32)


def cells(sent: np.ndarray, duration_s: float) -> np.ndarray:
    """Fraction of every time cell that is on the air, float32 (cells, 1), from one flag a sample."""
    edges = np.round(np.linspace(0, sent.size, n_cells(duration_s) + 1)).astype(int)
    total = np.concatenate([[0], np.cumsum(sent)])
    return (np.diff(total[edges]) / np.maximum(np.diff(edges), 1)).astype(np.float32)[:, None]
