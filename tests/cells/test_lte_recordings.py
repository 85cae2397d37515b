# SPDX-License-Identifier: GPL-3.0-or-later
"""Cells in recordings from other encoders and radios, and none where there are none."""

import json

import numpy as np
import pytest
from conftest import ROOT

from rpmsn.cells.cell import BROADCAST
from rpmsn.cells.lte import find_cells

CELLS = [
    ("lte5_full_mcs10", 122, 25, "FDD", 0),
    ("lte10_var", 88, 50, "FDD", 0),
    ("lte20_enb_idle", 65, 100, "FDD", 0),
    ("ota_lte15_1867.5MHz", 54, 75, "FDD", 26e3),
    ("ota_lte20_1815.3MHz", 301, 100, "FDD", 14e3),
    ("ota_lte20_tdd_2360MHz", 30, 100, "TDD", 31e3),
    ("ota_rtlsdr_lte_1860MHz", 142, 100, "FDD", -43e3),
    ("hackrf_lte20_tdd_2360_hidden", 363, 100, "TDD", 31e3),
    ("rtl_lte10_816", 57, 50, "FDD", -50e3),
    ("rtl_lte20_1815", 261, 100, "FDD", -66e3),
]
WEAK, TWO_ALIKE = "ota_rtlsdr_lte_1860MHz", "rtl_lte20_1815"
WITHOUT = [
    "nr20_fdd15_load60",
    "nr40_tdd30_load20",
    "nr40_30_radiossb_ssb",
    "ota_noise_2646MHz",
    "ota_nr20_n78_lab",
    "ota_nr40_n78_lab",
    "gsm_4M_941",
    "ota_nr20_n3_fdd",
    "ota_nr_n78_3619_a",
    "rtl_lte_edge_nbiot_821",
    "rtl_lte_gap_811",
    "rtl_noise_826",
    "wifi_80211a_bursts_2462",
    "wmbus_2M4_868",
]
TYPES = {"ci8": (np.int8, 0, 128), "cu8": (np.uint8, 127.5, 128), "ci16_le": ("<i2", 0, 32768)}


def read(name):
    """Samples, sample rate and centre frequency (None where it is not said) of a recording."""
    for folder in ("captures", "receptions"):
        path = ROOT.parent / "shared" / folder / f"{name}.sigmf-meta"
        if path.is_file():
            break
    else:
        pytest.skip(f"no recording {name}")
    meta = json.loads(path.read_text())
    kind, zero, scale = TYPES[meta["global"]["core:datatype"]]
    values = np.fromfile(path.with_suffix(".sigmf-data"), kind).astype(np.float32)
    samples = ((values - np.float32(zero)) / np.float32(scale)).view(np.complex64)
    return samples, meta["global"]["core:sample_rate"], meta["captures"][0].get("core:frequency") or None


@pytest.mark.parametrize("name, cell_id, n_rb, duplex, frequency", CELLS)
def test_the_cell_of_a_recording_is_proven_by_its_broadcast_channel(name, cell_id, n_rb, duplex, frequency):
    samples, rate, center = read(name)
    cells = {cell.cell_id: cell for cell in find_cells(samples, rate, [0.0], center_frequency=center)}
    cell = cells[cell_id]
    assert (cell.evidence, cell.mib["dl-Bandwidth"], cell.duplex) == (BROADCAST, n_rb, duplex)
    assert cell.frames >= 2
    assert cell.frequency == pytest.approx(frequency, abs=2e3)
    # What else is found is another cell of the same network: on the same frequency, with the same bandwidth.
    for other in cells.values():
        assert other.frequency == pytest.approx(cell.frequency, abs=1e3)
        assert other.mib.get("dl-Bandwidth", n_rb) == n_rb


@pytest.mark.parametrize("name", WITHOUT)
def test_a_recording_without_a_cell_in_the_middle_proves_none(name):
    samples, rate, center = read(name)
    assert find_cells(samples, rate, [0.0], center_frequency=center) == []


def test_a_weak_cell_is_found_with_the_one_that_hides_it():
    """Two sectors of one site: the same frame number at the same time."""
    samples, rate, center = read("rtl_lte20_1815")
    cells = {cell.cell_id: cell for cell in find_cells(samples, rate, [0.0], center_frequency=center)}
    assert cells[261].mib["systemFrameNumber"] == cells[263].mib["systemFrameNumber"] == 600
    assert cells[261].start_s == pytest.approx(cells[263].start_s, abs=3e-6)


@pytest.mark.parametrize("start_ms", [0.0, 2.0, 4.3, 7.0])
@pytest.mark.parametrize("name, cell_id", [one[:2] for one in CELLS if one[0] not in (WEAK, TWO_ALIKE)])
def test_20_ms_are_enough_wherever_they_begin(name, cell_id, start_ms):
    samples, rate, center = read(name)
    part = samples[round(start_ms * 1e-3 * rate) :][: round(0.02 * rate)]
    cells = find_cells(part, rate, [0.0], center_frequency=center)
    assert (cells[0].cell_id, cells[0].evidence) == (cell_id, BROADCAST)
