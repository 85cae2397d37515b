# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets draw scenes that can be rendered, have the variety they promise, and stay the same."""

import hashlib
import json

import numpy as np
import pytest

from rpmsn.classes import IGNORED, LTE, NOISE, NR, OTHER
from rpmsn.errors import ParameterError
from rpmsn.signal import image as spectrogram
from rpmsn.synthesis import GENERATOR
from rpmsn.synthesis.labels import masks as labels
from rpmsn.synthesis.scene.everyday import OTHER_KINDS
from rpmsn.synthesis.scene.presets import ANY_RATES, PRESETS, random_scene
from rpmsn.synthesis.scene.rendering import render

OWN = [preset for preset in PRESETS if preset != "stitched"]


def scene_hash(scene):
    return hashlib.sha256(json.dumps(scene.to_dict()).encode()).hexdigest()[:16]


def picture_hash(samples, sample_rate):
    """Of the mean level in 16 x 16 parts of the image in whole steps of 3 dB: blind to last bits, not to changes."""
    levels = spectrogram.analyse(samples, sample_rate).levels
    parts = levels.reshape(16, 16, 16, 16).mean(axis=(1, 3))
    return hashlib.sha256(np.floor(parts * 20).astype(np.uint8).tobytes()).hexdigest()[:16]


PINNED_GENERATOR = 5
PINNED = {
    "any_rate": ("bd9644abe194f752", "b0e9c29ee857eb9a"),
    "wideband": ("e695dc314d672f2f", "4b5abd5d224708e4"),
    "no_cellular": ("05f8681b4008f2a3", "6d4b6b5942e08d0b"),
    "crowded": ("98650efa296a3391", "70660e7310fedac4"),
    "quiet": ("d70b260830f8bc57", "67a0452d3e3c7a69"),
    "refarmed": ("4202f7d7c934163d", "83c1f4a498372a50"),
    "lookalikes": ("ffe62135295dff75", "b43090c28b8ac02b"),
    "cells": ("6a9c442ea01084fc", "8078ce84874a5816"),
    "demo": ("6239640072689f92", "5dea9a4ebc230ee4"),
    "published": ("c89cb89b3202d782", "3f1ac0578e794458"),
    "published_test": ("1b7d67f10fcde6af", "76441671e761eef7"),
    "published_clean": ("b95f89584eb4e3c4", "2f0c3bf0b5e9c088"),
}
"""Preset -> (hash of the scene, hash of its picture) of seed 1, by that generator."""


@pytest.mark.parametrize("preset", OWN)
def test_a_seed_gives_this_scene_forever(preset):
    """Where this fails, seeds give other scenes than before: raise `synthesis.GENERATOR`, then pin again."""
    scene = random_scene(preset, 1)
    hashes = scene_hash(scene), picture_hash(render(scene)[0], scene.sample_rate)
    assert (GENERATOR, *hashes) == (PINNED_GENERATOR, *PINNED[preset])


def test_another_seed_gives_another_scene():
    for preset in OWN:
        assert random_scene(preset, 13) != random_scene(preset, 12)


@pytest.mark.parametrize("preset", OWN)
def test_every_preset_renders_and_has_masks(preset):
    scene = random_scene(preset, 3, duration_s=0.01)
    samples, truths = render(scene)
    assert samples.dtype == np.complex64 and samples.shape == (round(scene.sample_rate * 0.01),)
    assert np.isfinite(samples.view(np.float32)).all() and np.abs(samples.view(np.float32)).max() <= 1
    for policy in labels.POLICIES:
        mask = labels.mask(scene, truths, policy)
        assert mask.shape == (256, 256) and mask.dtype == np.uint8
        assert set(np.unique(mask)) <= {NOISE, LTE, NR, OTHER, IGNORED}


def test_any_rate_draws_every_rate_and_every_everyday_kind():
    scenes = [random_scene("any_rate", seed) for seed in range(600)]
    assert {scene.sample_rate for scene in scenes} == set(ANY_RATES)
    kinds = {emission.kind for scene in scenes for emission in scene.emissions}
    assert kinds >= {"lte", "nr", "dss", "lte_uplink", "nr_uplink"} | set(OTHER_KINDS)
    assert 0.03 < np.mean([not scene.emissions for scene in scenes]) < 0.12


def test_any_rate_keeps_to_the_rates_asked_for():
    rates = {random_scene("any_rate", seed, sample_rates=(1.9e6, 4e6)).sample_rate for seed in range(40)}
    assert rates == {1.92e6, 2.4e6, 3.84e6}


def test_published_scenes_are_those_of_the_paper():
    for seed in range(40):
        training, test = random_scene("published", seed), random_scene("published_test", seed)
        assert [emission.kind for emission in training.emissions] in (["lte"], ["nr"])
        assert [emission.kind for emission in test.emissions] == ["lte", "nr"]
        for scene in (training, test):
            assert scene.sample_rate == 61.44e6 and scene.duration_s == 0.04
            assert -10 <= scene.reception.noise.snr_db <= 30
            for emission in scene.emissions:
                assert abs(emission.offset_hz) + emission.parameters["bandwidth_hz"] / 2 <= 30.72e6 + 100
        assert random_scene("published_clean", seed).reception.noise.snr_db in (40, 50, 100)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"preset": "everything"}, "everything.*any_rate"),
        ({"preset": "demo", "sample_rates": (1e6, 2e6)}, "sample_rates.*any_rate"),
        ({"preset": "any_rate", "sample_rates": (1e6, 1.5e6)}, "sample_rates.*1.92"),
        ({"preset": "stitched"}, "recordings.*folder"),
        ({"preset": "demo", "recordings": "folder"}, "recordings.*stitched"),
    ],
)
def test_what_a_preset_cannot_use_is_refused_by_name(arguments, words):
    with pytest.raises(ParameterError, match=words):
        random_scene(**{"seed": 1, **arguments})


def test_stitched_scenes_have_carriers_of_recordings_that_do_not_overlap(captures):
    labels_seen = set()
    for seed in range(12):
        scene = random_scene("stitched", seed, recordings=str(captures))
        recorded = [emission for emission in scene.emissions if emission.kind == "recorded"]
        assert recorded and scene == random_scene("stitched", seed, recordings=str(captures))
        _, truths = render(scene)
        carriers = sorted((truth for truth in truths if truth.label != "other"), key=lambda truth: truth.occupied_lower)
        labels_seen |= {truth.label for truth in carriers}
        for below, above in zip(carriers, carriers[1:]):
            assert below.occupied_upper <= above.occupied_lower + 1
    assert labels_seen == {"LTE", "NR"}
