# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong at a station, in real flowgraphs: the radio's thread never stops, and nothing is silently lost."""

import json
import shutil
import time

import numpy as np
import pytest

pmt = pytest.importorskip("pmt", reason="GNU Radio is not installed")

from gnuradio import blocks, gr
from oracle import ThresholdRuntime
from test_segmenter_sink import FRAME, RATE, Collector, SlowRuntime, make_sink, run, signal, tag, time_tag  # noqa: F401

from rpmsn.messages import keys
from rpmsn.recording import open_recording


def account(status):
    """Whether every sample received is reported."""
    return status[keys.SAMPLES_RECEIVED] == (
        status[keys.SAMPLES_ANALYSED] + status[keys.SAMPLES_DROPPED] + status[keys.SAMPLES_SKIPPED]
    )


def times(*places):
    """Tags rx_time: (sample, seconds since the first sample) each."""
    return [time_tag(place, 1000 + int(seconds), seconds % 1) for place, seconds in places]


class TestTime:
    @pytest.mark.parametrize("lost", [1, int(10 * RATE)])
    def test_a_gap_is_counted_to_the_sample(self, make_sink, lost):
        place = FRAME + 300
        status = run(signal(3 * FRAME), make_sink(), times((0, 0), (place, (place + lost) / RATE)))
        assert (status[keys.SAMPLES_LOST], status[keys.OVERFLOWS]) == (lost, 1)
        assert account(status) and status[keys.SAMPLES_ANALYSED] == 3 * FRAME

    def test_many_gaps_add_up(self, make_sink):
        places = [(index * 7000, (index * 7000 + index * 11) / RATE) for index in range(30)]
        status = run(signal(3 * FRAME), make_sink(), times(*places))
        assert (status[keys.SAMPLES_LOST], status[keys.OVERFLOWS]) == (29 * 11, 29) and account(status)

    def test_time_that_jumps_back_starts_a_new_frame_and_loses_nothing(self, make_sink):
        collector = Collector()
        sink = make_sink(frames_per_second=1e9)
        status = run(signal(3 * FRAME), sink, times((0, 50), (FRAME + 300, 20)), collector)
        assert (status[keys.SAMPLES_LOST], status[keys.OVERFLOWS]) == (0, 0)
        assert account(status) and status[keys.SAMPLES_ANALYSED] == 3 * FRAME
        started = {fields[keys.START_OFFSET]: fields[keys.RX_TIME][0] for fields, _ in collector.messages[keys.FRAMES]}
        assert started[0] == 1050 and started[FRAME + 300] == 1020

    def test_a_time_that_fits_is_no_gap(self, make_sink):
        status = run(signal(3 * FRAME), make_sink(), times((0, 0), (FRAME + 300, (FRAME + 300) / RATE)))
        assert status[keys.OVERFLOWS] == 0 and status[keys.FRAMES_ANALYSED] == 3


class TestTags:
    def test_a_tag_that_cannot_be_read_loses_no_sample_and_no_other_tag(self, make_sink):
        tags = [
            tag(FRAME, "rx_freq", pmt.from_double(2e9)),
            tag(FRAME, "rx_rate", pmt.intern("fast")),
            tag(FRAME + 10, "rx_time", pmt.intern("noon")),
            tag(2 * FRAME, "rx_freq", pmt.from_double(3e9)),
        ]
        status = run(signal(3 * FRAME), make_sink(), tags)
        assert status[keys.SAMPLES_ANALYSED] == 3 * FRAME and account(status)
        assert status[keys.CENTER_FREQUENCY] == 3e9 and "tag rx_time is noon" in status[keys.ERROR]


class TestTuning:
    def test_a_retune_every_50_ms_loses_nothing_and_keeps_carriers(self, make_sink):
        step, count = int(0.05 * RATE), 40
        tags = [tag(index * step, "rx_freq", pmt.from_double(1e9 + 1e7 * (index % 2))) for index in range(count)]
        sink = make_sink()
        status = run(signal(count * step), sink, tags)
        assert account(status) and status[keys.SAMPLES_ANALYSED] == count * step
        # One carrier in each of the two places, found again at every visit.
        assert sorted(round(carrier.freq_lower / 1e6, 1) for carrier in sink.carriers()) == [999.7, 1009.7]


class TestSamples:
    def test_bursts_of_nan_spoil_only_their_frames(self, make_sink):
        samples = signal(10 * FRAME)
        samples[2 * FRAME + 5] = np.nan
        samples[5 * FRAME : 5 * FRAME + 1000] = np.inf
        collector = Collector()
        status = run(samples, make_sink(frames_per_second=1e9), collector=collector)
        assert account(status) and status[keys.SAMPLES_ANALYSED] == 10 * FRAME
        seen = {
            segment[keys.START_OFFSET] // FRAME
            for segment in collector.messages[keys.SEGMENTS]
            if segment[keys.EVENT] != "gone"
        }
        assert seen == set(range(10)) - {2, 5}

    def test_a_model_that_always_fails_is_reported_and_all_is_counted(self, make_sink):
        class Failing(ThresholdRuntime):
            def probabilities(self, images):
                raise MemoryError("no room")

        status = run(signal(6 * FRAME), make_sink(Failing(), mode="live"))
        assert "no room" in status[keys.ERROR]
        assert account(status) and status[keys.SAMPLES_ANALYSED] == 0

    def test_a_duty_cycle_is_reported_as_coverage(self, make_sink):
        status = run(signal(20 * FRAME), make_sink(duty_cycle=0.25))
        assert status[keys.COVERAGE] == 0.25 and status[keys.SAMPLES_SKIPPED] == 15 * FRAME and account(status)
        assert status[keys.FRAMES_DROPPED] == 0


class TestFiles:
    def test_logs_and_snippets_are_written_by_the_sink_itself(self, make_sink, tmp_path):
        folder = tmp_path / "iq"
        folder.mkdir()
        sink = make_sink(
            center_frequency=9e8,
            logs=f"{tmp_path}/a.jsonl, {tmp_path}/b.csv, {tmp_path}/c.sigmf-meta",
            snippets=str(folder),
            snippet_labels="LTE",
            snippet_seconds=0.1,
        )
        run(signal(8 * FRAME), sink)
        lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
        events = [line["event"] for line in lines if line["topic"] == "segment"]
        assert events == ["new"] + ["update"] * 7 + ["gone"]
        assert len((tmp_path / "b.csv").read_text().splitlines()) == 1 + len(events)
        (log,) = tmp_path.glob("c*.sigmf-meta")
        assert len(json.loads(log.read_text())["annotations"]) == 1
        (snippet,) = folder.glob("*.sigmf-meta")
        with open_recording(snippet) as recording:
            assert recording.duration == pytest.approx(0.1, rel=0.01)
            assert recording.captures[0].center_frequency == pytest.approx(9e8 + 2.5e5, abs=3e5)

    def test_a_second_run_writes_new_files(self, make_sink, tmp_path):
        sink = make_sink(logs=[str(tmp_path / "a.jsonl")])
        for _ in range(2):
            run(signal(3 * FRAME), sink)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "a_2.jsonl"]

    def test_a_folder_that_vanishes_is_reported_in_the_status_and_the_radio_goes_on(self, make_sink, tmp_path):
        folder = tmp_path / "logs"
        folder.mkdir()
        sink = make_sink(SlowRuntime(0.01), logs=[str(folder / "a.jsonl")], mode="live")
        flowgraph = gr.top_block()
        source = blocks.vector_source_c(signal(FRAME).tolist(), True)
        throttle = blocks.throttle(gr.sizeof_gr_complex, RATE, True)
        flowgraph.connect(source, throttle, sink)
        flowgraph.start()
        try:
            wait_for(lambda: sink.status()[keys.FRAMES_ANALYSED] > 2)
            shutil.rmtree(folder)
            wait_for(lambda: "cannot be written" in sink.status().get(keys.ERROR, ""))
            before = sink.status()[keys.SAMPLES_RECEIVED]
            wait_for(lambda: sink.status()[keys.SAMPLES_RECEIVED] > before + RATE / 4)
            folder.mkdir()
            wait_for(lambda: keys.ERROR not in sink.status())
        finally:
            flowgraph.stop()
            flowgraph.wait()
        assert [line for line in (folder / "a.jsonl").read_text().splitlines() if json.loads(line)]

    @pytest.mark.parametrize(
        "arguments, words",
        [
            ({"logs": "scan.txt"}, "jsonl"),
            ({"logs": "/no/such/folder/scan.csv"}, "does not exist"),
            ({"snippets": "/no/such/folder"}, "does not exist"),
            ({"logs": "a.jsonl", "log_rotate_bytes": 5}, "4096"),
            ({"snippets": "/tmp", "snippet_labels": "GSM"}, "LTE, NR, other"),
        ],
    )
    def test_what_cannot_be_written_is_refused_when_the_block_is_made(
        self, make_sink, tmp_path, monkeypatch, arguments, words
    ):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(Exception, match=words):
            make_sink(**arguments)


def wait_for(happens, seconds=20):
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
