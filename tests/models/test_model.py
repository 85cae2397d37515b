# SPDX-License-Identifier: GPL-3.0-or-later
"""Model cards and weights: what ships works, what is damaged is named."""

import shutil

import numpy as np
import pytest
import yaml

from rpmsn.errors import ModelError
from rpmsn.models.model import DEFAULT_MODEL, available_models, load_model, save_model
from rpmsn.runtimes.torch_runtime import TorchRuntime

load_file = pytest.importorskip("safetensors.torch").load_file


@pytest.fixture
def card(untrained_model, tmp_path):
    """A copy of an untrained model's card and weights that a test may damage."""
    shutil.copytree(untrained_model.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / untrained_model.name


def change(card, **values):
    content = yaml.safe_load(card.read_text())
    content.update(values)
    card.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))


def test_the_default_model_ships():
    assert DEFAULT_MODEL in available_models()


@pytest.mark.parametrize("name", available_models())
def test_every_model_that_ships_loads_and_gives_probabilities(name):
    pytest.importorskip("torch")
    model = load_model(name)
    images = np.random.default_rng(1).random((1, model.card.arguments["in_channels"], 256, 256), np.float32)
    probabilities = TorchRuntime(model).probabilities(images)
    assert probabilities.shape == (1, len(model.card.classes), 256, 256)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", available_models())
def test_every_card_says_how_the_model_was_made_and_its_accuracy(name):
    card = load_model(name).card
    assert card.training["config"]["seed"] is not None and card.training["minutes"] > 0
    assert 0 < card.scores["validation"]["mean_iou"] <= 1


def test_numbers_that_fp16_cannot_hold_are_kept(untrained_model, tmp_path):
    torch = pytest.importorskip("torch")
    model = load_model(untrained_model)
    built, values = model.network(), model.card.to_dict()
    name = next(name for name in built.state_dict() if name.endswith("running_var"))
    built.state_dict()[name].fill_(4.6e6)
    path = save_model(built, {key: values[key] for key in values if key not in ("weights", "sha256")}, tmp_path)
    again = load_model(path).network().state_dict()
    assert torch.all(again[name] == 4.6e6)
    kept = {name: values.dtype for name, values in load_file(path.with_suffix(".safetensors")).items()}
    assert kept.pop(name) == torch.float32 and set(kept.values()) <= {torch.float16, torch.int64}


def test_unknown_model_lists_those_there_are():
    with pytest.raises(ModelError, match=DEFAULT_MODEL):
        load_model("nonsense")


@pytest.mark.parametrize(
    "values, words",
    [
        ({"features": "published"}, "in_channels is 1, but feature set 'published' asks for in_channels: 3"),
        ({"features": "nice"}, "averaged, cyclic, published"),
        ({"classes": ["noise", "LTE"]}, "classes is 4, but the list of 2 classes asks for classes: 2"),
        ({"classes": ["noise", "LTE", "NR", "TETRA"]}, "TETRA"),
        ({"colour": "blue"}, "colour"),
        ({"features": None}, "key 'features' is missing"),
        ({"architecture": "resnet"}, "rpmsn, rpmsn-rt"),
        ({"arguments": {"in_channels": 1, "classes": 4, "widths": [8, 8], "stages": 1}}, "do not fit"),
    ],
)
def test_a_card_that_disagrees_is_refused_with_a_message(card, values, words):
    change(card, **values)
    with pytest.raises(ModelError, match=words):
        load_model(card).network()


def test_changed_weights_are_refused(card):
    weights = card.with_suffix(".safetensors")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelError, match="sha256"):
        load_model(card).network()


def test_missing_weights_and_missing_cards_are_named(card):
    card.with_suffix(".safetensors").unlink()
    with pytest.raises(ModelError, match="safetensors"):
        load_model(card).network()
    with pytest.raises(ModelError, match="none.yml"):
        load_model(card.with_name("none.yml"))


def test_a_card_that_is_no_yaml_is_named(card):
    card.write_text("{unfinished")
    with pytest.raises(ModelError, match="not valid YAML"):
        load_model(card)


def test_the_runtime_gives_what_the_network_gives():
    torch = pytest.importorskip("torch")

    model = load_model(DEFAULT_MODEL)
    images = np.random.default_rng(2).random((2, model.card.arguments["in_channels"], 256, 256), np.float32)
    with torch.no_grad():
        logits = model.network()(torch.from_numpy(images))
        expected = torch.softmax(logits / model.card.temperature, dim=1).numpy()
    # Folding a normalisation into its convolution changes the order of float32 arithmetic, and nothing else.
    assert np.abs(TorchRuntime(model).probabilities(images) - expected).max() < 1e-4
