# SPDX-License-Identifier: GPL-3.0-or-later
"""One table of fields: schema, page, logs, SigMF and tables are what it says."""

import json
from pathlib import Path

import numpy as np
import pytest
from sigmf import SigMFFile

from rpmsn.cells.cell import Cell
from rpmsn.cells.finding import Proof
from rpmsn.classes import CLASS_NAMES
from rpmsn.detection.segmenter import Frame
from rpmsn.detection.segments import FrameGeometry, Segment
from rpmsn.messages import fields as table
from rpmsn.messages import keys, page, wire
from rpmsn.messages.frame import Scale, check_frame
from rpmsn.messages.results import carrier_fields, frame_fields, segment_fields
from rpmsn.recording.annotations import EXTENSION, annotation
from rpmsn.recording.log_base import event_fields
from rpmsn.signal.resolution import PICTURE_COLUMNS
from rpmsn.streaming.intake import StreamTime
from rpmsn.tracking.carrier import Carrier, Part
from rpmsn.tracking.tracker import Event
from rpmsn.tracking.verdict import EVIDENCE, VERDICTS

DOCS = Path(__file__).resolve().parents[2] / "docs"
CLOCK = StreamTime(0, 1_716_000_000, 0.25, 1e6, "radio")
PYTHON_KINDS = {
    table.UINT64: int,
    table.LONG: int,
    table.DOUBLE: float,
    table.SYMBOL: str,
    table.BOOL: bool,
    table.TIME: tuple,
}


def segment(label="LTE", lower=99.8e6, upper=100.2e6, start=0, end=40_000, confidence=0.9):
    return Segment(
        CLASS_NAMES.index(label), confidence, lower, upper, start, end, 1e6, 21.0, -30.5, (0, 256), (100, 200)
    )


def carrier_of(*segments, carrier_id=7):
    """A carrier of one segment a frame."""
    first, *further = segments
    carrier = Carrier.of([Part(first)], 0.0, 0.04)
    carrier.carrier_id = carrier_id
    for one in further:
        carrier.add([Part(one)], one.end_offset / 1e6)
    return carrier


# What is written is what the table says


def test_the_schema_file_is_made_from_the_table():
    assert (DOCS / page.SCHEMA).read_text(encoding="utf-8") == page.schema_text()


def test_the_tables_of_the_page_are_made_from_the_table():
    text = (DOCS / page.PAGE).read_text(encoding="utf-8")
    assert page.filled(text) == text
    assert {found[2] for found in page.MARKED.finditer(text)} == set(page._TABLES)


def test_every_field_stands_on_the_page():
    text = (DOCS / page.PAGE).read_text(encoding="utf-8")
    missing = [one.name for one in table.FIELDS.values() if f"`{one.name}`" not in text]
    assert missing == []


def test_both_files_are_written_by_one_command(tmp_path):
    (tmp_path / page.PAGE).write_text("# Messages\n\n<!-- table: status -->\nold\n<!-- end -->\nrest\n")
    assert page.main([str(tmp_path)]) == 0
    text = (tmp_path / page.PAGE).read_text()
    assert text.startswith("# Messages\n\n<!-- table: status -->\n| key |") and text.endswith("<!-- end -->\nrest\n")
    assert "old" not in text and json.loads((tmp_path / page.SCHEMA).read_text()) == page.schema()
    assert page.main([]) == 2


def test_the_schema_is_one_and_has_the_version():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(page.schema())
    assert page.schema()["$defs"]["every"]["properties"]["version"] == {"const": wire.VERSION}


# What is sent is what the table says


def test_a_segment_message_has_the_required_fields_and_kinds():
    carrier = carrier_of(segment())
    for event in (Event("new", carrier, segment()), Event("gone", carrier)):
        fields = segment_fields(event, CLOCK, 3, "ok", "rpmsn-rt")
        assert set(fields) == set(keys.SEGMENT_KEYS)
        for name, value in fields.items():
            assert type(value) is PYTHON_KINDS[table.FIELDS[name].kind], name
            assert not table.FIELDS[name].choices or value in table.FIELDS[name].choices


def test_a_line_has_the_fields_of_lines_in_the_order_of_the_table():
    line = event_fields(Event("new", carrier_of(segment()), segment()), CLOCK, 3, "rpmsn-rt")
    written = [name for name in keys.required_keys(keys.SEGMENT, keys.LINE) if name not in (keys.TOPIC, keys.SEQUENCE)]
    assert list(line) == written
    assert set(keys.CSV_COLUMNS) == {*written, keys.SEQUENCE}


def test_a_frame_message_has_the_required_fields():
    image = np.zeros((256, 256), np.uint8)
    frame = Frame(0, FrameGeometry(1e6, 100e6, 0, 40_000, 256), image, image, -90.0, new_from=0)
    fields, _ = frame_fields(frame, CLOCK, "rpmsn-rt")
    assert set(fields) == set(keys.FRAME_KEYS)


@pytest.mark.parametrize("columns", PICTURE_COLUMNS[1:])
@pytest.mark.parametrize("new_from", [0, 30_000])
def test_a_frame_message_with_more_columns_says_the_same_of_the_same_frequencies(columns, new_from):
    """The picture in place of the image, classes where they were, the noise floor of its narrower columns."""
    geometry = FrameGeometry(1e6, 100e6, 0, 40_000, 256)
    image, mask = np.zeros((2, 256, 256), np.uint8)
    mask[:, 100:120], mask[:128, 40], mask[128:, 0] = 1, 2, 3
    rows = 65536 // columns * (40_000 - new_from) // 40_000
    picture = np.zeros((rows, columns), np.uint8)
    frame = Frame(0, geometry, image, mask, -90.0, new_from=new_from, picture=picture)
    fields, sent = frame_fields(frame, CLOCK, "rpmsn-rt")
    assert set(fields) == set(keys.FRAME_KEYS)
    assert sent is picture and (fields["rows"], fields["columns"]) == sent.shape == fields["mask"].shape
    assert fields["duration"] == pytest.approx((40_000 - new_from) / 1e6)
    assert fields["noise_floor_db"] == pytest.approx(-90 - 10 * np.log10(columns / 256))
    shown = check_frame(fields, sent, fields["mask"])
    coarse = Scale(100e6, 1e6, 256, -5.0, 55.0)
    for frequency, class_id in zip(shown.scale.frequencies, shown.mask[-1]):
        column = coarse.column_of(frequency)
        assert class_id == mask[255, 0 if column is None else column]
    if rows > 1 and not new_from:
        assert shown.mask[0, (40 * columns) // 256] == 2


def test_an_annotation_has_the_fields_of_the_table_and_is_valid():
    carrier = carrier_of(segment())
    values = carrier_fields(carrier)
    found = annotation(values, carrier.carrier_id, 0, 40_000)
    wanted = {one.sigmf: values[one.name] for one in table.sigmf_fields() if one.required}
    assert {name: found[name] for name in wanted} == wanted
    assert set(found) - set(wanted) == {"core:sample_start", "core:sample_count", "core:generator"}
    document = {
        "global": {"core:datatype": "cf32_le", "core:version": "1.2.0", "core:extensions": [EXTENSION]},
        "captures": [{"core:sample_start": 0}],
        "annotations": [found],
    }
    SigMFFile(metadata=document).validate()


def test_words_of_verdicts_are_those_of_the_tracker():
    assert table.FIELDS["verdict"].choices == VERDICTS and table.FIELDS["evidence"].choices == EVIDENCE


def test_fields_of_cells_are_sent_only_where_they_are_known():
    carrier = carrier_of(segment())
    optional = {one.name for one in table.CARRIER_FIELDS if not one.required}
    numbers = {"cell_id", "band", "earfcn", "nr_arfcn", "gscn", "plmn", "tac", "nci"}
    assert numbers | {"duplex", "channel_bandwidth", "ssb_frequency"} == optional
    assert not optional & set(segment_fields(Event("gone", carrier), CLOCK, 0, "ok", ""))
    cell = Cell("LTE", 301, "broadcast", 0.0, channel_bandwidth=10e6)
    carrier.prove(Proof(cell, 100e6, 0, 40_000, 1e6))
    fields = segment_fields(Event("gone", carrier), CLOCK, 0, "ok", "")
    assert fields["cell_id"] == 301 and "band" not in fields
    assert (fields["verdict"], fields["evidence"], fields["confidence"]) == ("proven", "broadcast", 1.0)
    assert annotation(fields, 1, 0, 1)["rpmsn:cell_id"] == 301


def test_tables_for_people_have_the_headings_and_digits_of_the_table():
    from rpmsn.cli import report
    from rpmsn.gui.carriers import columns
    from rpmsn.station import monitor_line

    headings = {one.name: one.column.heading for one in table.FIELDS.values() if one.column}
    assert {
        column.name: column.title for column in columns.COLUMNS if column.name in headings
    }.items() <= headings.items()
    assert {column.name for column in columns.COLUMNS} - set(headings) == {
        columns.CHANNEL,
        columns.ON_AIR,
        columns.OCCUPANCY,
    }
    for titles in (report.COLUMNS, monitor_line.CARRIER_COLUMNS):
        assert set(titles) - set(headings.values()) <= {"from s", "to s", "on air s"}
    carrier = carrier_of(segment())
    row = dict(zip(report.COLUMNS, report.row(carrier, 1e6)))
    assert (
        row["lower MHz"]
        == "99.800"
        == dict(zip(monitor_line.CARRIER_COLUMNS, monitor_line.carrier_row(carrier)))["lower MHz"]
    )


# One carrier


def test_a_segment_of_another_class_leaves_the_label_of_its_carrier():
    carrier = carrier_of(*(segment(start=number * 40_000, end=(number + 1) * 40_000) for number in range(5)))
    odd = segment("NR", 99.9e6, 100.1e6, 200_000, 240_000, confidence=0.55)
    carrier.add([Part(odd)], 0.24)
    fields = segment_fields(Event("update", carrier, odd), CLOCK, 5, "ok", "")
    assert (fields["label"], fields["class_id"]) == ("LTE", 1)
    assert (fields["freq_lower"], fields["freq_upper"]) == (carrier.freq_lower, carrier.freq_upper) == (99.8e6, 100.2e6)
    assert (fields["confidence"], fields["snr_db"], fields["pwr_db"]) == (
        carrier.confidence,
        carrier.snr_db,
        carrier.pwr_db,
    )
    assert (fields["start_offset"], fields["end_offset"], fields["duration"]) == (200_000, 240_000, 0.04)
    assert fields["rx_time"] == (1_716_000_000, pytest.approx(0.45))


def test_sparse_segments_of_a_carrier_have_its_edges():
    wide = segment("NR", -4.48e6, 4.48e6)
    narrow = [segment("NR", -4.26e6, 4.24e6, n * 40_000, (n + 1) * 40_000) for n in range(1, 9)]
    carrier = carrier_of(wide, wide, *narrow)
    gone = segment_fields(Event("gone", carrier), CLOCK, 9, "ok", "")
    last = segment_fields(Event("update", carrier, narrow[-1]), CLOCK, 9, "ok", "")
    assert [gone[key] for key in ("freq_lower", "freq_upper")] == [last[key] for key in ("freq_lower", "freq_upper")]
    assert (gone["start_offset"], gone["end_offset"]) == (0, 360_000)


@pytest.mark.parametrize("confidence, verdict", [(0.51, "likely"), (0.5, "unsure"), (0.3, "unsure")])
def test_a_verdict_is_likely_where_it_is_rather_right_than_wrong(confidence, verdict):
    carrier = carrier_of(segment(confidence=confidence))
    assert (carrier.verdict, carrier.evidence) == (verdict, "network")
