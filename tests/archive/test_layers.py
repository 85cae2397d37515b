# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables put into few files: the same rows, each once, whatever happens meanwhile."""

import errno
import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

import pyarrow.parquet as pq
from archive_tools import record
from limits import PROCESS_S

from rpmsn.archive import layers, querying, schema
from rpmsn.archive.querying import Archive
from rpmsn.archive.store import Store
from rpmsn.cli.main import main
from rpmsn.errors import StorageError

COUNT = 12


def key(number, version=1):
    return f"{number:016x}-{version:016x}"


def write(dest, table, key, rows):
    path = dest / table / f"{key}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(schema.to_parquet(table, [{"key": key, **row} for row in rows]))


def result(dest, number, version=1, is_done=True):
    """What a run writes of a recording: carriers as many as its number says, modulo 3."""
    name = {"recording": f"{number}.sigmf-meta"}
    carriers = [{**name, "burst_id": one, "label": f"v{version}"} for one in range(number % 3)]
    if carriers:
        write(dest, schema.CARRIERS, key(number, version), carriers)
    write(dest, schema.QUALITY, key(number, version), [{**name, "condition": "ok", "seconds": float(version)}])
    if is_done:
        write(dest, schema.RECORDINGS, key(number, version), [{**name, "size": version}])


@pytest.fixture
def dest(tmp_path):
    (tmp_path / "rpmsn-archive.json").write_text(json.dumps({"schema": schema.VERSION}))
    for number in range(COUNT):
        result(tmp_path, number)
    result(tmp_path, COUNT, is_done=False)
    return tmp_path


def rows(dest):
    """All rows that count, sorted, as questions see them."""
    archive = Archive(str(dest))
    return {table: sorted(map(repr, archive.sql(f"FROM {table}").to_pylist())) for table in schema.TABLE_NAMES}


def stored(dest):
    """Keys in the files of a table, each as often as it is there."""
    paths = (dest / schema.RECORDINGS).glob("*.parquet")
    return sorted(one for path in paths for one in pq.read_table(path, columns=["key"])["key"].to_pylist())


def files(dest):
    return {path.relative_to(dest).as_posix() for path in dest.rglob("*.parquet")}


def compact(dest):
    return layers.compact(Store(str(dest)))


def test_all_rows_are_in_one_file_a_table_and_those_of_what_is_not_done_stay_apart(dest, capsys, monkeypatch):
    monkeypatch.setattr(layers, "BATCHES_AT_ONCE", 3)
    monkeypatch.setattr(layers, "ROWS_AT_ONCE", 4)
    before = rows(dest)
    assert main(["archive", "compact", str(dest), "--quiet"]) == 0
    assert "12 recordings in 4 files" in capsys.readouterr().out  # the fourth: what is not done
    assert rows(dest) == before
    assert stored(dest) == [key(number) for number in range(COUNT)]
    assert {len(list((dest / table).glob("*.parquet"))) for table in (schema.CARRIERS, schema.RECORDINGS)} == {1}
    kept = files(dest)
    compact(dest)
    assert files(dest) == kept
    result(dest, COUNT)
    assert len(rows(dest)[schema.RECORDINGS]) == COUNT + 1


def test_questions_to_very_many_files_have_the_same_answers_and_leave_nothing(
    dest, capsys, caplog, monkeypatch, tmp_path_factory
):
    compact(dest)
    for number in range(COUNT, 2 * COUNT):
        result(dest, number)
    write(dest, schema.FAILURES, "a", [{"recording": "a", "error": "broken"}])
    few = rows(dest)
    assert not caplog.text
    temporary = tmp_path_factory.mktemp("many")
    monkeypatch.setattr(querying, "MOST_FILES", 3)
    monkeypatch.setattr(querying.tempfile, "tempdir", str(temporary))
    assert rows(dest) == few and len(few[schema.RECORDINGS]) == 2 * COUNT
    assert caplog.text.count("rpmsn archive compact") == 1
    assert not list(temporary.iterdir())


def test_a_full_temporary_folder_gets_a_sentence(dest, monkeypatch, capsys):
    def full(*how, **_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(querying, "MOST_FILES", 3)
    monkeypatch.setattr(pq, "ParquetWriter", full)
    for verb in (["query", str(dest), "recordings"], ["compact", str(dest)]):
        assert main(["archive", *verb]) == 1
        assert "the disk is full: make room, and run it again" in capsys.readouterr().err


def test_rows_of_a_version_with_fewer_columns_count(dest):
    old = dest / schema.RECORDINGS / f"{key(3)}.parquet"
    pq.write_table(pq.read_table(old).drop_columns(["warnings"]), old)
    before = rows(dest)
    compact(dest)
    assert rows(dest) == before


def test_a_recording_that_has_changed_counts_once_and_the_old_rows_go_with_the_next_compaction(dest):
    compact(dest)
    result(dest, 5, version=2)
    now = rows(dest)
    assert len(now[schema.RECORDINGS]) == COUNT and sum("v2" in row for row in now[schema.CARRIERS]) == 2
    assert not any("v1" in row for row in now[schema.CARRIERS] if "'5.sigmf" in row)
    compact(dest)
    assert rows(dest) == now
    assert stored(dest) == sorted(key(number, 2 if number == 5 else 1) for number in range(COUNT))
    result(dest, 5, version=1)  # it is again what it was
    assert sum("'5.sigmf" in row for row in rows(dest)[schema.RECORDINGS]) == 1
    assert not any("v2" in row for row in rows(dest)[schema.CARRIERS])


def test_of_two_results_of_a_recording_none_is_dropped(dest):
    result(dest, 4, version=2)
    compact(dest)
    names = {path.stem for path in (dest / schema.RECORDINGS).glob("*.parquet")}
    assert {key(4, 1), key(4, 2)} < names
    (dest / schema.RECORDINGS / f"{key(4, 1)}.parquet").unlink()  # as the next run does
    assert len(rows(dest)[schema.RECORDINGS]) == COUNT


def stop_at(step, count):
    """Code that compacts and is killed at a step: before it, or half-way in what it removes."""
    return f"""
import os, signal, sys
from rpmsn.archive import layers
from rpmsn.archive.store import Store
left, do, remove = [{count}], Store.{step}, Store.remove_files
def killed(store, *how):
    if not left[0]:
        if {step!r} == "remove_files":
            remove(store, how[0][: len(how[0]) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    do(store, *how)
Store.{step} = killed
layers.compact(Store(sys.argv[1]))
"""


@pytest.mark.parametrize(
    "step, count", [("send", 0), ("send", 1), ("send", 2), *(("remove_files", n) for n in range(4, 10))]
)
def test_killed_at_any_step_nothing_is_lost_or_doubled(dest, step, count, tmp_path_factory):
    compact(dest)
    for number in range(COUNT, COUNT + 6):
        result(dest, number)
    result(dest, 1, version=2)
    before = rows(dest)
    environment = {**os.environ, "TMPDIR": str(tmp_path_factory.mktemp("killed"))}
    code = [sys.executable, "-c", stop_at(step, count), str(dest)]
    done = subprocess.run(code, timeout=PROCESS_S, env=environment)
    assert done.returncode == -9
    assert rows(dest) == before
    compact(dest)
    assert rows(dest) == before
    assert stored(dest) == sorted(key(number, 2 if number == 1 else 1) for number in range(COUNT + 6))
    assert {len(list((dest / table).glob("*.parquet"))) for table in (schema.CARRIERS, schema.RECORDINGS)} == {1}


def test_two_at_the_same_time_lose_nothing(dest, monkeypatch):
    before = rows(dest)
    send = Store.send

    def first_the_other(store, path, name):
        if name.startswith(schema.RECORDINGS):
            monkeypatch.setattr(Store, "send", send)
            compact(dest)
        send(store, path, name)

    monkeypatch.setattr(Store, "send", first_the_other)
    with pytest.raises(StorageError, match="run it again"):
        compact(dest)
    assert rows(dest) == before
    compact(dest)
    assert rows(dest) == before


def test_a_run_after_it_does_what_is_new(tmp_path, capsys):
    source, dest = tmp_path / "campaign", tmp_path / "found"
    how = ["archive", "run", str(source), "--output", str(dest), "--actors", "0", "--frame-seconds", "0.2"]
    how += ["--runtime", "onnxruntime", "--no-cells", "--quiet"]
    record(source, "a", 0.4)
    record(source, "b", 0.4, seed=2)
    assert main(how) == 0
    assert main(["archive", "compact", str(dest)]) == 0
    assert main(how) == 0
    assert "0 analysed, 2 kept" in capsys.readouterr().out
    record(source, "a", 0.6, seed=3)
    record(source, "c", 0.4, seed=4)
    assert main(how) == 0
    assert "2 analysed, 1 kept" in capsys.readouterr().out
    assert len(rows(dest)[schema.RECORDINGS]) == 3
    assert main(["archive", "compact", str(dest)]) == 0
    assert main(how) == 0
    assert "0 analysed, 3 kept" in capsys.readouterr().out
    pictures = {path.stem for path in (dest / "pictures").glob("*.png")}
    assert pictures == set(stored(dest))


def test_what_is_no_archive_is_named(tmp_path, capsys):
    assert main(["archive", "compact", str(tmp_path)]) == 2
    assert "holds no results" in capsys.readouterr().err
