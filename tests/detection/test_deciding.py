# SPDX-License-Identifier: GPL-3.0-or-later
"""What a segment is: by the weights of the model's card, on what the network, the width, the time and the level say."""

from dataclasses import replace

import numpy as np
import pytest
from test_segments import RATE, segments_of

from rpmsn.classes import CLASS_NAMES
from rpmsn.detection.deciding import Decider, describe
from rpmsn.detection.segments import FrameGeometry, find_segments
from rpmsn.errors import ModelError
from rpmsn.models.decision import CONSTANT, FEATURES, Decision
from rpmsn.models.model import load_model, save_card

GEOMETRY = FrameGeometry(RATE, 0.0, 0, round(0.04 * RATE), 256)
COLUMN_HZ = RATE / 256


def decision(lte=None, nr=None):
    """One that knows but a few weights."""
    plain = dict.fromkeys((*FEATURES, CONSTANT), 0.0)
    return Decision(plain | (lte or {}), plain | (nr or {}), [], 0)


def band(columns, rows=slice(0, 256), class_id=1):
    mask = np.zeros((256, 256), int)
    mask[rows, columns] = class_id
    return mask


def decided(mask, chosen, confidence=0.85):
    probabilities = np.stack([np.where(mask == index, confidence, (1 - confidence) / 3) for index in range(4)])
    power = np.where(mask > 0, 100.0, 1.0).astype(np.float32)
    return find_segments(
        mask, probabilities.astype(np.float32), power, 1.0, GEOMETRY, CLASS_NAMES, Decider(chosen) if chosen else None
    )


def described(mask, means=(0.05, 0.85, 0.05, 0.05), geometry=GEOMETRY, **changes):
    (segment,) = segments_of(mask)
    values = describe(replace(segment, **changes), np.array(means), 1.0, geometry)
    assert values.shape == (len(FEATURES),)
    return dict(zip(FEATURES, values))


def test_without_a_decision_a_segment_is_what_the_network_says_with_its_mean_probability():
    (segment,) = decided(band(slice(40, 80)), None)
    assert (segment.label, segment.confidence) == ("LTE", pytest.approx(0.85))


@pytest.mark.parametrize(
    "lte, nr, label, confidence",
    [
        ({CONSTANT: 2.0}, {}, "LTE", np.exp(2) / (np.exp(2) + 2)),
        ({}, {CONSTANT: 3.0}, "NR", np.exp(3) / (np.exp(3) + 2)),
        ({CONSTANT: -1.0}, {CONSTANT: -1.0}, "other", 1 / (1 + 2 * np.exp(-1))),
        ({CONSTANT: 900.0}, {CONSTANT: -900.0}, "LTE", 1.0),
        ({CONSTANT: 0.5}, {CONSTANT: 0.5}, "other", 1 / (1 + 2 * np.exp(0.5))),
    ],
)
def test_a_segment_is_what_it_is_rather_than_all_else_and_its_confidence_is_that_probability(
    lte, nr, label, confidence
):
    (segment,) = decided(band(slice(40, 80)), decision(lte, nr))
    assert (segment.label, CLASS_NAMES[segment.class_id]) == (label, label)
    assert segment.confidence == pytest.approx(confidence)


@pytest.mark.parametrize("columns, label", [(10, "other"), (12, "LTE")])  # 0.78 and 0.94 MHz
def test_neither_lte_nor_nr_is_so_narrow(columns, label):
    (segment,) = decided(band(slice(40, 40 + columns)), decision({CONSTANT: 9.0}))
    assert segment.label == label


def test_each_segment_of_a_frame_is_decided_on_its_own():
    mask = band(slice(40, 80)) + band(slice(120, 200), slice(0, 20), 2)
    found = decided(mask, decision({"on": 10.0, CONSTANT: -5.0}, {CONSTANT: 1.0}))
    assert [segment.label for segment in found] == ["LTE", "NR"]


def test_what_the_pixels_say_counts_without_their_probability_of_noise():
    values = described(band(slice(40, 80)), (0.5, 0.3, 0.1, 0.1))
    assert values["lte"] == pytest.approx(np.log(0.61 / 0.21)) and values["nr"] == pytest.approx(0.0)
    assert values["noise"] == 0.5


@pytest.mark.parametrize("megahertz, distance", [(9.0, 0.0), (9.0 + 2 * COLUMN_HZ / 1e6, 2.0), (16.0, 4.0)])
def test_the_distance_from_lte_s_widths_is_in_columns_and_ends_somewhere(megahertz, distance):
    values = described(band(slice(40, 80)), freq_lower=0.0, freq_upper=megahertz * 1e6)
    assert values["from_lte_width"] == pytest.approx(distance)
    assert values["width"] == pytest.approx(np.log2(megahertz + 0.05))


@pytest.mark.parametrize("columns, cut, filling", [(slice(9, 90), 0, 0), (slice(0, 90), 1, 0), (slice(0, 256), 1, 1)])
def test_what_the_span_cuts_off_says_nothing_of_its_width(columns, cut, filling):
    values = described(band(columns, class_id=2))
    assert (values["cut"], values["filling"]) == (cut, filling)
    assert cut == 0 or values["from_lte_width"] == 0


def test_times_and_levels_are_those_of_the_segment():
    values = described(band(slice(40, 80), slice(64, 128)))
    assert values["on"] == 0.25 and values["duration"] == pytest.approx(0.0, abs=1e-3)
    assert described(band(slice(40, 80)), snr_db=90.0)["snr"] == 4.0
    assert described(band(slice(40, 80)), snr_db=20.0)["snr_squared"] == 1.0


def test_a_scan_s_picture_counts_by_its_columns_not_by_its_span():
    wide = FrameGeometry(RATE, 0.0, 0, round(0.04 * RATE), 256, 2560, span=10 * RATE)
    assert described(band(slice(40, 80)), geometry=wide)["span"] == described(band(slice(40, 80)))["span"]


def test_a_decision_is_kept_with_the_card(tmp_path):
    card = replace(load_model().card, decision=decision({"lte": 1.5}))
    assert load_model(save_card(card, tmp_path)).card.decision == card.decision


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda one: one.lte.pop("width"), "decision.lte has the weights"),
        (lambda one: one.nr.update(colour=1.0), "rpmsn calibrate"),
    ],
)
def test_a_decision_with_other_weights_is_refused(tmp_path, change, words):
    broken = decision()
    change(broken)
    with pytest.raises(ModelError, match=words):
        save_card(replace(load_model().card, decision=broken), tmp_path)
