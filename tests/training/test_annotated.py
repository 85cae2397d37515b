# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of annotated recordings: masks to the pixel, which frames there are, and a step of training on them."""

import json

import numpy as np
import pytest

from rpmsn.errors import ParameterError, RecordingError
from rpmsn.training.annotated import FramePlace, draw_frames, frames_in, mask_of
from rpmsn.training.dataset import ImageSet, SetConfig, build_set

RATE, CENTER, FRAME = 5e6, 800e6, 200_000
IGNORED = 255


def entry(label="LTE", lower=-1e6, upper=1e6, start=0, count=None):
    """An annotation, edges from the centre."""
    times = {"core:sample_start": start, **({} if count is None else {"core:sample_count": count})}
    edges = {"core:freq_lower_edge": CENTER + lower, "core:freq_upper_edge": CENTER + upper}
    return {"core:label": label, **times, **edges}


def write_recording(folder, name="one", samples=3 * FRAME + 1000, annotations=None, captures=(0,)):
    annotations = [entry()] if annotations is None else annotations
    rng = np.random.default_rng(1)
    data = rng.normal(scale=20, size=(samples, 2)).clip(-127, 127).astype(np.int8)
    data.tofile(folder / f"{name}.sigmf-data")
    document = {
        "global": {"core:datatype": "ci8", "core:sample_rate": RATE, "core:version": "1.0.0"},
        "captures": [{"core:sample_start": start, "core:frequency": CENTER + start} for start in captures],
        "annotations": annotations,
    }
    (folder / f"{name}.sigmf-meta").write_text(json.dumps(document))
    return folder / f"{name}.sigmf-meta"


def test_a_pixel_has_the_class_of_the_annotation_that_its_middle_is_in():
    mask = mask_of([entry(lower=-1e6, upper=0.5e6, start=1000 + FRAME // 4)], 1000, FRAME, 256, RATE, CENTER)
    rows, columns = np.nonzero(mask)
    assert set(np.unique(mask)) == {0, 1}
    assert (rows.min(), rows.max()) == (64, 255)
    # Columns are RATE / 256 apart, the middle of column 128 lies at the centre.
    assert (columns.min(), columns.max()) == (128 - 51, 128 + 25)


def test_what_is_not_known_is_not_judged():
    overlap = [entry("LTE", -1e6, 1e6), entry("NR", 0.5e6, 2e6)]
    mask = mask_of(overlap, 0, FRAME, 256, RATE, CENTER)
    assert [mask[0, 128 + column] for column in (0, 40, 80, 120)] == [1, IGNORED, 2, 0]
    assert mask_of([entry("radar?")], 0, FRAME, 256, RATE, CENTER)[0, 128] == IGNORED
    everywhere = {"core:label": "LTE", "core:sample_start": 0, "core:sample_count": FRAME // 2}
    mask = mask_of([everywhere], 0, FRAME, 256, RATE, CENTER)
    assert (mask[:128] == IGNORED).all() and not mask[128:].any()


def test_frames_are_whole_and_reach_over_no_retune(tmp_path):
    path = write_recording(tmp_path, captures=(0, FRAME + 5))
    write_recording(tmp_path, "unlabelled", annotations=[])
    starts = [0, FRAME + 5, 2 * FRAME + 5]
    assert frames_in(tmp_path) == [FramePlace(path, start, start + FRAME) for start in starts]


def test_a_recording_shorter_than_a_frame_is_one(tmp_path):
    path = write_recording(tmp_path, samples=FRAME // 4)
    assert frames_in(tmp_path) == [FramePlace(path, 0, FRAME // 4)]
    config = SetConfig("annotated", 1, 1, features="averaged", recordings=str(tmp_path))
    image, mask = build_set(config, tmp_path / "set", quiet=True)[0]
    assert image.shape == (1, 256, 256) and (mask[:, 128] == 1).all()


def test_a_set_has_the_images_that_the_seed_chooses_and_is_completed(tmp_path):
    write_recording(tmp_path)
    config = SetConfig("annotated", 3, 7, features="averaged", recordings=str(tmp_path))
    folder = tmp_path / "set"
    made = build_set(config, folder, quiet=True)
    assert len(made) == 3 and made[0][1][0, 128] == 1
    before = np.array(made.images[0])
    (folder / "shard-00000.masks-occupied.npy").unlink()
    build_set(config, folder, quiet=True)
    np.testing.assert_array_equal(ImageSet(folder).images[0], before)
    assert draw_frames(tmp_path, 3, 7) == draw_frames(tmp_path, 3, 7) != draw_frames(tmp_path, 3, 9)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"count": 4}, ParameterError, "count is 4, but the recordings in .* have 3 frames"),
        ({"recordings": None}, ParameterError, "needs recordings, a folder"),
        ({"sample_rates": (1e6, 2e6)}, ParameterError, "takes no sample_rates"),
        ({"recordings": "none"}, RecordingError, "folder none does not exist"),
    ],
)
def test_a_set_that_cannot_be_made_says_why(tmp_path, changes, error, words):
    write_recording(tmp_path)
    values = {"preset": "annotated", "count": 1, "seed": 1, "recordings": str(tmp_path), **changes}
    with pytest.raises(error, match=words):
        build_set(SetConfig(**values), tmp_path / "set")


def test_a_folder_without_labels_says_what_is_needed(tmp_path):
    write_recording(tmp_path, annotations=[entry("radar?")])
    with pytest.raises(RecordingError, match="nothing to train on; needed are SigMF recordings"):
        frames_in(tmp_path)


def test_a_step_is_trained_on_them_by_the_command(tmp_path):
    pytest.importorskip("torch", reason="torch is not installed")
    from test_train_run import VALUES

    from rpmsn.cli.main import main
    from rpmsn.files import to_yaml

    labels = tmp_path / "labels"
    labels.mkdir()
    write_recording(labels)
    annotated = {"preset": "annotated", "count": 2, "seed": 1, "recordings": str(labels)}
    config = tmp_path / "tiny.yml"
    config.write_text(to_yaml({**VALUES, "epochs": 1, "train": annotated, "validation": {**annotated, "seed": 2}}))
    assert main(["train", str(config), "--output", str(tmp_path / "run"), "--workers", "1"]) in (0, None)
    assert (tmp_path / "run" / "tiny.safetensors").exists()
