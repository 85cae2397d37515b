# SPDX-License-Identifier: GPL-3.0-or-later
"""RPMSN as published against the code of its authors, layer by layer, with the same weights and images.

    .venv/bin/python benchmarks/authors_network.py RPMSN.py [--model CARD] [--size 32]

`RPMSN.py` is the file of that name in the authors' public repository. It has no licence, so it is not part of this one.
Only the class of the network is run, not the training that the file begins when it is imported. The weights are random,
or those of a model. Prints the largest difference of each layer's output, relative to the largest output, and of the
probabilities; exits with 1 where one is above 1e-4, which is what the order of float32 sums leaves.
"""

import argparse
import ast
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from rpmsn import network
from rpmsn.models.model import load_model
from rpmsn.tables import format_table

TOLERANCE = 1e-4
STAGES = ((1, 2), (2, 2), (3, 2), (4, 1))
"""Branches that enter each of our stages, and convolutions on each branch after the exchange."""


def authors_network(path: Path) -> nn.Module:
    """The network that a file defines: the first class in it with convolutions.

    Raises:
        SystemExit: there is none.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and "Conv2d" in ast.unparse(node):
            names = {"torch": torch, "nn": nn, "F": nn.functional}
            exec(compile(ast.Module([node], []), str(path), "exec"), names)
            return names[node.name](3)
    raise SystemExit(f"{path} defines no network; give the authors' RPMSN.py")


def pairs() -> Iterator[tuple[str, str]]:
    """(name of our layer, name of theirs): theirs are numbered by stage and place."""
    yield from ((f"multi_scale.scales.{index}", f"conv{index + 1}") for index in range(4))
    yield "multi_scale.norm", "batchnorm"
    yield from ((f"stem.{index}.0", f"conv_layer1_{index + 1}") for index in range(2))
    for stage, (branches, convolutions) in enumerate(STAGES):
        there = stage + 2
        made = min(branches + 1, 4)
        if stage == 0:  # the convolutions of the two branches take turns
            order = ["exchange.0", "convolve.1.0", "convolve.0.0", "convolve.1.1", "convolve.0.1"]
        else:
            order = [f"exchange.{branch}" for branch in reversed(range(branches))]
            order += [f"convolve.{branch}.{place}" for place in range(convolutions) for branch in range(made)]
        yield from ((f"stages.{stage}.{name}.0", f"conv_layer{there}_{n}") for n, name in enumerate(order, 1))
    yield "fusion.0", "conv_layer6"
    yield "fusion_mix", "conv_out"
    yield "skip", "conv"
    yield "head_norm", "batchnorm2"
    yield from ((name, f"conv_last{n}") for n, name in enumerate(("head.0.0", "head.1.0", "head.2"), 1))


def copy_weights(ours: nn.Module, theirs: nn.Module) -> None:
    """Give their network our weights. Theirs has skip before trunk where the two are joined, ours after it."""
    for name, other in pairs():
        values = ours.get_submodule(name).state_dict()
        if name in ("head_norm", "head.0.0"):
            trunk = ours.get_submodule("fusion_mix").out_channels
            axis = {"weight": 1} if name == "head.0.0" else dict.fromkeys(values, 0)
            values = {
                key: value.roll(-trunk, axis[key]) if key in axis and value.ndim else value
                for key, value in values.items()
            }
        theirs.get_submodule(other).load_state_dict(values)


def outputs(network: nn.Module, names: list[str], images: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """(output of every layer by name, output of the network), in evaluation mode."""
    found: dict[str, torch.Tensor] = {}

    def keeper(name: str):
        def keep(layer, arguments, output):
            found[name] = output.clone()  # what follows may work in place

        return keep

    hooks = [network.get_submodule(name).register_forward_hook(keeper(name)) for name in names]
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # their softmax leaves out the axis
        result = network.eval()(images)
    for hook in hooks:
        hook.remove()
    return found, result


def main() -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="RPMSN.py", help="the authors' file")
    parser.add_argument("--model", metavar="NAME", help="name or card whose weights are taken (default: random ones)")
    parser.add_argument("--size", type=int, default=32, help="rows and columns of the images (default: %(default)s)")
    options = parser.parse_args()
    torch.manual_seed(1)
    ours = load_model(options.model).network() if options.model else network.create("rpmsn")
    ours = getattr(ours, "body", ours)  # of a model at half the resolution
    theirs = authors_network(options.source)
    if not options.model:
        for layer in ours.modules():  # an untrained normalisation would hide what it does
            if isinstance(layer, nn.BatchNorm2d):
                for values in (layer.running_mean, layer.running_var, layer.weight, layer.bias):
                    nn.init.uniform_(values, 0.5, 1.5)
            elif isinstance(layer, nn.Conv2d):
                nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    copy_weights(ours, theirs)
    names = list(pairs())
    images = torch.rand(2, 3, options.size, options.size)
    mine, logits = outputs(ours, [name for name, _ in names], images)
    other, probabilities = outputs(theirs, [name for _, name in names], images)
    trunk = ours.get_submodule("fusion_mix").out_channels
    rows = []
    for name, counterpart in names:
        expected = other[counterpart].roll(trunk, 1) if name == "head_norm" else other[counterpart]
        rows.append((name, counterpart, ((mine[name] - expected).abs().max() / expected.abs().max()).item()))
    rows.append(("probabilities", "", (logits.softmax(dim=1) - probabilities).abs().max().item()))
    print(format_table(("layer", "of the authors", "difference"), [(*row[:2], f"{row[2]:.1e}") for row in rows]))
    used = {name for _, name in names}
    unused = [name for name, layer in theirs.named_modules() if list(layer.parameters(False)) and name not in used]
    print(f"\nlargest: {max(row[2] for row in rows):.1e}; layers of theirs that are never called: {', '.join(unused)}")
    return int(max(row[2] for row in rows) > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
