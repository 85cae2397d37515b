# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to the tables of an archive, and the page about it."""

import csv
import io
import json
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

import pyarrow.parquet as pq
from PIL import Image

from rpmsn.archive import report, schema
from rpmsn.archive.querying import Archive, edges_of_band
from rpmsn.archive.report import build
from rpmsn.cli.main import main
from rpmsn.errors import ParameterError

MONDAY = datetime(2026, 11, 2, 8, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
EVIL = "<script>alert(1)</script>&.cs16"


def write(dest, table, key, *rows):
    path = dest / table / f"{key}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(schema.to_parquet(table, [{"key": key, **row} for row in rows]))


def recording(dest, key, start, carriers=(), is_done=True, judged=1.0, center=3500e6):
    """A recording of 60 s at 20 Msps, with carriers: (label, lower, upper in Hz, PCI or None)."""
    name = {"recording": f"{key}.sigmf-meta" if key != "evil" else EVIL}
    end = start + timedelta(seconds=60) if start else None
    rows = [
        {
            **name,
            "burst_id": number,
            "label": label,
            "class_id": 1,
            "confidence": 0.9,
            "verdict": "likely" if cell is None else "proven",
            "evidence": "network" if cell is None else "broadcast",
            "center_frequency": (lower + upper) / 2,
            "bandwidth": upper - lower,
            "freq_lower": lower,
            "freq_upper": upper,
            "cell_id": cell,
            "band": None if cell is None else "n77, n78",
            "snr_db": 10.0 if cell != 7 else float("nan"),
            "start": start,
            "end": end,
            "start_s": 0.0,
            "end_s": 60.0,
            "time_on_air": 60.0,
        }
        for number, (label, lower, upper, cell) in enumerate(carriers, start=1)
    ]
    if rows:
        write(dest, schema.CARRIERS, key, *rows)
    if cells := [row for row in rows if row["cell_id"] is not None]:
        write(dest, schema.CELLS, key, *cells)
    band = {**name, "minute": start, "minute_s": 0, "bands": "n78 TDD", "band_lower": 3300e6, "band_upper": 3800e6}
    used = sum(row["bandwidth"] * 60 for row in rows)
    seen = {"seconds_judged": 60.0 * judged, "hertz_seen": 20e6, "hertz_seconds": used, "carriers": len(rows)}
    write(dest, schema.OCCUPANCY, key, {**band, **seen, "label": "NR" if rows else None})
    span = {"span_lower": center - 10e6, "span_upper": center + 10e6, "seconds": 60.0, "seconds_judged": 60.0 * judged}
    kind = "ok" if judged else "overload"
    write(
        dest, schema.QUALITY, key, {**name, "minute": start, "minute_s": 0, **span, "condition": kind, "health": kind}
    )
    if is_done:
        picture = dest / "pictures" / f"{key}.png"
        picture.parent.mkdir(exist_ok=True)
        Image.new("L", (256, 256), 80).save(picture)
        write(
            dest,
            schema.RECORDINGS,
            key,
            {
                **name,
                "sample_rate": 20e6,
                "center_frequency": center,
                "start": start,
                "duration": 60.0,
                "judged": judged,
                "picture": f"pictures/{key}.png",
                "picture_center": center,
            },
        )


@pytest.fixture(scope="module")
def dest(tmp_path_factory):
    dest = tmp_path_factory.mktemp("found")
    (dest / "rpmsn-archive.json").write_text(json.dumps({"schema": schema.VERSION, "version": "0", "model": "m 1"}))
    cell = ("NR", 3495e6, 3505e6, 253)
    recording(dest, "a", MONDAY, [cell, ("other", 3506e6, 3507e6, None)])
    recording(dest, "b", MONDAY + 24 * HOUR, [cell])
    recording(dest, "c", MONDAY + 48 * HOUR, [("LTE", 3491e6, 3494e6, 7)])
    recording(dest, "evil", None, judged=0.0)
    recording(dest, "killed", MONDAY, [("LTE", 3400e6, 3410e6, 9)], is_done=False)
    path = dest / "failures" / "f.parquet"
    path.parent.mkdir()
    path.write_bytes(schema.to_parquet(schema.FAILURES, [{"recording": "f", "error": "it is broken"}]))
    return dest


def ask(dest, capsys, *how):
    assert main(["archive", "query", str(dest), "--format", "csv", *how]) == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_carriers_of_a_band_and_a_week_are_those_on_air_then(dest, capsys):
    rows = ask(dest, capsys, "on-air", "--band", "n78")
    assert [(row["recording"][0], row["pci"]) for row in rows] == [("c", "7"), ("a", "253"), ("b", "253"), ("a", "")]
    rows = ask(dest, capsys, "on-air", "--since", "2026-11-03", "--until", "2026-11-04")
    assert [row["recording"][0] for row in rows] == ["b"]
    assert not ask(dest, capsys, "on-air", "--band", "3")
    assert len(ask(dest, capsys, "on-air", "--range", "3505.5M", "3600M")) == 1
    (row,) = ask(dest, capsys, "--sql", "SELECT avg(snr_db) AS snr_db FROM carriers")
    assert float(row["snr_db"]) == 10  # of one it is not known


def test_every_recording_with_a_cell(dest, capsys):
    assert [row["recording"][0] for row in ask(dest, capsys, "cell", "--pci", "253")] == ["a", "b"]
    assert len(ask(dest, capsys, "cell")) == 3


def test_occupancy_by_hour_is_bandwidth_times_time_over_what_was_judged(dest, capsys):
    (row,) = ask(dest, capsys, "hours", "--band", "n78")
    # 11, 10 and 3 of 20 MHz in three recordings of a minute
    assert (row["bands"], row["hour_utc"]) == ("n78 TDD", "8")
    assert float(row["occupancy_percent"]) == pytest.approx(100 * 24 / 60) and row["recordings"] == "3"


def test_changes_are_what_is_new_since_a_time_and_what_vanished(dest, capsys):
    rows = ask(dest, capsys, "changes", "--since", "2026-11-04")
    found = {(row["change"], row["label"], row["pci"]) for row in rows}
    assert found == {("new", "LTE", "7"), ("vanished", "NR", "253"), ("vanished", "other", "")}


def test_what_was_not_judged_is_listed_with_the_reason_and_failures(dest, capsys):
    rows = ask(dest, capsys, "not-judged")
    assert {(row["recording"], row["why"]) for row in rows} == {(EVIL, "overload"), ("f", "it is broken")}
    assert [row["recording"] for row in ask(dest, capsys, "failures")] == ["f"]


def test_rows_of_a_recording_that_is_not_done_do_not_count(dest, capsys):
    assert len(ask(dest, capsys, "recordings")) == 4
    (row,) = ask(dest, capsys, "--sql", "SELECT count(*) AS n FROM carriers WHERE cell_id = 9")
    assert row["n"] == "0"


def test_answers_go_to_files_that_do_not_exist_yet(dest, tmp_path, capsys):
    out = tmp_path / "answer.parquet"
    how = ["archive", "query", str(dest), "on-air", "--format", "parquet"]
    assert main(how) == 2
    assert main([*how, "--output", str(out)]) == 0
    assert pq.read_table(out).num_rows == 4
    assert main([*how, "--output", str(out)]) == 2
    assert "exists" in capsys.readouterr().err
    assert main(["archive", "query", str(dest), "recordings"]) == 0
    shown = capsys.readouterr().out
    assert "2026-11-02 08:00:00" in shown and "4 rows" in shown


@pytest.mark.parametrize(
    "how, words",
    [
        ([], "one of them"),
        (["on-air", "--sql", "SELECT 1"], "one of them"),
        (["weather"], "on-air"),
        (["changes"], "--since"),
        (["on-air", "--band", "n9999"], "n78"),
        (["on-air", "--range", "2G", "1G"], "below"),
        (["on-air", "--since", "2026-11-09", "--until", "2026-11-02"], "exchange them"),
        (["on-air", "--pci", "0"], "not limited by --pci"),
        (["recordings", "--band", "n78"], "not limited by --band and --range"),
        (["failures", "--until", "2026-11-02"], "not limited by --until"),
        (["--sql", "SELECT 1", "--band", "n78"], "WHERE"),
        (["--sql", "SELEC 1"], "DuckDB"),
        (["--sql", "SELECT * FROM carrier"], "Tables are recordings, carriers"),
        (["--sql", "SELECT * FROM read_csv('/etc/hostname')"], "DuckDB"),
    ],
)
def test_wrong_questions_get_a_sentence(dest, capsys, how, words):
    assert main(["archive", "query", str(dest), *how]) == 2
    assert words in capsys.readouterr().err


def test_a_folder_without_results_or_with_those_of_another_version_is_named(tmp_path, capsys):
    for content, words in [(None, "holds no results"), ("{}", "is not what"), ('{"schema": 99}', "version 99")]:
        if content is not None:
            (tmp_path / "rpmsn-archive.json").write_text(content)
        for verb in (
            ["query", str(tmp_path), "on-air"],
            ["report", str(tmp_path), "--output", str(tmp_path / "r.html")],
        ):
            assert main(["archive", *verb]) == 2
            assert words in capsys.readouterr().err
    assert main(["archive", "query", str(tmp_path / "rpmsn-archive.json"), "on-air"]) == 2
    assert "holds no results" in capsys.readouterr().err


def test_bands_are_known_by_their_names_in_lte_and_nr():
    assert edges_of_band("B3") == edges_of_band("3") == edges_of_band("n3") == [(1710e6, 1785e6), (1805e6, 1880e6)]
    assert edges_of_band("N78") == [(3300e6, 3800e6)]
    with pytest.raises(ParameterError):
        edges_of_band("x")


class Page(HTMLParser):
    """What a page has in it."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.sources, self.targets, self.ids = [], [], set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        self.sources += [values[name] for name in ("src", "href") if name in values]
        self.ids |= {values["id"]} if "id" in values else set()


def test_the_page_holds_all_that_it_shows_and_runs_nothing(dest, tmp_path):
    out = tmp_path / "page.html"
    assert main(["archive", "report", str(dest), "--output", str(out)]) == 0
    text = out.read_text()
    page = Page(text)
    assert "script" not in page.tags and "link" not in page.tags
    assert all(source.startswith(("data:", "#")) for source in page.sources)
    assert {source[1:] for source in page.sources if source.startswith("#")} <= page.ids
    assert "alert(1)&lt;/script&gt;" in text and "url(" not in text and ">nan<" not in text
    for words in ("PCI 253", "n78 TDD", "it is broken", "overload", "2026-11-02"):
        assert words in text
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    for drawing in drawings:
        ElementTree.fromstring(drawing)
    # On a phone they keep the size of their letters, and are moved sideways.
    assert len(drawings) == text.count('<div class="wide"><svg') == 2
    assert re.search(r"\.wide { overflow-x: auto }", text) and re.search(r"svg {[^}]*min-width: \d{4}px", text)
    assert main(["archive", "report", str(dest), "--output", str(out)]) == 2
    assert main(["archive", "report", str(dest), "--output", str(out), "--overwrite"]) == 0


def test_a_page_of_more_than_it_shows_says_how_many_others_there_are(dest, monkeypatch):
    for name in ("MOST_GROUPS", "MOST_FAILURES", "MOST_CELLS", "MOST_PICTURES"):
        monkeypatch.setattr(report, name, 1)
    text = report.build(Archive(str(dest)))
    assert text.count("And 2 others") == 1 and text.count("And 1 others") == 2
    assert text.count("<figure") == 1 and text.count('href="#p0"') == 2


def test_a_page_about_nothing_says_so(tmp_path):
    (tmp_path / "rpmsn-archive.json").write_text(json.dumps({"schema": schema.VERSION}))
    text = build(Archive(str(tmp_path)))
    assert "Nothing was looked at" in text and "No recording has a time of day" in text


def test_no_other_command_loads_what_archives_need():
    code = (
        "import sys; from rpmsn.cli.main import build_parser; build_parser(); import rpmsn.archive.batch;"
        "print([name for name in ('ray', 'pyarrow', 'pandas', 'duckdb', 'fsspec') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
