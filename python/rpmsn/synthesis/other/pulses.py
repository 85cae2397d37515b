# SPDX-License-Identifier: GPL-3.0-or-later
"""Pulses: radar, and the impulses of engines and switches."""

from collections.abc import Sequence

import numpy as np

from ...errors import require
from ..channel.noise import white
from ..checking import require_number
from .baseband import FLAT_TO, Baseband, cells, grid, resampled, unit_phasor


def radar(
    duration_s: float,
    rng: np.random.Generator,
    start_s: float = 0.0,
    pulse_s: float | Sequence[float] = 2e-5,
    interval_s: float | Sequence[float] = 1e-3,
    sweep_hz: float = 4e6,
) -> Baseband:
    """Pulses of linear frequency modulation, at a fixed interval or a staggered one.

    Args:
        pulse_s: length of a pulse, or a list of lengths that are used in turn.
        interval_s: from the beginning of a pulse to that of the next, or a list of intervals that are used in turn.
        sweep_hz: band that a pulse sweeps; 0 for a plain pulse.
    """
    pulses = _checked_list("pulse_s", pulse_s, 1e-7, 1.0)
    intervals = _checked_list("interval_s", interval_s, 1e-6, 100.0)
    require("radar", "interval_s", interval_s, intervals.min() > pulses.max(), "intervals longer than all pulses")
    require_number("radar", "sweep_hz", sweep_hz, 0, 200e6, "Hz")
    n_turn = np.lcm(pulses.size, intervals.size)
    begins = np.concatenate([[0], np.cumsum(np.resize(intervals, n_turn))])
    band = max(sweep_hz, 1 / pulses.min())
    samples, rate = grid(duration_s, 2.5 * band)
    since_turn = (start_s + np.arange(samples) / rate) % begins[-1]
    number = np.searchsorted(begins, since_turn, side="right") - 1
    since, length = since_turn - begins[number], np.resize(pulses, n_turn + 1)[number]
    sent = since < length
    signal = np.zeros(samples, np.complex64)
    signal[sent] = unit_phasor(np.pi * sweep_hz / length[sent] * (since[sent] - length[sent] / 2) ** 2)
    return Baseband(signal, rate, -band / 2, band / 2, cells(sent, duration_s))


def _checked_list(name, values, lower, upper):
    """One number or a list of them, in seconds, as an array."""
    values = list(values) if isinstance(values, (list, tuple)) else [values]
    require("radar", name, values, 0 < len(values) <= 64, "a number of seconds or a list of up to 64")
    for value in values:
        require_number("radar", name, value, lower, upper, "s")
    return np.array(values, np.float64)


def impulses(
    duration_s: float,
    rng: np.random.Generator,
    start_s: float = 0.0,
    bandwidth_hz: float = 40e6,
    interval_s: float = 2e-3,
    burst_s: float = 4e-6,
    regular: bool = False,
) -> Baseband:
    """Short bursts of noise across a wide band, as from ignitions and switches.

    Args:
        bandwidth_hz: band that they fill; give the sample rate of the scene to fill its span.
        interval_s: mean time from burst to burst.
        burst_s: length of a burst; its power falls to 5 % within it.
        regular: True for bursts at an even pace (a switching supply), False at random (an engine's, a spark's).
    """
    require_number("impulses", "bandwidth_hz", bandwidth_hz, 1e6, 200e6, "Hz")
    require_number("impulses", "interval_s", interval_s, 1e-5, 10, "s")
    require_number("impulses", "burst_s", burst_s, 5e-7, 1e-3, "s")
    require("impulses", "burst_s", burst_s, burst_s < interval_s, f"less than interval_s, {interval_s} s")
    require("impulses", "regular", regular, regular in (True, False), "True or False")
    samples, rate = grid(duration_s, bandwidth_hz / (2 * FLAT_TO))
    if regular:
        begins = np.arange(np.ceil(start_s / interval_s), (start_s + duration_s) / interval_s) * interval_s - start_s
    else:
        begins = np.sort(rng.random(rng.poisson(duration_s / interval_s))) * duration_s
    sent, signal = np.zeros(samples, bool), np.zeros(samples, np.complex64)
    n_burst = round(burst_s * rate)
    envelope = np.exp(-1.5 * np.arange(n_burst) / n_burst).astype(np.float32)
    for begin in np.round(begins * rate).astype(int):
        # Noise of the band alone, so that nothing is cut off when it is placed.
        burst = resampled(white(max(1, int(2 * FLAT_TO * n_burst)), rng), n_burst) * envelope
        burst /= np.sqrt(np.mean(np.abs(burst) ** 2))
        part = slice(begin, min(begin + n_burst, samples))
        signal[part] = burst[: max(part.stop - begin, 0)]
        sent[part] = True
    return Baseband(signal, rate, -bandwidth_hz / 2, bandwidth_hz / 2, cells(sent, duration_s))
