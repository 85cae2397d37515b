# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes are plain numbers that go to YAML and back, and refuse what cannot be by name."""

import pytest
import yaml

from rpmsn.errors import ParameterError
from rpmsn.synthesis import other as others
from rpmsn.synthesis.channel.noise import Noise
from rpmsn.synthesis.receiver.receiver import Receiver
from rpmsn.synthesis.scene.presets import random_scene
from rpmsn.synthesis.scene.scene import CARRIERS, KINDS, Emission, PropagationPath, Reception, Scene, rounded

RATE = 7.68e6

WRITTEN_BY_HAND = """
sample_rate: 30.72e6
emissions:
  - kind: lte
    offset_hz: -5e6
    parameters: {bandwidth_hz: 10e6, cell_id: 88, load: 0.4}
  - kind: wifi
    offset_hz: 6.0e+6
    parameters: {busy: 0.3}
reception:
  paths:
    - power_db: 25
      channel: {profile: EVA, doppler_hz: 70, delay_spread_s: 0}
  receiver: {adc_bits: 8, dc_dbc: -30}
"""


def test_a_scene_goes_through_yaml_and_back():
    for seed in range(30):
        scene = random_scene("any_rate", seed)
        assert Scene.from_dict(yaml.safe_load(yaml.safe_dump(scene.to_dict()))) == scene


def test_a_scene_file_holds_the_scene(tmp_path):
    scene = random_scene("wideband", 5)
    scene.save(tmp_path / "scene.yml")
    assert Scene.load(tmp_path / "scene.yml") == scene


def test_a_scene_written_by_hand_needs_only_what_matters(tmp_path):
    (tmp_path / "scene.yml").write_text(WRITTEN_BY_HAND)
    scene = Scene.load(tmp_path / "scene.yml")
    assert scene.sample_rate == 30.72e6 and scene.emissions[0].parameters["bandwidth_hz"] == 10e6
    assert scene.reception.paths == [
        PropagationPath(25, {"profile": "EVA", "doppler_hz": 70, "delay_spread_s": 0}),
        PropagationPath(),
    ]
    assert scene.reception.receiver == Receiver(adc_bits=8, dc_dbc=-30) and scene.reception.noise == Noise()


@pytest.mark.parametrize(
    "change, words",
    [
        (("10e6", "12e6"), ["bandwidth_hz", "12000000.0", "1.4, 3, 5, 10, 15 or 20 MHz"]),
        (("load: 0.4", "load: much"), ["lte", "load", "much"]),
        (("load:", "loads:"), ["loads", "cell_id"]),
        (("wifi", "wimax"), ["wimax", "gsm"]),
        (("busy", "active"), ["active", "busy"]),
        (("busy: 0.3", "bandwidth_hz: 30e6"), ["bandwidth_hz", "30000000.0", "20e6 or 40e6"]),
        (("busy: 0.3", "busy: 30%"), ["busy", "30%", "0.95"]),
        (("kind: wifi", "kind: recorded"), ["busy", "recording"]),
        (("30.72e6", "30.721e6"), ["30721000", "subcarrier spacing"]),
        (("30.72e6", "fast"), ["sample_rate", "fast", "1e+06"]),
        (("EVA", "EVB"), ["EVB", "ETU"]),
        (("doppler_hz: 70", "doppler_hz: -70"), ["doppler_hz", "-70"]),
        (("adc_bits: 8", "adc_bits: 40"), ["adc_bits", "40", "4 to 16"]),
        (("power_db: 25", "power_db: loud"), ["power_db", "loud", "dB"]),
        (("paths:\n    -", "paths:\n    - {}\n    - {}\n    -"), ["paths", "3", "2 here"]),
        (("reception:", "hearing:"), ["hearing", "reception"]),
        (("{adc_bits: 8, dc_dbc: -30}", "good"), ["Receiver", "good", "mapping"]),
        (("emissions:", "emissions: ["), ["YAML"]),
        (("kind: wifi", "kind: gsm"), ["gsm", "busy"]),
        (
            ("busy: 0.3}", "busy: 0.3}\n  - {kind: gsm, parameters: {slots_on: [[1, 2], 0, 1, 1, 1, 1, 1, 1]}}"),
            ["wrong type"],
        ),
        (("cell_id: 88, load: 0.4}", "cell_id: 88}\n  - {kind: nr, parameters: {beams: [[1]]}}"), ["nr", "wrong type"]),
    ],
)
def test_a_scene_file_with_a_mistake_is_refused_by_file_and_name(tmp_path, change, words):
    assert change[0] in WRITTEN_BY_HAND
    path = tmp_path / "wrong.yml"
    path.write_text(WRITTEN_BY_HAND.replace(*change, 1))
    with pytest.raises(ParameterError) as caught:
        Scene.load(path)
    assert all(word in str(caught.value) for word in ["wrong.yml", *words]), str(caught.value)


@pytest.mark.parametrize("content", [b"", b"- 1\n", b"\xff\xfe\x00", b"hello"])
def test_a_file_that_is_no_scene_is_refused(tmp_path, content):
    path = tmp_path / "wrong.yml"
    path.write_bytes(content)
    with pytest.raises(ParameterError, match="wrong.yml"):
        Scene.load(path)


def test_a_missing_scene_file_is_named(tmp_path):
    with pytest.raises(ParameterError, match="none.yml cannot be read"):
        Scene.load(tmp_path / "none.yml")


def test_an_ssb_outside_its_carrier_is_refused_by_name():
    with pytest.raises(ParameterError, match="ssb_offset of NrDownlink is 1100; choose 0..1032"):
        Emission("nr", 0.0, {"bandwidth_hz": 40e6, "subcarrier_spacing": 30e3, "ssb_offset": 1100})


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"duration_s": 0.0105}, "duration_s .* 0.0105.*whole milliseconds"),
        ({"duration_s": 0}, "duration_s .* 0; choose a number from 0.001"),
        ({"sample_rate": 5e5}, "sample_rate .* 500000.0.*1e\\+06 to 1.25e\\+08"),
        ({"sample_rate": float("nan")}, "sample_rate"),
        ({"seed": -1}, "seed .* -1"),
        ({"seed": 1.5}, "seed .* 1.5"),
    ],
)
def test_a_scene_that_cannot_be_is_refused_by_name(arguments, words):
    with pytest.raises(ParameterError, match=words):
        Scene(**{"sample_rate": RATE, **arguments})


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"kind": "umts"}, "umts.*gsm"),
        ({"early_s": 0.002}, "early_s.*0.002.*start_ms"),
        ({"ramp": 1.5}, "ramp.*1.5"),
        ({"offset_hz": "left"}, "offset_hz.*left"),
        ({"parameters": [1]}, "parameters.*mapping"),
        ({"kind": "recorded", "parameters": {"annotation": 0}}, "parameters.*with recording"),
    ],
)
def test_an_emission_that_cannot_be_is_refused_by_name(arguments, words):
    with pytest.raises(ParameterError, match=words):
        Emission(**{"kind": "gsm", **arguments})


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "recorded"])
def test_every_kind_can_be_put_on_the_air_without_parameters(kind):
    assert Scene(RATE, emissions=[Emission(kind)]).emissions[0].kind == kind


def test_a_scene_s_rate_has_to_fit_its_carriers():
    for kind in CARRIERS:
        with pytest.raises(ParameterError, match="sample_rate"):
            Scene(7.681e6, emissions=[Emission(kind)])
    assert Scene(7.681e6, emissions=[Emission("gsm")]).sample_rate == 7.681e6


def test_rounding_keeps_six_digits_and_whole_numbers():
    value = {"a": [1.23456789, 7], "b": {"c": -0.000123456789, "d": None, "e": "1.23456789"}}
    assert rounded(value) == {"a": [1.23457, 7], "b": {"c": -0.000123457, "d": None, "e": "1.23456789"}}


def test_the_same_emissions_can_be_received_in_another_way():
    scene = random_scene("wideband", 8)
    elsewhere = Scene(scene.sample_rate, scene.duration_s, scene.seed, scene.emissions, Reception())
    assert elsewhere.emissions == scene.emissions and elsewhere.reception != scene.reception


def test_kinds_of_others_are_those_there_are():
    assert set(others.KINDS) <= set(KINDS) and not set(others.KINDS) & set(CARRIERS)
