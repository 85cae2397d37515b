# SPDX-License-Identifier: GPL-3.0-or-later
"""Losses: cross-entropy of pixels, soft Dice of regions, and the distance from a teacher."""

import torch
import torch.nn.functional as F

from ..classes import IGNORED

TEACHER_TEMPERATURE = 2.0


def segmentation_loss(
    logits: torch.Tensor, masks: torch.Tensor, class_weights: torch.Tensor, dice_weight: float = 0.0
) -> torch.Tensor:
    """Weighted cross-entropy plus `dice_weight` times the soft Dice loss; pixels with 255 count in neither.

    Args:
        logits: float, shape (batch, classes, rows, columns).
        masks: int64, shape (batch, rows, columns).
        class_weights: float32, shape (classes,).
        dice_weight: fraction of the region loss; 0 leaves it out.

    Returns:
        Scalar tensor.
    """
    log_probabilities = F.log_softmax(logits.float(), dim=1)
    # Where a weight is zero the mean of `nll_loss` divides by the weights of pixels that are there: perhaps by none.
    loss = F.nll_loss(log_probabilities, masks, class_weights, ignore_index=IGNORED, reduction="sum")
    weight_of = torch.zeros(256, device=masks.device)
    weight_of[: len(class_weights)] = class_weights
    loss = loss / weight_of[masks].sum().clamp(min=1e-6)
    if dice_weight:
        loss = loss + dice_weight * dice_loss(log_probabilities.exp(), masks)
    return loss


def dice_loss(probabilities: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """1 - soft Dice coefficient, the mean over the classes that are in the batch; pixels with 255 are left out.

    segmentation_models_pytorch's DiceLoss divides by all classes, also those that are not in the batch, takes one-hot
    masks of eight bytes a pixel and class, and is an extra that training does not need.

    Args:
        probabilities: float32, shape (batch, classes, rows, columns).
        masks: int64, shape (batch, rows, columns).
    """
    classes = torch.arange(probabilities.shape[1], device=masks.device)
    is_class = (masks[:, None] == classes[:, None, None]).to(probabilities.dtype)
    own = probabilities * (masks != IGNORED)[:, None]
    pixels = is_class.sum((0, 2, 3))
    hits = (own * is_class).sum((0, 2, 3))
    dice = (2 * hits + 1) / (own.sum((0, 2, 3)) + pixels + 1)
    is_there = pixels > 0
    return ((1 - dice) * is_there).sum() / is_there.sum().clamp(min=1)


def teacher_loss(logits: torch.Tensor, teacher_logits: torch.Tensor) -> torch.Tensor:
    """Kullback-Leibler divergence of a network from its teacher, both softened (Hinton et al., arXiv 1503.02531).

    Args:
        logits, teacher_logits: float, shape (batch, classes, rows, columns).

    Returns:
        Mean over all pixels, times the squared temperature, so that gradients keep their size.
    """
    own = F.log_softmax(logits.float() / TEACHER_TEMPERATURE, dim=1)
    wanted = F.log_softmax(teacher_logits.float() / TEACHER_TEMPERATURE, dim=1)
    pixels = logits.numel() / logits.shape[1]
    return F.kl_div(own, wanted, reduction="sum", log_target=True) * TEACHER_TEMPERATURE**2 / pixels
