# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings in: formats, metadata, damaged files. Annotations out: valid, atomic, never over another file."""

import datetime as dt
import errno
import json
import os
import resource
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import sigmf

from rpmsn.errors import ParameterError, RecordingError
from rpmsn.recording import default_output, open_recording, write_annotations
from rpmsn.recording import metadata as metadata_module
from rpmsn.recording import recording as recording_module
from rpmsn.version import __version__

SCALES = {"ci8": ("i1", 0, 128), "cu8": ("u1", 127.5, 128), "ci16_le": ("<i2", 0, 32768), "cf32_le": ("<f4", 0, 1)}


def random_components(datatype, n, seed=1):
    """2 n values over the whole range of the format."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(SCALES[datatype][0])
    if dtype.kind == "f":
        return rng.normal(size=2 * n).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, size=2 * n, endpoint=True).astype(dtype)


def as_complex(components, datatype):
    _, zero, full_scale = SCALES[datatype]
    values = (components.astype(np.float64) - zero) / full_scale
    return (values[0::2] + 1j * values[1::2]).astype(np.complex64)


def write_sigmf(folder, components=None, *, name="band", captures=None, annotations=(), data=b"", **global_fields):
    """Write a recording of ci8 at 1 Msps, unless `global_fields` (`core:` left out; None removes) say otherwise."""
    fields = {"datatype": "ci8", "sample_rate": 1e6, "version": "1.2.0", **global_fields}
    metadata = {
        "global": {f"core:{key}": value for key, value in fields.items() if value is not None},
        "captures": [{"core:sample_start": 0}] if captures is None else captures,
        "annotations": list(annotations),
    }
    path = folder / f"{name}.sigmf-meta"
    path.write_text(json.dumps(metadata))
    contents = data if components is None else components.tobytes()
    (folder / fields.get("dataset", f"{name}.sigmf-data")).write_bytes(contents)
    return path


def resident_bytes():
    """Memory of this process that is in use now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def carrier(number=0, **fields):
    defaults = dict(
        label="LTE",
        sample_start=10 * number,
        sample_count=30,
        freq_lower=1860.7e6,
        freq_upper=1874.3e6,
        confidence=0.98,
        snr_db=21.0,
        pwr_db=-30.0,
        class_id=1,
        verdict="likely",
        evidence="network",
        cut_lower=False,
        cut_upper=True,
        center_frequency=1867.5e6,
        bandwidth=13.6e6,
        carrier_id=number,
    )
    return SimpleNamespace(**{**defaults, **fields})


@pytest.fixture
def recording(tmp_path):
    """100 samples of ci8, centre frequency and time known."""
    captures = [{"core:sample_start": 0, "core:frequency": 1867.5e6, "core:datetime": "2024-05-01T12:03:07.412Z"}]
    path = write_sigmf(tmp_path, random_components("ci8", 100), captures=captures, description="a band")
    with open_recording(path) as recording:
        yield recording


class TestReading:
    @pytest.mark.parametrize("datatype", SCALES)
    def test_every_format_is_scaled_to_full_scale_one(self, tmp_path, datatype):
        components = random_components(datatype, 1001)
        with open_recording(write_sigmf(tmp_path, components, datatype=datatype)) as recording:
            samples = recording.read(0, 1001)
        assert samples.dtype == np.complex64
        np.testing.assert_array_equal(samples, as_complex(components, datatype))

    def test_parts_add_up_to_the_whole_over_the_ends_of_inner_blocks(self, tmp_path, monkeypatch):
        monkeypatch.setattr(recording_module, "READ_SAMPLES", 64)
        components = random_components("ci16_le", 1001)
        with open_recording(write_sigmf(tmp_path, components, datatype="ci16_le")) as recording:
            parts = [recording.read(start, 77) for start in range(0, 1001, 77)]
        np.testing.assert_array_equal(np.concatenate(parts), as_complex(components, "ci16_le"))

    def test_reading_over_the_end_gives_what_there_is(self, recording):
        assert [len(recording.read(90, 100)), len(recording.read(100, 5)), len(recording.read(500, 5))] == [10, 0, 0]

    @pytest.mark.parametrize("start, count", [(-1, 5), (0, -5)])
    def test_negative_positions_are_refused(self, recording, start, count):
        with pytest.raises(ParameterError, match="0 or more"):
            recording.read(start, count)

    @pytest.mark.parametrize("name", ["band.sigmf-meta", "band.sigmf-data", "band"])
    def test_meta_data_and_base_name_open_the_same(self, recording, name):
        with open_recording(str(recording.path.with_name(name))) as other:
            assert (other.path, other.meta_path) == (recording.path, recording.meta_path)

    @pytest.mark.parametrize("datatype", ["ci8", "cu8", "ci16", "ci16_le", "cf32", "cf32_le"])
    def test_raw_files_open_with_format_and_rate(self, tmp_path, datatype):
        name = datatype if datatype in SCALES else f"{datatype}_le"
        components = random_components(name, 50)
        path = tmp_path / "band_2.6GHz"
        path.write_bytes(components.tobytes())
        with open_recording(path, datatype=datatype, sample_rate=20e6, center_frequency=2.6e9) as recording:
            assert (recording.meta_path, recording.datatype) == (None, name)
            assert (recording.sample_rate, recording.center_frequency) == (20e6, 2.6e9)
            np.testing.assert_array_equal(recording.read(0, 50), as_complex(components, name))

    def test_what_is_given_replaces_the_metadata_and_a_warning_says_so(self, recording):
        with open_recording(recording.meta_path, sample_rate=2e6, center_frequency=5e9) as other:
            assert (other.sample_rate, other.center_frequency) == (2e6, 5e9)
            assert len(other.warnings) == 2 and all("was given and is used" in text for text in other.warnings)

    def test_headers_between_the_samples_and_bytes_behind_them_are_skipped(self, tmp_path):
        components = random_components("ci8", 30)
        raw = components.tobytes()
        contents = b"HEAD" + raw[:20] + b"SECOND" + raw[20:] + b"tail!"
        captures = [{"core:sample_start": 0, "core:header_bytes": 4}, {"core:sample_start": 10, "core:header_bytes": 6}]
        path = write_sigmf(tmp_path, data=contents, captures=captures, dataset="band.dat", trailing_bytes=5)
        with open_recording(path) as recording:
            assert (recording.sample_count, recording.warnings) == (30, [])
            np.testing.assert_array_equal(recording.read(0, 30), as_complex(components, "ci8"))
            np.testing.assert_array_equal(recording.read(8, 5), as_complex(components, "ci8")[8:13])

    def test_ten_gigabytes_open_at_once_and_are_read_in_little_memory(self, tmp_path):
        path = write_sigmf(tmp_path, sha512="0" * 128)
        size = 10 * 2**30
        with open(tmp_path / "band.sigmf-data", "r+b") as file:
            file.truncate(size)
        before, most = resident_bytes(), 0
        started = time.process_time()
        with open_recording(path) as recording:
            assert recording.sample_count == size // 2
            for start in range(0, size // 2, size // 400):
                assert not recording.read(start, 100_000).any()
                most = max(most, resident_bytes())
        # 200 reads of 0.2 MB: what is held at a time is one of them, not their sum (40 MB).
        assert most - before < 8e6
        assert time.process_time() - started < 5

    def test_every_capture_of_the_collection_opens_and_reads(self, captures):
        for path in sorted(captures.glob("*.sigmf-meta")):
            with open_recording(path) as recording:
                samples = recording.read(0, recording.sample_count)
                assert len(samples) == recording.sample_count and np.isfinite(samples).all()
                assert recording.warnings == []


class TestCaptures:
    def test_frequency_and_time_hold_from_their_sample_on(self, tmp_path):
        entries = [
            {"core:sample_start": 40, "core:frequency": 2e9},
            {"core:sample_start": 0, "core:frequency": 1e9, "core:datetime": "2024-05-01T12:00:00.5Z"},
            {"core:sample_start": 70, "core:datetime": "2024-05-01T13:00:00Z"},
        ]
        with open_recording(write_sigmf(tmp_path, random_components("ci8", 100), captures=entries)) as recording:
            found = [recording.capture_at(s).center_frequency for s in (0, 39, 40, 69, 70, 99)]
            assert found == [1e9, 1e9, 2e9, 2e9, 2e9, 2e9]
            assert [recording.next_capture(s) for s in (0, 39, 40, 99)] == [40, 40, 70, 100]
            assert recording.captures[0].datetime == dt.datetime(2024, 5, 1, 12, 0, 0, 500_000, dt.timezone.utc)
            noon = int(dt.datetime(2024, 5, 1, 12, tzinfo=dt.timezone.utc).timestamp())
            assert recording.time_at(40) == (noon, pytest.approx(0.5 + 40e-6, abs=1e-12))
            assert recording.time_at(70) == (noon + 3600, 0.0)

    def test_the_last_digits_of_a_synthesiser_are_no_retune(self, tmp_path):
        around = [{"core:sample_start": k, "core:frequency": 1e9 + 0.4 * (-1) ** k} for k in range(50)]
        drift = [{"core:sample_start": 50 + k, "core:frequency": 1e9 + 0.5 * k} for k in range(10)]
        path = write_sigmf(tmp_path, random_components("ci8", 100), captures=[*around, *drift])
        with open_recording(path) as recording:
            assert [one.sample_start for one in recording.captures] == [0, 53, 55, 57, 59]

    @pytest.mark.parametrize(
        "text, fraction",
        [
            ("2024-05-01T12:03:07Z", 0.0),
            ("2024-05-01T12:03:07.123456789Z", 0.123456789),
            ("2024-05-01T14:03:07.25+02:00", 0.25),
            ("2024-05-01T12:03:07.25", 0.25),
        ],
    )
    def test_times_keep_all_their_digits(self, tmp_path, text, fraction):
        path = write_sigmf(tmp_path, data=b"ab", captures=[{"core:sample_start": 0, "core:datetime": text}])
        with open_recording(path) as recording:
            whole = int(dt.datetime(2024, 5, 1, 12, 3, 7, tzinfo=dt.timezone.utc).timestamp())
            assert recording.captures[0].time == (whole, fraction)

    @pytest.mark.parametrize("text", ["yesterday", "2024-13-01T00:00:00Z", 5, "9999-12-31T23:59:59-01:00"])
    def test_a_time_that_is_none_is_a_warning(self, tmp_path, text):
        path = write_sigmf(tmp_path, data=b"ab", captures=[{"core:sample_start": 0, "core:datetime": text}])
        with open_recording(path) as recording:
            assert recording.captures[0].datetime is None and recording.time_at(0) is None
            assert "core:datetime" in recording.warnings[0]

    def test_samples_count_from_zero_where_the_metadata_count_from_an_offset(self, tmp_path):
        captures = [
            {"core:sample_start": 1000, "core:frequency": 1e9},
            {"core:sample_start": 1040, "core:frequency": 2e9},
        ]
        annotations = [{"core:sample_start": 1010, "core:sample_count": 20}]
        path = write_sigmf(
            tmp_path, random_components("ci8", 100), captures=captures, annotations=annotations, offset=1000
        )
        with open_recording(path) as recording:
            assert [capture.sample_start for capture in recording.captures] == [0, 40]
            assert recording.annotations[0]["core:sample_start"] == 10
            output = write_annotations(recording, [carrier(1)], tmp_path / "out.sigmf-meta")
        assert sigmf.fromfile(output).get_annotations()[0]["core:sample_start"] == 1010

    @pytest.mark.parametrize(
        "entry",
        [
            {"core:frequency": 1e9},
            {},
            {"core:frequency": 1e9, "core:datetime": "2024-05-01T12:00:00.000Z"},
            {"core:frequency": 1e9, "core:datetime": "2024-05-01T12:00:00.000040"},
            {"core:frequency": 1e9, "core:datetime": "2024-05-01T14:00:00.00004+02:00", "far:gain": 3},
            {"core:datetime": "2024-05-01T12:00:00Z"},
        ],
    )
    def test_captures_that_say_nothing_new_are_one(self, tmp_path, entry):
        first = {"core:sample_start": 0, "core:frequency": 1e9, "core:datetime": "2024-05-01T12:00:00.000000Z"}
        captures = [first, {"core:sample_start": 40, **entry}, {"core:sample_start": 60, "core:frequency": 1e9}]
        with open_recording(write_sigmf(tmp_path, random_components("ci8", 100), captures=captures)) as recording:
            assert [capture.sample_start for capture in recording.captures] == [0]
            assert recording.captures_between(1, 100) == [] and recording.next_capture(0) == 100

    @pytest.mark.parametrize("digits", [0, 3, 6, 9])
    @pytest.mark.parametrize("cut", [True, False])
    def test_in_a_recording_without_gaps_no_sample_is_lost_however_few_digits_its_times_have(
        self, tmp_path, digits, cut
    ):
        captures = []
        for sample in range(0, 100_000, 977):
            exact = 7_300_000_000 + sample * 52  # ns at 19.23 Msps; 52 ns a sample
            step = 10 ** (9 - digits)
            shown = exact // step * step if cut else round(exact / step) * step
            text = f"2024-05-01T12:00:{shown // 10**9:02d}.{shown % 10**9:09d}"[: 20 + digits].rstrip(".") + "Z"
            captures.append({"core:sample_start": sample, "core:frequency": 1e9, "core:datetime": text})
        path = write_sigmf(tmp_path, data=bytes(200_000), captures=captures, sample_rate=1e9 / 52)
        with open_recording(path) as recording:
            assert len(recording.captures) == 1

    def test_a_gap_longer_than_the_last_digit_is_one(self, tmp_path):
        captures = [
            {"core:sample_start": 0, "core:frequency": 1e9, "core:datetime": "2024-05-01T12:00:00.000Z"},
            {"core:sample_start": 1000, "core:frequency": 1e9, "core:datetime": "2024-05-01T12:00:00.004Z"},
        ]
        with open_recording(write_sigmf(tmp_path, data=bytes(4000), captures=captures)) as recording:
            assert [capture.sample_start for capture in recording.captures] == [0, 1000]
            assert recording.time_at(1500)[1] == pytest.approx(0.0045)

    @pytest.mark.parametrize(
        "captures, found, words",
        [
            ([(0, None), (40, 2e9)], [(0, 2e9)], "1 of 2 capture segments have no core:frequency"),
            ([(0, 1e9), (40, None), (70, 2e9)], [(0, 1e9), (70, 2e9)], "1 of 3 capture segments"),
            ([(30, 1e9)], [(0, 1e9)], "starts at sample 30"),
            ([(30, None), (40, 2e9), (60, 3e9)], [(0, 2e9), (60, 3e9)], "starts at sample 30"),
            ([(0, 1e9), (40, None), (70, 1e9)], [(0, 1e9)], "1 of 3 capture segments"),
        ],
    )
    def test_without_a_frequency_that_before_holds_and_at_the_beginning_the_first(
        self, tmp_path, captures, found, words
    ):
        entries = [
            {"core:sample_start": start, **({} if frequency is None else {"core:frequency": frequency})}
            for start, frequency in captures
        ]
        with open_recording(write_sigmf(tmp_path, data=bytes(200), captures=entries)) as recording:
            assert [(one.sample_start, one.center_frequency) for one in recording.captures] == found
            assert any(words in warning for warning in recording.warnings)

    def test_samples_before_the_first_capture_have_its_time_too(self, tmp_path):
        captures = [{"core:sample_start": 500, "core:frequency": 1e9, "core:datetime": "2024-05-01T12:00:00.25Z"}]
        with open_recording(write_sigmf(tmp_path, data=bytes(4000), captures=captures)) as recording:
            assert len(recording.captures) == 1
            assert recording.time_at(0)[1] == pytest.approx(0.2495)


class TestOddButReadable:
    def test_half_a_sample_at_the_end_is_ignored_with_a_warning(self, tmp_path):
        path = write_sigmf(tmp_path, data=bytes(4 * 10 + 3), datatype="ci16_le")
        with open_recording(path) as recording:
            assert recording.sample_count == 10
            assert "3 of 4 bytes" in recording.warnings[0]

    def test_annotations_and_captures_beyond_the_end_are_warnings(self, tmp_path):
        path = write_sigmf(
            tmp_path,
            data=bytes(20),
            captures=[{"core:sample_start": 0}, {"core:sample_start": 10}],
            annotations=[{"core:sample_start": 5, "core:sample_count": 50}],
        )
        with open_recording(path) as recording:
            assert len(recording.captures) == 1
            assert any("1 capture segment(s)" in text for text in recording.warnings)
            assert any("to sample 55" in text for text in recording.warnings)

    def test_an_extension_that_must_be_understood_is_a_warning(self, tmp_path):
        extensions = [{"name": "far", "version": "1.0.0", "optional": False}]
        with open_recording(write_sigmf(tmp_path, data=bytes(20), extensions=extensions)) as recording:
            assert "'far'" in recording.warnings[0]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"core:freq_lower_edge": "low", "core:freq_upper_edge": 2e9},
            {"core:freq_lower_edge": 2e9, "core:freq_upper_edge": 1e9},
            {"core:freq_lower_edge": float("nan"), "core:freq_upper_edge": 1e9},
            {"core:freq_lower_edge": [1e9], "core:freq_upper_edge": 2e9},
            {"core:label": ["LTE", "NR"]},
            {"core:label": 5},
            {"core:comment": {}},
            {"core:sample_start": -3},
            {"core:sample_start": 0.5},
            {"core:sample_start": None},
            {"core:sample_start": 10**30},
            {"core:sample_count": -4},
            {"core:sample_count": True},
        ],
    )
    def test_an_annotation_out_of_line_is_left_out_with_a_warning_and_written_back(self, tmp_path, wrong):
        mine = [{"core:sample_start": 1, "core:sample_count": 5, "core:label": "mine"}]
        bad = {"core:sample_start": 0, "core:sample_count": 5, **wrong}
        path = write_sigmf(tmp_path, data=bytes(40), annotations=[bad, *mine])
        with open_recording(path) as recording:
            assert recording.annotations == mine
            (warning,) = recording.warnings
            assert "1 annotation(s) are left out" in warning and next(iter(wrong)).split("_")[0] in warning

    @pytest.mark.parametrize("text", ["1000000", "1e6", " 1000000.0 "])
    def test_a_number_as_text_is_that_number_with_a_warning(self, tmp_path, text):
        captures = [{"core:sample_start": "0", "core:frequency": "1.8e9"}]
        annotations = [{"core:sample_start": "2", "core:sample_count": "3", "core:freq_lower_edge": "1e9"}]
        path = write_sigmf(tmp_path, data=bytes(40), sample_rate=text, captures=captures, annotations=annotations)
        with open_recording(path) as recording:
            assert (recording.sample_rate, recording.center_frequency) == (1e6, 1.8e9)
            assert recording.annotations[0]["core:sample_start"] == 2
            assert any("core:sample_rate is text" in warning for warning in recording.warnings)
            output = write_annotations(recording, [], tmp_path / "out.sigmf-meta")
        sigmf.fromfile(output).validate()

    @pytest.mark.parametrize(
        "captures, words",
        [
            ({"core:sample_start": 0, "core:frequency": 1e9}, "is an object"),
            ({"0": {"core:sample_start": 0, "core:frequency": 1e9}}, "is an object"),
            ([5, {"core:sample_start": 0, "core:frequency": 1e9}, None], "2 of 3"),
        ],
    )
    def test_captures_of_another_shape_are_read(self, tmp_path, captures, words):
        with open_recording(write_sigmf(tmp_path, data=bytes(40), captures=captures)) as recording:
            assert recording.center_frequency == 1e9
            assert any(words in warning for warning in recording.warnings)

    @pytest.mark.parametrize("captures", ["none", 5, True])
    def test_captures_that_are_none_are_left_aside(self, tmp_path, captures):
        with open_recording(write_sigmf(tmp_path, data=bytes(40), captures=captures)) as recording:
            assert recording.center_frequency is None
            assert any("left aside" in warning for warning in recording.warnings)

    @pytest.mark.parametrize(
        "fields",
        [
            {"captures": [{"core:sample_start": "x", "core:frequency": "2 GHz"}]},
            {"captures": [{"core:sample_start": 0.5}]},
            {"sample_rate": "fast", "datatype": 7},
            {"offset": -1},
            {"trailing_bytes": "many"},
        ],
    )
    def test_what_is_overruled_need_not_be_right(self, tmp_path, fields):
        path = write_sigmf(tmp_path, random_components("ci8", 20), **fields)
        with open_recording(path, datatype="ci8", sample_rate=1e6, center_frequency=2e9) as recording:
            assert recording.sample_count == 20
            assert recording.center_frequency == 2e9 and len(recording.captures) == 1

    @pytest.mark.parametrize("text", ["{", "[1]", '{"global": 5}'])
    def test_metadata_that_are_none_are_left_aside_where_format_and_rate_are_given(self, tmp_path, text):
        path = write_sigmf(tmp_path, random_components("ci8", 20))
        path.write_text(text)
        with open_recording(path, datatype="ci8", sample_rate=1e6) as recording:
            assert recording.sample_count == 20 and "left aside" in recording.warnings[0]

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
    def test_a_byte_order_mark_is_no_fault(self, tmp_path, encoding):
        path = write_sigmf(tmp_path, data=bytes(40))
        path.write_bytes(path.read_text().encode(encoding))
        with open_recording(path) as recording:
            assert recording.sample_count == 20

    @pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"])
    def test_times_far_away_count_from_the_start_with_a_warning(self, tmp_path, text):
        captures = [{"core:sample_start": 0, "core:frequency": 1e9, "core:datetime": text}]
        with open_recording(write_sigmf(tmp_path, data=bytes(40), captures=captures)) as recording:
            assert recording.time_at(0) is None
            assert any("times count from" in warning and text in warning for warning in recording.warnings)
            output = write_annotations(recording, [], tmp_path / "out.sigmf-meta")
        assert sigmf.fromfile(output).get_captures() == captures

    def test_metadata_of_any_length_take_bounded_memory(self, tmp_path, monkeypatch):
        monkeypatch.setattr(metadata_module, "LONGEST_METADATA", 1000)
        path = write_sigmf(tmp_path, data=bytes(40), captures=[{"core:sample_start": k} for k in range(20)] * 9)
        with pytest.raises(RecordingError, match="leave out captures"):
            open_recording(path)


class TestWhichFile:
    """The samples are those of the file that was named; `core:dataset` is for data sets that do not conform."""

    @pytest.mark.parametrize("named", ["mine.sigmf-data", "mine.sigmf-meta", "mine"])
    def test_the_conforming_name_comes_before_the_dataset(self, tmp_path, named):
        write_sigmf(tmp_path, random_components("ci8", 20), name="mine")
        path = write_sigmf(tmp_path, random_components("ci8", 33), name="mine", dataset="other.bin")
        with open_recording(tmp_path / named) as recording:
            assert (recording.path.name, recording.sample_count) == ("mine.sigmf-data", 20)
            assert any("'other.bin'; mine.sigmf-data is read" in warning for warning in recording.warnings)
        (tmp_path / "other.bin").unlink()
        assert open_recording(path).sample_count == 20

    def test_the_dataset_is_read_where_there_is_no_other(self, tmp_path):
        path = write_sigmf(tmp_path, random_components("ci8", 33), name="mine", dataset="other.bin")
        with open_recording(path) as recording:
            assert (recording.path.name, recording.sample_count, recording.warnings) == ("other.bin", 33, [])

    @pytest.mark.parametrize("dataset", [5, "", "..", "a/b", "/etc/passwd", "a\0b", ["x"]])
    def test_a_dataset_that_is_no_name_is_refused_only_where_it_is_needed(self, tmp_path, dataset):
        path = write_sigmf(tmp_path, random_components("ci8", 20), name="mine")
        metadata = json.loads(path.read_text())
        path.write_text(json.dumps({**metadata, "global": {**metadata["global"], "core:dataset": dataset}}))
        assert open_recording(path).sample_count == 20
        path.with_suffix(".sigmf-data").unlink()
        with pytest.raises(RecordingError):
            open_recording(path)

    def test_a_file_of_another_kind_is_read_and_not_what_its_metadata_name(self, tmp_path):
        write_sigmf(tmp_path, random_components("ci8", 33), name="mine.bin", dataset="other.bin")
        (tmp_path / "mine.bin").write_bytes(bytes(20))
        with open_recording(tmp_path / "mine.bin") as recording:
            assert (recording.path.name, recording.sample_count) == ("mine.bin", 10)

    def test_metadata_named_by_themselves_never_open_a_dataset_in_the_place_of_a_named_one(self, tmp_path):
        write_sigmf(tmp_path, random_components("ci8", 33), name="mine", dataset="other.bin")
        with open_recording(tmp_path / "other.bin", datatype="ci8", sample_rate=1e6) as recording:
            assert recording.meta_path is None and recording.sample_count == 33


class TestUnreadable:
    @pytest.mark.parametrize(
        "fields, message",
        [
            ({"sample_rate": None}, "--sample-rate"),
            ({"sample_rate": 0}, "above 0"),
            ({"sample_rate": "20 MHz"}, "must be a number"),
            ({"sample_rate": "1,92e6"}, "must be a number"),
            ({"sample_rate": "nan"}, "must be a number"),
            ({"sample_rate": 10**400}, "must be a number"),
            ({"sample_rate": 10**400}, "must be a number"),
            ({"sample_rate": float("nan")}, "must be a number"),
            ({"datatype": None}, "--format"),
            ({"datatype": "cf128_le"}, "ci8, cu8, ci16_le, cf32_le"),
            ({"datatype": 7}, "ci8, cu8, ci16_le, cf32_le"),
            ({"num_channels": 0}, "num_channels is 0"),
            ({"num_channels": 2000}, "num_channels is 2000"),
            ({"trailing_bytes": -1}, "whole number"),
            ({"offset": "x"}, "whole number"),
            ({"captures": [{"core:sample_start": 0.5}]}, "whole number"),
            ({"captures": [{"core:sample_start": 0, "core:frequency": "2 GHz"}]}, "must be a number"),
        ],
    )
    def test_unusable_metadata_name_the_file_the_fault_and_the_cure(self, tmp_path, fields, message):
        path = write_sigmf(tmp_path, data=bytes(20), **fields)
        with pytest.raises(RecordingError, match=message) as error:
            open_recording(path)
        assert str(path) in str(error.value)

    @pytest.mark.parametrize("text", ["{", "", "[1]", '{"global": 5}', "\xff", "[" * 100_000])
    def test_text_that_is_no_metadata(self, tmp_path, text):
        path = write_sigmf(tmp_path, data=bytes(20))
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(RecordingError, match="not valid JSON|not SigMF metadata"):
            open_recording(path)

    def test_no_samples(self, tmp_path):
        with pytest.raises(RecordingError, match="holds no samples"):
            open_recording(write_sigmf(tmp_path, data=b"a"))

    def test_metadata_without_data(self, recording):
        recording.path.unlink()
        with pytest.raises(RecordingError, match="band.sigmf-data does not exist"):
            open_recording(recording.meta_path)

    def test_a_dataset_in_another_folder(self, tmp_path):
        path = write_sigmf(tmp_path, data=bytes(20))
        metadata = json.loads(path.read_text())
        metadata["global"]["core:dataset"] = "../../etc/passwd"
        path.write_text(json.dumps(metadata))
        path.with_suffix(".sigmf-data").unlink()
        with pytest.raises(RecordingError, match="name of a file beside it"):
            open_recording(path)

    def test_data_without_metadata_ask_for_format_and_rate(self, recording):
        recording.meta_path.unlink()
        with pytest.raises(RecordingError, match="--format .* --sample-rate"):
            open_recording(recording.path)
        with open_recording(recording.path, datatype="ci8", sample_rate=1e6) as raw:
            assert raw.sample_count == 100

    @pytest.mark.parametrize("name", ["none", "none.sigmf-meta", "none.sigmf-data", "none.cs8"])
    def test_a_missing_file(self, tmp_path, name):
        with pytest.raises(RecordingError, match=f"{name} does not exist"):
            open_recording(tmp_path / name, datatype="ci8", sample_rate=1e6)

    @pytest.mark.parametrize("name", ["folder", "folder.sigmf-meta", "folder.sigmf-data"])
    def test_a_folder(self, tmp_path, name):
        (tmp_path / name).mkdir()
        with pytest.raises(RecordingError, match="is a folder"):
            open_recording(tmp_path / name)

    def test_a_pipe_that_nobody_writes_to_ends_with_a_sentence(self, tmp_path, monkeypatch):
        os.mkfifo(tmp_path / "pipe")
        monkeypatch.setattr("rpmsn.recording.readers.compressed.LONGEST_SILENCE_S", 0.3)
        with pytest.raises(RecordingError, match="nothing came from .*pipe"):
            open_recording(tmp_path / "pipe", datatype="ci8", sample_rate=1e6)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    @pytest.mark.parametrize("name", ["band.sigmf-meta", "band.sigmf-data"])
    def test_a_file_without_permission(self, recording, name):
        recording.path.with_name(name).chmod(0)
        with pytest.raises(RecordingError, match=f"{name} cannot be read: Permission denied"):
            open_recording(recording.meta_path)

    @pytest.mark.parametrize("name", ["sample_rate", "center_frequency"])
    @pytest.mark.parametrize("value", [float("nan"), float("inf"), "fast"])
    def test_arguments_that_are_no_numbers(self, recording, name, value):
        with pytest.raises(ParameterError, match=name):
            open_recording(recording.meta_path, **{name: value})

    def test_a_file_that_shrinks_while_it_is_read(self, recording):
        os.truncate(recording.path, 50)
        with pytest.raises(RecordingError, match="has become shorter"):
            recording.read(0, 100)


class TestAnnotations:
    def test_the_file_is_valid_and_opens_with_the_samples(self, recording):
        output = default_output(recording)
        assert write_annotations(recording, [carrier(2), carrier(1)], output, model="rpmsn-test") == output
        handle = sigmf.fromfile(output)
        handle.validate()
        assert [entry["rpmsn:carrier_id"] for entry in handle.get_annotations()] == [1, 2]
        assert handle.get_annotations()[1] == {
            "core:sample_start": 20,
            "core:sample_count": 30,
            "core:label": "LTE",
            "core:freq_lower_edge": 1860.7e6,
            "core:freq_upper_edge": 1874.3e6,
            "core:generator": f"gr-rpmsn {__version__}",
            "rpmsn:confidence": 0.98,
            "rpmsn:verdict": "likely",
            "rpmsn:evidence": "network",
            "rpmsn:cut_lower": False,
            "rpmsn:cut_upper": True,
            "rpmsn:snr_db": 21.0,
            "rpmsn:pwr_db": -30.0,
            "rpmsn:carrier_id": 2,
        }
        assert handle.get_captures() == recording.metadata["captures"]
        assert handle.get_global_field("core:description") == "a band"
        assert handle.get_global_field("rpmsn:model") == "rpmsn-test"
        assert [entry["name"] for entry in handle.get_global_field("core:extensions")] == ["rpmsn"]
        np.testing.assert_allclose(handle.read_samples(), recording.read(0, 100), atol=1e-7)

    def test_numpy_numbers_no_carriers_and_an_unknown_snr(self, recording, tmp_path):
        odd = carrier(sample_start=np.int64(3), freq_lower=np.float32(1.5), confidence=np.float32(0.5), snr_db=np.nan)
        output = write_annotations(recording, [odd], tmp_path / "odd.sigmf-meta")
        assert "rpmsn:snr_db" not in json.loads(output.read_text())["annotations"][0]
        assert sigmf.fromfile(write_annotations(recording, [], tmp_path / "none.sigmf-meta")).get_annotations() == []

    def test_annotations_of_the_input_are_kept_only_if_asked(self, tmp_path):
        mine = {"core:sample_start": 5, "core:sample_count": 3, "core:label": "mine"}
        path = write_sigmf(tmp_path, data=bytes(200), annotations=[mine])
        with open_recording(path) as recording:
            without = write_annotations(recording, [carrier(1)], tmp_path / "a.sigmf-meta")
            kept = write_annotations(recording, [carrier(1)], tmp_path / "b.sigmf-meta", keep_annotations=True)
        assert [entry["core:label"] for entry in sigmf.fromfile(without).get_annotations()] == ["LTE"]
        assert [entry["core:label"] for entry in sigmf.fromfile(kept).get_annotations()] == ["mine", "LTE"]

    def test_a_raw_recording_gets_metadata_from_what_is_known(self, tmp_path):
        path = tmp_path / "band.cs16"
        path.write_bytes(random_components("ci16_le", 40).tobytes())
        with open_recording(path, datatype="ci16", sample_rate=20_000_000, center_frequency=2.6e9) as recording:
            output = write_annotations(recording, [carrier()], default_output(recording), extra_global={"core:hw": "x"})
            samples = recording.read(0, 40)
        assert output.name == "band.cs16.rpmsn.sigmf-meta"
        handle = sigmf.fromfile(output)
        handle.validate()
        assert handle.get_global_field("core:hw") == "x"
        with open_recording(output) as again:
            assert (again.datatype, again.sample_rate, again.center_frequency) == ("ci16_le", 20e6, 2.6e9)
            np.testing.assert_array_equal(again.read(0, 40), samples)

    def test_in_another_folder_the_file_is_metadata_alone(self, recording, tmp_path):
        (tmp_path / "results").mkdir()
        output = write_annotations(recording, [carrier()], tmp_path / "results" / "band.sigmf-meta")
        handle = sigmf.fromfile(output)
        handle.validate()
        assert handle.get_global_field("core:metadata_only") is True
        assert handle.get_global_field("core:dataset") is None
        assert handle.get_global_field("rpmsn:dataset") == "band.sigmf-data"
        with pytest.raises(RecordingError, match="left out"):
            open_recording(output)

    def test_default_names_step_aside_for_files_that_exist(self, recording):
        names = []
        for _ in range(3):
            names.append(write_annotations(recording, [], default_output(recording)).name)
        assert names == ["band.rpmsn.sigmf-meta", "band.rpmsn-2.sigmf-meta", "band.rpmsn-3.sigmf-meta"]

    def test_an_input_that_is_not_quite_valid_still_gets_valid_annotations(self, tmp_path, caplog):
        captures = [{"core:frequency": 2e9, "core:datetime": "2024-05-01T12:03:07Z"}]
        path = write_sigmf(tmp_path, data=bytes(200), captures=captures, hw=5, extensions=["old"])
        with open_recording(path) as recording:
            output = write_annotations(recording, [carrier()], tmp_path / "out.sigmf-meta")
        handle = sigmf.fromfile(output)
        handle.validate()
        assert handle.get_captures() == [{"core:sample_start": 0, **captures[0]}]
        assert "core:hw (5 is not of type 'string')" in caplog.text
        assert [entry["name"] for entry in handle.get_global_field("core:extensions")] == ["rpmsn"]

    def test_written_over_its_own_metadata_a_recording_keeps_the_annotations_of_others(self, tmp_path):
        mine = {"core:sample_start": 5, "core:sample_count": 3, "core:label": "mine", "core:generator": "me 1"}
        other = {"core:sample_start": 90, "core:sample_count": 3, "core:comment": "no generator"}
        path = write_sigmf(tmp_path, data=bytes(200), annotations=[mine, other])
        for number in (1, 2):
            with open_recording(path) as recording:
                write_annotations(recording, [carrier(number)], path, overwrite=True)
        kept = sigmf.fromfile(path).get_annotations()
        assert [entry.get("core:label", "-") for entry in kept] == ["mine", "LTE", "-"]

    def test_fields_that_are_not_valid_go_alone_and_everything_else_stays(self, tmp_path, caplog):
        path = write_sigmf(tmp_path, data=bytes(200), hw=5, author="A", license="L", geolocation={"type": "x"})
        metadata = json.loads(path.read_text())
        metadata["global"] |= {"far:level": float("nan"), "far:gain": 3.0, "far:deep": {"a": [1, float("inf")], "b": 2}}
        metadata["captures"] = [{"core:sample_start": 0, "core:frequency": 1e9, "far:temperature": float("-inf")}]
        metadata["far:sites"] = {"roof": [1, 2]}
        path.write_text(json.dumps(metadata))
        with open_recording(path) as recording:
            output = write_annotations(recording, [carrier()], tmp_path / "out.sigmf-meta")
        written = json.loads(output.read_text(), parse_constant=pytest.fail)
        fields = written["global"]
        assert (fields["core:author"], fields["core:license"], fields["far:gain"]) == ("A", "L", 3.0)
        assert fields["far:deep"] == {"a": [1, None], "b": 2} and "far:level" not in fields
        assert not {"core:hw", "core:geolocation"} & set(fields)
        assert written["captures"] == [{"core:sample_start": 0, "core:frequency": 1e9}]
        assert written["far:sites"] == {"roof": [1, 2]}
        assert "core:hw" in caplog.text and "far:level" in caplog.text

    @pytest.mark.parametrize("version", [None, 5, "new", ["1.2.0"], float("nan")])
    def test_a_version_that_is_none_becomes_the_one_that_is_written(self, tmp_path, version):
        path = write_sigmf(tmp_path, data=bytes(200), version=version, author="A")
        with open_recording(path) as recording:
            handle = sigmf.fromfile(write_annotations(recording, [carrier()], tmp_path / "out.sigmf-meta"))
        handle.validate()
        assert handle.get_global_field("core:author") == "A"

    @pytest.mark.parametrize("name", ["out.json", "out", ".sigmf-meta", "band.sigmf-data"])
    def test_other_endings_are_refused(self, recording, name):
        with pytest.raises(RecordingError, match="must end in .sigmf-meta"):
            write_annotations(recording, [], recording.path.with_name(name), overwrite=True)

    def test_an_existing_file_is_overwritten_only_if_asked(self, recording):
        before = recording.meta_path.read_bytes()
        with pytest.raises(RecordingError, match="--overwrite"):
            write_annotations(recording, [carrier()], recording.meta_path)
        assert recording.meta_path.read_bytes() == before
        write_annotations(recording, [carrier()], recording.meta_path, overwrite=True)
        with open_recording(recording.meta_path) as again:
            assert len(again.annotations) == 1

    def test_of_many_writers_to_one_name_one_wins(self, recording, tmp_path):
        output, refused = tmp_path / "out.sigmf-meta", []
        barrier = threading.Barrier(4)

        def write():
            barrier.wait()
            try:
                write_annotations(recording, [carrier()], output)
            except RecordingError as error:
                refused.append(error)

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 3 and "exists" in str(refused[0])
        sigmf.fromfile(output).validate()

    @pytest.mark.parametrize("broken", ["fsync", "replace"])
    def test_a_full_disk_leaves_everything_as_it_was(self, recording, monkeypatch, broken):
        output = default_output(recording)
        output.write_text("old")
        before = sorted(os.listdir(output.parent))

        def fail(*args):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, broken, fail)
        with pytest.raises(RecordingError, match="No space left on device.*space"):
            write_annotations(recording, [carrier()], output, overwrite=True)
        assert sorted(os.listdir(output.parent)) == before and output.read_text() == "old"

    def test_without_hard_links_the_file_is_moved_into_place(self, recording, monkeypatch, tmp_path):
        def fail(*args):
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(os, "link", fail)
        output = write_annotations(recording, [carrier()], tmp_path / "out.sigmf-meta")
        sigmf.fromfile(output).validate()
        assert not list(tmp_path.glob(".*.tmp"))

    def test_a_missing_folder_is_named(self, recording, tmp_path):
        with pytest.raises(RecordingError, match="nowhere does not exist"):
            write_annotations(recording, [], tmp_path / "nowhere" / "out.sigmf-meta")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_without_permission(self, recording, tmp_path):
        folder = tmp_path / "closed"
        folder.mkdir(mode=0o500)
        with pytest.raises(RecordingError, match="Permission denied"):
            write_annotations(recording, [], folder / "out.sigmf-meta")
