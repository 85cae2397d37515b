# SPDX-License-Identifier: GPL-3.0-or-later
"""The six networks of the comparison, and the experiment that trains all alike and tables them."""

import json
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rpmsn import network
from rpmsn.errors import MissingLibraryError, ParameterError
from rpmsn.models.model import load_model
from rpmsn.network.shapes import count_macs, count_parameters
from rpmsn.training import experiment as experiment_module
from rpmsn.training.experiment import Experiment, bin_of, main, pooled

SIZES = {  # parameters, GMAC for 3 x 256 x 256
    "unet": (24_436_659, 7.83),
    "unetplusplus": (26_078_899, 18.40),
    "deeplabv3": (26_007_619, 27.30),
    "deeplabv3plus": (22_437_971, 7.89),
    "fpn": (23_155_651, 6.86),
    "pspnet": (1_510_435, 2.35),
}


@pytest.mark.parametrize("name", SIZES)
def test_a_baseline_has_its_size_and_takes_two_steps_to_finite_weights(name):
    built = network.create(name, in_channels=3, classes=3)
    parameters, gmac = SIZES[name]
    assert count_parameters(built) == parameters
    assert count_macs(built, 3) / 1e9 == pytest.approx(gmac, abs=0.01)
    optimizer = torch.optim.AdamW(built.parameters(), lr=1e-3)
    images, masks = torch.rand(2, 3, 64, 64), torch.randint(0, 3, (2, 64, 64))
    for _ in range(2):
        loss = torch.nn.functional.cross_entropy(built(images), masks)
        optimizer.zero_grad()
        loss.backward()
        assert all(parameter.grad is not None for parameter in built.parameters())
        optimizer.step()
    assert all(torch.isfinite(parameter).all() for parameter in built.parameters())


def test_a_shape_that_cannot_be_halved_says_what_would_fit():
    with pytest.raises(ParameterError, match="64 x 64 would fit"):
        network.create("pspnet", in_channels=3, classes=3)(torch.zeros(1, 3, 50, 64))


def test_a_missing_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", None)
    with pytest.raises(MissingLibraryError, match=r"pip install segmentation-models-pytorch 'torch==\d"):
        network.create("unet", in_channels=3, classes=3)


def test_a_reduced_network_answers_at_full_size_for_a_quarter_of_the_arithmetic():
    whole = network.create("rpmsn", in_channels=3, classes=3, width=8)
    reduced = network.create("reduced", network="rpmsn", factor=2, in_channels=3, classes=3, width=8)
    assert count_macs(reduced, 3) == count_macs(whole, 3) / 4
    logits = reduced(torch.rand(1, 3, 64, 64))
    assert logits.shape == (1, 3, 64, 64) and torch.equal(logits[..., 0::2, 0::2], logits[..., 1::2, 1::2])


@pytest.mark.parametrize(
    "snr_db, label",
    [(-10, "-10..0"), (-0.1, "-10..0"), (0, "0..10"), (29.9, "20..30"), (40, "40"), (50, "50"), (100, "100")],
)
def test_every_ratio_has_its_range(snr_db, label):
    assert bin_of(snr_db) == label


def test_sums_hold_the_ranges_that_their_name_says():
    sums = pooled({label: np.array([[1]]) for label in experiment_module.BINS})
    assert [int(sums[label][0, 0]) for label in ("all", "0 dB and above", "20 dB and above")] == [7, 6, 4]
    assert list(pooled({"unknown": np.array([[5]])})) == ["all"]


def test_what_is_not_trained_keeps_its_row_and_says_what_to_type(tmp_path, capsys):
    assert main(["--output", str(tmp_path), "--table"]) == 0
    text = (tmp_path / "table.md").read_text()
    assert capsys.readouterr().out.strip() == str(tmp_path / "table.md")
    rows = [line for line in text.splitlines() if "not trained" in line]
    assert len(rows) == 10 and "97.22" in text and "does not state its SNR range" in text
    assert f"--output {tmp_path} --only rpmsn-published`" in rows[-1]


def test_the_command_of_a_row_has_the_options_of_the_others(tmp_path):
    experiment = Experiment(tmp_path, size=128, scenes=64, epochs=2)
    assert experiment.command("unet").endswith("--only unet --size 128 --scenes 64 --epochs 2")


def test_an_unknown_system_is_named_with_those_there_are(tmp_path, capsys):
    assert main(["--output", str(tmp_path), "--only", "segnet"]) == 2
    assert "'segnet' is unknown" in capsys.readouterr().err


def test_systems_differ_in_network_image_and_rate_alone(tmp_path):
    experiment = Experiment(tmp_path)
    alike = [
        {
            key: value
            for key, value in experiment.config(name).to_dict().items()
            if key in ("epochs", "batch_size", "weight_decay", "seed", "classes")
        }
        for name in experiment.systems
    ]
    assert all(values == alike[0] for values in alike)


def test_every_form_of_the_real_time_network_can_be_built_and_is_affordable(tmp_path):
    experiment = Experiment(tmp_path, "real-time-experiment")
    for name in experiment.systems:
        config = experiment.config(name)
        built = network.create(config.architecture, **config.arguments)
        assert count_macs(built, config.arguments["in_channels"]) < 4e9


@pytest.fixture
def tiny(tmp_path):
    """Path of an experiment of one small system and a few scenes."""
    path = tmp_path / "tiny.yml"
    path.write_text("""
about: A tiny experiment.
version: 0.0.0
classes: [noise, LTE, NR]
sample_rates: [61.44e+6, 61.44e+6]
train: [{preset: published, count: 4, seed: 1, policy: published}]
tests: [{preset: published_test, count: 2, seed: 2, policy: published},
        {preset: published_clean, count: 2, seed: 3, policy: published}]
epochs: 1
batch_size: 2
learning_rate: 1.0e-3
systems: {pspnet: {title: PSPNet, architecture: pspnet, features: published}}
""")
    return path


def test_a_trained_system_has_steps_machine_and_scores_by_snr(tiny, tmp_path):
    output = tmp_path / "out"
    arguments = ["--output", str(output), "--config", str(tiny), "--size", "64", "--workers", "1"]
    assert main(arguments) == 0
    (row,) = json.loads((output / "table.json").read_text())["systems"]
    assert (row["state"], row["size"], row["steps"]) == ("trained", 64, 2) and row["machine"]
    assert row["scores"]["all"]["pixels"] == 4 * 256 * 256
    assert set(row["scores"]["all"]) >= {"mean_accuracy", "mean_iou", "mean_f1"}
    command = f"python -m rpmsn.training.experiment --output {output} --only pspnet --config {tiny} --size 64"
    assert load_model(output / "pspnet" / "pspnet.yml").card.training["command"] == command
    before = (output / "pspnet" / "pspnet.yml").read_bytes()
    assert main(arguments) == 0 and (output / "pspnet" / "pspnet.yml").read_bytes() == before
