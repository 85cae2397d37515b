# SPDX-License-Identifier: GPL-3.0-or-later
"""The decision about segments: fitted as promised, and written into the card."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from rpmsn.cli import main as cli
from rpmsn.errors import ParameterError
from rpmsn.models.decision import CONSTANT, FEATURES, Decision
from rpmsn.models.model import load_model
from rpmsn.training.calibrate import calibrate, fit
from rpmsn.training.dataset import SetConfig, build_set


def drawn(count, rng):
    """Descriptions of segments, and classes drawn by known weights."""
    values = rng.normal(size=(count, len(FEATURES))) * rng.uniform(0.5, 3, len(FEATURES)) + rng.normal(
        size=len(FEATURES)
    )
    lte, nr = ({name: float(rng.normal() / 3) for name in (*FEATURES, CONSTANT)} for _ in range(2))
    odds = Decision(lte, nr, [], 0).probabilities(values)
    return values, (odds.cumsum(axis=1) > rng.random((count, 1))).argmax(axis=1), odds


def test_the_probabilities_that_decide_are_found_again():
    values, truths, odds = drawn(20_000, np.random.default_rng(1))
    found = Decision(*fit(values[:10_000], truths[:10_000]), [], 0).probabilities(values[10_000:])
    assert np.abs(found - odds[10_000:]).mean() < 0.03


def test_features_that_never_change_do_no_harm():
    values, truths, _ = drawn(500, np.random.default_rng(2))
    values[:, 3] = 7.0
    lte, nr = fit(values, truths)
    assert np.isfinite([*lte.values(), *nr.values()]).all()


@pytest.fixture(scope="module")
def made_sets(tmp_path_factory):
    """Folders of a set with enough segments of each class at small rates, and of one with hardly any."""
    folder = tmp_path_factory.mktemp("sets")
    for name, count in (("enough", 64), ("few", 2)):
        build_set(SetConfig("any_rate", count, seed=78, sample_rates=[8e6, 12e6]), folder / name, workers=2, quiet=True)
    return folder


def test_the_command_writes_a_decision_that_the_model_then_follows(made_sets, tmp_path, capsys):
    card = load_model().card
    assert cli.main(["calibrate", "rpmsn-rt", str(made_sets / "enough"), "--output", str(tmp_path), "--quiet"]) == 0
    made = load_model(tmp_path / f"{card.name}.yml").card
    assert made.decision is not None and made.decision.sets == [
        {"preset": "any_rate", "count": 64, "seed": 78, "sample_rates": [8e6, 12e6]}
    ]
    assert made.decision.segments > 100 and replace(made, decision=card.decision) == card
    assert "right on scenes left out" in capsys.readouterr().out


def test_too_few_segments_are_refused(made_sets, capsys):
    assert cli.main(["calibrate", "rpmsn-rt", str(made_sets / "few"), "--quiet"]) == 2
    assert "give more scenes" in capsys.readouterr().err


def test_a_model_without_the_four_classes_has_no_decision(made_sets):
    model = load_model()
    with pytest.raises(ParameterError, match="has the classes noise, LTE"):
        calibrate(replace(model, card=replace(model.card, classes=["noise", "LTE"])), [made_sets / "few"])
