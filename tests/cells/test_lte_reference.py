# SPDX-License-Identifier: GPL-3.0-or-later
"""LTE is proven by its reference signals in a slice that does not hold the carrier's middle."""

import numpy as np
import pytest
from test_lte_recordings import read

from rpmsn.cells import lte
from rpmsn.cells.looking import Look, Looker
from rpmsn.cells.lte.reference import ReferenceSignals, find_reference_signals
from rpmsn.cells.plan import Hypothesis
from rpmsn.cells.spectrum import Spectrum
from rpmsn.errors import ParameterError
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.lte.downlink import LteDownlink
from rpmsn.synthesis.nr.downlink import NrDownlink

RATE = 7.68e6


def noise(n, power=1.0, seed=2):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 2), np.float32).view(np.complex64)[:, 0] * np.float32(np.sqrt(power / 2))


def downlink(cell_id, n_ms=45, seed=1, snr_db=10, **more):
    """A carrier of 5 MHz whose frame starts 7 ms late, with noise of its density `snr_db` lower."""
    cell = LteDownlink(5e6, cell_id, start_ms=3, **more)
    samples = ofdm.modulate(cell.grid(n_ms, np.random.default_rng(seed)), RATE)
    return samples + noise(len(samples), 10 ** (-snr_db / 10) * RATE / 4.5e6)


@pytest.mark.parametrize("cell_id, ports", [(0, 1), (77, 2), (100, 4), (304, 2), (503, 1), (250, 4)])
@pytest.mark.parametrize("frequency", [-1.4e6, 1.3437e6])
def test_a_slice_names_cell_middle_and_time(cell_id, ports, frequency):
    found = find_reference_signals(downlink(cell_id, ports=ports), RATE, frequency)
    assert found.cell_id == cell_id
    assert found.frequency == pytest.approx(0, abs=300)
    assert found.start_s == pytest.approx(0.007, abs=2e-6)


def test_a_frames_spectrum_serves_as_its_samples_do():
    samples = downlink(77)
    found = find_reference_signals(Spectrum(samples, RATE), RATE, 1.4e6)
    assert found.cell_id == 77 and found.start_s == pytest.approx(0.007, abs=2e-6)
    with pytest.raises(ParameterError, match="spectrum at 7.68e.06 Hz, and sample_rate is 1.536e.07 Hz"):
        find_reference_signals(Spectrum(samples, RATE), 2 * RATE, 1.4e6)


@pytest.mark.parametrize("more", [dict(load=0, allocation="idle"), dict(load=1, allocation="full"), dict(tdd_config=2)])
def test_idle_busy_and_tdd_cells_are_found(more):
    found = find_reference_signals(downlink(131, **more), RATE, 1.4e6)
    assert found.cell_id == 131


def test_a_clock_that_is_off_does_not_hide_a_cell():
    samples = downlink(9, n_ms=60)
    times = np.arange(int(len(samples) * 0.999)) * (1 + 40e-6)
    late = np.interp(times, np.arange(len(samples)), samples).astype(np.complex64)
    assert find_reference_signals(late, RATE, -1.4e6).cell_id == 9


def test_a_weak_cell_is_found_in_more_time():
    found = find_reference_signals(downlink(9, n_ms=200, snr_db=-6), RATE, -1.4e6)
    assert found.cell_id == 9


@pytest.mark.parametrize("seed", range(3))
def test_noise_and_nr_have_none(seed):
    assert find_reference_signals(noise(int(0.06 * RATE), seed=seed), RATE) is None
    nr = NrDownlink.random(np.random.default_rng(seed), bandwidth_hz=20e6, subcarrier_spacing=15e3)
    samples = ofdm.modulate(nr.grid(50, np.random.default_rng(seed)), 30.72e6)
    for frequency in (-3e6, 1.23e6):
        assert find_reference_signals(samples, 30.72e6, frequency) is None


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(400_000), np.ones(400_000), np.full(400_000, np.nan)])
def test_silence_and_values_that_are_not_finite_have_none(samples):
    assert find_reference_signals(samples.astype(np.complex64), RATE) is None


@pytest.mark.parametrize("cycles", [0.01, 0.0123, 0.0625])
def test_a_tone_is_no_cell(cycles):
    tone = np.exp(2j * np.pi * cycles * np.arange(400_000)).astype(np.complex64)
    assert find_reference_signals(tone, RATE) is None


@pytest.mark.parametrize("milliseconds", [3, 12, 20])
def test_less_than_two_frames_prove_nothing(milliseconds):
    assert find_reference_signals(downlink(5)[: int(milliseconds * RATE / 1e3)], RATE, 1.4e6) is None


def test_a_gap_gives_the_right_cell_or_none():
    samples = downlink(250, n_ms=80)
    joined = np.concatenate([samples[: len(samples) // 2], samples[len(samples) // 2 + 12345 :]])
    found = find_reference_signals(joined, RATE, 1.4e6)
    assert found is None or found.cell_id == 250


@pytest.mark.parametrize(
    "name, frequencies, middle, cells",
    [
        ("lte20_enb_idle", (-7e6, 2.2e6), 0, {65}),
        ("ota_lte15_1867.5MHz", (-4e6, 1.9e6, 6.1e6), 26.5e3, {54}),
        ("ota_lte20_1815.3MHz", (-7e6, 1.9e6, 6.1e6), 14.2e3, {301}),
        ("ota_lte20_tdd_2360MHz", (-7e6, 3.3e6), 31.8e3, {30, 31}),  # two sectors
        ("hackrf_lte20_tdd_2360_hidden", (-7e6, 6.1e6), 31e3, {363}),
        # The lower edge of the carrier that is in `rtl_lte10_816`.
        ("rtl_lte_gap_811", (0.0,), 4.955e6, {57}),
    ],
)
def test_slices_of_recordings_are_proven(name, frequencies, middle, cells):
    samples, rate, _ = read(name)
    for frequency in frequencies:
        found = find_reference_signals(samples, rate, frequency)
        assert found.cell_id in cells
        assert found.frequency == pytest.approx(middle, abs=1e3)


@pytest.mark.parametrize("name", ["nr20_fdd15_load60", "nr40_tdd30_load20", "ota_noise_2646MHz",
                                  "rtl_noise_826", "wmbus_2M4_868", "ota_overloaded_806MHz"])  # fmt: skip
def test_recordings_without_lte_have_none(name):
    samples, rate, _ = read(name)
    for frequency in np.arange(-0.4, 0.5, 0.2) * (rate - 1.9e6):
        assert find_reference_signals(samples[: int(0.05 * rate)], rate, frequency) is None


@pytest.mark.parametrize("arguments, words", [
    (dict(sample_rate=1.4e6), "sample_rate is 1.4e.06 Hz; choose 1.92e.06"),
    (dict(frequency=5e6), "frequency is 5e.06 Hz; choose one within"),
    (dict(frequency=float("nan")), "frequency is nan"),
    (dict(samples=np.zeros((2, 300_000), np.complex64)), "one row of complex values"),
])  # fmt: skip
def test_a_wrong_value_is_refused_with_a_sentence(arguments, words):
    with pytest.raises(ParameterError, match=words):
        find_reference_signals(**{"samples": np.zeros(300_000, np.complex64), "sample_rate": RATE, **arguments})


@pytest.mark.parametrize("centre", [0.4e6, -2.9e6])
def test_a_slice_whose_centre_is_in_view_is_believed_where_its_pss_is_there(centre, monkeypatch):
    said = ReferenceSignals(301, centre, 0.0, 100.0, 3.0, 0.0)
    monkeypatch.setattr(lte, "find_reference_signals", lambda *_: said)
    noise = np.random.default_rng(1).standard_normal((76800, 2)).astype(np.float32)
    search = Hypothesis("LTE", (1810.3e6,), 0.0, 15e3, 1, False, 0.0, is_slice=True)
    (finding,) = Looker(Look([noise.view(np.complex64)[:, 0]], 0, 1.92e6, 1810e6)).findings([search])
    found = [(proof.cell.cell_id, proof.frequency, proof.slice_frequency) for proof in finding.proofs]
    assert found == ([] if centre == 0.4e6 else [(301, 1810e6 + centre, 1810.3e6)])
