# SPDX-License-Identifier: GPL-3.0-or-later
"""A carrier is the same everywhere, to the last digit: file, log, message, published JSON, table, picture."""

import csv
import json

import numpy as np
import pytest

pytest.importorskip("zmq", reason="pyzmq is not installed")
pmt = pytest.importorskip("pmt", reason="GNU Radio is not installed")
pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

import sigmf
from gnuradio import gr, rpmsn
from oracle import flat_band
from test_segmenter_sink import Collector
from waterfall_scene import app  # noqa: F401

from rpmsn.cli.main import main
from rpmsn.gui.carriers.carrier_list import CarrierList
from rpmsn.gui.carriers.table import CarrierTable
from rpmsn.gui.watch.publisher_source import to_fields
from rpmsn.gui.waterfall.boxes import SegmentBoxes
from rpmsn.messages import fields as table
from rpmsn.messages import keys
from rpmsn.messages.report import check_report
from rpmsn.publishing.subscriber import Subscriber

RATE = 5e6
FRAME = 200_000
WIDTHS = (0.25, 0.1, 0.25, 0.18, 0.25, 0.21)
"""Of the band in each frame, over the sample rate: no two segments in a row have the same edges."""
COMPARED = tuple(one.name for one in table.CARRIER_FIELDS if one.required)


@pytest.fixture(scope="module")
def found(all_lte, tmp_path_factory):
    """What one recording became: {place: {key: value}} of its one carrier, and all PDUs."""
    folder = tmp_path_factory.mktemp("found")
    rng = np.random.default_rng(1)
    frames = [flat_band(FRAME, RATE, -0.1 * width * RATE, width * RATE, rng) for width in WIDTHS]
    np.concatenate(frames).tofile(folder / "band.sigmf-data")
    description = {
        "global": {"core:datatype": "cf32_le", "core:sample_rate": RATE, "core:version": "1.2.0"},
        "captures": [{"core:sample_start": 0, "core:frequency": 1.815e9, "core:datetime": "2024-05-01T12:03:07.5Z"}],
        "annotations": [],
    }
    recording = folder / "band.sigmf-meta"
    recording.write_text(json.dumps(description))

    logs = [folder / f"log{suffix}" for suffix in (".jsonl", ".csv", ".sigmf-meta")]
    flowgraph, collector = gr.top_block(), Collector()
    source = rpmsn.sigmf_source(str(recording), False, False)
    sink = rpmsn.segmenter_sink(
        RATE, model=str(all_lte), mode="replay", frames_per_second=1e9, logs=[str(path) for path in logs]
    )
    publisher = rpmsn.segment_publisher("tcp://127.0.0.1:0")
    flowgraph.connect(source, sink)
    for port in collector.messages:
        flowgraph.msg_connect((sink, port), (collector, port))
        flowgraph.msg_connect((sink, port), (publisher, port))
    with Subscriber(publisher.address()) as subscriber:
        while subscriber.problem:
            assert subscriber.receive(timeout=0.05) is None
        flowgraph.run()
        published = list(iter(lambda: subscriber.receive(timeout=1.0), None))
    published = [message for message in published if message["topic"] == "segment"]
    assert (
        main(["annotate", str(recording), "--model", str(all_lte), "--output", str(folder / "found.sigmf-meta")]) == 0
    )

    lines = [json.loads(line) for line in logs[0].read_text().splitlines()]
    with open(logs[1], newline="") as file:
        rows = list(csv.DictReader(file))
    (live_sigmf,) = folder.glob("log_*.sigmf-meta")
    return {
        "sink": sink.carriers(),
        "pdus": collector.messages[keys.SEGMENTS],
        "json": published,
        "jsonl": [line for line in lines if line["topic"] == "segment"],
        "csv": rows,
        "sigmf log": sigmf.fromfile(str(live_sigmf), skip_checksum=True).get_annotations(),
        "annotate": sigmf.fromfile(str(folder / "found.sigmf-meta"), skip_checksum=True).get_annotations(),
    }


def of_carrier(carrier):
    return {name: getattr(carrier, name) for name in COMPARED}


def test_messages_logs_and_published_json_have_the_same_values_at_every_moment(found):
    assert len(found["pdus"]) >= len(WIDTHS) + 1
    for pdu, published, line, row in zip(found["pdus"], found["json"], found["jsonl"], found["csv"], strict=True):
        for name in (*COMPARED, keys.EVENT, keys.START_OFFSET, keys.END_OFFSET, keys.DURATION, keys.BURST_ID):
            assert published[name] == line[name] == pdu[name]
            assert row[name] == str(pdu[name])
        assert published[keys.RX_TIME] == line[keys.RX_TIME] == row[keys.RX_TIME]


def test_the_whole_carrier_is_the_same_in_every_file_and_message(found):
    (carrier,) = found["sink"]
    wanted = of_carrier(carrier)
    assert {name: found["pdus"][-1][name] for name in COMPARED} == wanted
    for place in ("sigmf log", "annotate"):
        (annotation,) = found[place]
        shown = {
            one.name: annotation[one.sigmf] for one in table.sigmf_fields() if one.name in COMPARED and one.required
        }
        # Of a short recording annotate adds up windows without Numba, in another order: levels differ by rounding.
        levels = {name: pytest.approx(wanted[name], abs=1e-5) for name in (keys.SNR_DB, keys.PWR_DB)}
        assert shown == {name: levels.get(name, wanted[name]) for name in shown} and len(shown) >= 9
        assert annotation["core:sample_start"] == carrier.sample_start
        assert annotation["core:sample_count"] == carrier.sample_count


@pytest.mark.parametrize("place", ["pdus", "json"])
def test_table_and_picture_show_the_same_at_every_moment(found, place, app):
    shown, listed, boxes = CarrierTable(), CarrierList(), SegmentBoxes()
    shown._timer.stop()
    for message, pdu in zip(found[place], found["pdus"], strict=True):
        fields = to_fields(message)
        wanted = {name: pdu[name] for name in COMPARED}
        listed.add(fields)
        (row,) = listed.rows()
        assert of_carrier(row) == wanted
        boxes.add(check_report(fields))
        for box in boxes.boxes:
            for name in (keys.LABEL, keys.CONFIDENCE, keys.BANDWIDTH, keys.FREQ_LOWER, keys.FREQ_UPPER):
                assert getattr(box, name) == wanted[name]
        shown.add_segment(fields)
        shown.update_now()
        cells = dict(zip(shown.copy().splitlines()[0].split("\t"), shown.copy().splitlines()[1].split("\t")))
        assert cells[table.column_of(keys.CONFIDENCE).heading] == f"{100 * pdu[keys.CONFIDENCE]:.0f} %"
        for name in (keys.LABEL, keys.CENTER_FREQUENCY, keys.SNR_DB, keys.VERDICT):
            column = table.column_of(name)
            assert cells[column.heading] == column.text(pdu[name])
    shown.close()


def test_samples_and_times_of_messages_agree(found):
    for line in found["jsonl"]:
        assert line["rx_time_seconds"] == pytest.approx(1_714_564_987.5 + line["start_offset"] / RATE, abs=1e-6)
        assert line["end_offset"] <= len(WIDTHS) * FRAME
        assert line["duration"] == pytest.approx((line["end_offset"] - line["start_offset"]) / RATE)
