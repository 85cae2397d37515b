# SPDX-License-Identifier: GPL-3.0-or-later
"""NB-IoT carriers are found by their synchronisation signals, in own waveforms and in a reception."""

import numpy as np
import pytest
from test_lte_recordings import read
from test_lte_search import downlink, noise, shifted, with_noise

from rpmsn.cells.lte import find_narrowband_cells
from rpmsn.cells.lte.narrowband import FIRST_SYMBOL, SUBFRAME, signal_wave
from rpmsn.errors import ParameterError
from rpmsn.standards.nbiot import npss, nsss

RATE = 1.92e6


def carrier(cell_id, frames, first_turn=0, parity=0):
    """NPSS, NSSS and nothing else; power 1 while they are sent."""
    samples = np.zeros(frames * 10 * SUBFRAME, np.complex64)
    for frame in range(frames):
        signals = [(5, npss())]
        if frame % 2 == parity:
            signals.append((9, nsss(cell_id, first_turn + frame // 2)))
        for subframe, signal in signals:
            begin = (10 * frame + subframe) * SUBFRAME + FIRST_SYMBOL
            wave = signal_wave(signal)
            samples[begin : begin + len(wave)] = wave * np.float32(np.sqrt(len(wave)))
    return samples


@pytest.mark.parametrize("cell_id, turn, parity", [(0, 0, 0), (200, 3, 1), (300, 1, 0), (503, 2, 1)])
def test_a_narrowband_cell_is_found(cell_id, turn, parity):
    samples = np.roll(shifted(carrier(cell_id, 8, turn, parity), -345e3 - 2345), 3000)
    # 0 dB in each of the 12 subcarriers.
    samples = samples + noise(len(samples), 1.92 / 0.18)
    (cell,) = find_narrowband_cells(samples, RATE, [-345e3])
    assert (cell.technology, cell.cell_id, cell.evidence) == ("NB-IoT", cell_id, "sync")
    assert cell.frequency == pytest.approx(-347_345, abs=30)
    assert cell.start_s == pytest.approx(3000 / RATE, abs=2e-6)
    assert cell.snr_db == pytest.approx(0, abs=1.5)


def test_a_carrier_in_the_guard_band_of_lte_is_found_and_nothing_in_the_lte_carrier():
    lte = downlink(57, n_ms=80, rate=7.68e6, bandwidth_hz=3e6, load=0.5)
    wide = np.fft.fft(carrier(57, 8))
    narrow = np.zeros(len(lte), complex)
    narrow[: len(wide) // 2], narrow[-len(wide) // 2 :] = wide[: len(wide) // 2], wide[-len(wide) // 2 :]
    narrow = 4 * np.fft.ifft(narrow).astype(np.complex64)
    both = with_noise(lte + 0.25 * shifted(narrow, 1.5e6, 7.68e6), 10, 7.68e6)
    (cell,) = find_narrowband_cells(both, 7.68e6, [1.5e6, 0.6e6, -0.9e6])
    assert (cell.cell_id, cell.frequency) == (57, pytest.approx(1.5e6, abs=30))


def test_noise_has_no_narrowband_cell():
    assert find_narrowband_cells(noise(153600), RATE, [0.0, 400e3]) == []


@pytest.mark.parametrize("milliseconds", [0, 3, 15, 25])
def test_a_short_signal_has_the_right_narrowband_cell_or_none(milliseconds):
    samples = with_noise(carrier(88, 4)[: int(1920 * milliseconds)], 10)
    assert {cell.cell_id for cell in find_narrowband_cells(samples, RATE, [0.0])} <= {88}


def test_the_narrowband_carrier_beside_an_lte_carrier_has_its_identity():
    """Guard band of the cell of `rtl_lte10_816`: 4.7025 MHz above its centre."""
    samples, rate, center = read("rtl_lte_edge_nbiot_821")
    (cell,) = find_narrowband_cells(samples, rate, [-345e3], center_frequency=center)
    assert cell.cell_id == 57
    assert center + cell.frequency == pytest.approx(816e6 - 50e3 + 4.7025e6, abs=1e3)


@pytest.mark.parametrize("name", ["rtl_noise_826", "rtl_lte10_816", "rtl_lte_gap_811", "wmbus_2M4_868", "gsm_4M_941"])
def test_recordings_without_one_have_no_narrowband_cell(name):
    samples, rate, center = read(name)
    assert find_narrowband_cells(samples, rate, [-500e3, 0.0, 345e3], center_frequency=center) == []


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(sample_rate=1e6), "sample_rate is 1e.06 Hz"),
        (dict(frequencies=[900e3]), "one of frequencies is 900000 Hz"),
        (dict(tolerance=float("nan")), "tolerance is nan"),
        (dict(samples=np.full(100, np.inf, np.complex64)), "not finite"),
    ],
)
def test_a_wrong_value_of_the_narrowband_search_is_refused(arguments, words):
    given = {"samples": np.zeros(100, np.complex64), "sample_rate": RATE, "frequencies": [0.0], **arguments}
    with pytest.raises(ParameterError, match=words):
        find_narrowband_cells(**given)
