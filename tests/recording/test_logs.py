# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs of what is found: formats, rotation, whole files after a kill and on a full disk."""

import csv
import datetime as dt
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sigmf
from limits import HANG_S, PROCESS_S
from small_disk import child_environment, run_on_small_disk

from rpmsn.detection.segmenter import Frame
from rpmsn.detection.segments import FrameGeometry, Segment
from rpmsn.errors import ParameterError, RecordingError
from rpmsn.messages import keys
from rpmsn.recording import log_sigmf, log_text
from rpmsn.recording.logs import open_log
from rpmsn.streaming.intake import StreamTime
from rpmsn.tracking.tracker import Event, Tracker

RATE = 1e6
FRAME = 40_000
CLOCK = StreamTime(0, 1_716_000_000, 0.25, RATE, "radio")
TEXT = ("jsonl", "csv")
WAIT = HANG_S
ENDINGS = {"jsonl": ".jsonl", "csv": ".csv", "sigmf": ".sigmf-meta"}
HERE = Path(__file__).parent


@dataclass
class FakeCarrier:
    """What a log reads of a carrier."""

    carrier_id: int
    sample_start: int = 0
    sample_end: int = FRAME
    label: str = "LTE"
    class_id: int = 1
    freq_lower: float = 99.8e6
    freq_upper: float = 100.2e6
    confidence: float = 0.9
    snr_db: float = 21.0
    pwr_db: float = -30.5
    sample_rate: float = RATE
    center_frequency: float = 100e6
    bandwidth: float = 0.4e6
    verdict: str = "likely"
    evidence: str = "network"
    cut_lower: bool = False
    cut_upper: bool = True

    @property
    def duration(self):
        return (self.sample_end - self.sample_start) / self.sample_rate


@dataclass
class Station:
    """Drives a log as the analysis does: one carrier, one segment a frame."""

    log: object
    clock: StreamTime = CLOCK
    health: str = "ok"
    rate: float = RATE
    center_frequency: float = 100e6
    frame: int = 0
    carriers: dict = field(default_factory=dict)

    def geometry(self):
        return FrameGeometry(self.rate, self.center_frequency, self.frame * FRAME, FRAME, 256)

    def hear(self, carrier_id=1, **changes):
        """One frame with a segment of a carrier."""
        start, end = self.frame * FRAME, (self.frame + 1) * FRAME
        kind = "update" if carrier_id in self.carriers else "new"
        carrier = self.carriers.setdefault(carrier_id, FakeCarrier(carrier_id, sample_start=start))
        carrier.sample_end = end
        carrier.__dict__.update(changes)
        segment = Segment(
            carrier.class_id,
            carrier.confidence,
            carrier.freq_lower,
            carrier.freq_upper,
            start,
            end,
            self.rate,
            carrier.snr_db,
            carrier.pwr_db,
            (0, 256),
            (100, 200),
        )
        self.log.begin_frame(self.geometry(), self.clock, self.health)
        self.log.write(Event(kind, carrier, segment), self.clock, self.frame)
        self.frame += 1

    def rest(self, gone=()):
        """One frame without a segment, after which carriers are gone."""
        self.log.begin_frame(self.geometry(), self.clock)
        for carrier_id in gone:
            self.log.write(Event("gone", self.carriers.pop(carrier_id)), self.clock, self.frame)
        self.frame += 1


def strict(text):
    """JSON that is JSON: NaN and Infinity are refused."""

    def refuse(name):
        raise ValueError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def read(path):
    """The entries of one log file, as dicts; it must be whole."""
    data = path.read_bytes()
    if path.suffix == ".jsonl":
        assert data.endswith(b"\n") or not data
        return [strict(line) for line in data.decode().splitlines()]
    if path.suffix == ".csv":
        assert data.endswith(b"\r\n")
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, strict=True))
        assert all(None not in row and None not in row.values() for row in rows)
        return rows
    strict(data.decode())
    document = sigmf.fromfile(path)
    document.validate()
    starts = [entry["core:sample_start"] for entry in document.get_annotations()]
    assert starts == sorted(starts)
    return document.get_annotations()


def files(folder, fmt):
    """Log files in the order in which they were made: by time, and those of one second by number."""

    def order(path):
        stem, _, number = path.name.removesuffix(ENDINGS[fmt]).partition("Z_")
        return stem.removesuffix("Z"), int(number or 1)

    return sorted(folder.glob(f"*{ENDINGS[fmt]}"), key=order)


class Clock:
    """A clock for `now` that stands still unless moved."""

    def __init__(self, text="2026-11-24T03:59:58+00:00"):
        self.seconds = dt.datetime.fromisoformat(text).timestamp()

    def __call__(self):
        return self.seconds


class TestText:
    def test_a_line_holds_everything_that_is_known_of_a_segment(self, tmp_path):
        with open_log(tmp_path / "scan.jsonl", model="rpmsn-rt") as log:
            Station(log, health="a little loud").hear()
        (line,) = read(tmp_path / "scan.jsonl")
        assert line == {
            "sequence": 0,
            "topic": "segment",
            "event": "new",
            "rx_time": "2024-05-18T02:40:00.250000000Z",
            "rx_time_seconds": 1716000000.25,
            "end_time": "2024-05-18T02:40:00.290000000Z",
            "time_source": "radio",
            "label": "LTE",
            "class_id": 1,
            "confidence": 0.9,
            "verdict": "likely",
            "evidence": "network",
            "center_frequency": 100e6,
            "bandwidth": 0.4e6,
            "freq_lower": 99.8e6,
            "freq_upper": 100.2e6,
            "cut_lower": False,
            "cut_upper": True,
            "start_offset": 0,
            "end_offset": FRAME,
            "duration": 0.04,
            "sample_rate": RATE,
            "snr_db": 21.0,
            "pwr_db": -30.5,
            "burst_id": 1,
            "pdu_num": 0,
            "model": "rpmsn-rt",
            "health": "a little loud",
        }

    def test_it_has_the_keys_of_the_segment_message(self, tmp_path):
        assert set(keys.SEGMENT_KEYS) <= set(keys.CSV_COLUMNS)

    def test_a_csv_row_says_the_same_as_a_json_line(self, tmp_path):
        for fmt in TEXT:
            with open_log(tmp_path / f"scan.{fmt}") as log:
                station = Station(log)
                station.hear()
                station.hear(confidence=0.123456789)
                station.rest(gone=[1])
        lines, rows = read(tmp_path / "scan.jsonl"), read(tmp_path / "scan.csv")
        assert list(rows[0]) == list(keys.CSV_COLUMNS)
        assert [{key: str(line[key]) for key in keys.CSV_COLUMNS} for line in lines] == rows

    def test_text_with_commas_quotes_and_line_breaks_comes_back_from_csv(self, tmp_path):
        model = 'my "best", model\r\nünï\udc80'
        with open_log(tmp_path / "scan.csv", model=model) as log:
            Station(log).hear()
        assert read(tmp_path / "scan.csv")[0]["model"] == 'my "best", model\r\nünï?'

    def test_what_is_not_finite_is_null(self, tmp_path):
        for fmt in TEXT:
            with open_log(tmp_path / f"scan.{fmt}") as log:
                Station(log).hear(snr_db=float("nan"), pwr_db=float("-inf"))
        line, row = read(tmp_path / "scan.jsonl")[0], read(tmp_path / "scan.csv")[0]
        assert line["snr_db"] is None and line["pwr_db"] is None
        assert row["snr_db"] == "" and row["pwr_db"] == ""

    def test_a_carrier_that_is_gone_is_reported_with_the_time_of_its_begin_and_end(self, tmp_path):
        with open_log(tmp_path / "scan.jsonl") as log:
            station = Station(log)
            station.hear()
            # A gap of 10 s: the sample number goes on, the time jumps.
            station.clock = StreamTime(FRAME, CLOCK.seconds + 10, CLOCK.fraction + 0.04, RATE, "radio")
            station.hear()
            station.rest(gone=[1])
        gone = read(tmp_path / "scan.jsonl")[-1]
        assert gone["event"] == "gone" and gone["start_offset"] == 0 and gone["end_offset"] == 2 * FRAME
        assert gone["rx_time"] == "2024-05-18T02:40:00.250000000Z"
        assert gone["end_time"] == "2024-05-18T02:40:10.330000000Z"

    def test_nanoseconds_of_the_time_survive(self, tmp_path):
        with open_log(tmp_path / "scan.jsonl") as log:
            Station(log, clock=StreamTime(0, 1_716_000_000, 0.999999999, RATE, "radio")).hear()
        assert read(tmp_path / "scan.jsonl")[0]["rx_time"] == "2024-05-18T02:40:00.999999999Z"

    def test_status_lines_stand_between_the_others(self, tmp_path):
        with open_log(tmp_path / "scan.jsonl") as log:
            Station(log).hear()
            log.status({"coverage": 1.0, "latency": float("nan"), "parts": {"a": (1, 2.5)}, "x": object})
        first, status = read(tmp_path / "scan.jsonl")
        assert status["topic"] == "status" and status["sequence"] == 1 and status["coverage"] == 1.0
        assert status["latency"] is None and status["parts"] == {"a": [1, 2.5]} and "object" in status["x"]
        dt.datetime.fromisoformat(status["time"])

    @pytest.mark.parametrize("fmt", ["csv", "sigmf"])
    def test_formats_without_a_place_for_status_leave_it_out(self, tmp_path, fmt):
        with open_log(tmp_path / f"scan{ENDINGS[fmt]}") as log:
            log.status({"coverage": 1.0})
        assert read(log.path) == [] and not log.lost

    def test_one_line_when_a_carrier_comes_and_one_when_it_goes(self, tmp_path):
        with open_log(tmp_path / "scan.jsonl", per="carrier") as log:
            station = Station(log)
            for _ in range(3):
                station.hear(1)
            station.hear(2)
            station.rest(gone=[1])
        # Carrier 2 is still on the air at the end: it is reported as far as it has come.
        assert [(line["event"], line["burst_id"]) for line in read(log.path)] == [
            ("new", 1),
            ("new", 2),
            ("gone", 1),
            ("update", 2),
        ]

    def test_every_file_of_a_carrier_log_names_the_carriers_on_the_air(self, tmp_path):
        now = Clock()
        with open_log(tmp_path / "scan.jsonl", per="carrier", rotate_seconds=3600, now=now) as log:
            station = Station(log)
            station.hear(1)
            log.flush(WAIT)
            now.seconds += 10
            log.flush(WAIT)
            station.hear(1)
            station.hear(2)
        first, second = [read(path) for path in files(tmp_path, "jsonl")]
        assert [(line["event"], line["burst_id"]) for line in first] == [("new", 1)]
        assert {(line["event"], line["burst_id"]) for line in second} >= {("update", 1), ("new", 2)}


class TestSigmf:
    def test_one_annotation_a_carrier(self, tmp_path):
        with open_log(tmp_path / "scan.sigmf-meta", model="rpmsn-rt") as log:
            station = Station(log)
            for _ in range(3):
                station.hear(1)
            station.hear(2, label="NR", snr_db=float("nan"))
            station.rest(gone=[1, 2])
        first, second = read(log.path)
        assert (first["core:sample_start"], first["core:sample_count"]) == (0, 3 * FRAME)
        assert (first["core:freq_lower_edge"], first["core:freq_upper_edge"]) == (99.8e6, 100.2e6)
        assert first["core:label"] == "LTE" and first["core:generator"].startswith("gr-rpmsn ")
        assert (first["rpmsn:confidence"], first["rpmsn:snr_db"], first["rpmsn:carrier_id"]) == (0.9, 21.0, 1)
        assert second["core:label"] == "NR" and "rpmsn:snr_db" not in second
        document = sigmf.fromfile(log.path)
        assert document.get_global_field("core:metadata_only") is True
        assert document.get_global_field("rpmsn:model") == "rpmsn-rt"
        assert document.get_global_field("core:sample_rate") == RATE

    def test_or_one_a_segment(self, tmp_path):
        with open_log(tmp_path / "scan.sigmf-meta", per="segment") as log:
            station = Station(log)
            for _ in range(3):
                station.hear()
            station.rest(gone=[1])
        assert [(entry["core:sample_start"], entry["core:sample_count"]) for entry in read(log.path)] == [
            (0, FRAME),
            (FRAME, FRAME),
            (2 * FRAME, FRAME),
        ]

    def test_a_carrier_on_the_air_is_there_as_far_as_it_has_come(self, tmp_path):
        with open_log(tmp_path / "scan.sigmf-meta") as log:
            station = Station(log)
            for count in (1, 2):
                station.hear()
                assert log.flush(WAIT)
                assert [entry["core:sample_count"] for entry in read(log.path)] == [count * FRAME]

    def test_captures_follow_frequency_and_gaps(self, tmp_path):
        with open_log(tmp_path / "scan.sigmf-meta") as log:
            station = Station(log)
            station.hear()
            station.hear()
            station.center_frequency = 101e6
            station.hear()
            station.clock = StreamTime(3 * FRAME, CLOCK.seconds + 7, 0.5, RATE, "radio")
            station.hear()
            # The same time, stated from another sample on, is nothing new.
            seconds, fraction = station.clock.at(4 * FRAME)
            station.clock = StreamTime(4 * FRAME, seconds, fraction, RATE, "radio")
            station.hear()
        captures = sigmf.fromfile(log.path).get_captures()
        found = [(entry["core:sample_start"], entry["core:frequency"], entry["core:datetime"]) for entry in captures]
        assert found == [
            (0, 100e6, "2024-05-18T02:40:00.250000000Z"),
            (2 * FRAME, 101e6, "2024-05-18T02:40:00.330000000Z"),
            (3 * FRAME, 101e6, "2024-05-18T02:40:07.500000000Z"),
        ]

    def test_an_unknown_centre_frequency_is_left_out(self, tmp_path):
        with open_log(tmp_path / "scan.sigmf-meta") as log:
            Station(log, center_frequency=0.0).hear()
        assert "core:frequency" not in sigmf.fromfile(log.path).get_captures()[0]

    def test_a_new_sample_rate_begins_a_new_file_with_the_carriers_parts_in_each(self, tmp_path):
        with open_log(tmp_path / "scan.sigmf-meta") as log:
            station = Station(log)
            station.hear()
            station.hear()
            station.rate = 2e6
            station.hear()
        first, second = files(tmp_path, "sigmf")
        assert [sigmf.fromfile(path).get_global_field("core:sample_rate") for path in (first, second)] == [1e6, 2e6]
        parts = [
            (entry["core:sample_start"], entry["core:sample_count"]) for path in (first, second) for entry in read(path)
        ]
        assert parts == [(0, 2 * FRAME), (2 * FRAME, FRAME)]

    def test_a_carrier_over_a_rotation_is_in_both_files_with_its_part(self, tmp_path):
        now = Clock()
        with open_log(tmp_path / "scan.sigmf-meta", rotate_seconds=3600, now=now) as log:
            station = Station(log)
            for _ in range(5):
                station.hear()
            log.flush(WAIT)
            now.seconds += 10
            log.flush(WAIT)
            for _ in range(2):
                station.hear()
            station.rest(gone=[1])
        first, second = files(tmp_path, "sigmf")
        assert [path.name for path in (first, second)] == [
            "scan_20261124T035958Z.sigmf-meta",
            "scan_20261124T040008Z.sigmf-meta",
        ]
        (early,), (late,) = read(first), read(second)
        assert (early["core:sample_start"], early["core:sample_count"]) == (0, 5 * FRAME)
        assert (late["core:sample_start"], late["core:sample_count"]) == (5 * FRAME, 2 * FRAME)
        assert sigmf.fromfile(second).get_captures()[0]["core:sample_start"] == 0

    def test_many_retunes_do_not_make_a_file_huge(self, tmp_path):
        with open_log(tmp_path / "scan.sigmf-meta", rotate_bytes=8192) as log:
            station = Station(log)
            for step in range(600):
                station.center_frequency = 100e6 + step * 1e6
                station.hear(step)
                station.rest(gone=[step])
                if step % 20 == 0:
                    log.flush(WAIT)
        found = files(tmp_path, "sigmf")
        assert max(path.stat().st_size for path in found) < 40_000
        assert sum(len(read(path)) for path in found) == 600

    def test_it_follows_a_tracker(self, tmp_path):
        tracker, log = Tracker(hold_seconds=0.1), open_log(tmp_path / "scan.sigmf-meta")

        def listen(number, is_on):
            start, end = number * FRAME, (number + 1) * FRAME
            segment = Segment(1, 0.9, 99.8e6, 100.2e6, start, end, RATE, 20.0, -30.0, (0, 256), (77, 180))
            return Frame(
                number,
                FrameGeometry(RATE, 100e6, start, FRAME, 256),
                None,
                None,
                -90.0,
                [segment] if is_on else [],
                new_from=start,
            )

        for number in range(30):
            frame = listen(number, number < 20)
            log.begin_frame(frame.geometry, CLOCK)
            for event in tracker.update(frame):
                log.write(event, CLOCK, number)
        for event in tracker.finish():
            log.write(event, CLOCK, number)
        assert log.close()
        (entry,) = read(log.path)
        assert (entry["core:sample_start"], entry["core:sample_count"]) == (0, 20 * FRAME)


class TestRotation:
    @pytest.mark.parametrize("fmt", ENDINGS)
    def test_by_size(self, tmp_path, fmt):
        with open_log(tmp_path / f"scan{ENDINGS[fmt]}", rotate_bytes=4096) as log:
            station = Station(log)
            for number in range(60):
                station.hear(number)
                station.rest(gone=[number])
                log.flush(WAIT)
        found = files(tmp_path, fmt)
        assert len(found) > 3 and log.path == found[-1]
        # A SigMF file is checked when it is written, so it may have one entry more.
        assert max(path.stat().st_size for path in found) <= 4096 + (2048 if fmt == "sigmf" else 0)
        entries = [entry for path in found for entry in read(path)]
        assert len(entries) == (60 if fmt == "sigmf" else 120)
        if fmt in TEXT:
            assert [int(entry["sequence"]) for entry in entries] == list(range(120))

    @pytest.mark.parametrize("fmt", ENDINGS)
    def test_by_time_at_full_hours(self, tmp_path, fmt):
        now = Clock("2026-11-24T02:13:07+00:00")
        with open_log(tmp_path / f"scan{ENDINGS[fmt]}", rotate_seconds=3600, now=now) as log:
            for hour in range(3):
                Station(log).hear(hour)
                assert log.flush(WAIT)
                now.seconds = (now.seconds // 3600 + 1) * 3600
        names = [path.name for path in files(tmp_path, fmt)]
        assert names[:3] == [f"scan_20261124T{text}Z{ENDINGS[fmt]}" for text in ("021307", "030000", "040000")]

    def test_a_clock_that_is_set_back_begins_a_new_file(self, tmp_path):
        now = Clock()
        with open_log(tmp_path / "scan.csv", rotate_seconds=3600, now=now) as log:
            now.seconds -= 7200
            log.flush(WAIT)
        assert [path.name for path in files(tmp_path, "csv")] == [
            "scan_20261124T015958Z.csv",
            "scan_20261124T035958Z.csv",
        ]

    @pytest.mark.parametrize("fmt", ENDINGS)
    def test_nothing_that_exists_is_overwritten(self, tmp_path, fmt):
        (tmp_path / f"scan{ENDINGS[fmt]}").write_text("mine")
        (tmp_path / f"scan_20261124T035958Z{ENDINGS[fmt]}").write_text("mine")
        now = Clock()
        logs = [
            open_log(tmp_path / f"scan{ENDINGS[fmt]}", rotate_seconds=seconds, now=now)
            for seconds in (None, None, 60, 60)
        ]
        for log in logs:
            Station(log).hear()
            assert log.close()
        assert len({log.path for log in logs}) == 4
        mine = [path for path in tmp_path.iterdir() if path.read_text() == "mine"]
        assert len(mine) == 2 and not {log.path for log in logs} & set(mine)
        if fmt in TEXT:
            assert [log.path.name for log in logs] == [
                f"scan{end}.{fmt}" for end in ("_2", "_3", "_20261124T035958Z_2", "_20261124T035958Z_3")
            ]

    @pytest.mark.parametrize("fmt", ENDINGS)
    def test_only_the_newest_files_are_kept_and_only_its_own_deleted(self, tmp_path, fmt):
        foreign = tmp_path / f"scan_20200101T000000Z{ENDINGS[fmt]}"
        foreign.write_text("mine")
        now = Clock()
        with open_log(tmp_path / f"scan{ENDINGS[fmt]}", rotate_seconds=60, keep_files=2, now=now) as log:
            station = Station(log)
            for number in range(6):
                station.hear(number)
                log.flush(WAIT)
                now.seconds += 60
                if number == 3:
                    # Another program puts a file where one of the log's was.
                    replaced = files(tmp_path, fmt)[1]
                    replaced.unlink()
                    replaced.write_text("mine")
        mine = [path for path in tmp_path.iterdir() if path.read_text() == "mine"]
        assert set(mine) == {foreign, replaced}
        assert len(list(tmp_path.iterdir())) == 2 + 2

    @pytest.mark.parametrize("fmt", TEXT)
    def test_a_file_that_was_moved_away_is_started_again(self, tmp_path, fmt):
        with open_log(tmp_path / f"scan.{fmt}") as log:
            station = Station(log)
            station.hear()
            log.flush(WAIT)
            (tmp_path / f"scan.{fmt}").rename(tmp_path / f"old.{fmt}")
            station.hear()
        assert [len(read(tmp_path / f"{name}.{fmt}")) for name in ("old", "scan")] == [1, 1]


class TestOpening:
    def test_an_ending_that_is_no_format_is_refused_with_those_that_are(self, tmp_path):
        with pytest.raises(ParameterError, match=r"scan\.json; .*\.jsonl, \.csv, \.sigmf-meta"):
            open_log(tmp_path / "scan.json")

    @pytest.mark.parametrize("name", [".jsonl", ".sigmf-meta"])
    def test_an_ending_alone_is_no_name(self, tmp_path, name):
        with pytest.raises(ParameterError, match="ends in one of"):
            open_log(tmp_path / name)

    @pytest.mark.parametrize(
        "parameters, message",
        [
            ({"fmt": "xml"}, "fmt.*'xml'.*jsonl, csv, sigmf"),
            ({"per": "frame"}, "per .*'frame'.*segment, carrier"),
            ({"rotate_seconds": 0}, "rotate_seconds.*at least 1"),
            ({"rotate_bytes": 10}, "rotate_bytes.*10.*at least 4096"),
            ({"rotate_bytes": float("nan")}, "rotate_bytes.*nan"),
            ({"keep_files": 0}, "keep_files.*0.*at least 1"),
            ({"fmt": "sigmf"}, r"must end in \.sigmf-meta"),
        ],
    )
    def test_parameters_that_cannot_work_are_named(self, tmp_path, parameters, message):
        with pytest.raises(ParameterError, match=message):
            open_log(tmp_path / "scan.jsonl", **parameters)

    @pytest.mark.parametrize("path", ["", "a\0b.jsonl", 5, None])
    def test_what_is_no_path(self, path):
        with pytest.raises(ParameterError, match="path of the log"):
            open_log(path)

    def test_a_missing_folder_is_named(self, tmp_path):
        with pytest.raises(RecordingError, match="folder .*nowhere does not exist. Make it first"):
            open_log(tmp_path / "nowhere" / "scan.jsonl")

    def test_a_folder_is_no_file(self, tmp_path):
        (tmp_path / "scan.jsonl").mkdir()
        with pytest.raises(RecordingError, match="is a folder"):
            open_log(tmp_path / "scan.jsonl")

    def test_neither_is_a_pipe(self, tmp_path):
        os.mkfifo(tmp_path / "scan.jsonl")
        with pytest.raises(RecordingError, match="not a regular file"):
            open_log(tmp_path / "scan.jsonl")

    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc, where no files can be made")
    @pytest.mark.parametrize("fmt", ENDINGS)
    def test_a_folder_that_cannot_be_written_to(self, fmt):
        with pytest.raises(RecordingError, match="/proc/scan.*cannot be written: .*Choose a folder"):
            open_log(f"/proc/scan{ENDINGS[fmt]}")

    def test_a_name_that_is_too_long(self, tmp_path):
        with pytest.raises(RecordingError, match="too long"):
            open_log(tmp_path / f"{'x' * 300}.csv")

    @pytest.mark.parametrize("name", ["-rf *; $(x) %s {0} 'q\" & ü 信号", "new\nline", "dots.in.name", "a_2", "\udc80"])
    @pytest.mark.parametrize("fmt", ENDINGS)
    def test_unusual_characters_in_names(self, tmp_path, name, fmt):
        paths = []
        for _ in range(2):
            with open_log(tmp_path / f"{name}{ENDINGS[fmt]}", rotate_bytes=4096) as log:
                Station(log).hear()
            paths.append(log.path)
            assert len(read(log.path)) == 1
        assert paths[0] != paths[1] and all(path.name.startswith(name + "_") for path in paths)

    def test_another_ending_with_the_format_given(self, tmp_path):
        with open_log(tmp_path / "scan.log", fmt="csv") as log:
            Station(log).hear()
        assert (tmp_path / "scan.log").read_bytes().startswith(b"sequence,event,")
        with open_log(tmp_path / "scan.log", fmt="csv") as log:
            assert log.path.name == "scan_2.log"

    def test_capital_letters_in_the_ending(self, tmp_path):
        with open_log(tmp_path / "SCAN.JSONL", rotate_bytes=4096) as log:
            assert log.path.name.startswith("SCAN_2") and log.path.suffix == ".JSONL"


class TestFaults:
    def test_nothing_raises_into_the_analysis(self, tmp_path, caplog):
        log = open_log(tmp_path / "scan.jsonl")
        log.write(None, CLOCK, 0)
        log.status("no dict")
        assert log.lost == 2 and "not a mapping" in log.fault
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        Station(log).hear()
        assert log.flush(WAIT) and log.fault == ""
        assert log.close() and log.close()
        log.write(None, CLOCK, 0)
        assert log.lost == 3
        assert len(read(log.path)) == 1

    @pytest.mark.parametrize("fmt", ENDINGS)
    def test_a_folder_that_vanishes_and_returns(self, tmp_path, fmt, caplog):
        caplog.set_level(logging.INFO)
        folder, away = tmp_path / "logs", tmp_path / "away"
        folder.mkdir()
        log = open_log(folder / f"scan{ENDINGS[fmt]}")
        station = Station(log)
        station.hear(1)
        log.flush(WAIT)
        folder.rename(away)
        station.hear(2)
        assert not log.flush(WAIT)
        station.hear(3)
        assert not log.flush(WAIT) and "No such file" in log.fault
        away.rename(folder)
        assert log.flush(WAIT) and log.fault == ""
        assert log.close() and log.lost == 0
        entries = [entry for path in files(folder, fmt) for entry in read(path)]
        assert len(entries) == 3
        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]

    @pytest.mark.parametrize("fmt", TEXT)
    def test_what_waits_is_bounded_and_what_is_lost_is_counted(self, tmp_path, fmt, monkeypatch):
        monkeypatch.setattr(log_text, "MAX_WAITING_BYTES", 10_000)
        folder, away = tmp_path / "logs", tmp_path / "away"
        folder.mkdir()
        log = open_log(folder / f"scan.{fmt}")
        folder.rename(away)
        station = Station(log)
        for _ in range(100):
            station.hear()
        assert not log.flush(WAIT)
        away.rename(folder)
        assert log.flush(WAIT)
        log.close()
        numbers = [int(entry["sequence"]) for path in files(folder, fmt) for entry in read(path)]
        assert 0 < log.lost < 100 and numbers == list(range(log.lost, 100))

    def test_so_it_is_for_annotations(self, tmp_path, monkeypatch):
        monkeypatch.setattr(log_sigmf, "MAX_WAITING_BYTES", 10_000)
        folder, away = tmp_path / "logs", tmp_path / "away"
        folder.mkdir()
        log = open_log(folder / "scan.sigmf-meta", rotate_bytes=4096)
        folder.rename(away)
        station = Station(log)
        for number in range(200):
            station.hear(number)
            station.rest(gone=[number])
        log.flush(WAIT)
        away.rename(folder)
        assert log.flush(WAIT)
        log.close()
        found = files(folder, "sigmf")
        assert sum(len(read(path)) for path in found) == 200 - log.lost and log.lost > 100
        assert sigmf.fromfile(found[-1]).get_global_field("rpmsn:lost") == log.lost

    def test_a_disk_that_hangs_holds_up_neither_the_analysis_nor_the_end(self, tmp_path, monkeypatch):
        log = open_log(tmp_path / "scan.jsonl")
        answers = threading.Event()
        monkeypatch.setattr(os, "fsync", lambda handle: answers.wait(3 * HANG_S))
        station = Station(log)
        before = time.monotonic()
        for _ in range(100):
            station.hear()
        assert not log.flush(timeout=0.1)
        assert not log.close(timeout=0.1) and "did not answer" in log.fault
        assert time.monotonic() - before < HANG_S
        answers.set()
        log._thread.join()

    def test_a_disk_that_is_full_damages_nothing_and_all_is_there_in_the_end(self, tmp_path):
        for fmt, result in json.loads(run_on_small_disk(tmp_path, FULL_DISK, folders=[HERE])).items():
            assert result["fault"] == "No space left on device", fmt
            assert 0 < result["whole"] < 400, fmt
            assert result["all"] == 400 and result["lost"] == 0 and result["fault_after"] == "", fmt

    def test_a_file_that_may_not_grow_any_more_is_followed_by_another(self, tmp_path):
        run_child(f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
log = open_log("{tmp_path}/scan.jsonl")
station = Station(log)
for _ in range(200):
    station.hear()
    if _ % 10 == 0:
        assert log.flush(WAIT), log.fault
assert log.close()
""")
        found = sorted(tmp_path.glob("*.jsonl"))
        assert len(found) > 3 and max(path.stat().st_size for path in found) <= 20_000
        assert sorted(line["sequence"] for path in found for line in read(path)) == list(range(200))


PREAMBLE = "import json, os, sys, time\nfrom test_logs import *\n"

FULL_DISK = (
    PREAMBLE
    + """
folder = Path(sys.argv[1])

def fill(ending):
    def entries():
        found = sum(len(read(path)) for path in sorted(folder.glob("scan*")))
        return found if ending == ".sigmf-meta" else found / 2

    (folder / "ballast").write_bytes(bytes(400 << 10))
    log = open_log(folder / ("scan" + ending))
    station = Station(log)
    for number in range(400):
        station.hear(number)
        station.rest(gone=[number])
        if number % 25 == 24:
            log.flush(WAIT)
            entries()
    fault, whole = log.fault, entries()
    (folder / "ballast").unlink()
    assert log.flush(WAIT), log.fault
    result = {"fault": fault.split(": ")[-1], "whole": whole, "all": entries(), "lost": log.lost,
              "fault_after": log.fault}
    log.close()
    for path in folder.iterdir():
        path.unlink()
    return result

print(json.dumps({fmt: fill(ending) for fmt, ending in ENDINGS.items()}))
"""
)


def run_child(code):
    """Run Python code with everything of this module at hand, in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-c", PREAMBLE + code],
        env=child_environment(HERE),
        text=True,
        capture_output=True,
        timeout=PROCESS_S,
    )
    assert result.returncode == 0, result.stderr


WRITE_UNTIL_KILLED = (
    PREAMBLE
    + """
folder = Path(sys.argv[1])
stations = [Station(open_log(folder / ("scan" + ending), rotate_bytes=16384)) for ending in ENDINGS.values()]
print("ready", flush=True)
number = 0
while True:
    for station in stations:
        station.hear(number)
        station.rest(gone=[number])
    os.write(1, f"{number} {time.time()}\\n".encode())
    number += 1
    time.sleep(0.001)
"""
)


class TestKill:
    def test_files_are_whole_and_only_the_last_second_is_lost(self, tmp_path):
        """Four writers are killed at different moments; every file must be readable to its end."""
        children = []
        for number, seconds in enumerate((0.3, 0.9, 1.45, 2.1)):
            folder = tmp_path / str(number)
            folder.mkdir()
            printed = open(folder / "printed", "w+")
            child = subprocess.Popen(
                [sys.executable, "-c", WRITE_UNTIL_KILLED, folder], env=child_environment(HERE), stdout=printed
            )
            children.append((child, folder, seconds))
        for child, folder, seconds in children:
            deadline = time.monotonic() + 60
            while "ready" not in (folder / "printed").read_text():
                assert child.poll() is None and time.monotonic() < deadline
                time.sleep(0.02)
            time.sleep(seconds)
            child.send_signal(signal.SIGKILL)
            killed_at = time.time()
            child.wait()
            self.check(folder, killed_at)

    def check(self, folder, killed_at):
        printed = [line.split() for line in (folder / "printed").read_text().splitlines()[1:]]
        written_at = {int(line[0]): float(line[1]) for line in printed if len(line) == 2}
        for fmt, ending in ENDINGS.items():
            entries = [entry for path in files(folder, fmt) for entry in read(path)]
            key = "rpmsn:carrier_id" if fmt == "sigmf" else "burst_id"
            numbers = [int(entry[key]) for entry in entries]
            # Nothing is missing in between, and the last is no older than a second (two, on a busy machine).
            if fmt in TEXT:
                assert [int(entry["sequence"]) for entry in entries] == list(range(len(entries)))
            assert set(range(max(numbers, default=-1) + 1)) == set(numbers)
            unsaved = [at for number, at in written_at.items() if number > max(numbers, default=-1)]
            assert killed_at - min(unsaved, default=killed_at) < 2.0
