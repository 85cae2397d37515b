# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn cells`: what it prints, and its exit status with good and bad input."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT
from limits import PROCESS_S
from nr_signals import nr_cell

from rpmsn.cells.cell import BROADCAST, Cell
from rpmsn.cells.scan import DEFAULT_SECONDS, LONGEST_SECONDS, TECHNOLOGIES, CellScan, FoundCell, Scan
from rpmsn.cli import cells as command
from rpmsn.cli import options as given
from rpmsn.cli.main import main
from rpmsn.interrupts import Interrupted
from rpmsn.messages.fields import FIELDS
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.lte.downlink import LteDownlink

RATE, NR_RATE = 1.92e6, 5.76e6
KNOWN = ("--center-frequency", "2360M")
OWN = {
    "technology", "frequency_offset", "frequency_offset_ppm", "earfcns", "subcarrier_spacing", "extended_prefix",
    "ssb_index", "start_s", "frames", "mib",
}  # fmt: skip
"""Keys of a cell in JSON that messages do not have."""


@pytest.fixture(scope="module")
def lte(tmp_path_factory):
    """Path of a raw recording of an LTE cell, PCI 301, TDD, 14 kHz above the centre."""
    cell = LteDownlink(1.4e6, cell_id=301, tdd_config=2, frame_number=600)
    samples = ofdm.modulate(cell.grid(40, np.random.default_rng(1)), RATE)
    samples = samples * np.exp(2j * np.pi * 14e3 / RATE * np.arange(len(samples)))
    path = tmp_path_factory.mktemp("cells") / "cell.cf32"
    noise = np.random.default_rng(2).standard_normal((len(samples), 2)) @ [0.3, 0.3j]
    (samples + noise).astype(np.complex64).tofile(path)
    return path


def cells(path, *arguments):
    return main(["cells", str(path), "--format", "cf32", "--sample-rate", "1.92M", "--quiet", *arguments])


def written(path, samples):
    np.asarray(samples, np.complex64).tofile(path)
    return path


def written_raw(path, values):
    values.tofile(path)
    return path


def test_a_cell_is_a_row_of_facts(lte, capsys):
    assert cells(lte, "--center-frequency", "2360M") == 0
    out, err = capsys.readouterr()
    header, row, searched = out.splitlines()
    assert header.split("  ")[0] == "technology"
    assert row.split() == [
        "LTE", "301", "broadcast", "2360.0140", "+14.0", "+5.9", "40", "EARFCN", "39250", "1.4", "TDD",
        row.split()[11],
        "SFN", "600,", "6", "RB,", "2", "ports",
    ]  # fmt: skip
    assert 3 < float(row.split()[11]) < 15
    assert searched == "Searched 0.04 s from 0 s on: LTE everywhere."
    assert "NR with SS/PBCH blocks of 3.6 and 7.2 MHz" in err and len(err.splitlines()) == 1


def test_json_has_the_names_of_messages_and_nothing_that_is_not_known(lte, capsys):
    assert cells(lte, "--center-frequency", "2360M", "--technology", "LTE", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    (cell,) = result["cells"]
    assert set(cell) <= OWN | set(FIELDS)
    assert cell["center_frequency"] == pytest.approx(2360.014e6, abs=200)
    known = {name: cell[name] for name in ("cell_id", "evidence", "band", "earfcn", "duplex", "channel_bandwidth")}
    assert known == {
        "cell_id": 301, "evidence": "broadcast", "band": "40", "earfcn": 39250, "duplex": "TDD",
        "channel_bandwidth": 1.4e6,
    }  # fmt: skip
    assert cell["mib"]["systemFrameNumber"] == 600
    assert "gscn" not in cell and result["searched"] and result["warnings"] == []
    assert cells(lte, "--technology", "LTE", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["center_frequency"] is None and "band" not in result["cells"][0]
    assert result["cells"][0]["center_frequency"] == pytest.approx(14e3, abs=200)


def test_a_place_is_absolute_where_the_centre_is_known_and_else_relative(lte, capsys):
    """Where it is, the offset is from the raster, else from the place."""
    known = ["--center-frequency", "2360M"]
    for place, more, offset in (("--at=-10k", [], "+24.0"), ("--at=2359.99M", known, "+14.0")):
        assert cells(lte, place, "--technology", "LTE", *more) == 0
        assert offset in capsys.readouterr().out
    assert cells(lte, "--at", "3M") == 2
    assert "at is 3e+06 Hz; choose a frequency from -0.96 to 0.96 MHz" in capsys.readouterr().err


def test_an_nr_cell_and_several_bands_are_written_out(tmp_path):
    mib = {"systemFrameNumber": 12, "ssb-SubcarrierOffset": 6, "controlResourceSetZero": 3, "cellBarred": True}
    nr = Cell("NR", 500, BROADCAST, -1.26e6, 100.0, mib=mib, block_index=0, subcarrier_spacing=30e3, snr_db=24.7)
    lte = Cell("LTE", 54, BROADCAST, 0.0, duplex="FDD", channel_bandwidth=15e6)
    scan = Scan(0, 0.2, 1e7, 3427.5e6, [FoundCell(nr, 3427.5e6, 100.0), FoundCell(lte, 1867.5e6, None)], ["NR"])
    _, first, second, _ = command.as_text(scan).splitlines()
    assert "3426.2400" in first and "n77, n78" in first and "GSCN 7795, ARFCN 628416" in first
    assert "SFN 12, k_SSB 6, CORESET 0: 3, barred" in first and " TDD " in first
    assert "EARFCN 1825, 4026" in second and "3, 9" in second and second.endswith(" -")
    values = [command._cell(found) for found in scan.cells]
    assert values[0]["ssb_frequency"] == 3426.24e6 and values[0]["gscn"] == 7795 and values[0]["nr_arfcn"] == 628416
    assert values[1]["earfcns"] == {"3": 1825, "9": 4026} and "earfcn" not in values[1]
    assert all(set(value) <= OWN | set(FIELDS) for value in values)


@pytest.mark.parametrize(
    "samples", [np.zeros(200), np.full(9600, np.nan), np.zeros(int(0.003 * RATE)), np.zeros(9600) + 0.5]
)
def test_input_without_a_cell_is_no_cell_and_says_what_was_searched(samples, tmp_path, capsys):
    assert cells(written(tmp_path / "no.cf32", samples), "--technology", "LTE") == 0
    assert capsys.readouterr().out.startswith("No cell found. Searched ")


def test_input_that_cannot_be_searched_is_an_error(lte, tmp_path, capsys):
    assert cells(tmp_path / "missing.cf32") == 1
    assert "missing.cf32" in capsys.readouterr().err
    assert cells(written(tmp_path / "empty.cf32", [])) == 1
    assert "holds no samples" in capsys.readouterr().err
    assert cells(lte, "--sample-rate", "1M") == 1
    assert "nothing can be searched: LTE needs 1.4 Msps or more; the recording has 1" in capsys.readouterr().err


@pytest.mark.parametrize("option", [("--seconds", "3"), ("--seconds", "0"), ("--at", "x"), ("--technology", "UMTS")])
def test_wrong_use_ends_with_status_2(lte, option, capsys):
    with pytest.raises(SystemExit) as stop:
        cells(lte, *option)
    assert stop.value.code == 2 and f"argument {option[0]}" in capsys.readouterr().err


def test_json_is_written_also_where_there_is_no_cell(tmp_path, capsys):
    assert cells(written(tmp_path / "no.cf32", np.zeros(9600)), "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["cells"] == [] and "no cell found; searched 0.005 s from 0 s on: LTE everywhere." in err


def test_ctrl_c_prints_what_is_found_so_far(lte, monkeypatch, capsys):
    search = CellScan.search

    def search_and_be_stopped(self, *arguments):
        search(self, *arguments)
        raise Interrupted(signal.SIGINT)

    monkeypatch.setattr(CellScan, "search", search_and_be_stopped)
    assert cells(lte, "--json", "--technology", "LTE") == 130
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [cell["cell_id"] for cell in found["cells"]] == [301] and found["complete"] is False
    assert "stopped by the keyboard; what was found until then is above" in err


@pytest.mark.parametrize(
    "more, said",
    [
        (("--from", "2359M"), "--to is missing; a range needs both ends"),
        (("--from", "2361M", "--to", "2359M"), "the range is from 2361 to 2359 MHz; choose two frequencies of which"),
        (("--from", "1800M", "--to", "1900M"), "and the recording has 2359.04 to 2360.96 MHz; choose a range in it"),
        (("--from", "2359M", "--to", "2361M", "--at", "2360M"), "choose one of the two"),
        (("--device", "driver=rtlsdr"), "one source is needed, RECORDING or --device"),
        (("--frequency", "900M"), "--frequency is a radio's"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_use(lte, more, said, capsys):
    assert cells(lte, "--center-frequency", "2360M", *more) == 2
    out, err = capsys.readouterr()
    assert said in err and out == ""


def test_a_range_needs_to_know_where_the_recording_is(lte, capsys):
    assert cells(lte, "--from", "2359M", "--to", "2361M") == 2
    assert "a range needs the recording's centre frequency" in capsys.readouterr().err
    assert main(["cells"]) == 2
    assert "one source is needed, RECORDING or --device, and neither is given" in capsys.readouterr().err


def test_a_range_limits_what_is_found(lte, capsys):
    where = ("--center-frequency", "2360M", "--technology", "LTE")
    assert cells(lte, *where, "--from", "2359.9M", "--to", "2360.1M") == 0
    assert " 301 " in capsys.readouterr().out
    assert cells(lte, *where, "--from", "2360.3M", "--to", "2360.9M") == 0
    assert "No cell found." in capsys.readouterr().out


def test_the_options_have_the_limits_and_defaults_of_the_scan():
    assert (given.scan_seconds.highest, command.TECHNOLOGIES) == (LONGEST_SECONDS, TECHNOLOGIES)
    assert given.DEFAULT_SCAN_SECONDS == DEFAULT_SECONDS


def test_the_parser_loads_no_search():
    code = "import sys; from rpmsn.cli.main import build_parser; build_parser(); print('rpmsn.cells' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=PROCESS_S
    )
    assert result.stdout.strip() == "False", result.stderr


def nr_samples(duration_ms=25):
    """An NR cell, PCI 500, 15 kHz, at 5.76 Msps."""
    samples, _, _ = nr_cell(spacing=15e3, duration_ms=duration_ms, sample_rate=NR_RATE)
    noise = np.random.default_rng(3).standard_normal((len(samples), 2)) @ [1, 1j]
    return (samples + 0.2 * samples.std() * noise).astype(np.complex64)


class TestBadInput:
    """A sentence or nothing, never a wrong proof: what is proven is the cell that is there."""

    @pytest.fixture
    def proven(self, capsys):
        """Function: identities of the proven cells of a file, and what is said on stderr."""

        def search(path, rate, *more, status=0):
            arguments = ["cells", str(path), "--format", "cf32", "--sample-rate", str(rate), "--quiet", "--json"]
            assert main([*arguments, *more]) == status
            out, err = capsys.readouterr()
            found = json.loads(out)["cells"] if status == 0 else []
            return {cell["cell_id"] for cell in found if cell["evidence"] == "broadcast"}, err

        return search

    def test_half_an_ss_pbch_block_proves_nothing(self, proven, tmp_path):
        samples = nr_samples(2)
        block = round(4 * NR_RATE / 14e3)  # of a millisecond with 14 symbols
        for cut in (samples[: round(6 * NR_RATE / 14e3) - block // 2], samples[block:]):
            assert proven(written(tmp_path / "half.cf32", cut), NR_RATE)[0] == set()

    def test_a_gap_in_the_middle_takes_nothing_from_what_is_left(self, proven, lte, tmp_path):
        samples = np.fromfile(lte, np.complex64)
        rest = np.concatenate([samples[: len(samples) // 3], samples[len(samples) // 2 + 1234 :]])
        assert proven(written(tmp_path / "gap.cf32", rest), RATE, *KNOWN)[0] <= {301}
        silent = samples.copy()
        silent[20000:40000] = 0
        assert proven(written(tmp_path / "gap.cf32", silent), RATE, *KNOWN)[0] <= {301}

    def test_not_a_number_is_silence(self, proven, lte, tmp_path):
        samples = np.fromfile(lte, np.complex64)
        samples[::5003] = np.nan
        found, said = proven(written(tmp_path / "nan.cf32", samples), RATE, *KNOWN)
        assert found == {301} and "are not finite (NaN or infinity) and count as silence" in said

    def test_a_wrong_centre_frequency_is_said_where_no_band_is(self, proven, lte):
        found, said = proven(lte, RATE, "--center-frequency", "2450M")
        assert found == {301} and "no LTE or NR band is defined from 2449.04 to 2450.96 MHz" in said

    def test_a_wrong_sample_rate_proves_nothing(self, proven, lte):
        assert proven(lte, 2.4e6, *KNOWN)[0] == set()

    def test_real_samples_read_as_complex_prove_nothing(self, proven, lte, tmp_path):
        samples = np.fromfile(lte, np.complex64).real.astype(np.float32)
        assert proven(written_raw(tmp_path / "real.cf32", samples), RATE, *KNOWN)[0] == set()

    def test_a_rate_below_every_signal_is_an_error(self, proven, lte):
        said = proven(lte, 1.2e6, status=1)[1]
        assert "nothing can be searched: LTE needs 1.4 Msps or more; the recording has 1.2" in said

    def test_real_samples_are_half_as_many_complex_ones(self, lte, capsys):
        assert main(["cells", str(lte), "--format", "rf32", "--sample-rate", "1.92M"]) == 1
        assert "LTE needs 1.4 Msps or more; the recording has 0.96" in capsys.readouterr().err
