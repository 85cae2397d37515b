# SPDX-License-Identifier: GPL-3.0-or-later
"""The six networks that RPMSN is compared with: segmentation_models_pytorch, ResNet-34 encoder, random weights.

No weights are downloaded: all start from random weights, as RPMSN does.
"""

import torch
from torch import nn

from ..errors import MissingLibraryError
from .shapes import check_input

ENCODER = "resnet34"
MULTIPLE = 32


class Baseline(nn.Module):
    """A network of segmentation_models_pytorch with a ResNet-34 encoder.

    Args:
        in_channels: channels of the image (3 for the published feature set).
        classes: number of classes.

    Input: float32, shape (batch, in_channels, rows, columns), rows and columns multiples of 32.
    Output: logits, shape (batch, classes, rows, columns).

    Raises:
        MissingLibraryError: the library is not installed; the message says how to install it.
    """

    kind: str
    """Name of the network's class in segmentation_models_pytorch."""

    def __init__(self, in_channels: int = 3, classes: int = 3) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.body = getattr(_library(), self.kind)(
            ENCODER, encoder_weights=None, in_channels=in_channels, classes=classes
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        check_input(images, self.in_channels, MULTIPLE)
        return self.body(images)


class UNet(Baseline):
    """U-Net: 24,436,659 parameters, 7.8 GMAC for 256 x 256."""

    kind = "Unet"


class UNetPlusPlus(Baseline):
    """U-Net++: 26,078,899 parameters, 18.4 GMAC for 256 x 256."""

    kind = "UnetPlusPlus"


class DeepLabV3(Baseline):
    """DeepLabV3: 26,007,619 parameters, 27.3 GMAC for 256 x 256."""

    kind = "DeepLabV3"


class DeepLabV3Plus(Baseline):
    """DeepLabV3+: 22,437,971 parameters, 7.9 GMAC for 256 x 256."""

    kind = "DeepLabV3Plus"


class FPN(Baseline):
    """FPN: 23,155,651 parameters, 6.9 GMAC for 256 x 256."""

    kind = "FPN"


class PSPNet(Baseline):
    """PSPNet: 1,510,435 parameters, 2.3 GMAC for 256 x 256; it uses the encoder down to 1/8 of the resolution."""

    kind = "PSPNet"

    def __init__(self, in_channels: int = 3, classes: int = 3) -> None:
        super().__init__(in_channels, classes)
        # The library builds these stages and never calls them.
        self.body.encoder.layer3 = self.body.encoder.layer4 = nn.Identity()


def _library():
    """segmentation_models_pytorch."""
    try:
        load_torchvision()
        import segmentation_models_pytorch
    except ImportError as error:
        version = torch.__version__.partition("+")[0]
        raise MissingLibraryError(
            f"the networks that RPMSN is compared with need the Python package segmentation_models_pytorch ({error}); "
            "install it beside the installed torch: "
            f"pip install segmentation-models-pytorch 'torch=={version}'"
        ) from error
    return segmentation_models_pytorch


def load_torchvision() -> None:
    """Import torchvision, of which segmentation_models_pytorch uses the definition of ResNet.

    Its package for Linux is built for CUDA. Beside a torch for processors its compiled operators do not load, and the
    import ends where it describes two of them that were not declared; segmentation networks use neither.
    """
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision  # noqa: F401
