# SPDX-License-Identifier: GPL-3.0-or-later
"""Training: pictures that stay true to their masks, a rate that warms up, scores counted right."""
import numpy as np
import pytest

from rpmsn.classes import IGNORED
from rpmsn.training import scores
from rpmsn.training.config import load_config, shipped_config
from rpmsn.training.train import augment, learning_rate


def test_augmentation_moves_image_and_mask_together():
    rng = np.random.default_rng(1)
    image = np.full((1, 256, 256), 0.2, np.float32)
    mask = np.zeros((256, 256), np.uint8)
    image[:, 30:90, 40:70], mask[30:90, 40:70] = 0.8, 1
    for _ in range(20):
        changed, moved = augment(image, mask, rng)
        assert np.array_equal(changed[0] > 0.5, moved == 1)
        assert changed.dtype == np.float32 and moved.sum() == mask.sum()


def test_mirroring_keeps_the_centre_column():
    mask = np.zeros((256, 256), np.uint8)
    mask[:, 128] = 1
    for seed in range(10):
        _, moved = augment(np.zeros((1, 256, 256), np.float32), mask, np.random.default_rng(seed))
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
