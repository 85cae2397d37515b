# SPDX-License-Identifier: GPL-3.0-or-later
"""The sink in real flowgraphs: every sample counted, the radio never held up, stopped at any moment."""

import sys
import threading
import time
import types

import numpy as np
import pytest
from limits import HANG_S

pmt = pytest.importorskip("pmt", reason="GNU Radio is not installed")

from gnuradio import blocks, gr, rpmsn
from gnuradio.rpmsn import pdu
from oracle import ThresholdRuntime, flat_band

from rpmsn.classes import LTE
from rpmsn.errors import ModelError, ParameterError, RpmsnError
from rpmsn.messages import keys
from rpmsn.messages.frame import check_frame
from rpmsn.signal.resolution import PICTURE_COLUMNS

RATE = 2e6
FRAME = 80_000


class Collector(gr.basic_block):
    """Keeps the messages of every port, parsed."""

    def __init__(self):
        gr.basic_block.__init__(self, "collector", None, None)
        self.messages = {port: [] for port in (keys.SEGMENTS, keys.FRAMES, keys.STATUS)}
        for port, handler in (
            (keys.SEGMENTS, self.on_segment),
            (keys.FRAMES, self.on_frame),
            (keys.STATUS, self.on_status),
        ):
            self.message_port_register_in(pmt.intern(port))
            self.set_msg_handler(pmt.intern(port), handler)

    def on_segment(self, message):
        self.messages[keys.SEGMENTS].append(pdu.parse_pdu(message, keys.SEGMENT_KEYS)[0])

    def on_frame(self, message):
        self.messages[keys.FRAMES].append(pdu.parse_pdu(message, keys.FRAME_KEYS))

    def on_status(self, message):
        self.messages[keys.STATUS].append(pdu.parse_pdu(message, keys.STATUS_KEYS)[0])


class SlowRuntime(ThresholdRuntime):
    """As slow as a test asks for."""

    def __init__(self, seconds):
        self.seconds = seconds

    def probabilities(self, images):
        time.sleep(self.seconds)
        return super().probabilities(images)


@pytest.fixture
def make_sink(any_rate_model):
    def make(stand_in=None, **arguments):
        fixed = {"sample_rate": RATE, "model": str(any_rate_model), "mode": "replay"}
        sink = rpmsn.segmenter_sink(**{**fixed, **arguments})
        sink._analyser.segmenter.runtime = stand_in or ThresholdRuntime()
        return sink

    return make


def run(samples, sink, tags=(), collector=None):
    """Run to the end. With a collector the last sample is tagged as such, so that all messages arrive."""
    flowgraph = gr.top_block()
    tags = [*tags, tag(len(samples) - 1, "stream_end", pmt.PMT_T)] if collector else list(tags)
    source = blocks.vector_source_c(samples.tolist(), False, 1, tags)
    flowgraph.connect(source, sink)
    if collector:
        for port in collector.messages:
            flowgraph.msg_connect((sink, port), (collector, port))
    flowgraph.run()
    return sink.status()


def tag(offset, key, value):
    entry = gr.tag_t()
    entry.offset, entry.key, entry.value = offset, pmt.intern(key), value
    return entry


def time_tag(offset, seconds, fraction):
    return tag(offset, "rx_time", pmt.make_tuple(pmt.from_uint64(seconds), pmt.from_double(fraction)))


def signal(n, seed=1, lower=-3e5, upper=8e5):
    return flat_band(n, RATE, lower, upper, np.random.default_rng(seed))


@pytest.mark.parametrize("n", [1, 255, 256, 12_345, FRAME, FRAME + 1, 3 * FRAME + 54_321])
def test_replay_counts_every_sample_of_any_length(make_sink, n):
    sink = make_sink()
    status = run(signal(max(n, 2))[:n], sink)
    assert status[keys.SAMPLES_RECEIVED] == n
    assert status[keys.SAMPLES_ANALYSED] + status[keys.SAMPLES_DROPPED] == n
    assert status[keys.SAMPLES_DROPPED] == (n if n < 256 else 0)
    assert status[keys.COVERAGE] == (1.0 if n >= 256 else 0.0)


def test_carriers_segments_and_frames_say_the_same_in_absolute_hz(make_sink):
    collector = Collector()
    sink = make_sink(center_frequency=1.815e9, frames_per_second=1000)
    run(signal(4 * FRAME), sink, collector=collector)
    (carrier,) = sink.carriers()
    assert carrier.freq_lower == pytest.approx(1.815e9 - 3e5, abs=RATE / 256)
    assert carrier.sample_count == 4 * FRAME
    segment = collector.messages[keys.SEGMENTS][0]
    assert segment[keys.LABEL] == "LTE" and segment[keys.EVENT] == "new" and segment[keys.BURST_ID] == 1
    assert segment[keys.FREQ_UPPER] == pytest.approx(1.815e9 + 8e5, abs=RATE / 256)
    fields, image = collector.messages[keys.FRAMES][0]
    assert image.size == 256 * 256 == fields[keys.MASK].size
    assert fields[keys.CLASSES][1] == "LTE" and fields[keys.DURATION] == pytest.approx(0.04)


@pytest.mark.parametrize("columns", PICTURE_COLUMNS[1:])
def test_frames_with_more_columns_show_the_same_and_carriers_do_not_change(make_sink, columns):
    """The last frame reaches back: its picture has its new samples alone."""
    found, pictures = [], []
    for chosen in (256, columns):
        collector = Collector()
        sink = make_sink(center_frequency=1.815e9, frames_per_second=1000, columns=chosen)
        run(signal(3 * FRAME + FRAME // 2), sink, collector=collector)
        frames = [check_frame(*reshaped(message)) for message in collector.messages[keys.FRAMES]]
        found.append([(one.freq_lower, one.freq_upper, one.sample_count, one.label) for one in sink.carriers()])
        pictures.append([(frame.start_offset, frame.end_offset, frame.duration) for frame in frames])
        in_band = (frames[1].scale.frequencies > 1.815e9 - 2e5) & (frames[1].scale.frequencies < 1.815e9 + 7e5)
        assert frames[1].scale.columns == chosen
        assert frames[1].image[:, in_band].mean() > frames[1].image[:, ~in_band].mean() + 50
        assert (frames[1].mask[:, in_band] == LTE).mean() > 0.9
        assert [len(frame.image) for frame in frames] == [65536 // chosen] * 3 + [32768 // chosen]
    assert found[0] == found[1] and pictures[0] == pictures[1]


def reshaped(message):
    """(fields, image, mask) of a frame message that was collected."""
    fields, image = message
    shape = fields[keys.ROWS], fields[keys.COLUMNS]
    return fields, image.reshape(shape), fields[keys.MASK].reshape(shape)


def test_columns_may_change_while_it_runs_also_after_another_rate(make_sink):
    sink = make_sink(frames_per_second=1000)
    collector = Collector()
    sink.set_columns(1024)
    run(signal(4 * FRAME), sink, [tag(2 * FRAME, "rx_rate", pmt.from_double(1.2 * RATE))], collector)
    seen = {(fields[keys.COLUMNS], fields[keys.SAMPLE_RATE]) for fields, _ in collector.messages[keys.FRAMES]}
    assert seen == {(1024, RATE), (1024, 1.2 * RATE)}
    with pytest.raises(ParameterError, match="columns is 1000, but 256, 1024"):
        sink.set_columns(1000)


def test_replay_through_blocks_equals_the_engine_alone(make_sink, any_rate_model, tmp_path):
    """The block and `rpmsn annotate` find the same, bit for bit."""
    from rpmsn.models.model import load_model
    from rpmsn.recording import open_recording
    from rpmsn.streaming.analysis import RecordingAnalyser

    path = tmp_path / "some.cf32"
    signal(5 * FRAME + 777).tofile(path)
    with open_recording(path, datatype="cf32", sample_rate=RATE, center_frequency=9e8) as recording:
        analyser = RecordingAnalyser(recording, load_model(any_rate_model))
        analyser.segmenter.runtime = ThresholdRuntime()
        expected = analyser.run().carriers
    sink = make_sink(center_frequency=9e8)
    flowgraph = gr.top_block()
    source = rpmsn.sigmf_source(str(path), datatype="cf32", sample_rate=RATE, center_frequency=9e8)
    flowgraph.connect(source, sink)
    flowgraph.run()
    assert [vars(carrier) for carrier in sink.carriers()] == [vars(carrier) for carrier in expected]


def test_every_message_of_a_recording_arrives_before_the_flowgraph_ends(make_sink, tmp_path):
    path = tmp_path / "some.cf32"
    signal(FRAME // 2).tofile(path)
    sink, collector = make_sink(), Collector()
    flowgraph = gr.top_block()
    source = rpmsn.sigmf_source(str(path), datatype="cf32", sample_rate=RATE)
    flowgraph.connect(source, sink)
    for port in collector.messages:
        flowgraph.msg_connect((sink, port), (collector, port))
    flowgraph.run()
    assert [segment[keys.EVENT] for segment in collector.messages[keys.SEGMENTS]] == ["new", "gone"]
    assert len(collector.messages[keys.FRAMES]) == 1
    assert collector.messages[keys.STATUS][-1][keys.SAMPLES_ANALYSED] == FRAME // 2


def test_a_retune_starts_a_new_frame_with_the_right_axes(make_sink):
    collector = Collector()
    tags = [tag(0, "rx_freq", pmt.from_double(1e9)), tag(FRAME + 100, "rx_freq", pmt.from_double(2.4e9))]
    sink = make_sink(frames_per_second=1000)
    status = run(signal(3 * FRAME), sink, tags, collector)
    assert status[keys.SAMPLES_ANALYSED] == 3 * FRAME
    assert sorted(round(carrier.center_frequency / 1e9, 1) for carrier in sink.carriers()) == [1.0, 2.4]
    first_new = [fields for fields, _ in collector.messages[keys.FRAMES] if fields[keys.CENTER_FREQUENCY] == 2.4e9][0]
    assert first_new[keys.START_OFFSET] == FRAME + 100


def test_a_gap_is_counted_in_samples_and_ends_the_frame(make_sink):
    collector = Collector()
    place = FRAME + 5000
    lost = 123_457
    seconds, fraction = divmod((place + lost) / RATE, 1)
    tags = [time_tag(0, 1000, 0.0), time_tag(place, 1000 + int(seconds), fraction)]
    status = run(signal(3 * FRAME), make_sink(mode="replay", frames_per_second=1000), tags, collector)
    assert status[keys.SAMPLES_LOST] == lost
    assert status[keys.SAMPLES_ANALYSED] == 3 * FRAME
    after = [fields for fields, _ in collector.messages[keys.FRAMES] if fields[keys.START_OFFSET] == place]
    seconds_after, fraction_after = after[0][keys.RX_TIME]
    assert seconds_after - 1000 + fraction_after == pytest.approx((place + lost) / RATE, abs=1e-9)


def test_a_new_rate_gives_frames_of_the_new_length(make_sink):
    collector = Collector()
    tags = [tag(FRAME, "rx_rate", pmt.from_double(4e6))]
    status = run(signal(FRAME + 2 * 160_000), make_sink(frames_per_second=1000), tags, collector)
    assert status[keys.SAMPLE_RATE] == 4e6 and status[keys.SAMPLES_ANALYSED] == FRAME + 320_000
    assert {fields[keys.SAMPLE_RATE] for fields, _ in collector.messages[keys.FRAMES]} == {RATE, 4e6}


def test_a_rate_that_cannot_be_is_reported_and_the_stream_goes_on(make_sink):
    status = run(signal(2 * FRAME), make_sink(), [tag(100, "rx_rate", pmt.from_double(5.0))])
    assert "1 to 125 Msps" in status[keys.ERROR]
    assert status[keys.SAMPLES_RECEIVED] == 2 * FRAME


def test_live_drops_whole_frames_when_late_and_counts_them(make_sink):
    sink = make_sink(SlowRuntime(0.3), mode="live")
    status = run(signal(40 * FRAME), sink)
    assert status[keys.FRAMES_DROPPED] > 0 and status[keys.COVERAGE] < 1
    assert status[keys.SAMPLES_RECEIVED] == status[keys.SAMPLES_ANALYSED] + status[keys.SAMPLES_DROPPED]
    assert status[keys.SAMPLES_DROPPED] >= (status[keys.FRAMES_DROPPED] - 1) * FRAME


def test_an_error_in_the_model_is_reported_and_the_stream_goes_on(make_sink):
    class Failing(ThresholdRuntime):
        calls = 0

        def probabilities(self, images):
            self.calls += 1
            if self.calls == 2:
                raise RuntimeError("out of luck")
            return super().probabilities(images)

    status = run(signal(5 * FRAME), make_sink(Failing()))
    assert "out of luck" in status[keys.ERROR]
    assert status[keys.SAMPLES_ANALYSED] == 4 * FRAME and status[keys.SAMPLES_DROPPED] == FRAME


def test_input_that_is_not_fit_is_named_in_the_status(make_sink):
    samples = signal(2 * FRAME)
    samples[FRAME + 5] = np.nan
    status = run(samples, make_sink())
    assert "NaN" in status[keys.HEALTH] and status[keys.SAMPLES_ANALYSED] == 2 * FRAME


@pytest.mark.parametrize("mode", ["live", "replay"])
def test_stop_while_busy_returns_soon(make_sink, mode):
    flowgraph = gr.top_block()
    source = blocks.vector_source_c(signal(10 * FRAME).tolist(), True)
    sink = make_sink(SlowRuntime(0.1), mode=mode)
    flowgraph.connect(source, sink)
    flowgraph.start()
    time.sleep(0.5)
    started = time.monotonic()
    flowgraph.stop()
    flowgraph.wait()
    assert time.monotonic() - started < HANG_S


def test_fifty_starts_and_stops_leave_no_thread(make_sink):
    before = set(threading.enumerate())
    flowgraph = gr.top_block()
    source = blocks.vector_source_c(signal(FRAME).tolist(), True)
    sink = make_sink()
    flowgraph.connect(source, sink)
    for _ in range(50):
        flowgraph.start()
        flowgraph.stop()
        flowgraph.wait()
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("rpmsn")]


def test_commands_set_the_frequency_and_bad_ones_are_ignored(make_sink):
    sink = make_sink()
    unknown = pmt.dict_add(pmt.make_dict(), pmt.intern("gain"), pmt.PMT_T)
    for message in (pmt.intern("nonsense"), pmt.from_double(1.0), unknown):
        sink._handle_command(message)
    flowgraph = gr.top_block()
    source = blocks.vector_source_c(signal(2 * FRAME).tolist(), False)
    flowgraph.connect(source, sink)
    flowgraph.start()
    sink._handle_command(pdu.make_tune_command(7e8))
    flowgraph.wait()
    assert sink.status()[keys.CENTER_FREQUENCY] in (0.0, 7e8)


@pytest.mark.parametrize(
    "arguments, error, words",
    [
        ({"sample_rate": 0.5e6}, ParameterError, "1 to 125 Msps"),
        ({"mode": "fast"}, ParameterError, "'live'"),
        ({"frames_per_second": -1}, ParameterError, "frames_per_second"),
        ({"runtime": "tensorrt"}, ParameterError, "openvino-int8"),
        ({"runtime": "onnxruntime"}, RpmsnError, "onnxruntime"),
        ({"model": "nonsense"}, ModelError, "there are"),
    ],
)
def test_bad_parameters_are_named(make_sink, arguments, error, words):
    with pytest.raises(error, match=words):
        make_sink(**arguments)


def test_frames_show_every_sample_once(make_sink):
    collector = Collector()
    run(signal(2 * FRAME + FRAME // 4), make_sink(frames_per_second=1000), collector=collector)
    shown = [
        (fields[keys.START_OFFSET], fields[keys.END_OFFSET], fields[keys.ROWS], image.size // 256)
        for fields, image in collector.messages[keys.FRAMES]
    ]
    assert shown == [(0, FRAME, 256, 256), (FRAME, 2 * FRAME, 256, 256), (2 * FRAME, 2 * FRAME + FRAME // 4, 64, 64)]


def test_a_sink_runs_again_at_the_rate_that_a_tag_left_it_with(make_sink):
    sink = make_sink()
    run(signal(FRAME + 1000), sink, [tag(FRAME + 500, "rx_rate", pmt.from_double(4e6))])
    status = run(signal(2 * FRAME), sink)
    assert status[keys.SAMPLE_RATE] == 4e6 and status[keys.SAMPLES_ANALYSED] == 2 * FRAME and keys.ERROR not in status


@pytest.mark.parametrize("mode, at_once", [("live", 1), ("replay", 20)])
def test_a_replay_sends_after_a_pause_what_it_has_not_sent_and_a_radio_the_newest(all_lte, monkeypatch, mode, at_once):
    sink = rpmsn.segmenter_sink(5e6, model=str(all_lte), mode=mode, frames_per_second=10)
    now, sent = [100.0], []
    module = sys.modules[rpmsn.segmenter_sink.__module__]
    monkeypatch.setattr(module, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(module, "frame_fields", lambda *_: ({}, b""))
    monkeypatch.setattr(sink, "_publish", lambda *_: sent.append(now[0]))
    sink._next_frame_s = 90.0
    frame = type("Frame", (), {"number": 0})()
    for _ in range(30):
        sink._send_frame(frame, None)
    assert abs(len(sent) - at_once) <= 1
