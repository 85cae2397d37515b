# SPDX-License-Identifier: GPL-3.0-or-later
"""Multipath fading: the tapped delay lines of 3GPP, on a resource grid or on samples.

Every tap is a sum of sinusoids with Jakes' Doppler spectrum, a function of absolute time: two calls with
generators in the same state and times that follow each other give one continuous channel.
"""
from dataclasses import dataclass, replace

import numpy as np

from ..errors import ParameterError

N_SINUSOIDS = 16
GAIN_INTERVAL_S = 2.5e-4
"""Spacing at which `in_time` computes gains; interpolated in between (a tenth of a period at 400 Hz)."""
LOS_DOPPLER = 0.7
"""Doppler shift of the line-of-sight path relative to the maximum (TR 38.901, 7.7.2)."""


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
        (0, .3819, .4025, .5868, .4610, .5375, .6708, .5750, .7618, 1.5375, 1.8978, 2.2242, 2.1718, 2.4942, 2.5119,
         3.0582, 4.0810, 4.4579, 4.5695, 4.7966, 5.0066, 5.3043, 9.6586),
        (-13.4, 0, -2.2, -4, -6, -8.2, -9.9, -10.5, -7.5, -15.9, -6.6, -16.7, -12.4, -15.2, -10.8,
         -11.3, -12.7, -16.2, -18.3, -18.9, -16.6, -19.9, -29.7), scaled=True),
    "TDL-B": Profile(
        (0, .1072, .2155, .2095, .2870, .2986, .3752, .5055, .3681, .3697, .5700, .5283, 1.1021, 1.2756, 1.5474,
         1.7842, 2.0169, 2.8294, 3.0219, 3.6187, 4.1067, 4.2790, 4.7834),
        (0, -2.2, -4, -3.2, -9.8, -1.2, -3.4, -5.2, -7.6, -3, -8.9, -9, -4.8, -5.7, -7.5,
         -1.9, -7.6, -12.2, -9.8, -11.4, -14.9, -9.2, -11.3), scaled=True),
    "TDL-C": Profile(
        (0, .2099, .2219, .2329, .2176, .6366, .6448, .6560, .6584, .7935, .8213, .9336, 1.2285, 1.3083, 2.1704,
         2.7105, 4.2589, 4.6003, 5.4902, 5.6077, 6.3065, 6.6374, 7.0427, 8.6523),
        (-4.4, -1.2, -3.5, -5.2, -2.5, 0, -2.2, -3.9, -7.4, -7.1, -10.7, -11.1, -5.1, -6.8, -8.7,
         -13.2, -13.9, -13.9, -15.8, -17.1, -16, -15.7, -21.6, -22.8), scaled=True),
    "TDL-D": Profile(
        (0, 0, .035, .612, 1.363, 1.405, 1.804, 2.596, 1.775, 4.042, 7.937, 9.424, 9.708, 12.525),
        (-.2, -13.5, -18.8, -21, -22.8, -17.9, -20.1, -21.9, -22.9, -27.8, -23.6, -24.8, -30, -27.7),
        scaled=True, line_of_sight=True),
    "TDL-E": Profile(
        (0, 0, .5133, .5440, .5630, .5440, .7112, 1.9092, 1.9293, 1.9589, 2.6426, 3.7136, 5.4524, 12.0034, 20.6519),
        (-.03, -22.03, -15.8, -18.1, -19.8, -22.9, -22.4, -18.6, -20.8, -22.6, -22.3, -25.6, -20.2, -29.8, -29.2),
        scaled=True, line_of_sight=True),
}
"""Name -> `Profile`. EPA, EVA and ETU have delays of their own; TDL-A to TDL-E are scaled to a delay spread."""


def gains(times, profile, doppler_hz, delay_spread_s, rng):
    """Gains of all taps at given times.

    Args:
        times: seconds, shape (n,), in any order.
        profile: a name in `PROFILES`.
        doppler_hz: maximum Doppler shift, 0 for a channel that stands still.
        delay_spread_s: RMS delay spread; only TDL-A to TDL-E use it.
        rng: numpy Generator; fixes the realisation.

    Returns:
        (delays, gains): float64 (taps,) in seconds; complex64 (taps, n), of unit mean total power.
    """
    shape = _profile(profile)
    if doppler_hz < 0 or delay_spread_s < 0:
        raise ParameterError(f"doppler_hz is {doppler_hz} and delay_spread_s {delay_spread_s}; give both as 0 or more")
    delays = np.array(shape.delays) * (delay_spread_s if shape.scaled else 1.0)
    amplitudes = 10 ** (np.array(shape.powers_db) / 20)
    amplitudes /= np.sqrt(np.sum(amplitudes ** 2))
    sinusoids = (delays.size, N_SINUSOIDS)
    arrival = 2 * np.pi * (np.arange(N_SINUSOIDS) + rng.random((delays.size, 1))) / N_SINUSOIDS
    shifts = 2 * np.pi * doppler_hz * np.cos(arrival)
    phases = 2 * np.pi * rng.random(sinusoids)
    if doppler_hz == 0:
        # Sinusoids that stand still add up to one number; a Gaussian one is Rayleigh exactly, not nearly.
        still = rng.standard_normal((delays.size, 2)) @ np.array([1, 1j]) / np.sqrt(2)
        taps = np.repeat(still[:, None], len(times), axis=1)
    else:
        taps = np.zeros((delays.size, len(times)), np.complex64)
        for index in range(N_SINUSOIDS):
            angle = np.mod(shifts[:, index, None] * times + phases[:, index, None], 2 * np.pi).astype(np.float32)
            taps += np.cos(angle) + 1j * np.sin(angle)
        taps /= np.float32(np.sqrt(N_SINUSOIDS))
    if shape.line_of_sight:
        taps[0] = np.exp(1j * (2 * np.pi * LOS_DOPPLER * doppler_hz * np.asarray(times) + phases[0, 0]))
    return delays, (amplitudes[:, None] * taps).astype(np.complex64)


def on_grid(grid, profile, doppler_hz, delay_spread_s, rng, times=None):
    """A resource grid as received over a fading channel: one gain for every symbol and subcarrier.

    Exact while the delays are shorter than the cyclic prefix and the Doppler shift is far below the subcarrier
    spacing. Longer delays fade as they should but leave out the interference between symbols.

    Args:
        grid: `ResourceGrid`, symbols of shape (n_symbols, n_subcarriers).
        times: seconds at which the symbols are sent, shape (n_symbols,); from 0 on if not given.
        profile, doppler_hz, delay_spread_s, rng: as in `gains`.

    Returns:
        A new `ResourceGrid`.
    """
    if times is None:
        times = symbol_times(grid)
    delays, taps = gains(times, profile, doppler_hz, delay_spread_s, rng)
    frequencies = grid.subcarrier_offsets * grid.subcarrier_spacing
    response = np.exp(-2j * np.pi * delays[:, None] * frequencies).astype(np.complex64)
    faded = taps.T @ response
    faded *= grid.symbols
    return replace(grid, symbols=faded)


def symbol_times(grid):
    """Seconds at which the symbols of a grid begin, as if all were equally long (they are, within a prefix)."""
    return np.arange(grid.symbols.shape[0]) * (grid.slot_duration_s / 14)


def in_time(samples, sample_rate, profile, doppler_hz, delay_spread_s, rng, start_s=0.0):
    """Samples as received over a fading channel, with tap delays rounded to whole samples.

    Args:
        samples: complex64, shape (n,).
        start_s: time of the first sample; lets stretches follow each other.
        profile, doppler_hz, delay_spread_s, rng: as in `gains`.

    Returns:
        complex64, shape (n,). What comes before the first sample is taken from the end (a circular channel).
    """
    n = len(samples)
    steps = int(np.ceil(n / sample_rate / GAIN_INTERVAL_S)) + 1
    delays, taps = gains(start_s + GAIN_INTERVAL_S * np.arange(steps), profile, doppler_hz, delay_spread_s, rng)
    lags, tap_of = np.unique(np.round(delays * sample_rate).astype(int), return_inverse=True)
    merged = np.zeros((lags.size, steps), np.complex64)
    np.add.at(merged, tap_of, taps)
    before = int(lags.max())
    padded = np.concatenate([np.take(samples, np.arange(-before, 0), mode="wrap"), samples]).astype(np.complex64)
    received = np.empty(n, np.complex64)
    for step in range(steps - 1):
        first, last = (min(n, int(np.ceil(edge * sample_rate * GAIN_INTERVAL_S))) for edge in (step, step + 1))
        rise = (np.arange(first, last) / (sample_rate * GAIN_INTERVAL_S) - step).astype(np.float32)
        delayed = np.stack([padded[before + first - lag:before + last - lag] for lag in lags])
        # Gains change linearly within an interval: one product for their start, one for their rise.
        start, change = np.stack([merged[:, step], merged[:, step + 1] - merged[:, step]]) @ delayed
        received[first:last] = start + rise * change
    return received


def _profile(name):
    if name not in PROFILES:
        raise ParameterError(f"fading profile {name!r} is unknown; choose one of {', '.join(PROFILES)}")
    return PROFILES[name]
