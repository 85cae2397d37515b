# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes render the same for ever, carry the levels they state, and their masks tell the truth."""
import hashlib

import numpy as np
import pytest
import yaml

from rpmsn import spectrogram
from rpmsn.classes import IGNORED, LTE, NOISE, NR, OTHER
from rpmsn.errors import ParameterError
from rpmsn.synthesis import labels, others
from rpmsn.synthesis.receiver import Receiver, mean_power
from rpmsn.synthesis.presets import PRESETS, random_scene
from rpmsn.synthesis.scene import Emission, Scene, Truth, render, render_blocks

RATE = 7.68e6


def truth(label="LTE", lower=-2e6, upper=2e6, snr_db=20.0, level=None, rate=RATE, **more):
    level = np.ones((256, 1), np.float32) if level is None else np.asarray(level, np.float32)
    half = rate / 2
    return Truth(label, (lower + upper) / 2, (upper - lower) * 1.1, lower, upper, max(lower, -half), min(upper, half),
                 0.0, 0.04, snr_db, level, **more)


def lte(**values):
    return Emission("lte", **{"parameters": {"bandwidth_hz": 3e6, "load": 1.0, "allocation": "full"}, **values})


def digest(samples):
    return hashlib.sha256(samples.tobytes()).hexdigest()


def column(frequency, rate=RATE):
    return int(np.floor(frequency / rate * 256 + 128.5))


def test_a_seed_gives_one_scene_and_the_same_samples():
    first, again = random_scene("any_rate", 12), random_scene("any_rate", 12)
    assert first == again
    assert digest(render(first)[0]) == digest(render(again)[0])
    assert random_scene("any_rate", 13) != first


def test_a_scene_goes_through_yaml_and_back():
    for seed in range(20):
        scene = random_scene("any_rate", seed)
        assert Scene.from_dict(yaml.safe_load(yaml.safe_dump(scene.to_dict()))) == scene


def test_another_emission_leaves_the_others_as_they_were():
    first = lte(seed=1, channel={"profile": "EPA", "doppler_hz": 5.0, "delay_spread_s": 0.0})
    second = Emission("gsm", 1e6, seed=2)
    quiet = {"noise": False, "receiver": Receiver(adc_bits=16, headroom_db=30.0)}

    def antenna(*emissions):
        scene = Scene(RATE, 0.02, 5, list(emissions), **quiet)
        samples, _ = render(scene)
        return samples / np.sqrt(mean_power(samples))

    alone, both, other = antenna(first), antenna(first, second), antenna(second)
    parts = np.linalg.lstsq(np.stack([alone, other], 1), both, rcond=None)[0]
    assert mean_power(both - parts[0] * alone - parts[1] * other) < 1e-5


def test_unknown_preset_kind_key_and_duration_are_refused():
    for wrong, hint in ((lambda: random_scene("everything", 1), "any_rate"),
                        (lambda: Emission("umts"), "gsm"),
                        (lambda: Scene.from_dict({"sample_rate": 1e6, "gain": 3}), "sample_rate"),
                        (lambda: Scene(RATE, 0.0105), "whole milliseconds"),
                        (lambda: labels.mask(Scene(RATE), [], "loose"), "occupied")):
        with pytest.raises(ParameterError, match=hint):
            wrong()


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_renders_and_has_masks(preset):
    scene = random_scene(preset, 3, duration_s=0.01)
    samples, truths = render(scene)
    assert samples.dtype == np.complex64 and samples.shape == (round(scene.sample_rate * 0.01),)
    assert np.isfinite(samples.view(np.float32)).all() and np.abs(samples.view(np.float32)).max() <= 1
    for rule in labels.RULES:
        mask = labels.mask(scene, truths, rule)
        assert mask.shape == (256, 256) and mask.dtype == np.uint8
        assert set(np.unique(mask)) <= {NOISE, LTE, NR, OTHER, IGNORED}


def test_presets_draw_scenes_that_can_be_built():
    for preset in ("any_rate", "wideband", "published"):
        for seed in range(100):
            scene = random_scene(preset, seed)
            assert len(scene.emissions) <= 8 and scene.sample_rate % 30e3 == 0


def test_blocks_are_the_scene_and_last_as_long():
    scene = Scene(RATE, 0.1, 1, [lte(seed=4)])
    blocks = list(render_blocks(scene))
    assert [block.size for block, _ in blocks] == [round(RATE * s) for s in (0.04, 0.04, 0.02)]
    assert np.array_equal(np.concatenate([block for block, _ in blocks]), render(scene)[0])
    assert [truths[0].start_s for _, truths in blocks] == pytest.approx([0, 0.04, 0.08])


@pytest.mark.parametrize("kind", others.KINDS)
def test_other_transmissions_have_unit_power_while_on_the_air(kind):
    signal = others.KINDS[kind](0.02, np.random.default_rng(1))
    assert signal.samples.dtype == np.complex64
    on = signal.on_air.max(axis=1).mean()
    assert mean_power(signal.samples) / on == pytest.approx(1, rel=0.03)
    wide = others.place(signal, 1 << 20, (1 << 20) / 0.02, 3e6)
    assert mean_power(wide) == pytest.approx(mean_power(signal.samples), rel=1e-3)


@pytest.mark.parametrize("offset_hz", [0.0, 1e6, -3.8e6, 3.8e6])
def test_placing_puts_a_tone_where_it_belongs(offset_hz):
    signal = others.tone(0.02, np.random.default_rng(1))
    n = round(RATE * 0.02)
    spectrum = np.abs(np.fft.fft(others.place(signal, n, RATE, offset_hz)))
    assert np.fft.fftfreq(n, 1 / RATE)[np.argmax(spectrum)] == pytest.approx(offset_hz, abs=50)


@pytest.mark.parametrize("channel", [None, {"profile": "flat", "doppler_hz": 100.0, "delay_spread_s": 0.0}])
def test_snr_per_occupied_hertz_is_what_the_truth_says(channel):
    scene = Scene(RATE, 0.04, 1, [lte(offset_hz=1e6, power_db=12.0, seed=8, channel=channel)])
    samples, (only,) = render(scene)
    power = spectrogram.power(samples).mean(axis=0)
    inside = slice(column(only.occupied_lower) + 3, column(only.occupied_upper) - 2)
    floor = power[:40].mean()
    assert 10 * np.log10(power[inside].mean() / floor - 1) == pytest.approx(only.snr_db, abs=0.5)
    if channel is None:
        assert only.snr_db == pytest.approx(12, abs=1)


def test_snr_of_a_recording_without_noise_is_over_the_converter_s():
    scene = Scene(RATE, 0.01, 1, [lte()], Receiver(adc_bits=8, headroom_db=12.0), noise=False)
    samples, (only,) = render(scene)
    power = spectrogram.power(samples).mean(axis=0)
    measured = power[column(-1e6):column(1e6)].mean() / power[4:20].mean()
    assert only.snr_db == pytest.approx(10 * np.log10(measured), abs=2)


def test_a_carrier_outside_the_span_has_no_truth():
    samples, truths = render(Scene(RATE, 0.01, 1, [lte(offset_hz=10e6)]))
    assert truths == []


def test_lte_is_labelled_over_its_occupied_band_with_its_edges_ignored():
    mask = labels.mask(Scene(RATE), [truth(lower=-1.005e6, upper=1.005e6)])
    row = mask[100]
    assert (mask == row).all()
    low, high = column(-1.005e6), column(1.005e6)
    assert row[low] == row[high] == IGNORED
    assert (row[low + 2:high - 1] == LTE).all()
    assert (row[:low - 1] == NOISE).all() and (row[high + 2:] == NOISE).all()


def test_a_carrier_wider_than_the_span_fills_it():
    mask = labels.mask(Scene(RATE), [truth(lower=-9e6, upper=9e6)])
    assert (mask == LTE).all()


def test_a_carrier_too_weak_to_see_is_ignored():
    row = labels.mask(Scene(RATE), [truth(snr_db=-9.0)])[7]
    assert row[128] == IGNORED and row[5] == NOISE


def test_the_stronger_wins_where_carriers_overlap():
    strong, weak = truth("NR", -3e6, 0.5e6, snr_db=25.0), truth("LTE", -0.5e6, 3e6, snr_db=15.0)
    for order in ([strong, weak], [weak, strong]):
        row = labels.mask(Scene(RATE), order)[0]
        assert row[column(0)] == NR and row[column(1.5e6)] == LTE


def test_sparse_nr_is_labelled_where_it_carries_energy_and_ignored_elsewhere():
    level = np.zeros((256, 10))
    level[100:130, 4:6] = 1
    mask = labels.mask(Scene(RATE), [truth("NR", level=level)])
    assert mask[115, 128] == NR
    assert mask[50, 128] == IGNORED and mask[115, column(-1.5e6)] == IGNORED
    assert mask[115, 10] == NOISE


def test_tdd_gaps_inside_a_busy_carrier_stay_labelled():
    level = np.ones((640, 4))
    level.reshape(16, 40, 4)[:, 28:] = 0
    mask = labels.mask(Scene(RATE), [truth("NR", level=level, gap_s=1e-3)])
    assert (mask[:, 128] == NR).all()


def test_bursts_of_another_transmission_are_labelled_while_on_the_air():
    level = np.zeros((256, 1))
    level[40:90] = 1
    mask = labels.mask(Scene(RATE), [truth("other", level=level)])
    assert (mask[40:90, 128] == OTHER).all() and (mask[:40, 128] == NOISE).all() and (mask[90:, 128] == NOISE).all()


def test_a_narrow_tone_keeps_a_pixel():
    row = labels.mask(Scene(61.44e6), [truth("other", 1e6, 1.01e6, snr_db=40.0, rate=61.44e6)])[3]
    assert row[column(1e6, 61.44e6)] == OTHER
    assert np.count_nonzero(row == OTHER) == 1


def test_what_the_filter_hides_is_ignored():
    scene = Scene(RATE, receiver=Receiver(rolloff=0.75, stop_db=-40.0))
    row = labels.mask(scene, [truth(lower=-9e6, upper=9e6, snr_db=10.0)])[0]
    assert row[0] == IGNORED and row[-1] == IGNORED and row[128] == LTE


def test_published_rule_is_the_nominal_bandwidth_over_the_whole_frame():
    level = np.zeros((256, 1))
    level[:9] = 1
    mask = labels.mask(Scene(RATE), [truth("NR", -1e6, 1e6, level=level), truth("other", 2e6, 3e6)], "published")
    assert (mask[:, column(-1.05e6):column(1.05e6)] == NR).all()
    assert (mask[:, column(2.5e6)] == NOISE).all()
