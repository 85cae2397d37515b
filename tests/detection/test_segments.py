# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments: found, split, measured, in samples and absolute Hz."""

from pathlib import Path

import numpy as np
import pytest
from oracle import ThresholdRuntime, flat_band
from plain_framer import Framer

from rpmsn.detection.segmenter import Segmenter
from rpmsn.detection.segments import FrameGeometry, find_segments
from rpmsn.models.model import DEFAULT_MODEL, available_models, load_model
from rpmsn.recording import open_recording
from rpmsn.signal import image as spectrogram
from rpmsn.streaming.analysis import RecordingAnalyser

RATE = 20e6


@pytest.fixture
def segmenter(untrained_model):
    return Segmenter(load_model(untrained_model), RATE, runtime=ThresholdRuntime())


@pytest.mark.parametrize("lower, upper", [(-3.0e6, 1.5e6), (-6.77e6, -2.21e6), (2.013e6, 9.031e6)])
@pytest.mark.parametrize("snr_db", [15, 30])
def test_edges_are_right_to_a_fraction_of_a_pixel(segmenter, lower, upper, snr_db):
    samples = flat_band(segmenter.frame_samples, RATE, lower, upper, np.random.default_rng(1), snr_db)
    (segment,) = segmenter.analyse(samples, center_frequency=1.8e9).segments
    pixel = RATE / 256
    assert segment.freq_lower == pytest.approx(1.8e9 + lower, abs=0.25 * pixel)
    assert segment.freq_upper == pytest.approx(1.8e9 + upper, abs=0.25 * pixel)
    assert segment.bandwidth == pytest.approx(upper - lower, abs=0.5 * pixel)


def test_snr_and_power_are_measured(segmenter):
    samples = flat_band(segmenter.frame_samples, RATE, -3e6, 3e6, np.random.default_rng(2), snr_db=20)
    (segment,) = segmenter.analyse(samples).segments
    assert segment.snr_db == pytest.approx(20, abs=0.5)
    in_band = 1e-4 * (1 + 100) * 6e6 / RATE
    assert segment.pwr_db == pytest.approx(10 * np.log10(in_band), abs=0.3)
    assert segment.confidence == pytest.approx(0.99, abs=0.01)


def test_times_are_in_samples_since_the_stream_began(segmenter):
    n = segmenter.frame_samples
    samples = flat_band(n, RATE, -12e6, 12e6, np.random.default_rng(3), snr_db=0)
    burst = slice(n // 4, n // 2)
    samples[burst] += flat_band(n // 4, RATE, -2e6, 2e6, np.random.default_rng(4))
    (segment,) = segmenter.analyse(samples, start_offset=10 * n).segments
    row = n / 256
    assert segment.start_offset == pytest.approx(10 * n + n // 4, abs=row)
    assert segment.end_offset == pytest.approx(10 * n + n // 2, abs=row)
    assert segment.duration == pytest.approx(0.01, abs=2 * row / RATE)


def test_a_band_at_the_edge_of_the_span_ends_there(segmenter):
    samples = flat_band(segmenter.frame_samples, RATE, 4e6, 11e6, np.random.default_rng(5))
    (segment,) = segmenter.analyse(samples).segments
    assert segment.freq_upper == pytest.approx(10e6, abs=RATE / 256)


class GapAtTheCentre(ThresholdRuntime):
    """As the threshold, but with high confidence in noise in the three columns where receivers have a spur."""

    def probabilities(self, images):
        scores = super().probabilities(images)
        scores[..., 127:130] = np.array([0.9, 0.1, 0, 0], np.float32)[:, None, None]
        return scores


@pytest.mark.parametrize("spur, pieces", [(0.0, 2), (0.5, 1)])
def test_a_spur_at_the_centre_does_not_split_a_carrier(untrained_model, spur, pieces):
    segmenter = Segmenter(load_model(untrained_model), RATE, runtime=GapAtTheCentre())
    samples = flat_band(segmenter.frame_samples, RATE, -3e6, 3e6, np.random.default_rng(7), snr_db=20)
    frame = segmenter.analyse(samples + np.complex64(spur))
    assert len(frame.segments) == pieces
    assert frame.condition.has("dc-spur") == bool(spur) and frame.health == "ok"


def segments_of(mask, classes=("noise", "LTE", "NR", "other"), confidence=0.85, rate=RATE, powers=100.0):
    """Segments of a mask; `powers` of what is no noise, one for all or one a column."""
    power = np.where(mask > 0, powers, 1.0).astype(np.float32)
    rest = (1 - confidence) / (len(classes) - 1)
    probabilities = np.stack([np.where(mask == index, confidence, rest) for index in range(len(classes))])
    geometry = FrameGeometry(rate, 0.0, 0, round(0.04 * rate), 256)
    return find_segments(mask, probabilities.astype(np.float32), power, 1.0, geometry, classes)


def test_two_carriers_joined_by_a_thin_bridge_stay_two():
    mask = np.zeros((256, 256), int)
    mask[:, 40:80] = mask[:, 84:120] = 1
    mask[100:110, 80:84] = 1
    assert [segment.columns for segment in segments_of(mask)] == [(40, 80), (84, 120)]


def test_specks_are_dropped_and_classes_kept_apart():
    mask = np.zeros((256, 256), int)
    mask[:, 40:80], mask[:, 80:120], mask[10:13, 200:203] = 1, 2, 3
    assert [(segment.label, segment.class_id) for segment in segments_of(mask)] == [("LTE", 1), ("NR", 2)]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("column", [2, 255])
def test_a_single_column_at_an_end_of_the_span_is_a_segment(column):
    mask = np.zeros((256, 256), int)
    mask[:, column] = 3
    assert [segment.columns for segment in segments_of(mask)] == [(column, column + 1)]


def test_a_model_may_know_fewer_classes_in_another_order():
    mask = np.zeros((256, 256), int)
    mask[:, 40:80], mask[:, 120:160] = 2, 1
    found = segments_of(mask, classes=("noise", "NR", "LTE"))
    assert [(segment.label, segment.class_id) for segment in found] == [("LTE", 1), ("NR", 2)]


@pytest.mark.parametrize("sizes", [[1_000_000], [123_457] * 9, [800_000, 800_000, 1], [799_999, 2], [300]])
def test_every_sample_lands_in_exactly_one_frame_whatever_the_pieces(segmenter, sizes):
    rng = np.random.default_rng(6)
    samples = flat_band(sum(sizes), RATE, -3e6, 3e6, rng)
    framer = Framer(segmenter, start_offset=77)
    frames, place = [], 0
    for size in sizes:
        frames += framer.push(samples[place : place + size])
        place += size
    frames += framer.flush()
    new = [(frame.new_from, frame.end_offset) for frame in frames]
    assert new[0][0] == 77 and new[-1][1] == 77 + len(samples)
    assert all(end == start for (_, end), (start, _) in zip(new, new[1:]))
    assert framer.analysed == len(samples) and framer.skipped == 0


def test_frames_do_not_depend_on_how_the_samples_arrive(segmenter):
    samples = flat_band(1_900_003, RATE, -3e6, 3e6, np.random.default_rng(7))

    def images(size):
        framer = Framer(segmenter)
        frames = [
            frame for start in range(0, len(samples), size) for frame in framer.push(samples[start : start + size])
        ]
        return [frame.image for frame in (*frames, *framer.flush())]

    assert all(np.array_equal(a, b) for a, b in zip(images(len(samples)), images(65_537), strict=True))


def test_the_last_frame_reports_only_what_is_new(segmenter):
    samples = flat_band(1_000_000, RATE, -3e6, 3e6, np.random.default_rng(8))
    framer = Framer(segmenter)
    frames = [*framer.push(samples), *framer.flush()]
    assert frames[1].geometry.samples == segmenter.frame_samples
    assert [segment.start_offset for segment in frames[1].segments] == [800_000]


def test_a_run_shorter_than_a_frame_is_repeated_and_reported_once(segmenter):
    samples = flat_band(100_000, RATE, -3e6, 3e6, np.random.default_rng(9))
    framer = Framer(segmenter)
    (frame,) = [*framer.push(samples), *framer.flush()]
    assert frame.repeated and frame.image.shape == (256, 256)
    assert np.array_equal(frame.image[:32], frame.image[32:64])
    (segment,) = frame.segments
    assert (segment.start_offset, segment.end_offset) == (0, 100_000)


def test_fewer_samples_than_a_window_are_counted_as_skipped(segmenter):
    framer = Framer(segmenter)
    assert not [*framer.push(np.ones(255, np.complex64)), *framer.flush()]
    assert (framer.analysed, framer.skipped) == (0, 255)


def with_nan(samples):
    samples[5:8] = np.nan


def with_infinity(samples):
    samples[3] = np.inf


def silent(samples):
    samples[:] = 0


def overloaded(samples):
    parts = samples.view(np.float32)
    np.clip(1000 * parts, -1, 1, out=parts)


@pytest.mark.parametrize(
    "spoil, words", [(with_nan, "NaN"), (with_infinity, "infinite"), (silent, "the same"), (overloaded, "overload")]
)
def test_input_that_is_not_fit_is_named_and_gives_no_segments(segmenter, spoil, words):
    samples = flat_band(segmenter.frame_samples, RATE, -3e6, 3e6, np.random.default_rng(10))
    spoil(samples)
    frame = segmenter.analyse(samples)
    assert words in frame.health and not frame.segments
    assert np.isfinite(frame.floor_db)


def test_a_clean_strong_tone_is_not_taken_for_overload(segmenter):
    time = np.arange(segmenter.frame_samples)
    tone = 0.5 * np.exp(0.3j * time).astype(np.complex64)
    assert segmenter.analyse(tone).health == "ok"


def test_a_rate_that_the_model_was_not_trained_for_is_named(untrained_model):
    assert "do not rely" in Segmenter(load_model(untrained_model), 2.4e6, runtime=ThresholdRuntime()).warnings[0]
    assert not Segmenter(load_model(untrained_model), 61.44e6, runtime=ThresholdRuntime()).warnings


def test_mask_and_image_have_the_pixels_of_the_frame(segmenter):
    frame = segmenter.analyse(flat_band(segmenter.frame_samples, RATE, 0, 5e6, np.random.default_rng(11)))
    assert frame.mask.shape == frame.image.shape == (spectrogram.ROWS, spectrogram.COLUMNS)
    assert frame.mask.dtype == frame.image.dtype == np.uint8
    assert (frame.mask[:, 135:185] == 1).all() and not frame.mask[:, :120].any()


class InPieces(ThresholdRuntime):
    """Calls some of the pixels of a carrier from column 140 to 180 NR, and some `other`."""

    def probabilities(self, images):
        scores = super().probabilities(images)
        scores[:, [1, 2], 50:60, 145:150] = scores[:, [2, 1], 50:60, 145:150]
        scores[:, [1, 3], 100:110, 145:150] = scores[:, [3, 1], 100:110, 145:150]
        return scores


def test_in_a_mask_lte_and_nr_are_what_their_segment_is_and_other_stays(untrained_model):
    segmenter = Segmenter(load_model(untrained_model), RATE, runtime=InPieces())
    samples = flat_band(segmenter.frame_samples, RATE, 0.8e6, 3.1e6, np.random.default_rng(11))
    frame = segmenter.analyse(samples)
    assert [segment.label for segment in frame.segments] == ["LTE"]
    assert (frame.mask[50:60, 145:150] == 1).all() and (frame.mask[100:110, 145:150] == 3).all()


def test_spurious_nested_detections_do_not_split_a_carrier():
    mask = np.zeros((256, 256), int)
    mask[:, 40:120] = 1
    mask[50:60, 40:120], mask[100:110, 60:80] = 2, 2
    (segment,) = segments_of(mask)
    assert (segment.label, segment.columns) == ("LTE", (40, 120))
    assert segment.confidence < 0.85


def test_what_has_no_power_over_the_noise_is_no_segment():
    mask = np.zeros((256, 256), int)
    mask[:, 40:120] = 1
    power = np.ones((256, 256), np.float32)
    probabilities = np.stack([mask == index for index in range(4)]).astype(np.float32)
    assert not find_segments(mask, probabilities, power, 1.0, FrameGeometry(RATE, 0.0, 0, 800_000, 256))


@pytest.mark.parametrize(("excess", "expected"), [(0.5, 0), (1.5, 1)])
def test_what_stands_no_further_out_than_noise_may_is_no_segment(excess, expected):
    # 6 columns of 7.8 kHz in 32 rows of 156 us: there the mean of noise errs by 6.5 %. This is 6 and 18 times as much.
    geometry = FrameGeometry(2e6, 0.0, 0, 80_000, 256)
    mask, power = np.zeros((256, 256), int), np.ones((256, 256), np.float32)
    box = slice(100, 132), slice(40, 46)
    mask[box], power[box] = 3, 1 + excess * 0.77
    probabilities = np.eye(4, dtype=np.float32)[mask].transpose(2, 0, 1)
    assert len(find_segments(mask, probabilities, power, 1.0, geometry)) == expected


@pytest.mark.parametrize("rate", [1.92e6, 2.4e6, 3.2e6, 7.68e6])
def test_noise_in_a_narrow_span_holds_nothing(rate):
    if DEFAULT_MODEL not in available_models():
        pytest.skip(f"model {DEFAULT_MODEL} does not ship yet")
    segmenter, rng = Segmenter(load_model(DEFAULT_MODEL), rate, runtime="auto"), np.random.default_rng(1)
    for _ in range(10):
        values = rng.normal(0, 10, (segmenter.frame_samples, 2)).round().clip(-128, 127).astype(np.int8)
        assert segmenter.analyse(values).segments == []


@pytest.mark.parametrize(("class_id", "snr_db", "expected"), [(3, -6, 0), (3, 0, 1), (1, -6, 1)])
def test_a_faint_slope_over_most_of_the_span_is_the_receivers_own(class_id, snr_db, expected):
    mask, power = np.zeros((256, 256), int), np.ones((256, 256), np.float32)
    mask[:, 30:] = class_id
    power[:, 30:] += 10 ** (snr_db / 10)
    probabilities = np.eye(4, dtype=np.float32)[mask].transpose(2, 0, 1)
    assert len(find_segments(mask, probabilities, power, 1.0, FrameGeometry(RATE, 0.0, 0, 800_000, 256))) == expected


def test_a_reception_of_noise_holds_nothing():
    path = Path(__file__).parents[3] / "shared" / "receptions" / "rtl_noise_826.sigmf-meta"
    if not path.exists() or DEFAULT_MODEL not in available_models():
        pytest.skip("no such recording, or no model")
    with open_recording(path) as recording:
        assert RecordingAnalyser(recording, load_model(DEFAULT_MODEL), runtime="auto").run().carriers == []
