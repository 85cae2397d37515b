# SPDX-License-Identifier: GPL-3.0-or-later
"""Transmissions that look like LTE and NR have the numbers of their standards; cells as they are seldom drawn, too."""

import numpy as np
import pytest

from rpmsn.cells.lte.narrowband import find_narrowband_cells
from rpmsn.errors import ParameterError
from rpmsn.standards.sequences import lte_pss
from rpmsn.synthesis import other as others
from rpmsn.synthesis.lte.narrowband import NbIotDownlink
from rpmsn.synthesis.lte.sidelink import LteSidelink
from rpmsn.synthesis.other import baseband, broadcast, cellular
from rpmsn.synthesis.other import wireless_lan as wlan
from rpmsn.synthesis.prach import prach
from rpmsn.synthesis.receiver.receiver import Receiver, mean_power
from rpmsn.synthesis.scene import cells, radios
from rpmsn.synthesis.scene.presets import random_scene
from rpmsn.synthesis.scene.rendering import render
from rpmsn.synthesis.scene.scene import BASEBANDS, CARRIERS, Emission, PropagationPath, Reception, Scene


def make(kind, duration_s=0.02, start_s=0.0, seed=1, **parameters):
    return BASEBANDS[kind](duration_s, np.random.default_rng(seed), start_s, **parameters)


def occupied(samples, rate, fraction=0.99):
    """Width of the band (Hz) that holds a fraction of the power, with equal fractions beyond either edge."""
    power = np.cumsum(np.abs(np.fft.fftshift(np.fft.fft(samples))) ** 2)
    edges = np.searchsorted(power / power[-1], [(1 - fraction) / 2, (1 + fraction) / 2])
    return (edges[1] - edges[0]) * rate / samples.size


def repetition(signal, lag_s):
    """Correlation of a signal with itself a time later, 0..1."""
    lag = round(lag_s * signal.sample_rate)
    one, other = signal.samples[:-lag], signal.samples[lag:]
    return abs(np.vdot(one, other)) / np.sqrt(np.vdot(one, one).real * np.vdot(other, other).real)


# Private OFDM


@pytest.mark.parametrize("spacing, n_subcarriers", [(15e3, 600), (30e3, 300), (78.125e3, 200), (2e3, 1500)])
def test_private_ofdm_occupies_its_subcarriers(spacing, n_subcarriers):
    signal = make("private_ofdm", 0.04, subcarrier_spacing=spacing, n_subcarriers=n_subcarriers)
    assert occupied(signal.samples, signal.sample_rate) == pytest.approx(0.99 * n_subcarriers * spacing, rel=0.03)


def test_private_ofdm_repeats_its_prefix_as_lte_does():
    """TS 36.211 6.12: 7 prefixes in 0.5 ms, 1024 of 15360 chips; half a millisecond later nothing repeats."""
    signal = make("private_ofdm", 0.04, preamble_symbols=0)
    assert repetition(signal, 1 / 15e3) == pytest.approx(1024 / 15360, abs=0.01)
    assert repetition(signal, 0.5e-3) < 0.01


def test_private_ofdm_has_the_prefix_asked_for():
    signal = make("private_ofdm", 0.04, lte_prefixes=False, prefix=0.25, preamble_symbols=0)
    assert repetition(signal, 1 / 15e3) == pytest.approx(0.2, abs=0.01)


def test_private_ofdm_has_no_cell_s_synchronisation_signal():
    samples = baseband.resampled(make("private_ofdm", 0.04).samples, round(0.04 * 128 * 15e3))
    spectrum = np.zeros((3, 128), complex)
    for cell_id in range(3):
        spectrum[cell_id, np.r_[-31:0, 1:32]] = lte_pss(cell_id)
    replicas = np.fft.ifft(spectrum, axis=1)
    peaks = [np.abs(np.correlate(samples, replica, "same")) for replica in replicas]
    # Gaussian values are seldom beyond seven times their mean.
    assert max(peak.max() / peak.mean() for peak in peaks) < 7


@pytest.mark.parametrize("on_fraction", [0.3, 0.8, 1.0])
def test_private_ofdm_sends_in_its_part_of_every_frame(on_fraction):
    signal = make("private_ofdm", 0.04, frame_s=0.005, on_fraction=on_fraction)
    # Whole symbols of 71 us.
    assert signal.on_air.mean() == pytest.approx(on_fraction, abs=0.02)
    power = np.abs(signal.samples.reshape(8, -1)) ** 2
    silent = power[:, int((on_fraction + 0.01) * power.shape[1]) :]
    assert not silent.any()


# Wi-Fi


@pytest.mark.parametrize("generation, bandwidth_hz", wlan.TONES)
def test_wlan_occupies_the_subcarriers_of_its_generation(generation, bandwidth_hz):
    signal = make("wlan", 0.02, generation=generation, bandwidth_hz=bandwidth_hz, busy=0.9, mean_burst_s=2e-3)
    spacing = 78.125e3 if generation == "ax" else 312.5e3
    highest = wlan.TONES[generation, bandwidth_hz][-1][1]
    assert occupied(signal.samples, signal.sample_rate) == pytest.approx(2 * highest * spacing, rel=0.04)


@pytest.mark.parametrize("generation, bandwidth_hz, symbol_s", [
    ("a", 20e6, 3.2e-6), ("a", 10e6, 6.4e-6), ("a", 5e6, 12.8e-6), ("n", 40e6, 3.2e-6), ("ac", 80e6, 3.2e-6),
    ("ax", 40e6, 12.8e-6),
])  # fmt: skip
def test_wlan_symbols_last_as_long_as_they_should(generation, bandwidth_hz, symbol_s):
    signal = make("wlan", generation=generation, bandwidth_hz=bandwidth_hz, busy=0.9, mean_burst_s=2e-3)
    lags = {lag: repetition(signal, lag) for lag in (symbol_s, 0.8 * symbol_s, 1.3 * symbol_s)}
    assert lags[symbol_s] > 0.05 and max(lags, key=lags.__getitem__) == symbol_s


@pytest.mark.parametrize("busy", [0.1, 0.4, 0.8])
def test_wlan_is_on_the_air_as_long_as_asked(busy):
    fractions = [make("wlan", 0.08, seed=seed, busy=busy).on_air.mean() for seed in range(12)]
    assert np.mean(fractions) == pytest.approx(busy, abs=0.1)


def test_an_idle_network_sends_beacons_alone():
    signal = make("wlan", 0.4, generation="ac", bandwidth_hz=80e6, busy=0.0)
    lit = np.flatnonzero(signal.on_air[:, 0] > 0.5)
    begins = lit[np.flatnonzero(np.diff(lit, prepend=-9) > 1)] / 16e3
    assert begins == pytest.approx(np.arange(4) * 0.1024, abs=1e-4)
    assert not signal.on_air[:, 1:].any()
    assert signal.on_air[:, 0].sum() / 16e3 == pytest.approx(4 * wlan.BEACON_S, rel=0.05)


def test_wlan_bursts_keep_to_the_standard_s_pauses_and_limits():
    bursts = wlan._bursts(0.0, 2.0, "ac", 0.8, 3e-3, 1.0, np.random.default_rng(3))
    starts = np.array([burst.start_s for burst in bursts])
    ends = starts + [burst.length_s for burst in bursts]
    pauses = starts[1:] - ends[:-1]
    assert pauses.min() > wlan.SIFS_S - 1e-9
    answers = np.array([burst.is_answer for burst in bursts])[1:]
    assert pauses[answers] == pytest.approx(wlan.SIFS_S)
    assert max(burst.length_s for burst in bursts) <= 5.484e-3


# Broadcasting


@pytest.mark.parametrize("mode, frame_s, null_s", [(1, 0.096, 1.297e-3), (2, 0.024, 324e-6), (4, 0.048, 648e-6)])
def test_dab_is_silent_for_a_null_symbol_in_every_frame(mode, frame_s, null_s):
    """EN 300 401 table 38."""
    signal = make("dab", 0.192, mode=mode)
    silent = np.abs(signal.samples) == 0
    assert silent.mean() == pytest.approx(null_s / frame_s, rel=0.01)
    assert np.count_nonzero(np.diff((signal.on_air[:, 0] < 0.5).astype(int)) == -1) == round(0.192 / frame_s)
    assert occupied(signal.samples, signal.sample_rate) == pytest.approx(0.99 * 1.537e6, rel=0.02)


@pytest.mark.parametrize("n_fft, guard", [(1024, 1 / 4), (8192, 19 / 128), (32768, 1 / 128)])
def test_dvb_t2_has_the_width_and_the_guard_of_its_mode(n_fft, guard):
    signal = make("dvb_t2", 0.04, n_fft=n_fft, guard=guard, frame_symbols=2000)
    wanted = broadcast.T2_CARRIERS[n_fft] * 64e6 / 7 / n_fft
    assert occupied(signal.samples, signal.sample_rate) == pytest.approx(0.99 * wanted, rel=0.01)
    rate = wanted / broadcast.T2_CARRIERS[n_fft]
    assert repetition(signal, 1 / rate) == pytest.approx(guard / (1 + guard), abs=0.03)


def test_dvb_t2_frames_begin_with_a_p1_symbol():
    """EN 302 755 9.8.2: 224 us in 8 MHz, its ends the middle one carrier higher."""
    signal = make("dvb_t2", 0.04, frame_symbols=60)
    unit = signal.sample_rate / (64e6 / 7)
    first, middle, last = (round(count * unit) for count in broadcast.P1_SAMPLES)
    assert (first + middle + last) / signal.sample_rate == pytest.approx(224e-6, rel=1e-3)
    head, body = signal.samples[:first], signal.samples[first : 2 * first]
    turn = np.exp(2j * np.pi * np.arange(first) / middle)
    assert abs(np.vdot(head, body * turn)) / np.vdot(body, body).real > 0.99


# GSM that hops


def test_gsm_hops_from_frame_to_frame_over_its_channels():
    signal = make("gsm_hopping", 0.04, n_channels=6, channel_step=3, address=4)
    placed = others.place(signal, 2457600, 61.44e6, 1e6)
    power = np.abs(np.fft.fftshift(np.fft.fft(placed.reshape(640, -1), axis=1), axes=1)) ** 2
    edges = np.round((1e6 + (np.arange(17) - 8) * 200e3 + 61.44e6 / 2) / 16e3).astype(int)
    channels = np.stack([power[:, low:high].sum(axis=1) for low, high in zip(edges, edges[1:])], axis=1) / 3840**2
    # A channel of 200 kHz holds all but a few percent, most of it lost where a burst begins and ends in a cell.
    assert np.abs(channels.sum(axis=0) - signal.on_air.sum(axis=0)).max() < 0.1 * signal.on_air.sum(axis=0).max()
    used = np.flatnonzero(signal.on_air.sum(axis=0))
    assert set(used) <= set(range(0, 16, 3)) and used.size > 2
    # 40 ms hold 8.7 frames of 120 / 26 ms.
    assert len(signal.hops) == 9
    first, last, _ = signal.hops[1]
    assert (last - first) / signal.sample_rate == pytest.approx(120e-3 / 26, rel=1e-3)
    assert mean_power(signal.samples) == pytest.approx(cellular.GSM_BURST_SYMBOLS / cellular.GSM_SLOT_SYMBOLS, rel=0.01)


# Terminals and narrow carriers of LTE and NR


@pytest.mark.parametrize("technology, preamble, spacing, length_s, width_hz", [
    ("LTE", "0", 15e3, (3168 + 24576) / 30.72e6, 839 * 1.25e3),
    ("LTE", "3", 15e3, (21024 + 2 * 24576) / 30.72e6, 839 * 1.25e3),
    ("NR", "2", 15e3, (4688 + 4 * 24576) / 30.72e6, 839 * 1.25e3),
    ("NR", "3", 15e3, (3168 + 4 * 6144) / 30.72e6, 839 * 5e3),
    ("NR", "A1", 15e3, (288 + 2 * 2048) / 30.72e6, 139 * 15e3),
    ("NR", "B4", 30e3, (936 + 12 * 2048) / 2 / 30.72e6, 139 * 30e3),
])  # fmt: skip
def test_random_access_lasts_and_occupies_what_its_format_says(technology, preamble, spacing, length_s, width_hz):
    """TS 36.211 table 5.7.1-1, TS 38.211 tables 6.3.3.1-1 and -2."""
    signal = make(
        "prach", 0.02, technology=technology, preamble=preamble, subcarrier_spacing=spacing, chance=1.0, spread_db=0.0
    )
    assert signal.label == technology
    assert np.count_nonzero(signal.samples) / signal.sample_rate == pytest.approx(2 * length_s, rel=0.01)
    assert occupied(signal.samples, signal.sample_rate) == pytest.approx(0.99 * width_hz, rel=0.03)
    sent = np.abs(signal.samples[np.abs(signal.samples) > 0])
    # A Zadoff-Chu sequence has a low peak, even between its samples; 139 or 839 random values reach 8 dB and more.
    assert 10 * np.log10(sent.max() ** 2 / np.mean(sent**2)) < 7


def test_random_access_comes_at_the_same_times_in_every_chunk():
    whole = prach(0.08, np.random.default_rng(0), 0.0, delay_s=0.0385)
    parts = [prach(0.04, np.random.default_rng(0), start_s, delay_s=0.0385) for start_s in (0.0, 0.04)]
    assert np.allclose(np.concatenate([part.on_air for part in parts]), whole.on_air, atol=0.05)


@pytest.mark.parametrize("mode", ["standalone", "guard"])
def test_an_nb_iot_carrier_is_found_by_its_synchronisation_signals(mode):
    parameters = {"cell_id": 287, "mode": mode, "load": 0.3}
    scene = Scene(1.92e6, 0.12, 3, [Emission("nbiot", 305e3, parameters)], Reception([PropagationPath(15.0)]))
    samples, truths = render(scene)
    (found,) = find_narrowband_cells(samples, 1.92e6, [300e3])
    assert found.cell_id == 287
    assert {truth.label for truth in truths} == {"other"}
    assert truths[0].occupied_upper - truths[0].occupied_lower == pytest.approx(180e3)


def test_nb_iot_in_band_leaves_the_control_region_to_lte_and_is_a_part_of_it():
    grid = NbIotDownlink(mode="inband", load=1.0).grid(10, np.random.default_rng(0))
    subframes = grid.symbols.reshape(10, 14, 12)
    assert grid.technology == "LTE" and not subframes[:, :3].any() and subframes[:, 3:].any(axis=(1, 2)).all()
    assert Emission("nbiot", parameters={"mode": "inband"}).label == "LTE" and Emission("nbiot").label == "other"


def test_a_sidelink_ends_every_transmission_with_a_pause_and_keeps_to_its_reservations():
    """TS 36.211 9.3.6: the last symbol is not sent."""
    sidelink = LteSidelink(load=0.4, reservation_ms=20, has_sync=False)
    subframes = sidelink.grid(40, np.random.default_rng(0)).symbols.reshape(40, 14, 50, 12)
    used = (subframes != 0).any(axis=(1, 3))
    assert not subframes[:, 13].any() and np.array_equal(used[:20], used[20:])
    assert used.mean() == pytest.approx(0.4, abs=0.12)
    assert ((subframes != 0).any(axis=3)[:, :13].sum(axis=1) % 13 == 0).all()


def test_a_sidelink_s_synchronisation_comes_every_160_ms_in_the_middle():
    sidelink = LteSidelink(load=0.0, cell_id=200)
    used = sidelink.grid(320, np.random.default_rng(0)).symbols.reshape(320, 14, 50, 12).any(axis=(1, 3))
    first, second = np.flatnonzero(used.any(axis=1))
    assert second - first == 160 and np.flatnonzero(used[first]).tolist() == list(range(22, 28))


@pytest.mark.parametrize("make_wrong, name", [
    (lambda: make("private_ofdm", subcarrier_spacing=10.0), "subcarrier_spacing"),
    (lambda: make("wlan", generation="b"), "generation"),
    (lambda: make("wlan", generation="n", bandwidth_hz=80e6), "bandwidth_hz"),
    (lambda: make("dab", mode=5), "mode"),
    (lambda: make("dvb_t2", guard=0.2), "guard"),
    (lambda: make("gsm_hopping", n_channels=1), "n_channels"),
    (lambda: make("prach", technology="LTE", preamble="A1"), "preamble"),
    (lambda: NbIotDownlink(mode="alone"), "mode"),
    (lambda: LteSidelink(bandwidth_hz=5e6), "bandwidth_hz"),
])  # fmt: skip
def test_a_parameter_that_cannot_be_is_refused_by_name(make_wrong, name):
    with pytest.raises(ParameterError, match=f"{name} of .*; choose"):
        make_wrong()


# Radios and scenes


def test_an_rtl_sdr_is_at_the_rail_for_up_to_a_sixth_of_the_time():
    fractions = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        made = radios.receiver(rng, "rtl_sdr")
        plain = Receiver(adc_bits=made.adc_bits, headroom_db=made.headroom_db)
        noise = (rng.standard_normal(40000) + 1j * rng.standard_normal(40000)).astype(np.complex64)
        values = plain.apply(noise, 1.92e6, rng).view(np.float32)
        fractions.append(np.mean(np.abs(values) > 0.99))
    assert 0.1 < max(fractions) < 0.2 and np.mean(np.array(fractions) > 0.01) == pytest.approx(0.4, abs=0.2)


def test_every_radio_has_rates_and_a_receiver():
    rng = np.random.default_rng(0)
    assert radios.RADIOS.keys() == radios.RATES.keys()
    bits = {radio: {radios.receiver(rng, radio).adc_bits for _ in range(20)} for radio in radios.RADIOS}
    assert bits == {"rtl_sdr": {8}, "hackrf": {8}, "usrp_b200": {12}, "wide": {14, 16}}


def test_lookalikes_are_neither_lte_nor_nr_and_of_every_kind():
    kinds = set()
    for seed in range(250):
        scene = random_scene("lookalikes", seed)
        assert {emission.label for emission in scene.emissions} <= {"other"}
        kinds |= {emission.kind for emission in scene.emissions}
    assert kinds >= {"private_ofdm", "wlan", "dab", "dvb_t2", "flat_ofdm", "gsm", "gsm_hopping", "wcdma", "nbiot"}


def test_cells_are_idle_full_alone_and_beside_look_alikes():
    scenes = [random_scene("cells", seed) for seed in range(250)]
    emissions = [emission for scene in scenes for emission in scene.emissions]
    kinds = {emission.kind for emission in emissions}
    assert kinds >= set(CARRIERS) - {"dss"} | {"prach", "private_ofdm", "gsm", "wlan"}
    full = [emission.parameters for emission in emissions if emission.parameters.get("style") == "full"]
    patterns = {(cell["dmrs_type"], cell["dmrs_first"], cell["dmrs_length"]) for cell in full}
    assert len(patterns) >= 6 and {cell["subcarrier_spacing"] for cell in full} == {15e3, 30e3}
    assert any(emission.parameters.get("allocation") == "idle" for emission in emissions)
    assert {emission.parameters["mode"] for emission in emissions if emission.kind == "nbiot"} >= {"guard", "inband"}


def test_nb_iot_lies_in_the_guard_band_or_on_a_resource_block():
    rng = np.random.default_rng(1)
    for _ in range(100):
        carrier = Emission("lte", 0.0, {"bandwidth_hz": 10e6})
        offset, mode = cells._nbiot_place(rng, carrier)
        if mode == "guard":
            assert 4.5e6 + 90e3 <= abs(offset) <= 5e6 - 90e3
        else:
            assert (abs(offset) - 7.5e3) / 180e3 % 1 == pytest.approx(0.5) and abs(offset) < 4.5e6
