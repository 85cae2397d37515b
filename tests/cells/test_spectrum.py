# SPDX-License-Identifier: GPL-3.0-or-later
"""A frame's spectrum gives the same bands as the samples, and serves every search."""

import numpy as np
import pytest
from nr_signals import nr_cell

from rpmsn.cells.lte import LteSearcher
from rpmsn.cells.nr import NrSearcher
from rpmsn.cells.spectrum import Correlator, History, Spectrum, band_rate, nearest
from rpmsn.errors import ParameterError
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.lte.downlink import LteDownlink


def tone(frequency, rate, n):
    return np.exp(2j * np.pi * frequency / rate * np.arange(n)).astype(np.complex64)


@pytest.mark.parametrize("rate", [1.92e6, 2.4e6, 2.5e6, 9.765625e6, 20e6, 61.44e6])
@pytest.mark.parametrize("width", [1, 4])
def test_a_tone_keeps_its_frequency_phase_and_amplitude_over_frames_of_any_length(rate, width):
    """In a band of four times 1.92 MHz at a lower rate, what is outside the span is silence."""
    frequency = 0.31 * min(rate, 1.92e6)
    samples = tone(frequency + 123e3, rate, round(rate * 6e-3))
    history, start = History(), 0
    # The mean of a part of a tone is not 0: frames of whole periods would hide that it is taken out.
    for count in (round(rate * 2.1e-3), round(rate * 0.9e-3), len(samples)):
        part = samples[start : start + count]
        spectrum = Spectrum(part - part.mean(), rate)
        place, values = spectrum.band(frequency, width, start)
        history.add(place, values)
        start += len(part)
    out = band_rate(rate, width)
    places = np.arange(history.start, history.start + len(history.values))
    expected = np.exp(2j * np.pi * (frequency + 123e3 - nearest(frequency, rate)) / out * places)
    inside = (places > 60 * width) & (places < 6e-3 * out - 60 * width)
    assert out == pytest.approx(width * 1.92e6, rel=1e-6)
    assert np.abs(history.values - expected)[inside].max() < 0.12
    assert np.sqrt(np.mean(np.abs(history.values - expected)[inside] ** 2)) < 0.02


def test_what_lies_beside_a_band_is_not_in_it():
    _, values = Spectrum(tone(3.2e6, 15.36e6, 153_600), 15.36e6).band(0.0)
    # Where it begins and ends, it has all frequencies.
    assert np.abs(values[100:19_100]).max() < 1e-3


def test_one_spectrum_serves_lte_and_nr():
    rate = 15.36e6
    nr, frequency, _ = nr_cell(500, 30e3, 80)
    lte = ofdm.modulate(LteDownlink(1.4e6, 77, frame_number=600).grid(80, np.random.default_rng(1)), rate)
    samples = (nr + 0.5 * lte * tone(-6e6, rate, len(lte))).astype(np.complex64)
    for_lte, for_nr = LteSearcher(rate, [-6e6], 15e3, 2e9), NrSearcher(rate, [frequency], (30e3,))
    frame = round(0.027 * rate)
    for start in range(0, len(samples), frame):
        spectrum = Spectrum(samples[start : start + frame], rate)
        lte_cells, nr_cells = for_lte.feed(spectrum, start), for_nr.push(spectrum, start)
    assert [(cell.cell_id, cell.mib["systemFrameNumber"]) for cell in lte_cells] == [(77, 600)]
    assert [(cell.cell_id, cell.mib["systemFrameNumber"]) for cell in nr_cells] == [(500, 0)]
    assert for_lte.pss_strengths()[0] > 50


def test_a_gap_between_spectra_starts_both_searches_anew():
    rate = 15.36e6
    nr, frequency, _ = nr_cell(500, 30e3, 40)
    searchers = LteSearcher(rate, [0.0]), NrSearcher(rate, [frequency], (30e3,))
    quiet = Spectrum(np.zeros(len(nr), np.complex64), rate)
    assert searchers[1].push(Spectrum(nr, rate), 0)
    assert searchers[1].push(quiet, 10 * len(nr)) == []
    assert searchers[0].feed(quiet, 0) == searchers[0].feed(quiet, 10 * len(nr)) == []


@pytest.mark.parametrize("make", [lambda: LteSearcher(7.68e6, [0.0]).feed, lambda: NrSearcher(7.68e6, [0.0]).push])
def test_a_spectrum_of_another_rate_is_refused(make):
    with pytest.raises(ParameterError, match="spectrum at 1.536e.07 Hz.*7.68e.06 Hz"):
        make()(Spectrum(np.zeros(10_000, np.complex64), 15.36e6), 0)


@pytest.mark.parametrize("samples", [np.zeros(9), np.zeros((2, 9), np.complex64)])
def test_what_is_no_row_of_complex_values_is_refused(samples):
    with pytest.raises(ParameterError, match="one row of complex values"):
        Spectrum(samples, 15.36e6)


def test_values_that_are_not_finite_count_as_silence():
    rng = np.random.default_rng(1)
    samples = rng.standard_normal((30_000, 2), np.float32).view(np.complex64)[:, 0]
    samples -= samples.mean()
    silent = samples.copy()
    samples[1000:1100], silent[1000:1100] = np.nan, 0
    assert np.allclose(Spectrum(samples, 7.68e6).band(0.0)[1], Spectrum(silent, 7.68e6).band(0.0)[1], atol=1e-5)


@pytest.mark.parametrize("decimation", [1, 2])
def test_a_correlator_finds_its_symbols_at_their_places_and_offsets(decimation):
    rng = np.random.default_rng(1)
    spectra = np.exp(2j * np.pi * rng.random((2, 64)))
    correlator = Correlator(spectra, decimation)
    bins = np.zeros(64 * decimation, complex)
    bins[np.r_[:32, -32:0]] = np.fft.fftshift(np.fft.fftshift(spectra[1]))
    wave = np.fft.ifft(bins)
    values = np.zeros(1000 * decimation, np.complex64)
    values[300 * decimation : 364 * decimation] = wave
    values *= np.exp(2j * np.pi * 0.25 / 64 / decimation * np.arange(len(values)))
    best = [metric.max(axis=1) for metric in correlator.normalised(values, [0.0, 0.25 / 64 / decimation])]
    assert best[1][1] > 0.95 and best[1][1] > best[0][1] > best[1][0]
    for metric in correlator.normalised(values, [0.25 / 64 / decimation]):
        assert metric.shape == (2, 1000 - 64 + 1) and np.argmax(metric[1]) == 300
