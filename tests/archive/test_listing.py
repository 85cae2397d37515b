# SPDX-License-Identifier: GPL-3.0-or-later
"""Which recordings files, folders and patterns stand for."""

import json
import os

import pytest

from rpmsn.archive import listing
from rpmsn.archive.listing import find_recordings, is_many
from rpmsn.errors import ParameterError


def make_pair(folder, name, **global_fields):
    """Metadata and samples; returns the path of the metadata."""
    folder.mkdir(parents=True, exist_ok=True)
    meta = folder / f"{name}.sigmf-meta"
    meta.write_text(json.dumps({"global": global_fields, "captures": [], "annotations": []}))
    meta.with_suffix(".sigmf-data").write_bytes(bytes(4))
    return meta


def found(*sources, **how):
    return [one.path for one in find_recordings([str(source) for source in sources], **how).recordings]


def test_a_folder_is_searched_with_all_folders_in_it_and_a_pair_is_one_recording(tmp_path):
    paths = [make_pair(tmp_path, "b"), make_pair(tmp_path / "deep" / "er", "a")]
    assert found(tmp_path) == [str(path) for path in paths]


@pytest.mark.parametrize(
    "name", ["x.wav", "x.sigmf", "x.cs16", "x.CU8", "x.cs8.gz", "gqrx_20240501_120307_1867500000_2400000_fc.raw",
             "band_2400ksps.npy"]
)  # fmt: skip
def test_files_that_open_by_their_name_are_recordings_in_folders(tmp_path, name):
    (tmp_path / name).write_bytes(bytes(4))
    assert found(tmp_path) == [str(tmp_path / name)]


@pytest.mark.parametrize("name", ["README.md", "plot.png", "x.bin", "x.npy", ".hidden.cs16", "x.cs16.tmp"])
def test_other_files_are_not(tmp_path, name):
    (tmp_path / name).write_bytes(bytes(4))
    listed = find_recordings([str(tmp_path)])
    assert not listed.recordings and "no file with the name of a recording" in listed.faults[0][1]


def test_bare_files_are_recordings_in_folders_where_format_and_rate_are_given(tmp_path):
    (tmp_path / "x.bin").write_bytes(bytes(4))
    assert found(tmp_path, has_format=True, has_rate=True) == [str(tmp_path / "x.bin")]


def test_what_this_program_wrote_is_not_read_again(tmp_path):
    meta = make_pair(tmp_path, "band")
    (tmp_path / "band.rpmsn.sigmf-meta").write_text("{}")
    (tmp_path / "band.rpmsn-2.sigmf-meta").write_text("{}")
    mine = tmp_path / "mine.sigmf-meta"
    mine.write_text(json.dumps({"global": {"core:dataset": "band.sigmf-data", "rpmsn:model": "rpmsn-rt"}}))
    assert found(tmp_path) == [str(meta)]
    assert found(*sorted(tmp_path.iterdir())) == [str(meta)], "as a shell names them"


def test_metadata_that_name_another_file_are_one_recording_with_it(tmp_path):
    meta = make_pair(tmp_path, "band", **{"core:dataset": "band.cs16"})
    meta.with_suffix(".sigmf-data").rename(tmp_path / "band.cs16")
    (listed,) = find_recordings([str(tmp_path)]).recordings
    assert (listed.path, listed.data, listed.size) == (str(meta), str(tmp_path / "band.cs16"), 4)


def test_compressed_samples_are_one_recording_with_their_metadata(tmp_path):
    data = make_pair(tmp_path, "band").with_suffix(".sigmf-data")
    data.rename(f"{data}.gz")
    assert found(tmp_path) == [f"{data}.gz"]


def test_a_digital_rf_folder_is_one_recording(tmp_path):
    (tmp_path / "campaign" / "ch0" / "2024").mkdir(parents=True)
    (tmp_path / "campaign" / "ch0" / "drf_properties.h5").write_bytes(b"")
    (tmp_path / "campaign" / "ch0" / "2024" / "rf.cs16").write_bytes(b"")
    make_pair(tmp_path, "band")
    assert found(tmp_path) == [str(tmp_path / "band.sigmf-meta"), str(tmp_path / "campaign" / "ch0")]


def test_the_same_recording_under_several_names_is_there_once(tmp_path):
    meta = make_pair(tmp_path, "band")
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    same = [meta, meta.with_suffix(".sigmf-data"), tmp_path / "band", tmp_path, link / "band.sigmf-meta"]
    assert found(*same) == [str(meta)]


def test_a_loop_of_links_ends(tmp_path):
    meta = make_pair(tmp_path / "a", "band")
    for name in ("one", "two"):
        (tmp_path / "a" / name).symlink_to(tmp_path)
    assert found(tmp_path) == [str(meta)]
    assert found(tmp_path / "**" / "*.sigmf-meta") == [str(meta)]


@pytest.mark.parametrize(
    "pattern, names",
    [
        ("*.cs16", ["a"]),
        ("**/*.cs16", ["a", "d/b", "d/e/c"]),
        ("d/**", ["d/b", "d/e/c"]),
        ("[d]", ["d/b", "d/e/c"]),
        ("*/b.*", ["d/b"]),
    ],
)
def test_patterns_that_no_shell_has_expanded(tmp_path, pattern, names):
    (tmp_path / "d" / "e").mkdir(parents=True)
    for name in ("a", "d/b", "d/e/c"):
        (tmp_path / f"{name}.cs16").write_bytes(bytes(4))
    assert is_many([str(tmp_path / pattern)])
    assert found(tmp_path / pattern) == [str(tmp_path / f"{name}.cs16") for name in names]


def test_a_pattern_that_nothing_matches_and_a_folder_that_is_locked_are_said(tmp_path, monkeypatch):
    meta = make_pair(tmp_path / "open", "band")
    (tmp_path / "shut").mkdir()
    scandir = os.scandir

    def scan(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, os.strerror(13), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    listed = find_recordings([str(tmp_path), str(tmp_path / "x*.cs8")])
    assert [one.path for one in listed.recordings] == [str(meta)]
    assert "Permission denied" in listed.faults[0][1] and "check the pattern" in listed.faults[1][1]


def test_names_with_characters_of_patterns_are_names_where_they_exist(tmp_path):
    meta = make_pair(tmp_path, "band[1]*")
    assert not is_many([str(meta)])
    assert found(meta, meta) == [str(meta)]


def test_a_link_to_nothing_is_listed_so_that_it_is_said(tmp_path):
    (tmp_path / "gone.cs16").symlink_to(tmp_path / "nowhere")
    assert found(tmp_path) == [str(tmp_path / "gone.cs16")]


def test_stdin_is_named_alone():
    with pytest.raises(ParameterError, match="alone"):
        find_recordings(["-", "band.cs16"])
    assert not is_many(["-"])


def test_ten_thousand_recordings_are_listed_without_opening_one(tmp_path, monkeypatch):
    for number in range(10_000):
        for suffix in (".sigmf-meta", ".sigmf-data"):
            os.close(os.open(tmp_path / f"{number}{suffix}", os.O_CREAT))
    monkeypatch.setattr(listing.sigmf_metadata, "load", lambda path: pytest.fail(f"{path} was opened"))
    assert len(find_recordings([str(tmp_path)]).recordings) == 10_000


def test_a_recording_beside_a_folder_of_its_name_is_one_recording(tmp_path):
    meta = make_pair(tmp_path, "band")
    make_pair(tmp_path / "band", "other")
    assert not is_many([str(tmp_path / "band")])
    assert is_many([f"{tmp_path / 'band'}/"])
    assert found(tmp_path / "band") == [str(meta)]
