# SPDX-License-Identifier: GPL-3.0-or-later
"""Carriers are followed by what messages say of them, in bounded memory, and nothing wrong gets in."""

import math

import pytest

pytest.importorskip("pmt", reason="GNU Radio is not installed")

from rpmsn.errors import ParameterError
from rpmsn.gui.carriers import columns as carrier_columns
from rpmsn.gui.carriers.carrier_list import SILENT_SECONDS, WHOLE_EVENT, CarrierList
from rpmsn.gui.carriers.export import export
from rpmsn.gui.carriers.occupancy import BINS, Occupancy, Timeline

RATE = 10e6
FRAME = 400_000  # samples, 40 ms
START_TIME = 1_714_564_987  # 2024-05-01 12:03:07 UTC


def segment(number=0, burst_id=1, **changes):
    """Fields of a segment as long as frame `number`, of a carrier at 1840 to 1850 MHz."""
    fields = {
        "label": "LTE",
        "class_id": 1,
        "confidence": 0.9,
        "verdict": "likely",
        "evidence": "network",
        "freq_lower": 1840e6,
        "freq_upper": 1850e6,
        "cut_lower": False,
        "cut_upper": False,
        "start_offset": number * FRAME,
        "end_offset": (number + 1) * FRAME,
        "rx_time": (START_TIME, number * 0.04 + 0.5),
        "time_source": "radio",
        "duration": 0.04,
        "sample_rate": RATE,
        "snr_db": 20.0,
        "pwr_db": -30.0,
        "burst_id": burst_id,
        "event": "update",
        "pdu_num": number,
        "model": "test",
        "health": "ok",
    }
    fields |= changes
    edges = fields["freq_lower"], fields["freq_upper"]
    if all(isinstance(edge, float) for edge in edges):
        fields = {"center_frequency": sum(edges) / 2, "bandwidth": edges[1] - edges[0], **fields}
    return fields


def only(carriers):
    """The one carrier of a list."""
    (found,) = carriers.rows()
    return found


# What is known of a carrier


def test_a_carrier_has_the_values_of_its_first_segment():
    carriers = CarrierList()
    carriers.add(segment(3, burst_id=7, event="new"))
    carrier = only(carriers)
    assert (carrier.carrier_id, carrier.label, carrier.class_id) == (7, "LTE", 1)
    assert (carrier.center_frequency, carrier.bandwidth, carrier.snr_db) == (1845e6, 10e6, 20.0)
    assert carrier.since == (START_TIME, pytest.approx(0.62)) and not carrier.gone


def test_fraction_of_time_on_air_counts_from_the_first_sample_to_now():
    carriers = CarrierList()
    for number in (0, 1, 4):
        carriers.add(segment(number))
    carriers.advance(10 * FRAME)
    assert only(carriers).fraction_on_air(carriers.timeline) == pytest.approx(0.3)


def test_segments_at_the_same_time_count_once():
    carriers = CarrierList()
    half = FRAME // 2
    for start, end in ((half, FRAME), (0, half), (0, FRAME), (half // 2, half + 1)):
        carriers.add(segment(0, start_offset=start, end_offset=end))
    carriers.add(segment(1, start_offset=half, end_offset=2 * FRAME))  # a last frame reaches back
    assert only(carriers).occupancy.samples == 2 * FRAME


def test_a_carrier_is_what_the_last_message_says():
    carriers = CarrierList()
    carriers.add(segment(0))
    changes = {"label": "NR", "class_id": 2, "confidence": 0.4, "verdict": "unsure", "freq_lower": 1841.25e6}
    changes |= {"freq_upper": 1849e6, "cut_upper": True, "snr_db": 3.5, "pwr_db": -44.0}
    fields = segment(1, **changes)
    carriers.add(fields)
    assert {key: getattr(only(carriers), key) for key in changes} == changes
    for key in ("center_frequency", "bandwidth", "evidence", "model", "burst_id"):
        assert getattr(only(carriers), key) == fields[key]


def test_the_message_that_a_carrier_is_gone_has_the_last_word():
    carriers = CarrierList()
    carriers.add(segment(0))
    carriers.add(segment(0, event="gone", end_offset=5 * FRAME, freq_upper=1855e6, confidence=0.5, label="NR"))
    carrier = only(carriers)
    assert carrier.gone and (carrier.label, carrier.confidence, carrier.bandwidth) == ("NR", 0.5, 15e6)
    carriers.advance(100 * FRAME)
    assert carrier.fraction_on_air(carriers.timeline) == pytest.approx(0.2)


def test_a_carrier_that_comes_again_is_one_row_with_its_history():
    carriers = CarrierList()
    for number, (burst_id, start) in enumerate(((1, 0), (2, 10), (3, 20))):
        carriers.add(segment(start, burst_id, event="new"))
        carriers.add(segment(start, burst_id, event="gone", end_offset=(start + 2) * FRAME))
        assert only(carriers).times == number + 1 and only(carriers).gone
    row = only(carriers)
    assert [(time.carrier_id, time.sample_start // FRAME, time.sample_end // FRAME) for time in row.each_time()] == [
        (1, 0, 2),
        (2, 10, 12),
        (3, 20, 22),
    ]
    assert row.sample_start == 0 and carriers.find(1) is row and carriers.find(3) is row
    assert carrier_columns.text(row, "on_air", carriers).endswith(", 3 ×")


def test_a_carrier_that_came_again_before_it_was_known_to_be_gone_is_one_row():
    carriers = CarrierList()
    for number in range(20):
        carriers.add_frame(number * FRAME, (number + 1) * FRAME, number, RATE)
    carriers.add(segment(0, 1, event="new", end_offset=2 * FRAME))
    carriers.add(segment(3, 5, event="new", freq_lower=1.9e9, freq_upper=1.91e9))
    carriers.add(segment(10, 2, event="new"))
    carriers.add(segment(11, 2))
    carriers.add(segment(11, 1, event="gone", start_offset=0, end_offset=2 * FRAME))
    row, other = carriers.rows()
    assert (row.carrier_id, row.times, row.gone, other.carrier_id) == (2, 2, False, 5)
    assert [(time.carrier_id, time.sample_start // FRAME, time.sample_end // FRAME) for time in row.each_time()] == [
        (1, 0, 2),
        (2, 10, 12),
    ]
    assert row.fraction_on_air(carriers.timeline) == pytest.approx(4 / 20)
    assert carriers.find(1) is carriers.find(2) is row
    carriers.add(segment(12, 2, event="gone", start_offset=10 * FRAME, end_offset=12 * FRAME))
    assert [found.carrier_id for found in carriers.rows()] == [2, 5]


@pytest.mark.parametrize(
    "changes",
    [{"label": "NR"}, {"freq_lower": 1.9e9, "freq_upper": 1.91e9}, {"cell_id": 18}, {"start_offset": FRAME // 2}],
)
def test_another_carrier_is_another_row(changes):
    carriers = CarrierList()
    carriers.add(segment(0, 1, event="new", cell_id=17))
    carriers.add(segment(0, 1, event="gone", end_offset=FRAME, cell_id=17))
    carriers.add({**segment(9, 2, event="new"), **changes})
    assert [carrier.carrier_id for carrier in carriers.rows()] == [1, 2]


def test_at_the_end_of_a_recording_a_carrier_is_reported_as_a_whole_and_not_gone():
    carriers = CarrierList()
    carriers.add(segment(0))
    carriers.add(segment(0, event=WHOLE_EVENT, end_offset=5 * FRAME, confidence=0.5))
    assert not only(carriers).gone and only(carriers).confidence == 0.5


def test_frames_before_a_carrier_was_reported_do_not_lower_its_fraction_on_air():
    carriers = CarrierList()
    for number in range(4):
        carriers.add_frame(number * FRAME, (number + 1) * FRAME, number, RATE)
    for number in (2, 3):  # reported from its third frame on
        carriers.add(segment(number))
    carriers.add(segment(0, event="gone", end_offset=4 * FRAME))
    assert only(carriers).sample_start == 0 and only(carriers).fraction_on_air(carriers.timeline) == 1.0


def test_values_that_are_not_known_are_shown_as_such():
    carriers = CarrierList()
    carriers.add(segment(0))
    carriers.add(segment(1, snr_db=None, pwr_db=math.nan))
    assert math.isnan(only(carriers).snr_db) and math.isnan(only(carriers).pwr_db)
    assert carrier_columns.text(only(carriers), "snr_db", carriers) == ""


def test_the_first_sample_and_its_time_go_together():
    carriers = CarrierList()
    carriers.add(segment(3, event="new"))
    carriers.add(segment(0, event="gone", end_offset=5 * FRAME))
    carrier = only(carriers)
    assert (carrier.sample_start, carrier.since) == (0, (START_TIME, 0.5))
    assert (carrier.sample_end, carrier.duration) == (5 * FRAME, 0.2)


# Streams


def test_a_number_that_comes_again_as_new_is_another_carrier():
    carriers = CarrierList()
    carriers.add(segment(0, event="new"))
    carriers.add(segment(9, event="new", label="NR"))
    old, new = carriers.rows()
    assert old.gone and not new.gone and carriers.find(1) is new


@pytest.mark.parametrize("changes", [{"sample_rate": 20e6}, {}])
def test_a_stream_at_another_rate_or_restarted_ends_what_was_there(changes):
    carriers = CarrierList()
    carriers.add(segment(0, burst_id=1))
    carriers.add(segment(60, burst_id=1))
    carriers.add(segment(2, burst_id=2, **changes))
    assert [carrier.gone for carrier in carriers.rows()] == [True, False]
    assert carriers.timeline.origin == 2 * FRAME


def test_a_carrier_that_is_reported_late_begins_no_stream():
    carriers = CarrierList()
    for number in range(100):
        carriers.add(segment(number, burst_id=1))
    carriers.add(segment(3, burst_id=2, event="new", pdu_num=99))
    assert [carrier.gone for carrier in carriers.rows()] == [False, False] and carriers.timeline.origin == 0


def test_a_segment_of_a_frame_that_reaches_back_is_of_the_same_stream():
    carriers = CarrierList()
    carriers.add_frame(0, FRAME, 0, RATE)
    carriers.add_frame(FRAME, FRAME + FRAME // 10, 1, RATE)
    carriers.add(segment(0, 1, event="new", start_offset=FRAME, end_offset=FRAME + FRAME // 10))
    carriers.add(segment(0, 2, event="new", start_offset=FRAME // 4, end_offset=FRAME // 2))
    assert [carrier.gone for carrier in carriers.rows()] == [False, False]
    assert carriers.rows()[1].fraction_on_air(carriers.timeline) == pytest.approx(0.25 / 0.85, rel=0.01)


def test_a_carrier_that_was_gone_long_ago_begins_no_stream():
    carriers = CarrierList()
    carriers.add(segment(2000, burst_id=2))
    carriers.add(segment(0, burst_id=1, event="gone", freq_lower=1.9e9, freq_upper=1.91e9))
    assert [carrier.gone for carrier in carriers.rows()] == [False, True]


def test_a_carrier_of_which_nothing_is_heard_is_gone_in_the_end():
    carriers = CarrierList()
    carriers.add(segment(0))
    carriers.advance(round(RATE * (SILENT_SECONDS - 1)))
    carriers.end_silent()
    assert not only(carriers).gone
    carriers.advance(round(RATE * (SILENT_SECONDS + 1)))
    carriers.end_silent()
    assert only(carriers).gone


def test_memory_is_bounded():
    carriers = CarrierList(max_on_air=5, max_gone=3)
    for number in range(1000):
        lower = 1e9 + 20e6 * number
        carriers.add(segment(number, burst_id=number, freq_lower=lower, freq_upper=lower + 10e6))
    assert carriers.count_on_air == 5 and len(carriers.rows()) == 8
    assert [carrier.carrier_id for carrier in carriers.rows()] == list(range(992, 1000))


# Occupancy


def test_occupancy_stands_where_the_carrier_was_on():
    carriers = CarrierList()
    for number in (0, 2):
        carriers.add(segment(number))
    carriers.advance(4 * FRAME)
    assert only(carriers).occupancy.fractions(carriers.timeline).tolist() == [1.0, 0.0, 1.0, 0.0]


def test_bins_grow_and_nothing_that_was_counted_is_lost():
    carriers = CarrierList()
    for number in range(0, 10 * BINS, 2):
        carriers.add(segment(number))
    fractions = only(carriers).occupancy.fractions(carriers.timeline)
    assert len(fractions) <= BINS and only(carriers).occupancy.bins.sum() == 5 * BINS * FRAME
    assert fractions[:-1] == pytest.approx(0.5) and carriers.timeline.bin_samples == 16 * FRAME


def test_a_span_is_distributed_over_bins():
    timeline, occupancy = Timeline(0, 100), Occupancy()
    timeline.reach(300)
    occupancy.add(50, 220, 0, timeline)
    assert occupancy.fractions(timeline).tolist() == pytest.approx([0.5, 1.0, 0.2])


def test_a_thousand_segments_of_one_frame_stay_cheap_and_right():
    timeline, occupancy = Timeline(0, 10_000), Occupancy()
    for place in range(1000):
        occupancy.add(10 * place, 10 * place + 10, 0, timeline)
    assert occupancy.samples == 10_000


def test_a_frame_that_was_not_judged_says_nothing_about_a_carrier():
    carriers = CarrierList()
    for number, judged in enumerate((1.0, 0.0, 1.0, 1.0)):
        carriers.add_frame(number * FRAME, (number + 1) * FRAME, number, RATE, judged)
        if number in (0, 2):
            carriers.add(segment(number))
    carrier = only(carriers)
    fractions = carrier.occupancy.fractions(carriers.timeline)
    assert [None if math.isnan(each) else each for each in fractions] == [1.0, None, 1.0, 0.0]
    assert carrier.fraction_on_air(carriers.timeline) == pytest.approx(2 / 3)


def test_signal_that_was_dropped_says_nothing_about_a_carrier():
    carriers = CarrierList()
    for place, number in ((0, 0), (1, 1), (5, 2), (6, 3)):  # frames 2 to 4 of the signal were dropped
        carriers.add(segment(place, pdu_num=number))
        carriers.add_frame(place * FRAME, (place + 1) * FRAME, number, RATE)
    fractions = only(carriers).occupancy.fractions(carriers.timeline)
    assert [None if math.isnan(each) else each for each in fractions] == [1.0, 1.0, None, None, None, 1.0, 1.0]
    assert only(carriers).fraction_on_air(carriers.timeline) == 1.0


def test_frames_that_were_analysed_and_not_sent_count():
    carriers = CarrierList()
    carriers.add(segment(0))
    for number in (0, 4, 9):
        carriers.add_frame(number * FRAME, (number + 1) * FRAME, number, RATE)
    assert only(carriers).fraction_on_air(carriers.timeline) == pytest.approx(0.1)


# What is refused


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"label": ...}, "without label"),
        ({"burst_id": ...}, "without burst_id"),
        ({"sample_rate": ...}, "sample_rate"),
        ({"freq_lower": math.nan}, "finite"),
        ({"freq_lower": 1850e6}, "upper edge"),
        ({"sample_rate": 0}, "finite"),
        ({"end_offset": 0}, "after the start"),
        ({"freq_upper": None}, "wrong kind"),
        ({"burst_id": "x"}, "invalid"),
    ],
)
def test_a_segment_that_is_not_right_is_refused_with_a_message(changes, words):
    fields = {key: value for key, value in segment(0, **changes).items() if value is not ...}
    carriers = CarrierList()
    with pytest.raises(ValueError, match=words):
        carriers.add(fields)
    assert carriers.rows() == []


# Words


def test_times_are_utc_with_the_date_where_it_is_another():
    carriers = CarrierList()
    carriers.add(segment(0, burst_id=1))
    carriers.add(segment(1, burst_id=2, rx_time=(START_TIME + 86_400, 0.25)))
    first, second = carriers.rows()
    assert carrier_columns.format_since(first, carriers.newest_since) == "05-01 12:03:07.5"
    assert carrier_columns.format_since(second, carriers.newest_since) == "12:03:07.2"


def test_without_a_clock_the_place_in_the_stream_is_shown():
    carriers = CarrierList()
    since = next(column for column in carrier_columns.COLUMNS if column.name == "rx_time")
    assert carrier_columns.title(since, carriers) == "since UTC", "nobody has said otherwise"
    carriers.add({**segment(25), "rx_time": None})
    assert carrier_columns.text(only(carriers), "rx_time", carriers) == "+1.000 s"
    assert carrier_columns.title(since, carriers) == "since start"


def test_text_for_the_clipboard_has_tabs_titles_and_units():
    carriers = CarrierList()
    carriers.add(segment(0))
    header, line = carrier_columns.table_text(carriers.rows(), carriers).splitlines()
    assert header.split("\t") == [
        "id",
        "label",
        "centre MHz",
        "width MHz",
        "SNR dB",
        "confidence",
        "verdict",
        "PCI",
        "band",
        "channel",
        "since UTC",
        "on air",
    ]
    assert line.split("\t") == (
        ["1", "LTE", "1845.000", "10.0", "20.0", "90 %", "likely", "", "", "", "12:03:07.5", "100.0 %"]
    )


@pytest.mark.parametrize("seconds, words", [(0.04, "40 ms"), (8, "8 s"), (150, "2.5 min"), (7 * 3600, "7 h")])
def test_lengths_of_time_have_the_unit_that_suits_them(seconds, words):
    assert carrier_columns.format_span(seconds) == words


# Files


def some_carriers():
    carriers = CarrierList()
    carriers.add(segment(0, burst_id=1))
    carriers.add(segment(1, burst_id=2, label="NR", freq_lower=1860e6, freq_upper=1880e6))
    return carriers.rows()


def test_csv_has_the_columns_of_the_logs(tmp_path):
    import csv

    path = export(some_carriers(), tmp_path / "found.csv")
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["label"], float(row["freq_lower"]), row["rx_time"]) for row in rows] == [
        ("LTE", 1840e6, "2024-05-01T12:03:07.500000000Z"),
        ("NR", 1860e6, "2024-05-01T12:03:07.540000000Z"),
    ]


def test_sigmf_of_a_live_stream_is_valid_and_has_the_name_that_was_asked_for(tmp_path):
    import sigmf

    path = export(some_carriers(), tmp_path / "found.sigmf-meta")
    assert path == tmp_path / "found.sigmf-meta" and list(tmp_path.iterdir()) == [path]
    read = sigmf.fromfile(str(path), skip_checksum=True)
    read.validate()
    assert [(entry["core:label"], entry["core:sample_start"]) for entry in read.get_annotations()] == [
        ("LTE", 0),
        ("NR", FRAME),
    ]


@pytest.mark.parametrize("name", ["found.csv", "found.sigmf-meta"])
def test_a_file_that_exists_is_not_touched(name, tmp_path):
    (tmp_path / name).write_text("mine")
    path = export(some_carriers(), tmp_path / name)
    assert (tmp_path / name).read_text() == "mine" and path.name != name and path.stat().st_size > 100


def test_another_ending_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(ParameterError, match=r"\.sigmf-meta, \.csv, \.png"):
        export(some_carriers(), tmp_path / "found.txt")
