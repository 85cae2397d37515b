# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks hold the true class where a transmission is visible, 255 where the class is ambiguous."""

import numpy as np
import pytest

from rpmsn.classes import IGNORED, LTE, NOISE, NR, OTHER
from rpmsn.errors import ParameterError
from rpmsn.synthesis.channel.noise import Noise
from rpmsn.synthesis.labels import masks as labels
from rpmsn.synthesis.labels.truth import Truth
from rpmsn.synthesis.receiver.receiver import Receiver
from rpmsn.synthesis.scene.scene import Reception, Scene

RATE = 7.68e6


def truth(label="LTE", lower=-2e6, upper=2e6, snr_db=20.0, level=None, rate=RATE, **more):
    level = np.ones((256, 1), np.float32) if level is None else np.asarray(level, np.float32)
    half = rate / 2
    more = {"fills_band": label == "LTE", **more}
    return Truth(
        label,
        (lower + upper) / 2,
        (upper - lower) * 1.1,
        lower,
        upper,
        max(lower, -half),
        min(upper, half),
        0.0,
        0.04,
        snr_db,
        level,
        **more,
    )


def column(frequency, rate=RATE):
    return int(np.floor(frequency / rate * 256 + 128.5))


def test_unknown_policy_is_refused_with_those_there_are():
    with pytest.raises(ParameterError, match="occupied"):
        labels.mask(Scene(RATE), [], "loose")


def test_lte_is_labelled_over_its_occupied_band_with_its_edges_ignored():
    mask = labels.mask(Scene(RATE), [truth(lower=-1.005e6, upper=1.005e6)])
    row = mask[100]
    assert (mask == row).all()
    low, high = column(-1.005e6), column(1.005e6)
    assert row[low] == row[high] == IGNORED
    assert (row[low + 2 : high - 1] == LTE).all()
    assert (row[: low - 1] == NOISE).all() and (row[high + 2 :] == NOISE).all()


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


def test_by_policy_filled_less_traffic_is_enough_for_a_whole_carrier():
    level = np.zeros((256, 10))
    level[:110, :] = 1
    scene, carriers = Scene(RATE), [truth("NR", level=level)]
    assert (labels.mask(scene, carriers, "filled")[:, 128] == NR).all()
    assert labels.mask(scene, carriers)[200, 128] == IGNORED
    level[30:] = 0
    sparse = [truth("NR", level=level)]
    assert np.array_equal(labels.mask(scene, sparse, "filled"), labels.mask(scene, sparse))


@pytest.mark.parametrize("gap", [-10e3, 0.0, 45e3])
def test_by_policy_split_neighbours_of_one_class_have_noise_between_them(gap):
    carriers = [truth(lower=-3e6, upper=-0.5e6), truth(lower=-0.5e6 + gap, upper=2e6, snr_db=10.0)]
    mask = labels.mask(Scene(RATE), carriers, "split")
    between = column(-0.5e6 + gap / 2)
    assert (mask[:, between] == NOISE).all()
    assert (mask[:, between - 5] == LTE).all() and (mask[:, between + 5] == LTE).all()
    plain = labels.mask(Scene(RATE), carriers)
    assert (plain[mask != plain] == IGNORED).all()  # what is judged is judged the same


def test_by_policy_filled_split_some_traffic_is_enough_and_neighbours_are_split():
    level = np.zeros((256, 10))
    level[:110, :] = 1
    carriers = [truth("NR", -3e6, -0.5e6, level=level), truth("NR", -0.5e6, 2e6, level=level)]
    mask = labels.mask(Scene(RATE), carriers, "filled_split")
    between = column(-0.5e6)
    assert (mask[:, between] == NOISE).all()
    assert (mask[:, between - 5] == NR).all() and (mask[:, between + 5] == NR).all()


def test_by_policy_split_neighbours_of_two_classes_stay_as_they_are():
    carriers = [truth(lower=-3e6, upper=-0.5e6), truth("NR", -0.5e6, 2e6)]
    assert np.array_equal(labels.mask(Scene(RATE), carriers, "split"), labels.mask(Scene(RATE), carriers))


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
    scene = Scene(RATE, reception=Reception(receiver=Receiver(rolloff=0.75, stop_db=-40.0)))
    row = labels.mask(scene, [truth(lower=-9e6, upper=9e6, snr_db=10.0)])[0]
    assert row[0] == IGNORED and row[-1] == IGNORED and row[128] == LTE


def test_published_policy_is_the_nominal_bandwidth_over_the_whole_frame():
    level = np.zeros((256, 1))
    level[:9] = 1
    mask = labels.mask(Scene(RATE), [truth("NR", -1e6, 1e6, level=level), truth("other", 2e6, 3e6)], "published")
    assert (mask[:, column(-1.05e6) : column(1.05e6)] == NR).all()
    assert (mask[:, column(2.5e6)] == NOISE).all()


def test_an_uplink_is_labelled_where_it_carries_energy_as_its_technology():
    level = np.zeros((256, 10))
    level[20:60, 2:5] = 1
    mask = labels.mask(Scene(RATE), [truth("LTE", level=level, fills_band=False)])
    assert mask[40, column(-0.8e6)] == LTE and mask[40, column(1.5e6)] == IGNORED and mask[200, 128] == IGNORED


def test_idle_parts_of_a_strong_carrier_leave_the_label_of_a_weaker_one():
    sparse = np.zeros((256, 1))
    sparse[:100] = 1
    downlink = truth("NR", snr_db=30.0, level=sparse)
    weaker = truth("other", -0.5e6, 0.5e6, snr_db=10.0)
    mask = labels.mask(Scene(RATE), [downlink, weaker])
    assert (mask[:99, 128] == NR).all() and (mask[101:, 128] == OTHER).all()
    assert (mask[101:, column(1.5e6)] == IGNORED).all()


def test_the_stronger_wins_pixel_by_pixel():
    fading = np.ones((256, 1))
    fading[128:] = 0.01
    strong, steady = truth("LTE", snr_db=20.0, level=fading), truth("other", -1e6, 1e6, snr_db=10.0)
    mask = labels.mask(Scene(RATE), [strong, steady])
    assert (mask[:127, 128] == LTE).all() and (mask[129:, 128] == OTHER).all()


def test_dss_is_lte_and_not_judged_where_most_of_the_power_is_nr_s():
    level, shared = np.ones((256, 4), np.float32), np.zeros((256, 4), np.float32)
    shared[:100, 2:] = 0.9
    shared[150:, :] = 0.2
    mask = labels.mask(Scene(RATE), [truth("LTE", level=level, shared=shared)])
    assert mask[50, column(1e6)] == IGNORED and mask[50, column(-1e6)] == LTE
    assert (mask[160:, column(1e6)] == LTE).all()


def test_a_raised_floor_hides_a_weak_carrier():
    level = np.ones((256, 8))
    flat, tilted = Scene(RATE), Scene(RATE, reception=Reception(noise=Noise(tilt_db=24.0)))
    weak = truth("other", -3.8e6, 3.8e6, snr_db=-3.0, level=level)
    assert labels.mask(flat, [weak])[9, column(3.5e6)] == OTHER
    assert labels.mask(tilted, [weak])[9, column(3.5e6)] != OTHER
    assert labels.mask(tilted, [weak])[9, column(-3.5e6)] == OTHER


def test_masks_of_packed_truths_are_those_of_pooled_ones_to_half_a_decibel():
    rng = np.random.default_rng(3)
    level = (rng.random((560, 25)) < 0.4).astype(np.float32) * 10 ** rng.uniform(-1, 0.3, (560, 25))
    whole = truth("NR", level=level)
    facts, arrays = whole.pooled(256).pack()
    again = Truth.unpack(facts, arrays)
    assert again.snr_db == whole.snr_db and arrays["level"].dtype == np.uint8
    on = again.level > 0
    assert np.allclose(10 * np.log10(again.level[on]), 10 * np.log10(whole.pooled(256).level[on]), atol=0.251)
    masks = [labels.mask(Scene(RATE), [which]) for which in (whole, again)]
    assert np.mean(masks[0] != masks[1]) < 0.02


def test_truth_at_other_times_follows_lost_samples():
    level = np.zeros((100, 1))
    level[50:] = 1
    moved = truth("NR", level=level).at_times(np.clip((np.arange(100) + 0.5) / 100 + 0.2, 0, 0.999))
    assert (moved.level[31:] == 1).all() and (moved.level[:29] == 0).all()
