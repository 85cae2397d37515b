# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendered scenes carry the levels they state, and the facts about them are true."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_dilation
from threadpoolctl import threadpool_limits

from rpmsn.signal import image as spectrogram
from rpmsn.synthesis import other as others
from rpmsn.synthesis.channel.noise import Noise
from rpmsn.synthesis.labels import masks as labels
from rpmsn.synthesis.receiver.receiver import Receiver, mean_power
from rpmsn.synthesis.scene.presets import random_scene
from rpmsn.synthesis.scene.rendering import render, render_blocks
from rpmsn.synthesis.scene.scene import CARRIERS, Emission, PropagationPath, Reception, Scene

RATE = 7.68e6
FLAT = {"profile": "flat", "doppler_hz": 100.0, "delay_spread_s": 0.0}
EPA = {"profile": "EPA", "doppler_hz": 5.0, "delay_spread_s": 0.0}


def lte(offset_hz=0.0, seed=0):
    return Emission("lte", offset_hz, {"bandwidth_hz": 3e6, "load": 1.0, "allocation": "full"}, seed=seed)


def digest(samples):
    return hashlib.sha256(samples.tobytes()).hexdigest()


def column(frequency, rate=RATE):
    return int(np.floor(frequency / rate * 256 + 128.5))


def test_a_scene_gives_the_same_samples_again():
    scene = random_scene("any_rate", 12)
    assert digest(render(scene)[0]) == digest(render(Scene.from_dict(scene.to_dict()))[0])


def test_another_emission_leaves_the_others_as_they_were():
    first, second = lte(seed=1), Emission("gsm", 1e6, seed=2)

    def antenna(emissions, paths):
        reception = Reception(paths, Receiver(adc_bits=16, headroom_db=30.0), None)
        samples, _ = render(Scene(RATE, 0.02, 5, emissions, reception))
        return samples / np.sqrt(mean_power(samples))

    alone = antenna([first], [PropagationPath(20.0, EPA)])
    other = antenna([second], [PropagationPath(20.0)])
    both = antenna([first, second], [PropagationPath(20.0, EPA), PropagationPath(20.0)])
    parts = np.linalg.lstsq(np.stack([alone, other], 1), both, rcond=None)[0]
    assert mean_power(both - parts[0] * alone - parts[1] * other) < 1e-5


def test_blocks_are_the_scene_and_last_as_long():
    scene = Scene(RATE, 0.1, 1, [lte(seed=4)])
    blocks = list(render_blocks(scene))
    assert [block.size for block, _ in blocks] == [round(RATE * s) for s in (0.04, 0.04, 0.02)]
    assert np.array_equal(np.concatenate([block for block, _ in blocks]), render(scene)[0])
    assert [truths[0].start_s for _, truths in blocks] == pytest.approx([0, 0.04, 0.08])


@pytest.mark.parametrize("channel", [None, FLAT])
def test_snr_per_occupied_hertz_is_what_the_truth_says(channel):
    scene = Scene(RATE, 0.04, 1, [lte(1e6, seed=8)], Reception([PropagationPath(12.0, channel)]))
    samples, (only,) = render(scene)
    power = spectrogram.power(samples, RATE).mean(axis=0)
    inside = slice(column(only.occupied_lower) + 3, column(only.occupied_upper) - 2)
    floor = power[:40].mean()
    assert 10 * np.log10(power[inside].mean() / floor - 1) == pytest.approx(only.snr_db, abs=0.5)
    if channel is None:
        assert only.snr_db == pytest.approx(12, abs=1)


def test_snr_of_a_recording_without_noise_is_over_the_converter_s():
    scene = Scene(RATE, 0.01, 1, [lte()], Reception([], Receiver(adc_bits=8, headroom_db=12.0), None))
    samples, (only,) = render(scene)
    power = spectrogram.power(samples, RATE).mean(axis=0)
    measured = power[column(-1e6) : column(1e6)].mean() / power[4:20].mean()
    assert only.snr_db == pytest.approx(10 * np.log10(measured), abs=2)


def test_silence_without_noise_has_finite_ratios():
    """A cell that sends nothing but SS/PBCH blocks, and these outside the span."""
    cell = {"bandwidth_hz": 100e6, "style": "ssb_only", "ssb_offset": 0, "sib1": False, "trs_period_ms": None}
    scene = Scene(15.36e6, 0.01, 0, [Emission("nr", parameters=cell)], Reception([PropagationPath()], Receiver(), None))
    samples, truths = render(scene)
    assert not samples.any()
    assert np.isfinite(labels.pixel_snr(truths[0], 256, np.linspace(-15e6, 15e6, 257))).all()


def test_a_measured_snr_is_that_of_the_whole_span():
    scene = Scene(RATE, 0.04, 1, [lte(seed=3)], Reception([PropagationPath(0.0)], noise=Noise(snr_db=5.0)))
    with_noise, (truth,) = render(scene)
    power = spectrogram.power(with_noise, RATE).mean(axis=0)
    noise = power[:40].mean() * 256
    assert 10 * np.log10(power.sum() / noise - 1) == pytest.approx(5.0, abs=0.2)
    assert truth.snr_db == pytest.approx(5.0 + 10 * np.log10(RATE / 2.7e6), abs=0.3)


def test_a_measured_snr_of_nothing_leaves_the_noise():
    samples, _ = render(Scene(RATE, 0.01, 1, reception=Reception(noise=Noise(snr_db=5.0))))
    assert mean_power(samples) > 0


def test_a_carrier_outside_the_span_has_no_truth():
    assert render(Scene(RATE, 0.01, 1, [lte(10e6)]))[1] == []


@pytest.mark.parametrize("kind", [*CARRIERS, *others.KINDS])
def test_energy_is_where_the_truth_says(kind):
    """All of it, within the reach of the window's lobes and of a signal's own skirts (15 dB down)."""
    rate, offset = 30.72e6, 4.0005e6
    parameters = {"bandwidth_hz": 8e6} if kind == "impulses" else {}
    # Bursts are far above the mean power that sets the converter's level.
    reception = Reception([PropagationPath(20.0)], Receiver(headroom_db=40.0))
    samples, (truth,) = render(Scene(rate, 0.04, 3, [Emission(kind, offset, parameters, seed=11)], reception))
    snr = labels.pixel_snr(truth, 256, (np.arange(257) - 128.5) * rate / 256)
    power = spectrogram.power(samples, rate)
    excess = power / np.median(power[:, column(-14e6, rate) : column(-11e6, rate)]) - 1
    near = binary_dilation(snr > 0.1, np.ones((3, 7)))
    # An impulse counts with the weight that the window has where it falls, not with the mean of all weights.
    assert excess[near].sum() == pytest.approx(snr.sum(), rel=0.3 if kind == "impulses" else 0.1)
    assert np.mean((excess > 3 + 0.03 * snr.max(axis=1, keepdims=True))[~near]) < 1e-3


def test_lost_samples_move_what_follows_and_its_truth():
    quiet = Receiver(adc_bits=16)
    emission = Emission("radar", 0.0, {"interval_s": 0.01, "pulse_s": 4e-5, "sweep_hz": 1e6})
    whole = Scene(RATE, 0.04, 2, [emission], Reception([PropagationPath(40.0)], quiet))
    broken = replace(whole, reception=Reception([PropagationPath(40.0)], replace(quiet, lost_s=0.004, lost_at=0.3)))
    for scene, pulses in ((whole, [0, 0.01, 0.02, 0.03]), (broken, [0, 0.01, 0.016, 0.026])):
        samples, (truth,) = render(scene)
        received = np.abs(samples) ** 2
        rows = received[: received.size // 256 * 256].reshape(256, -1).max(axis=1)
        lit = truth.pooled(256).level.max(axis=1) > 0.05
        assert (lit[[round(256 * at / 0.04) for at in pulses]]).all()
        assert np.median(rows[lit]) > 20 * np.median(rows[~lit])


def test_gain_of_a_channel_follows_in_the_truth_of_others():
    emission = Emission("band_noise", 0.0, {"symbol_rate": 2e6}, seed=5)
    scene = Scene(RATE, 0.04, 2, [emission], Reception([PropagationPath(30.0, {**FLAT, "doppler_hz": 60.0})]))
    samples, (truth,) = render(scene)
    measured = spectrogram.power(samples, RATE)[:, column(-0.8e6) : column(0.8e6)].mean(axis=1)
    expected = truth.pooled(256).level.mean(axis=1)
    ratio = 10 * np.log10(measured / measured.mean()) - 10 * np.log10(expected / expected.mean())
    strong = expected > 0.1 * expected.max()
    assert np.abs(ratio[strong]).max() < 1.0


def test_a_seed_gives_the_same_samples_whatever_the_number_of_blas_threads():
    scene = random_scene("any_rate", 5, sample_rates=(1.9e6, 8e6))
    digests = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            digests.append(digest(render(scene)[0]))
    assert digests[0] == digests[1]
