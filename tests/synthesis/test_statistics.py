# SPDX-License-Identifier: GPL-3.0-or-later
"""Statistics of what is synthesised: bands, powers and peaks of carriers, and channels, against arithmetic and physics.

Every estimate is one of fixed seeds, and tolerances are two to five times the standard error that the number of
independent values leaves.
"""

import numpy as np
import pytest
import scipy.signal
import scipy.stats
from scipy.special import j0

from rpmsn.standards.sequences import lte_crs_subcarriers
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.channel import fading
from rpmsn.synthesis.grid import ResourceGrid
from rpmsn.synthesis.lte import downlink as lte
from rpmsn.synthesis.lte.downlink import LteDownlink
from rpmsn.synthesis.nr import downlink as nr
from rpmsn.synthesis.nr.downlink import NrDownlink

FULL_LTE = dict(allocation="full", load=1.0, pdcch_load=1.0, system_information=False)
FULL_NR = dict(style="full", load=1.0, pdcch_load=1.0, sib1=False, trs_period_ms=None)
ONLY_SSB = dict(style="ssb_only", sib1=False, trs_period_ms=None)


def generator(seed=1):
    return np.random.default_rng(seed)


def power(values):
    return np.abs(values) ** 2


def occupied_bandwidth(samples, sample_rate):
    """Width that holds all but half a percent of the power on either side: ITU-R SM.328, TS 36.104 6.6.1."""
    frequencies, density = scipy.signal.welch(samples, sample_rate, nperseg=4096, return_onesided=False, detrend=False)
    order = np.argsort(frequencies)
    fraction = np.cumsum(density[order]) / density.sum()
    lower, upper = np.interp([0.005, 0.995], fraction, frequencies[order])
    return upper - lower


@pytest.mark.parametrize("bandwidth_hz", lte.N_RB)
def test_a_full_lte_carrier_has_99_percent_of_its_power_in_its_resource_blocks(bandwidth_hz):
    cell = LteDownlink(bandwidth_hz, **FULL_LTE)
    sample_rate = 2 * bandwidth_hz // 0.48e6 * 0.48e6
    width = occupied_bandwidth(ofdm.modulate(cell.grid(10, generator()), sample_rate, ramp=0.5), sample_rate)
    assert 0.97 * cell.n_rb * 180e3 < width < cell.n_rb * 180e3 + 15e3


@pytest.mark.parametrize(
    "spacing, bandwidth_hz", [(15e3, 5e6), (15e3, 20e6), (15e3, 50e6), (30e3, 10e6), (30e3, 40e6), (30e3, 100e6)]
)
def test_a_full_nr_carrier_has_99_percent_of_its_power_in_its_resource_blocks(spacing, bandwidth_hz):
    cell = NrDownlink(bandwidth_hz, spacing, beams=(), **FULL_NR)
    sample_rate = 1.5 * bandwidth_hz // 0.48e6 * 0.48e6
    width = occupied_bandwidth(ofdm.modulate(cell.grid(5, generator()), sample_rate, ramp=0.5), sample_rate)
    assert 0.97 * cell.n_rb * 12 * spacing < width < cell.n_rb * 12 * spacing


@pytest.mark.parametrize("pdsch_power_db", [-4.77, 0.0, 3.0])
def test_lte_signals_have_the_power_per_resource_element_that_they_should(pdsch_power_db):
    cell = LteDownlink(10e6, cell_id=77, ports=2, pdsch_power_db=pdsch_power_db, **FULL_LTE)
    symbols = cell.grid(10, generator()).symbols.reshape(10, 14, -1)
    reference = symbols[:, 0, lte_crs_subcarriers(77, 50, 0, 0, 0)]
    np.testing.assert_allclose(power(reference), 1, rtol=1e-5)
    for primary in (symbols[0, 6], symbols[5, 6]):
        np.testing.assert_allclose(power(primary[300 - 31 : 300 + 31]), 1, rtol=1e-5)
    np.testing.assert_allclose(power(symbols[0, 5, 300 - 31 : 300 + 31]), 1, rtol=1e-5)
    # 64QAM's power varies by 0.62 of its mean: 12,000 elements leave 0.6 %.
    assert power(symbols[:, 12]).mean() == pytest.approx(10 ** (pdsch_power_db / 10), rel=0.03)


def test_nr_blocks_of_a_beam_have_the_power_of_the_beam():
    cell = NrDownlink(20e6, 30e3, 5, ssb_case="C", beams=((0, 0.0), (1, -6.0), (6, 3.0)), **ONLY_SSB)
    symbols = cell.grid(5, generator()).symbols
    band = slice(cell.ssb_offset, cell.ssb_offset + 240)
    for index, power_db in cell.beams:
        block = symbols[nr.SSB_FIRST_SYMBOLS["C"][index] :][:4, band]
        primary, secondary, broadcast = block[0, 56:183], block[2, 56:183], block[[1, 3]]
        for signal in (primary, secondary, broadcast):
            np.testing.assert_allclose(power(signal), 10 ** (power_db / 10), rtol=1e-5)


@pytest.mark.parametrize("pdsch_power_db", [-3.0, 2.0])
def test_nr_data_have_the_power_per_resource_element_that_they_should(pdsch_power_db):
    cell = NrDownlink(20e6, 30e3, 5, beams=(), pdsch_power_db=pdsch_power_db, dmrs_additional=0, **FULL_NR)
    data = cell.grid(10, generator()).symbols.reshape(20, 14, -1)[:, 4:]
    assert power(data).mean() == pytest.approx(10 ** (pdsch_power_db / 10), rel=0.01)


def test_the_energy_of_an_nr_slot_is_that_of_its_data_also_in_symbols_with_reference_signals():
    cell = NrDownlink(20e6, 30e3, 5, beams=(), dmrs_additional=2, **FULL_NR)
    by_symbol = power(cell.grid(20, generator()).symbols.reshape(40, 14, -1)[:, 2:]).mean(axis=(0, 2))
    np.testing.assert_allclose(by_symbol, 1, rtol=0.02)


# One port, because the same reference symbols from several, added up, are less random than data.
@pytest.mark.parametrize(
    "cell",
    [
        LteDownlink(20e6, ports=1, **FULL_LTE),
        NrDownlink(40e6, 30e3, beams=(), **FULL_NR),
        NrDownlink(15e6, 15e3, beams=(), **FULL_NR),
    ],
    ids=["LTE", "NR 30 kHz", "NR 15 kHz"],
)
def test_peaks_of_a_full_downlink_are_those_of_gaussian_noise(cell):
    """Power of complex Gaussian samples is exceeded by -ln(p) of its mean with probability p: 8.4 dB at 0.1 %."""
    samples = power(ofdm.modulate(cell.grid(10, generator()), 61.44e6, ramp=0.0))
    for probability in (0.5, 0.1, 0.01, 0.001):
        exceeded = np.quantile(samples, 1 - probability) / samples.mean()
        assert 10 * np.log10(exceeded / -np.log(probability)) == pytest.approx(0, abs=0.15)


def even_grid(n_ms=40, n_rb=25, spacing=15e3):
    """Every element is 1, so that a faded grid is the channel's gain."""
    shape = (round(14 * n_ms * spacing / 15e3), 12 * n_rb)
    slots = np.ones(shape[0] // 14, bool)
    return ResourceGrid(np.ones(shape, np.complex64), "NR", spacing, 5e6, False, slots, 15.0 / spacing, 0)


def autocorrelation(series, lags):
    """Mean of series[..., t + lag] times the conjugate of series[..., t]."""
    length = series.shape[-1]
    return np.array([np.mean(series[..., lag:] * series[..., : length - lag].conj()) for lag in lags])


@pytest.mark.parametrize("doppler_hz", [60.0, 300.0, 1000.0])
def test_autocorrelation_in_time_on_the_grid_is_the_bessel_function_of_jakes(doppler_hz):
    grid = even_grid(n_ms=int(np.clip(1200 / doppler_hz, 5, 20)), n_rb=100)
    # ETU decorrelates within 0.2 MHz: some 90 independent gains in 18 MHz leave 0.01 for 60 realisations.
    faded = [fading.on_grid(grid, "ETU", doppler_hz, 0.0, generator(seed)).symbols[:, ::12] for seed in range(60)]
    lags = np.linspace(0, 0.8 / doppler_hz * 14e3, 12).astype(int)
    measured = autocorrelation(np.stack(faded).transpose(0, 2, 1), lags)
    assert np.abs(measured - j0(2 * np.pi * doppler_hz * lags / 14e3)).max() < 0.05


@pytest.mark.parametrize("doppler_hz", [50.0, 300.0])
def test_autocorrelation_in_time_of_faded_samples_is_the_bessel_function_of_jakes(doppler_hz):
    sample_rate = 100 * doppler_hz
    faded = np.stack(
        [
            fading.in_time(np.ones(300, np.complex64), sample_rate, "flat", doppler_hz, 0.0, generator(seed))
            for seed in range(2000)
        ]
    )
    lags = np.arange(0, 100, 4)
    expected = j0(2 * np.pi * doppler_hz * lags / sample_rate)
    assert np.abs(autocorrelation(faded, lags) - expected).max() < 0.06


@pytest.mark.parametrize("profile", [name for name in fading.PROFILES if name != "flat"])
def test_coherence_in_frequency_is_the_fourier_transform_of_the_profile(profile):
    grid = even_grid(n_ms=1, n_rb=100)
    rows = np.stack([fading.on_grid(grid, profile, 0.0, 3e-7, generator(seed)).symbols[0] for seed in range(600)])
    lags = np.arange(0, 400, 20)
    measured = np.array([np.mean(rows[:, :800] * rows[:, lag : lag + 800].conj()) for lag in lags])
    shape = fading.PROFILES[profile]
    powers = 10 ** (np.array(shape.powers_db) / 10)
    delays = np.array(shape.delays) * (3e-7 if shape.scaled else 1)
    expected = np.exp(2j * np.pi * 15e3 * np.outer(lags, delays)) @ powers / powers.sum()
    assert np.abs(measured - expected).max() < 0.1


def check_mean_power(realise, n_realisations):
    """The mean power of realise(rng) is 1 to 2 %, and that is known to 1 %."""
    powers = [power(realise(generator(seed))).mean() for seed in range(n_realisations)]
    assert np.std(powers) / np.sqrt(n_realisations) < 0.01
    assert np.mean(powers) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("profile", fading.PROFILES)
def test_mean_power_of_a_channel_on_the_grid_is_one(profile):
    grid = even_grid(n_ms=20, n_rb=6)
    check_mean_power(lambda rng: fading.on_grid(grid, profile, 1000.0, 1e-6, rng).symbols, 300)


@pytest.mark.parametrize("profile", fading.PROFILES)
def test_mean_power_of_a_channel_on_samples_is_one(profile):
    samples = np.exp(2j * np.pi * generator().random(600)).astype(np.complex64)
    n_realisations = 1000 if len(fading.PROFILES[profile].delays) < 10 else 300
    check_mean_power(lambda rng: fading.in_time(samples, 20e3, profile, 1000.0, 1e-5, rng), n_realisations)


@pytest.mark.parametrize("doppler_hz", [0.0, 70.0])
def test_a_tap_is_rayleigh_fading(doppler_hz):
    taps = np.array(
        [fading.gains(np.array([0.2]), "flat", doppler_hz, 0.0, generator(seed))[1][0, 0] for seed in range(8000)]
    )
    assert scipy.stats.kstest(power(taps), "expon").pvalue > 0.001
    assert scipy.stats.kstest(np.angle(taps), scipy.stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.001
    # Of 8000 exponential values the second moment, 2, is known to 5 %.
    assert np.mean(power(taps) ** 2) == pytest.approx(2, rel=0.2)


@pytest.mark.parametrize("profile, k_db", [("TDL-D", 13.3), ("TDL-E", 22.0)])
def test_a_line_of_sight_makes_the_first_tap_rice_fading(profile, k_db):
    """K factors as in TR 38.901 tables 7.7.2-4 and 7.7.2-5."""
    taps = np.array(
        [fading.gains(np.array([0.2]), profile, 70.0, 1e-7, generator(seed))[1][:2, 0].sum() for seed in range(2500)]
    )
    power_scattered = np.mean(power(taps)) / (1 + 10 ** (k_db / 10))
    deviation = np.sqrt(power_scattered / 2)
    rice = scipy.stats.rice(np.sqrt(2 * 10 ** (k_db / 10)), scale=deviation)
    assert scipy.stats.kstest(np.abs(taps), rice.cdf).pvalue > 0.001


def test_the_doppler_spectrum_ends_at_the_maximum_shift_and_is_highest_there():
    doppler_hz, rate, n = 100.0, 1000.0, 8192
    window = scipy.signal.windows.chebwin(n, 110)
    spectrum = np.mean(
        [
            power(
                np.fft.fft(window * fading.gains(np.arange(n) / rate, "flat", doppler_hz, 0.0, generator(seed))[1][0])
            )
            for seed in range(200)
        ],
        axis=0,
    )
    frequency = np.abs(np.fft.fftfreq(n, 1 / rate))
    fraction = spectrum / spectrum.sum()
    assert fraction[frequency > 1.02 * doppler_hz].sum() < 1e-6
    # Arrivals from all round: a fraction of 1 - 2/pi asin(x) lies beyond x times the maximum shift.
    for part in (0.3, 0.7, 0.9):
        expected = 1 - 2 / np.pi * np.arcsin(part)
        assert fraction[frequency > part * doppler_hz].sum() == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("doppler_hz", [10.0, 300.0, 1000.0])
def test_interpolation_of_gains_leaves_nothing_beyond_the_maximum_doppler_shift(doppler_hz):
    rate = 50e3
    samples = np.ones(1 << 14, np.complex64)
    window = scipy.signal.windows.chebwin(samples.size, 100)
    frequency = np.abs(np.fft.fftfreq(samples.size, 1 / rate))
    beyond = frequency > 1.1 * doppler_hz + 30
    for seed in range(5):
        faded = fading.in_time(samples, rate, "flat", doppler_hz, 0.0, generator(seed))
        spectrum = power(np.fft.fft(window * faded))
        assert spectrum[beyond].sum() < 1e-5 * spectrum.sum()


def test_a_line_of_sight_has_its_line_at_seven_tenths_of_the_maximum_shift():
    n, rate, doppler_hz = 4096, 1000.0, 100.0
    _, taps = fading.gains(np.arange(n) / rate, "TDL-D", doppler_hz, 1e-7, generator())
    spectrum = power(np.fft.fft(taps[0] * np.hanning(n)))
    assert np.fft.fftfreq(n, 1 / rate)[spectrum.argmax()] == pytest.approx(0.7 * doppler_hz, abs=rate / n)


def test_channels_of_different_seeds_and_taps_of_one_channel_are_independent():
    taps = np.array(
        [fading.gains(np.array([0.3]), "EVA", 100.0, 0.0, generator(seed))[1][:, 0] for seed in range(2000)]
    )
    taps /= np.sqrt(power(taps).mean(axis=0))
    among_taps = power(taps[:-1].T.conj() @ taps[:-1] / len(taps))[np.triu_indices(9, 1)]
    between_seeds = power(taps[:-1].T.conj() @ taps[1:] / len(taps)).ravel()
    # The squared correlation of n independent values has the mean 1/n; the largest of 117 hardly exceeds ln(117)/n.
    likeness = np.concatenate([among_taps, between_seeds])
    assert likeness.max() < 2 * np.log(likeness.size) / len(taps)


def test_band_power_is_the_mean_of_the_transfer_function_over_the_band():
    frequencies = np.linspace(-1e6, 1e6, 2001)
    times = np.array([0.0, 0.013])
    for profile in ("flat", "ETU", "TDL-C"):
        delays, taps = fading.gains(times, profile, 50.0, 1e-6, generator(7))
        expected = power(np.exp(-2j * np.pi * np.outer(frequencies, delays)) @ taps).mean(axis=0)
        measured = fading.band_power(times, 2e6, profile, 50.0, 1e-6, generator(7))
        np.testing.assert_allclose(measured, expected, rtol=0.01)
