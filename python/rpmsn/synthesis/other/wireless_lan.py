# SPDX-License-Identifier: GPL-3.0-or-later
"""Wi-Fi of every generation since 802.11a, in every channel width: bursts as a busy or an idle network sends them.

IEEE 802.11-2020 clauses 17 (11a/g), 19 (HT, 11n) and 21 (VHT, 11ac), and 802.11ax clause 27 (HE).
"""

from dataclasses import dataclass

import numpy as np

from ...errors import require
from ...standards.qam import random_qam
from ..checking import require_number
from .baseband import CELLS_PER_MS, Baseband, grid, n_cells
from .ofdm import symbol_bodies

SUBCHANNEL_HZ = 20e6
SPACING_HZ, HE_SPACING_HZ = 312.5e3, 78.125e3
GENERATIONS = {
    "a": (5e6, 10e6, 20e6),
    "n": (20e6, 40e6),
    "ac": (20e6, 40e6, 80e6, 160e6),
    "ax": (20e6, 40e6, 80e6, 160e6),
}
"""Generation -> channel widths, Hz; those of 11a below 20 MHz are its half- and quarter-clocked forms."""

LEGACY_TONES = ((-26, -1), (1, 26))
TONES = {
    ("a", 20e6): LEGACY_TONES,
    ("n", 20e6): ((-28, -1), (1, 28)),
    ("n", 40e6): ((-58, -2), (2, 58)),
    ("ac", 20e6): ((-28, -1), (1, 28)),
    ("ac", 40e6): ((-58, -2), (2, 58)),
    ("ac", 80e6): ((-122, -2), (2, 122)),
    ("ac", 160e6): ((-250, -130), (-126, -6), (6, 126), (130, 250)),
    ("ax", 20e6): ((-122, -2), (2, 122)),
    ("ax", 40e6): ((-244, -3), (3, 244)),
    ("ax", 80e6): ((-500, -3), (3, 500)),
    ("ax", 160e6): ((-1012, -515), (-509, -12), (12, 509), (515, 1012)),
}
"""(generation, width) -> runs of subcarriers with energy: 17.3.5.10, 19.3.7, 21.3.7, 27.3.10."""

SIFS_S, SLOT_S, DIFS_S = 16e-6, 9e-6, 34e-6
"""Pauses in the 5 GHz band: table 17-21."""
CONTENTION_SLOTS = 16
"""A station waits for fewer slots than this, at random: aCWmin of 15."""
LEGACY_PREAMBLE_S = 20e-6
"""Short and long training, signal field: 17.3.3, 17.3.4."""
MORE_PREAMBLE_S = {"a": 0.0, "n": 16e-6, "ac": 20e-6, "ax": 24e-6}
"""Further signal and training fields of one spatial stream, as whole legacy symbols."""
LONGEST_S = {"a": 2e-3, "n": 5.484e-3, "ac": 5.484e-3, "ax": 5.484e-3}
"""Longest time on the air: 4095 octets at 24 Mbit/s; aPPDUMaxTime (tables 19-25, 21-29, 27-54)."""
ACK_S, RTS_S, CTS_S, BEACON_S = 44e-6, 52e-6, 44e-6, 430e-6
"""Frames at 6 Mbit/s: 14, 20 and 14 octets, and a beacon of about 300 octets."""
BEACON_PERIOD_S = 0.1024
PROTECTED_FRACTION = 0.3
"""Exchanges that begin with RTS and CTS."""
HE_GUARDS_S = (0.8e-6, 1.6e-6, 3.2e-6)


@dataclass(frozen=True)
class _Burst:
    """One frame on the air: beginning and length (s), over the whole channel or one 20 MHz of it, as an answer."""

    start_s: float
    length_s: float
    is_data: bool
    is_narrow: bool = False
    is_answer: bool = False


def wlan(
    duration_s: float,
    rng: np.random.Generator,
    start_s: float = 0.0,
    generation: str = "ac",
    bandwidth_hz: float = 20e6,
    busy: float = 0.4,
    mean_burst_s: float = 1e-3,
    answer_db: float = 0.0,
) -> Baseband:
    """Frames of a Wi-Fi network: data, the answers to them, RTS and CTS, beacons.

    Every exchange is [RTS, CTS,] data, answer, with the standard's pauses and a random wait; data last for times of an
    exponential distribution. Answers and RTS are sent by 11a's modulation in every 20 MHz of the channel, beacons in
    the lowest. Training fields are random symbols.

    Args:
        generation: "a" (also 11g), "n", "ac" or "ax".
        bandwidth_hz: 20e6; also 40e6 from "n" on, 80e6 and 160e6 from "ac" on, 5e6 and 10e6 with "a".
        busy: fraction of time on the air that is aimed at, 0 (beacons alone) to 0.95.
        mean_burst_s: mean time on the air of data, 5e-5..5e-3.
        answer_db: power of the answers over that of the data, -40..40 dB.
    """
    require("Wi-Fi", "generation", generation, generation in GENERATIONS, ", ".join(GENERATIONS))
    widths = GENERATIONS[generation]
    allowed = ", ".join(f"{width:g}" for width in widths) + f" with generation {generation!r}"
    require("Wi-Fi", "bandwidth_hz", bandwidth_hz, bandwidth_hz in widths, allowed)
    require_number("Wi-Fi", "busy", busy, 0, 0.95)
    require_number("Wi-Fi", "mean_burst_s", mean_burst_s, 5e-5, 5e-3, "s")
    require_number("Wi-Fi", "answer_db", answer_db, -40, 40, "dB")
    # Slower clocks stretch all: a symbol of the 5 MHz form lasts 16 us.
    stretch = max(1.0, SUBCHANNEL_HZ / bandwidth_hz)
    samples, rate = grid(duration_s, _rate(bandwidth_hz))
    channel = _Channel(generation, bandwidth_hz, stretch, rate)
    signal = np.zeros(samples, np.complex64)
    on_air = np.zeros((n_cells(duration_s), channel.n_subchannels), np.float32)
    level = np.zeros_like(on_air)
    for burst in _bursts(start_s, start_s + duration_s, generation, busy, mean_burst_s, stretch, rng):
        wave = channel.wave(burst, rng)
        power = 10 ** (answer_db * burst.is_answer / 10)
        first = round((burst.start_s - start_s) * rate)
        inside = slice(max(first, 0), min(first + wave.size, samples))
        if inside.stop <= inside.start:
            continue
        signal[inside] = wave[inside.start - first : inside.stop - first] * np.float32(np.sqrt(power))
        column = slice(0, 1) if burst.is_narrow else slice(None)
        sent = _fractions(inside.start / rate, inside.stop / rate, len(on_air))[:, None]
        on_air[:, column] += sent
        level[:, column] += np.float32(power) * sent
    lower, upper = channel.band
    made = Baseband(signal, rate, lower, upper, np.minimum(on_air, 1), level=level)
    # A level of 1 is a power of 1 over the subchannels in use.
    used = (upper - lower) / made.occupied_bandwidth
    return made.with_samples(signal * np.float32(np.sqrt(used)))


def _rate(bandwidth_hz):
    """Samples a second: wide channels reach too close to their edges for their own width."""
    return {5e6: 10e6, 80e6: 100e6, 160e6: 200e6}.get(bandwidth_hz, bandwidth_hz)


def _fractions(first_s, last_s, count):
    """Fraction of every time cell that lies between two times, float32 (count,)."""
    edges = np.arange(count + 1) / (1e3 * CELLS_PER_MS)
    shared = np.minimum(edges[1:], last_s) - np.maximum(edges[:-1], first_s)
    return (np.maximum(shared, 0) * (1e3 * CELLS_PER_MS)).astype(np.float32)


class _Channel:
    """How frames of one network become samples."""

    def __init__(self, generation: str, bandwidth_hz: float, stretch: float, rate: float) -> None:
        self.generation, self.rate, self.stretch = generation, rate, stretch
        self.n_subchannels = max(1, round(bandwidth_hz / SUBCHANNEL_HZ))
        self.spacing = (HE_SPACING_HZ if generation == "ax" else SPACING_HZ) / stretch
        self.tones = _runs(TONES[generation, 20e6 if generation == "a" else bandwidth_hz])
        half = (self.tones[-1] + 0.5) * self.spacing
        self.band = -half, half

    def wave(self, burst: _Burst, rng: np.random.Generator) -> np.ndarray:
        """Samples of a frame, mean power 1 where its whole band is in use."""
        legacy_s = LEGACY_PREAMBLE_S * self.stretch
        if not burst.is_data:
            return self._legacy(burst.length_s, burst.is_narrow, rng)
        legacy_s += MORE_PREAMBLE_S[self.generation]
        head = self._legacy(min(legacy_s, burst.length_s), False, rng)
        guard_s = float(rng.choice(HE_GUARDS_S)) if self.generation == "ax" else 0.8e-6 * self.stretch
        body = self._symbols(burst.length_s - legacy_s, self.tones, self.spacing, guard_s, rng)
        return np.concatenate([head, body])

    def _legacy(self, length_s, is_narrow, rng):
        """11a's modulation in every 20 MHz, or in the lowest."""
        centres = (np.arange(self.n_subchannels) - (self.n_subchannels - 1) / 2) * SUBCHANNEL_HZ
        shifts = np.rint(centres / SPACING_HZ).astype(int)
        tones = (shifts[: 1 if is_narrow else None, None] + _runs(LEGACY_TONES)).ravel()
        spacing = SPACING_HZ / self.stretch
        wave = self._symbols(length_s, tones, spacing, 0.8e-6 * self.stretch, rng)
        return wave * np.float32(np.sqrt(1 / self.n_subchannels if is_narrow else 1.0))

    def _symbols(self, length_s, tones, spacing, guard_s, rng):
        """Random symbols on some subcarriers for a time that is rounded to whole symbols."""
        n_fft, prefix = round(self.rate / spacing), round(guard_s * self.rate)
        count = max(0, round(length_s * self.rate / (n_fft + prefix)))
        bodies = symbol_bodies(random_qam(rng, (count, tones.size), 4), tones, n_fft)
        return np.concatenate([bodies[:, n_fft - prefix :], bodies], axis=1).reshape(-1)


def _runs(runs):
    """All numbers of some runs, the ends included."""
    return np.concatenate([np.arange(first, last + 1) for first, last in runs])


def _bursts(first_s, last_s, generation, busy, mean_burst_s, stretch, rng):
    """Frames in the order of time that touch a stretch of time; beacons wait until the air is free."""
    beacons = np.arange(np.ceil(first_s / BEACON_PERIOD_S), np.ceil(last_s / BEACON_PERIOD_S)) * BEACON_PERIOD_S
    pending: list[float] = list(beacons)
    bursts: list[_Burst] = []
    around_s = SIFS_S + ACK_S + DIFS_S + CONTENTION_SLOTS / 2 * SLOT_S
    idle_s = max((mean_burst_s + ACK_S) * (1 - busy) / busy - around_s + ACK_S, 0.0) if busy else np.inf
    # The air may be taken when the chunk begins.
    now = first_s - float(rng.uniform(0, mean_burst_s)) + (rng.exponential(idle_s) if busy else np.inf)
    while pending or now < last_s:
        if pending and pending[0] <= now:
            start = max(pending.pop(0), bursts[-1].start_s + bursts[-1].length_s + SIFS_S if bursts else first_s)
            bursts.append(_Burst(start, BEACON_S * stretch, is_data=False, is_narrow=True))
            now = max(now, start + BEACON_S * stretch + DIFS_S)
            continue
        exchange = _exchange(now, generation, mean_burst_s, stretch, rng)
        bursts += exchange
        end = exchange[-1].start_s + exchange[-1].length_s
        now = end + DIFS_S + SLOT_S * int(rng.integers(CONTENTION_SLOTS)) + float(rng.exponential(idle_s))
    return bursts


def _exchange(now, generation, mean_burst_s, stretch, rng):
    """Data and its answer, sometimes behind RTS and CTS."""
    shortest = (LEGACY_PREAMBLE_S + MORE_PREAMBLE_S[generation] + 8e-6) * stretch
    length = float(np.clip(rng.exponential(mean_burst_s), shortest, LONGEST_S[generation] * stretch))
    parts = (
        [(RTS_S * stretch, False, False), (CTS_S * stretch, False, True)] if rng.random() < PROTECTED_FRACTION else []
    )
    parts += [(length, True, False), (ACK_S * stretch, False, True)]
    bursts = []
    for length_s, is_data, is_answer in parts:
        bursts.append(_Burst(now, length_s, is_data, is_answer=is_answer))
        now += length_s + SIFS_S
    return bursts
