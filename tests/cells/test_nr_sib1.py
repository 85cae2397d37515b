# SPDX-License-Identifier: GPL-3.0-or-later
"""SIB1 of NR cells is read where it is sent, and nowhere else."""

import numpy as np
import pytest
from nr_signals import nr_cell, received

from rpmsn.cells.nr import find_cells, with_sib1
from rpmsn.cells.spectrum import Spectrum
from rpmsn.recording import open_recording
from rpmsn.standards.nr_sib1 import Carrier, Sib1
from rpmsn.synthesis.channel import fading
from rpmsn.synthesis.nr.downlink import NrDownlink
from rpmsn.synthesis.ofdm import modulate

WIDE = {15e3: 23.04e6, 30e3: 46.08e6}
"""Rates at which all of the carrier is in the samples."""
N_SUBCARRIERS = 106 * 12


def heard_cell(spacing=30e3, snr_db=20, offset=1e3, late=1.234e-3, rate=None, **parameters):
    """(samples, rate, the cell found in them without SIB1)."""
    rate = rate or WIDE[spacing]
    given = dict(sib1=True, duration_ms=25, beams=((0, 0.0),), tdd_pattern="DDDDDDDSUU", ssb_case=None)
    given |= {"ssb_case": "A" if spacing == 15e3 else "C"} | parameters
    samples, frequency, _ = nr_cell(77, spacing, sample_rate=rate, **given)
    # Power of a resource element's noise at a ratio of 1.
    samples = received(samples, rate, snr_db, offset, late, rate / spacing / N_SUBCARRIERS)
    (cell,) = find_cells(samples, rate, [frequency], (spacing,))
    return samples, rate, cell


def read(samples, rate, cell):
    return with_sib1([Spectrum(samples, rate)], rate, cell)


@pytest.mark.parametrize("spacing", [15e3, 30e3])
@pytest.mark.parametrize("dmrs_first, search_space_zero", [(2, 0), (3, 12)])
def test_sib1_says_whose_cell_it_is_and_how_wide_its_carrier(spacing, dmrs_first, search_space_zero):
    parameters = dict(dmrs_first=dmrs_first, search_space_zero=search_space_zero)
    samples, rate, cell = heard_cell(spacing, **parameters, tdd_pattern=None if spacing == 15e3 else "DDDDDDDSUU")
    found = read(samples, rate, cell)
    assert found.sib1.plmns == ("00101",) and (found.sib1.tac, found.sib1.nci) == (1, 77)
    assert found.sib1.carriers == (Carrier(0, spacing, 106),)
    assert (found.channel_bandwidth, found.duplex) == ((20e6, "FDD") if spacing == 15e3 else (40e6, "TDD"))
    half = 106 * 12 * spacing / 2
    assert found.sib1_edges(cell.frequency) == pytest.approx((1e3 - half, 1e3 + half), abs=0.04 * spacing)


@pytest.mark.parametrize("coreset_zero, index, case", [(5, 0, "B"), (10, 3, "C"), (14, 7, "B")])
def test_every_width_of_coreset_zero_and_every_beam_is_read(coreset_zero, index, case):
    samples, rate, cell = heard_cell(
        coreset_zero=coreset_zero, beams=((index, 0.0),), ssb_blocks=8, ssb_case=case, search_space_zero=4
    )
    assert read(samples, rate, cell).sib1 is not None


def test_sib1_is_read_in_noise():
    """At 0 dB a resource element."""
    samples, rate, cell = heard_cell(snr_db=0, duration_ms=65)
    assert read(samples, rate, cell).sib1 is not None


@pytest.mark.parametrize("rate, is_read", [(16.2e6, True), (9e6, False)])
def test_of_a_coreset_that_is_not_all_in_view_so_much_as_is_is_used(rate, is_read):
    """It is 17.28 MHz wide."""
    samples, _, cell = heard_cell(rate=46.08e6, coreset_zero=10, offset=0.0)
    center = round(cell.frequency / 30e3) * 30e3
    bins = np.fft.fft(samples * np.exp(-2j * np.pi * center / 46.08e6 * np.arange(len(samples))))
    count = round(len(samples) * rate / 46.08e6 / 2)
    cut = np.fft.ifft(np.r_[bins[:count], bins[-count:]]).astype(np.complex64)
    (cell,) = find_cells(cut, rate, [0.0], (30e3,))
    assert (read(cut, rate, cell).sib1 is not None) == is_read


def test_samples_without_an_occasion_give_nothing():
    samples, rate, cell = heard_cell()
    start = round((cell.start_s + 1e-3) * rate)
    assert read(samples[: start // 2], rate, cell) == cell


def test_noise_in_place_of_the_grant_gives_nothing():
    samples, rate, cell = heard_cell()
    noise = np.random.default_rng(1).standard_normal((len(samples), 2)) @ np.array([1, 1j])
    assert read(noise.astype(np.complex64), rate, cell) == cell
    assert read(np.zeros_like(samples), rate, cell) == cell


def test_a_cell_that_sends_no_sib1_or_whose_mib_is_not_known_is_left_as_it_is():
    samples, rate, cell = heard_cell(sib1=False)
    assert read(samples, rate, cell) == cell


def recorded(folder, name):
    path = folder / f"{name}.sigmf-meta"
    if not path.exists():
        pytest.skip(f"no recording {path}")
    with open_recording(path) as recording:
        rate = recording.sample_rate
        return recording.read(0, recording.sample_count), rate, recording


@pytest.mark.parametrize(
    "folder, name, center, sib1",
    [
        ("captures", "ota_nr20_n78_lab", 3427.5e6, (100, 19088673, 24, 51)),
        ("captures", "ota_nr40_n78_lab", 3427.5e6, (1, 6733824, 6, 106)),
        ("receptions", "ota_nr_n78_3619_a", 3619.2e6, (1, 12345678, 86, 106)),
    ],
)
def test_sib1_of_other_encoders_is_read(captures, folder, name, center, sib1):
    samples, rate, _ = recorded(captures.parent / folder, name)
    (cell,) = find_cells(samples, rate, center_frequency=center)
    tac, nci, offset, blocks = sib1
    assert read(samples, rate, cell).sib1 == Sib1(
        ("00101",), tac, nci, (78,), offset, (Carrier(0, 30e3, blocks),), True
    )


def test_edges_are_those_that_the_recording_s_description_says(captures):
    for name, edges in (("ota_nr20_n78_lab", (3418.32e6, 3436.68e6)), ("ota_nr40_n78_lab", (3408.42e6, 3446.58e6))):
        samples, rate, _ = recorded(captures, name)
        (cell,) = find_cells(samples, rate, center_frequency=3427.5e6)
        found = read(samples, rate, cell)
        assert found.sib1_edges(3427.5e6 + cell.frequency) == pytest.approx(edges, abs=500)


def test_a_grant_that_is_not_of_sib1_gives_nothing(captures):
    """Another encoder's carrier, whose MIB points to a CORESET 0 with grants of users."""
    samples, rate, _ = recorded(captures, "nr40_tdd30_load20")
    (cell,) = find_cells(samples, rate, [9e6], (30e3,))
    assert read(samples, rate, cell) == cell


def test_a_fading_cell_of_any_identity_and_time_is_read():
    rng = np.random.default_rng(3)
    for spacing in (15e3, 30e3):
        cell_id, start_ms = int(rng.integers(1008)), int(rng.integers(1000))
        parameters = dict(beams=((0, 0.0),), style="ssb_only", trs_period_ms=None, search_space_zero=0, sib1=True)
        case, bandwidth = ("A", 20e6) if spacing == 15e3 else ("C", 40e6)
        cell = NrDownlink(bandwidth, spacing, cell_id, start_ms=start_ms, ssb_case=case, **parameters)
        grid = fading.on_grid(cell.grid(45, rng), profile="TDL-C", doppler_hz=10.0, delay_spread_s=300e-9, rng=rng)
        samples = modulate(grid, WIDE[spacing])
        frequency = (cell.ssb_offset + 120 - cell.n_subcarriers / 2) * spacing
        (found,) = find_cells(samples, WIDE[spacing], [frequency], (spacing,))
        assert read(samples, WIDE[spacing], found).sib1.nci == cell_id
