# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluation by annotated recordings: every annotated carrier has one outcome, and what is not judged is not missed."""

import json
import shutil

import numpy as np
import pytest

pytest.importorskip("torch")

from rpmsn.cli import main as cli
from rpmsn.models.model import load_model
from rpmsn.training.evaluation.recordings import Band, annotated_carriers, score

SPAN = -10e6, 10e6
TRUE = Band("LTE", -5e6, 5e6)


def outcome(*found, true=TRUE, is_judged=True):
    made = score([true], [Band(*carrier) for carrier in found], SPAN, is_judged)
    ((_, result),) = made.outcomes
    return result, len(made.false)


def test_a_carrier_is_found_by_one_of_its_label_and_place():
    assert outcome(("LTE", -4.9e6, 5e6)) == ("found", 0)
    assert outcome(("LTE", -5e6, 1e6)) == ("found", 0)


def test_several_carriers_or_too_narrow_a_one_are_pieces():
    assert outcome(("LTE", -5e6, -1e6), ("LTE", 1e6, 5e6)) == ("in_pieces", 0)
    assert outcome(("LTE", -5e6, 4.9e6), ("LTE", 4e6, 5e6)) == ("in_pieces", 0)
    assert outcome(("LTE", -1e6, 1e6)) == ("in_pieces", 0)


def test_the_other_label_alone_is_a_swap_and_beside_the_right_one_false():
    assert outcome(("NR", -5e6, 5e6)) == ("swapped", 0)
    assert outcome(("LTE", -5e6, 5e6), ("NR", 1e6, 3e6)) == ("found", 1)


def test_a_carrier_under_another_one_that_was_found_is_missed_and_not_swapped():
    true, found = [Band("NR", -4e6, 4e6), Band("LTE", -1e6, 1e6)], Band("LTE", -1e6, 1e6)
    made = score(true, [found], SPAN, True)
    assert [outcome for _, outcome in made.outcomes] == ["missed", "found"] and not made.false
    # One more of the wrong label is a swap all the same.
    made = score(true, [found, Band("LTE", 1.5e6, 4e6)], SPAN, True)
    assert [outcome for _, outcome in made.outcomes] == ["swapped", "found"] and not made.false


def test_what_lies_elsewhere_is_false_and_other_never_is():
    assert outcome(("LTE", 6e6, 9e6), ("other", -5e6, 5e6)) == ("missed", 1)
    assert outcome() == ("missed", 0)
    assert score([], [Band("NR", 0.0, 1e6)], SPAN, True).false == [Band("NR", 0.0, 1e6)]


def test_bands_are_cut_to_the_span():
    assert outcome(("LTE", -30e6, 30e6), true=Band("LTE", -10e6, 10e6)) == ("found", 0)


def test_a_carrier_that_a_cell_proves_is_not_false():
    made = score([TRUE], [Band("LTE", 6e6, 9e6, is_proven=True)], SPAN, True)
    assert made.false == [] and len(made.not_annotated) == 1 and made.outcomes[0][1] == "missed"


def test_a_carrier_in_a_recording_that_was_not_judged_is_not_missed():
    assert outcome(is_judged=False) == ("not_judged", 0)


def test_edges_are_judged_inside_the_span_only():
    made = score([Band("NR", -10e6, 5e6)], [Band("NR", -9.5e6, 5.1e6)], SPAN, True)
    assert made.edge_errors_hz == pytest.approx([0.1e6])


def test_annotations_of_other_labels_and_without_edges_are_left_out():
    edges = {"core:freq_lower_edge": 1.0, "core:freq_upper_edge": 2.0}
    annotations = [{"core:label": "LTE", **edges}, {"core:label": "other", **edges}, {"core:label": "NR"}, edges]
    assert annotated_carriers(annotations) == [Band("LTE", 1.0, 2.0)]


def write_recording(folder, name, values, label=None):
    """A SigMF recording of complex values at 5.76 Msps, with one annotation over all of it, or none."""
    values.astype(np.complex64).tofile(folder / f"{name}.sigmf-data")
    annotations = [
        {
            "core:sample_start": 0,
            "core:sample_count": values.size,
            "core:label": label,
            "core:freq_lower_edge": -2.25e6,
            "core:freq_upper_edge": 2.25e6,
        }
    ]
    meta = {
        "global": {"core:datatype": "cf32_le", "core:sample_rate": 5.76e6, "core:version": "1.0.0"},
        "captures": [{"core:sample_start": 0, "core:frequency": 0.0}],
        "annotations": annotations if label else [],
    }
    (folder / f"{name}.sigmf-meta").write_text(json.dumps(meta))


def test_evaluate_takes_a_folder_of_recordings(all_lte, tmp_path, capsys):
    rng = np.random.default_rng(1)
    spectrum = rng.standard_normal(230400) + 1j * rng.standard_normal(230400)
    spectrum[np.abs(np.fft.fftfreq(230400, 1 / 5.76e6)) > 2.25e6] *= 0.05
    signal = 40 * np.fft.ifft(spectrum)
    folder = tmp_path / "recordings"
    folder.mkdir()
    write_recording(folder, "a-lte", signal, "LTE")
    write_recording(folder, "b-nr", signal, "NR")
    write_recording(folder, "c-nothing", signal)
    write_recording(folder, "d-constant", np.zeros(230400), "LTE")
    command = ["evaluate", str(all_lte), str(folder), "--output", str(tmp_path / "report"), "--runtime", "torch"]
    assert cli.main([*command, "--quiet"]) == 0
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    counts = [{name: value for name, value in entry.items() if value == 1 and name not in ("judged", "true")}
              for entry in report["recordings"]]  # fmt: skip
    assert [list(entry) for entry in counts] == [["found"], ["swapped"], ["false"], ["not_judged"]]
    total = report["sum"]
    assert (total["true"], total["found"], total["false"], total["judged"]) == (3, 1, 1, 0.75)
    assert total["false_per_minute"] == pytest.approx(1 / 0.16 * 60, rel=0.01)
    output = capsys.readouterr()
    assert "c-nothing" in output.out and "d-constant" in output.err
    assert "NR -2.25 to 2.25 MHz, swapped" in (tmp_path / "report" / "report.md").read_text()


def test_to_card_adds_the_counts_of_recordings(all_lte, tmp_path):
    card = shutil.copy(all_lte, tmp_path)
    shutil.copy(all_lte.with_suffix(".safetensors"), tmp_path)
    folder = tmp_path / "air"
    folder.mkdir()
    write_recording(folder, "constant", np.zeros(230400), "NR")
    command = ["evaluate", str(card), str(folder), "--output", str(tmp_path / "report"), "--runtime", "torch"]
    assert cli.main([*command, "--quiet", "--to-card"]) == 0
    assert load_model(card).card.scores["air"]["not_judged"] == 1


def test_a_folder_that_is_neither_a_set_nor_of_recordings_is_refused(all_lte, tmp_path, capsys):
    assert cli.main(["evaluate", str(all_lte), str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
