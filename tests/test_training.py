# SPDX-License-Identifier: GPL-3.0-or-later
"""Training: sets that are the same again, pictures that stay true to their masks, scores counted right."""
import dataclasses

import numpy as np
import pytest

from rpmsn.classes import IGNORED
from rpmsn.errors import ParameterError
from rpmsn.training import scores
from rpmsn.training.config import SetConfig, load_config, shipped_config
from rpmsn.training.dataset import ImageSet, build_set
from rpmsn.training.train import augment, learning_rate

TINY = SetConfig("any_rate", count=2, seed=77)


def test_a_lost_shard_is_made_again_exactly(tmp_path):
    first = build_set(TINY, tmp_path)
    images = [first[index][0].copy() for index in range(2)]
    (tmp_path / "shard-00000.images.npy").unlink()
    again = build_set(TINY, tmp_path)
    assert len(again) == 2
    assert all(np.array_equal(again[index][0], images[index]) for index in range(2))
    assert not list(tmp_path.glob("*.part"))


def test_a_folder_with_another_set_is_refused(tmp_path):
    build_set(TINY, tmp_path)
    with pytest.raises(ParameterError, match="seed"):
        build_set(dataclasses.replace(TINY, seed=78), tmp_path)


def test_an_empty_folder_is_no_set(tmp_path):
    with pytest.raises(ParameterError, match="no shard"):
        ImageSet(tmp_path)


def test_augmentation_moves_image_and_mask_together():
    rng = np.random.default_rng(1)
    image = np.full((256, 256), 0.2, np.float32)
    mask = np.zeros((256, 256), np.uint8)
    image[30:90, 40:70], mask[30:90, 40:70] = 0.8, 1
    for _ in range(20):
        changed, moved = augment(image, mask, rng)
        assert np.array_equal(changed > 0.5, moved == 1)
        assert changed.dtype == np.float32 and moved.sum() == mask.sum()


def test_mirroring_keeps_the_centre_column():
    mask = np.zeros((256, 256), np.uint8)
    mask[:, 128] = 1
    for seed in range(10):
        _, moved = augment(np.zeros((256, 256), np.float32), mask, np.random.default_rng(seed))
        assert moved[:, 128].all()


def test_learning_rate_warms_up_and_ends_at_zero():
    rates = [learning_rate(step, 1000, 1e-3) for step in range(1000)]
    assert max(rates) == pytest.approx(1e-3) and rates[0] < 1e-4 and rates[-1] < 1e-5
    assert int(np.argmax(rates)) in (49, 50)


def test_scores_of_a_counted_example():
    truth = np.array([0, 0, 1, 1, 1, IGNORED])
    found = np.array([0, 1, 1, 1, 0, 1])
    matrix = scores.confusion_matrix(truth, found, 3)
    assert matrix.tolist() == [[1, 1, 0], [1, 2, 0], [0, 0, 0]]
    summary = scores.summary(matrix, ["noise", "LTE", "NR"])
    assert summary["iou"] == {"noise": 0.3333, "LTE": 0.5, "NR": None}
    assert summary["mean_iou"] == pytest.approx((1 / 3 + 1 / 2) / 2, abs=1e-4)
    assert summary["pixel_accuracy"] == 0.6


def test_the_config_that_ships_is_whole():
    config = load_config(shipped_config("rpmsn-rt"))
    assert config.name == "rpmsn-rt" and config.train.seed != config.validation.seed
