# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact sheets: images and their masks side by side, to see at a glance what a network is to learn from.

>>> from rpmsn.synthesis.scene import preview
>>> items = [preview.image_and_mask_of_recording(path) for path in paths]     # doctest: +SKIP
>>> preview.write_contact_sheet("sheet.png", items)                           # doctest: +SKIP
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ... import installation
from ...classes import CLASS_COLORS, CLASS_NAMES, IGNORED, NOISE
from ...errors import MissingLibraryError, require
from ...files import whole_file
from ...processes import each_done
from ...recording import open_recording
from ...recording.metadata import META_SUFFIX
from ...signal import image as spectrogram
from ..labels.masks import check_policy
from ..labels.masks import mask as mask_of_scene
from .rendering import render_blocks
from .scene import Scene

if TYPE_CHECKING:
    import PIL.Image

LARGEST_SHEET = 30
SIDE = 256
"""Height and width of an image and of a mask, which are drawn pixel by pixel."""

GAP = 4
MARGIN = 14
TITLE_HEIGHT = 22
LEGEND_HEIGHT = 30
FONT_SIZE = 14

DIRECTIONS = "frequency to the right, time downwards"
PAPER = (250, 250, 250)
INK = (30, 30, 30)
NOISE_COLOR = (38, 38, 46)
HATCH_COLORS = ((208, 208, 208), (242, 242, 242))

MAP_STOPS = np.array(
    [(8, 8, 32), (66, 34, 128), (50, 98, 176), (28, 152, 160), (92, 196, 104), (214, 220, 62), (255, 252, 210)],
    np.float32,
)
"""Colours of levels 0 to 1 in equal steps: dark to light, so that grey prints are as clear."""


def contact_sheet(items: list[tuple[str, np.ndarray, np.ndarray]], columns: int | None = None) -> "PIL.Image.Image":
    """Images and masks of many scenes in one picture.

    Frequency runs to the right (lowest at the left), time downwards. One pixel of the sheet is one of an image.

    Args:
        items: list of (title, image, mask), at most 30; image and mask are uint8, shape (256, 256), the mask of
            class ids with 255 for pixels that are not judged.
        columns: items beside each other; None for a sheet about as wide as high.

    Returns:
        PIL.Image.Image, RGB.

    Raises:
        ParameterError: no items or too many, an array of another shape or type, or an unknown class id.
        MissingLibraryError: Pillow is not installed.
    """
    items = list(items)
    require(
        "a contact sheet",
        "number of items",
        len(items),
        1 <= len(items) <= LARGEST_SHEET,
        f"1 to {LARGEST_SHEET}, and more sheets for more",
    )
    for title, image, mask in items:
        _check(title, image, mask)
    if columns is None:
        columns = max(1, round(np.sqrt(0.75 * len(items))))
    require("a contact sheet", "columns", columns, columns in range(1, LARGEST_SHEET + 1), f"1 to {LARGEST_SHEET}")
    columns = min(columns, len(items))
    rows = -(-len(items) // columns)
    item_width, item_height = 2 * SIDE + GAP, TITLE_HEIGHT + SIDE
    width = MARGIN + columns * (item_width + MARGIN)
    height = LEGEND_HEIGHT + rows * (item_height + MARGIN)
    Image, ImageDraw, ImageFont = _pillow()
    sheet = Image.new("RGB", (width, height), PAPER)
    draw, font = ImageDraw.Draw(sheet), _font(ImageFont)
    _draw_legend(draw, font, width)
    for position, (title, image, mask) in enumerate(items):
        left = MARGIN + position % columns * (item_width + MARGIN)
        top = LEGEND_HEIGHT + position // columns * (item_height + MARGIN)
        draw.text((left, top + TITLE_HEIGHT // 2), _shortened(draw, title, font, item_width), INK, font, "lm")
        sheet.paste(Image.fromarray(_colored_image(image)), (left, top + TITLE_HEIGHT))
        sheet.paste(Image.fromarray(_colored_mask(mask)), (left + SIDE + GAP, top + TITLE_HEIGHT))
    return sheet


def write_contact_sheet(
    path: str | Path, items: list[tuple[str, np.ndarray, np.ndarray]], columns: int | None = None
) -> None:
    """Write a contact sheet as a PNG file, whole or not at all.

    Args:
        path: of the PNG file.
        items, columns: as in `contact_sheet`.

    Raises:
        OSError: the file cannot be written.
    """
    sheet = contact_sheet(items, columns)
    with whole_file(path) as file:
        sheet.save(file, "PNG")


def preview(
    scenes: Sequence[tuple[str, Scene]],
    folder: str | Path,
    policy: str = "occupied",
    recordings: str | Path | None = None,
    workers: int = 1,
    quiet: bool = False,
) -> list[Path]:
    """Draw the first block of scenes, and first frames of recordings in the same way, on sheets of at most 30.

    Args:
        scenes: list of (name, `Scene`).
        folder: where to write `preview-1.png` and so on; made if it does not exist.
        policy: label policy of the masks.
        recordings: folder of SigMF recordings to draw after the scenes; None for none.
        workers: processes.
        quiet: no progress bar.

    Returns:
        list of the paths written.

    Raises:
        ParameterError: no such policy, or no recordings in their folder.
        OSError: a sheet cannot be written.
    """
    check_policy(policy)
    paths = [] if recordings is None else sorted(Path(recordings).glob(f"*{META_SUFFIX}"))
    has_paths = recordings is None or bool(paths)
    require("a preview", "recordings", str(recordings), has_paths, f"a folder with {META_SUFFIX} files")
    jobs = [(name, scene.to_dict(), policy) for name, scene in scenes]
    items = list(each_done(_item_of_scene, jobs, workers, "scene", "drawing", quiet=quiet))
    items += [image_and_mask_of_recording(path) for path in paths]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sheets = [items[first : first + LARGEST_SHEET] for first in range(0, len(items), LARGEST_SHEET)]
    written = [folder / f"preview-{number}.png" for number in range(1, len(sheets) + 1)]
    for path, sheet in zip(written, sheets):
        write_contact_sheet(path, sheet)
    return written


def _item_of_scene(name, scene, policy):
    """(title, image, mask) of a scene given as a dictionary."""
    scene = Scene.from_dict(scene)
    samples, truths = next(render_blocks(scene))
    rows = spectrogram.rows_of(samples.size, spectrogram.frame_length(scene.sample_rate))
    image = spectrogram.stored_image(samples, scene.sample_rate, rows)[0]
    title = f"{name}   {scene.sample_rate / 1e6:g} Msps"
    return title, image, spectrogram.fill_rows(mask_of_scene(scene, truths, policy, rows))


def image_and_mask_of_recording(path: str | Path) -> tuple[str, np.ndarray, np.ndarray]:
    """(title, image, mask) of the first frame of a SigMF recording, as `contact_sheet` takes them.

    The mask has the classes of the recording's annotations and noise elsewhere; 255 where the label is none of
    the classes.

    Raises:
        RecordingError: the recording cannot be read.
        ParameterError: its sample rate is not supported, or it is too short.
    """
    with open_recording(path) as recording:
        frame_samples = spectrogram.frame_length(recording.sample_rate)
        samples = recording.read(0, frame_samples)
        rows = spectrogram.rows_of(samples.size, frame_samples)
        image = spectrogram.stored_image(samples, recording.sample_rate, rows)[0]
        mask = _mask_of_annotations(recording, samples.size, rows)
        title = f"{_name(recording.path)}   {recording.sample_rate / 1e6:g} Msps"
    return title, image, spectrogram.fill_rows(mask)


def _name(path):
    return Path(path).name.removesuffix(".sigmf-data")


def _mask_of_annotations(recording, n_samples, rows):
    """Class ids of the first `n_samples`, uint8 (rows, 256)."""
    classes = {name.lower(): number for number, name in enumerate(CLASS_NAMES)}
    mask = np.full((rows, SIDE), NOISE, np.uint8)
    columns = (np.arange(SIDE) - SIDE // 2) * recording.sample_rate / SIDE + (recording.center_frequency or 0.0)
    times = (np.arange(rows) + 0.5) * n_samples / rows
    for fields in recording.annotations:
        start = fields["core:sample_start"]
        length = fields.get("core:sample_count", recording.sample_count - start)
        lower = fields.get("core:freq_lower_edge", -np.inf)
        upper = fields.get("core:freq_upper_edge", np.inf)
        on = ((times >= start) & (times < start + length))[:, None] & (columns >= lower) & (columns < upper)
        mask[on] = classes.get(str(fields.get("core:label", "")).lower(), IGNORED)
    return mask


def _check(title, image, mask):
    for name, array in (("image", image), ("mask", mask)):
        found = f"{getattr(array, 'dtype', type(array).__name__)} {getattr(array, 'shape', '')}"
        fits = isinstance(array, np.ndarray) and array.dtype == np.uint8 and array.shape == (SIDE, SIDE)
        require(f"item {title!r}", name, found, fits, f"uint8 ({SIDE}, {SIDE})")
    unknown = [int(value) for value in np.unique(mask) if value >= len(CLASS_NAMES) and value != IGNORED]
    require(
        f"item {title!r}",
        "class ids of the mask",
        unknown,
        not unknown,
        f"0 to {len(CLASS_NAMES) - 1}, and {IGNORED} for what is not judged",
    )


def _pillow():
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise MissingLibraryError(installation.missing("a contact sheet", "PIL")) from error
    return Image, ImageDraw, ImageFont


def _font(image_font):
    """A legible font: DejaVu Sans where it is installed, else that of Pillow."""
    try:
        return image_font.truetype("DejaVuSans.ttf", FONT_SIZE)
    except OSError:
        return image_font.load_default()


def _draw_legend(draw, font, width):
    middle, left = LEGEND_HEIGHT // 2 + 2, MARGIN
    for name, swatch in [(name, np.full((14, 28), number, np.uint8)) for number, name in enumerate(CLASS_NAMES)] + [
        ("not judged", np.full((14, 28), IGNORED, np.uint8))
    ]:
        pixels = _colored_mask(swatch)
        for row, column in np.ndindex(swatch.shape):
            draw.point((left + column, middle - 7 + row), tuple(int(part) for part in pixels[row, column]))
        draw.text((left + 34, middle), name, INK, font, "lm")
        left += 34 + int(draw.textlength(name, font)) + 22
    if left + draw.textlength(DIRECTIONS, font) <= width - MARGIN:
        draw.text((left, middle), DIRECTIONS, INK, font, "lm")


def _shortened(draw, text, font, width):
    """The text, cut so that it is no wider than `width` pixels."""
    if draw.textlength(text, font) <= width:
        return text
    while text and draw.textlength(f"{text}...", font) > width:
        text = text[:-1]
    return f"{text}..."


def _colored_image(image):
    """uint8 (rows, columns) -> RGB, uint8 (rows, columns, 3)."""
    steps = np.linspace(0, 255, len(MAP_STOPS))
    table = np.stack([np.interp(np.arange(256), steps, MAP_STOPS[:, part]) for part in range(3)], axis=1)
    return np.round(table).astype(np.uint8)[image]


def _colored_mask(mask):
    """Class ids -> RGB, uint8 (rows, columns, 3); pixels that are not judged are hatched."""
    table = np.zeros((256, 3), np.uint8)
    table[: len(CLASS_NAMES)] = [CLASS_COLORS[name] for name in CLASS_NAMES]
    table[NOISE] = NOISE_COLOR
    colored = table[mask]
    row, column = np.nonzero(mask == IGNORED)
    colored[row, column] = np.array(HATCH_COLORS, np.uint8)[(row + column) // 3 % 2]
    return colored
