# SPDX-License-Identifier: GPL-3.0-or-later
"""Cells of a recording: where they are looked for, which channel they may be, and what cannot be searched."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from nr_signals import nr_cell
from test_lte_narrowband import carrier

from rpmsn.cells import scan as scanning
from rpmsn.cells.cell import BROADCAST, SYNC, Cell
from rpmsn.cells.channels import channel_of, channel_of_carrier
from rpmsn.cells.scan import MOST_SAMPLES, FoundCell, scan_recording
from rpmsn.errors import ParameterError, RecordingError
from rpmsn.recording import Capture, open_recording
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.lte.downlink import LteDownlink

RATE, NR_RATE = 1.92e6, 5.76e6


@dataclass
class Samples:
    """A recording in memory; `lengths` of the captures, the last one has the rest."""

    samples: np.ndarray
    sample_rate: float = RATE
    center_frequency: float | None = None
    starts: tuple[int, ...] = (0,)
    read_calls: list = field(default_factory=list)
    captures_given: list = field(default_factory=list)

    @property
    def sample_count(self):
        return len(self.samples)

    @property
    def captures(self):
        return self.captures_given or [Capture(start, self.center_frequency) for start in self.starts]

    def read(self, start, count):
        self.read_calls.append((start, count))
        return self.samples[start : start + count]


def with_noise(samples, power=0.3, seed=2):
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((len(samples), 2)).astype(np.float32).view(np.complex64)[:, 0]
    return (samples + noise * np.float32(np.sqrt(power / 2))).astype(np.complex64)


def lte_cell(cell_id=77, n_ms=40, offset=0.0, rate=RATE, **more):
    more = {"bandwidth_hz": 1.4e6, "frame_number": 600, **more}
    samples = ofdm.modulate(LteDownlink(cell_id=cell_id, **more).grid(n_ms, np.random.default_rng(1)), rate)
    return with_noise(samples * np.exp(2j * np.pi * offset / rate * np.arange(len(samples))))


@pytest.fixture(scope="module")
def nr():
    """Samples of an NR cell, PCI 500, at NR_RATE, and its SS/PBCH block's frequency."""
    samples, frequency, _ = nr_cell(spacing=15e3, duration_ms=25, sample_rate=NR_RATE)
    return with_noise(samples * np.float32(1 / np.abs(samples).std())), frequency


def test_an_lte_cell_at_the_centre_is_found_with_band_channel_and_offset():
    scan = scan_recording(Samples(lte_cell(offset=14e3), center_frequency=1815.3e6))
    (found,) = scan.cells
    assert (found.cell.cell_id, found.cell.evidence, found.cell.technology) == (77, BROADCAST, "LTE")
    assert found.frequency == pytest.approx(1815.314e6, abs=200)
    assert found.offset == pytest.approx(14e3, abs=200)
    assert (found.channel.band, found.channel.earfcns, found.duplex) == ("3", (1303,), "FDD")
    assert found.cell.channel_bandwidth == 1.4e6 and found.cell.mib["systemFrameNumber"] == 600


def test_without_a_centre_frequency_there_is_no_band():
    (found,) = scan_recording(Samples(lte_cell())).cells
    assert found.channel is None and abs(found.frequency) < 200


@pytest.mark.parametrize("center", [0.0, None, -5.0])
def test_a_baseband_has_no_centre_frequency(center):
    scan = scan_recording(Samples(lte_cell(n_ms=20), center_frequency=center), technologies=["LTE"])
    assert scan.center_frequency is None and scan.cells[0].channel is None


@pytest.mark.parametrize("center", [None, 2120e6])
def test_a_cell_beside_the_centre_is_found_by_itself_and_where_the_user_names_it(center):
    recording = Samples(lte_cell(offset=700e3, rate=3.84e6), 3.84e6, center)
    (found,) = scan_recording(recording, technologies=["LTE"]).cells
    assert (found.cell.cell_id, found.cell.evidence) == (77, BROADCAST)
    (found,) = scan_recording(recording, at=[(center or 0) + 690e3], technologies=["LTE"]).cells
    assert found.cell.cell_id == 77 and found.place_offset == pytest.approx(10e3, abs=200)
    assert found.offset == pytest.approx(10e3 if center is None else 0, abs=200)


def test_everywhere_finds_a_cell_that_nobody_named():
    scan = scan_recording(
        Samples(lte_cell(offset=-430e3, rate=2.4e6), 2.4e6, 2120e6), everywhere=True, technologies=["LTE"]
    )
    (found,) = scan.cells
    assert found.offset is None and found.frequency == pytest.approx(2119.57e6, abs=200)
    assert scan.searched == ["LTE everywhere"]


def test_an_nr_cell_is_found_on_the_raster_of_the_bands_in_view(nr):
    samples, frequency = nr
    center = 3426.24e6 - frequency  # GSCN 7795
    scan = scan_recording(Samples(samples, NR_RATE, center), technologies=["NR"])
    (found,) = scan.cells
    assert (found.cell.cell_id, found.cell.evidence) == (500, BROADCAST)
    assert (found.channel.gscn, found.channel.nr_arfcn) == (7795, 628416)
    assert (found.channel.band, found.duplex) == ("n77, n78", "TDD")
    assert abs(found.offset) < 500


def test_an_nr_cell_off_the_raster_is_found_and_has_no_number(nr):
    samples, frequency = nr
    recording = Samples(samples, NR_RATE, 3426.9e6 - frequency)
    (found,) = scan_recording(recording, technologies=["NR"]).cells
    assert found.cell.cell_id == 500 and found.channel.gscn is None and found.offset is None
    (named,) = scan_recording(recording, at=[3426.9e6], technologies=["NR"]).cells
    assert named.cell.cell_id == 500 and named.channel.gscn is None
    scan = scan_recording(recording, at=[3426.9e6], everywhere=True, technologies=["NR"])
    (both,) = scan.cells
    assert both.offset is not None and len(scan.searched) == 2


def test_nr_is_found_without_a_centre_frequency(nr):
    samples, frequency = nr
    (found,) = scan_recording(Samples(samples, NR_RATE), technologies=["NR"]).cells
    assert (found.cell.cell_id, found.cell.evidence, found.channel) == (500, BROADCAST, None)
    assert found.frequency == pytest.approx(frequency, abs=500)


def test_an_nb_iot_carrier_between_two_places_that_are_searched_is_one():
    samples = carrier(88, 8) * np.exp(-2j * np.pi * 345e3 / RATE * np.arange(8 * 19200))
    recording = Samples(with_noise(samples, 1.0), center_frequency=821e6)
    scan = scan_recording(recording, at=[820.6e6, 820.7e6], technologies=["NB-IoT"])
    (found,) = scan.cells
    assert (found.cell.cell_id, found.cell.evidence, found.channel.band) == (88, SYNC, "20")
    assert found.frequency == pytest.approx(820.655e6, abs=100)


def test_no_more_of_a_recording_is_read_than_asked_for():
    recording = Samples(lte_cell(n_ms=60))
    scan = scan_recording(recording, 0.02)
    assert recording.read_calls == [(0, 38400)] and scan.seconds == 0.02
    huge = Samples(np.zeros(1, np.complex64), 40e6)
    huge.samples = np.broadcast_to(np.zeros(1, np.complex64), 1 << 30)
    huge.read = lambda start, count: huge.read_calls.append((start, count)) or np.zeros(1000, np.complex64)
    scan = scan_recording(huge, 2.0, technologies=["LTE"])
    assert huge.read_calls == [(0, MOST_SAMPLES)]
    assert any("more does not fit in memory" in warning for warning in scan.warnings)


def test_every_capture_is_searched():
    samples = np.concatenate([with_noise(np.zeros(3000)), lte_cell(), lte_cell(78)])
    scan = scan_recording(Samples(samples, starts=(0, 3000, 79800)), technologies=["LTE"])
    assert [found.cell.cell_id for found in scan.cells] == [77, 78]
    assert [found.start_s for found in scan.cells] == [3000 / RATE, 79800 / RATE]
    assert (scan.captures, scan.start_s, scan.seconds) == (3, 0, len(samples) / RATE)


def test_of_many_captures_the_longest_of_each_frequency_come_first(monkeypatch):
    monkeypatch.setattr(scanning, "MOST_SAMPLES", 3000)
    recording = Samples(np.zeros(6000, np.complex64), starts=(0, 1000, 3000, 4500))
    frequencies = (900e6, 900e6, 900e6, 950e6)
    recording.captures_given = [Capture(*one) for one in zip(recording.starts, frequencies)]
    scan = scan_recording(recording, 0.02, technologies=["LTE"])
    assert recording.read_calls == [(1000, 2000)] or recording.read_calls == [(1000, 2000), (4500, 1000)]
    assert "of 4 captures are searched, of every frequency the longest first" in " ".join(scan.warnings)


def test_values_that_are_not_finite_are_silence_and_named():
    samples = lte_cell(n_ms=60)
    samples[::10007] = np.nan
    samples[5] = complex(0, np.inf)
    scan = scan_recording(Samples(samples))
    assert [found.cell.cell_id for found in scan.cells] == [77]
    assert any("13 of 115200 samples are not finite" in warning for warning in scan.warnings)
    assert scan_recording(Samples(np.full(100000, np.nan, np.complex64))).cells == []


@pytest.mark.parametrize("samples", [with_noise(np.zeros(76800)), lte_cell(n_ms=3), np.zeros(100, np.complex64)])
def test_noise_and_three_milliseconds_prove_no_cell_that_is_not_there(samples):
    scan = scan_recording(Samples(samples, center_frequency=2120e6), everywhere=True)
    assert {found.cell.cell_id for found in scan.cells} <= {77}


def test_what_a_rate_does_not_hold_is_one_warning():
    (warning,) = scan_recording(Samples(np.zeros(9000, np.complex64))).warnings
    assert warning == (
        "NR with SS/PBCH blocks of 3.6 and 7.2 MHz (15 and 30 kHz subcarriers) cannot be searched in 1.92 Msps"
    )
    (warning,) = scan_recording(Samples(np.zeros(9000, np.complex64), 3.84e6)).warnings
    assert "blocks of 7.2 MHz (30 kHz" in warning


@pytest.mark.parametrize(
    "given, error, message",
    [
        (dict(at=[5e6]), ParameterError, "at is 5e[+]06 Hz; choose a frequency from -0.96 to 0.96 MHz"),
        (dict(seconds=0), ParameterError, "seconds is 0; choose above 0 to 2"),
        (dict(seconds=float("nan")), ParameterError, "seconds is nan"),
        (dict(technologies=["UMTS"]), ParameterError, "technology is 'UMTS'; choose one of LTE, NR, NB-IoT"),
        (dict(technologies=["NR"]), RecordingError, "nothing can be searched: NR with SS/PBCH blocks of 3.6 and 7.2"),
        (dict(at=[0.9e6]), RecordingError, "LTE is not searched at 1 of the places given: its signals are 0.96 MHz"),
    ],
)
def test_what_cannot_be_searched_is_said(given, error, message):
    with pytest.raises(error, match=message):
        scan_recording(Samples(np.zeros(9000, np.complex64)), **given)


def test_a_rate_below_every_technology_is_an_error_and_no_empty_band():
    with pytest.raises(RecordingError, match="LTE needs 1.4 Msps or more; the recording has 1;"):
        scan_recording(Samples(np.zeros(9000, np.complex64), 1e6))


def test_a_span_in_which_no_band_is_defined_is_said_and_searched():
    scan = scan_recording(Samples(np.zeros(9000, np.complex64), 7.68e6, 2450e6))
    assert any("no LTE or NR band is defined from 2446.16 to 2453.84 MHz" in warning for warning in scan.warnings)
    assert scan.searched and scan.captures == 1


def test_a_cell_is_named_once_also_where_a_gap_moves_its_frames():
    samples = lte_cell(n_ms=80)
    cut = np.concatenate([samples[:60000], samples[80000:]])
    scan = scan_recording(Samples(cut, center_frequency=2120e6), technologies=["LTE"])
    assert [found.cell.cell_id for found in scan.cells] == [77]


class TestGhosts:
    proven = Cell("LTE", 123, BROADCAST, 0.3e6, snr_db=15.7)

    def merged(self, **other):
        ghost = Cell(
            **{"technology": "LTE", "cell_id": 131, "evidence": SYNC, "frequency": 359e3, "snr_db": -6.2, **other}
        )
        cells = [FoundCell(cell, 806e6, None) for cell in (ghost, self.proven)]
        return {found.cell.cell_id for found in scanning._merged(cells[:1], cells[1:])}

    def test_what_a_proven_cell_s_pss_looks_like_beside_it_is_no_cell(self):
        assert self.merged() == {123}

    @pytest.mark.parametrize("snr_db, names", [(5.0, {123}), (6.0, {123, 131})])
    def test_without_a_proof_what_is_much_weaker_than_a_cell_beside_it_is_none(self, monkeypatch, snr_db, names):
        monkeypatch.setattr(TestGhosts, "proven", replace(self.proven, evidence=SYNC))
        assert self.merged(snr_db=snr_db) == names

    @pytest.mark.parametrize(
        "other", [{"evidence": BROADCAST}, {"frequency": 0.3e6}, {"frequency": 1.7e6}, {"snr_db": 20.0}]
    )
    def test_others_stay(self, other):
        assert self.merged(**other) == {123, 131}


class TestChannel:
    def lte(self, frequency=0.0, duplex="FDD", technology="LTE"):
        return Cell(technology, 1, SYNC, frequency, duplex=duplex)

    def test_every_band_that_fits_has_its_number(self):
        channel = channel_of(self.lte(), 1867.5e6)
        assert (channel.band, channel.earfcns) == ("3, 9", (1825, 4026))

    def test_the_duplex_of_the_cell_excludes_bands(self):
        assert channel_of(self.lte(duplex="TDD"), 2360e6).band == "40"
        assert channel_of(self.lte(duplex="FDD"), 2355e6).band == "30"
        assert channel_of(self.lte(duplex=None), 2355e6).duplex is None

    @pytest.mark.parametrize("error, is_clear", [(24e3, True), (-24e3, True), (34e3, False), (-50e3, False)])
    def test_a_frequency_between_two_places_of_the_raster_has_no_number(self, error, is_clear):
        assert channel_of(self.lte(error), 1815e6).earfcns == ((1300,) if is_clear else ())

    def test_a_block_beside_the_raster_has_no_number(self):
        assert channel_of(Cell("NR", 0, SYNC, 66.0), 3427.5e6).gscn is None  # 180 kHz below GSCN 7796
        assert channel_of(Cell("NR", 0, SYNC, -2.4e3), 3619.2e6).gscn == 7929

    def test_an_unassigned_frequency_has_no_band_and_no_number(self):
        channel = channel_of(self.lte(), 2462e6)
        assert (channel.band, channel.earfcns, channel.duplex) == ("", (), None)
        assert channel_of(Cell("NR", 1, SYNC, 0.0), 2462e6).gscn is None

    def test_an_nb_iot_carrier_has_a_band_and_no_number(self):
        channel = channel_of(self.lte(-345e3, None, "NB-IoT"), 821e6)
        assert (channel.band, channel.earfcns, channel.duplex) == ("20", (), "FDD")


@pytest.mark.parametrize(
    "name, cell_id, band, number",
    [("ota_lte20_1815.3MHz", 301, "3", "earfcn"), ("ota_nr20_n78_lab", 500, "n78", "gscn")],
)
def test_the_cell_of_a_recording(captures, name, cell_id, band, number):
    with open_recording(captures / f"{name}.sigmf-meta") as recording:
        technology = "LTE" if number == "earfcn" else "NR"
        (found,) = scan_recording(recording, technologies=[technology]).cells
    assert (found.cell.cell_id, found.cell.evidence, found.channel.band) == (cell_id, BROADCAST, band)
    assert found.channel.earfcns == (1303,) if number == "earfcn" else found.channel.gscn == 7795


class TestChannelOfACarrier:
    def test_all_bands_that_fit_are_named_and_no_number_is_given(self):
        channel = channel_of_carrier(3590e6, 3690e6, "NR")
        assert (channel.band, channel.duplex, channel.nr_arfcn, channel.gscn) == ("n48, n77, n78", "TDD", None, None)
        assert channel_of_carrier(1860e6, 1875e6, "LTE").band == "3, 9, 35"

    def test_a_band_without_so_wide_a_channel_does_not_fit(self):
        assert channel_of_carrier(935.5e6, 944.5e6, "LTE").band == "8"
        assert channel_of_carrier(926e6, 944e6, "LTE").band == ""

    def test_a_carrier_of_an_uplink_has_the_bands_of_that_uplink(self):
        assert channel_of_carrier(1710e6, 1730e6, "LTE").band == "3, 4, 10, 66"

    def test_the_duplex_excludes_bands(self):
        assert channel_of_carrier(2350e6, 2360e6, "LTE", "TDD").band == "40"
