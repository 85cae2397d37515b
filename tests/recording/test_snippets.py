# SPDX-License-Identifier: GPL-3.0-or-later
"""IQ of chosen carriers: bands cut out without a seam, their files, the disk quota, kills and faults."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import sigmf
from limits import HANG_S
from small_disk import child_environment, run_on_small_disk
from test_logs import HERE, FakeCarrier

from rpmsn.detection.segmenter import Frame
from rpmsn.detection.segments import FrameGeometry
from rpmsn.errors import ParameterError, RecordingError
from rpmsn.recording import open_recording, snippet_files
from rpmsn.recording import snippets as recording_snippets
from rpmsn.recording.snippets import SnippetWriter
from rpmsn.signal.channelizer import BLOCK, HALF_TAPS, BandExtractor, Spectra, plan_band
from rpmsn.streaming.intake import StreamTime
from rpmsn.tracking.tracker import Event

RATE = 2e6
FRAME = 80_000
CENTER = 100e6
WAIT = HANG_S


@dataclass
class Station:
    """Drives a writer as the analysis does: a tone at `tone` Hz (absolute) and what is said about it."""

    writer: SnippetWriter
    tone: float = CENTER + 0.31e6
    rate: float = RATE
    center_frequency: float = CENTER
    kind: str = "complex64"
    offset: int = 0
    clock: StreamTime = StreamTime(0, 1_716_000_000, 0.25, RATE, "radio")
    number: int = 0
    on_air: dict = field(default_factory=dict)

    def samples(self):
        """The tone in this frame, at half of full scale; its phase is that of the absolute time."""
        n = self.offset + np.arange(FRAME)
        tone = 0.5 * np.exp(2j * np.pi * ((self.tone - self.center_frequency) / self.rate * n % 1))
        if self.kind == "complex64":
            return tone.astype(np.complex64)
        full_scale = np.iinfo(self.kind).max + 1
        return np.rint(np.stack([tone.real, tone.imag], axis=1) * full_scale).astype(self.kind)

    def frame(self, *carriers, gone=(), samples=None, new_from=None):
        """One frame in which `carriers` were seen."""
        end = self.offset + FRAME
        events = [Event("gone", self.on_air.pop(carrier_id)) for carrier_id in gone]
        for carrier in carriers:
            events.append(Event("update" if carrier.carrier_id in self.on_air else "new", carrier, carrier))
            self.on_air[carrier.carrier_id] = carrier
            carrier.sample_end = end
        geometry = FrameGeometry(self.rate, self.center_frequency, self.offset, FRAME, 256)
        frame = Frame(self.number, geometry, None, None, -90.0, new_from=self.offset if new_from is None else new_from)
        self.writer.take(frame, self.samples() if samples is None else samples, events, self.clock)
        self.offset, self.number = end, self.number + 1

    def frames(self, count, *carriers):
        for _ in range(count):
            self.frame(*carriers)


def carrier(carrier_id=1, middle=CENTER + 0.3e6, width=0.2e6, start=0, **fields):
    """A carrier that is `width` Hz wide round `middle`."""
    return FakeCarrier(
        carrier_id,
        freq_lower=middle - width / 2,
        freq_upper=middle + width / 2,
        sample_start=start,
        center_frequency=middle,
        bandwidth=width,
        sample_rate=RATE,
        **fields,
    )


def snippets(folder, unfinished=()):
    """Metadata files of the snippets in a folder; all there are must be valid and have data of the right hash.

    Only those whose names are `unfinished` may have data alone: a kill comes between two renames, too.
    """
    found = sorted(folder.glob("*.sigmf-meta"))
    for path in found:
        sigmf.fromfile(path).validate()
    names = {path.name.removesuffix(".sigmf-meta") for path in found}
    data = {path.name.removesuffix(".sigmf-data") for path in folder.glob("*.sigmf-data")}
    assert names <= data and data - names <= set(unfinished)
    return found


def samples_of(path):
    with open_recording(path) as recording:
        return recording.read(0, recording.sample_count), recording


def check_tone(path, tone, amplitude=0.5, tolerance=1e-3):
    """All of a recording is one tone at an absolute frequency: its phase does not jump anywhere."""
    samples, recording = samples_of(path)
    starts = [capture.sample_start for capture in recording.captures] + [len(samples)]
    for capture, end in zip(recording.captures, starts[1:]):
        n = np.arange(end - capture.sample_start)
        turned = samples[capture.sample_start : end] * np.exp(
            -2j * np.pi * ((tone - capture.center_frequency) / recording.sample_rate * n % 1)
        )
        # The filter reaches over the ends, where there is nothing.
        edge = round(1.5 * HALF_TAPS * recording.sample_rate / RATE)
        inside = turned[edge:-edge]
        assert len(inside) > 10
        assert np.abs(inside - inside[0]).max() < tolerance
        assert abs(np.abs(inside).mean() - amplitude) < tolerance
    return recording


def used(folder):
    """Bytes that the files in a folder take on the disk."""
    total = 0
    for entry in os.scandir(folder):
        try:
            total += snippet_files.on_disk(entry.stat().st_size)
        except FileNotFoundError:
            pass
    return total


class TestBands:
    def extract(self, samples, band, start=0, piece=10_000):
        spectra, extractor, parts = Spectra(start), BandExtractor(band), []
        for begin in range(0, len(samples), piece):
            parts += [extractor.extract(*block) for block in spectra.push(samples[begin : begin + piece])]
        end = spectra.end
        for block_start, spectrum in spectra.finish():
            parts.append(extractor.extract(block_start, spectrum)[: extractor.samples_before(block_start, end)])
        return np.concatenate(parts)

    @pytest.mark.parametrize("lower, upper", [(-9e6, 9e6), (5e6, 5.1e6), (20e6, 29e6), (-30.7e6, -29e6), (-25e6, 25e6)])
    def test_a_band_holds_what_it_is_for(self, lower, upper):
        band = plan_band(1e9 + lower, 1e9 + upper, 61.44e6, 1e9)
        low, high = band.pass_band
        inside = (max(1e9 + lower, 1e9 - 30.72e6), min(1e9 + upper, 1e9 + 30.72e6))
        # At the very end of the span the filter's slope has to lie inside.
        slope = 0.02 * band.sample_rate if abs(lower) > 30e6 else 0
        assert low <= inside[0] + slope and inside[1] - slope <= high
        assert band.sample_rate >= min(61.44e6, 1.25 * (upper - lower))
        assert abs(band.center_frequency - 1e9) + band.sample_rate / 2 <= 30.72e6 + 1

    @pytest.mark.parametrize("width, rate", [(18e6, 23.04e6), (4.5e6, 5.76e6), (9e6, 11.52e6), (60e6, 61.44e6)])
    def test_rates_are_tidy(self, width, rate):
        assert plan_band(-width / 2, width / 2, 61.44e6, 0.0).sample_rate == rate

    @pytest.mark.parametrize("start", [0, 1, 123_456_789_012])
    @pytest.mark.parametrize("width", [0.05, 0.2, 0.45])
    def test_a_tone_inside_comes_out_with_its_phase_and_one_outside_does_not(self, start, width):
        band = plan_band(0.1, 0.1 + width, 1.0, 0.0)
        inside, outside = 0.1 + 0.3 * width, -0.3
        n = 300_000
        t = start + np.arange(n)
        found = self.extract(
            np.exp(2j * np.pi * (inside * t % 1)) + np.exp(2j * np.pi * (outside * t % 1)), band, start
        )
        assert len(found) == np.ceil(n * band.size / BLOCK)
        times = start + np.arange(len(found)) * (BLOCK / band.size)
        # The phase modulo one turn is exact where start * frequency would not be.
        wanted = np.exp(
            2j * np.pi * ((inside * start) % 1 + inside * (times - start) - band.center_bin * times / BLOCK % 1)
        )
        edge = 2 * HALF_TAPS * band.size // BLOCK
        assert np.abs(found - wanted)[edge:-edge].max() < 2e-4

    def test_pieces_of_any_length_give_the_same(self):
        rng = np.random.default_rng(1)
        samples = (rng.normal(size=150_000) + 1j * rng.normal(size=150_000)).astype(np.complex64)
        band = plan_band(0.1, 0.2, 1.0, 0.0)
        first, second = (self.extract(samples, band, piece=piece) for piece in (150_000, 777))
        np.testing.assert_array_equal(first, second)


class TestSnippets:
    @pytest.mark.parametrize(
        "kind, datatype, tolerance",
        [("complex64", "cf32_le", 1e-5), ("int16", "ci16_le", 2e-4), ("int8", "ci16_le", 2e-2)],
    )
    def test_a_tone_stays_a_tone_over_frames(self, tmp_path, kind, datatype, tolerance):
        with SnippetWriter(tmp_path, model="rpmsn-rt", wait=True) as writer:
            Station(writer, kind=kind).frames(6, carrier())
        (path,) = snippets(tmp_path)
        recording = check_tone(path, CENTER + 0.31e6, tolerance=tolerance)
        assert recording.datatype == datatype and recording.sample_rate == 0.25e6
        assert recording.sample_count == 6 * FRAME * 0.25e6 / RATE
        assert (writer.fault, writer.skipped, writer.missed, writer.finished) == ("", 0, 0, 1)
        assert not list(tmp_path.glob("*.part"))

    def test_its_metadata_have_place_time_and_carrier(self, tmp_path):
        with SnippetWriter(tmp_path, model="rpmsn-rt", wait=True) as writer:
            station = Station(writer, offset=5 * FRAME)
            # The carrier comes up in the middle of the frame.
            station.frames(3, carrier(7, start=5 * FRAME + FRAME // 2))
        (path,) = snippets(tmp_path)
        assert path.name == "rpmsn_20240518T024000.450Z_LTE_100.300MHz_7.sigmf-meta"
        document = json.loads(path.read_text())
        (capture,), (annotation,) = document["captures"], document["annotations"]
        assert capture["core:datetime"] == "2024-05-18T02:40:00.450000000Z"
        assert abs(capture["core:frequency"] - 100.3e6) <= RATE / BLOCK
        assert (annotation["core:freq_lower_edge"], annotation["core:freq_upper_edge"]) == (100.2e6, 100.4e6)
        assert (annotation["core:sample_start"], annotation["core:sample_count"]) == (5_000, 25_000)
        assert annotation["core:label"] == "LTE" and annotation["rpmsn:carrier_id"] == 7
        assert document["global"]["rpmsn:model"] == "rpmsn-rt"
        assert document["global"]["core:recorder"].startswith("gr-rpmsn ")

    def test_a_carrier_over_the_whole_span_is_the_stream_itself(self, tmp_path):
        with SnippetWriter(tmp_path, wait=True) as writer:
            station = Station(writer, kind="int16")
            wanted = station.samples()
            station.frame(carrier(width=1.9e6, middle=CENTER))
        (path,) = snippets(tmp_path)
        found, recording = samples_of(path)
        assert recording.sample_rate == RATE and recording.center_frequency == CENTER
        np.testing.assert_array_equal(found, (wanted[:, 0] + 1j * wanted[:, 1]).astype(np.complex64) / 32768)

    def test_several_carriers_at_once_begin_and_end_on_their_own(self, tmp_path):
        low, high = carrier(1, CENTER - 0.5e6, label="NR"), carrier(2)
        with SnippetWriter(tmp_path, wait=True) as writer:
            station = Station(writer)
            station.frames(3, low)
            high.sample_start = station.offset
            station.frames(2, low, high)
            station.frame(high, gone=[1])
            station.frames(2, high)
        first, second = sorted(snippets(tmp_path), key=lambda path: path.stem[-1])
        assert samples_of(first)[1].duration == pytest.approx(5 * 0.04, abs=BLOCK / RATE)
        recording = check_tone(second, CENTER + 0.31e6)
        assert recording.duration == pytest.approx(5 * 0.04, abs=BLOCK / RATE)
        # It began while another was being cut out: with a block whose begin is in the frame before.
        begin = recording.captures[0].time
        assert begin[0] + begin[1] == pytest.approx(1_716_000_000.37, abs=BLOCK / RATE)

    def test_samples_that_a_frame_repeats_are_recorded_once(self, tmp_path):
        with SnippetWriter(tmp_path, wait=True) as writer:
            station = Station(writer)
            station.frames(2, carrier())
            station.offset -= FRAME // 2
            station.frame(carrier(), new_from=2 * FRAME)
        (path,) = snippets(tmp_path)
        assert check_tone(path, CENTER + 0.31e6).sample_count == 2.5 * FRAME / 8

    @pytest.mark.parametrize(
        "parameters, chosen",
        [
            ({}, {1, 2, 3}),
            ({"labels": "NR"}, {2}),
            ({"labels": {"NR", "other"}}, {2, 3}),
            ({"min_confidence": 0.8}, {1, 2}),
            ({"freq_range": (CENTER, CENTER + 1e6)}, {1}),
            ({"min_confidence": 0.8, "labels": ["LTE"]}, {1}),
        ],
    )
    def test_only_what_was_asked_for_is_recorded(self, tmp_path, parameters, chosen):
        with SnippetWriter(tmp_path, wait=True, **parameters) as writer:
            Station(writer).frames(
                2,
                carrier(1, CENTER + 0.3e6, label="LTE", confidence=0.9),
                carrier(2, CENTER - 0.3e6, label="NR", confidence=0.8),
                carrier(3, CENTER - 0.7e6, label="other", confidence=0.7),
            )
        assert {int(path.stem.split("_")[-1]) for path in snippets(tmp_path)} == chosen

    def test_a_carrier_that_reaches_the_confidence_later_is_recorded_from_then_on(self, tmp_path):
        with SnippetWriter(tmp_path, min_confidence=0.8, wait=True) as writer:
            station = Station(writer)
            station.frames(2, carrier(confidence=0.5))
            station.frames(2, carrier(confidence=0.9))
            station.frames(2, carrier(confidence=0.5))
        (path,) = snippets(tmp_path)
        assert samples_of(path)[1].time_at(0) == (1_716_000_000, pytest.approx(0.33))
        assert samples_of(path)[1].duration == pytest.approx(0.16)

    @pytest.mark.parametrize("is_late", [False, True])
    def test_a_carrier_is_recorded_for_so_long_and_no_longer(self, tmp_path, monkeypatch, is_late):
        """Also where it is known to be gone before all frames of it have been looked at."""
        frames, done, record = threading.Semaphore(0 if is_late else 99), [], SnippetWriter._record_next

        def record_next(writer):
            frames.acquire(timeout=HANG_S)
            record(writer)
            done.append(writer)

        monkeypatch.setattr(SnippetWriter, "_record_next", record_next)
        monkeypatch.setattr(recording_snippets, "MAX_COPIES", 8)
        with SnippetWriter(tmp_path, max_seconds=0.1, wait=True) as writer:
            station = Station(writer)
            station.frames(5, carrier(1))
            frames.release(4)
            end = time.monotonic() + HANG_S
            while len(done) < 4 and time.monotonic() < end:
                time.sleep(0.01)
            station.frame(carrier(2), gone=[1])
            frames.release(99)
        durations = [samples_of(path)[1].duration for path in snippets(tmp_path)]
        assert durations == [pytest.approx(0.1), pytest.approx(0.04, abs=1e-4)]

    def test_the_next_one_begins_with_its_own_samples_when_the_thread_was_late(self, tmp_path, monkeypatch):
        """Frames that were taken before the first was complete, and of which nothing is recorded any more."""
        may_record, record = threading.Event(), SnippetWriter._record

        def late(writer, job):
            assert may_record.wait(WAIT)
            return record(writer, job)

        monkeypatch.setattr(SnippetWriter, "_record", late)
        with SnippetWriter(tmp_path, max_seconds=0.01, wait=True) as writer:
            station = Station(writer)
            station.frames(2, carrier(1))
            may_record.set()
            assert writer.flush(WAIT)
            station.frame(carrier(2), gone=[1])
            assert writer.flush(WAIT)
            station.frames(2, carrier(2))
        begins = [sigmf.fromfile(path).get_captures()[0]["core:datetime"] for path in snippets(tmp_path)]
        assert begins == ["2024-05-18T02:40:00.250000000Z", "2024-05-18T02:40:00.330000000Z"]

    def test_a_number_that_is_given_again_is_another_carrier(self, tmp_path):
        with SnippetWriter(tmp_path, max_seconds=0.03, wait=True) as writer:
            for _ in range(2):
                station = Station(writer, offset=writer.finished * 10 * FRAME)
                station.frame(carrier(1))
                assert writer.flush(WAIT)
        assert len(snippets(tmp_path)) == 2

    def test_no_more_carriers_than_asked_for_at_a_time_and_the_others_counted(self, tmp_path):
        with SnippetWriter(tmp_path, max_carriers=2, max_seconds=0.03, wait=True) as writer:
            station = Station(writer)
            three = [carrier(number, CENTER + (number - 2) * 0.5e6) for number in (1, 2, 3)]
            for _ in range(4):
                station.frame(*three)
                writer.flush(WAIT)
        assert len(snippets(tmp_path)) == 3 and writer.missed == 1

    def test_a_gap_is_a_capture_of_its_own_with_its_time(self, tmp_path):
        with SnippetWriter(tmp_path, wait=True) as writer:
            station = Station(writer)
            station.frames(2, carrier())
            station.clock = StreamTime(2 * FRAME, 1_716_000_010, 0.5, RATE, "radio")
            station.offset += 1000
            station.frames(3, carrier())
        (path,) = snippets(tmp_path)
        recording = check_tone(path, CENTER + 0.31e6)
        assert [capture.sample_start for capture in recording.captures] == [0, 2 * FRAME // 8]
        assert recording.captures[1].time == (1_716_000_010, pytest.approx(0.5 + 1000 / RATE))
        assert recording.sample_count == 5 * FRAME // 8

    def test_a_retune_too_with_its_frequency(self, tmp_path):
        with SnippetWriter(tmp_path, wait=True) as writer:
            station = Station(writer)
            station.frames(2, carrier())
            station.center_frequency += 123_456
            station.frames(2, carrier())
            station.center_frequency -= 223_456
            station.frames(2, carrier())
        (path,) = snippets(tmp_path)
        recording = check_tone(path, CENTER + 0.31e6)
        assert len(recording.captures) == 3
        assert all(abs(capture.center_frequency - 100.3e6) <= RATE / BLOCK for capture in recording.captures)

    def test_while_the_radio_listens_elsewhere_nothing_is_recorded(self, tmp_path):
        with SnippetWriter(tmp_path, wait=True) as writer:
            station = Station(writer)
            for _ in range(3):
                station.frames(2, carrier())
                station.center_frequency += 50e6
                station.frames(2)
                station.center_frequency -= 50e6
        (path,) = snippets(tmp_path)
        recording = check_tone(path, CENTER + 0.31e6)
        assert len(recording.captures) == 3 and recording.sample_count == 6 * FRAME // 8
        assert writer.skipped == 0

    def test_another_sample_rate_is_another_snippet(self, tmp_path):
        with SnippetWriter(tmp_path, wait=True) as writer:
            station = Station(writer)
            station.frames(2, carrier())
            station.rate = 4e6
            station.clock = StreamTime(station.offset, 1_716_000_000, 0.33, 4e6, "radio")
            station.frames(2, carrier())
        first, second = [samples_of(path)[1] for path in snippets(tmp_path)]
        assert (first.duration, second.duration) == (pytest.approx(0.08), pytest.approx(0.04, abs=1e-3))

    def test_a_carrier_that_proves_wider_is_recorded_again_in_its_full_width(self, tmp_path):
        with SnippetWriter(tmp_path, wait=True) as writer:
            station = Station(writer)
            station.frames(2, carrier(width=0.1e6))
            station.frames(2, carrier(width=0.6e6))
        rates = sorted(samples_of(path)[1].sample_rate for path in snippets(tmp_path))
        assert rates == [0.125e6, 0.75e6]

    def test_what_is_not_a_number_stays_in_its_frame(self, tmp_path):
        with SnippetWriter(tmp_path, wait=True, datatype="ci16_le") as writer:
            station = Station(writer)
            station.frame(carrier())
            samples = station.samples()
            samples[1000:1010] = np.nan
            samples[2000] = np.inf
            station.frame(carrier(), samples=samples)
            station.frame(carrier())
        (path,) = snippets(tmp_path)
        found, _ = samples_of(path)
        assert np.isfinite(found).all() and np.abs(np.abs(found[2 * FRAME // 8 + 2000 : -2000]) - 0.5).max() < 1e-3

    def test_a_chunk_shorter_than_a_block_is_recorded(self, tmp_path):
        with SnippetWriter(tmp_path, wait=True) as writer:
            station = Station(writer)
            geometry = FrameGeometry(RATE, CENTER, 0, 3000, 19)
            frame = Frame(0, geometry, None, None, -90.0)
            writer.take(frame, station.samples()[:3000], [Event("new", carrier(), None)], station.clock)
        (path,) = snippets(tmp_path)
        assert samples_of(path)[1].sample_count == 3000 // 8

    def test_an_lte_carrier_cut_out_of_a_wide_span_is_found_again(self, tmp_path, captures):
        from rpmsn.models.model import available_models, load_model
        from rpmsn.streaming.analysis import RecordingAnalyser

        if not available_models():
            pytest.skip("no model ships")
        with open_recording(captures / "lte10_var.sigmf-meta") as recording:
            narrow, rate = recording.read(0, recording.sample_count), recording.sample_rate
            (truth,) = recording.annotations
            edges = np.array([truth["core:freq_lower_edge"], truth["core:freq_upper_edge"]])
            edges = edges - (recording.center_frequency or 0.0)
        # A span four times as wide, the carrier off its middle.
        spectrum = np.fft.fft(narrow)
        n = len(narrow)
        wide = np.zeros(4 * n, np.complex128)
        wide[: n // 2], wide[n // 2 - n :] = spectrum[: n // 2], spectrum[n // 2 - n :]
        samples = np.fft.ifft(wide) * np.exp(2j * np.pi * 0.15 * np.arange(4 * n))
        rng = np.random.default_rng(1)
        noise = (rng.normal(size=4 * n) + 1j * rng.normal(size=4 * n)) * 0.01 * np.sqrt(np.mean(np.abs(samples) ** 2))
        samples = ((samples + noise) / np.abs(samples).max() / 2).astype(np.complex64)
        lower, upper = 2e9 + 0.15 * 4 * rate + edges
        found = FakeCarrier(1, sample_end=4 * n, freq_lower=lower, freq_upper=upper, sample_rate=4 * rate)
        with SnippetWriter(tmp_path, wait=True) as writer:
            frame = Frame(0, FrameGeometry(4 * rate, 2e9, 0, 4 * n, 256), None, None, -90.0)
            clock = StreamTime(0, 1_716_000_000, 0.0, 4 * rate, "file")
            writer.take(frame, samples, [Event("new", found, None)], clock)
        (path,) = snippets(tmp_path)
        with open_recording(path) as recording:
            assert recording.sample_rate < 2 * rate
            result = RecordingAnalyser(recording, load_model("rpmsn-rt")).run()
        (again,) = [carrier for carrier in result.carriers if carrier.label == "LTE"]
        tolerance = 0.02 * (upper - lower)
        assert again.freq_lower == pytest.approx(lower, abs=tolerance)
        assert again.freq_upper == pytest.approx(upper, abs=tolerance)


class TestQuota:
    def test_the_oldest_make_room_and_foreign_files_do_not(self, tmp_path):
        foreign = [
            tmp_path / "mine.sigmf-meta",
            tmp_path / "mine.sigmf-data",
            tmp_path / "rpmsn_20200101T000000.000Z_LTE_1.000MHz_1.sigmf-meta",
        ]
        for path in foreign:
            path.write_text('{"global": {"core:recorder": "another program"}}')
        with SnippetWriter(tmp_path, quota_bytes=1 << 20, wait=True) as writer:
            station = Station(writer)
            for number in range(12):
                station.frames(2, carrier(number, width=1.2e6, middle=CENTER))
                station.frame(gone=[number])
                writer.flush(WAIT)
        for path in foreign:
            path.unlink()
        kept = [int(path.stem.split("_")[-1]) for path in snippets(tmp_path)]
        assert 0 < len(kept) < 12 and sorted(kept) == list(range(12 - len(kept), 12))
        assert writer.deleted == 12 - len(kept) and writer.finished == 12
        assert used(tmp_path) <= 1 << 20

    def test_it_holds_at_every_moment_of_a_burst(self, tmp_path):
        quota, worst, done = 2 << 20, [0], threading.Event()

        def watch():
            while not done.is_set():
                worst[0] = max(worst[0], used(tmp_path) - snippet_files.DISK_BLOCK)
                time.sleep(0.001)

        watcher = threading.Thread(target=watch)
        watcher.start()
        with SnippetWriter(tmp_path, quota_bytes=quota, max_carriers=8, max_seconds=9, wait=True) as writer:
            station = Station(writer)
            for burst in range(4):
                heard = [carrier(10 * burst + k, CENTER - 0.8e6 + 0.2e6 * k, 0.15e6) for k in range(8)]
                station.frames(5, *heard)
                station.frame(gone=[one.carrier_id for one in heard])
        done.set()
        watcher.join()
        assert quota / 2 < worst[0] <= quota
        assert snippets(tmp_path) and used(tmp_path) <= quota

    def test_one_carrier_may_not_fill_more_than_all_of_it(self, tmp_path):
        with SnippetWriter(tmp_path, quota_bytes=1 << 20, max_seconds=100, wait=True) as writer:
            Station(writer).frames(10, carrier(width=1.9e6, middle=CENTER))
        (path,) = snippets(tmp_path)
        assert 1 << 19 < used(tmp_path) <= 1 << 20
        check_tone(path, CENTER + 0.31e6)

    def test_snippets_of_earlier_runs_count_and_go_first(self, tmp_path):
        for run in range(3):
            with SnippetWriter(tmp_path, quota_bytes=3 << 20, wait=True) as writer:
                station = Station(writer, offset=run * 100 * FRAME)
                for number in (1, 2):
                    station.frames(2, carrier(number, width=1.2e6, middle=CENTER))
                    station.frame(gone=[number])
                    writer.flush(WAIT)
        kept = [path.name for path in snippets(tmp_path)]
        assert len(kept) == 3 and all("T024000" not in name for name in kept)
        with SnippetWriter(tmp_path, quota_bytes=1 << 20) as writer:
            writer.flush(WAIT)
        assert used(tmp_path) <= 1 << 20 and writer.deleted >= 1


class TestFaults:
    @pytest.mark.parametrize(
        "parameters, message",
        [
            ({"labels": {"GSM"}}, "labels.*GSM.*LTE, NR, other"),
            ({"labels": set()}, "labels"),
            ({"min_confidence": 2}, "min_confidence.*2.*0 to 1"),
            ({"min_confidence": float("nan")}, "min_confidence.*nan"),
            ({"freq_range": (2e9, 1e9)}, "freq_range.*lower, upper"),
            ({"freq_range": (1, 2, 3)}, "freq_range"),
            ({"max_seconds": 0}, "max_seconds.*above 0"),
            ({"quota_bytes": 1000}, "quota_bytes.*1048576"),
            ({"max_carriers": 0}, "max_carriers"),
            ({"datatype": "cu8"}, "datatype.*ci16_le or cf32_le"),
        ],
    )
    def test_parameters_that_cannot_work_are_named(self, tmp_path, parameters, message):
        with pytest.raises(ParameterError, match=message):
            SnippetWriter(tmp_path, **parameters)
        assert not list(tmp_path.iterdir())

    def test_a_folder_that_is_none(self, tmp_path):
        with pytest.raises(RecordingError, match="nowhere does not exist"):
            SnippetWriter(tmp_path / "nowhere")
        (tmp_path / "file").write_text("")
        with pytest.raises(RecordingError, match="is not a folder"):
            SnippetWriter(tmp_path / "file")
        with pytest.raises(ParameterError, match="folder of the snippets"):
            SnippetWriter("")

    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc, where no files can be made")
    def test_a_folder_that_cannot_be_written_to(self):
        with pytest.raises(RecordingError, match="/proc cannot be written to"):
            SnippetWriter("/proc")

    def test_two_writers_do_not_share_a_folder(self, tmp_path):
        with SnippetWriter(tmp_path), pytest.raises(RecordingError, match="used by another writer"):
            SnippetWriter(tmp_path)
        SnippetWriter(tmp_path).close()

    def test_nothing_raises_into_the_analysis(self, tmp_path):
        with SnippetWriter(tmp_path) as writer:
            writer.take(None, None, [None], None)
            assert writer.skipped == 1 and "AttributeError" in writer.fault
        writer.take(None, None, [], None)

    def test_frames_that_come_too_fast_are_left_out_and_counted(self, tmp_path, monkeypatch):
        writer = SnippetWriter(tmp_path)
        station, asked, answers = Station(writer), threading.Event(), threading.Event()
        sync = os.fsync
        monkeypatch.setattr(os, "fsync", lambda handle: (asked.set(), answers.wait(3 * HANG_S), sync(handle)))
        station.frame(carrier())
        assert asked.wait(WAIT)
        before = time.monotonic()
        station.frames(20, carrier())
        assert time.monotonic() - before < HANG_S
        assert writer.skipped == 19
        answers.set()
        assert writer.close(WAIT)
        (path,) = snippets(tmp_path)
        recording = check_tone(path, CENTER + 0.31e6)
        assert recording.sample_count == (21 - writer.skipped) * FRAME // 8

    def test_a_full_disk_damages_nothing_and_recording_goes_on_when_there_is_room(self, tmp_path):
        result = json.loads(run_on_small_disk(tmp_path, FULL_DISK, folders=[HERE]))
        assert result["fault"] == "No space left on device" and result["fault_after"] == ""
        assert result["snippets"] == ["1", "9"] and result["skipped"] >= 1

    def test_after_a_kill_the_next_run_finishes_what_was_started(self, tmp_path):
        children = []
        for number, seconds in enumerate((0.1, 0.6, 1.1)):
            folder = tmp_path / str(number)
            folder.mkdir()
            child = subprocess.Popen(
                [sys.executable, "-c", RECORD_UNTIL_KILLED, folder], env=child_environment(HERE), stdout=subprocess.PIPE
            )
            children.append((child, folder, seconds))
        for child, folder, seconds in children:
            assert child.stdout.readline() == b"recording\n"
            time.sleep(seconds)
            kill_half_way(child, folder)
            unfinished = {path.name.split(".sigmf-")[0] for path in folder.glob("*.part")}
            started, whole = len(unfinished), len(snippets(folder, unfinished))
            writer = SnippetWriter(folder)
            assert writer.flush(WAIT) and writer.close(), writer.fault
            assert not [path for path in folder.iterdir() if path.suffix in (".part", ".tmp")]
            found = snippets(folder)
            assert len(found) == whole + started and started == 1
            for path in found:
                samples, recording = samples_of(path)
                (annotation,) = recording.annotations
                assert annotation["core:sample_start"] + annotation["core:sample_count"] == len(samples)
                check_tone(path, CENTER + 0.31e6)

    def test_what_a_kill_left_without_samples_is_removed(self, tmp_path):
        name = "rpmsn_20240518T024000.250Z_LTE_100.300MHz_1"
        (tmp_path / f"{name}.sigmf-data.part").write_bytes(b"")
        (tmp_path / f"{name}.sigmf-meta.part").write_text("{}")
        (tmp_path / f"{name}_2.sigmf-data.part").write_bytes(b"1234")
        (tmp_path / f".{name}.sigmf-meta.0123abcd.tmp").write_text("{")
        with SnippetWriter(tmp_path) as writer:
            writer.flush(WAIT)
        assert [path.name for path in tmp_path.iterdir()] == [snippet_files.LOCK_NAME]

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b'{"global": {"core:datatype": "ci16_le"',
            b"[]",
            b"[" * 100_000,
            b"\x00\xff\x80 not text",
            b'{"captures": [], "annotations": []}',
            b'{"global": {}, "captures": [{"core:sample_start": 0}], "annotations": [{"core:sample_start": 0}]}',
            b'{"global": {"core:datatype": "ci16_le"}, "annotations": [{"core:sample_start": 0}]}',
            b'{"global": {"core:datatype": "ci16_le"}, "captures": [{}], "annotations": [{}]}',
            b'{"global": {"core:datatype": "ci16_le"}, "captures": [{"core:sample_start": 0}], "annotations": [{}]}',
            b'{"global": {"core:datatype": "ci16_le"}, "captures": 5, "annotations": null}',
            b'{"global": {"core:datatype": ["ci16_le"]}, "captures": [{"core:sample_start": 0}], "annotations": []}',
        ],
    )
    def test_what_a_kill_left_broken_is_set_aside_and_recording_goes_on(self, tmp_path, caplog, content):
        name = "rpmsn_20240518T024000.250Z_LTE_100.300MHz_1"
        (tmp_path / f"{name}.sigmf-meta.part").write_bytes(content)
        (tmp_path / f"{name}.sigmf-data.part").write_bytes(bytes(4000))
        with SnippetWriter(tmp_path, wait=True) as writer:
            Station(writer).frames(3, carrier(9))
            assert writer.flush(WAIT) and writer.close(WAIT), writer.fault
        (path,) = snippets(tmp_path)
        check_tone(path, CENTER + 0.31e6)
        assert (tmp_path / f"{name}.sigmf-data.broken").read_bytes() == bytes(4000)
        assert (tmp_path / f"{name}.sigmf-meta.broken").read_bytes() == content
        assert not list(tmp_path.glob("*.part"))
        assert f"{name}.sigmf-data.part is set aside as {name}.sigmf-data.broken: repair or delete it" in caplog.text

    def test_what_was_set_aside_before_is_not_overwritten_counts_and_makes_room(self, tmp_path):
        name = "rpmsn_20240518T024000.250Z_LTE_100.300MHz_1"
        (tmp_path / f"{name}.sigmf-data.broken").write_bytes(bytes(600 << 10))
        (tmp_path / f"{name}.sigmf-data.part").write_bytes(bytes(300 << 10))
        (tmp_path / f"{name}.sigmf-meta.part").write_text("{")
        with SnippetWriter(tmp_path, quota_bytes=1 << 20) as writer:
            assert writer.flush(WAIT)
            assert (tmp_path / f"{name}.sigmf-data.broken_2").stat().st_size == 300 << 10
            assert (tmp_path / f"{name}.sigmf-data.broken").stat().st_size == 600 << 10
            Station(writer).frames(9, carrier(1, width=1.2e6, middle=CENTER))
        assert not (tmp_path / f"{name}.sigmf-data.broken").exists()
        assert snippets(tmp_path) and used(tmp_path) <= 1 << 20

    def test_what_a_kill_left_and_cannot_be_touched_does_not_keep_it_from_recording(self, tmp_path, monkeypatch):
        name = "rpmsn_20240518T024000.250Z_LTE_100.300MHz_1"
        left = {f"{name}.sigmf-meta.part": b"{", f"{name}.sigmf-data.part": bytes(600 << 10)}
        for file, content in left.items():
            (tmp_path / file).write_bytes(content)
        rename = snippet_files.put_in_place

        def refuse(source, target, overwrite):
            if name in str(source):
                raise PermissionError(1, "Operation not permitted", str(source))
            rename(source, target, overwrite=overwrite)

        monkeypatch.setattr(snippet_files, "put_in_place", refuse)
        with SnippetWriter(tmp_path, wait=True, quota_bytes=1 << 20) as writer:
            Station(writer).frames(9, carrier(9, width=1.2e6, middle=CENTER))
        assert len(snippets(tmp_path)) == 1 and used(tmp_path) <= 1 << 20
        assert {path.name: path.read_bytes() for path in tmp_path.glob("*.part")} == left


PREAMBLE = "import json, os, sys, time\nfrom test_snippets import *\n"

FULL_DISK = (
    PREAMBLE
    + """
folder = Path(sys.argv[1])
with SnippetWriter(folder, wait=True) as writer:
    station = Station(writer)
    while not writer.fault:
        station.frame(carrier(1, width=1.2e6, middle=CENTER))
        writer.flush(WAIT)
    station.frames(3, carrier(1, width=1.2e6, middle=CENTER))
    writer.flush(WAIT)
    fault = writer.fault
    station.frame(gone=[1])
    time.sleep(1.1)
    for path in list(folder.glob("ballast*")):
        path.unlink()
    station.frames(2, carrier(9, width=0.1e6))
    assert writer.flush(WAIT), writer.fault
    after = writer.fault
print(json.dumps({"fault": fault.split(": ")[-1], "fault_after": after, "skipped": writer.skipped,
                  "snippets": [path.stem.split("_")[-1] for path in snippets(folder)]}))
"""
)


def kill_half_way(child, folder):
    """Kill it when a snippet has been begun and has samples; between two of them nothing is left to finish."""
    end = time.monotonic() + WAIT
    while True:
        child.send_signal(signal.SIGSTOP)
        os.waitpid(child.pid, os.WUNTRACED)  # it has stopped, and changes nothing any more
        if any(path.stat().st_size for path in folder.glob("*.sigmf-data.part")):
            break
        assert time.monotonic() < end
        child.send_signal(signal.SIGCONT)
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


RECORD_UNTIL_KILLED = (
    PREAMBLE
    + """
writer = SnippetWriter(Path(sys.argv[1]), max_seconds=10, wait=True)
station = Station(writer)
station.frames(2, carrier(0))
writer.flush(WAIT)
print("recording", flush=True)
while True:
    number = station.number // 7
    station.frame(carrier(number, start=station.offset), gone=[one for one in station.on_air if one != number])
    time.sleep(0.005)
"""
)
