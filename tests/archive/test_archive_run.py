# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn archive run` in one process: what is written, once, and what is said where it cannot be."""

import builtins
import json
import os

import pytest

pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")

import pyarrow.parquet as pq
from archive_tools import record, written
from small_disk import run_on_small_disk

from rpmsn.archive import schema, work
from rpmsn.archive.store import Store
from rpmsn.archive.work import Worker
from rpmsn.cli.main import main
from rpmsn.errors import StorageError

HOW = ["--actors", "0", "--frame-seconds", "0.2", "--runtime", "onnxruntime", "--quiet"]


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "campaign"
    record(folder, "a", 1.5, time="2026-11-02T10:00:59Z")
    record(folder / "deep", "b", 0.4, seed=2, time=None)
    return folder


@pytest.fixture
def dest(tmp_path):
    return tmp_path / "found"


def run(source, dest, *how):
    return main(["archive", "run", str(source), "--output", str(dest), *HOW, *how])


def rows(dest, table):
    return [row for path in sorted((dest / table).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_annotations_are_those_of_annotate_and_rows_say_the_same(source, dest, tmp_path, capsys):
    assert run(source, dest, "--piece-seconds", "1") == 0
    assert "2 recordings: 2 analysed, 0 kept, 0 failed" in capsys.readouterr().out
    alone = tmp_path / "alone"
    how = ["--frame-seconds", "0.2", "--runtime", "onnxruntime", "--quiet"]
    assert main(["annotate", str(source), "--output", str(alone), *how]) == 0
    for name in ("a.rpmsn.sigmf-meta", "deep/b.rpmsn.sigmf-meta"):
        ours, theirs = (json.loads((folder / name).read_text()) for folder in (dest / "annotations", alone))
        assert ours["annotations"] == theirs["annotations"] and ours["captures"] == theirs["captures"]
    carriers = rows(dest, schema.CARRIERS)
    noted = json.loads((alone / "a.rpmsn.sigmf-meta").read_text())["annotations"]
    assert sorted(one["core:freq_lower_edge"] for one in noted) == sorted(
        row["freq_lower"] for row in carriers if row["recording"].endswith("a.sigmf-meta")
    )
    assert {row["start"] is None for row in carriers} == {True, False}
    found = {os.path.basename(row["recording"]): row for row in rows(dest, schema.RECORDINGS)}
    assert found["a.sigmf-meta"]["duration"] == 1.5 and found["a.sigmf-meta"]["judged"] == 1
    assert (dest / found["a.sigmf-meta"]["picture"]).read_bytes().startswith(b"\x89PNG")
    assert not list((dest / "pieces").rglob("*.gz"))


def test_minutes_are_those_of_the_clock(source, dest):
    run(source, dest)
    timed = [row for row in rows(dest, schema.QUALITY) if row["minute"] is not None]
    assert [(f"{row['minute']:%H:%M}", row["minute_s"]) for row in timed] == [("10:00", 0), ("10:01", 60)]
    assert [row["seconds"] for row in timed] == pytest.approx([1.0, 0.5])
    for row in rows(dest, schema.OCCUPANCY):
        assert 0 <= row["hertz_seconds"] <= 1.05 * row["hertz_seen"] * row["seconds_judged"]
    bands = {row["bands"] for row in rows(dest, schema.OCCUPANCY)}
    assert "B3 n3 ↓" in bands


def test_a_second_run_does_what_is_new_and_replaces_what_has_changed(source, dest, capsys):
    run(source, dest)
    before = written(dest)
    kept = {path: path.stat().st_mtime_ns for path in dest.rglob("*.parquet")}
    assert run(source, dest) == 0
    assert "0 analysed, 2 kept" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in dest.rglob("*.parquet")} == kept
    record(source, "c", 0.4, seed=3)
    record(source / "deep", "b", 0.6, seed=4, time=None)
    assert run(source, dest) == 0
    assert "2 analysed, 1 kept" in capsys.readouterr().out
    found = [os.path.basename(row["recording"]) for row in rows(dest, schema.RECORDINGS)]
    assert sorted(found) == ["a.sigmf-meta", "b.sigmf-meta", "c.sigmf-meta"]
    assert set(before[schema.RECORDINGS]) & set(written(dest)[schema.RECORDINGS])
    keys = {row["key"] for row in rows(dest, schema.RECORDINGS)}
    assert {row["key"] for table in schema.TABLES if table != schema.FAILURES for row in rows(dest, table)} == keys


@pytest.mark.parametrize("table", [schema.CARRIERS, schema.RECORDINGS])
def test_a_run_that_ends_anywhere_is_gone_on_with(source, dest, tmp_path, monkeypatch, table, capsys):
    """A full disk at any table: what is done stays, and nothing is there twice."""
    run(source, tmp_path / "whole")
    write, full = Store.write, []

    def write_until_full(store, name, content):
        if name.startswith(table) and len(full) < 1:
            full.append(name)
            raise StorageError(f"{store.url_of(name)}: the disk is full: make room, and run it again", store.url)
        write(store, name, content)

    monkeypatch.setattr(Store, "write", write_until_full)
    assert run(source, dest, "--piece-seconds", "1") == 1
    said = capsys.readouterr().err
    assert "disk is full" in said and "goes on from here" in said
    assert run(source, dest, "--piece-seconds", "1") == 0
    assert written(dest) == written(tmp_path / "whole")


FULL_DISK = """
import contextlib, io, json, subprocess, sys
from pathlib import Path
from archive_tools import written
from rpmsn.cli.main import main

disk, source, *how = sys.argv[1:]
dest = Path(disk, "found")

def run():
    told, counted = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(counted):
        status = main(["archive", "run", source, "--output", str(dest), *how])
    return status, told.getvalue(), counted.getvalue()

first = run()
kept = len(list(dest.glob("recordings/*.parquet")))
subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
second = run()
print(json.dumps({"first": first, "kept": kept, "second": second, "written": written(dest)}))
"""


def test_what_fits_on_a_disk_stays_and_with_more_room_the_rest_follows(source, dest, tmp_path):
    for number in range(5):
        record(source, f"c{number}", 0.4, seed=number)
    run(source, dest)
    done = json.loads(
        run_on_small_disk(tmp_path, FULL_DISK, source, *HOW, kib=384, folders=[os.path.dirname(__file__)])
    )
    (status, told, _), kept = done["first"], done["kept"]
    assert status == 1 and "the disk is full: make room, and run it again" in told and "Traceback" not in told
    assert 0 < kept < 7 and f"{kept} analysed" in told and "goes on from here" in told
    status, _, counted = done["second"]
    assert status == 0 and f"{7 - kept} analysed, {kept} kept, 0 failed" in counted
    assert done["written"] == written(dest)


def test_pieces_that_are_done_are_not_done_again(source, dest, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "_finish", stop)
        assert run(source, dest, "--piece-seconds", "1") == 130
    assert list((dest / "pieces").rglob("*.gz"))
    analysed = []
    analyse = work.pieces.analyse
    monkeypatch.setattr(work.pieces, "analyse", lambda *how: analysed.append(how[2:4]) or analyse(*how))
    assert run(source, dest, "--piece-seconds", "1") == 0
    assert analysed == [(0, 400_000)]


def test_a_piece_that_is_damaged_is_told_and_made_again(source, dest, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "_finish", stop)
        assert run(source, dest, "--piece-seconds", "1") == 130
    damaged = next((dest / "pieces").rglob("*.gz"))
    damaged.write_bytes(damaged.read_bytes()[:-9])
    assert run(source, dest, "--piece-seconds", "1") == 1
    assert "was damaged" in capsys.readouterr().err and not damaged.exists()
    assert run(source, dest, "--piece-seconds", "1") == 0


def test_a_recording_that_fails_is_listed_and_the_others_go_on(source, dest, capsys):
    (source / "a.sigmf-meta").write_text("nonsense")
    assert run(source, dest) == 1
    told = capsys.readouterr()
    assert "a.sigmf-meta" in told.err and "1 analysed, 0 kept, 1 failed" in told.out
    assert [os.path.basename(row["recording"]) for row in rows(dest, schema.FAILURES)] == ["a.sigmf-meta"]
    record(source, "a", 0.4)
    assert run(source, dest) == 0
    assert not rows(dest, schema.FAILURES)


def test_names_that_are_no_text_are_kept_apart_and_failures_as_well(source, dest, capsys):
    name = os.fsdecode(b"\xff\xfe.sigmf-data")
    try:
        (source / name).write_bytes(b"\1" * 10)
        (source / name.replace("data", "meta")).write_text("nonsense")
    except OSError:
        pytest.skip("this file system takes no such names")
    assert run(source, dest) == 1
    assert "2 analysed, 0 kept, 1 failed" in capsys.readouterr().out
    assert [os.path.basename(row["recording"]) for row in rows(dest, schema.FAILURES)] == ["\\udcff\\udcfe.sigmf-meta"]


def test_the_same_folder_by_another_name_is_the_same_archive(source, dest, capsys, monkeypatch):
    run(source, dest)
    monkeypatch.chdir(source)
    for name in (".", f"../{source.name}", f"{source}/deep/.."):
        assert run(name, os.path.relpath(dest)) == 0
        assert "0 analysed, 2 kept" in capsys.readouterr().out


def test_results_made_in_two_ways_are_not_mixed(source, dest, capsys):
    run(source, dest)
    assert main(["archive", "run", str(source), "--output", str(dest), *HOW, "--no-cells"]) == 2
    told = capsys.readouterr().err
    assert "settings cells True, and this run has cells False: choose another folder" in told


def test_a_manifest_that_is_something_else_gets_a_sentence(source, dest, capsys):
    dest.mkdir()
    for content in (b"[" * 9000, b"{}", b"[]", b"\xff", b""):
        (dest / "rpmsn-archive.json").write_bytes(content)
        assert main(["archive", "query", str(dest), "on-air"]) == 2
        assert "is not what `rpmsn archive run` writes" in capsys.readouterr().err


def test_wrong_use_gets_a_sentence(source, dest, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for place, output, how, words in [
        (tmp_path / "nowhere", dest, [], "nothing is"),
        (tmp_path / "empty", tmp_path / "new", [], "name of a recording"),
        (source, source / "a.sigmf-data", [], "a file"),
        (source, "nosuch://place", [], "fsspec"),
        (source, dest, ["--address", "auto"], "leave one of them out"),
    ]:
        assert run(place, output, *how) in (1, 2)
        told = capsys.readouterr().err
        assert words in told and "Traceback" not in told
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("module, how", [("ray", []), ("pyarrow", ["--actors", "0"])])
def test_without_a_library_the_next_step_is_said(source, dest, module, how, monkeypatch, capsys):
    def missing(name, *rest):
        if name.partition(".")[0] == module:
            raise ModuleNotFoundError(f"No module named {name!r}", name=module)
        return imported(name, *rest)

    imported, find = builtins.__import__, schema.find_spec
    monkeypatch.setattr(builtins, "__import__", missing)
    monkeypatch.setattr(schema, "find_spec", lambda name: None if name == module else find(name))
    before = dict(os.environ)
    assert main(["archive", "run", str(source), "--output", str(dest), "--runtime", "onnxruntime", *how]) == 1
    told = capsys.readouterr().err
    assert module in told and "install" in told
    assert dict(os.environ) == before


def test_tables_have_what_the_schema_says_with_its_version(source, dest):
    run(source, dest)
    for table in schema.TABLES:
        for path in (dest / table).glob("*.parquet"):
            found = pq.read_schema(path)
            assert found.equals(schema.schema(table), check_metadata=False)
            assert found.metadata[b"rpmsn:schema"] == str(schema.VERSION).encode()
