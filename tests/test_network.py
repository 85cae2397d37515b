# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks: the published one counted, the real-time one small enough, errors that say what would fit."""
import pytest
import torch

from rpmsn import network
from rpmsn.errors import ModelError, ParameterError
from rpmsn.network.shapes import count_macs, count_parameters


def test_published_network_has_the_published_size():
    built = network.RPMSN()
    assert count_parameters(built) == 14_495_043
    assert count_macs(built, 3) == pytest.approx(466.4e9, rel=0.0005)


def test_published_network_has_34_convolutions_of_full_width():
    wide = [layer for layer in network.RPMSN().modules()
            if isinstance(layer, torch.nn.Conv2d) and layer.weight.shape == (128, 128, 5, 5)]
    assert len(wide) == 34


def test_real_time_network_needs_at_most_2_gmac():
    assert count_macs(network.create("rpmsn-rt"), 1) <= 2e9


def test_counting_leaves_the_network_as_it_was():
    built = network.create("rpmsn-rt")
    before = built(torch.zeros(1, 1, 32, 32))
    count_macs(built, 1)
    assert built.training and torch.equal(before, built(torch.zeros(1, 1, 32, 32)))


@pytest.mark.parametrize("name, arguments", [
    ("rpmsn", {"in_channels": 1, "classes": 4, "width": 8}),
    ("rpmsn", {"in_channels": 3, "classes": 3, "width": 16}),
    ("rpmsn-rt", {"in_channels": 1, "classes": 4}),
    ("rpmsn-rt", {"in_channels": 3, "classes": 2, "widths": [4, 8, 8], "stages": 1}),
])
@pytest.mark.parametrize("rows, columns", [(32, 32), (16, 64)])
def test_resolution_is_preserved(name, arguments, rows, columns):
    built = network.create(name, **arguments).eval()
    with torch.no_grad():
        logits = built(torch.rand(2, arguments["in_channels"], rows, columns))
    assert logits.shape == (2, arguments["classes"], rows, columns)


@pytest.mark.parametrize("name", network.names())
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


@pytest.mark.parametrize("shape, words", [
    ((1, 1, 250, 256), "256 x 256 would fit"),
    ((1, 3, 256, 256), "built for 1"),
    ((1, 256, 256), r"\(batch, 1, rows, columns\)"),
])
def test_wrong_shape_says_what_would_fit(shape, words):
    with pytest.raises(ParameterError, match=words):
        network.create("rpmsn-rt")(torch.zeros(shape))


@pytest.mark.parametrize("width", [0, 4, 100])
def test_width_that_cannot_be_split_is_refused(width):
    with pytest.raises(ParameterError, match="multiple of 8"):
        network.RPMSN(width=width)
