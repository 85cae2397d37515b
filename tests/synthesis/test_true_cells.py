# SPDX-License-Identifier: GPL-3.0-or-later
"""Cells in scenes: the demo's decode, and a recording's annotations say who they are."""

import json

import pytest

from rpmsn.cells import lte, nr
from rpmsn.cells.cell import BROADCAST
from rpmsn.errors import ParameterError
from rpmsn.standards import bands
from rpmsn.synthesis.scene.presets import PRESETS, random_scene
from rpmsn.synthesis.scene.rendering import render
from rpmsn.synthesis.scene.scene import Emission, Scene
from rpmsn.synthesis.scene.writing import Order, _true_cells, write_scenes

CENTER = 1842.5e6


def annotations(scene, folder):
    (meta,) = write_scenes([("x", scene)], Order(folder, CENTER, "ci8"), quiet=True)
    return json.loads(meta.read_text())["annotations"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Samples of 40 ms of the demo, its sample rate, and the true cells."""
    scene = random_scene("demo", 1)
    found = annotations(scene, tmp_path_factory.mktemp("demo"))
    return render(scene)[0], scene.sample_rate, [one for one in found if "rpmsn:cell_id" in one]


def test_every_carrier_of_the_demo_is_a_cell_that_decodes(demo):
    samples, rate, truths = demo
    assert len(truths) == 5
    for truth in truths:
        if truth["core:label"] == "LTE":
            middle = (truth["core:freq_lower_edge"] + truth["core:freq_upper_edge"]) / 2
            (cell,) = lte.find_cells(samples, rate, [middle - CENTER], 7.5e3, CENTER)
            assert (cell.channel_bandwidth, cell.duplex) == (truth["rpmsn:channel_bandwidth"], truth["rpmsn:duplex"])
        else:
            spacing = 30e3 if truth["rpmsn:channel_bandwidth"] == 20e6 else 15e3
            (cell,) = nr.find_cells(samples, rate, [truth["rpmsn:ssb_frequency"] - CENTER], (spacing,), spacing / 2)
            middle = truth["rpmsn:ssb_frequency"]
        assert (cell.evidence, cell.cell_id) == (BROADCAST, truth["rpmsn:cell_id"])
        assert abs(cell.frequency + CENTER - middle) < 200


def test_the_demo_is_on_the_rasters_of_its_band(demo):
    for truth in demo[2]:
        if truth["core:label"] == "NR":
            frequency = truth["rpmsn:ssb_frequency"]
            assert bands.gscn_frequency(bands.gscn(frequency)) == pytest.approx(frequency)
        else:
            assert (truth["core:freq_lower_edge"] + truth["core:freq_upper_edge"]) / 2 % 100e3 == pytest.approx(0)


def test_annotations_name_the_cells_of_downlinks_and_of_nothing_else(tmp_path):
    cell = {"bandwidth_hz": 1.4e6, "cell_id": 7, "tdd_config": 2}
    nr_cell = {"bandwidth_hz": 5e6, "subcarrier_spacing": 15e3, "cell_id": 900, "ssb_offset": 0}
    emissions = [
        Emission("lte", -8e6, cell),
        Emission("lte_uplink", -5e6, {"bandwidth_hz": 1.4e6}),
        Emission("nr", 0.0, nr_cell),
        Emission("nr", 6e6, {**nr_cell, "beams": (), "sib1": False}),
        Emission("gsm", 9.2e6),
    ]
    found = annotations(Scene(23.04e6, 0.01, 0, emissions), tmp_path)
    named = [{name: value for name, value in one.items() if name.startswith("rpmsn:")} for one in found]
    assert named == [
        {"rpmsn:cell_id": 7, "rpmsn:duplex": "TDD", "rpmsn:channel_bandwidth": 1.4e6},
        {},
        {"rpmsn:cell_id": 900, "rpmsn:duplex": "FDD", "rpmsn:channel_bandwidth": 5e6,
         "rpmsn:ssb_frequency": CENTER - 450e3},
        {},
        {},
    ]  # fmt: skip


def test_the_broadcast_channel_can_be_decoded():
    lte_cell = Emission("lte", parameters={"frame_number": 4}).cell(20)
    assert (lte_cell.frame_number, lte_cell.start_ms) == (4, 20)
    assert Emission("nr").cell().sends_mib
    assert not Emission("nr", parameters={"coded_broadcast": False}).cell().sends_mib
    with pytest.raises(ParameterError, match="frame_number of LteDownlink is 3"):
        Emission("lte", parameters={"frame_number": 3})
    with pytest.raises(ParameterError, match="emission 'nr' has no frame_number"):
        Emission("nr", parameters={"frame_number": 4})


@pytest.mark.parametrize("preset", [preset for preset in PRESETS if preset != "stitched"])
def test_scenes_of_every_preset_can_be_described(preset):
    for seed in range(30):
        for facts in _true_cells(random_scene(preset, seed), 1.8e9).values():
            assert facts["rpmsn:channel_bandwidth"] > 0 and 0 <= facts["rpmsn:cell_id"] < 1008
