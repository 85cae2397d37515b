# SPDX-License-Identifier: GPL-3.0-or-later
"""An LTE carrier's width is where its reference signals end, and is not said where no end is in view."""

import numpy as np
import pytest
from test_lte_recordings import read

from rpmsn.cells.finding import BLOCK_SUBCARRIERS, SUBCARRIER_HZ
from rpmsn.cells.looking import Look, Looker
from rpmsn.cells.lte import find_reference_signals, measured_bandwidth
from rpmsn.cells.plan import Hypothesis
from rpmsn.cells.spectrum import Spectrum
from rpmsn.standards.lte import N_RB
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.channel import fading
from rpmsn.synthesis.lte.downlink import LteDownlink
from rpmsn.synthesis.lte.narrowband import NbIotDownlink
from rpmsn.synthesis.nr.downlink import NrDownlink

RATE = 1.92e6
CELL_ID = 77


def half_width(bandwidth):
    return N_RB[bandwidth] * BLOCK_SUBCARRIERS * SUBCARRIER_HZ / 2


def placed(carrier, center, seed=1, profile=None, doppler_hz=5.0):
    """42 ms of a carrier, with a power of 1 in each resource element, as received around a frequency of it."""
    rng = np.random.default_rng(seed)
    grid = carrier.grid(42, rng)
    samples = ofdm.modulate(grid, RATE, -center) * np.float32(np.sqrt(grid.symbols.shape[1]))
    return samples if profile is None else fading.in_time(samples, RATE, profile, doppler_hz, 0.0, rng)


def measure(samples, center, snr_db=10.0, seed=2, start_s=0.0, cell_id=CELL_ID):
    """The bandwidth in samples around a frequency of the carrier; noise as of the SNR of a resource element."""
    noise = np.random.default_rng(seed).standard_normal((len(samples), 2), np.float32).view(np.complex64)[:, 0]
    noise *= np.float32(np.sqrt(RATE / SUBCARRIER_HZ * 10 ** (-snr_db / 10) / 2))
    return measured_bandwidth([Spectrum(samples + noise, RATE)], RATE, cell_id, -center, start_s)


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("bandwidth", N_RB)
def test_each_bandwidth_but_the_narrowest_is_told_at_either_edge(bandwidth, side):
    edge = side * half_width(bandwidth)
    found = measure(placed(LteDownlink(bandwidth, CELL_ID, load=0.5), edge), edge)
    # Six blocks may be the middle of a cell that mutes its other references.
    assert found == (None if bandwidth == 1.4e6 else bandwidth)


@pytest.mark.parametrize("more", [dict(tdd_config=2), dict(ports=4, start_ms=3), dict(load=0, allocation="idle")])
def test_tdd_idle_cells_and_any_time_in_the_frame(more):
    edge = half_width(10e6)
    start_s = 0.007 if "start_ms" in more else 0.0
    assert measure(placed(LteDownlink(10e6, 304, **more), edge), edge, start_s=start_s, cell_id=304) == 10e6


@pytest.mark.parametrize(
    "beside",
    [
        LteDownlink(10e6, 400, load=0.8),
        LteDownlink(10e6, CELL_ID, load=0.8),
        NrDownlink.random(np.random.default_rng(3), bandwidth_hz=10e6, subcarrier_spacing=15e3),
    ],
    ids=["another cell", "the same identity", "NR"],
)
def test_a_neighbour_is_not_the_carrier(beside):
    edge = half_width(10e6)
    samples = placed(LteDownlink(10e6, CELL_ID, load=0.5), edge) + placed(beside, edge - 10e6, seed=5)
    assert measure(samples, edge) == 10e6


def test_nb_iot_in_the_guard_band_is_not_the_carrier():
    edge = half_width(10e6)
    narrow = NbIotDownlink.random(np.random.default_rng(4))
    samples = placed(LteDownlink(10e6, CELL_ID, load=0.5), edge) + placed(narrow, -135e3, seed=5)
    assert measure(samples, edge) == 10e6


@pytest.mark.parametrize("profile, doppler_hz", [("EPA", 5.0), ("ETU", 70.0)])
@pytest.mark.parametrize("bandwidth, looked_at", [(10e6, 5e6), (15e6, 10e6), (20e6, 15e6)])
def test_within_a_carrier_no_fade_is_an_edge(bandwidth, looked_at, profile, doppler_hz):
    place = half_width(looked_at)
    for seed in range(4):
        samples = placed(LteDownlink(bandwidth, CELL_ID, load=0.5), place, seed, profile, doppler_hz)
        assert measure(samples, place, snr_db=5.0 * seed, seed=seed) is None


@pytest.mark.parametrize("seed", range(4))
def test_noise_and_another_cell_have_no_edge(seed):
    edge = half_width(5e6)
    assert measure(np.zeros(int(0.042 * RATE), np.complex64), edge, seed=seed) is None
    assert measure(placed(LteDownlink(5e6, 300), edge, seed), edge, seed=seed) is None


@pytest.mark.parametrize("milliseconds", [0, 3, 9])
def test_less_than_a_frame_says_nothing(milliseconds):
    edge = half_width(5e6)
    samples = placed(LteDownlink(5e6, CELL_ID), edge)[: int(milliseconds * RATE / 1e3)]
    assert measured_bandwidth([Spectrum(samples, RATE)], RATE, CELL_ID, -edge, 0.0) is None


def test_the_end_of_the_span_is_not_the_carriers():
    edge = half_width(10e6)
    samples = placed(LteDownlink(20e6, CELL_ID, load=0.5), edge - 0.8e6)
    assert measure(samples, edge - 0.8e6) is None


@pytest.mark.parametrize(
    "name, slice_at, bandwidth",
    [
        ("rtl_lte_gap_811", 0.0, 10e6),
        ("rtl_lte_edge_nbiot_821", -0.3e6, 10e6),
        ("rtl_lte10_816", 0.0, None),
        ("ota_lte15_1867.5MHz", 6.1e6, 15e6),
    ],
)
def test_edges_in_recordings(name, slice_at, bandwidth):
    samples, rate, _ = read(name)
    spectrum = Spectrum(samples[: int(0.08 * rate)], rate)
    found = find_reference_signals(spectrum, rate, slice_at)
    assert measured_bandwidth([spectrum], rate, found.cell_id, found.frequency, found.start_s) == bandwidth


def test_a_search_in_a_slice_gives_the_carriers_edges():
    edge = half_width(10e6)
    samples = placed(LteDownlink(10e6, CELL_ID, load=0.5), edge).astype(np.complex64)
    search = Hypothesis("LTE", (820.1e6,), 0.0, 15e3, 1, False, 0.0, is_slice=True)
    (finding,) = Looker(Look([samples], 0, RATE, 820.45e6)).findings([search])
    (proof,) = finding.proofs
    assert (proof.cell.evidence, proof.cell.channel_bandwidth) == ("sync", 10e6)
    assert proof.edges == pytest.approx((811.45e6, 820.45e6), abs=300)


def test_a_cell_without_a_broadcast_channel_gets_its_width_from_its_reference_signals():
    rng = np.random.default_rng(7)
    grid = LteDownlink(3e6, CELL_ID, load=0.5).grid(42, rng)
    for first in range(0, len(grid.symbols), 140):
        grid.symbols[first + 7 : first + 11, 54:126] = 0
    samples = ofdm.modulate(grid, 7.68e6)
    samples += 0.3 * rng.standard_normal((len(samples), 2), np.float32).view(np.complex64)[:, 0]
    search = Hypothesis("LTE", (1810e6,), 10e3, 15e3, 1, False, 0.0)
    (finding,) = Looker(Look([samples], 0, 7.68e6, 1810e6)).findings([search])
    (proof,) = finding.proofs
    assert (proof.cell.evidence, proof.cell.cell_id, proof.cell.channel_bandwidth) == ("sync", CELL_ID, 3e6)
