# SPDX-License-Identifier: GPL-3.0-or-later
"""A recording in pieces gives what it gives as a whole, to the last digit, however it is cut."""

import gzip

import pytest
from archive_tools import RATE, record

from rpmsn import runtimes
from rpmsn.archive import pieces
from rpmsn.archive.annotating import Annotator, Settings
from rpmsn.archive.minutes import Minutes
from rpmsn.archive.pieces import Piece
from rpmsn.detection.segmenter import Segmenter
from rpmsn.messages.results import carrier_fields
from rpmsn.models.model import load_model

FRAME = 200_000
CAPTURES = [(1.3, 1850e6), (1.3001, 1900e6), (1.3003, 1842.5e6), (2.15, 2600e6)]
"""Segments that end within a frame, one too short to be analysed, and one shorter than a frame's pixel."""


@pytest.fixture(scope="module")
def model():
    return load_model("rpmsn-rt")


@pytest.fixture(scope="module")
def runtime(model):
    return runtimes.create(model, "onnxruntime")


@pytest.fixture(scope="module")
def annotator(model):
    return Annotator(model, Settings(frame_seconds=0.2))


@pytest.fixture(scope="module")
def recording(tmp_path_factory, annotator):
    path = record(tmp_path_factory.mktemp("whole"), "band", 3.13, captures=CAPTURES)
    with annotator.open(str(path)) as opened:
        yield opened


@pytest.fixture(scope="module")
def whole(annotator, recording, runtime):
    return annotator.analyse(recording, 1, runtime=runtime)


def described(result):
    found = {name: value for name, value in vars(result).items() if name not in ("carriers", "segments")}
    return found, [carrier_fields(carrier) for carrier in result.carriers]


@pytest.mark.parametrize("seconds", [0.2, 0.5, 1, 10])
def test_pieces_give_the_carriers_warnings_and_counts_of_the_whole(
    recording, whole, model, runtime, annotator, seconds
):
    segmenter = Segmenter(model, RATE, runtime=runtime, frame_seconds=0.2)
    cut = pieces.ranges(recording, FRAME, seconds)
    # In any order, and through bytes as they are kept.
    kept = {one: pieces.analyse(recording, segmenter, *one, lambda samples: None).to_bytes() for one in reversed(cut)}
    minutes = Minutes(recording)
    result = pieces.track(
        recording, model, (Piece.from_bytes(kept[one]) for one in cut), runtime.name, 0.2, listeners=[minutes.follow]
    )
    assert len(whole.carriers) > 1
    assert described(result) == described(whole)
    assert sum(row["seconds"] for row in minutes.quality()) == pytest.approx(whole.samples_analysed / RATE)


def test_pieces_follow_each_other_and_end_with_whole_frames(recording):
    for seconds in (0.2, 0.4, 0.7, 1, 2, 9):
        cut = pieces.ranges(recording, FRAME, seconds)
        assert [cut[0][0], cut[-1][1]] == [0, recording.sample_count]
        assert [end for _, end in cut[:-1]] == [start for start, _ in cut[1:]]
        starts = [capture.sample_start for capture in recording.captures]
        for start, end in cut:
            assert end - start < max(seconds * RATE, FRAME) + FRAME
            begun = max(one for one in starts if one <= start)
            assert (start - begun) % FRAME == 0


def test_what_is_no_piece_or_cut_short_is_not_taken_for_one():
    content = Piece(analysed=3).to_bytes()
    texts = [b"{}", b"[]", b'{"picture": true, "frames": []}', b'{"picture": "", "frames": [], "x": 1}', b"[" * 9000]
    for broken in (content[:-9], content[:15] + b"\xff" + content[16:], b"", b"{}", *map(gzip.compress, texts)):
        with pytest.raises(ValueError):
            Piece.from_bytes(broken)
