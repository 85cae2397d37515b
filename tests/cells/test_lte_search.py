# SPDX-License-Identifier: GPL-3.0-or-later
"""LTE cells are found in the project's own waveforms, with everything that their signals say, and nowhere else."""

import numpy as np
import pytest

from rpmsn.cells.cell import BROADCAST, SYNC, Cell
from rpmsn.cells.lte import LteSearcher, find_cells, search
from rpmsn.cells.lte.broadcast import has_references
from rpmsn.cells.lte.secondary import RATIO_LIMIT
from rpmsn.errors import ParameterError
from rpmsn.standards import lte_broadcast
from rpmsn.standards.lte_broadcast import MasterInformation
from rpmsn.standards.qam import random_qam
from rpmsn.standards.sequences import lte_crs, lte_crs_subcarriers, lte_pss, lte_sss
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.lte.downlink import LteDownlink

RATE = 1.92e6


def downlink(cell_id=77, n_ms=40, rate=RATE, seed=1, **more):
    """Samples of a cell of power 1 where all its elements are in use."""
    more = {"bandwidth_hz": 1.4e6, "frame_number": 600, **more}
    return ofdm.modulate(LteDownlink(cell_id=cell_id, **more).grid(n_ms, np.random.default_rng(seed)), rate)


def noise(n, power=1.0, seed=2):
    """White noise."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((n, 2)).astype(np.float32).view(np.complex64)[:, 0]
    return values * np.float32(np.sqrt(power / 2))


def with_noise(samples, snr_db, rate=RATE, seed=2):
    """Noise added to a signal of 1.08 MHz and power 1: `snr_db` in each of its subcarriers."""
    return samples + noise(len(samples), 10 ** (-snr_db / 10) * rate / 1.08e6, seed)


def shifted(samples, hertz, rate=RATE):
    return samples * np.exp(2j * np.pi * hertz / rate * np.arange(len(samples))).astype(np.complex64)


@pytest.mark.parametrize("n_ms", [6, 40])
@pytest.mark.parametrize("boost_db", [0.0, 6.0])
def test_the_snr_is_right_where_the_pss_is_sent_stronger_and_in_a_short_look(n_ms, boost_db):
    grid = LteDownlink(cell_id=77, bandwidth_hz=1.4e6).grid(n_ms, np.random.default_rng(1))
    grid.symbols.reshape(n_ms, 14, -1)[::5, 6] *= 10 ** (boost_db / 20)
    (cell,) = find_cells(with_noise(ofdm.modulate(grid, RATE), 10), RATE, [0.0], tolerance=15e3)
    assert cell.cell_id == 77 and cell.snr_db == pytest.approx(10 + boost_db / 2, abs=2.5)


@pytest.mark.parametrize("ports", [1, 2, 4])
@pytest.mark.parametrize("tdd_config", [None, 2])
def test_a_cell_is_found_with_all_that_it_broadcasts(ports, tdd_config):
    samples = with_noise(downlink(301, ports=ports, tdd_config=tdd_config, start_ms=13), 5)
    (cell,) = find_cells(samples, RATE, [0.0], tolerance=20e3)
    assert (cell.technology, cell.cell_id, cell.evidence) == ("LTE", 301, BROADCAST)
    assert cell.duplex == ("FDD" if tdd_config is None else "TDD")
    assert cell.channel_bandwidth == 1.4e6
    assert not cell.extended_prefix
    # 13 ms into frame 600: the next frame is 602.
    assert cell.mib["systemFrameNumber"] == 602
    assert cell.mib["antennaPortsCount"] == ports
    assert (cell.mib["phich-Duration"], cell.mib["phich-Resource"]) == ("normal", "one")
    assert cell.start_s == pytest.approx(0.007, abs=2e-6)
    assert cell.frequency == pytest.approx(0, abs=100)
    assert cell.snr_db == pytest.approx(5, abs=1.5)


@pytest.mark.parametrize("rate, bandwidth", [(1.4e6, 1.4e6), (2.4e6, 3e6), (7.68e6, 5e6), (61.44e6, 20e6)])
def test_a_cell_is_found_at_any_rate(rate, bandwidth):
    made_at = 1.92e6 if rate == 1.4e6 else rate
    samples = downlink(100, rate=made_at, bandwidth_hz=bandwidth, load=0.3)
    if made_at != rate:
        times = np.arange(int(len(samples) * rate / made_at)) * made_at / rate
        samples = np.interp(times, np.arange(len(samples)), samples).astype(np.complex64)
    (cell,) = find_cells(samples, rate, [0.0], tolerance=10e3)
    assert (cell.cell_id, cell.evidence, cell.channel_bandwidth) == (100, BROADCAST, bandwidth)


@pytest.mark.parametrize("offset", [-135e3, -52.5e3, 3.7e3, 71.3e3, 134e3])
def test_the_frequency_offset_is_found(offset):
    samples = shifted(downlink(9, rate=3.84e6), offset, 3.84e6)
    (cell,) = find_cells(with_noise(samples, 3, 3.84e6), 3.84e6, [0.0])
    assert (cell.cell_id, cell.evidence) == (9, BROADCAST)
    assert cell.frequency == pytest.approx(offset, abs=150)


def test_a_cell_is_found_anywhere_in_the_span_without_a_hint():
    samples = shifted(downlink(412, rate=3.84e6), 1.0345e6, 3.84e6)
    (cell,) = find_cells(with_noise(samples, 3, 3.84e6), 3.84e6, center_frequency=2e9)
    assert (cell.cell_id, cell.evidence) == (412, BROADCAST)
    assert cell.frequency == pytest.approx(1.0345e6, abs=150)


def test_a_clock_that_is_off_with_its_oscillator_is_followed():
    """50 ppm at 2.6 GHz: 130 kHz, and over 0.4 s 38 samples."""
    ppm, centre = 50e-6, 2.6e9
    samples = downlink(33, n_ms=400)
    times = np.arange(int(len(samples) * (1 + ppm)) - 2) / (1 + ppm)
    late = np.interp(times, np.arange(len(samples)), samples).astype(np.complex64)
    late = shifted(late, -ppm * centre)
    (cell,) = find_cells(with_noise(late, -8), RATE, [0.0], center_frequency=centre)
    assert (cell.cell_id, cell.evidence) == (33, BROADCAST)
    assert cell.frequency == pytest.approx(-130e3, abs=150)


def test_the_frame_number_carries_over_all_of_its_bits():
    samples = with_noise(downlink(77, n_ms=120, frame_number=1018), -3)
    (cell,) = find_cells(samples, RATE, [0.0], tolerance=10e3)
    assert cell.mib["systemFrameNumber"] == 1018
    assert cell.frames > 0


def test_of_two_cells_on_one_frequency_both_are_found():
    first, second = downlink(30, seed=1), downlink(91, seed=2, frame_number=100)
    both = with_noise(first + 0.8 * np.roll(second, 4000), 15)
    cells = find_cells(both, RATE, [0.0], tolerance=10e3)
    assert {cell.cell_id for cell in cells} == {30, 91}


def test_of_two_cells_that_begin_together_both_are_found():
    both = with_noise(downlink(30, seed=1) + 0.8 * downlink(91, seed=2), 15)
    assert {cell.cell_id for cell in find_cells(both, RATE, [0.0], tolerance=10e3)} == {30, 91}


def extended_cell(cell_id, frame_number, frames):
    """PSS, SSS, references and PBCH of a cell of 1.4 MHz with extended prefix, one antenna port."""
    grid = np.zeros((frames, 120, 72), np.complex64)
    information = MasterInformation(6, frame_number)
    for half in (0, 60):
        grid[:, half + 5, 5:67], grid[:, half + 4, 5:67] = lte_pss(cell_id), lte_sss(cell_id, half // 12)
    for frame in range(frames):
        block = np.zeros(4 * 72, np.complex64)
        block[lte_broadcast.elements(cell_id, True)] = lte_broadcast.symbols(
            information.later(frame), cell_id, 1, True
        )[0]
        grid[frame, 6:10] = block.reshape(4, 72)
    for slot in range(20):
        for symbol, as_normal in ((0, 0), (3, 4)):
            places = lte_crs_subcarriers(cell_id, 6, 0, slot, as_normal)
            grid[:, 6 * slot + symbol, places] = lte_crs(cell_id, 6, slot, symbol, True)
    bins = np.zeros((frames * 120, 128), np.complex64)
    bins[:, np.r_[-36:0, 1:37]] = grid.reshape(-1, 72)
    waves = np.fft.ifft(bins) * 128 / np.sqrt(72)
    return np.concatenate([waves[:, -32:], waves], axis=1).ravel().astype(np.complex64)


def test_a_cell_with_extended_prefix_is_found():
    (cell,) = find_cells(with_noise(extended_cell(211, 37, 4), 5), RATE, [0.0], tolerance=10e3)
    assert (cell.cell_id, cell.evidence, cell.extended_prefix, cell.duplex) == (211, BROADCAST, True, "FDD")
    assert cell.mib["systemFrameNumber"] == 37


@pytest.mark.parametrize("seed", range(3))
def test_random_symbols_in_the_broadcast_channel_prove_nothing(seed):
    rng = np.random.default_rng(seed)
    grid = LteDownlink(1.4e6, 5).grid(40, rng)
    for broadcast in grid.symbols.reshape(-1, 140, 72)[:, 7:11]:
        broadcast[broadcast != 0] = random_qam(rng, int((broadcast != 0).sum()))
    samples = ofdm.modulate(grid, RATE)
    cells = find_cells(with_noise(samples, 10), RATE, [0.0], tolerance=10e3)
    assert [(cell.cell_id, cell.evidence, cell.mib) for cell in cells] == [(5, "sync", {})]


@pytest.mark.parametrize("milliseconds", [0, 0.05, 1, 3, 40])
def test_noise_of_any_length_has_no_cell(milliseconds):
    assert find_cells(noise(int(milliseconds * 1920)), RATE, [0.0]) == []


def test_nothing_at_all_has_no_cell():
    assert find_cells(np.zeros(80000, np.complex64), RATE, [0.0]) == []


def test_a_steady_tone_does_not_hide_a_cell():
    samples = with_noise(downlink(54), 5) + np.complex64(8)
    (cell,) = find_cells(shifted(samples, 26e3), RATE, [0.0], tolerance=45e3)
    assert (cell.cell_id, cell.evidence) == (54, BROADCAST)


def test_three_milliseconds_give_the_right_cell_or_none():
    for first in range(0, 9600, 1920):
        cells = find_cells(with_noise(downlink(250), 15)[first : first + 5760], RATE, [0.0], tolerance=10e3)
        assert {(cell.cell_id, cell.mib.get("dl-Bandwidth", 6)) for cell in cells} <= {(250, 6)}


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(sample_rate=1e6), "sample_rate is 1e.06 Hz; choose 1.4e.06 Hz or more"),
        (dict(sample_rate=float("nan")), "sample_rate is nan"),
        (dict(frequencies=[3e6]), "one of frequencies is 3e.06 Hz; choose frequencies within"),
        (dict(frequencies=[float("nan")]), "one of frequencies is nan"),
        (dict(tolerance=-1.0), "tolerance is -1 Hz"),
        (dict(center_frequency=0.0), "center_frequency is 0 Hz"),
        (dict(samples=np.full(100, np.nan, np.complex64)), "not finite"),
        (dict(samples=np.zeros((2, 100), np.complex64)), "shape"),
    ],
)
def test_a_wrong_value_is_refused_with_a_sentence(arguments, words):
    given = {"samples": np.zeros(100, np.complex64), "sample_rate": RATE, "frequencies": [0.0], **arguments}
    with pytest.raises(ParameterError, match=words):
        find_cells(**given)


@pytest.mark.parametrize("frame_number", [601, -2, 1024])
def test_a_synthetic_cell_begins_with_an_even_frame(frame_number):
    with pytest.raises(ParameterError, match="frame_number of LteDownlink is"):
        LteDownlink(frame_number=frame_number)


def pieces(searcher, samples, size, start=0):
    """What a searcher reports at the end, and after which piece it first reports a cell by its broadcast."""
    cells, first = [], None
    for number, at in enumerate(range(0, len(samples), size)):
        cells = searcher.feed(samples[at : at + size], start + at) or cells
        if first is None and any(cell.evidence == BROADCAST for cell in cells):
            first = number
    return cells, first


def test_a_searcher_hears_after_some_frames_what_one_does_not_show():
    samples = with_noise(downlink(140, n_ms=400), -11)
    assert all(cell.evidence != BROADCAST for cell in find_cells(samples[:76800], RATE, [0.0], tolerance=10e3))
    searcher = LteSearcher(RATE, [0.0], tolerance=10e3, center_frequency=2e9)
    (cell,), first = pieces(searcher, samples, 76800, start=7_680_000)
    assert (cell.cell_id, cell.evidence, cell.mib["systemFrameNumber"]) == (140, BROADCAST, 600)
    assert cell.start_s == pytest.approx(4.0, abs=2e-6)
    assert first >= 1


@pytest.mark.parametrize("size", [10_000, 76_800, 300_000])
def test_a_searcher_reports_the_same_however_the_samples_come(size):
    samples = with_noise(downlink(140, n_ms=160), -2)
    (cell,), _ = pieces(LteSearcher(RATE, [0.0], tolerance=10e3), samples, size)
    (once,) = find_cells(samples, RATE, [0.0], tolerance=10e3)
    assert cell == once


def test_a_gap_starts_the_sums_anew():
    samples = with_noise(downlink(140, n_ms=80), 5)
    searcher = LteSearcher(RATE, [0.0], tolerance=10e3)
    assert searcher.feed(samples[:76800], 0)
    (cell,) = searcher.feed(samples[76800 + 5000 :], 76800 + 5000) or searcher.feed(
        with_noise(downlink(140, n_ms=90), 5)[153600:172800][:5000], 153600
    )
    assert cell.start_s >= (76800 + 5000) / RATE
    assert cell.start_s % 0.01 == pytest.approx(0, abs=2e-6) or cell.start_s % 0.01 == pytest.approx(0.01, abs=2e-6)


def test_a_searcher_keeps_no_more_than_its_memory():
    searcher = LteSearcher(RATE, [0.0], tolerance=10e3)
    for number in range(12):
        searcher.feed(noise(76800, seed=number), 76800 * number)
    assert len(searcher._searches[0].baseband.values) <= 0.17 * RATE + 10_000


def test_a_searcher_that_meets_a_value_that_is_not_finite_starts_anew():
    searcher = LteSearcher(RATE, [0.0], tolerance=10e3)
    searcher.feed(noise(50_000), 0)
    with pytest.raises(ParameterError, match="not finite"):
        searcher.feed(np.full(10, np.nan, np.complex64), 50_000)
    assert searcher.feed(with_noise(downlink(8), 5), 50_010)[0].cell_id == 8


def test_a_cell_seen_beside_its_frequency_is_not_another_one():
    cell = Cell("LTE", 148, BROADCAST, -25.8e3, snr_db=-4.6, score=4.1)
    ghost = Cell("LTE", 152, SYNC, 2.8e3, snr_db=-12.7, score=1.93)
    neighbour = Cell("LTE", 30, SYNC, -25.9e3, start_s=0.002, snr_db=-12.0, score=2.5)
    assert [one.cell_id for one in search._distinct([ghost, cell, neighbour])] == [148, 30]


@pytest.mark.parametrize("tdd_config, extended", [(None, False), (None, True), (0, False), (2, False)])
def test_reference_signals_are_those_of_the_cell_that_sends_them(tdd_config, extended):
    clean = extended_cell(301, 37, 4) if extended else downlink(301, tdd_config=tdd_config)
    samples, duplex = with_noise(clean, 0), "FDD" if tdd_config is None else "TDD"
    frames = 19200 * np.arange(4)
    found = [has_references(samples, frames, 0.0, RATE, cell_id, extended, duplex) for cell_id in range(301, 321)]
    assert found == [True] + [False] * 19
    assert not has_references(samples[5000:], frames[:3], 0.0, RATE, 301, extended, duplex)


def test_what_pss_and_sss_say_unclearly_is_no_cell_without_its_reference_signals(monkeypatch):
    samples = with_noise(downlink(301), -9)
    monkeypatch.setattr(search, "CLEAR_RATIO", np.inf)
    monkeypatch.setattr(search, "decode_broadcast", lambda *_: None)
    assert [cell.cell_id for cell in find_cells(samples, RATE, [0.0], tolerance=0)] == [301]
    monkeypatch.setattr(search, "has_references", lambda *_: False)
    assert not find_cells(samples, RATE, [0.0], tolerance=0)


def test_a_cell_beside_which_another_has_the_same_pss_is_one_if_its_broadcast_channel_says_so(monkeypatch):
    """The second, of 0.8 times the amplitude, makes its sequence nearly as likely."""
    samples = with_noise(downlink(301, n_ms=20) + np.float32(0.8) * downlink(295, n_ms=20, seed=3), 20)
    (cell,) = find_cells(samples, RATE, [0.0], tolerance=0)
    assert (cell.cell_id, cell.evidence) == (301, BROADCAST)
    assert cell.score < RATIO_LIMIT
    monkeypatch.setattr(search, "decode_broadcast", lambda *_: None)
    assert not find_cells(samples, RATE, [0.0], tolerance=0)
