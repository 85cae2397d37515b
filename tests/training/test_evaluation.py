# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluation: counts that agree with torchmetrics, carriers matched as promised, and sets that are refused."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rpmsn.classes import IGNORED, LTE, NR
from rpmsn.cli import main as cli
from rpmsn.errors import ParameterError
from rpmsn.models.model import load_model
from rpmsn.recording.comparison import band_iou
from rpmsn.synthesis.labels.truth import Truth
from rpmsn.synthesis.scene.scene import Emission, PropagationPath, Reception, Scene
from rpmsn.tables import markdown_table, percent
from rpmsn.training.dataset import SetConfig, build_set
from rpmsn.training.evaluation import calibration, scores
from rpmsn.training.evaluation.carrier_scores import FoundCarrier, TrueCarrier, match, stored_power, true_carriers
from rpmsn.training.evaluation.evaluation import Tally, evaluate, load_key, snr_key
from rpmsn.training.evaluation.evaluation_set import EvaluationSet
from rpmsn.training.evaluation.report import check_folder, write_report

CLASSES = ["noise", "LTE", "NR", "other"]


@pytest.fixture(scope="module")
def card(untrained_model):
    """Card of a model with random weights; its feature set is that of the sets here."""
    return load_model(untrained_model).card


@pytest.fixture(scope="module")
def made_set(card, tmp_path_factory):
    """Folder of a set of three scenes at small rates."""
    folder = tmp_path_factory.mktemp("set") / "tiny"
    config = SetConfig("any_rate", count=3, seed=77, features=card.features, sample_rates=[5e6, 8e6])
    build_set(config, folder, quiet=True)
    return folder


@pytest.fixture
def copied_set(made_set, tmp_path):
    """The same, to be broken."""
    return shutil.copytree(made_set, tmp_path / "copy")


def true(label="LTE", lower=-5e6, upper=5e6, shown=None, is_judged=True):
    return TrueCarrier(
        label, lower, upper, shown, (True, True), is_judged, 20.0, f"{label} FDD", 10e6, 0.5, np.ones((4, 4), bool)
    )


def test_pixel_scores_agree_with_torchmetrics():
    torch = pytest.importorskip("torch")
    try:
        from rpmsn.network.baselines import load_torchvision

        load_torchvision()  # torchmetrics imports it where it is installed
        import torchmetrics.functional.classification as metrics
    except (ImportError, RuntimeError) as error:  # RuntimeError: a torchvision that does not fit torch
        pytest.skip(f"torchmetrics cannot be loaded: {error}")
    rng = np.random.default_rng(1)
    truth, found = rng.choice([0, 1, 2, 3, IGNORED], 5000, p=[0.5, 0.2, 0.1, 0.1, 0.1]), rng.choice(4, 5000)
    matrix = scores.confusion_matrix(truth, found, 4)
    report = scores.report(matrix, CLASSES)
    arguments = torch.from_numpy(found), torch.from_numpy(truth.astype(np.int64))
    options = {"num_classes": 4, "ignore_index": IGNORED, "average": None}
    for name, theirs in (
        ("iou", metrics.multiclass_jaccard_index),
        ("f1", metrics.multiclass_f1_score),
        ("precision", metrics.multiclass_precision),
        ("recall", metrics.multiclass_recall),
    ):
        ours = [report["classes"][label][name] for label in CLASSES]
        assert ours == pytest.approx(theirs(*arguments, **options).tolist(), abs=6e-5), name
        assert report[f"mean_{name}"] == pytest.approx(np.mean(ours), abs=1e-4)
    kept = truth != IGNORED
    for index, label in enumerate(CLASSES):
        expected = np.mean((truth[kept] == index) == (found[kept] == index))
        assert report["classes"][label]["accuracy"] == pytest.approx(expected, abs=6e-5)


def test_a_class_that_is_nowhere_does_not_count_in_means():
    report = scores.report(np.array([[8, 2, 0], [0, 10, 0], [0, 0, 0]]), ["noise", "LTE", "NR"])
    assert report["classes"]["NR"]["iou"] is None and report["classes"]["NR"]["accuracy"] is None
    assert report["mean_iou"] == pytest.approx((8 / 10 + 10 / 12) / 2, abs=1e-4)
    assert report["mean_accuracy"] == pytest.approx(0.9)


def test_temperature_of_overconfident_logits_is_found():
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 2, (40000, 4))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (rng.random((len(logits), 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 3)
    overconfident = (3 * logits).astype(np.float32)
    temperature = calibration.fit_temperature(overconfident, truth)
    assert temperature == pytest.approx(3, rel=0.05)
    assert calibration.reliability(overconfident, truth)["ece"] > 0.1
    assert calibration.reliability(overconfident, truth, temperature)["ece"] < 0.02


def test_the_sample_of_pixels_is_judged_and_no_larger_than_allowed(monkeypatch):
    monkeypatch.setattr(calibration, "MAX_PIXELS", 100)
    sample = calibration.PixelSample(images=2)
    truth = np.full((20, 20), IGNORED)
    with pytest.raises(ParameterError, match="no pixel"):
        sample.pixels()
    truth[:10] = 1
    outputs = np.zeros((3, 20, 20), np.float32)
    outputs[1, :10] = 1
    for _ in range(2):
        sample.add(outputs, truth)
    drawn, classes = sample.pixels()
    assert drawn.shape == (100, 3) and (classes == 1).all() and (drawn[:, 1] == 1).all()


def test_frequency_iou_of_two_bands():
    assert band_iou((0, 10), (5, 15)) == pytest.approx(1 / 3)
    assert band_iou((0, 10), (10, 20)) == 0


def test_a_carrier_is_found_from_half_the_union_on():
    near, far = FoundCarrier("LTE", -5e6, 0.1e6), FoundCarrier("LTE", -5e6, -0.1e6)
    assert len(match([true()], [near]).found) == 1
    result = match([true()], [far])
    assert len(result.missed) == 1 and result.false == [far]


def test_another_label_in_the_place_is_a_wrong_label_and_nothing_else():
    result = match([true("LTE")], [FoundCarrier("NR", -5e6, 5e6)])
    assert [(one.label, other.label) for one, other in result.wrong] == [("LTE", "NR")]
    assert not (result.found or result.missed or result.false)


def test_a_second_carrier_in_the_same_place_is_false():
    found = [FoundCarrier("LTE", -5e6, 5e6), FoundCarrier("LTE", -4e6, 1.5e6)]
    result = match([true()], found)
    assert result.found[0][1:] == (-5e6, 5e6) and result.false == found[1:]


def test_a_carrier_that_is_shown_in_part_may_be_found_in_pieces():
    carrier = true("NR", shown=(-4e6, 0.0))
    pieces = [FoundCarrier("NR", -4e6, -3.5e6), FoundCarrier("NR", -1e6, 0.0)]
    result = match([carrier], pieces)
    assert result.found == [(carrier, -4e6, 0.0)] and not result.false
    whole = true("NR")
    assert match([whole], pieces).missed == [whole] and len(match([whole], pieces).false) == 2


def test_what_is_not_judged_counts_neither_way():
    hidden = true(is_judged=False)
    result = match([hidden], [FoundCarrier("LTE", -5e6, 5e6), FoundCarrier("NR", 7e6, 9e6, ignored_fraction=0.8)])
    assert not (result.found or result.missed or result.false or result.wrong)


def scene_of(*emissions):
    return Scene(20e6, emissions=list(emissions), reception=Reception([PropagationPath(20.0) for _ in emissions]))


def truth_of(label, center, width, **changes):
    values = {
        "label": label,
        "center_hz": center,
        "bandwidth_hz": width,
        "occupied_lower": center - width / 2,
        "occupied_upper": center + width / 2,
        "freq_lower": max(center - width / 2, -10e6),
        "freq_upper": min(center + width / 2, 10e6),
        "start_s": 0.0,
        "end_s": 0.04,
        "snr_db": 20.0,
        "level": np.ones((8, 4), np.float32),
        "fills_band": label == "LTE",
    }
    return Truth(**{**values, **changes})


def test_a_tdd_cell_and_its_terminals_are_one_carrier():
    scene = scene_of(
        Emission("lte", 2e6, {"bandwidth_hz": 10e6, "tdd_config": 1, "load": 0.2}),
        Emission("lte_uplink", 2e6, {"bandwidth_hz": 10e6, "tdd_config": 1}),
    )
    truths = [truth_of("LTE", 2e6, 9e6), truth_of("LTE", 2e6, 9e6, fills_band=False)]
    mask = np.zeros((8, 256), np.uint8)
    mask[:, 98:209] = LTE
    carriers = true_carriers(scene, truths, mask)
    assert len(carriers) == 1 and carriers[0].is_judged and carriers[0].shown is None
    assert carriers[0].technology == "LTE TDD" and carriers[0].load == 0.2


def test_truths_are_of_the_emissions_that_are_inside_the_span():
    scene = scene_of(
        Emission("lte", 30e6, {"bandwidth_hz": 5e6}),
        Emission("gsm", -4e6),
        Emission("nr", 3e6, {"bandwidth_hz": 10e6, "style": "full"}),
    )
    mask = np.zeros((8, 256), np.uint8)
    mask[:, 110:225] = NR
    carriers = true_carriers(scene, [truth_of("other", -4e6, 2e5), truth_of("NR", 3e6, 9e6)], mask)
    about = {carrier.technology: carrier for carrier in carriers}
    assert set(about) == {"gsm", "NR FDD"} and about["NR FDD"].load == 1.0
    assert about["NR FDD"].is_judged and not about["gsm"].is_judged
    assert about["gsm"].upper - about["gsm"].lower == pytest.approx(3 * 20e6 / 256)


def test_ranges_hold_their_lower_end():
    assert snr_key(-0.1)[1] == "-5 to 0 dB" and snr_key(0.0)[1] == "0 to 5 dB" and snr_key(50)[1] == "50 to 55 dB"
    assert [load_key(load)[1] for load in (0, 0.05, 0.1, 1)] == ["0", "0 to 0.1", "0.1 to 0.3", "0.6 to 1"]


def test_stored_levels_become_powers_again():
    image = np.array([[[0, 21, 255]]], np.uint8)
    assert 10 * np.log10(stored_power(image, None, "averaged"))[0] == pytest.approx([-5, -0.06, 55], abs=0.01)
    flat = stored_power(np.zeros((3, 1, 2), np.uint8), np.array([[True, False]]), "published")
    assert flat[0, 0] > 10 * flat[0, 1]


def judged(card, folder, temperature=1.0):
    """A tally of a set by its own masks, as if a model had said them, with what is not judged as noise.

    Where I/Q images are is not known: what lies under one is in the masks, and is not reported.
    """
    card = replace(card, temperature=temperature)
    image_set = EvaluationSet(folder, card)
    tally = Tally(card, "occupied", len(image_set))
    for scene in image_set:
        mask = np.where(scene.mask == IGNORED, 0, scene.mask)
        probabilities = np.full((4, 256, 256), 0.01, np.float32)
        np.put_along_axis(probabilities, mask[None].astype(int), 0.97, axis=0)
        tally.add(replace(scene, image_coherence=None), probabilities)
    return tally.scores()


def test_iq_images_are_not_judged_as_signals(card, made_set):
    tally = Tally(card, "occupied", 2)
    scene = next(iter(EvaluationSet(made_set, card)))
    empty = replace(scene, image=np.full_like(scene.image, 100), mask=np.zeros_like(scene.mask), scene=None)
    everywhere = np.stack([np.full((256, 256), value, np.float32) for value in (0.1, 0.7, 0.1, 0.1)])
    half = np.where(np.arange(256) < 128, np.float32(1), np.float32(0))
    tally.add(replace(empty, image_coherence=half), everywhere)
    tally.add(replace(empty, image_coherence=None), everywhere)
    assert tally.scores()["confusion_matrix"][0] == [128 * 256, 384 * 256, 0, 0]
    assert tally.without_coherence == 1


def test_the_truth_itself_has_full_marks(card, made_set):
    report = judged(card, made_set)
    assert report["pixels"]["mean_iou"] == report["pixels"]["mean_accuracy"] == 1.0
    assert sum(entry["scenes"] for entry in report["pixels_by"]["sample_rate"]) == 3
    assert report["carriers"]["labels"]["LTE and NR"]["false"] == 0
    assert not [entry for entry in report["carriers"]["called"] if {entry["true"], entry["found"]} == {"LTE", "NR"}]
    assert report["calibration"]["fitted_temperature"] < 1


def test_the_temperature_of_the_card_is_undone_before_another_is_fitted(card, made_set):
    plain, scaled = (judged(card, made_set, temperature)["calibration"] for temperature in (1.0, 2.0))
    # The same probabilities come of logits twice as large.
    assert scaled["card"]["ece"] == pytest.approx(plain["plain"]["ece"], abs=1e-3)
    assert scaled["plain"]["ece"] < plain["plain"]["ece"]


def test_a_class_that_the_model_does_not_know_is_not_judged(card, made_set):
    three = replace(card, classes=CLASSES[:3])
    image_set = EvaluationSet(made_set, three)
    tally = Tally(three, "occupied", len(image_set))
    pixels = 0
    for scene in image_set:
        probabilities = np.zeros((3, 256, 256), np.float32)
        probabilities[0] = 1
        tally.add(scene, probabilities)
        pixels += np.count_nonzero(scene.mask[: scene.rows] < 3)
    report = tally.scores()
    assert report["pixels"]["pixels"] == pixels and report["carriers"]["labels"]["other"]["true"] == 0


def test_evaluate_writes_a_whole_report_and_replaces_only_its_own(untrained_model, made_set, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    command = [
        "evaluate",
        str(untrained_model),
        str(made_set),
        "--output",
        str(tmp_path / "report"),
        "--runtime",
        "torch",
        "--threads",
        "1",
        "--quiet",
    ]
    assert cli.main(command) == 0 and cli.main(command) == 0
    assert "mean" in capsys.readouterr().out
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert {"report.json", "report.md", "confusion.png", "reliability.png", "worst.png"} <= names
    assert not [name for name in names if name.endswith(".tmp")]
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["set"]["scenes"] == 3 and len(report["worst"]) == 3
    text = (tmp_path / "report" / "report.md").read_text()
    assert all(f"]({name})" in text for name in names if name.endswith(".png"))
    with pytest.raises(ParameterError, match="another --output"):
        check_folder(tmp_path / "report", "another", made_set, "occupied")
    with pytest.raises(ParameterError, match="another --output"):
        check_folder(tmp_path / "report", "untrained", tmp_path, "occupied")


def test_to_card_adds_the_main_figures_and_keeps_the_others(untrained_model, made_set, tmp_path):
    pytest.importorskip("matplotlib")
    card = shutil.copy(untrained_model, tmp_path)
    shutil.copy(untrained_model.with_suffix(".safetensors"), tmp_path)
    before = load_model(card).card.scores
    assert (
        cli.main(
            [
                "evaluate",
                str(card),
                str(made_set),
                "--output",
                str(tmp_path / "report"),
                "--runtime",
                "torch",
                "--quiet",
                "--to-card",
            ]
        )
        == 0
    )
    scores = load_model(card).card.scores
    own = scores.pop(made_set.name)
    assert scores == before
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert own["scenes"] == 3 and own["runtime"] == "torch"
    assert own["mean_iou"] == round(report["pixels"]["mean_iou"], 4)
    assert list(own["iou"]) == CLASSES and {"carriers_f1", "calibration_error"} <= set(own)


def test_a_set_without_scenes_is_judged_by_its_pixels(untrained_model, copied_set, tmp_path):
    pytest.importorskip("matplotlib")
    for path in [*copied_set.glob("*.jsonl"), *copied_set.glob("*.npz")]:
        path.unlink()
    made = evaluate(load_model(untrained_model), copied_set, runtime="torch", quiet=True)
    assert made.report["carriers"] is None and any("imported" in note for note in made.report["notes"])
    assert "## Carriers" not in write_report(made, tmp_path / "report").read_text()


def broken(folder, ending, content=None):
    """Remove or overwrite a file of the first shard."""
    path = folder / f"shard-00000.{ending}"
    path.write_bytes(content) if content is not None else path.unlink()


@pytest.mark.parametrize(
    "ending, content, words",
    [
        ("images.npy", None, "half there: shard 0 of 1 lacks images.npy; .*--count 3"),
        ("masks-occupied.npy", None, "half there: shard 0 of 1 lacks masks-occupied.npy"),
        ("scenes.jsonl", None, "half there: shard 0 lacks scenes.jsonl"),
        ("truths.npz", None, "half there: shard 0 lacks truths.npz"),
        ("images.npy", b"rubbish", "images.npy is damaged"),
        ("masks-occupied.npy", b"", "masks-occupied.npy is damaged"),
        ("truths.npz", b"PK rubbish", "damaged"),
        ("scenes.jsonl", b"{}\n", "damaged"),
    ],
)
def test_a_set_half_there_or_damaged_is_refused_with_the_file(card, copied_set, ending, content, words):
    broken(copied_set, ending, content)
    with pytest.raises(ParameterError, match=words):
        list(EvaluationSet(copied_set, card))


def test_a_truncated_shard_and_unknown_classes_are_refused(card, copied_set):
    path = copied_set / "shard-00000.masks-occupied.npy"
    masks = np.load(path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ParameterError, match="damaged"):
        list(EvaluationSet(copied_set, card))
    masks[1, 5, 5] = 7
    np.save(path, masks)
    with pytest.raises(ParameterError, match="class 7"):
        list(EvaluationSet(copied_set, card))


def test_masks_of_another_policy_are_pointed_to(card, copied_set):
    (copied_set / "shard-00000.masks-occupied.npy").rename(copied_set / "shard-00000.masks-published.npy")
    with pytest.raises(ParameterError, match="give --policy published"):
        EvaluationSet(copied_set, card)


def test_another_feature_set_is_refused_with_the_command_that_helps(card, made_set):
    with pytest.raises(ParameterError, match="--preset any_rate --count 3 --seed 77 .*--features published"):
        EvaluationSet(made_set, replace(card, features="published"))


def test_folders_that_are_no_set_are_refused(card, tmp_path):
    with pytest.raises(ParameterError, match="is no folder"):
        EvaluationSet(tmp_path / "nowhere", card)
    with pytest.raises(ParameterError, match="set.yml cannot be read"):
        EvaluationSet(tmp_path, card)
    (tmp_path / "set.yml").write_text(f"features: {card.features}\n")
    with pytest.raises(ParameterError, match="is empty"):
        EvaluationSet(tmp_path, card)
    with pytest.raises(ParameterError, match="noise"):
        EvaluationSet(tmp_path, replace(card, classes=["LTE", "NR"]))


def test_a_markdown_table_has_numbers_to_the_right_unless_all_are_words():
    lines = markdown_table(("class", "IoU %"), [("LTE", percent(0.5)), ("NR", percent(None))])
    assert [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "--" not in line] == [
        ["class", "IoU %"],
        ["LTE", "50.00"],
        ["NR", "-"],
    ]
    assert [rule.endswith(":") for rule in lines[1].strip("|").split("|")] == [False, True]
    assert set(markdown_table(("system", "image"), [], right=False)[1]) == set("|-")


def test_the_command_line_says_what_is_wrong(untrained_model, tmp_path, capsys):
    assert cli.main(["evaluate", str(untrained_model), str(tmp_path / "nowhere")]) == 2
    assert "is no folder" in capsys.readouterr().err
