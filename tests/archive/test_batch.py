# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with many recordings, decided before the first analysis; and the summary of what was found."""

import json
import os
from types import SimpleNamespace

import pytest

from rpmsn.archive import batch
from rpmsn.archive.annotating import FINGERPRINT, Annotator, Settings
from rpmsn.archive.listing import find_recordings
from rpmsn.archive.summary import Summary, carriers_of
from rpmsn.errors import ParameterError, RecordingError

CARD = SimpleNamespace(name="model", version="1", sha256="0", exports={}, temperature=1.0, decision=None)
ANNOTATOR = Annotator(SimpleNamespace(card=CARD), Settings())


@pytest.fixture
def folder(tmp_path):
    """Three recordings, one in a folder of its own."""
    folder = tmp_path / "campaign"
    for name in ("a", "b", "deep/c"):
        meta = folder / f"{name}.sigmf-meta"
        meta.parent.mkdir(parents=True, exist_ok=True)
        meta.write_text('{"global": {}}')
        meta.with_suffix(".sigmf-data").write_bytes(bytes(8))
    return folder


def planned(folder, annotator=ANNOTATOR, **how):
    return batch.plan(find_recordings([str(folder)]), annotator, **how)


def annotate(task, annotator=ANNOTATOR):
    """Write what would say that annotations were made."""
    made = annotator.fingerprint(*(type(task.output)(path) for path in (task.listed.data, task.listed.path)))
    task.output.write_text(json.dumps({"global": {FINGERPRINT: made}, "captures": [], "annotations": []}))


def names(tasks):
    return [task.listed.path.rpartition("/")[2][0] for task in tasks]


def test_annotations_go_beside_the_samples_or_into_folders_as_the_recordings_are_in(folder, tmp_path):
    assert [str(task.output.relative_to(folder)) for task in planned(folder).tasks] == [
        "a.rpmsn.sigmf-meta", "b.rpmsn.sigmf-meta", "deep/c.rpmsn.sigmf-meta",
    ]  # fmt: skip
    out = tmp_path / "new" / "out"
    tasks = planned(folder, output=str(out)).tasks
    assert [str(task.output.relative_to(out)) for task in tasks][2] == "deep/c.rpmsn.sigmf-meta"
    assert (out / "deep").is_dir()


def test_annotations_that_exist_are_refused_with_what_to_do(folder):
    annotate(planned(folder).tasks[1])
    with pytest.raises(RecordingError, match=r"1 of 3 .*b\.rpmsn.*--resume.*--overwrite"):
        planned(folder)
    assert names(planned(folder, overwrite=True).tasks) == ["a", "b", "c"]


def test_resume_keeps_what_was_made_in_the_same_way(folder):
    annotate(planned(folder).tasks[1])
    todo = planned(folder, resume=True)
    assert (names(todo.tasks), names(todo.done)) == (["a", "c"], ["b"])


@pytest.mark.parametrize("what", ["data", "metadata", "settings", "model", "cut short", "of another program"])
def test_resume_does_not_keep_what_was_not_and_replaces_it_only_where_asked(folder, what):
    task = planned(folder).tasks[1]
    annotate(task)
    annotator = ANNOTATOR
    if what == "data":
        (folder / "b.sigmf-data").write_bytes(bytes(12))
    elif what == "metadata":
        os.utime(folder / "b.sigmf-meta", ns=(1, 1))
    elif what == "settings":
        annotator = Annotator(ANNOTATOR.model, Settings(cells=False))
    elif what == "model":
        annotator = Annotator(SimpleNamespace(card=SimpleNamespace(**{**vars(CARD), "sha256": "1"})), Settings())
    elif what == "cut short":
        task.output.write_text(task.output.read_text()[:-2])
    else:
        task.output.write_text('{"global": {}}')
    with pytest.raises(RecordingError, match="--resume --overwrite"):
        planned(folder, annotator, resume=True)
    assert names(planned(folder, annotator, resume=True, overwrite=True).tasks) == ["a", "b", "c"]


def test_two_recordings_do_not_share_annotations(folder):
    (folder / "a").write_bytes(bytes(8))
    listing = find_recordings([str(folder / "a.sigmf-meta"), str(folder / "b")])
    listing.recordings.append(type(listing.recordings[0])(str(folder / "a"), str(folder / "a"), 8))
    ((path, sentence),) = batch.plan(listing, ANNOTATOR).faults
    assert path == str(folder / "a") and "rename" in sentence


@pytest.mark.parametrize("output", ["found.sigmf-meta", "a file"])
def test_of_several_recordings_the_output_is_a_folder(folder, tmp_path, output):
    (tmp_path / "a file").write_bytes(b"")
    with pytest.raises(ParameterError, match="must be a folder"):
        planned(folder, output=str(tmp_path / output))


def test_no_more_jobs_than_memory_holds(monkeypatch, caplog):
    monkeypatch.setattr(batch, "free_memory", lambda: 3.5 * batch.JOB_BYTES)
    assert batch.most_jobs(None, 2) == 2 and batch.most_jobs(None, 8) == 3
    assert not caplog.records
    assert batch.most_jobs(8, 8) == 3 and "--jobs is 8" in caplog.text
    monkeypatch.setattr(batch, "free_memory", lambda: 0.0)
    assert batch.most_jobs(None, 8) == 1


def carrier(label, lower, upper, cell_id=None, **more):
    values = {"label": label, "freq_lower": lower, "freq_upper": upper, **more}
    return values if cell_id is None else {**values, "cell_id": cell_id}


def test_what_came_back_is_counted_once_a_recording():
    summary = Summary()
    for shift in (0, 0.2e6, -0.3e6):
        summary.add(
            [carrier("LTE", 800e6, 810e6, 52, band="20"), carrier("NR", 900e6 + shift, 910e6 + shift)] * 2, True
        )
    summary.add([carrier("LTE", 800e6, 810e6, 53), carrier("NR", 907e6, 917e6), carrier("NR", -5e6, 5e6)], False)
    rows = [(one.label, one.cell_id, one.is_absolute, one.recordings) for one in summary.groups]
    assert rows[:2] == [("LTE", 52, True, 3), ("NR", None, True, 3)]
    assert sorted(rows[2:]) == [("LTE", 53, False, 1), ("NR", None, False, 1), ("NR", None, False, 1)]
    assert summary.groups[0].band == "20"


def test_carriers_are_read_from_annotations_each_once():
    entries = [
        {"rpmsn:carrier_id": number, "core:label": "LTE", "core:freq_lower_edge": 1.0, "core:freq_upper_edge": 2.0}
        for number in (1, 1, 2)
    ]
    metadata = {"captures": [{"core:frequency": 1.0}], "annotations": [*entries, {"core:label": "of others"}]}
    carriers, is_absolute = carriers_of(metadata)
    assert len(carriers) == 2 and is_absolute
