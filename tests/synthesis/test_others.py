# SPDX-License-Identifier: GPL-3.0-or-later
"""Other transmissions have the spectrum, the rhythm and the power that they state, wherever they are placed."""

import numpy as np
import pytest
import yaml

from rpmsn.errors import ParameterError
from rpmsn.synthesis import other as others
from rpmsn.synthesis.other import baseband, cellular, short_range
from rpmsn.synthesis.other.fsk import gaussian_fsk
from rpmsn.synthesis.receiver.receiver import mean_power

RATE, N = 61.44e6, 2457600


def make(kind, duration_s=0.02, start_s=0.0, seed=1, **parameters):
    return others.KINDS[kind](duration_s, np.random.default_rng(seed), start_s, **parameters)


def decibel(ratio):
    return 10 * np.log10(ratio)


def occupied(samples, rate, fraction=0.99):
    """Width of the band (Hz) that holds a fraction of the power, with equal fractions beyond either edge."""
    power = np.cumsum(np.abs(np.fft.fftshift(np.fft.fft(samples))) ** 2)
    edges = np.searchsorted(power / power[-1], [(1 - fraction) / 2, (1 + fraction) / 2])
    return (edges[1] - edges[0]) * rate / samples.size


# Placing


@pytest.mark.parametrize("kind", ["wcdma", "gsm", "fm", "lora"])
@pytest.mark.parametrize("rate", [61.44e6, 46.08e6, 19.2e6, 122.88e6])
def test_placing_in_blocks_is_placing_as_a_whole(kind, rate):
    signal = make(kind, 0.04)
    n, offset_hz = round(rate * 0.04), -2.0012e6
    whole = baseband.resampled(signal.samples, n, round(offset_hz * 0.04), 0.7)
    blocks = others.place(signal, n, rate, offset_hz, amplitude=0.7)
    assert n > baseband.SHORT
    assert decibel(mean_power(blocks - whole) / mean_power(whole)) < -70


def test_what_lies_beyond_the_span_is_cut_off_and_the_rest_stays():
    signal = make("wcdma", 0.04)
    offset_hz = RATE / 2 - 0.5e6
    whole = np.fft.fft(baseband.resampled(signal.samples, N, round(offset_hz * 0.04)))
    error = np.fft.fft(others.place(signal, N, RATE, offset_hz)) - whole
    frequency = np.fft.fftfreq(N, 1 / RATE)
    inside = np.abs(frequency) < RATE / 2 - 1.5 * baseband.SPAN_SKIRT_HZ
    assert decibel(np.sum(np.abs(error[inside]) ** 2) / np.sum(np.abs(whole) ** 2)) < -60
    assert not others.place(signal, N, RATE, RATE).any()


def test_a_band_up_to_its_own_edges_is_placed_exactly():
    rng = np.random.default_rng(0)
    samples = (rng.standard_normal(320000) + 1j * rng.standard_normal(320000)).astype(np.complex64)
    signal = others.Baseband(samples, 8e6, -4e6, 4e6, np.ones((640, 1), np.float32))
    placed = others.place(signal, N, RATE, 5e6)
    assert mean_power(placed) == pytest.approx(mean_power(samples), rel=1e-4)


def test_placing_adds_to_what_is_there():
    signal = make("gsm")
    there = np.ones(N // 2, np.complex64)
    assert others.place(signal, N // 2, RATE, 1e6, out=there, amplitude=0.5) is there
    assert np.allclose(there - 1, others.place(signal, N // 2, RATE, 1e6) * np.float32(0.5), atol=1e-5)


def test_silence_between_bursts_stays_silent():
    signal = make("radar", 0.04, interval_s=0.02)
    placed = np.abs(others.place(signal, N, RATE)) ** 2
    # The filter's skirts of 0.4 MHz ring for a few microseconds: 32 us is far beyond them.
    assert placed[2000 + round(20e-6 * RATE) : N // 2 - 2000].max() < 1e-7


# Every kind


@pytest.mark.parametrize("kind", others.KINDS)
@pytest.mark.parametrize("start_s", [0.0, 0.04, 7.003])
def test_power_is_one_while_on_the_air(kind, start_s):
    signal = make(kind, 0.04, start_s)
    on_s = signal.on_air.sum(axis=1).clip(0, 1).mean()
    assert signal.on_air.shape[0] == 640 and signal.on_air.min() >= 0 and signal.on_air.max() <= 1 + 1e-6
    assert mean_power(signal.samples) / on_s == pytest.approx(1, rel=0.02) or on_s == 0


@pytest.mark.parametrize("kind", others.KINDS)
def test_the_same_seed_gives_the_same_signal(kind):
    assert np.array_equal(make(kind).samples, make(kind).samples)


@pytest.mark.parametrize(
    "kind, parameters",
    [
        ("gsm", {"slots_on": [True, False] * 4}),
        ("radar", {"interval_s": [0.0007, 0.0011, 0.0009]}),
        ("bluetooth", {"load": 0.9}),
        ("lora", {"spreading_factor": 7, "n_symbols": 9, "pause_s": 0.004}),
        ("impulses", {"regular": True, "interval_s": 0.0031}),
    ],
)
def test_chunks_follow_each_other_in_rhythm(kind, parameters):
    whole = make(kind, 0.08, **parameters)
    parts = [make(kind, 0.04, start_s, **parameters) for start_s in (0.0, 0.04)]
    assert np.allclose(np.concatenate([part.on_air for part in parts]), whole.on_air, atol=0.02)


@pytest.mark.parametrize(
    "kind, parameters",
    [
        ("gsm", {"slots_on": [False] * 8}),
        ("gsm", {"slots_on": [True]}),
        ("wcdma", {"load": 1.5}),
        ("wcdma", {"scrambling_code": 512}),
        ("fm", {"audio_hz": "15e3"}),
        ("tone", {"width_hz": 0.0}),
        ("tone", {"drift_hz_per_s": float("nan")}),
        ("band_noise", {"rolloff": 2.0}),
        ("flat_ofdm", {"guard": -0.1}),
        ("flat_ofdm", {"n_subcarriers": 1705.5}),
        ("wifi", {"bandwidth_hz": 80e6}),
        ("wifi", {"busy": 0.0}),
        ("bluetooth", {"n_channels": 80}),
        ("bluetooth", {"load": True}),
        ("lora", {"spreading_factor": 6}),
        ("lora", {"bandwidth_hz": 1e6}),
        ("radar", {"pulse_s": 0.002}),
        ("radar", {"interval_s": []}),
        ("impulses", {"burst_s": 1.0}),
        ("impulses", {"regular": "no"}),
    ],
)
def test_a_parameter_that_cannot_be_is_named_with_its_value(kind, parameters):
    ((name, value),) = parameters.items()
    with pytest.raises(ParameterError, match="choose") as error:
        make(kind, **parameters)
    assert ("interval_s" if name == "pulse_s" else name) in str(error.value)
    assert name == "pulse_s" or repr(value) in str(error.value)


def test_parameters_go_through_yaml():
    for kind, parameters in (("gsm", {"slots_on": (True,) + (False,) * 7}), ("radar", {"pulse_s": (1e-5, 2e-5)})):
        plain = {name: list(values) for name, values in parameters.items()}
        read = make(kind, **yaml.safe_load(yaml.safe_dump(plain)))
        assert np.array_equal(read.samples, make(kind, **parameters).samples)


# Each kind


def test_gaussian_keying_turns_by_its_index_a_bit():
    times = np.arange(400) / 8
    for bt, index in ((0.3, 0.5), (0.5, 0.32)):
        phase = np.unwrap(np.angle(gaussian_fsk(np.ones(50), times, bt, index)))
        assert (phase[320] - phase[80]) / 30 == pytest.approx(np.pi * index, rel=1e-4)
        flips = np.unwrap(np.angle(gaussian_fsk((-1.0) ** np.arange(50), times, bt, index)))
        assert np.ptp(flips[80:320]) < np.pi * index


def test_gaussian_keying_is_a_filtered_train_of_rectangles():
    bits, step = np.random.default_rng(0).choice([-1.0, 1.0], 40), 64
    for bt, index in ((0.3, 0.5), (0.5, 0.32)):
        rise = np.arange(-3 * step, 3 * step + 1) / step
        pulse = np.exp(-(rise**2) * 2 * (np.pi * bt) ** 2 / np.log(2))
        frequency = np.convolve(np.repeat(bits, step), pulse / pulse.sum(), "same")
        phase = np.cumsum(frequency) * np.pi * index / step
        times = (np.arange(40 * step) + 0.5 + 0.5) / step
        turned = gaussian_fsk(bits, times[5 * step : -5 * step], bt, index) * np.exp(-1j * phase[5 * step : -5 * step])
        assert np.ptp(np.unwrap(np.angle(turned))) < 0.02


def test_gsm_fits_its_channel():
    # 99 % of GMSK with BT 0.3 lies within 0.91 symbol rates.
    signal = make("gsm")
    assert occupied(signal.samples, signal.sample_rate) == pytest.approx(0.91 * 270.833e3, rel=0.06)


def test_scrambling_codes_are_sums_of_sequences_of_full_length():
    x, y = cellular._m_sequences()
    assert x.sum() == y.sum() == 2**17
    for i in (0, 5000, 262143 - 19):
        assert x[i + 18] == x[i + 7] ^ x[i]
        assert y[i + 18] == y[i + 10] ^ y[i + 7] ^ y[i + 5] ^ y[i]
    codes = [cellular.scrambling(number) for number in (0, 1, 511)]
    assert np.allclose(np.abs(codes), 1)
    correlation = np.abs(np.array(codes) @ np.conj(codes).T) / codes[0].size
    # Independent sequences of 38400 chips: 1 / sqrt(38400) = 0.005.
    assert (correlation[~np.eye(3, dtype=bool)] < 0.03).all()


def test_scrambling_code_is_what_the_shift_registers_give():
    x, y = [1] + [0] * 17, [1] * 18
    for i in range(131072 + 200):
        x.append(x[i + 7] ^ x[i])
        y.append(y[i + 10] ^ y[i + 7] ^ y[i + 5] ^ y[i])
    # Primary code 2 is scrambling code 32: the first register is 32 steps ahead.
    bits = np.array(x[32:]) ^ np.array(y[:-32])
    expected = 1 - 2 * bits[:128] + 1j * (1 - 2 * bits[131072 : 131072 + 128])
    assert np.allclose(cellular.scrambling(2)[:128], expected / np.sqrt(2))


def test_channelisation_and_synchronisation_codes_are_orthogonal():
    codes = cellular.ovsf(16)
    assert np.array_equal(codes @ codes.T, 16 * np.eye(16))
    # C(4, 1) = 1 1 -1 -1 and C(4, 2) = 1 -1 1 -1 in figure 4 of TS 25.213.
    assert cellular.ovsf(4)[1:3].tolist() == [[1, 1, -1, -1], [1, -1, 1, -1]]
    sync = np.stack([cellular.synchronisation_code(number) for number in (None, *range(16))])
    product = np.abs(sync @ sync.conj().T) / 512
    assert np.allclose(np.diag(product), 1) and product[~np.eye(17, dtype=bool)].max() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("start_s", [0.0, 0.013])
def test_wcdma_has_a_pilot_that_a_phone_would_find(start_s):
    signal = make("wcdma", 0.02, start_s, scrambling_code=77, load=0.6)
    n = signal.samples.size
    # Matched filter, and one sample a chip.
    spectrum = np.fft.fft(signal.samples) * cellular.root_raised_cosine(np.fft.fftfreq(n) * 2, 0.22)
    chips = np.fft.ifft(spectrum)[::2]
    first = round(start_s * 3.84e6)
    code = cellular.scrambling(77)[(first + np.arange(chips.size)) % 38400]
    offset = -first % 256
    pilots = (chips * code.conj())[offset:].copy()
    pilots = pilots[: pilots.size // 256 * 256].reshape(-1, 256).mean(axis=1)
    assert np.abs(np.angle(pilots.mean()) - np.pi / 4) < 0.05
    assert decibel(np.abs(pilots.mean()) ** 2 / mean_power(chips.astype(np.complex64))) == pytest.approx(-8, abs=1)
    slot_start = -first % 2560
    slots = chips[slot_start : slot_start + 2560 * 20].reshape(20, 2560)
    matched = np.abs(np.fft.ifft(np.fft.fft(slots, axis=1) * np.fft.fft(cellular.synchronisation_code(), 2560).conj()))
    assert np.argmax((matched**2).sum(axis=0)) == 0


def test_wcdma_has_the_spectrum_and_the_peaks_of_a_loaded_cell():
    signal = make("wcdma", 0.04, load=0.8)
    # TS 25.104 6.6.1: less than 5 MHz; 3.84 MHz lie between the half-power points.
    assert 4.0e6 < occupied(signal.samples, signal.sample_rate) < 4.4e6
    power = np.sort(np.abs(signal.samples) ** 2)
    # Complex Gaussian noise exceeds 8.4 dB for 0.1 % of the time.
    assert decibel(power[int(0.999 * power.size)]) == pytest.approx(8.4, abs=1.5)


def test_wifi_packets_begin_with_the_training_fields():
    signal = make("wifi", 0.04, busy=0.2)
    sent = np.flatnonzero(np.abs(signal.samples) > 0)
    start = sent[np.flatnonzero(np.diff(sent, prepend=-1000) > 80)[1]]
    short, long = signal.samples[start : start + 160], signal.samples[start + 160 : start + 320]
    assert np.allclose(short[16:], short[:-16], atol=1e-4)
    assert np.allclose(long[32:96], long[96:160], atol=1e-4) and np.allclose(long[:32], long[64:96], atol=1e-4)
    assert not np.allclose(long[32:80], long[48:96], atol=0.1)


@pytest.mark.parametrize("bandwidth_hz, busy", [(20e6, 0.2), (40e6, 0.5), (20e6, 0.8)])
def test_wifi_is_on_the_air_as_long_as_asked(bandwidth_hz, busy):
    fractions = [make("wifi", 0.08, seed=seed, bandwidth_hz=bandwidth_hz, busy=busy).on_air.mean() for seed in range(8)]
    # Packets of up to 1.6 ms in 0.64 s: the standard error is near 0.03.
    assert np.mean(fractions) == pytest.approx(busy, abs=0.1)


def test_bluetooth_hops_where_its_cells_say():
    signal = make("bluetooth", 0.04, 0.16, n_channels=40, load=0.8)
    placed = others.place(signal, N, RATE, 2e6)
    power = np.abs(np.fft.fftshift(np.fft.fft(placed.reshape(640, -1), axis=1), axes=1)) ** 2
    edges = np.round((2e6 + np.arange(-20, 21) * 1e6 + RATE / 2) / 16e3).astype(int)
    channels = np.stack([power[:, low:high].sum(axis=1) for low, high in zip(edges, edges[1:])], axis=1) / 3840**2
    # A channel of 1 MHz holds 97 % and more of a signal of 1 Mbit/s with index 0.32.
    assert np.abs(channels - signal.on_air).max() < 0.1
    assert decibel(channels.sum() / signal.on_air.sum()) == pytest.approx(0, abs=0.2)
    assert len({frequency for *_, frequency in signal.hops}) > 10


def test_bluetooth_channels_outside_the_span_are_not_in_the_samples():
    signal = make("bluetooth", 0.04, n_channels=79, load=1.0)
    placed = others.place(signal, N // 2, RATE / 2)
    inside = np.abs(np.arange(79) - 39) <= 15
    received = signal.on_air[:, inside].sum() / signal.on_air.sum()
    assert mean_power(placed) / mean_power(signal.samples) == pytest.approx(received, rel=0.1)


@pytest.mark.parametrize("spreading_factor, bandwidth_hz", [(7, 125e3), (8, 250e3), (9, 500e3)])
def test_lora_symbols_come_out_of_a_dechirper(spreading_factor, bandwidth_hz):
    n = 2**spreading_factor
    symbol_s = n / bandwidth_hz
    signal = make(
        "lora",
        round(44 * symbol_s, 3),
        bandwidth_hz=bandwidth_hz,
        spreading_factor=spreading_factor,
        n_symbols=30,
        address=5,
    )
    data = np.random.default_rng([5, 0]).integers(0, n, 30)
    times = np.arange(signal.samples.size) / signal.sample_rate
    moments = np.arange(n) / bandwidth_hz
    down = np.exp(-1j * np.pi * (np.arange(n) ** 2 / n - np.arange(n)))

    def symbol_at(first_s, conjugate=False):
        part = np.interp(first_s + moments, times, signal.samples.real) + 1j * np.interp(
            first_s + moments, times, signal.samples.imag
        )
        spectrum = np.abs(np.fft.fft((part.conj() if conjugate else part) * down))
        # Interpolation by a line costs some amplitude at the edges of the band.
        assert spectrum.max() > 0.5 * n
        return int(np.argmax(spectrum))

    head = [symbol_at(k * symbol_s) for k in range(10)]
    assert head == [0] * 8 + [24 * n // 128, 32 * n // 128]
    assert [symbol_at(k * symbol_s, conjugate=True) for k in (10, 11)] == [0, 0]
    assert [symbol_at((12.25 + k) * symbol_s) for k in range(30)] == data.tolist()


def test_lora_keeps_within_its_band():
    signal = make("lora", 0.04, spreading_factor=8)
    assert occupied(signal.samples, signal.sample_rate) == pytest.approx(125e3, rel=0.03)


def test_impulses_fill_their_band_and_last_as_long_as_they_should():
    signal = make("impulses", 0.04, bandwidth_hz=60e6, interval_s=1e-3, burst_s=5e-6, regular=True)
    assert signal.on_air.sum() / 640 == pytest.approx(5e-3, rel=0.02)
    power = np.abs(np.fft.fft(others.place(signal, N, RATE))) ** 2
    bands = np.fft.fftshift(power).reshape(16, -1).mean(axis=1)[1:-1]
    # 40 bursts of 300 independent values, a sixteenth of them in a band: 4 % standard error.
    assert decibel(bands.max() / bands.min()) < 1.5


def test_impulses_come_at_their_rate():
    counts = [np.count_nonzero(make("impulses", 0.04, seed=seed, interval_s=1e-3).on_air) for seed in range(30)]
    # 1200 expected, 35 standard deviation; two may share a cell, one may touch two.
    assert sum(counts) == pytest.approx(1200, rel=0.15)


@pytest.mark.parametrize(
    "start_s, drift, sweep_hz", [(0.0, 2e8, 0.0), (3.0, -5e7, 0.0), (0.2, 3e8, 5e6), (1.0, 1e7, 5e6)]
)
def test_a_drifting_tone_is_where_its_cells_say(start_s, drift, sweep_hz):
    signal = make("tone", 0.04, start_s, drift_hz_per_s=drift, sweep_hz=sweep_hz)
    offset_hz = -drift * (start_s + 0.02) if not sweep_hz else 1e6
    placed = others.place(signal, N, RATE, offset_hz)
    frequency = np.angle(placed[1:] * placed[:-1].conj()) * RATE / (2 * np.pi)
    measured = np.median(np.append(frequency, frequency[-1]).reshape(640, -1), axis=1)
    edges = offset_hz + np.linspace(signal.lower, signal.upper, signal.on_air.shape[1] + 1)
    band = np.argmax(signal.on_air, axis=1)
    slack = abs(drift) * 0.04 / 640 + 5e3
    within = (measured > edges[band] - slack) & (measured < edges[band + 1] + slack)
    # A cell in which the tone jumps back may show either end.
    assert np.count_nonzero(~within) <= (4 if sweep_hz else 0)
    assert signal.occupied_bandwidth <= 20e3


def test_a_steady_tone_goes_on_where_the_chunk_before_ended():
    parts = [others.place(make("tone", 0.04, start_s), 76800, 1.92e6, 100e3) for start_s in (0.0, 0.04)]
    samples = np.concatenate(parts)
    assert np.allclose(np.angle(samples[1:] * samples[:-1].conj()), 2 * np.pi * 100e3 / 1.92e6, atol=1e-3)


def test_staggered_radar_takes_its_intervals_in_turn():
    signal = make("radar", 0.02, 0.0, interval_s=[0.5e-3, 0.8e-3], pulse_s=[1e-5, 2e-5], sweep_hz=2e6)
    sent = np.abs(signal.samples) > 0.5
    begins = np.flatnonzero(np.diff(sent.astype(int), prepend=0) == 1) / signal.sample_rate
    ends = np.flatnonzero(np.diff(sent.astype(int)) == -1) / signal.sample_rate
    assert np.allclose(np.diff(begins)[:4], [0.5e-3, 0.8e-3, 0.5e-3, 0.8e-3], atol=2 / signal.sample_rate)
    assert np.allclose((ends - begins[: ends.size])[:4], [1e-5, 2e-5, 1e-5, 2e-5], atol=2 / signal.sample_rate)


@pytest.mark.parametrize("n_subcarriers, bandwidth_hz", [(1705, 7.61e6), (6817, 7.61e6), (100, 3e6)])
def test_flat_ofdm_is_as_wide_as_asked(n_subcarriers, bandwidth_hz):
    signal = make("flat_ofdm", 0.04, n_subcarriers=n_subcarriers, bandwidth_hz=bandwidth_hz)
    assert occupied(signal.samples, signal.sample_rate) == pytest.approx(0.99 * bandwidth_hz, rel=0.015)


@pytest.mark.parametrize("start_s", [0.0, 0.04])
def test_scattered_pilots_move_on_from_symbol_to_symbol_and_from_chunk_to_chunk(start_s):
    signal = make("flat_ofdm", 0.04, start_s, pilot_boost_db=12.0)
    spacing = 7.61e6 / 1705
    n_fft = round(signal.sample_rate / spacing)
    symbol = n_fft + round(n_fft / 8)
    number = -(-round(start_s * signal.sample_rate) // symbol)
    first = number * symbol - round(start_s * signal.sample_rate) + symbol - n_fft
    for later in range(5):
        spectrum = np.abs(np.fft.fft(signal.samples[first + later * symbol :][:n_fft]))[np.arange(1705) - 852]
        # EN 300 744 4.5.3: subcarriers 3 (l mod 4) + 12 p.
        power = [np.mean(spectrum[start::12] ** 2) for start in range(12)]
        assert np.argmax(power) == 3 * ((number + later) % 4)


def test_wifi_preamble_signs_are_those_of_the_standard():
    # The training fields have a peak over mean of 2.2 dB and 3.2 dB; a wrong sign spoils both.
    used = np.r_[-26:0, 1:27]
    for field, limit_db in zip(short_range._wifi_preamble(used, False, 64)[[0, 3]], (2.3, 3.3)):
        spectrum = np.zeros(1024, complex)
        spectrum[used] = field
        power = np.abs(np.fft.ifft(spectrum)) ** 2
        assert decibel(power.max() / power.mean()) < limit_db
