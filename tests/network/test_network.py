# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks: the published one counted, the real-time one small enough, errors that say what would fit."""

import pytest

torch = pytest.importorskip("torch")

from rpmsn import network
from rpmsn.errors import ModelError, ParameterError
from rpmsn.network.realtime import PixelsOfPatches
from rpmsn.network.shapes import count_macs, count_parameters


def test_published_network_has_the_published_size():
    built = network.RPMSN()
    assert count_parameters(built) == 14_495_043
    assert count_macs(built, 3) == pytest.approx(466.4e9, rel=0.0005)


def test_published_network_has_34_convolutions_of_full_width():
    wide = [
        layer
        for layer in network.RPMSN().modules()
        if isinstance(layer, torch.nn.Conv2d) and layer.weight.shape == (128, 128, 5, 5)
    ]
    assert len(wide) == 34


def test_real_time_network_needs_at_most_2_gmac():
    assert count_macs(network.create("rpmsn-rt"), 4) <= 2e9


def test_counting_leaves_the_network_as_it_was():
    built = network.create("rpmsn-rt")
    before = built(torch.zeros(1, 4, 64, 64))
    count_macs(built, 4)
    assert built.training and torch.equal(before, built(torch.zeros(1, 4, 64, 64)))


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("rpmsn", {"in_channels": 1, "classes": 4, "width": 8}),
        ("rpmsn", {"in_channels": 3, "classes": 3, "width": 16}),
        ("rpmsn-rt", {"in_channels": 1, "classes": 4}),
        ("rpmsn-rt", {"in_channels": 3, "classes": 2, "widths": [4, 8, 8], "stages": 1}),
        ("rpmsn-rt", {"in_channels": 4, "classes": 4, "widths": [8, 8], "patch": 2, "scales": 1, "kernel": 5}),
        ("rpmsn-rt", {"in_channels": 1, "classes": 3, "widths": [8, 8], "patch": 8, "scales": 2, "separable": True}),
        ("rpmsn-rt", {"in_channels": 2, "classes": 4, "widths": [8, 8], "patch": [8, 2]}),
    ],
)
@pytest.mark.parametrize("rows, columns", [(32, 32), (32, 64)])
def test_resolution_is_preserved(name, arguments, rows, columns):
    built = network.create(name, **arguments).eval()
    with torch.no_grad():
        logits = built(torch.rand(2, arguments["in_channels"], rows, columns))
    assert logits.shape == (2, arguments["classes"], rows, columns)


@pytest.mark.parametrize("name", ["rpmsn", "rpmsn-rt"])
def test_every_parameter_gets_a_gradient(name):
    built = network.create(name, in_channels=1, classes=3, **({"width": 8} if name == "rpmsn" else {}))
    built(torch.rand(2, 1, 32, 32)).square().mean().backward()
    assert all(parameter.grad is not None for parameter in built.parameters())


def test_unknown_name_lists_the_names():
    with pytest.raises(ModelError, match="rpmsn, rpmsn-rt"):
        network.create("resnet")


def test_wrong_argument_is_named():
    with pytest.raises(ModelError, match="depth"):
        network.create("rpmsn", depth=3)


@pytest.mark.parametrize(
    "shape, words",
    [
        ((1, 4, 250, 256), "256 x 256 would fit"),
        ((1, 3, 256, 256), "built for 4"),
        ((1, 256, 256), r"\(batch, 4, rows, columns\)"),
    ],
)
def test_wrong_shape_says_what_would_fit(shape, words):
    with pytest.raises(ParameterError, match=words):
        network.create("rpmsn-rt")(torch.zeros(shape))


@pytest.mark.parametrize("arguments", [{"widths": [8]}, {"widths": [2, 8]}, {"kernel": 4}, {"stages": 0}, {"patch": 0}])
def test_real_time_network_that_cannot_be_is_refused(arguments):
    with pytest.raises(ParameterError, match="at least"):
        network.create("rpmsn-rt", **arguments)


@pytest.mark.parametrize("patch", [2, 4, [4, 2]])
def test_finest_branch_separates_the_pixels_of_a_patch(patch):
    """No pixel is lost: the output has one that only one pixel of the input moves, at the same place."""
    torch.manual_seed(3)
    built = network.create("rpmsn-rt", in_channels=1, widths=[32, 8], patch=patch).eval()
    image = torch.rand(1, 1, 32, 32)
    with torch.no_grad():
        outputs = []
        for column in (8, 9):
            changed = image.clone()
            changed[..., 8, column] += 1
            outputs.append(built(changed) - built(image))
    assert (outputs[0] - outputs[1]).abs().max() > 0.1 * outputs[0].abs().max()


def test_pixels_of_patches_are_those_of_pixel_shuffle():
    values = torch.rand(2, 3 * 16, 5, 6)
    assert torch.equal(PixelsOfPatches((4, 4))(values), torch.nn.functional.pixel_shuffle(values, 4))


@pytest.mark.parametrize("width", [0, 4, 100])
def test_width_that_cannot_be_split_is_refused(width):
    with pytest.raises(ParameterError, match="multiple of 8"):
        network.RPMSN(width=width)


def test_what_goes_through_the_trunk_as_published_is_not_lost_at_first():
    """There is no normalisation between the first block and the last but one layer."""
    torch.manual_seed(3)
    built = network.create("rpmsn", width=32)
    spread = {}
    for name in ("stem", "fusion"):
        built.get_submodule(name).register_forward_hook(
            lambda layer, arguments, output, name=name: spread.update({name: output.std(dim=(0, 2, 3)).mean()})
        )
    with torch.no_grad():
        built(torch.rand(2, 3, 32, 32))
    assert spread["fusion"] > spread["stem"]
