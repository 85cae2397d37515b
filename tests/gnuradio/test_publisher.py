# SPDX-License-Identifier: GPL-3.0-or-later
"""The publisher block in real flowgraphs: documented JSON, frames as asked for, bad messages skipped."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from limits import HANG_S, PROCESS_S

pytest.importorskip("zmq", reason="pyzmq is not installed")
pmt = pytest.importorskip("pmt", reason="GNU Radio is not installed")

from gnuradio import gr, rpmsn
from gnuradio.rpmsn import pdu
from gnuradio.rpmsn.segment_publisher import RateLimit
from oracle import flat_band

from rpmsn.errors import ParameterError
from rpmsn.messages import json_messages, keys
from rpmsn.messages import wire as messages
from rpmsn.publishing.subscriber import Subscriber

ROOT = Path(__file__).resolve().parents[2]
ANY_PORT = "tcp://127.0.0.1:0"
LONG = HANG_S
"""Seconds after which something that should happen did not; a test that passes does not wait for it."""

RX_TIME = (1_700_000_000, 0.123456789012)
SEGMENT = {
    "label": "LTE",
    "class_id": 1,
    "confidence": 0.98,
    "verdict": "likely",
    "evidence": "network",
    "center_frequency": 2.4e9 + 0.125,
    "bandwidth": 18e6,
    "freq_lower": 2.391e9,
    "freq_upper": 2.409e9,
    "cut_lower": False,
    "cut_upper": True,
    "start_offset": 2**63 + 1,
    "end_offset": 2**64 - 1,
    "rx_time": RX_TIME,
    "time_source": "radio",
    "duration": 0.04,
    "sample_rate": 61.44e6,
    "snr_db": 21.5,
    "pwr_db": -43.25,
    "burst_id": 7,
    "event": "new",
    "pdu_num": 12,
    "model": "rpmsn-rt",
    "health": "ok",
}
STATUS = {
    "mode": "live",
    "sample_rate": 61.44e6,
    "center_frequency": 2.4e9,
    "samples_received": 100,
    "samples_analysed": 90,
    "samples_dropped": 10,
    "samples_skipped": 0,
    "samples_lost": 0,
    "frames_analysed": 9,
    "frames_dropped": 1,
    "overflows": 0,
    "input_rate": 61.4e6,
    "coverage": 0.9,
    "real_time_factor": 1.0,
    "queue": 0,
    "latency": 0.05,
    "inference_time": 0.01,
    "model": "rpmsn-rt",
    "runtime": "torch",
    "health": "ok",
}
FRAME = {
    "pdu_num": 3,
    "rows": 256,
    "columns": 256,
    "classes": ["noise", "LTE", "NR", "other"],
    "center_frequency": 2.4e9,
    "sample_rate": 61.44e6,
    "start_offset": 0,
    "end_offset": 2_457_600,
    "rx_time": RX_TIME,
    "time_source": "file",
    "duration": 0.04,
    "db_min": -5.0,
    "db_max": 55.0,
    "noise_floor_db": -80.0,
    "model": "rpmsn-rt",
}


def fields_of(fields):
    """The fields as they come out of a PDU."""
    return pdu.parse_pdu(pdu.make_pdu(fields))[0]


def frame_pdu(image, mask, **changes):
    return pdu.make_pdu({**FRAME, "rows": image.shape[0], "columns": image.shape[1], "mask": mask, **changes}, image)


class Sender(gr.basic_block):
    """Has the output ports of a segmenter sink."""

    def __init__(self):
        gr.basic_block.__init__(self, "sender", None, None)
        for port in (keys.SEGMENTS, keys.STATUS, keys.FRAMES):
            self.message_port_register_out(pmt.intern(port))

    def send(self, port, message):
        self.message_port_pub(pmt.intern(port), message)


class Station:
    """A flowgraph that runs, its sender, its publisher and a subscriber that gets what is sent."""

    def __init__(self, **arguments):
        self.sender, self.publisher = Sender(), rpmsn.segment_publisher(ANY_PORT, **arguments)
        self.flowgraph = gr.top_block()
        for port in (keys.SEGMENTS, keys.STATUS, keys.FRAMES):
            self.flowgraph.msg_connect((self.sender, port), (self.publisher, port))
        self.subscriber = Subscriber(self.publisher.address())
        self.flowgraph.start()
        while not self.subscriber.receive(timeout=0.05):
            self.sender.send(keys.STATUS, pdu.make_pdu(STATUS))
        while self.subscriber.receive(timeout=0.2):
            pass

    def ask(self, port, message):
        """Send a PDU; the JSON object that comes of it."""
        self.sender.send(port, message)
        return self.subscriber.receive(timeout=LONG)

    def close(self):
        self.flowgraph.stop()
        self.flowgraph.wait()
        self.subscriber.close()


@pytest.fixture
def station():
    made = []

    def make(**arguments):
        made.append(Station(**arguments))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def schema():
    return json.loads((ROOT / "docs" / "publisher.schema.json").read_text())


@pytest.fixture(scope="module")
def check(schema):
    """Function that raises unless a message is as the schema says."""
    jsonschema = pytest.importorskip("jsonschema")
    if not hasattr(jsonschema, "Draft202012Validator"):
        pytest.skip("jsonschema is older than 4.0")
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema).validate


class TestSchema:
    @pytest.mark.parametrize(
        "kind, wanted", [("segment", keys.SEGMENT_KEYS), ("frame", keys.FRAME_KEYS), ("status", keys.STATUS_KEYS)]
    )
    def test_every_key_that_a_reader_may_count_on_is_required_and_has_a_kind(self, schema, kind, wanted):
        described = schema["$defs"][kind]
        assert set(wanted) <= set(described["required"]) <= set(described["properties"])

    def test_every_key_is_explained_in_the_table(self, schema):
        text = (ROOT / "docs" / "messages.md").read_text()
        documented = {
            key
            for line in text.splitlines()
            if line.startswith("| `")
            for key in re.findall(r"`(\w+)`", line.split("|")[1])
        }
        for kind in ("every", "segment", "frame", "status"):
            assert set(schema["$defs"][kind]["properties"]) - documented == set()

    def test_each_kind_of_message_is_as_the_schema_says(self, check):
        counts = {"sent": 1, "dropped": 2, "refused": 3}
        pixels = np.zeros((256, 256), np.uint8)
        for topic, body in (
            ("segment", json_messages.segment_to_json(fields_of(SEGMENT))),
            ("status", json_messages.status_to_json(fields_of(STATUS), counts)),
            ("status", json_messages.status_to_json(fields_of({**STATUS, "error": "x"}), counts)),
            ("frame", json_messages.frame_to_json(*pdu.parse_pdu(frame_pdu(pixels, pixels)), 256)),
        ):
            check(messages.unpack(messages.pack(topic, 0, "abc", body)))

    @pytest.mark.parametrize(
        "change",
        [
            {"version": 1},
            {"topic": "status"},
            {"event": "later"},
            {"confidence": 2},
            {"start_offset": -1},
            {"rx_time": "yesterday"},
            {"freq_lower": "x"},
            {"sequence": 1.5},
        ],
    )
    def test_the_schema_refuses_what_is_wrong(self, check, change):
        body = json_messages.segment_to_json(fields_of(SEGMENT))
        message = messages.unpack(messages.pack("segment", 0, "a", body))
        check(message)
        with pytest.raises(Exception, match="not valid under any"):
            check({**message, **change})

    def test_the_schema_lets_keys_be_added(self, check):
        body = json_messages.segment_to_json(fields_of({**SEGMENT, "operator": "x", "edge_error": float("nan")}))
        message = messages.unpack(messages.pack("segment", 0, "a", body))
        check(message)
        assert message["operator"] == "x" and message["edge_error"] is None

    def test_every_message_of_a_recording_is_as_documented(self, check, all_lte, tmp_path):
        rate, n = 5e6, 4 * 200_000
        flat_band(n, rate, 0, rate / 4, np.random.default_rng(1)).tofile(tmp_path / "some.cf32")
        flowgraph = gr.top_block()
        source = rpmsn.sigmf_source(str(tmp_path / "some.cf32"), False, False, "cf32", rate, 9e8)
        sink = rpmsn.segmenter_sink(rate, model=str(all_lte), mode="replay", frames_per_second=1e9)
        publisher = rpmsn.segment_publisher(ANY_PORT, frames_per_second=1e9, frame_rows=64)
        flowgraph.connect(source, sink)
        for port in (keys.SEGMENTS, keys.STATUS, keys.FRAMES):
            flowgraph.msg_connect((sink, port), (publisher, port))
        with Subscriber(publisher.address()) as subscriber:
            while subscriber.problem:
                assert subscriber.receive(timeout=0.05) is None
            flowgraph.run()
            got = list(iter(lambda: subscriber.receive(timeout=1.0), None))
            assert subscriber.lost == {"segment": 0, "frame": 0, "status": 0}
        for message in got:
            check(message)
        by_topic = {topic: [message for message in got if message["topic"] == topic] for topic in messages.TOPICS}
        for found in by_topic.values():
            assert [message["sequence"] for message in found] == list(range(len(found)))
        events = [message["event"] for message in by_topic["segment"]]
        assert (events[0], events[-1]) == ("new", "gone")
        assert {message["freq_lower"] >= 8.975e8 for message in by_topic["segment"]} == {True}
        assert [message["rows"] for message in by_topic["frame"]] == [64] * 4
        assert by_topic["status"][-1]["samples_analysed"] == n
        assert publisher.counts() == {"sent": len(got), "dropped": 0, "refused": 0}


class TestEncoding:
    def test_a_segment_keeps_its_keys_and_values_to_the_last_bit(self):
        body = json.loads(json.dumps(json_messages.segment_to_json(fields_of(SEGMENT))))
        assert body.pop("rx_time") == "2023-11-14T22:13:20.123456789Z"
        assert body.pop("rx_time_seconds") == pytest.approx(1_700_000_000.123456789, abs=0.24e-6)
        assert body == {key: value for key, value in SEGMENT.items() if key != "rx_time"}

    @pytest.mark.parametrize(
        "rx_time, text",
        [
            ((0, 0.0), "1970-01-01T00:00:00.000000000Z"),
            ((59, 0.9999999999), "1970-01-01T00:01:00.000000000Z"),
            ((1_709_164_799, 0.5), "2024-02-28T23:59:59.500000000Z"),
            ((1_709_164_800, 1e-9), "2024-02-29T00:00:00.000000001Z"),
            ((2**63, 0.0), None),
            ((10**12, 0.0), None),
            ((1, float("nan")), None),
            ((1, float("inf")), None),
        ],
    )
    def test_times_are_iso_8601_with_nanoseconds(self, rx_time, text):
        body = json_messages.segment_to_json(fields_of({**SEGMENT, "rx_time": rx_time}))
        assert body["rx_time"] == text
        assert (body["rx_time_seconds"] is None) == (text is None)

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
    def test_numbers_that_are_not_finite_become_null(self, value, check):
        body = json_messages.segment_to_json(fields_of({**SEGMENT, "snr_db": value, "confidence": value}))
        assert body["snr_db"] is None and body["confidence"] is None
        check(messages.unpack(messages.pack("segment", 0, "a", body)))

    def test_a_frame_is_reduced_to_the_strongest_power_and_the_class_of_the_majority(self):
        image = np.tile(np.arange(256, dtype=np.uint8)[:, None], (1, 8))
        mask = np.repeat(np.array([1, 1, 1, 2], np.uint8), 64)[:, None].repeat(8, axis=1)
        body = json_messages.frame_to_json(*pdu.parse_pdu(frame_pdu(image, mask)), 4)
        small, classes = messages.decode_image(body)
        assert small[:, 0].tolist() == [63, 127, 191, 255] and classes[:, 0].tolist() == [1, 1, 1, 2]
        assert (body["rows"], body["columns"], body["duration"]) == (4, 8, 0.04)

    def test_a_frame_with_fewer_rows_is_left_as_it_is(self):
        image = np.arange(40, dtype=np.uint8).reshape(5, 8)
        for got in messages.decode_image(json_messages.frame_to_json(*pdu.parse_pdu(frame_pdu(image, image % 4)), 64))[
            :1
        ]:
            np.testing.assert_array_equal(got, image)

    @pytest.mark.parametrize("rows, most", [(256, 176_000), (64, 45_000), (16, 12_000)])
    def test_a_frame_is_no_larger_than_documented(self, rows, most):
        pixels = np.zeros((256, 256), np.uint8)
        body = json_messages.frame_to_json(*pdu.parse_pdu(frame_pdu(pixels, pixels)), rows)
        assert 0.9 * most < sum(map(len, messages.pack("frame", 10**9, "0" * 16, body))) < most

    def test_a_segment_is_no_larger_than_documented(self):
        body = json_messages.segment_to_json(fields_of(SEGMENT))
        assert len(messages.pack("segment", 10**9, "0" * 16, body)[1]) < 700

    @pytest.mark.parametrize(
        "change, words",
        [
            ({"rows": 7}, "reshape"),
            ({"end_offset": 0}, "without extent"),
            ({"sample_rate": float("nan")}, "sample_rate"),
            ({"model": None}, "without model"),
        ],
    )
    def test_a_frame_that_is_not_right_is_refused_with_a_message(self, change, words):
        pixels = np.zeros((4, 8), np.uint8)
        with pytest.raises(ValueError, match=words):
            json_messages.frame_to_json(*pdu.parse_pdu(frame_pdu(pixels, pixels, **change), keys.FRAME_KEYS), 256)


class TestBlock:
    def test_segments_and_status_are_published_and_frames_only_if_asked_for(self, station, check):
        running = station()
        segment = running.ask(keys.SEGMENTS, pdu.make_pdu(SEGMENT))
        check(segment)
        assert (segment["topic"], segment["sequence"], segment["label"]) == ("segment", 0, "LTE")
        pixels = np.zeros((4, 8), np.uint8)
        running.sender.send(keys.FRAMES, frame_pdu(pixels, pixels))
        status = running.ask(keys.STATUS, pdu.make_pdu(STATUS))
        check(status)
        assert status["topic"] == "status" and status["messages_sent"] == status["sequence"] + 1
        assert (status["messages_dropped"], status["messages_refused"]) == (0, 0)

    def test_frames_are_published_at_most_at_the_rate_asked_for(self, station, check):
        running = station(frames_per_second=5, frame_rows=2)
        pixels = np.zeros((4, 8), np.uint8)
        started, got = time.monotonic(), []
        while time.monotonic() - started < 1.0:
            running.sender.send(keys.FRAMES, frame_pdu(pixels, pixels))
            got.append(running.subscriber.receive(timeout=0.02))
        got = [message for message in got if message]
        assert 2 <= len(got) <= 1 + 5 * (time.monotonic() - started)
        assert [message["sequence"] for message in got] == list(range(len(got))) and got[0]["rows"] == 2
        check(got[0])

    @pytest.mark.parametrize("per_second, passed", [(0, 0), (1, 10), (4, 40), (1000, 100)])
    def test_the_rate_is_kept_on_average_however_the_events_fall(self, per_second, passed):
        limit = RateLimit(per_second)
        jitter = np.random.default_rng(1).uniform(0, 0.05, 100)
        assert sum(limit.is_due(time) for time in np.arange(100) * 0.1 + jitter) == pytest.approx(passed, abs=1)

    def test_a_pause_is_not_made_up_for(self):
        limit = RateLimit(1)
        assert [limit.is_due(now) for now in (0.0, 0.5, 100.0, 100.5, 101.0)] == [True, False, True, False, True]

    def test_messages_that_are_not_right_are_counted_and_leave_a_gap_and_the_rest_goes_on(self, station):
        running = station()
        running.ask(keys.SEGMENTS, pdu.make_pdu(SEGMENT))
        for message in (pmt.PMT_NIL, pmt.intern("x"), pdu.make_pdu({"label": "LTE"}), pmt.from_double(1.0)):
            for port in (keys.SEGMENTS, keys.STATUS):
                running.sender.send(port, message)
        after = running.ask(keys.SEGMENTS, pdu.make_pdu(SEGMENT))
        assert after["sequence"] == 5 and running.subscriber.lost["segment"] == 4
        status = running.ask(keys.STATUS, pdu.make_pdu(STATUS))
        assert status["messages_refused"] == 8

    def test_a_flowgraph_stops_and_starts_again_on_the_same_port(self):
        before = set(threading.enumerate())
        publisher, sender = rpmsn.segment_publisher(ANY_PORT), Sender()
        flowgraph = gr.top_block()
        flowgraph.msg_connect((sender, keys.STATUS), (publisher, keys.STATUS))
        address = publisher.address()
        for _ in range(20):
            flowgraph.start()
            sender.send(keys.STATUS, pdu.make_pdu(STATUS))
            started = time.monotonic()
            flowgraph.stop()
            flowgraph.wait()
            assert time.monotonic() - started < HANG_S and publisher.address() == address
        new = set(threading.enumerate()) - before
        assert not [thread for thread in new if thread.name == "rpmsn publisher"]

    @pytest.mark.parametrize(
        "arguments, words",
        [
            ({"frames_per_second": -1}, "frames_per_second"),
            ({"frames_per_second": float("nan")}, "frames_per_second"),
            ({"frame_rows": 0}, "1 to 256"),
            ({"frame_rows": 257}, "1 to 256"),
            ({"address": "5560"}, "tcp://HOST:PORT"),
            ({"address": "tcp://*:0"}, "allow_plain"),
            ({"client_keys_folder": "x"}, "server_secret_key_file"),
            ({"server_secret_key_file": "nothing"}, "rpmsn.publishing.keys"),
        ],
    )
    def test_bad_parameters_are_named(self, arguments, words):
        with pytest.raises(ParameterError, match=words):
            rpmsn.segment_publisher(**{"address": ANY_PORT, **arguments})

    def test_a_second_block_on_the_same_address_is_refused_at_once(self):
        first = rpmsn.segment_publisher(ANY_PORT)
        with pytest.raises(ParameterError, match="another program or publisher"):
            rpmsn.segment_publisher(first.address())

    def test_the_import_of_the_blocks_does_not_load_pyzmq(self):
        code = "import sys; from gnuradio import rpmsn; print('zmq' in sys.modules)"
        result = subprocess.run(
            [sys.executable, "-c", code],
            text=True,
            capture_output=True,
            timeout=PROCESS_S,
            env=dict(os.environ, PYTHONPATH=str(ROOT / "python")),
        )
        assert result.stdout == "False\n", result.stderr


FLOWGRAPH = """
options:
  parameters: {{author: '', category: '', cmake_opt: '', comment: '', copyright: '', description: '', gen_cmake: 'On',
    gen_linking: dynamic, generate_options: no_gui, hier_block_src_path: '.:', id: published, max_nouts: '0',
    output_language: python, placement: "(0,0)", qt_qss_theme: '', realtime_scheduling: '', run: 'True',
    run_command: '', run_options: run, sizing_mode: fixed, thread_safe_setters: '', title: '', window_size: ''}}
  states: {{bus_sink: false, bus_source: false, bus_structure: null, coordinate: [8, 8], rotation: 0, state: enabled}}
blocks:
- name: publisher
  id: rpmsn_segment_publisher
  parameters: {parameters}
  states: {{bus_sink: false, bus_source: false, bus_structure: null, coordinate: [8, 200], rotation: 0, state: enabled}}
- name: strobe
  id: blocks_message_strobe
  parameters: {{msg: pmt.intern("x"), period: '1000'}}
  states: {{bus_sink: false, bus_source: false, bus_structure: null, coordinate: [8, 300], rotation: 0, state: enabled}}
connections:
- [strobe, strobe, publisher, segments]
metadata: {{file_format: 1}}
"""


@pytest.mark.skipif(shutil.which("grcc") is None, reason="grcc is not installed; it comes with gnuradio")
class TestCompanion:
    def compile(self, folder, **parameters):
        (folder / "published.grc").write_text(FLOWGRAPH.format(parameters=json.dumps(parameters)))
        environment = dict(os.environ, PYTHONPATH=str(ROOT / "python"), GRC_BLOCKS_PATH=str(ROOT / "grc"))
        command = [sys.executable, shutil.which("grcc"), "-o", str(folder), str(folder / "published.grc")]
        result = subprocess.run(command, text=True, capture_output=True, timeout=PROCESS_S, env=environment)
        return result.returncode, result.stdout + result.stderr

    def test_the_program_that_grc_makes_has_the_block_with_its_parameters(self, tmp_path):
        status, said = self.compile(tmp_path, address=ANY_PORT, frames_per_second="2", frame_rows="64")
        assert status == 0, said
        code = (
            "import sys; sys.path.insert(0, sys.argv[1]); from published import published\n"
            "tb = published(); tb.start(); print(tb.publisher.address()); tb.stop(); tb.wait()"
        )
        result = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            text=True,
            capture_output=True,
            timeout=PROCESS_S,
            env=dict(os.environ, PYTHONPATH=str(ROOT / "python")),
        )
        assert result.returncode == 0 and result.stdout.splitlines()[-1].startswith("tcp://127.0.0.1:"), result.stderr

    @pytest.mark.parametrize(
        "parameters, sentence",
        [
            ({"address": "tcp://*:5560"}, "needs the Secret Key of the Publisher"),
            ({"frame_rows": "0", "frames_per_second": "1"}, "Rows per Frame has to lie between 1 and 256"),
        ],
    )
    def test_a_bad_value_is_refused_with_a_sentence(self, tmp_path, parameters, sentence):
        status, said = self.compile(tmp_path, **parameters)
        assert status != 0 and sentence in said
