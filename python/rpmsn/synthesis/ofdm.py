# SPDX-License-Identifier: GPL-3.0-or-later
"""The OFDM modulator: a resource grid becomes samples straight at the capture's rate."""
from fractions import Fraction
from math import floor

import numpy as np
import scipy.fft

from rpmsn.errors import ParameterError

CHIPS_PER_MS = 30_720
"""Time unit of the prefix lengths below: 1/30.72 MHz."""

PREFIX, LONG_PREFIX_EXTRA, USEFUL = 144, 16, 2048
"""Chips at 15 kHz: normal cyclic prefix, what the first symbol of each 0.5 ms has more, useful part of a symbol."""

MAX_OVERSAMPLING = 3


def symbol_starts(subcarrier_spacing):
    """When the symbols of one millisecond begin: TS 36.211 6.12, TS 38.211 5.3.1 (normal cyclic prefix).

    Returns:
        Two lists of `Fraction` seconds, one entry a symbol: start of the cyclic prefix, start of the useful part.
    """
    ratio = round(subcarrier_spacing / 15e3)
    per_half_ms = 7 * ratio
    starts, useful, now = [], [], Fraction(0)
    for symbol in range(2 * per_half_ms):
        extra = LONG_PREFIX_EXTRA if symbol % per_half_ms == 0 else 0
        starts.append(now)
        useful.append(now + Fraction(PREFIX, ratio) + extra)
        now = useful[-1] + Fraction(USEFUL, ratio)
    to_seconds = Fraction(1, 1000 * CHIPS_PER_MS)
    return [chips * to_seconds for chips in starts], [chips * to_seconds for chips in useful]


def modulate(grid, sample_rate, offset_hz=0.0, gains=None, ramp=0.0):
    """Samples of a carrier, as if it were mixed to `offset_hz` and filtered ideally to the span.

    Each symbol is one inverse FFT; starts of symbols are their exact times rounded to samples, so a millisecond has
    exactly sample_rate / 1000 samples.

    Args:
        grid: `ResourceGrid`, n_symbols a whole number of milliseconds.
        sample_rate: Hz, a multiple of the subcarrier spacing, or of a third of it (20 Msps, at three times the cost).
        offset_hz: where the carrier's centre goes, rounded to a whole subcarrier; what leaves the span is dropped.
        gains: complex, broadcast to grid.symbols; the channel's gain of every symbol and subcarrier.
        ramp: share of the cyclic prefix, 0..1, over which one symbol fades into the next (raised cosine), as
            transmitters do to keep their skirts low.

    Returns:
        complex64, shape (sample_rate * grid.duration_s,); mean power 1 if every resource element is used and inside
        the span.

    Raises:
        ParameterError: the sample rate does not fit the subcarrier spacing; ramp is not within 0..1.
    """
    if not 0 <= ramp <= 1:
        raise ParameterError(f"ramp is {ramp}; choose a share of the cyclic prefix from 0 to 1")
    oversampling = _oversampling(sample_rate, grid.subcarrier_spacing)
    rate = round(sample_rate) * oversampling
    shift = round(offset_hz / grid.subcarrier_spacing)
    bins = grid.subcarrier_offsets + shift
    inside = _span(bins, sample_rate / grid.subcarrier_spacing)
    symbols = grid.symbols if gains is None else grid.symbols * gains
    scale = np.float32(1 / np.sqrt(symbols.shape[1]))
    phases = _mixer_phases(grid.subcarrier_spacing, rate, shift) * scale
    by_place = symbols.reshape(-1, len(phases), symbols.shape[1])[:, :, inside]
    samples = _assemble(by_place * phases[:, None], bins[inside], grid.subcarrier_spacing, rate, ramp)
    return samples if oversampling == 1 else samples[::oversampling].copy()


def _oversampling(sample_rate, subcarrier_spacing):
    """The smallest factor that brings the rate to a whole number of subcarriers."""
    for factor in (1, MAX_OVERSAMPLING):
        if sample_rate > 0 and round(sample_rate) == sample_rate and factor * sample_rate % subcarrier_spacing == 0:
            return factor
    raise ParameterError(
        f"sample_rate is {sample_rate} Hz; choose a multiple of the subcarrier spacing, {subcarrier_spacing:g} Hz "
        f"(or of a third of it), such as {max(1, round(sample_rate / subcarrier_spacing)) * subcarrier_spacing:g} Hz"
    )


def _span(bins, n_bins):
    """Slice of the (ascending) bins strictly inside a span of n_bins."""
    return slice(np.searchsorted(bins, -n_bins / 2, side="right"), np.searchsorted(bins, n_bins / 2, side="left"))


def _symbol_samples(subcarrier_spacing, rate):
    """`symbol_starts` in samples; halves go up, so that a symbol is never a sample longer than its FFT."""
    return [[floor(start * rate + Fraction(1, 2)) for start in times] for times in symbol_starts(subcarrier_spacing)]


def _mixer_phases(subcarrier_spacing, rate, shift):
    """Phase of a mixer at shift subcarriers where each useful part of a millisecond begins, complex64.

    It is the same in each millisecond, because a subcarrier's frequency is a whole number of cycles a millisecond.
    """
    _, useful = _symbol_samples(subcarrier_spacing, rate)
    cycles = [start * shift * round(subcarrier_spacing) % rate / rate for start in useful]
    return np.exp(2j * np.pi * np.array(cycles)).astype(np.complex64)


def _assemble(symbols, bins, subcarrier_spacing, rate, ramp):
    """Symbols (n_ms, symbols a ms, n bins) at FFT bins -> samples (rate * n_ms / 1000,)."""
    n_fft = round(rate / subcarrier_spacing)
    starts, useful = _symbol_samples(subcarrier_spacing, rate)
    n_ms, per_ms = symbols.shape[:2]
    # One row more than needed: the last symbol's ramp runs into it.
    samples = np.zeros((n_ms + 1, rate // 1000), np.complex64)
    sent = symbols.any(axis=2)
    for place in range(per_ms):
        rows = np.flatnonzero(sent[:, place])
        spectrum = np.zeros((rows.size, n_fft), np.complex64)
        spectrum[:, bins % n_fft] = symbols[rows, place]
        wave = scipy.fft.ifft(spectrum, axis=1, norm="forward", overwrite_x=True)
        prefix = useful[place] - starts[place]
        fade = round(ramp * prefix)
        body = slice(starts[place] + fade, useful[place])
        samples[rows, body] = wave[:, n_fft - prefix + fade :]
        samples[rows, useful[place] : useful[place] + n_fft] = wave
        if fade:
            rise = _raised_cosine(fade)
            samples[rows, starts[place] : body.start] += wave[:, n_fft - prefix : n_fft - prefix + fade] * rise
            after, start = (rows, starts[place + 1]) if place + 1 < per_ms else (rows + 1, 0)
            samples[after, start : start + fade] += wave[:, :fade] * rise[::-1]
    return samples[:n_ms].reshape(-1)


def _raised_cosine(n):
    """A rise from 0 to 1 over n samples, float32; it and its mirror image add to 1."""
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / n)).astype(np.float32)
