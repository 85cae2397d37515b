# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of a recording as a recording of its own: right in time, frequency and power; never over another file."""

import json

import numpy as np
import pytest

from rpmsn.errors import ParameterError, RecordingError
from rpmsn.recording import open_recording
from rpmsn.recording.cut import cut

RATE, CENTER, COUNT = 8e6, 1.8e9, 400_000
TONE = 1.8015e9


@pytest.fixture
def recording(tmp_path):
    """A tone of full scale / 2 from sample 100000 on, and one at the other end of the span."""
    time = np.arange(COUNT)
    tone = 0.5 * np.exp(2j * np.pi * (TONE - CENTER) / RATE * time) * (time >= 100_000)
    other = 0.5 * np.exp(-2j * np.pi * 2.5e6 / RATE * time)
    (tone + other).astype(np.complex64).tofile(tmp_path / "a.sigmf-data")
    metadata = {
        "global": {"core:datatype": "cf32_le", "core:sample_rate": RATE, "core:version": "1.2.0", "core:hw": "radio"},
        "captures": [{"core:sample_start": 0, "core:frequency": CENTER, "core:datetime": "2024-05-01T12:00:00Z"}],
        "annotations": [
            {"core:sample_start": 100_000, "core:sample_count": 50_000, "core:label": "LTE"},
            {"core:sample_start": 0, "core:sample_count": 10, "core:label": "gone"},
        ],
    }
    (tmp_path / "a.sigmf-meta").write_text(json.dumps(metadata))
    with open_recording(tmp_path / "a.sigmf-meta") as opened:
        yield opened


def test_a_band_is_filtered_decimated_and_in_its_place(recording, tmp_path):
    path = cut(recording, tmp_path / "b.sigmf-meta", 80_000, 240_000, (1.801e9, 1.802e9), recording.annotations)
    with open_recording(path) as part:
        assert part.sample_rate < 2.1e6 and part.duration == pytest.approx(0.02, abs=2 / part.sample_rate)
        assert part.center_frequency == pytest.approx(1.8015e9, abs=200)
        seconds = 12 * 3600 + 0.01
        assert sum(part.time_at(0)) % 86400 == pytest.approx(seconds, abs=1e-6)
        samples = part.read(0, part.sample_count)
        begun = round(0.0025 * part.sample_rate)
        assert np.abs(samples[: begun - 400]).max() < 1e-3, "neither the tone yet nor its neighbour"
        rest = samples[begun + 400 : -400]
        assert np.abs(rest) == pytest.approx(0.5, rel=0.01)
        turns = np.unwrap(np.angle(rest))
        found = (turns[-1] - turns[0]) / (2 * np.pi * (len(rest) - 1)) * part.sample_rate + part.center_frequency
        assert found == pytest.approx(TONE, abs=1)
        [annotation] = part.annotations
        assert annotation["core:sample_start"] == pytest.approx(begun, abs=1) and annotation["core:label"] == "LTE"
        assert part.metadata["global"]["core:hw"] == "radio"


def test_without_edges_the_samples_are_those_of_the_recording(recording, tmp_path):
    with open_recording(cut(recording, tmp_path / "b.sigmf-meta", 1000, 2000)) as part:
        assert (part.read(0, 2000) == recording.read(1000, 1000)).all() and part.sample_rate == RATE


def test_it_is_a_recording_by_the_standard(recording, tmp_path):
    sigmf = pytest.importorskip("sigmf")
    path = cut(recording, tmp_path / "b.sigmf-meta", 0, 300_000, (1.801e9, 1.802e9), recording.annotations)
    sigmf.fromfile(str(path)).validate()


@pytest.mark.parametrize("name", ["b.sigmf-meta", "b.sigmf-data"])
def test_nothing_that_exists_is_replaced_unless_asked_for(name, recording, tmp_path):
    (tmp_path / name).write_text("mine")
    with pytest.raises(RecordingError, match="not overwritten"):
        cut(recording, tmp_path / "b.sigmf-meta", 0, 1000)
    assert (tmp_path / name).read_text() == "mine" and len(list(tmp_path.glob("*b.*"))) == 1
    assert cut(recording, tmp_path / "b.sigmf-meta", 0, 1000, overwrite=True) is not None


def test_one_that_is_cancelled_leaves_nothing(recording, tmp_path):
    assert cut(recording, tmp_path / "b.sigmf-meta", 0, COUNT, on_progress=lambda fraction: False) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.sigmf-data", "a.sigmf-meta"]


@pytest.mark.parametrize(
    "arguments, said", [((COUNT, COUNT + 5), "longer part"), ((0, 1000, (1.9e9, 1.91e9)), "are not in a.sigmf-data")]
)
def test_a_part_that_is_not_there_is_refused(arguments, said, recording, tmp_path):
    with pytest.raises(ParameterError, match=said):
        cut(recording, tmp_path / "b.sigmf-meta", *arguments)


def test_a_name_of_another_kind_is_refused(recording, tmp_path):
    with pytest.raises(ParameterError, match="sigmf-meta"):
        cut(recording, tmp_path / "b.wav", 0, 1000)


def test_a_folder_that_is_not_there_is_said(recording, tmp_path):
    with pytest.raises(RecordingError, match="missing"):
        cut(recording, tmp_path / "missing" / "b.sigmf-meta", 0, 1000)
