# SPDX-License-Identifier: GPL-3.0-or-later
"""Multipath fading: the tapped delay lines of 3GPP, on a resource grid or on samples.

Every tap is a sum of sinusoids with Jakes' Doppler spectrum, a function of absolute time: two calls with
generators in the same state and times that follow each other give one continuous channel.

A channel has three parameters, in scenes a dictionary:

=================== =====================================================================================
`profile`           a name in `PROFILES`
`doppler_hz`        maximum Doppler shift, 0 (a channel that stands still) to 1000 Hz
`delay_spread_s`    RMS delay spread, 0 to 1e-5 s; only TDL-A to TDL-E use it, the others have their own
=================== =====================================================================================
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from numbers import Real

import numpy as np

from ...errors import require
from .. import phasors
from ..grid import ResourceGrid

_require = partial(require, "a fading channel")

N_SINUSOIDS = 64
"""Sinusoids of a tap. Their sum has a kurtosis of 2 - 1/64, that of a Rayleigh fading tap is 2."""
KNOTS_PER_CYCLE = 12.5
"""`on_grid` computes gains so often in a period of the maximum Doppler shift; cubic in between, to -65 dB."""
STEPS_PER_CYCLE = 50
"""`in_time` does so; linear in between, to -61 dB."""
ROWS, BLOCK = 16, 8192
"""Symbols and samples that are worked on at once, few enough to stay in a processor's cache."""
LOS_DOPPLER = 0.7
"""Doppler shift of the line-of-sight path relative to the maximum (TR 38.901, 7.7.2)."""
MAX_DOPPLER_HZ, MAX_DELAY_SPREAD_S = 1e3, 1e-5


@dataclass(frozen=True)
class Profile:
    """Delays and powers of the taps of a channel.

    `delays` are seconds, or multiples of the wanted RMS delay spread where `scaled` is true. `line_of_sight`: the
    first tap is one steady path.
    """

    delays: tuple
    powers_db: tuple
    scaled: bool = False
    line_of_sight: bool = False


def _fixed(delays_ns, powers_db):
    return Profile(tuple(1e-9 * delay for delay in delays_ns), tuple(powers_db))


PROFILES = {
    "flat": _fixed((0,), (0,)),
    # TS 36.104 tables B.2-2 to B.2-4
    "EPA": _fixed((0, 30, 70, 90, 110, 190, 410), (0, -1, -2, -3, -8, -17.2, -20.8)),
    "EVA": _fixed((0, 30, 150, 310, 370, 710, 1090, 1730, 2510), (0, -1.5, -1.4, -3.6, -0.6, -9.1, -7, -12, -16.9)),
    "ETU": _fixed((0, 50, 120, 200, 230, 500, 1600, 2300, 5000), (-1, -1, -1, 0, 0, 0, -3, -5, -7)),
    # TR 38.901 tables 7.7.2-1 to 7.7.2-5
    "TDL-A": Profile(
        (
            0,
            0.3819,
            0.4025,
            0.5868,
            0.4610,
            0.5375,
            0.6708,
            0.5750,
            0.7618,
            1.5375,
            1.8978,
            2.2242,
            2.1718,
            2.4942,
            2.5119,
            3.0582,
            4.0810,
            4.4579,
            4.5695,
            4.7966,
            5.0066,
            5.3043,
            9.6586,
        ),
        (
            -13.4,
            0,
            -2.2,
            -4,
            -6,
            -8.2,
            -9.9,
            -10.5,
            -7.5,
            -15.9,
            -6.6,
            -16.7,
            -12.4,
            -15.2,
            -10.8,
            -11.3,
            -12.7,
            -16.2,
            -18.3,
            -18.9,
            -16.6,
            -19.9,
            -29.7,
        ),
        scaled=True,
    ),
    "TDL-B": Profile(
        (
            0,
            0.1072,
            0.2155,
            0.2095,
            0.2870,
            0.2986,
            0.3752,
            0.5055,
            0.3681,
            0.3697,
            0.5700,
            0.5283,
            1.1021,
            1.2756,
            1.5474,
            1.7842,
            2.0169,
            2.8294,
            3.0219,
            3.6187,
            4.1067,
            4.2790,
            4.7834,
        ),
        (
            0,
            -2.2,
            -4,
            -3.2,
            -9.8,
            -1.2,
            -3.4,
            -5.2,
            -7.6,
            -3,
            -8.9,
            -9,
            -4.8,
            -5.7,
            -7.5,
            -1.9,
            -7.6,
            -12.2,
            -9.8,
            -11.4,
            -14.9,
            -9.2,
            -11.3,
        ),
        scaled=True,
    ),
    "TDL-C": Profile(
        (
            0,
            0.2099,
            0.2219,
            0.2329,
            0.2176,
            0.6366,
            0.6448,
            0.6560,
            0.6584,
            0.7935,
            0.8213,
            0.9336,
            1.2285,
            1.3083,
            2.1704,
            2.7105,
            4.2589,
            4.6003,
            5.4902,
            5.6077,
            6.3065,
            6.6374,
            7.0427,
            8.6523,
        ),
        (
            -4.4,
            -1.2,
            -3.5,
            -5.2,
            -2.5,
            0,
            -2.2,
            -3.9,
            -7.4,
            -7.1,
            -10.7,
            -11.1,
            -5.1,
            -6.8,
            -8.7,
            -13.2,
            -13.9,
            -13.9,
            -15.8,
            -17.1,
            -16,
            -15.7,
            -21.6,
            -22.8,
        ),
        scaled=True,
    ),
    "TDL-D": Profile(
        (0, 0, 0.035, 0.612, 1.363, 1.405, 1.804, 2.596, 1.775, 4.042, 7.937, 9.424, 9.708, 12.525),
        (-0.2, -13.5, -18.8, -21, -22.8, -17.9, -20.1, -21.9, -22.9, -27.8, -23.6, -24.8, -30, -27.7),
        scaled=True,
        line_of_sight=True,
    ),
    "TDL-E": Profile(
        (
            0,
            0,
            0.5133,
            0.5440,
            0.5630,
            0.5440,
            0.7112,
            1.9092,
            1.9293,
            1.9589,
            2.6426,
            3.7136,
            5.4524,
            12.0034,
            20.6519,
        ),
        (-0.03, -22.03, -15.8, -18.1, -19.8, -22.9, -22.4, -18.6, -20.8, -22.6, -22.3, -25.6, -20.2, -29.8, -29.2),
        scaled=True,
        line_of_sight=True,
    ),
}
"""Name -> `Profile`. EPA, EVA and ETU have delays of their own; TDL-A to TDL-E are scaled to a delay spread."""


def check(channel: dict) -> None:
    """Refuse a dictionary that does not describe a channel.

    Args:
        channel: `profile`, `doppler_hz` and `delay_spread_s`, all three.

    Raises:
        ParameterError: a key is missing or unknown, or a value is out of range.
    """
    names = ("profile", "doppler_hz", "delay_spread_s")
    _require("channel", channel, isinstance(channel, dict) and set(channel) == set(names), f"a mapping of {names}")
    _check_values(**channel)


def _check_values(profile, doppler_hz, delay_spread_s):
    _require("profile", profile, isinstance(profile, str) and profile in PROFILES, ", ".join(PROFILES))
    _require("doppler_hz", doppler_hz, _is_within(doppler_hz, MAX_DOPPLER_HZ), f"0 to {MAX_DOPPLER_HZ:g} Hz")
    _require(
        "delay_spread_s",
        delay_spread_s,
        _is_within(delay_spread_s, MAX_DELAY_SPREAD_S),
        f"0 to {MAX_DELAY_SPREAD_S:g} s",
    )


def _is_within(value, limit):
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) <= limit


def gains(
    times: np.ndarray, profile: str, doppler_hz: float, delay_spread_s: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Gains of all taps at given times.

    Args:
        times: seconds, shape (n,), in any order.
        profile, doppler_hz, delay_spread_s: the channel, see above.
        rng: `numpy.random.Generator`; fixes the realisation.

    Returns:
        (delays, gains): float64 (taps,) in seconds; complex64 (taps, n), of unit mean total power.

    Raises:
        ParameterError: a parameter of the channel is out of range.
    """
    return _gains(np.asarray(times, np.float64), profile, doppler_hz, delay_spread_s, rng, _waves)


def _gains(times, profile, doppler_hz, delay_spread_s, rng, waves):
    """As `gains`; `waves` is `_waves`, or `_even_waves` for times that are evenly spaced."""
    _check_values(profile, doppler_hz, delay_spread_s)
    shape = PROFILES[profile]
    delays = np.array(shape.delays) * (delay_spread_s if shape.scaled else 1.0)
    powers = 10 ** (np.array(shape.powers_db) / 10)
    amplitudes = np.sqrt(powers / powers.sum())
    # Arrivals from all round, evenly spaced from a random first one on: Jakes' spectrum.
    arrival = (np.arange(N_SINUSOIDS) + rng.random((delays.size, 1))) / N_SINUSOIDS
    shifts = doppler_hz * np.cos(2 * np.pi * arrival)
    phases = rng.random((delays.size, N_SINUSOIDS))
    if doppler_hz == 0:
        # Sinusoids that stand still add up to one number; a Gaussian one is Rayleigh exactly, not nearly.
        still = rng.standard_normal((delays.size, 2)) @ np.array([1, 1j]) / np.sqrt(2)
        taps = np.repeat(still[:, None], times.size, axis=1)
    else:
        taps = waves(shifts, phases, times) / np.float32(np.sqrt(N_SINUSOIDS))
    if shape.line_of_sight:
        taps[0] = _phasors(LOS_DOPPLER * doppler_hz * times + phases[0, 0])
    return delays, (amplitudes[:, None] * taps).astype(np.complex64)


def _waves(shifts, phases, times):
    """Sums of sinusoids: frequencies in Hz and phases in cycles, (taps, sinusoids) -> complex64 (taps, times)."""
    taps = np.empty((len(shifts), times.size), np.complex64)
    for tap, shift, phase in zip(taps, shifts, phases):
        _phasors(shift[:, None] * times + phase[:, None]).sum(axis=0, out=tap)
    return taps


def _even_waves(shifts, phases, times):
    """As `_waves` for evenly spaced times, by far fewer sines: those of coarse steps times those of fine steps."""
    n_fine = int(np.ceil(np.sqrt(times.size)))
    coarse = _phasors(shifts[..., None] * times[::n_fine] + phases[..., None])
    fine = _phasors(shifts[..., None] * (times[:n_fine] - times[0]))
    return (coarse.transpose(0, 2, 1) @ fine).reshape(len(shifts), -1)[:, : times.size]


def _phasors(cycles):
    """exp(2 pi j cycles) as complex64; cycles, float64, may be many."""
    return phasors.of_angles((2 * np.pi * (cycles - np.rint(cycles))).astype(np.float32))


def on_grid(
    grid: ResourceGrid,
    profile: str,
    doppler_hz: float,
    delay_spread_s: float,
    rng: np.random.Generator,
    times: np.ndarray | None = None,
) -> ResourceGrid:
    """A resource grid as received over a fading channel: one gain for every symbol and subcarrier.

    Exact while the delays are shorter than the cyclic prefix and the Doppler shift is far below the subcarrier
    spacing. Longer delays fade as they should but leave out the interference between symbols.

    Args:
        grid: `ResourceGrid`, symbols of shape (n_symbols, n_subcarriers).
        profile, doppler_hz, delay_spread_s, rng: as in `gains`.
        times: seconds at which the symbols are sent, ascending, shape (n_symbols,); from 0 on if not given.

    Returns:
        A new `ResourceGrid`.

    Raises:
        ParameterError: a parameter of the channel is out of range.
    """
    times = symbol_times(grid) if times is None else np.asarray(times, np.float64)
    knots = _Knots(times[0], times[-1], doppler_hz)
    delays, taps = _gains(knots.times, profile, doppler_hz, delay_spread_s, rng, _even_waves)
    frequencies = (grid.subcarrier_offsets + 0.5 * grid.half_subcarrier_shift) * grid.subcarrier_spacing
    if not delays.any():
        frequencies = np.zeros(1)  # without delays all subcarriers have one gain
    response = np.ascontiguousarray(taps.T) @ _phasors(-delays[:, None] * frequencies)
    if doppler_hz == 0:
        return replace(grid, symbols=grid.symbols * response)
    faded = np.empty(grid.symbols.shape, np.complex64)
    for rows, first, weights in knots.chunks(times):
        # Weights are real: a product of real numbers for both parts is half the work of a complex one.
        gain = (weights @ response[first : first + 4].view(np.float32)).view(np.complex64)
        np.multiply(grid.symbols[rows], gain, out=faded[rows])
    return replace(grid, symbols=faded)


def symbol_times(grid: ResourceGrid) -> np.ndarray:
    """Seconds at which the symbols of a grid begin, as if all were equally long (they are, within a prefix)."""
    return np.arange(grid.symbols.shape[0]) * (grid.slot_duration_s / 14)


def in_time(
    samples: np.ndarray,
    sample_rate: float,
    profile: str,
    doppler_hz: float,
    delay_spread_s: float,
    rng: np.random.Generator,
    start_s: float = 0.0,
) -> np.ndarray:
    """Samples as received over a fading channel, with tap delays rounded to whole samples.

    Args:
        samples: complex64, shape (n,).
        sample_rate: Hz.
        profile, doppler_hz, delay_spread_s, rng: as in `gains`.
        start_s: time of the first sample; lets chunks follow each other.

    Returns:
        complex64, shape (n,). What comes before the first sample is taken from the end (a circular channel).

    Raises:
        ParameterError: a parameter of the channel is out of range.
    """
    n = len(samples)
    step = int(max(1, min(BLOCK, sample_rate / (STEPS_PER_CYCLE * doppler_hz)))) if doppler_hz else BLOCK
    n_blocks = -(-n // step)
    edges = start_s + step / sample_rate * np.arange(n_blocks + 1)
    delays, taps = _gains(edges, profile, doppler_hz, delay_spread_s, rng, _even_waves)
    lags, taps = _whole_lags(delays, taps, sample_rate)
    before = np.take(samples, np.arange(-lags[-1], 0), mode="wrap")
    after = np.zeros(n_blocks * step - n, np.complex64)
    padded = np.concatenate([before, samples, after]).astype(np.complex64, copy=False)
    # Gains change linearly within a block: one row for its beginning and one for the change, (blocks, 2, lags).
    rows = np.ascontiguousarray(np.stack([taps[:, :-1], np.diff(taps, axis=1)]).transpose(2, 0, 1))
    rise = np.arange(step, dtype=np.float32) / np.float32(step)
    received = np.empty((n_blocks, step), np.complex64)
    for blocks in _groups(n_blocks, max(1, BLOCK // step)):
        delayed = _delayed(padded, lags, step, blocks)
        if doppler_hz == 0:
            received[blocks] = (rows[blocks, :1] @ delayed)[:, 0]
            continue
        parts = rows[blocks] @ delayed
        np.multiply(parts[:, 1], rise, out=received[blocks])
        received[blocks] += parts[:, 0]
    return received.reshape(-1)[:n]


def _groups(n, size):
    return [slice(start, min(n, start + size)) for start in range(0, n, size)]


def _delayed(padded, lags, step, blocks):
    """Blocks of `step` samples as each lag brings them, (blocks, lags, step); `padded` begins max(lags) earlier."""
    start, stop = (lags[-1] + edge * step for edge in (blocks.start, blocks.stop))
    return np.stack([padded[start - lag : stop - lag].reshape(-1, step) for lag in lags], axis=1)


def _whole_lags(delays, taps, sample_rate):
    """Taps at whole samples: lags, ascending, shape (lags,); sums of the gains of each, (lags, n)."""
    lags, lag_of_tap = np.unique(np.round(delays * sample_rate).astype(int), return_inverse=True)
    merged = np.zeros((lags.size, taps.shape[1]), np.complex64)
    np.add.at(merged, lag_of_tap, taps)
    return lags, merged


def band_power(
    times: np.ndarray,
    bandwidth_hz: float,
    profile: str,
    doppler_hz: float,
    delay_spread_s: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Power that a channel passes at given times, as a mean over a band about the centre.

    Taps that are closer than the band resolves fade as one.

    Args:
        times: seconds, shape (n,), in any order.
        bandwidth_hz: width of the band, evenly filled.
        profile, doppler_hz, delay_spread_s, rng: as in `gains`.

    Returns:
        float32, shape (n,); 1 as a mean over realisations.

    Raises:
        ParameterError: a parameter of the channel is out of range.
    """
    delays, taps = gains(times, profile, doppler_hz, delay_spread_s, rng)
    likeness = np.sinc(bandwidth_hz * (delays[:, None] - delays)).astype(np.float32)
    return np.einsum("in,in->n", taps.conj(), likeness @ taps).real


class _Knots:
    """Evenly spaced times at which a channel's gains are computed, and cubic interpolation between them.

    The knots lie on whole multiples of their spacing, so that chunks of one channel join. A channel that stands
    still has one knot and nothing between.

    Attributes:
        times: seconds, shape (n_knots,).
    """

    def __init__(self, first_s: float, last_s: float, doppler_hz: float) -> None:
        self._rate = KNOTS_PER_CYCLE * doppler_hz
        self._first = int(np.floor(first_s * self._rate)) - 1
        last = int(np.floor(last_s * self._rate)) + 2
        self.times = np.arange(self._first, last + 1) / self._rate if doppler_hz else np.zeros(1)

    def chunks(self, times: np.ndarray) -> Iterator[tuple[slice, int, np.ndarray]]:
        """Ascending times in short chunks, none of them across a knot.

        Yields:
            (slice of the times, index of the first of four knots, float32 weights of these knots (times, 4)).
        """
        place = times * self._rate - self._first
        knot = np.floor(place).astype(int)
        weights = _cubic_weights((place - knot).astype(np.float32))
        starts = np.union1d(np.flatnonzero(np.diff(knot)) + 1, np.arange(0, times.size, ROWS))
        for start, stop in zip(starts, [*starts[1:], times.size]):
            yield slice(start, stop), knot[start] - 1, weights[start:stop]


def _cubic_weights(x):
    """Weights of the values at -1, 0, 1 and 2 in the cubic through them (Lagrange's) at x, 0..1: (n, 4)."""
    return np.stack(
        [x * (1 - x) * (x - 2) / 6, (1 - x * x) * (2 - x) / 2, x * (1 + x) * (2 - x) / 2, x * (x * x - 1) / 6], axis=1
    )
