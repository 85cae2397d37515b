# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole recording: every sample, every capture segment, every oddity named."""

import json

import numpy as np
import pytest
from oracle import ThresholdRuntime, flat_band

from rpmsn.models.model import load_model
from rpmsn.recording import open_recording
from rpmsn.streaming.analysis import LaterSamples, RecordingAnalyser

RATE = 5e6
FRAME = 200_000


@pytest.fixture
def analyse(untrained_model, tmp_path):
    """Write samples as a SigMF recording with the captures given, analyse it, return the Analysis."""

    def run(samples, captures):
        samples.astype(np.complex64).tofile(tmp_path / "band.sigmf-data")
        (tmp_path / "band.sigmf-meta").write_text(
            json.dumps(
                {
                    "global": {"core:datatype": "cf32_le", "core:sample_rate": RATE, "core:version": "1.2.0"},
                    "captures": captures,
                    "annotations": [],
                }
            )
        )
        with open_recording(tmp_path / "band.sigmf-meta") as recording:
            analyser = RecordingAnalyser(recording, load_model(untrained_model))
            analyser.segmenter.runtime = ThresholdRuntime()
            return analyser.run()

    return run


def signal(n, seed=1):
    return flat_band(n, RATE, -1e6, 1e6, np.random.default_rng(seed))


def test_each_capture_segment_is_analysed_at_its_own_frequency(analyse):
    change = FRAME + 12_345
    result = analyse(
        signal(3 * FRAME),
        [{"core:sample_start": 0, "core:frequency": 8e8}, {"core:sample_start": change, "core:frequency": 2.6e9}],
    )
    assert result.samples_analysed == 3 * FRAME and result.coverage == 1.0
    found = [
        (round(carrier.center_frequency / 1e8), carrier.sample_start, carrier.sample_end) for carrier in result.carriers
    ]
    assert found == [(8, 0, change), (26, change, 3 * FRAME)]


def test_a_run_too_short_to_analyse_is_counted_and_said(analyse):
    result = analyse(
        signal(FRAME),
        [{"core:sample_start": 0, "core:frequency": 8e8}, {"core:sample_start": FRAME - 100, "core:frequency": 2.6e9}],
    )
    assert (result.samples_analysed, result.samples_skipped) == (FRAME - 100, 100)
    assert any("100 samples were too few" in warning for warning in result.warnings)


def test_frames_that_are_not_fit_are_counted_and_the_rest_is_analysed(analyse):
    samples = signal(3 * FRAME)
    samples[FRAME + 10] = np.nan
    result = analyse(samples, [{"core:sample_start": 0}])
    assert any("1 of 3 frames were not judged" in warning and "NaN" in warning for warning in result.warnings)
    (carrier,) = result.carriers
    assert carrier.time_on_air == pytest.approx(2 * FRAME / RATE, rel=0.02)


def test_captures_that_say_nothing_new_change_nothing(analyse):
    samples = signal(2 * FRAME)
    whole = analyse(samples, [{"core:sample_start": 0, "core:frequency": 8e8}])
    tagged = analyse(
        samples, [{"core:sample_start": start, "core:frequency": 8e8} for start in range(0, 2 * FRAME, 777)]
    )
    assert (tagged.frames, tagged.samples_analysed) == (whole.frames, whole.samples_analysed) == (2, 2 * FRAME)
    edges = [[(one.freq_lower, one.freq_upper) for one in result.carriers] for result in (whole, tagged)]
    assert edges[0] == edges[1] and len(edges[0]) == 1


def test_retunes_within_a_slot_cost_no_analysis_each(analyse):
    captures = [
        {"core:sample_start": start, "core:frequency": 8e8 + start % 2 * 1e6} for start in range(0, FRAME, 1001)
    ]
    captures += [{"core:sample_start": FRAME, "core:frequency": 9e8}]
    result = analyse(signal(2 * FRAME), captures)
    assert (result.frames, result.samples_skipped) == (1, FRAME)
    assert any(f"{FRAME} samples were too few" in warning for warning in result.warnings)


def test_samples_are_read_when_somebody_looks_at_them(tmp_path, monkeypatch):
    np.arange(4000, dtype=np.int16).tofile(tmp_path / "some.bin")
    with open_recording(tmp_path / "some.bin", datatype="ci16_le", sample_rate=RATE) as recording:
        asked = []
        read = recording.read_native
        monkeypatch.setattr(recording, "read_native", lambda *where: asked.append(where) or read(*where))
        samples = LaterSamples(recording, 1000, 50)
        assert len(samples) == 50 and not asked
        assert np.array_equal(np.asarray(samples), read(1000, 50)) and asked == [(1000, 50)]
