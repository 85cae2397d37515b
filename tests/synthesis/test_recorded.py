# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded carriers: their band and nothing else, at the right place, power and time; nothing unusable gets in."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.fft

from rpmsn.errors import ParameterError, RecordingError
from rpmsn.synthesis import other as others
from rpmsn.synthesis.scene import recorded

RATE = 10e6
CENTER = 1.8e9


@pytest.fixture(autouse=True)
def fresh_memory(monkeypatch):
    monkeypatch.setattr(recorded, "_loops", recorded._Loops(recorded.MEMORY_BYTES))


def noise(n, seed, power=1.0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(n) + 1j * rng.standard_normal(n)) * np.sqrt(power / 2)


def band(n, lower, upper, seed, rate=RATE):
    """Noise of power 1 between two frequencies, Hz, and nothing outside."""
    spectrum = scipy.fft.fft(noise(n, seed))
    frequencies = scipy.fft.fftfreq(n, 1 / rate)
    spectrum[(frequencies < lower) | (frequencies > upper)] = 0
    samples = scipy.fft.ifft(spectrum)
    return samples / np.sqrt(np.mean(np.abs(samples) ** 2))


def power_between(samples, rate, lower, upper):
    """Fraction of the mean power that lies between two frequencies, absolute."""
    frequencies = scipy.fft.fftfreq(samples.size, 1 / rate)
    spectrum = np.abs(scipy.fft.fft(samples) / samples.size) ** 2
    return spectrum[(frequencies >= lower) & (frequencies < upper)].sum()


def annotation(lower=0.0, upper=3e6, label="LTE", start=0, count=None, **more):
    """Annotation whose edges are given relative to the centre frequency."""
    fields = {
        "core:sample_start": start,
        "core:label": label,
        "core:freq_lower_edge": CENTER + lower,
        "core:freq_upper_edge": CENTER + upper,
        **more,
    }
    return fields if count is None else {**fields, "core:sample_count": count}


@pytest.fixture
def write(tmp_path):
    """Function that writes samples (largest component below 1) and annotations as a recording; returns its path."""

    def writer(samples, *annotations, name="x", rate=RATE):
        components = np.ascontiguousarray(samples, np.complex64).view(np.float32)
        (tmp_path / f"{name}.sigmf-data").write_bytes(np.round(components * 32767).astype("<i2").tobytes())
        meta = tmp_path / f"{name}.sigmf-meta"
        meta.write_text(
            json.dumps(
                {
                    "global": {"core:datatype": "ci16_le", "core:sample_rate": rate, "core:version": "1.2.0"},
                    "captures": [{"core:sample_start": 0, "core:frequency": CENTER}],
                    "annotations": list(annotations),
                }
            )
        )
        return meta

    return writer


def correlation(first, second):
    return abs(np.vdot(first, second)) / np.sqrt(np.vdot(first, first).real * np.vdot(second, second).real)


def test_a_carrier_put_back_where_it_was_is_what_was_recorded(write):
    original = 0.1 * band(210_000, 0.0, 3e6, 1)
    signal = recorded.load(write(original, annotation()), 0, 0.02)
    back = others.place(signal, 200_000, RATE, (0.0 + 3e6) / 2)
    # The cross-fade and its surroundings apart.
    assert correlation(back[1000:-1000], original[1000:199_000]) > 0.9999


def test_edges_are_those_of_the_annotation_round_0_hz(write):
    path = write(0.1 * band(210_000, -2.1e6, 1.234567e6, 2), annotation(-2.1e6, 1.234567e6))
    signal = recorded.load(path, 0, 0.02)
    assert signal.upper - signal.lower == pytest.approx(3.334567e6, abs=1e-3)
    # Half a bin of a 20 ms loop is 25 Hz.
    assert abs(signal.upper + signal.lower) / 2 <= 25
    assert power_between(signal.samples, signal.sample_rate, signal.lower, signal.upper) == pytest.approx(1, abs=0.02)


def test_the_band_is_kept_flat_and_what_lies_beyond_its_skirts_removed(write):
    """White noise all over the span shows the filter: 1 up to the edges, half the amplitude amid the skirts, then 0."""
    signal = recorded.load(write(0.1 * noise(410_000, 3), annotation()), 0, 0.04)
    guard = 0.02 * 3e6

    whole = power_between(signal.samples, signal.sample_rate, signal.lower, signal.upper)

    def density(lower, upper):
        return power_between(signal.samples, signal.sample_rate, lower, upper) / (upper - lower) * 3e6 / whole

    # 20 kHz of 40 ms are 800 values: 3.5 % of spread.
    for edge, out in ((signal.lower, -1), (signal.upper, 1)):
        inner, middle = sorted((edge - out * 20e3, edge)), edge + out * guard / 2
        assert density(*inner) == pytest.approx(1, abs=0.15)
        assert density(middle - 1e3, middle + 1e3) == pytest.approx(0.25, abs=0.15)
    kept = power_between(signal.samples, signal.sample_rate, signal.lower - guard, signal.upper + guard)
    assert np.mean(np.abs(signal.samples) ** 2) - kept < 1e-6 * whole


def test_power_is_1_while_on_the_air_and_the_noise_that_came_with_it_is_measured(write):
    carrier = 0.1 * band(400_000, 0, 3e6, 1)
    carrier[100_000:300_000] = 0
    # 20 dB: the carrier's 0.01 over 3 MHz against noise over 10 MHz.
    path = write(carrier + noise(400_000, 2, 0.01 / 100 * RATE / 3e6), annotation(label="other"))
    signal = recorded.load(path, 0, 0.04)
    on_air = signal.on_air.any(axis=1)
    powers = np.mean(np.abs(signal.samples.reshape(len(on_air), -1)) ** 2, axis=1)
    assert on_air.mean() == pytest.approx(0.5, abs=0.01)
    assert powers[on_air].mean() == pytest.approx(1.01, abs=0.02)
    assert powers[~on_air].mean() == pytest.approx(0.01, rel=0.15)
    assert signal.recorded_snr_db == pytest.approx(20, abs=0.5)
    assert signal.occupied_bandwidth == pytest.approx(3e6, rel=0.01)


def test_noise_is_measured_in_pauses_where_the_band_fills_the_span_and_not_at_all_without_pauses(write):
    carrier = 0.1 * band(400_000, -4.9e6, 4.9e6, 1)
    floor = noise(400_000, 2, 1e-4)
    always = recorded.load(write(carrier + floor, annotation(-4.9e6, 4.9e6), name="always"), 0, 0.04)
    carrier[100_000:140_000] = 0
    pausing = recorded.load(write(carrier + floor, annotation(-4.9e6, 4.9e6), name="pausing"), 0, 0.04)
    assert always.recorded_snr_db is None
    assert pausing.recorded_snr_db == pytest.approx(20, abs=1)


def test_the_leakage_of_an_encoders_output_is_not_taken_for_noise(write):
    """Bursts with hard edges leak over all of the span, but between them there is nothing."""
    carrier = 0.1 * band(400_000, 0, 3e6, 1)
    carrier[100_000:300_000] = 0
    carrier += 1e-3 * np.abs(carrier) * noise(400_000, 2)
    signal = recorded.load(write(carrier, annotation(label="NR")), 0, 0.04)
    # Steps of 1 / 32768 in I and Q over 10 MHz, against 0.01 over 3 MHz.
    rounding = 2 / 32768**2 / 12 / 10e6
    assert signal.recorded_snr_db == pytest.approx(10 * np.log10(0.01 / 3e6 / rounding), abs=1)


def test_level_shows_when_and_where_a_sparse_carrier_sends(write):
    samples = noise(400_000, 1, 1e-7)
    samples[50_000:100_000] += 0.2 * band(50_000, 0.9e6, 1.8e6, 2)
    signal = recorded.load(write(samples, annotation(0, 3.6e6, "NR")), 0, 0.04)
    # 16 cells a ms: the burst is in 80..160 of 640; of 20 frequency cells in 5..10.
    assert signal.level.shape == signal.on_air.shape == (640, 20)
    burst = np.zeros(signal.level.shape, bool)
    burst[80:160, 5:10] = True
    assert signal.level[burst].mean() == pytest.approx(1, abs=0.05)
    far = np.ones(signal.level.shape, bool)
    far[79:161, 4:11] = False
    # What a hard switch spreads; a tenth of what labels take for energy.
    assert signal.level[far].max() < 5e-3
    assert np.all(signal.on_air[burst] == 1) and not signal.on_air[far].any()
    assert signal.occupied_bandwidth == pytest.approx(0.9e6, rel=0.05)
    powers = np.mean(np.abs(signal.samples.reshape(640, -1)) ** 2, axis=1)
    assert powers[81:159].mean() == pytest.approx(1, abs=0.05)


def test_an_lte_carrier_is_on_the_air_in_all_of_its_band_but_not_in_tdd_gaps(write):
    samples = 0.2 * band(400_000, 0, 1.5e6, 1)
    # Pauses between reference symbols, and 2 ms of uplink every 5 ms.
    cell = np.arange(400_000) // 625
    samples[(cell % 4 != 0) | (cell // 16 % 5 >= 3)] = 0
    signal = recorded.load(write(samples, annotation()), 0, 0.04)
    assert np.all(signal.on_air.min(axis=1) == signal.on_air.max(axis=1))
    assert signal.on_air.mean() == pytest.approx(0.6, abs=0.07)


@pytest.mark.parametrize("label", ["LTE", "NR"])
def test_the_line_of_a_zero_if_receiver_is_removed_and_a_signal_without_it_left_alone(write, label):
    clean = 0.1 * band(210_000, -1e6, 2e6, 1)
    drifting = 0.05 * np.exp(0.3j * np.linspace(0, 1, 210_000) ** 2)
    plain = recorded.load(write(clean, annotation(-1e6, 2e6, label), name="plain"), 0, 0.02)
    fixed = recorded.load(write(clean + drifting, annotation(-1e6, 2e6, label), name="spur"), 0, 0.02)
    at_zero = (-0.5e6 - 1e3, -0.5e6 + 1e3)
    # 2 kHz of 3 MHz, where the line had a quarter of the carrier's power.
    for signal in (plain, fixed):
        assert 0.5 < power_between(signal.samples, signal.sample_rate, *at_zero) / (2e3 / 3e6) < 2
    assert correlation(plain.samples[1000:], fixed.samples[1000:]) > 0.999


def test_a_narrow_transmission_at_0_hz_stays(write):
    path = write(np.full(100_000, 0.1 + 0.1j), annotation(-50e3, 50e3, "other"))
    assert np.abs(recorded.load(path, 0, 0.01).samples[500:-500]) == pytest.approx(1, abs=0.01)


def test_what_a_receiver_writes_while_it_starts_is_left_out(write):
    samples = 0.01 * band(500_000, 0, 3e6, 1)
    broken = samples.copy()
    broken[:64] = 0.999 * np.sign(noise(64, 3).real)
    # 50 ms of which 64 samples are lost leave four frames, shifted by these 64.
    signal = recorded.load(write(broken, annotation()), 0, 0.04)
    back = others.place(signal, 400_000, RATE, 1.5e6)
    assert correlation(back[1000:-1000], samples[1064:399_064]) > 0.999


def test_chunks_follow_each_other_and_a_delay_moves_them(write):
    path = write(0.1 * band(500_000, 0, 3e6, 1), annotation())
    whole = recorded.load(path, 0, 0.04, delay_s=0.003)
    parts = [recorded.load(path, 0, 0.02, start_s=start, delay_s=0.003) for start in (0.0, 0.02)]
    for name in ("samples", "level", "on_air"):
        assert np.array_equal(getattr(whole, name), np.concatenate([getattr(part, name) for part in parts]))
    assert not np.array_equal(whole.samples, recorded.load(path, 0, 0.04).samples)


@pytest.mark.parametrize("length", [52_000, 50_000], ids=["more to fade from", "nothing more"])
def test_a_short_recording_goes_round_without_a_click(write, length):
    """A tone whose phase does not fit: its band is clean but for the moment of the seam, and little even there."""
    times = np.arange(length) / RATE
    path = write(0.5 * np.exp(2j * np.pi * 1.5001e6 * times), annotation(0, 3e6, "other"))
    signal = recorded.load(path, 0, 0.02, delay_s=0.001)
    assert signal.samples.size == round(0.02 * signal.sample_rate)
    # The seam, at a cell's edge, comes to the middle of a window.
    cell = signal.samples.size // 320
    windows = np.roll(signal.samples, cell // 2).reshape(320, -1) * np.hanning(cell)
    spectra = np.abs(np.fft.fftshift(np.fft.fft(windows, axis=1), axes=1)) ** 2
    bin_hz = signal.sample_rate / spectra.shape[1]
    off = np.abs((np.arange(spectra.shape[1]) - spectra.shape[1] // 2) * bin_hz) > 0.7e6
    fraction = spectra[:, off].sum(axis=1) / np.median(spectra.sum(axis=1))
    # A hard break of a tone puts some -30 dB there within a cell of 1/16 ms.
    assert fraction.max() < 1e-5


def test_a_recording_too_short_is_refused_where_it_must_not_repeat(write):
    path = write(0.1 * band(50_000, 0, 3e6, 1), annotation())
    assert recorded.load(path, 0, 0.005, repeat=False).samples.size
    with pytest.raises(ParameterError, match="5 usable ms, but 6 ms are needed"):
        recorded.load(path, 0, 0.005, delay_s=0.001, repeat=False)


def test_a_carrier_wider_than_the_span_is_cut_to_it(write):
    path = write(0.1 * noise(100_000, 1), annotation(-9e6, 9e6), annotation(-1e6, 1e6))
    cut, whole = recorded.load(path, 0, 0.01), recorded.load(path, 1, 0.01)
    # The guard (100 kHz) stays inside the span.
    assert (cut.lower, cut.upper, cut.is_cut) == (-4.9e6, 4.9e6, True)
    assert not whole.is_cut


def test_a_rate_that_is_no_multiple_of_1_khz_is_right_to_a_sample(write):
    rate = 1e7 / 3
    original = 0.1 * band(70_000, -1e6, 0.5e6, 1, rate)
    signal = recorded.load(write(original, annotation(-1e6, 0.5e6), rate=rate), 0, 0.02)
    back = others.place(signal, 66_666, rate, -0.25e6)
    assert correlation(back[500:-500], original[500:66_166]) > 0.99


@pytest.mark.parametrize(
    "fields, error, words",
    [
        ({"core:label": None}, ParameterError, "left out, the first since .*core:label is None"),
        ({"core:label": "UMTS"}, RecordingError, "'UMTS'"),
        ({"core:freq_upper_edge": None}, RecordingError, "core:freq_upper_edge in Hz"),
        ({"core:freq_upper_edge": CENTER - 1e6}, ParameterError, "left out, the first since .*above"),
        (
            {"core:freq_lower_edge": CENTER + 6e6, "core:freq_upper_edge": CENTER + 7e6},
            RecordingError,
            "outside the rec",
        ),
        ({"core:sample_count": 9000}, RecordingError, "9000 samples, less than the 1 ms"),
        ({"core:sample_start": 95_000}, RecordingError, "5000 samples"),
    ],
)
def test_an_annotation_that_cannot_be_used_is_refused_by_name(write, fields, error, words):
    path = write(0.1 * noise(100_000, 1), {**annotation(), **fields})
    with pytest.raises(error, match=words) as raised:
        recorded.load(path, 0, 0.01)
    assert "annotation" in str(raised.value)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"annotation": 1}, "annotation of .* is 1; choose a number from 0 to 0"),
        ({"annotation": -1}, "annotation"),
        ({"annotation": "LTE"}, "'LTE'"),
        ({"annotation": [0]}, "annotation"),
        ({"recording": 5}, "recording"),
        ({"delay_s": "soon"}, "delay_s.*'soon'"),
        ({"duration_s": 0.0}, "duration_s"),
        ({"duration_s": 0.01001}, "1/16 ms"),
        ({"delay_s": -1.0}, "delay_s"),
        ({"start_s": float("nan")}, "start_s"),
    ],
)
def test_arguments_that_cannot_be_are_refused_by_name(write, arguments, words):
    path = write(0.1 * noise(100_000, 1), annotation())
    with pytest.raises(ParameterError, match=words):
        recorded.load(**{"recording": path, "annotation": 0, "duration_s": 0.01, **arguments})


def test_a_missing_file_and_an_annotation_without_signal_are_refused(write, tmp_path):
    with pytest.raises(RecordingError, match="nothing.sigmf-meta"):
        recorded.load(tmp_path / "nothing.sigmf-meta", 0, 0.01)
    with pytest.raises(RecordingError, match="nothing but noise"):
        recorded.load(write(np.zeros(100_000), annotation()), 0, 0.01)


def test_a_catalogue_lists_what_can_be_used_in_order_and_no_guesses(write, tmp_path):
    (tmp_path / "b").mkdir()
    samples = 0.1 * noise(100_000, 1)
    write(samples, annotation(), annotation(label="GSM"), annotation(-9e6, 1e6, "nr"), name="b/a")
    write(samples, annotation(label="other", count=20_000), annotation(**{"rpmsn:confidence": 0.9}), name="c")
    write(samples, name="d")
    for name in ("x10", "x2", "B"):
        write(samples, annotation(label="other"), name=name)
    (tmp_path / "a.sigmf-meta").write_text("no JSON")
    found = recorded.catalogue(tmp_path)
    assert [(entry.recording, entry.annotation, entry.label, entry.is_cut) for entry in found] == [
        ("B.sigmf-meta", 0, "other", False),
        ("b/a.sigmf-meta", 0, "LTE", False),
        ("b/a.sigmf-meta", 2, "NR", True),
        ("c.sigmf-meta", 0, "other", False),
        ("x10.sigmf-meta", 0, "other", False),
        ("x2.sigmf-meta", 0, "other", False),
    ]
    assert [entry.duration_s for entry in found[1:4]] == [0.01, 0.01, 0.002]
    assert [entry.bandwidth_hz for entry in found[1:4]] == pytest.approx([3e6, 5.9e6, 3e6])


def test_a_folder_with_nothing_to_use_is_refused(write, tmp_path):
    write(0.1 * noise(100_000, 1), annotation(label="GSM"))
    with pytest.raises(RecordingError, match="core:label LTE, NR or other"):
        recorded.catalogue(tmp_path)
    with pytest.raises(RecordingError, match="nowhere does not exist"):
        recorded.catalogue(tmp_path / "nowhere")


def test_a_recording_is_read_once_and_what_is_returned_can_be_changed(write, monkeypatch):
    path = write(0.1 * band(100_000, 0, 3e6, 1), annotation())
    opened = []
    true_open = recorded.open_recording
    monkeypatch.setattr(recorded, "open_recording", lambda name: opened.append(name) or true_open(name))
    first = recorded.load(path, 0, 0.01)
    before = first.samples.copy()
    first.samples[:] = 0
    first.level[:] = 0
    again = recorded.load(str(path), 0, 0.01)
    assert len(opened) == 1
    assert np.array_equal(again.samples, before) and again.level.any()


def test_memory_holds_the_loops_used_last_and_no_more_than_allowed():
    def loop():
        return SimpleNamespace(samples=np.zeros(100, np.uint8), level=np.zeros(0), on_air=np.zeros(0))

    loops = recorded._Loops(250)
    first, _ = loops.get("first", loop), loops.get("second", loop)
    assert loops.get("first", loop) is first
    loops.get("third", loop)
    assert loops.size == 200 and loops.get("first", loop) is first


def test_every_capture_comes_back_as_it_was_recorded(captures):
    """Encoders and radios that are not ours: shape, edges, power, and the samples themselves."""
    for entry in recorded.catalogue(captures):
        path = captures / entry.recording
        length = min(0.035, entry.duration_s - 0.002)
        signal = recorded.load(path, entry.annotation, length, delay_s=0.001)
        assert signal.upper - signal.lower == pytest.approx(entry.bandwidth_hz, abs=1e-3)
        if entry.is_cut:
            continue
        n = round(length * entry.sample_rate)
        with recorded.open_recording(path) as recording:
            original = recording.read(entry.sample_start + round(0.001 * entry.sample_rate), n)
        center = (entry.lower + entry.upper - signal.lower - signal.upper) / 2
        spectrum = scipy.fft.fft(others.place(signal, n, entry.sample_rate, center))
        frequencies = scipy.fft.fftfreq(n, 1 / entry.sample_rate)
        inside = (frequencies > entry.lower) & (frequencies < entry.upper) & (np.abs(frequencies) > 5e3)
        # Compared in the carrier's own band, without what the receiver left at 0 Hz.
        assert correlation(spectrum[inside], scipy.fft.fft(original)[inside]) > 0.999, entry.recording
