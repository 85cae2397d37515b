# SPDX-License-Identifier: GPL-3.0-or-later
"""An uplink is known by what its terminals send, and nothing else is taken for one."""

import math

import numpy as np
import pytest
from test_lte_absence import noise

from rpmsn.cells.grid import within
from rpmsn.cells.looking import Look, Looker
from rpmsn.cells.plan import Hypothesis
from rpmsn.cells.spectrum import FLAT
from rpmsn.cells.uplink import CYCLES, _seen, find_uplink, reference_excess
from rpmsn.standards.lte import OCCUPIED_HZ
from rpmsn.standards.nr import N_RB
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.channel import fading
from rpmsn.synthesis.lte.downlink import LteDownlink
from rpmsn.synthesis.lte.uplink import LteUplink
from rpmsn.synthesis.nr.downlink import NrDownlink
from rpmsn.synthesis.nr.uplink import NrUplink
from rpmsn.synthesis.other.private import private_ofdm

BASE = 1.92e6
MS = 80


def received(grid, bandwidth, snr_db=15.0, offset=0.0, late=0, seed=1):
    """(samples, width of their band): of a grid, with noise of so many dB less in its band."""
    width = 2 * math.ceil((bandwidth + 2 * abs(offset)) / (2 * FLAT * BASE))
    samples = ofdm.modulate(grid, width * BASE)[late:]
    samples = samples * np.exp(2j * np.pi * offset / (width * BASE) * np.arange(len(samples))).astype(np.complex64)
    power = np.mean(np.abs(samples) ** 2) * 10 ** (-snr_db / 10) * width * BASE / bandwidth
    return samples + noise(len(samples), power, seed), width


def search(grid, bandwidth, offset=0.0, **arguments):
    samples, width = received(grid, bandwidth, offset=offset, **arguments)
    return find_uplink(samples, width, (offset - bandwidth / 2, offset + bandwidth / 2))


PART = -2.25e6, 2.25e6


def excess_of(samples, width, part):
    return reference_excess(_seen(samples, within(samples, width * BASE, *part), width, part, 15e3).products)


def uplink(bandwidth_hz=5e6, cell_id=306, load=0.35, seed=1, **arguments):
    made = LteUplink(bandwidth_hz=bandwidth_hz, cell_id=cell_id, load=load, **arguments)
    return made.grid(MS, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("bandwidth_hz", "cell_id", "snr_db", "offset"),
    [
        (1.4e6, 7, 15.0, 0.0),
        (3e6, 29, 10.0, 3.1e3),
        (5e6, 306, 0.0, -471.3e3),
        (10e6, 44, 10.0, 0.0),
        (20e6, 15, 20.0, 0.0),
    ],
)
def test_a_group_is_found_whatever_bandwidth_frequency_and_timing(bandwidth_hz, cell_id, snr_db, offset):
    grid = uplink(bandwidth_hz, cell_id, load=1.0 if bandwidth_hz < 2e6 else 0.35, pucch_blocks=2)
    found = search(grid, OCCUPIED_HZ[bandwidth_hz], offset=offset, snr_db=snr_db, late=12345)
    assert found is not None and found.group == cell_id % 30
    if found.edges is not None:
        middle = offset - OCCUPIED_HZ[bandwidth_hz] / 2
        assert found.edges == pytest.approx((middle, middle + OCCUPIED_HZ[bandwidth_hz]), abs=400)
        assert found.channel_bandwidth == bandwidth_hz


@pytest.mark.parametrize("bandwidth_hz", OCCUPIED_HZ)
@pytest.mark.parametrize("pucch_blocks", [2, 10])
def test_its_pucch_says_where_it_ends_though_nothing_else_is_sent_and_a_part_is_looked_at(bandwidth_hz, pucch_blocks):
    pucch_blocks = min(pucch_blocks, 4) if bandwidth_hz < 2e6 else pucch_blocks
    occupied, snr_db = OCCUPIED_HZ[bandwidth_hz], 0.0
    grid = uplink(bandwidth_hz, 44, load=0.0, srs_period_ms=None, pucch_blocks=pucch_blocks, pucch_load=0.5)
    samples, width = received(grid, occupied, snr_db, offset=10e3)
    for part in ((-occupied / 2, occupied / 2), (-occupied / 2, occupied / 4)):
        found = find_uplink(samples, width, part, (-occupied / 2 - 0.1e6, occupied / 2 + 0.1e6))
        assert found is not None and (found.group, found.channel_bandwidth) == (14, bandwidth_hz)
        assert found.edges == pytest.approx((10e3 - occupied / 2, 10e3 + occupied / 2), abs=400)


def test_fading_and_a_tdd_network_do_not_hide_it():
    grid = uplink(cell_id=11, tdd_config=1, load=0.6)
    samples, width = received(grid, 4.5e6, snr_db=15.0)
    rng = np.random.default_rng(2)
    faded = fading.in_time(samples, width * BASE, profile="ETU", doppler_hz=70.0, delay_spread_s=0.0, rng=rng)
    found = find_uplink(faded, width, (-2.25e6, 2.25e6))
    assert found is not None and found.group == 11


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("load", [0.0, 0.6])
def test_a_downlinks_pss_is_no_uplink(seed, load):
    grid = LteDownlink(1.4e6, 77 + seed, load=load).grid(MS, np.random.default_rng(seed))
    assert search(grid, 1.08e6, seed=seed) is None


def nr_uplink(bandwidth_hz=10e6, spacing=15e3, cell_id=306, seed=1, **arguments):
    made = NrUplink(bandwidth_hz, spacing, cell_id, **{"load": 0.0, "srs_period_slots": None, **arguments})
    return made.grid(MS, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("bandwidth_hz", "spacing", "cell_id", "snr_db"),
    [(5e6, 15e3, 44, 0.0), (20e6, 15e3, 1007, 10.0), (10e6, 30e3, 0, 0.0), (40e6, 30e3, 329, 20.0)],
)
@pytest.mark.parametrize("load", [0.0, 0.3])
def test_nrs_pucch_says_technology_and_edges(bandwidth_hz, spacing, cell_id, snr_db, load):
    grid = nr_uplink(bandwidth_hz, spacing, cell_id, load=load)
    occupied, offset = N_RB[spacing][bandwidth_hz] * 12 * spacing, 7e3
    # The middle of an NR carrier with an odd number of resource blocks is half a block, or subcarrier, beside.
    samples, width = received(grid, occupied + 0.2e6, snr_db, offset, late=12345)
    part = offset - occupied / 2, offset + occupied / 4
    found = find_uplink(samples, width, part, (part[0] - 0.1e6, part[1] + occupied / 4 + 0.1e6))
    assert found is not None and (found.technology, found.group) == ("NR", cell_id % 30)
    assert found.channel_bandwidth == bandwidth_hz
    assert found.edges == pytest.approx((offset - occupied / 2, offset + occupied / 2), abs=spacing / 2 + 400)


def test_blocks_of_a_pucch_that_are_weak_alone_are_taken_together():
    grid = nr_uplink(cell_id=72, pucch_blocks=3, pucch_load=2.5, pucch_long=0.0, seed=0)
    samples, width = received(grid, 9.36e6, snr_db=10.0)
    samples = samples[: len(samples) // 2]
    found = find_uplink(samples, width, (-4.68e6, 2e6), (-5e6, 5e6))
    assert found is not None and (found.technology, found.group, found.channel_bandwidth) == ("NR", 12, 10e6)


@pytest.mark.parametrize("ports", [1, 2])
def test_reference_signals_of_an_idle_lte_downlink_are_no_pucch_though_they_look_like_one_group_everywhere(ports):
    grid = LteDownlink(20e6, 214, ports=ports, load=0.0).grid(MS, np.random.default_rng(1))
    for bandwidth in (18e6, 9e6):
        samples, width = received(grid, 18e6, snr_db=48.0)
        assert find_uplink(samples, width, (-bandwidth / 2, bandwidth / 2), (-9.1e6, 9.1e6)) is None


def test_a_downlink_of_nr_is_no_uplink_nor_is_nr_an_uplink_of_lte():
    for seed in range(3):
        for spacing, occupied in ((15e3, 9.36e6), (30e3, 8.64e6)):
            grid = NrDownlink(10e6, spacing, seed, load=0.8).grid(MS, np.random.default_rng(seed))
            assert search(grid, occupied, snr_db=40.0, seed=seed) is None
        grid = nr_uplink(5e6, cell_id=seed, load=0.8, pucch_load=0.0, seed=seed)
        assert search(grid, 4.5e6, snr_db=40.0, seed=seed) is None


def is_seen(samples, rate, lower, upper):
    """What a search of a stream says of a band, Hz from the centre."""
    search = Hypothesis("LTE", (), 0.0, 15e3, 2, False, 0.0, band=(lower, upper), uplink="carrier")
    (finding,) = Looker(Look([samples], 0, rate, 0.0)).findings([search])
    assert (finding.proofs, finding.band) == ((), None)
    assert finding.uplink is None or finding.uplink.key == "carrier"
    return finding.uplink is not None


def test_a_search_in_a_wider_stream_finds_it_in_its_band_alone():
    samples, width = received(uplink(), 4.5e6, offset=4e6)
    assert is_seen(samples, width * BASE, 1.75e6, 6.25e6)
    assert not is_seen(samples, width * BASE, -6.25e6, -1.75e6)


def test_what_lies_between_the_subcarriers_of_a_downlink_without_noise_is_no_uplink():
    grid = LteDownlink(20e6, 429, load=0.15).grid(40, np.random.default_rng(1))
    assert search(grid, 18e6, snr_db=90.0) is None


@pytest.mark.parametrize("pilot_every", [0, 6])
def test_noise_and_private_ofdm_are_no_uplink(pilot_every):
    for seed in range(3):
        assert not is_seen(noise(round(MS / 1e3 * 5e6), 1.0, seed), 5e6, -2.25e6, 2.25e6)
        made = private_ofdm(MS / 1e3, np.random.default_rng(seed), n_subcarriers=300, pilot_every=pilot_every)
        samples = made.samples + noise(len(made.samples), 1e-2, seed)
        assert not is_seen(samples, made.sample_rate, made.lower, made.upper)


def test_a_radars_chirps_once_a_slot_are_no_uplink():
    n = round(MS / 1e3 * 3 * BASE)
    t = np.arange(n) / (3 * BASE) % 0.5e-3
    for pulse_s in (30e-6, 60e-6, 100e-6):
        chirps = np.where(t < pulse_s, np.exp(1j * np.pi * 4e6 * (t / pulse_s - 1) * t), 0)
        samples = chirps.astype(np.complex64) + noise(n, 1e-2, 1)
        assert excess_of(samples, 3, PART).mean(axis=0).max() > 3  # they turn as an uplink's do
        assert find_uplink(samples, 3, PART) is None


@pytest.mark.parametrize("samples", [0, 1, 900, 5000])
def test_what_is_too_short_or_too_narrow_shows_nothing(samples):
    assert find_uplink(noise(samples, 1.0, 1), 1, (-0.5e6, 0.5e6)) is None
    for half in (0.2e6, 0.02e6, 1.0, 0.0):
        assert find_uplink(noise(50_000, 1.0, 1), 1, (-half, half)) is None


def test_noise_has_no_excess():
    excess = excess_of(noise(150_000, 1.0, 3), 1, (-0.8e6, 0.8e6))
    assert excess.shape == (excess.shape[0], 7, len(CYCLES)) and len(excess) > 150
    assert abs(excess.mean()) < 0.02
