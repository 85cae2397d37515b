# SPDX-License-Identifier: GPL-3.0-or-later
"""NR cells are found where they are, with what they say, and nowhere else."""

import math

import numpy as np
import pytest
from nr_signals import RATES, nr_cell, received

from rpmsn.cells.cell import BROADCAST, SYNC
from rpmsn.cells.nr import NrSearcher, find_cells
from rpmsn.errors import ParameterError
from rpmsn.recording import open_recording
from rpmsn.synthesis.lte.downlink import LteDownlink
from rpmsn.synthesis.ofdm import modulate

N_SUBCARRIERS = 106 * 12


def element(spacing):
    """Power of one resource element's noise at a ratio of 1: what `received` asks for."""
    return RATES[spacing] / spacing / N_SUBCARRIERS


def noise(seconds, rate, seed=1):
    values = np.random.default_rng(seed).standard_normal((round(seconds * rate), 2)).astype(np.float32)
    return values.view(np.complex64)[:, 0]


def facts(cells):
    return [(cell.cell_id, cell.evidence, cell.block_index, cell.mib.get("systemFrameNumber")) for cell in cells]


@pytest.mark.parametrize("spacing, case", [(15e3, "A"), (30e3, "B"), (30e3, "C")])
@pytest.mark.parametrize("index", range(8))
def test_a_cell_is_found_with_its_identity_place_time_and_mib(spacing, case, index):
    """Frame 129 starts 10 ms after the samples' start, and `late` later."""
    late, cell_id = 1.234e-3, 126 * index + 3
    samples, frequency, _ = nr_cell(
        cell_id, spacing, 20, ssb_case=case, beams=((index, 0.0),), start_ms=1280, sib1=True, search_space_zero=6
    )
    heard = received(samples, RATES[spacing], snr_db=10, offset=2e3, late=late, element=element(spacing))
    cells = find_cells(heard, RATES[spacing], [frequency], (spacing,), case=case if spacing == 30e3 else None)
    assert facts(cells) == [(cell_id, BROADCAST, index, 128)]
    cell = cells[0]
    assert cell.frequency == pytest.approx(frequency + 2e3, abs=0.04 * spacing)
    assert cell.frequency_offset == pytest.approx(cell.frequency - frequency)
    assert cell.start_s == pytest.approx(late, abs=2 / (256 * spacing))
    assert cell.snr_db == pytest.approx(10, abs=2)
    assert (cell.technology, cell.subcarrier_spacing, cell.frames) == ("NR", spacing, 1)
    assert cell.mib["searchSpaceZero"] == 6 and cell.mib["halfFrame"] == 0


@pytest.mark.parametrize("blocks", [4, 8])
@pytest.mark.parametrize("half_frame", [0, 1])
def test_the_half_frame_is_told(blocks, half_frame):
    samples, frequency, _ = nr_cell(duration_ms=10, ssb_blocks=blocks, beams=((2, 0.0),), ssb_period_ms=5, start_ms=20)
    rate, middle = RATES[30e3], len(samples) // 2
    samples[middle * (1 - half_frame) : middle * (2 - half_frame)] = 0
    (cell,) = find_cells(samples, rate, [frequency], (30e3,), case="B")
    assert cell.mib["halfFrame"] == half_frame and cell.mib["systemFrameNumber"] == 2
    assert cell.start_s == pytest.approx(0, abs=2 / 7.68e6) and cell.block_index == 2


@pytest.mark.parametrize("period", [5, 10, 20, 40, 80, 160])
def test_every_period_of_blocks_is_found(period):
    samples, frequency, _ = nr_cell(duration_ms=165, ssb_period_ms=period)
    heard = received(samples, RATES[30e3], snr_db=0, element=element(30e3))
    (cell,) = find_cells(heard, RATES[30e3], [frequency], (30e3,))
    assert (cell.cell_id, cell.evidence) == (500, BROADCAST)
    assert cell.frames >= (2 if period <= 80 else 1)


@pytest.mark.parametrize("late", [39.8e-3, 39.84e-3, 39.845e-3, 39.9e-3])
def test_a_block_between_two_frames_is_found(late):
    samples, frequency, _ = nr_cell(duration_ms=1)
    heard = np.zeros(round(0.085 * RATES[30e3]), np.complex64)
    start = round(late * RATES[30e3])
    heard[start : start + len(samples)] = samples
    heard = received(heard, RATES[30e3], snr_db=-4, element=element(30e3))
    (cell,) = find_cells(heard, RATES[30e3], [frequency], (30e3,), case="B")
    assert cell.evidence == BROADCAST
    assert (cell.start_s - start / RATES[30e3] + 1e-3) % 0.01 == pytest.approx(1e-3, abs=2 / 7.68e6)


def test_the_case_of_30_khz_is_found_where_several_blocks_are_sent():
    for case in ("B", "C"):
        samples, frequency, _ = nr_cell(ssb_case=case, beams=((0, 0.0), (1, -2.0), (2, -4.0)), start_ms=100)
        (cell,) = find_cells(samples, RATES[30e3], [frequency], (30e3,))
        assert cell.start_s == pytest.approx(0, abs=2 / 7.68e6), case


def test_cells_on_one_frequency_at_one_time_are_told_apart():
    first, frequency, _ = nr_cell(500)
    second, _, _ = nr_cell(706)
    cells = find_cells(first + 0.7 * second, RATES[30e3], [frequency], (30e3,))
    assert [cell.cell_id for cell in cells] == [500, 706]


def test_weak_blocks_are_added_up():
    """At -12 dB no block has a MIB of its own; the frame number counts on in those that are added."""
    samples, frequency, _ = nr_cell(duration_ms=160, start_ms=140)
    heard = received(samples, RATES[30e3], snr_db=-12, element=element(30e3), seed=3)
    (cell,) = find_cells(heard, RATES[30e3], [frequency], (30e3,))
    assert facts([cell]) == [(500, BROADCAST, 0, 14)]
    part = round(0.02 * RATES[30e3])
    alone = [find_cells(heard[i * part : (i + 1) * part], RATES[30e3], [frequency], (30e3,)) for i in range(8)]
    assert not any(cell.evidence == BROADCAST for cells in alone for cell in cells)


def test_half_a_subcarrier_and_more_beside_the_place_is_found():
    samples, frequency, _ = nr_cell(duration_ms=20)
    for offset in (-60e3, -22e3, 7.4e3, 41e3):
        (cell,) = find_cells(samples, RATES[30e3], [frequency + offset], (30e3,), tolerance=60e3)
        assert cell.frequency == pytest.approx(frequency, abs=100)
        assert cell.frequency_offset == pytest.approx(-offset, abs=100)


def test_without_a_place_the_whole_span_is_searched():
    samples, frequency, _ = nr_cell(spacing=15e3, duration_ms=5, sample_rate=7.68e6, ssb_offset=500)
    heard = received(samples, 7.68e6, snr_db=5, offset=3e3, element=7.68e6 / 15e3 / N_SUBCARRIERS)
    (cell,) = find_cells(heard, 7.68e6)
    assert facts([cell]) == [(500, BROADCAST, 0, 0)]
    assert cell.frequency == pytest.approx(frequency + 3e3, abs=300) and cell.subcarrier_spacing == 15e3


def test_with_a_centre_frequency_only_the_raster_is_searched():
    """GSCN 7929 lies at 3619.2 MHz."""
    samples, frequency, _ = nr_cell(duration_ms=20)
    for beside, found in ((4e3, True), (400e3, False)):
        cells = find_cells(samples, RATES[30e3], center_frequency=3619.2e6 - frequency + beside)
        assert bool(cells) == found


def test_a_cell_that_was_screened_is_searched_over_all_of_the_time():
    samples, frequency, _ = nr_cell(spacing=15e3, duration_ms=100, ssb_offset=500, start_ms=50)
    heard = received(samples, RATES[15e3], snr_db=3, element=element(15e3))
    (cell,) = find_cells(heard, RATES[15e3], spacings=(15e3,))
    assert facts([cell]) == [(500, BROADCAST, 0, 5)] and cell.frames == 5


RECORDINGS = [
    ("captures/nr40_30_radiossb_ssb", 500, -1.26e6, 30e3),
    ("captures/nr20_fdd15_load60", 300, 2.7e6, 15e3),
    ("captures/nr40_tdd30_load20", 733, 9e6, 30e3),
    ("captures/ota_nr20_n78_lab", 500, -1.26e6, 30e3),
    ("captures/ota_nr40_n78_lab", 1, -14.22e6, 30e3),
    ("receptions/ota_nr20_n3_fdd", 1, -7.35e6, 15e3),
    ("receptions/ota_nr_n78_3619_a", 0, 0.0, 30e3),
]


def recorded(captures, name):
    path = captures.parent / f"{name}.sigmf-meta"
    if not path.is_file():
        pytest.skip(f"no recording {path}")
    with open_recording(path) as recording:
        return recording.read(0, recording.sample_count), recording.sample_rate


@pytest.mark.parametrize("name, cell_id, frequency, spacing", RECORDINGS)
def test_cells_of_other_encoders_and_of_the_air_are_proven(captures, name, cell_id, frequency, spacing):
    samples, rate = recorded(captures, name)
    cells = find_cells(samples, rate, [frequency])
    assert [(cell.cell_id, cell.evidence, cell.subcarrier_spacing) for cell in cells] == [(cell_id, BROADCAST, spacing)]
    assert cells[0].frequency == pytest.approx(frequency, abs=3e3)
    expected = "scs30or120" if spacing == 30e3 else "scs15or60"
    assert cells[0].mib["subCarrierSpacingCommon"] == expected or name == "captures/nr40_30_radiossb_ssb"


@pytest.mark.parametrize(
    "name",
    ["captures/lte20_enb_idle", "captures/ota_lte20_tdd_2360MHz", "captures/ota_overloaded_806MHz",
     "captures/ota_noise_2646MHz", "receptions/wifi_80211a_bursts_2462", "receptions/gsm_4M_941"],
)  # fmt: skip
def test_no_cell_is_found_in_what_is_no_nr(captures, name):
    samples, rate = recorded(captures, name)
    half = rate / 2 - 1.8e6
    places = np.linspace(-half, half, 5) if half > 0 else [0.0]
    try:
        assert find_cells(samples[: int(0.04 * rate)], rate, places) == []
    except ParameterError as error:
        assert rate < 3.6e6, error


def test_no_cell_is_found_in_noise_or_in_an_lte_downlink():
    for seed in range(3):
        assert find_cells(noise(0.04, 15.36e6, seed), 15.36e6, [0.0, 1e6]) == []
        rng = np.random.default_rng(seed)
        lte = modulate(LteDownlink.random(rng, bandwidth_hz=10e6).grid(20, rng), 15.36e6)
        assert find_cells(lte, 15.36e6, [0.0, 1e6]) == []


def test_synchronisation_without_a_broadcast_channel_is_sync():
    samples, frequency, _ = nr_cell(coded_broadcast=False)
    (cell,) = find_cells(samples, RATES[30e3], [frequency], (30e3,))
    assert facts([cell]) == [(500, SYNC, None, None)] and cell.frames == 0


@pytest.mark.parametrize("kept", [0.3, 0.5, 0.7])
def test_a_part_of_a_block_proves_nothing_wrong(kept):
    """Block 0 of case B begins 4 symbols into the frame."""
    samples, frequency, _ = nr_cell(duration_ms=20)
    start, length = round(4 / 28 * 1e-3 * RATES[30e3]), round(4 / 28 * 1e-3 * RATES[30e3])
    cut = start + round(kept * length)
    for part in (samples[:cut], samples[cut : cut + round(3e-3 * RATES[30e3])]):
        assert find_cells(part, RATES[30e3], [frequency]) == []


def test_three_milliseconds_with_a_block_are_enough():
    samples, frequency, _ = nr_cell(duration_ms=20)
    (cell,) = find_cells(samples[: round(3e-3 * RATES[30e3])], RATES[30e3], [frequency], (30e3,))
    assert cell.evidence == BROADCAST


def test_values_that_are_not_finite_count_as_silence():
    samples, frequency, _ = nr_cell(duration_ms=20)
    samples[60_000:61_000] = np.nan + 0j
    samples[70_000] = np.inf
    (cell,) = find_cells(samples, RATES[30e3], [frequency], (30e3,))
    assert cell.evidence == BROADCAST
    samples[:] = np.nan
    assert find_cells(samples, RATES[30e3], [frequency], (30e3,)) == []


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(1), np.zeros(40_000), np.ones(40_000)])
def test_silence_and_next_to_nothing_give_nothing(samples):
    assert find_cells(samples.astype(np.complex64), 15.36e6, [0.0]) == []


def test_a_wrong_place_gives_nothing_wrong():
    samples, frequency, _ = nr_cell(duration_ms=20)
    for beside in (45e3, 150e3, 1.29e6, -0.5e6):
        assert find_cells(samples, RATES[30e3], [frequency + beside]) == []


@pytest.mark.parametrize(
    "changed, words",
    [
        (dict(sample_rate=3e6), "sample_rate is 3000000.0 Hz; choose at least 3.6 MHz"),
        (dict(sample_rate=math.nan), "sample_rate is nan"),
        (dict(sample_rate=5e6, spacings=(30e3,), frequencies=None), "an SS/PBCH block needs 7.2 MHz of span"),
        (dict(sample_rate=5e6, spacings=(30e3,)), "no SS/PBCH block of 7.2 MHz fits"),
        (dict(frequencies=[7e6]), r"frequencies are \[7000000.0\].*within \+-7.68 MHz"),
        (dict(frequencies=[math.nan]), "frequencies hold nan"),
        (dict(spacings=(60e3,)), r"spacings are \(60000.0,\); choose some of 15e3, 30e3"),
        (dict(spacings=()), "spacings are"),
        (dict(tolerance=-1.0), "tolerance is -1.0"),
        (dict(case="A"), "case is 'A'; choose 'B' or 'C'"),
        (dict(samples=np.zeros((2, 9), np.complex64)), "one row of complex values"),
        (dict(samples=np.zeros(9)), "one row of complex values"),
    ],
)
def test_what_cannot_be_searched_is_refused(changed, words):
    given = dict(samples=np.zeros(1000, np.complex64), sample_rate=15.36e6, frequencies=[0.0])
    with pytest.raises(ParameterError, match=words):
        find_cells(**{**given, **changed})


@pytest.mark.parametrize("rate", [10e6, 9.765625e6, 8.0001e6, 12.5e6])
def test_any_sample_rate_will_do(rate):
    """Samples at 30.72 Msps, taken at another rate by their Fourier series."""
    samples, frequency, _ = nr_cell(duration_ms=20, sample_rate=30.72e6)
    samples = samples * np.exp(-2j * np.pi * frequency / 30.72e6 * np.arange(len(samples)))
    bins, n = np.fft.fft(samples), int(0.02 * rate)
    taken = np.fft.ifft(np.r_[bins[: n // 2], bins[n // 2 - n :]])
    (cell,) = find_cells(taken.astype(np.complex64), n / 0.02, [0.0], (30e3,))
    assert cell.evidence == BROADCAST and abs(cell.frequency) < 100


def test_a_searcher_finds_with_time_what_a_frame_does_not_show():
    samples, frequency, _ = nr_cell(duration_ms=320, start_ms=200)
    heard = received(samples, RATES[30e3], snr_db=-9.5, element=element(30e3), seed=5)
    searcher = NrSearcher(RATES[30e3], [frequency], (30e3,))
    step = round(0.04 * RATES[30e3])
    results = [searcher.push(heard[i : i + step], first=i) for i in range(0, len(heard), step)]
    assert results[0] == []
    assert facts(results[-1]) == [(500, BROADCAST, 0, 20)]
    assert results[-1][0].start_s == pytest.approx(0.0, abs=1e-4)


def test_a_searcher_does_not_care_how_samples_are_cut():
    samples, frequency, _ = nr_cell(duration_ms=80)
    found = []
    for step in (10_000, 61_440, 614_400, len(samples)):
        searcher = NrSearcher(RATES[30e3], [frequency], (30e3,))
        for start in range(0, len(samples), step):
            searcher.push(samples[start : start + step])
        found.append(facts(searcher.cells()))
    assert found == [[(500, BROADCAST, 0, 0)]] * 4


def test_a_gap_makes_a_searcher_begin_anew():
    samples, frequency, _ = nr_cell(duration_ms=80)
    searcher = NrSearcher(RATES[30e3], [frequency], (30e3,))
    assert searcher.push(samples, first=0)
    quiet = noise(0.04, RATES[30e3])
    assert searcher.push(quiet, first=len(samples))
    assert searcher.push(quiet, first=10 * len(samples)) == []
    searcher.push(samples)
    searcher.reset()
    assert searcher.cells() == []


def test_a_searcher_keeps_no_more_than_its_history():
    searcher = NrSearcher(7.68e6, [0.0], (15e3,), history_s=0.08)
    for _ in range(8):
        searcher.push(noise(0.04, 7.68e6))
    (place,) = searcher._places
    assert len(place.history.values) == pytest.approx(0.08 * 3.84e6, abs=2000)
    assert 0.24 * 3.84e6 < place.end <= 0.32 * 3.84e6
