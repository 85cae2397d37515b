# SPDX-License-Identifier: GPL-3.0-or-later
"""Training: pictures that stay true to their masks, a rate that warms up, scores counted right."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F

from rpmsn.classes import IGNORED
from rpmsn.signal.sums import CORRELATED_ROWS
from rpmsn.training.augment import augment
from rpmsn.training.batches import class_table, make_batch, step_indices, training_batches
from rpmsn.training.config import TrainingConfig, load_config, shipped_config
from rpmsn.training.evaluation import scores
from rpmsn.training.losses import dice_loss, segmentation_loss, teacher_loss
from rpmsn.training.train import average_of, learning_rates, predictions


def changed(image, mask, seed, features="averaged"):
    """Image and mask after augmentation."""
    out = np.empty_like(image), np.empty_like(mask)
    augment(image, mask, *out, np.random.default_rng(seed), features)
    return out


def test_augmentation_moves_image_and_mask_together():
    image = np.full((1, 256, 256), 50, np.uint8)
    mask = np.zeros((256, 256), np.uint8)
    image[:, 30:90, 40:70], mask[30:90, 40:70] = 200, 1
    places = set()
    for seed in range(20):
        picture, moved = changed(image, mask, seed)
        assert np.array_equal(picture[0] > 125, moved == 1)
        assert picture.dtype == np.uint8 and moved.sum() == mask.sum()
        places.add(moved.tobytes())
    assert len(places) > 8 and image.max() == 200 and image.min() == 50


def test_rolling_keeps_the_blocks_that_correlations_are_measured_over():
    """Channels 1 to 3 are constant over blocks of 64 rows in every image that is received; so after augmentation."""
    image = np.zeros((4, 256, 256), np.uint8)
    image[0] = np.arange(256)[:, None]
    image[1:] = 10 * (np.arange(256) // CORRELATED_ROWS)[:, None]
    first_rows = set()
    for seed in range(60):
        out = np.empty_like(image), np.empty((256, 256), np.uint8)
        augment(
            image,
            np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None], (256, 256)),
            *out,
            np.random.default_rng(seed),
            "cyclic",
        )
        picture, rows = out
        blocks = picture[1:].reshape(3, -1, CORRELATED_ROWS, 256)
        assert (blocks == blocks[:, :, :1]).all()
        assert np.array_equal(picture[1], 10 * (rows // CORRELATED_ROWS))
        first_rows.add(int(rows[0, 0]))
    assert first_rows == {0, 64, 128, 192}


def test_mirroring_keeps_the_centre_column():
    mask = np.zeros((256, 256), np.uint8)
    mask[:, 128] = 1
    for seed in range(10):
        _, moved = changed(np.zeros((1, 256, 256), np.uint8), mask, seed)
        assert moved[:, 128].all()


def test_level_and_noise_stay_small_and_leave_correlations_alone():
    image = np.full((4, 256, 256), 100, np.uint8)
    mask = np.zeros((256, 256), np.uint8)
    levels = []
    for seed in range(40):
        picture, _ = changed(image, mask, seed, "cyclic")
        assert (picture[1:] == 100).all()
        levels.append(picture[0])
    means = np.array([level.mean() for level in levels])
    assert abs(means - 100).max() <= 13.1 and means.std() > 4
    spreads = np.array([level.std() for level in levels])
    assert spreads.max() <= 5.1 and 5 < (spreads > 0.2).sum() < 20
    all_channels, _ = changed(image[:3], mask, 3, "published")
    assert (all_channels[0] == all_channels[2]).mean() > 0.01 and all_channels[2].mean() != 100


def test_a_level_at_the_end_of_the_scale_does_not_wrap_round():
    image = np.zeros((1, 256, 256), np.uint8)
    image[:, :128] = 255
    for seed in range(20):
        picture, _ = changed(image, np.zeros((256, 256), np.uint8), seed)
        assert not ((picture > 60) & (picture < 200)).any()


def rates(steps):
    """Learning rates of all steps."""
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1e-3)
    schedule = learning_rates(optimizer, steps)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


@pytest.mark.parametrize("steps", [1, 2, 6, 20, 1000])
def test_learning_rate_warms_up_and_ends_at_zero(steps):
    found = rates(steps)
    warm_up = max(1, round(steps / 20))
    assert np.allclose(found[:warm_up], [1e-3 * (step + 1) / warm_up for step in range(warm_up)])
    places = np.arange(steps - warm_up) / max(1, steps - warm_up)
    assert np.allclose(found[warm_up:], 0.5e-3 * (1 + np.cos(np.pi * places)))


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
    assert config.name == "rpmsn-rt" and config.train[0].seed != config.validation.seed


def test_the_loss_is_cross_entropy_of_judged_pixels():
    torch.manual_seed(1)
    logits, masks = torch.randn(2, 4, 8, 8), torch.randint(0, 4, (2, 8, 8))
    masks[0, :3] = IGNORED
    weights = torch.tensor([1.0, 2.0, 0.5, 1.0])
    expected = F.cross_entropy(logits, masks, weights, ignore_index=IGNORED)
    assert segmentation_loss(logits, masks, weights).item() == pytest.approx(expected.item(), rel=1e-5)
    assert segmentation_loss(logits, torch.full_like(masks, IGNORED), weights, 0.5).item() == 0
    both = segmentation_loss(logits, masks, weights, 0.5)
    assert both.item() == pytest.approx(expected.item() + 0.5 * dice_loss(logits.softmax(1), masks).item(), rel=1e-5)


def test_dice_counts_overlap_and_leaves_out_what_is_not_judged():
    masks = torch.tensor([[[0, 0, 1, 1]]])
    right = F.one_hot(masks, 3).permute(0, 3, 1, 2).float()
    assert dice_loss(right, masks).item() == pytest.approx(0)
    wrong = right[:, [1, 0, 2]]
    assert dice_loss(wrong, masks).item() == pytest.approx(
        1 - 1 / 5
    )  # nothing hit of two and two, one added for smoothing
    ignored = torch.tensor([[[0, IGNORED, IGNORED, 1]]])
    assert dice_loss(right, ignored).item() == pytest.approx(0)


def test_a_student_is_rewarded_for_the_outputs_of_its_teacher():
    logits = torch.randn(1, 3, 4, 4)
    assert teacher_loss(logits, logits).item() == pytest.approx(0, abs=1e-6)
    assert teacher_loss(logits, -logits).item() > teacher_loss(logits, 0.5 * logits).item() > 0


def test_the_average_follows_and_settles():
    layer = torch.nn.BatchNorm2d(2)
    average = average_of(layer, 0.9)
    with torch.no_grad():
        layer.weight.fill_(3.0)
    layer.running_mean.fill_(5.0)
    layer.num_batches_tracked.fill_(7)
    for _ in range(200):
        average.update_parameters(layer)
    assert torch.allclose(average.module.weight, torch.tensor(3.0))
    assert torch.allclose(average.module.running_mean, torch.tensor(5.0))
    assert average.module.num_batches_tracked == 7


def test_the_average_takes_in_a_tenth_a_step_in_the_end_and_more_at_first():
    layer = torch.nn.Linear(1, 1)
    average = average_of(layer, 0.9)
    values, expected = [1.0, 2.0, 4.0, 8.0], None
    for step, value in enumerate([*values, *[0.0] * 200]):
        with torch.no_grad():
            layer.weight.fill_(value)
        average.update_parameters(layer)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = value if step == 0 else decay * expected + (1 - decay) * value
        assert average.module.weight.item() == pytest.approx(expected, abs=1e-6)


class Pictures(list):
    """A set of images whose every pixel holds their number."""

    def __init__(self, numbers):
        super().__init__(
            (np.full((1, 256, 256), number, np.uint8), np.full((256, 256), 3, np.uint8)) for number in numbers
        )


def small_config(**changes):
    return TrainingConfig(
        **{
            "name": "small",
            "version": "0",
            "architecture": "rpmsn-rt",
            "arguments": {},
            "train": [],
            "sample_rates": [5e6, 125e6],
            "validation": None,
            "epochs": 1,
            "learning_rate": 1e-3,
            "batch_size": 4,
            "features": "averaged",
        }
        | changes
    )


def test_joined_sets_are_one_after_another():
    joined = torch.utils.data.ConcatDataset([Pictures([1, 2]), Pictures([3]), Pictures([4, 5])])
    images, _ = make_batch(joined, range(5), small_config())
    assert images.amax((1, 2, 3)).tolist() == [1, 2, 3, 4, 5]


def test_every_image_comes_once_an_epoch_and_processes_share_a_batch():
    config = small_config()
    seen = [step_indices(config, step, 10)[0] for step in range(6)]
    assert [len(indices) for indices in seen] == [4, 4, 2] * 2
    assert sorted(np.concatenate(seen[:3])) == sorted(np.concatenate(seen[3:])) == list(range(10))
    assert not np.array_equal(seen[0], seen[3])
    for step in range(3):
        parts = [step_indices(config, step, 10, rank, 2) for rank in range(2)]
        assert {*parts[0][0], *parts[1][0]} == set(seen[step])
        assert len(parts[0][0]) == len(parts[1][0]) and not set(parts[0][1]) & set(parts[1][1])


def test_batches_do_not_depend_on_threads_or_on_where_a_run_began():
    pictures, config = Pictures(range(0, 200, 20)), small_config()
    whole = list(training_batches(pictures, config, range(9)))
    later = list(training_batches(pictures, config, range(5, 9), threads=3))
    assert [batch[0] for batch in whole] == list(range(9))
    for one, other in zip(whole[5:], later):
        assert one[0] == other[0] and torch.equal(one[1], other[1]) and torch.equal(one[2], other[2])


def test_classes_that_a_network_does_not_have_are_not_judged():
    table = class_table(["noise", "NR", "LTE"])
    assert table[[0, 1, 2, 3, IGNORED]].tolist() == [0, 2, 1, IGNORED, IGNORED]
    config = small_config(classes=["noise", "LTE", "NR"])
    _, _, masks, _ = next(iter(training_batches(Pictures([1, 2]), config, range(1))))
    assert (masks == IGNORED).all()


def test_predictions_cover_a_set_in_order_with_the_network_in_evaluation_mode():
    pictures, config = Pictures(range(0, 180, 20)), small_config()
    built = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Conv2d(1, 4, 1)).train()
    seen, outputs = [], []
    for indices, masks, logits in predictions(built, pictures, config):
        assert not torch.is_inference_mode_enabled()  # what reads the batches works as it does elsewhere
        assert masks.shape == (len(indices), 256, 256) and masks.dtype == np.uint8
        seen += indices
        outputs.append(logits)
    assert seen == list(range(9)) and not built.training
    images = torch.from_numpy(np.stack([image for image, _ in pictures])).float() / 255
    with torch.no_grad():
        assert torch.allclose(torch.cat(outputs), built(images), atol=1e-6)
