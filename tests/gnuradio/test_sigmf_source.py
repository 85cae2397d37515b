# SPDX-License-Identifier: GPL-3.0-or-later
"""The source block in real flowgraphs: every sample, the tags of a radio, its pace; and its GRC description."""

import ast
import inspect
import json
import os
import time

import numpy as np
import pytest
from limits import HANG_S

gr = pytest.importorskip("gnuradio.gr", reason="GNU Radio is not installed")
import pmt
import yaml
from conftest import ROOT
from gnuradio import blocks
from gnuradio.rpmsn.sigmf_source import PACING_SLICE_S, Pace, sigmf_source

from rpmsn.errors import ParameterError, RecordingError
from rpmsn.recording import open_recording

NOON = 1714564800
"""2024-05-01T12:00:00Z in seconds since 1970."""

CAPTURES = [
    {"core:sample_start": 0, "core:frequency": 1.8675e9, "core:datetime": "2024-05-01T12:00:00.25Z"},
    {"core:sample_start": 70_001, "core:frequency": 2.4e9},
    {"core:sample_start": 150_000, "core:frequency": 3.5e9, "core:datetime": "2024-05-01T12:00:09Z"},
]


class TagCollector(gr.sync_block):
    """Keeps the tags, and when the samples came (seconds of the clock, samples so far)."""

    def __init__(self):
        gr.sync_block.__init__(self, "tag_collector", [np.complex64], None)
        self.tags = []
        self.end = None
        self.arrivals = []

    def work(self, input_items, output_items):
        n = len(input_items[0])
        for tag in self.get_tags_in_window(0, 0, n):
            key = pmt.symbol_to_string(tag.key)
            if key == "stream_end":
                self.end = tag.offset
            else:
                self.tags.append((tag.offset, key, pmt.to_python(tag.value)))
        self.arrivals.append((time.monotonic(), self.nitems_read(0) + n))
        return n


@pytest.fixture
def make(tmp_path):
    """Write a ci8 recording; returns its path."""

    def write(n, captures=CAPTURES, sample_rate=1e6, name="band"):
        metadata = {
            "global": {"core:datatype": "ci8", "core:sample_rate": sample_rate, "core:version": "1.2.0"},
            "captures": captures,
            "annotations": [],
        }
        path = tmp_path / f"{name}.sigmf-meta"
        path.write_text(json.dumps(metadata))
        values = np.random.default_rng(n).integers(-128, 128, 2 * n).astype(np.int8)
        values.tofile(tmp_path / f"{name}.sigmf-data")
        return str(path)

    return write


def play(source, n=None):
    """Run `source`, to its end or for `n` samples; returns the samples and the collector of tags."""
    tb, sink, collector = gr.top_block(), blocks.vector_sink_c(), TagCollector()
    head = blocks.head(gr.sizeof_gr_complex, n if n is not None else 1 << 40)
    tb.connect(source, head, sink)
    tb.connect(head, collector)
    tb.run()
    return np.array(sink.data(), np.complex64), collector


class TestSamples:
    @pytest.mark.parametrize("n", [1, 7, 65_537, 300_001])
    def test_every_sample_arrives_also_an_odd_number_of_them(self, make, n):
        path = make(n)
        samples, _ = play(sigmf_source(path))
        np.testing.assert_array_equal(samples, open_recording(path).read(0, n))

    @pytest.mark.parametrize("datatype, dtype", [("ci8", "i1"), ("cu8", "u1"), ("ci16", "<i2"), ("cf32", "<f4")])
    def test_raw_files_of_every_format_play(self, tmp_path, datatype, dtype):
        path = tmp_path / "raw.bin"
        np.arange(-100, 100).astype(dtype).tofile(path)
        source = sigmf_source(str(path), datatype=datatype, sample_rate=2e6, center_frequency=1e9)
        samples, _ = play(source)
        assert (source.sample_rate(), source.center_frequency()) == (2e6, 1e9)
        expected = open_recording(path, datatype=datatype, sample_rate=2e6).read(0, 100)
        np.testing.assert_array_equal(samples, expected)

    def test_repeat_joins_the_end_to_the_beginning(self, make):
        path = make(10_007)
        samples, _ = play(sigmf_source(path, repeat=True), 35_000)
        np.testing.assert_array_equal(samples, np.tile(open_recording(path).read(0, 10_007), 4)[:35_000])

    @pytest.mark.parametrize("asked", ["native", "ci8"])
    def test_integers_come_out_as_they_lie_in_the_file(self, make, asked):
        path = make(300_001)
        source, tb, sink = sigmf_source(path, output_type=asked), gr.top_block(), blocks.vector_sink_b(2)
        assert source.output_type() == "ci8"
        tb.connect(source, sink)
        tb.run()
        values = np.array(sink.data(), np.uint8).view(np.int8).reshape(-1, 2)
        np.testing.assert_array_equal(values, open_recording(path).read_native(0, 300_001))

    @pytest.mark.parametrize("datatype, native", [("ci16", "ci16"), ("cu8", "complex"), ("cf32", "complex")])
    def test_what_is_native_is_what_can_be_analysed_as_it_is(self, tmp_path, datatype, native):
        path = tmp_path / "raw.bin"
        path.write_bytes(bytes(800))
        options = dict(datatype=datatype, sample_rate=2e6)
        assert sigmf_source(str(path), **options, output_type="native").output_type() == native
        assert sigmf_source(str(path), **options).output_type() == "complex"

    def test_recordings_of_other_radios_play(self, captures):
        path = captures / "ota_rtlsdr_lte_1860MHz"
        samples, collector = play(sigmf_source(str(path)))
        assert len(samples) == 480_000
        assert (0, "rx_freq", 1.86e9) in collector.tags


class TestTags:
    def test_each_capture_segment_is_tagged_at_its_first_sample(self, make):
        _, collector = play(sigmf_source(make(200_000)))
        tags = {(offset, key): value for offset, key, value in collector.tags}
        assert len(tags) == len(collector.tags) == 9
        assert {offset for offset, _ in tags} == {0, 70_001, 150_000}
        for offset, frequency, seconds, fraction in (
            (0, 1.8675e9, NOON, 0.25),
            (70_001, 2.4e9, NOON, 0.25 + 0.070001),
            (150_000, 3.5e9, NOON + 9, 0.0),
        ):
            assert tags[offset, "rx_rate"] == 1e6
            assert tags[offset, "rx_freq"] == frequency
            assert tags[offset, "rx_time"] == (seconds, pytest.approx(fraction, abs=1e-9))

    def test_tags_have_the_types_that_radios_use(self, make):
        tb, source, sink = gr.top_block(), sigmf_source(make(1000)), blocks.vector_sink_c()
        tb.connect(source, sink)
        tb.run()
        tags = {pmt.symbol_to_string(tag.key): tag.value for tag in sink.tags()}
        assert pmt.is_real(tags["rx_freq"]) and pmt.is_real(tags["rx_rate"])
        assert pmt.is_tuple(tags["rx_time"])
        assert pmt.is_uint64(pmt.tuple_ref(tags["rx_time"], 0)) and pmt.is_real(pmt.tuple_ref(tags["rx_time"], 1))

    def test_what_is_unknown_is_not_tagged(self, make):
        source = sigmf_source(make(1000, captures=[{"core:sample_start": 0}, {"core:sample_start": 500}]))
        _, collector = play(source)
        assert source.center_frequency() == 0.0
        assert collector.tags == [(0, "rx_rate", 1e6)]

    def test_captures_that_say_nothing_new_are_not_tagged(self, make):
        captures = [{"core:sample_start": 100 * k, "core:frequency": 1e9} for k in range(1, 9)]
        _, collector = play(sigmf_source(make(1000, captures=captures)))
        assert sorted(collector.tags) == [(0, "rx_freq", 1e9), (0, "rx_rate", 1e6)]

    def test_the_last_sample_says_that_it_is_the_last(self, make):
        _, collector = play(sigmf_source(make(70_001)))
        assert collector.end == 70_000

    def test_a_time_before_1970_is_not_tagged(self, make):
        path = make(100, captures=[{"core:sample_start": 0, "core:datetime": "1955-11-05T14:00:00.000Z"}])
        _, collector = play(sigmf_source(path))
        assert collector.tags == [(0, "rx_rate", 1e6)]

    def test_each_repetition_is_tagged_again(self, make):
        _, collector = play(sigmf_source(make(200_000), repeat=True), 450_000)
        starts = sorted({offset for offset, key, _ in collector.tags if key == "rx_time"})
        assert starts == [0, 70_001, 150_000, 200_000, 270_001, 350_000, 400_000]
        assert (200_000, "rx_time", (NOON, 0.25)) in collector.tags

    def test_a_second_start_goes_on_and_is_tagged_where_it_goes_on(self, make):
        captures = [{"core:sample_start": n, "core:frequency": 1e9 + n} for n in range(0, 2_000_000, 100)]
        source, tb, rest = sigmf_source(make(2_000_000, captures)), gr.top_block(), TagCollector()
        head, sink = blocks.head(gr.sizeof_gr_complex, 1000), blocks.null_sink(gr.sizeof_gr_complex)
        tb.connect(source, head, sink)
        tb.run()
        tb.disconnect_all()
        tb.connect(source, rest)
        tb.run()
        count = rest.arrivals[-1][1]
        (frequency,) = [value for offset, key, value in rest.tags if offset == 0 and key == "rx_freq"]
        assert 0 < count < 2_000_000
        assert frequency == 1e9 + (2_000_000 - count) // 100 * 100


class TestPace:
    def test_real_time_takes_as_long_as_the_signal_lasts(self, make):
        source = sigmf_source(make(500_000), real_time=True)
        tb, collector = gr.top_block(), TagCollector()
        tb.connect(source, collector)
        started = time.monotonic()
        tb.run()
        assert collector.arrivals[-1][1] == 500_000
        assert 0.5 <= time.monotonic() - started < HANG_S
        for clock, count in collector.arrivals:
            assert clock - started >= count / 1e6

    def test_no_pace_takes_less(self, make):
        started = time.monotonic()
        play(sigmf_source(make(1_000_000, sample_rate=1e4)))
        assert time.monotonic() - started < HANG_S < 100

    @pytest.mark.parametrize("sample_rate", [1.0, 44_100.0, 61.44e6, 122.88e6])
    @pytest.mark.parametrize("room", [1, 1000, 131_072])
    def test_the_average_rate_is_exact_however_long_the_work_itself_takes(self, sample_rate, room):
        clock, busy_s, turns = FakeClock(), 0.003, 3000
        pace, delivered = Pace(sample_rate, clock.now, clock.sleep), 0
        for _ in range(turns):
            n = pace.wait(room)
            assert delivered + n <= clock.now() * sample_rate
            clock.advance(busy_s)
            pace.delivered(n)
            delivered += n
        late = max(1, sample_rate * (PACING_SLICE_S + busy_s))
        assert delivered >= min(clock.now() * sample_rate - late - 1, turns * room)
        assert clock.longest_sleep <= PACING_SLICE_S

    def test_a_late_start_is_caught_up(self):
        clock = FakeClock()
        pace = Pace(1e6, clock.now, clock.sleep)
        clock.advance(0.5)
        assert pace.wait(1 << 20) == pytest.approx(500_000, abs=1)

    def test_a_paced_source_stops_at_once(self, make):
        source, tb = sigmf_source(make(500, sample_rate=1.0), real_time=True), gr.top_block()
        tb.connect(source, blocks.null_sink(8))
        tb.start()
        time.sleep(0.1)
        started = time.monotonic()
        tb.stop()
        tb.wait()
        assert time.monotonic() - started < HANG_S


class FakeClock:
    """A clock that moves when it is set, and at a sleep."""

    def __init__(self):
        self._now = 0.0
        self.longest_sleep = 0.0

    def now(self):
        return self._now

    def advance(self, seconds):
        self._now += seconds

    def sleep(self, seconds):
        self.advance(seconds)
        self.longest_sleep = max(self.longest_sleep, seconds)


class TestErrors:
    def test_a_recording_that_cannot_be_opened_stops_the_flowgraph_from_being_made(self, tmp_path):
        with pytest.raises(RecordingError, match="does not exist"):
            sigmf_source(str(tmp_path / "none.sigmf-meta"))

    def test_a_negative_rate_is_refused(self, make):
        with pytest.raises(ParameterError, match="sample_rate is -1"):
            sigmf_source(make(10), sample_rate=-1.0)

    def test_a_type_that_the_recording_does_not_have_is_refused(self, make):
        with pytest.raises(ParameterError, match="'ci16', but .* holds ci8: choose 'complex' or 'native'"):
            sigmf_source(make(10), output_type="ci16")
        with pytest.raises(ParameterError, match="'float', but complex, ci16, ci8 or native"):
            sigmf_source(make(10), output_type="float")

    def test_a_file_that_shrinks_ends_the_stream_with_the_reason(self, make, tmp_path):
        source = sigmf_source(make(1_000_000))
        os.truncate(tmp_path / "band.sigmf-data", 1000)
        samples, _ = play(source)
        assert len(samples) == 0
        assert "has become shorter" in source.error

    def test_a_good_recording_leaves_no_error(self, make):
        source = sigmf_source(make(1000))
        play(source)
        assert source.error is None


class TestGrc:
    def test_the_description_passes_the_parameters_of_the_block(self):
        description = yaml.safe_load((ROOT / "grc" / "rpmsn_sigmf_source.block.yml").read_text())
        call = ast.parse(description["templates"]["make"].replace("${", "(").replace("}", ")")).body[0].value
        names = [keyword.arg for keyword in call.keywords]
        assert names == list(inspect.signature(sigmf_source.__init__).parameters)[1:]
        assert names == [parameter["id"] for parameter in description["parameters"]]

    def test_the_tree_has_the_block(self):
        tree = yaml.safe_load((ROOT / "grc" / "rpmsn.tree.yml").read_text())
        assert "rpmsn_sigmf_source" in tree["[RPMSN]"]
