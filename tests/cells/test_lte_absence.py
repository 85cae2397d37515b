# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a PSS would have to be seen and is not, there is no LTE downlink; where it may be hidden, nothing is said."""

import numpy as np
import pytest
from test_lte_recordings import read

from rpmsn.cells.lte import Absence, LteSearcher
from rpmsn.errors import ParameterError
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.channel import fading
from rpmsn.synthesis.lte.downlink import LteDownlink
from rpmsn.synthesis.nr.downlink import NrDownlink

RATE = 1.92e6


def noise(n, power, seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 2), np.float32).view(np.complex64)[:, 0] * np.float32(np.sqrt(power / 2))


def strength(samples, rate=RATE, tolerance=15e3):
    """Of the PSS in the first 40 ms."""
    searcher = LteSearcher(rate, [0.0], tolerance, 2e9)
    searcher.feed(samples[: int(0.04 * rate)], 0)
    return searcher.pss_strengths()[0]


def lte_look(seed, snr_db, load=0.0):
    rng = np.random.default_rng(seed)
    samples = ofdm.modulate(LteDownlink(1.4e6, 77, load=load).grid(45, rng), RATE)
    samples = fading.in_time(samples, RATE, profile="EVA", doppler_hz=70.0, delay_spread_s=0.0, rng=rng)
    power = np.mean(np.abs(samples) ** 2)
    return samples + noise(len(samples), power * 10 ** (-snr_db / 10) * RATE / 1.08e6, seed)


def test_an_nr_carrier_is_no_lte_downlink():
    absence = Absence()
    for seed in range(3):
        rng = np.random.default_rng(seed)
        nr = NrDownlink(5e6, 15e3, 1, load=0.8, start_ms=40 * seed)
        samples = ofdm.modulate(nr.grid(40, rng), 7.68e6)
        samples = samples + noise(len(samples), 0.1 * 7.68 / 4.5, seed)
        absence.add(strength(samples, 7.68e6), 10.0)
    assert absence.looks == 3
    assert absence.miss_probability < 1e-3


@pytest.mark.parametrize("snr_db", [3.0, 12.0])
def test_a_fading_lte_carrier_is_never_absent(snr_db):
    absence = Absence()
    for seed in range(4):
        absence.add(strength(lte_look(seed, snr_db, load=seed / 4)), snr_db)
        assert absence.looks == 0


@pytest.mark.parametrize("name", ["ota_lte15_1867.5MHz", "ota_lte20_tdd_2360MHz", "rtl_lte20_1815", "rtl_lte10_816"])
def test_the_cells_of_recordings_are_not_absent(name):
    samples, rate, _ = read(name)
    absence = Absence()
    for _ in range(4):
        absence.add(strength(samples, rate, 75e3), 20.0)
    assert absence.miss_probability == 1.0


def test_noise_at_a_low_ratio_says_nothing():
    absence = Absence()
    for _ in range(20):
        absence.add(1.5, 2.9)
    assert absence.looks == 0


def test_a_look_that_shows_a_signal_takes_the_others_back():
    absence = Absence()
    for pss_strength in (2.0, 2.0, 60.0, 2.0, 2.0):
        absence.add(pss_strength, 10.0)
    assert absence.looks == 2


def test_a_look_without_samples_does_not_count():
    searcher = LteSearcher(RATE, [0.0, 1e5])
    assert searcher.pss_strengths() == [0.0, 0.0]
    absence = Absence()
    absence.add(0.0, 20.0)
    assert absence.looks == 0


@pytest.mark.parametrize("values", [(float("nan"), 5.0), (2.0, float("nan")), (-1.0, 5.0)])
def test_what_is_no_number_is_refused(values):
    with pytest.raises(ParameterError, match="choose numbers"):
        Absence().add(*values)
