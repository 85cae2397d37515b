# SPDX-License-Identifier: GPL-3.0-or-later
"""Random access preambles of LTE and NR terminals: TS 36.211 5.7, TS 38.211 6.3.3."""

import numpy as np

from ..errors import require
from .checking import require_number
from .other.baseband import Baseband, cells
from .other.ofdm import ofdm_grid, symbol_bodies

TECHNOLOGIES = ("LTE", "NR")
LONG, SHORT = 839, 139
"""Lengths of the sequences."""
CHIP_RATE = 30.72e6
LONG_FORMATS = {"0": (1.25e3, 3168, 1), "1": (1.25e3, 21024, 1), "2": (1.25e3, 6240, 2), "3": (1.25e3, 21024, 2)}
"""LTE: format -> subcarrier spacing (Hz), prefix (1/30.72 MHz), repetitions: TS 36.211 table 5.7.1-1."""
NR_LONG_FORMATS = {"0": (1.25e3, 3168, 1), "1": (1.25e3, 21024, 2), "2": (1.25e3, 4688, 4), "3": (5e3, 3168, 4)}
"""NR: the same, TS 38.211 table 6.3.3.1-1."""
NR_SHORT_FORMATS = {
    "A1": (288, 2), "A2": (576, 4), "A3": (864, 6), "B1": (216, 2), "B2": (360, 4), "B3": (504, 6), "B4": (936, 12),
    "C0": (1240, 1), "C2": (2048, 4),
}  # fmt: skip
"""Format -> prefix at 15 kHz (1/30.72 MHz), repetitions: TS 38.211 table 6.3.3.1-2."""
SPACINGS = (15e3, 30e3)
"""Of short preambles."""


def prach(
    duration_s: float,
    rng: np.random.Generator,
    start_s: float = 0.0,
    technology: str = "LTE",
    preamble: str = "0",
    subcarrier_spacing: float = 15e3,
    period_s: float = 0.01,
    delay_s: float = 0.0,
    chance: float = 0.5,
    spread_db: float = 10.0,
) -> Baseband:
    """Preambles of terminals that turn to a cell, on its occasions; unit power for the strongest.

    Args:
        technology: "LTE" or "NR".
        preamble: format: LTE 0 to 3; NR 0 to 3, A1 to A3, B1 to B4, C0, C2.
        subcarrier_spacing: of NR's short formats, 15e3 or 30e3.
        period_s: from one occasion to the next, 0.001 to 1.
        delay_s: time of an occasion.
        chance: that a terminal sends on an occasion, 0..1.
        spread_db: preambles are up to so much weaker than the strongest, 0..40.
    """
    require("PRACH", "technology", technology, technology in TECHNOLOGIES, "LTE or NR")
    formats = [*LONG_FORMATS] if technology == "LTE" else [*NR_LONG_FORMATS, *NR_SHORT_FORMATS]
    require("PRACH", "preamble", preamble, preamble in formats, ", ".join(formats))
    require("PRACH", "subcarrier_spacing", subcarrier_spacing, subcarrier_spacing in SPACINGS, "15e3 or 30e3")
    require_number("PRACH", "period_s", period_s, 1e-3, 1, "s")
    require_number("PRACH", "delay_s", delay_s, -1e4, 1e4, "s")
    require_number("PRACH", "chance", chance, 0, 1)
    require_number("PRACH", "spread_db", spread_db, 0, 40, "dB")
    n, spacing, prefix_s, repetitions = _shape(technology, preamble, subcarrier_spacing)
    samples, rate, n_fft = ofdm_grid(duration_s, spacing, n)
    prefix = round(prefix_s * rate)
    length = prefix + repetitions * n_fft
    signal, sent = np.zeros(samples, np.complex64), np.zeros(samples, bool)
    first_s, last_s = start_s - delay_s - length / rate, start_s - delay_s + duration_s
    for occasion in range(int(np.ceil(first_s / period_s)), int(np.ceil(last_s / period_s))):
        # The occasion's number decides, so that two chunks have the same terminals.
        draw = np.random.default_rng([occasion % (1 << 32), n, preamble.encode()[0]])
        root, power_db = int(draw.integers(1, n)), -float(draw.uniform(0, spread_db))
        if draw.random() >= chance:
            continue
        first = round((delay_s + occasion * period_s - start_s) * rate)
        inside = np.arange(max(first, 0), min(first + length, samples))
        body = symbol_bodies(_zadoff_chu(n, root)[None], np.arange(n) - n // 2, n_fft)[0]
        signal[inside] = np.float32(10 ** (power_db / 20)) * body[(inside - first - prefix) % n_fft]
        sent[inside] = True
    half = n / 2 * rate / n_fft
    power = cells(np.abs(signal) ** 2, duration_s)
    return Baseband(signal, rate, -half, half, cells(sent, duration_s), level=power, label=technology)


def _shape(technology, preamble, subcarrier_spacing):
    """(length of the sequence, subcarrier spacing in Hz, prefix in s, repetitions)."""
    if preamble in NR_SHORT_FORMATS:
        prefix, repetitions = NR_SHORT_FORMATS[preamble]
        return SHORT, subcarrier_spacing, prefix / CHIP_RATE * 15e3 / subcarrier_spacing, repetitions
    spacing, prefix, repetitions = (LONG_FORMATS if technology == "LTE" else NR_LONG_FORMATS)[preamble]
    return LONG, spacing, prefix / CHIP_RATE, repetitions


def _zadoff_chu(n, root):
    """The sequence of a root, complex64 (n,). Its Fourier transform is one of another root."""
    index = np.arange(n)
    return np.exp(-1j * np.pi * (root * index * (index + 1) % (2 * n)) / n).astype(np.complex64)
