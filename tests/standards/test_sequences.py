# SPDX-License-Identifier: GPL-3.0-or-later
"""Sequences of LTE and NR against their definitions and against recordings made by other encoders."""

import json
from fractions import Fraction

import numpy as np
import pytest
import scipy.signal

from rpmsn.errors import ParameterError
from rpmsn.standards import sequences
from rpmsn.standards.qam import constellation, random_qam
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.lte import control as lte_control
from rpmsn.synthesis.lte import downlink as lte
from rpmsn.synthesis.nr import broadcast as nr_broadcast
from rpmsn.synthesis.nr import downlink as nr

LTE_RECORDINGS = [("lte5_full_mcs10", 122, 25), ("lte10_var", 88, 50), ("lte20_enb_idle", 65, 100)]
NR_RECORDINGS = [("nr40_30_radiossb_ssb", 500, 30e3, 106, -1.26e6), ("nr20_fdd15_load60", 300, 15e3, 106, 2.7e6)]
SAME = 0.98


def gold_by_definition(c_init, n):
    """One bit at a time, as TS 38.211 5.2.1 writes it."""
    x1, x2 = [1] + [0] * 30, [c_init >> i & 1 for i in range(31)]
    for i in range(1600 + n):
        x1.append((x1[i + 3] + x1[i]) % 2)
        x2.append((x2[i + 3] + x2[i + 2] + x2[i + 1] + x2[i]) % 2)
    return [(x1[i + 1600] + x2[i + 1600]) % 2 for i in range(n)]


@pytest.mark.parametrize("c_init", [0, 1, 0x12345678, 2**31 - 1])
def test_gold_sequence_follows_its_definition(c_init):
    assert sequences.gold(c_init, 100).tolist() == gold_by_definition(c_init, 100)


def test_gold_sequences_of_an_array_are_those_of_its_elements():
    together = sequences.gold([[5, 6], [7, 8]], 40)
    assert together.shape == (2, 2, 40)
    assert np.array_equal(together[1, 0], sequences.gold(7, 40))


@pytest.mark.parametrize("make, ids", [(sequences.lte_pss, 3), (sequences.nr_pss, 3), (sequences.nr_sss, 40)])
def test_synchronisation_sequences_are_distinct(make, ids):
    all_of_them = np.array([make(cell_id) for cell_id in range(ids)])
    products = np.abs(all_of_them @ all_of_them.conj().T) / all_of_them.shape[1]
    assert np.allclose(np.diag(products), 1)
    assert np.max(products - np.eye(ids)) < 0.5


def test_lte_secondary_sequences_of_all_cells_and_half_frames_differ():
    seen = {sequences.lte_sss(cell_id, subframe).tobytes() for cell_id in range(504) for subframe in (0, 5)}
    assert len(seen) == 1008


@pytest.mark.parametrize("make, cell_id, last", [("lte_pss", 504, 503), ("nr_sss", 1008, 1007), ("nr_pss", -1, 1007)])
def test_a_cell_identity_out_of_range_is_refused(make, cell_id, last):
    with pytest.raises(ParameterError, match=f"cell_id is {cell_id}; choose 0..{last}"):
        getattr(sequences, make)(cell_id)


@pytest.mark.parametrize("bits", [2, 4, 6, 8])
def test_qam_has_unit_power_and_every_point(bits):
    points = constellation(bits)
    assert len(np.unique(points)) == 2**bits
    assert np.mean(np.abs(points) ** 2) == pytest.approx(1)
    assert set(random_qam(np.random.default_rng(0), 40 * 2**bits, bits)) == set(points)


def test_qam_of_an_odd_number_of_bits_is_refused():
    with pytest.raises(ParameterError, match="bits_per_symbol is 3"):
        constellation(3)


def read(folder, name):
    """Samples and sample rate of a ci8 recording."""
    meta = json.loads((folder / f"{name}.sigmf-meta").read_text())
    pairs = np.fromfile(folder / f"{name}.sigmf-data", np.int8).astype(np.float32).reshape(-1, 2) / 128
    return pairs[:, 0] + 1j * pairs[:, 1], meta["global"]["core:sample_rate"]


def likeness(received, expected):
    """Magnitude of the normalised correlation along the last axis."""
    product = np.abs(np.sum(received * np.conj(expected), axis=-1))
    return product / np.linalg.norm(received, axis=-1) / np.linalg.norm(expected, axis=-1)


def find(samples, n_fft, bins, values):
    """Sample at which the useful part of a symbol with these values begins."""
    spectrum = np.zeros(n_fft, complex)
    spectrum[bins % n_fft] = values
    correlation = scipy.signal.correlate(samples, np.fft.ifft(spectrum), mode="valid", method="fft")
    return int(np.argmax(np.abs(correlation)))


def demodulate(samples, starts, n_fft):
    """FFT of the useful parts that begin at `starts`, (len(starts), n_fft)."""
    return np.fft.fft(samples[np.asarray(starts)[:, None] + np.arange(n_fft)], axis=1)


class LteRecording:
    """A recording cut into the symbols of its subframes."""

    def __init__(self, folder, name, cell_id, n_rb):
        samples, rate = read(folder, name)
        n_fft = int(rate / 15e3)
        self.cell_id, self.n_rb = cell_id, n_rb
        middle = np.r_[-31:0, 1:32]
        pss = find(samples, n_fft, middle, sequences.lte_pss(cell_id))
        sss = pss - n_fft - 144 * n_fft // 2048
        self.synchronisation = demodulate(samples, [pss, sss], n_fft)[:, middle % n_fft]
        self.sss_likeness = {sf: likeness(self.synchronisation[1], sequences.lte_sss(cell_id, sf)) for sf in (0, 5)}
        offsets = np.array([round(start * Fraction(rate)) for start in ofdm.symbol_starts(15e3)[1]])
        period = int(rate / 1000)
        first = (pss - offsets[6]) % period
        zero = (pss - offsets[6]) // period
        starts = np.arange(first, len(samples) - period + 1, period)
        occupied = np.r_[-6 * n_rb : 0, 1 : 6 * n_rb + 1] % n_fft
        spectra = demodulate(samples, (starts[:, None] + offsets).ravel(), n_fft)[:, occupied]
        self.subframes = spectra.reshape(len(starts), 14, -1)
        self.numbers = (np.arange(len(starts)) - zero + max(self.sss_likeness, key=self.sss_likeness.get)) % 10


@pytest.fixture(params=LTE_RECORDINGS, ids=lambda recording: recording[0])
def lte_recording(request, captures):
    return LteRecording(captures, *request.param)


def test_lte_synchronisation_signals_are_those_of_another_encoder(lte_recording):
    assert likeness(lte_recording.synchronisation[0], sequences.lte_pss(lte_recording.cell_id)) > SAME
    assert max(lte_recording.sss_likeness.values()) > SAME
    assert min(lte_recording.sss_likeness.values()) < 0.7


def test_lte_reference_signals_are_those_of_another_encoder(lte_recording):
    cell_id, n_rb = lte_recording.cell_id, lte_recording.n_rb
    found = []
    for number, subframe in zip(lte_recording.numbers, lte_recording.subframes):
        for symbol in (0, 4, 7, 11):
            place = 2 * number + symbol // 7, symbol % 7
            subcarriers = sequences.lte_crs_subcarriers(cell_id, n_rb, 0, *place)
            found.append(likeness(subframe[symbol, subcarriers], sequences.lte_crs(cell_id, n_rb, *place)))
    assert len(found) >= 160
    assert min(found) > SAME


def test_lte_idle_cell_sends_reference_and_control_signals_where_ours_does(captures):
    """Elements with energy in subframes without any data are exactly ours, so the PCFICH has its places."""
    recording = LteRecording(captures, *LTE_RECORDINGS[2])
    cell = lte.LteDownlink(20e6, recording.cell_id, ports=1, load=0, allocation="idle", system_information=False)
    pcfich, _, _ = lte_control.control_elements(cell.cell_id, cell.n_rb, cell.ports, 1, 0)
    crs, _ = lte._crs_elements(cell.cell_id, cell.n_rb, cell.ports, 1, 14)
    expected = np.zeros(14 * 1200, bool)
    expected[crs] = expected[pcfich] = True
    power = np.abs(recording.subframes[recording.numbers == 1].reshape(-1, 14 * 1200)) ** 2
    assert np.array_equal(power[0] > 0.3 * np.median(power[0, crs]), expected)


def test_lte_control_channel_elements_are_those_of_another_encoder(captures):
    """The recording has one grant in each subframe with data, so one of our elements is full and the others empty."""
    recording = LteRecording(captures, *LTE_RECORDINGS[0])
    _, _, pdcch = lte_control.control_elements(recording.cell_id, recording.n_rb, ports=1, n_control=2, n_phich=4)
    crs, _ = lte._crs_elements(recording.cell_id, recording.n_rb, 1, 1, 14)
    for subframe in recording.subframes[recording.numbers % 5 > 0]:
        power = np.abs(subframe.ravel()) ** 2
        sent = power[pdcch] > 0.2 * np.median(power[crs])
        assert sorted(sent.mean(axis=1)) == [0] * (len(pdcch) - 1) + [1]


class NrRecording:
    """The first SS/PBCH block of a recording, as a (4, 240) block."""

    def __init__(self, folder, name, cell_id, spacing, n_rb, center):
        samples, rate = read(folder, name)
        n_fft = int(rate / spacing)
        self.cell_id = cell_id
        bins = np.arange(-120, 120) + round(center / spacing)
        pss = find(samples, n_fft, bins[56:183], sequences.nr_pss(cell_id))
        starts = pss + np.arange(4) * (n_fft + 144 * n_fft // 2048)
        self.block = demodulate(samples, starts, n_fft)[:, bins % n_fft]
        self.samples, self.rate, self.n_fft, self.pss, self.n_rb = samples, rate, n_fft, pss, n_rb

    def slots(self, block_symbol):
        """Every whole millisecond (15 kHz), (n_slots, 14, n_subcarriers), if the block found began at block_symbol."""
        period = round(self.rate / 1000)
        offsets = np.array([round(start * Fraction(self.rate)) for start in ofdm.symbol_starts(15e3)[1]])
        starts = np.arange((self.pss - offsets[block_symbol]) % period, len(self.samples) - period + 1, period)
        occupied = np.arange(-6 * self.n_rb, 6 * self.n_rb) % self.n_fft
        spectra = demodulate(self.samples, (starts[:, None] + offsets).ravel(), self.n_fft)
        return spectra[:, occupied].reshape(len(starts), 14, -1)


@pytest.fixture(params=NR_RECORDINGS, ids=lambda recording: recording[0])
def nr_recording(request, captures):
    return NrRecording(captures, *request.param)


def test_nr_synchronisation_signals_are_those_of_another_encoder(nr_recording):
    assert likeness(nr_recording.block[0, 56:183], sequences.nr_pss(nr_recording.cell_id)) > SAME
    assert likeness(nr_recording.block[2, 56:183], sequences.nr_sss(nr_recording.cell_id)) > SAME


def test_nr_broadcast_reference_signal_is_that_of_another_encoder(nr_recording):
    cell_id = nr_recording.cell_id
    first = np.arange(cell_id % 4, 240, 4)
    places = [first, np.r_[first[:12], first[48:]], first]
    # Symbol by symbol: encoders differ in the phase that a shifted carrier's symbols begin with.
    best = 0
    for index in range(8):
        values = np.split(sequences.nr_pbch_dmrs(cell_id, index), [60, 84])
        found = [likeness(nr_recording.block[1 + i, places[i]], values[i]) for i in range(3)]
        best = max(best, min(found))
    assert best > SAME


def test_nr_block_has_the_elements_of_another_encoder(nr_recording):
    sent, _ = nr_broadcast.ss_pbch_reference(nr_recording.cell_id, 0, 0, 8)
    block = nr.ss_pbch_block(nr_recording.cell_id, 0, 0, 8, np.random.default_rng(0))
    power = np.abs(nr_recording.block) ** 2
    assert np.array_equal(power > 0.1 * np.median(power[sent != 0]), block != 0)


def test_nr_data_reference_signal_is_that_of_another_encoder(captures):
    """Where every second element of symbol 2 is silent there are reference signals; all of them are ours."""
    recording = NrRecording(captures, *NR_RECORDINGS[1])
    slots = recording.slots(block_symbol=2)
    combs = slots[:, 2].reshape(len(slots), recording.n_rb, 6, 2)
    even, odd = np.moveaxis(np.linalg.norm(combs, axis=2), -1, 0)
    # The blocks' own symbols look alike: leave out their resource blocks.
    has_reference = (odd < 0.01 * even) & (even > 0.2 * np.percentile(even, 95))
    has_reference[:, 58:79] = False
    assert has_reference.sum() > 200
    received = combs[has_reference, :, 0]
    worst = []
    for first in range(10):
        numbers = (first + np.arange(len(slots))) % 10
        expected = np.array([sequences.nr_dmrs(recording.cell_id, n, 2, 6 * recording.n_rb) for n in numbers])
        worst.append(likeness(received, expected.reshape(combs.shape[:3])[has_reference]).min())
    assert max(worst) > SAME
