# SPDX-License-Identifier: GPL-3.0-or-later
"""The OFDM modulator: a resource grid becomes samples straight at the capture's rate."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import floor

import numpy as np
import scipy.fft

from ..errors import ParameterError
from .grid import ResourceGrid

CHIPS_PER_MS = 30_720
"""Time unit of the prefix lengths below: 1/30.72 MHz."""

PREFIX, LONG_PREFIX_EXTRA, USEFUL = 144, 16, 2048
"""Chips at 15 kHz: normal cyclic prefix, what the first symbol of each 0.5 ms has more, useful part of a symbol."""

EXTENDED_PREFIX = 512
"""Chips at 15 kHz: extended cyclic prefix."""

EXTENDED_SYMBOLS_PER_MS = 12

CONTROL_SYMBOLS = 2
"""Rows of a slot with extended prefix that keep the normal one: the control region of an LTE MBSFN subframe."""

MAX_OVERSAMPLING = 3


def symbol_starts(subcarrier_spacing: float) -> tuple[list[Fraction], list[Fraction]]:
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
    return _seconds(starts), _seconds(useful)


def extended_symbol_starts() -> tuple[list[Fraction], list[Fraction]]:
    """When the 12 symbols of an LTE subframe with extended cyclic prefix begin (15 kHz): TS 36.211 6.12.

    Returns:
        As `symbol_starts`.
    """
    starts = [(EXTENDED_PREFIX + USEFUL) * symbol for symbol in range(EXTENDED_SYMBOLS_PER_MS)]
    return _seconds(starts), _seconds([start + EXTENDED_PREFIX for start in starts])


def _seconds(chips):
    return [Fraction(count) / (1000 * CHIPS_PER_MS) for count in chips]


def modulate(
    grid: ResourceGrid,
    sample_rate: float,
    offset_hz: float = 0.0,
    gains: np.ndarray | np.generic | None = None,
    ramp: float = 0.0,
) -> np.ndarray:
    """Samples of a carrier, as if it were mixed to `offset_hz` and filtered ideally to the span.

    Each symbol is one inverse FFT; starts of symbols are their exact times rounded to samples, so a millisecond has
    exactly sample_rate / 1000 samples.

    Args:
        grid: `ResourceGrid`, n_symbols a whole number of milliseconds.
        sample_rate: Hz, a multiple of the subcarrier spacing, or of a third of it (20 Msps, at three times the cost).
        offset_hz: where the carrier's centre goes, rounded to a whole subcarrier; what leaves the span is dropped.
        gains: complex, broadcast to grid.symbols: the channel's gain of every symbol and subcarrier.
        ramp: fraction of the (normal) cyclic prefix, 0..1, over which one symbol fades into the next (raised cosine),
            as transmitters do to keep their out-of-band emission low.

    Returns:
        complex64, shape (sample_rate * grid.duration_s,); mean power 1 if every resource element is used and inside
        the span.

    Raises:
        ParameterError: the sample rate does not fit the subcarrier spacing; ramp is not within 0..1.
    """
    if not 0 <= ramp <= 1:
        raise ParameterError(f"ramp is {ramp}; choose a fraction of the cyclic prefix from 0 to 1")
    spacing = grid.subcarrier_spacing
    factor = oversampling(sample_rate, spacing)
    rate = round(sample_rate) * factor
    bins = grid.subcarrier_offsets + round(offset_hz / spacing)
    inside = _span(bins + 0.5 * grid.half_subcarrier_shift, sample_rate / spacing)
    symbols = grid.symbols if gains is None else grid.symbols * gains
    by_place = symbols.reshape(-1, grid.symbols_per_ms, symbols.shape[1])[:, :, inside]
    fade = int(ramp * _shortest_prefix(spacing, rate))
    pulse = _Pulse(rate, spacing, bins[inside], grid.half_subcarrier_shift, fade, 1 / np.sqrt(symbols.shape[1]))
    samples = _assemble(by_place, grid.extended_prefix, round(offset_hz / spacing), pulse)
    return samples if factor == 1 else samples[::factor].copy()


def oversampling(sample_rate: float, subcarrier_spacing: float) -> int:
    """The smallest factor that brings the rate to a whole number of subcarriers.

    Raises:
        ParameterError: no factor does.
    """
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


@dataclass(frozen=True)
class _Pulse:
    """How a symbol's subcarriers become samples.

    Attributes:
        rate: samples a second.
        subcarrier_spacing: Hz.
        bins: of the FFT, ascending from the lowest subcarrier on, negative below the span's centre.
        half_shift: subcarriers lie half a spacing higher.
        fade: samples in which a symbol rises, and falls after its useful part; no more than any cyclic prefix.
        scale: factor on all.
    """

    rate: int
    subcarrier_spacing: float
    bins: np.ndarray
    half_shift: bool
    fade: int
    scale: float

    @property
    def n_fft(self) -> int:
        """Samples of a symbol's useful part."""
        return round(self.rate / self.subcarrier_spacing)

    def waves(self, symbols: np.ndarray, phase: complex) -> np.ndarray:
        """Useful parts (n, n_fft) of symbols (n, n_bins), turned by a phase (a complex number of modulus 1)."""
        spectrum = np.zeros((len(symbols), self.n_fft), np.complex64)
        for part in self._chunks():
            place = slice(self.bins[part][0] % self.n_fft, self.bins[part][-1] % self.n_fft + 1)
            np.multiply(symbols[:, part], np.complex64(phase * self.scale), out=spectrum[:, place])
        waves = scipy.fft.ifft(spectrum, axis=1, norm="forward", overwrite_x=True)
        if self.half_shift:
            waves *= _half_cycle(self.n_fft)
        return waves

    def _chunks(self):
        """Slices of the bins within which they are neighbours: between them lie DC and the end of the FFT."""
        ends = np.flatnonzero(np.diff(self.bins % self.n_fft) != 1) + 1
        edges = [0, *ends, self.bins.size]
        return [slice(*pair) for pair in zip(edges[:-1], edges[1:]) if pair[0] < pair[1]]

    def add(self, samples: np.ndarray, rows: np.ndarray, start: int, useful: int, waves: np.ndarray) -> None:
        """Add symbols to their milliseconds.

        Args:
            samples: shape (n_ms, samples a ms), 0 where the symbols go, are changed.
            rows: indices of the milliseconds that have the symbol.
            start, useful: where its prefix and its useful part begin, in samples.
            waves: useful parts, (n, n_fft).
        """
        fade = self.fade
        tail = waves[:, self.n_fft - (useful - start) :]
        # Half a cycle too few or too many: what comes before the useful part has the opposite sign of its end.
        prefix = -tail if self.half_shift else tail
        samples[rows, start + fade : useful] = prefix[:, fade:]
        samples[rows, useful : useful + self.n_fft] = waves
        if fade:
            rise = _raised_cosine(fade)
            samples[rows, start : start + fade] += prefix[:, :fade] * rise
            self._add_fall(samples, rows, useful + self.n_fft, waves[:, :fade] * rise[::-1])

    def _add_fall(self, samples, rows, start, fall):
        """Add what continues after the useful parts; after a millisecond's last one it belongs to the next."""
        if start == samples.shape[1]:
            rows, start = rows + 1, 0
        samples[rows, start : start + fall.shape[1]] += -fall if self.half_shift else fall


def _assemble(symbols, extended_prefix, shift, pulse):
    """Symbols (n_ms, symbols a ms, n bins), mixed up by `shift` subcarriers -> samples (n_ms * samples a ms,)."""
    # One row more than needed: the last symbol's ramp runs into it.
    samples = np.zeros((len(symbols) + 1, pulse.rate // 1000), np.complex64)
    for place, rows, start, useful in _timetable(_sent(symbols), extended_prefix, pulse):
        phase = _mixer_phase(pulse, shift, useful)
        pulse.add(samples, rows, start, useful, pulse.waves(symbols[rows, place], phase))
    return samples[:-1].reshape(-1)


def _sent(symbols):
    """bool (n_ms, symbols a ms): symbols with any energy."""
    parts = symbols.view(symbols.real.dtype)
    return np.einsum("msk,msk->ms", parts, parts) > 0


def _timetable(sent, extended_prefix, pulse):
    """What to send when.

    Args:
        sent: bool (n_ms, symbols a ms): symbols with any energy.
        extended_prefix: bool (n_ms,) or None.

    Yields:
        (place in the millisecond, indices of milliseconds, start, useful), the last two in samples.
    """
    extended = np.zeros(len(sent), bool) if extended_prefix is None else extended_prefix
    for place, (start, useful) in enumerate(_samples(symbol_starts(pulse.subcarrier_spacing), pulse.rate)):
        rows = np.flatnonzero(sent[:, place] & ~(extended & (place >= CONTROL_SYMBOLS)))
        if rows.size:
            yield place, rows, start, useful
    if extended.any():
        times = _samples(extended_symbol_starts(), pulse.rate)
        for place, (start, useful) in list(enumerate(times))[CONTROL_SYMBOLS:]:
            rows = np.flatnonzero(sent[:, place] & extended)
            if rows.size:
                yield place, rows, start, useful


def _samples(times, rate):
    """Pairs (start, useful) in samples; halves go up, so that a symbol is never a sample longer than its FFT."""
    return [tuple(floor(time * rate + Fraction(1, 2)) for time in pair) for pair in zip(*times)]


def _shortest_prefix(subcarrier_spacing, rate):
    """Samples of the shortest normal cyclic prefix."""
    return min(useful - start for start, useful in _samples(symbol_starts(subcarrier_spacing), rate))


def _mixer_phase(pulse, shift, useful):
    """Phase factor of a mixer at shift subcarriers where a useful part begins, `useful` samples into a millisecond.

    It is the same in each millisecond, because a subcarrier's frequency is a whole number of cycles a millisecond.
    """
    cycles = useful * shift * round(pulse.subcarrier_spacing) % pulse.rate / pulse.rate
    return np.exp(2j * np.pi * cycles)


@lru_cache(maxsize=8)
def _half_cycle(n):
    """Half a cycle of a complex tone over n samples, complex64: moves a spectrum up by half a bin."""
    return np.exp(1j * np.pi * np.arange(n) / n).astype(np.complex64)


@lru_cache(maxsize=64)
def _raised_cosine(n):
    """A rise from 0 to 1 over n samples, float32; it and its reverse add to 1."""
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / n)).astype(np.float32)
