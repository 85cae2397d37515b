# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact sheets show every pixel as it is, and recordings the same way as scenes."""

import json
import sys

import numpy as np
import pytest

from rpmsn.classes import CLASS_COLORS, IGNORED, LTE, NOISE, NR, OTHER
from rpmsn.errors import MissingLibraryError, ParameterError, RecordingError
from rpmsn.synthesis.scene import preview

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")

LIGHTNESS = np.array([0.2126, 0.7152, 0.0722])


def item(title="a scene", image=None, mask=None):
    image = np.tile(np.arange(256, dtype=np.uint8), (256, 1)) if image is None else image
    return title, image, np.zeros((256, 256), np.uint8) if mask is None else mask


def tiles(sheet, position=0, columns=1):
    """Pixels of an item's image and mask, each (256, 256, 3)."""
    width, height = 2 * 256 + preview.GAP + preview.MARGIN, preview.TITLE_HEIGHT + 256 + preview.MARGIN
    left = preview.MARGIN + position % columns * width
    top = preview.LEGEND_HEIGHT + position // columns * height + preview.TITLE_HEIGHT
    pixels = np.asarray(sheet)[top : top + 256]
    return pixels[:, left : left + 256], pixels[:, left + 256 + preview.GAP : left + 512 + preview.GAP]


def test_every_pixel_of_a_mask_has_the_colour_of_its_class():
    mask = np.random.default_rng(1).choice([NOISE, LTE, NR, OTHER, IGNORED], (256, 256)).astype(np.uint8)
    _, drawn = tiles(preview.contact_sheet([item(mask=mask)]))
    for number, color in (
        (LTE, CLASS_COLORS["LTE"]),
        (NR, CLASS_COLORS["NR"]),
        (OTHER, CLASS_COLORS["other"]),
        (NOISE, preview.NOISE_COLOR),
    ):
        assert np.all(drawn[mask == number] == color)
    hatched = {tuple(color) for color in drawn[mask == IGNORED]}
    assert hatched == set(preview.HATCH_COLORS)


def test_a_higher_level_is_lighter_and_stays_where_it_is():
    drawn, _ = tiles(preview.contact_sheet([item()]))
    lightness = drawn[7] @ LIGHTNESS
    assert np.all(np.diff(lightness) > -0.5) and lightness[-1] - lightness[0] > 200
    # Constant in time as given: frequency goes to the right.
    assert np.all(drawn == drawn[0])


def test_items_follow_each_other_row_by_row():
    items = [item(f"scene {number}", mask=np.full((256, 256), number % 4, np.uint8)) for number in range(7)]
    sheet = preview.contact_sheet(items, columns=3)
    for position, (_, _, mask) in enumerate(items):
        assert np.array_equal(tiles(sheet, position, 3)[1], preview._colored_mask(mask))


def test_titles_are_drawn_and_too_long_ones_stay_in_their_item():
    plain = np.asarray(preview.contact_sheet([item(""), item("")], columns=2)).astype(int)
    titled = np.asarray(preview.contact_sheet([item("x" * 500), item("")], columns=2)).astype(int)
    rows, columns = np.nonzero(np.abs(titled - plain).sum(axis=2))
    assert columns.size > 100
    assert columns.max() < preview.MARGIN + 512 + preview.GAP
    assert rows.min() >= preview.LEGEND_HEIGHT and rows.max() < preview.LEGEND_HEIGHT + preview.TITLE_HEIGHT


@pytest.mark.parametrize(
    "items, columns, words",
    [
        ([], None, "number of items"),
        ([item()] * 31, None, "1 to 30"),
        ([item()], 0, "columns"),
        ([item(image=np.zeros((256, 256), np.float32))], None, "image of item 'a scene' is .*float32"),
        ([item(mask=np.zeros((256, 128), np.uint8))], None, "mask of item 'a scene'"),
        ([item(mask=np.full((256, 256), 9, np.uint8))], None, r"class ids of the mask of item 'a scene' is \[9\]"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(items, columns, words):
    with pytest.raises(ParameterError, match=words):
        preview.contact_sheet(items, columns)


def test_a_sheet_is_written_whole_as_png(tmp_path):
    path = tmp_path / "sheet.png"
    preview.write_contact_sheet(path, [item()] * 30)
    with Image.open(path) as sheet:
        assert sheet.format == "PNG" and np.array_equal(np.asarray(sheet), preview.contact_sheet([item()] * 30))
    before = path.read_bytes()
    with pytest.raises(ParameterError):
        preview.write_contact_sheet(path, [])
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_missing_pillow_is_named_with_its_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingLibraryError, match="pillow, which is not installed; install it: "):
        preview.contact_sheet([item()])


def test_without_its_font_a_sheet_is_drawn_with_pillows_own(monkeypatch):
    from PIL import ImageFont

    truetype = ImageFont.truetype

    def no_font(font=None, *arguments, **more):
        if isinstance(font, str):
            raise OSError("cannot open resource")
        return truetype(font, *arguments, **more)  # Pillow's own comes out of its memory

    monkeypatch.setattr("PIL.ImageFont.truetype", no_font)
    assert preview.contact_sheet([item()]).size == (2 * 256 + preview.GAP + 2 * preview.MARGIN, 322)


def test_a_recording_is_drawn_with_the_classes_of_its_annotations(tmp_path):
    """LTE from the first half of the frame, above the centre; what has a foreign label is not judged."""
    rate, n = 2.56e6, 102_400
    rng = np.random.default_rng(1)
    samples = 0.01 * (rng.standard_normal(n) + 1j * rng.standard_normal(n))
    samples[: n // 2] += 0.1 * np.exp(2j * np.pi * 0.5e6 / rate * np.arange(n // 2))
    (tmp_path / "x.sigmf-data").write_bytes(samples.astype(np.complex64).tobytes())
    (tmp_path / "x.sigmf-meta").write_text(
        json.dumps(
            {
                "global": {"core:datatype": "cf32_le", "core:sample_rate": rate, "core:version": "1.2.0"},
                "captures": [{"core:sample_start": 0, "core:frequency": 9e8}],
                "annotations": [
                    {
                        "core:sample_start": 0,
                        "core:sample_count": n // 2,
                        "core:label": "LTE",
                        "core:freq_lower_edge": 9e8 + 0.4e6,
                        "core:freq_upper_edge": 9e8 + 0.6e6,
                    },
                    {
                        "core:sample_start": 0,
                        "core:sample_count": n,
                        "core:label": "UMTS",
                        "core:freq_lower_edge": 9e8 - 1e6,
                        "core:freq_upper_edge": 9e8 - 0.9e6,
                    },
                ],
            }
        )
    )
    title, image, mask = preview.image_and_mask_of_recording(tmp_path / "x.sigmf-meta")
    expected = np.zeros((256, 256), np.uint8)
    # A column is 10 kHz, the centre is column 128.
    expected[:128, 168:188] = LTE
    expected[:, 28:38] = IGNORED
    assert title.startswith("x ") and "2.56 Msps" in title
    assert np.array_equal(mask, expected)
    assert image.dtype == np.uint8 and image.shape == (256, 256)
    assert image[:127, 178].min() > image[129:, 178].max()
    preview.contact_sheet([(title, image, mask)])


def test_a_missing_recording_is_refused_by_name(tmp_path):
    with pytest.raises(RecordingError, match="gone.sigmf-meta"):
        preview.image_and_mask_of_recording(tmp_path / "gone.sigmf-meta")


def test_every_capture_can_be_drawn(captures):
    items = [preview.image_and_mask_of_recording(path) for path in sorted(captures.glob("*.sigmf-meta"))]
    assert preview.contact_sheet(items).width > 3 * 512
    masks = {title.split()[0]: mask for title, _, mask in items}
    assert not masks["ota_noise_2646MHz"].any()
    assert (masks["lte5_full_mcs10"] == LTE).mean() == pytest.approx(4.5 / 5.76, abs=0.01)
    assert (masks["ota_nr40_n78_lab"] == NR).any()
