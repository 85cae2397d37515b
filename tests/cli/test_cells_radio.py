# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn cells --device`: the whole program against radios on loopback, at one frequency and through a range."""

import json
import os
import subprocess
import sys

import pytest
from conftest import ROOT
from radio_tools import RtlTcpServer, build_test_device

from rpmsn.synthesis.scene.scene import Emission, PropagationPath, Reception, Scene
from rpmsn.synthesis.scene.writing import Order, write_scenes

pytest.importorskip("gnuradio.gr")

CENTER = 806e6


@pytest.fixture(scope="module")
def soapy(tmp_path_factory):
    """Environment of the test device."""
    folder = tmp_path_factory.mktemp("soapy") / "modules"
    folder.mkdir()
    return build_test_device(folder)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A recording of 0.32 s at 2.4 Msps around `CENTER`: an LTE cell, PCI 123, 300 kHz above it.

    Frame numbers repeat after 0.32 s as the broadcast channel's blocks do, so that it can be repeated.
    """
    pytest.importorskip("osmosdr")
    cell = {"bandwidth_hz": 1.4e6, "cell_id": 123, "frame_number": 600, "load": 0.3}
    reception = Reception([PropagationPath(20.0)])
    made = Scene(2.4e6, 0.32, 1, [Emission("lte", 0.3e6, cell)], reception)
    (meta,) = write_scenes([("cell", made)], Order(tmp_path_factory.mktemp("cell"), CENTER, "ci8"), quiet=True)
    return meta


def command(*arguments):
    return [sys.executable, "-m", "rpmsn.cli", "cells", *map(str, arguments)]


def full(environment):
    return {**os.environ, "PYTHONPATH": str(ROOT / "python"), **(environment or {})}


def run(*arguments, environment=None, timeout=280):
    return subprocess.run(command(*arguments), text=True, capture_output=True, timeout=timeout, env=full(environment))


LTE_ONLY = ("--technology", "LTE", "--gain", 30)


def test_a_cell_on_the_air_is_found_at_a_frequency(scene):
    with RtlTcpServer("--recording", scene, "--shift") as server:
        result = run("--device", server.device, "--frequency", "806M", "--seconds", 0.04, "--json", *LTE_ONLY)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    (cell,) = found["cells"]
    assert (cell["cell_id"], cell["evidence"], cell["band"], cell["earfcn"]) == (123, "broadcast", "20", 6303)
    assert cell["center_frequency"] == pytest.approx(806.3e6, abs=300)
    assert (found["device"], found["captures"], found["complete"]) == (server.device, 1, True)


def test_a_radio_is_tuned_through_a_range(scene):
    with RtlTcpServer("--recording", scene, "--shift") as server:
        result = run("--device", server.device, "--from", "804.5M", "--to", "806.5M", "--seconds", 0.03, *LTE_ONLY)
        server.commands()
        tuned = {line["value"] for line in server.seen if line.get("command") == "frequency"}
    assert result.returncode == 0, result.stderr
    assert "806.3000" in result.stdout and " 123 " in result.stdout and " in 2 pieces" in result.stdout
    assert {804_900_000, 806_100_000} <= tuned


def test_noise_has_no_cell_and_that_is_no_failure(soapy):
    result = run(
        "--device", "driver=rpmsntest", "--frequency", "900M", "--seconds", 0.05, "--json", environment=soapy
    )  # fmt: skip
    assert result.returncode == 0
    assert json.loads(result.stdout)["cells"] == []
    assert "no cell found" in result.stderr and "Traceback" not in result.stderr


def test_a_radio_that_is_unplugged_ends_the_search_with_what_was_found(soapy):
    result = run(
        "--device", "driver=rpmsntest,unplug=0.7", "--from", "925M", "--to", "960M", "--seconds", 0.01, *LTE_ONLY,
        "--json", environment=soapy,
    )  # fmt: skip
    assert result.returncode == 1
    found = json.loads(result.stdout)
    assert found["complete"] is False and found["captures"] >= 1
    assert "has sent nothing for 5 s" in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments, status, said",
    [
        (("--frequency", "9G"), 1, "no frequency of 9000 MHz"),
        (("--frequency", "900M", "--rate", "1M"), 2, "sample_rate of the search is 1000000.0; choose 1.4 Msps or more"),
        (("--from", "960M", "--to", "925M"), 2, "the range is from 960 to 925 MHz"),
        (("--from", "925M"), 2, "--to is missing"),
        (("--from", "2450M", "--to", "2460M"), 2, "no LTE or NR band has its downlink from 2450 to 2460 MHz"),
        (("--from", "6.5G", "--to", "6.52G"), 1, "no frequency of"),
        ((), 2, "a radio needs --frequency, or a range"),
        (("--frequency", "900M", "--from", "925M", "--to", "960M"), 2, "choose one of the two"),
        (("--frequency", "900M", "--at", "1.2G"), 2, "at is 1.2e+09 Hz; choose a frequency from"),
        (("--frequency", "900M", "--technology", "NR"), 1, "cannot be searched in 2.4 Msps"),
    ],
)
def test_wrong_use_is_a_sentence(soapy, arguments, status, said):
    result = run("--device", "driver=rpmsntest", *arguments, environment=soapy)
    assert (result.returncode, said in result.stderr) == (status, True), result.stderr
    assert "Traceback" not in result.stderr and result.stdout == ""


def test_a_device_that_is_not_there_is_a_sentence(soapy):
    result = run("--device", "driver=rpmsnnone", "--frequency", "900M", environment=soapy)
    assert result.returncode == 1 and "driver=rpmsnnone cannot be opened" in result.stderr
    assert "Traceback" not in result.stderr
