# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples -> image: the one definition that training, replay and live use share.

A frame of complex samples becomes a 256 x 256 image: row = time (first row first), column = frequency
(lowest first). Column `c` is centred on `(c - 128) * sample_rate / 256` relative to the centre frequency,
row `r` holds the samples from `r / 256` to `(r + 1) / 256` of the frame.

Recipe `averaged` (the one that the shipped models use):

1. Hann windows of 256 samples, half overlapped, also over both ends of the frame, so that the weights with
   which a sample enters add up to between 0.5 and 1 for every sample: none is skipped.
2. The squared magnitudes of all windows centred in a row are averaged (Welch's method, IEEE Trans. Audio
   Electroacoust. 15 (1967) 70). White noise of power p gives p / 256 in every pixel.
3. dB over the frame's own noise floor, clipped to -5..55 dB, mapped to 0..1.

Recipe `published` is that of the RPMSN paper (doi 10.1109/IMCOM64595.2025.10857521), for parity with its data:
one 4 us snapshot a row, min-max scaled, in false colours, three channels.
"""
from dataclasses import dataclass

import numpy as np
import scipy.fft
from scipy.special import gammaincinv

from .errors import ParameterError

ROWS = 256
COLUMNS = 256
FRAME_SECONDS = 0.04

DB_MIN = -5.0
"""Level over the noise floor that is black (0.0) in the averaged image, dB."""
DB_MAX = 55.0
"""Level over the noise floor that is white (1.0) in the averaged image, dB."""

FLOOR_QUANTILE = 0.1
HEADROOM_DB = 52.0
CHUNK_WINDOWS = 512

# Squared half-sample-shifted Hann window: both halves of neighbouring windows add up to 0.5..1 (see above).
WINDOW = (np.sin(np.pi * (np.arange(COLUMNS) + 0.5) / COLUMNS) ** 2).astype(np.float32)


INTERLEAVED_WINDOW = np.repeat(WINDOW, 2)


@dataclass(frozen=True)
class Recipe:
    """How samples become what a network sees: its name in model cards, and the number of channels."""

    name: str
    channels: int


RECIPES = {recipe.name: recipe for recipe in (Recipe("averaged", 1), Recipe("published", 3))}


def recipe(name):
    """Look a recipe up by name.

    Raises:
        ParameterError: no such recipe; the message lists those there are.
    """
    if name not in RECIPES:
        raise ParameterError(f"image recipe {name!r} is unknown; there are: {', '.join(sorted(RECIPES))}")
    return RECIPES[name]


def frame_length(sample_rate, frame_seconds=FRAME_SECONDS):
    """Samples of a frame at `sample_rate` (Hz), rounded to whole samples.

    Raises:
        ParameterError: the rate is outside 1 to 125 Msps, or such a frame has fewer samples than an image has rows.
    """
    if not 1e6 <= sample_rate <= 125e6:
        raise ParameterError(
            f"sample_rate is {sample_rate:g} Hz, but 1e6 to 125e6 (1 to 125 Msps) is allowed; resample the signal")
    length = round(sample_rate * frame_seconds)
    if length < ROWS:
        raise ParameterError(f"a frame of {frame_seconds:g} s at {sample_rate:g} Hz has {length} samples, fewer than "
                             f"the {ROWS} rows of an image; choose a longer frame")
    return length


def rows_of(samples, frame_samples):
    """Rows that a stretch of samples fills; all 256 in a whole frame. A shorter stretch keeps the pixel's size.

    Raises:
        ParameterError: fewer than 256 samples, which cannot be analysed.
    """
    if samples < COLUMNS:
        raise ParameterError(f"{samples} samples are too few to analyse; at least {COLUMNS} are needed")
    return min(ROWS, max(1, round(ROWS * samples / frame_samples)))


def fill_rows(pixels):
    """Repeat the rows of a stretch that is shorter than a frame until there are 256; the last axes: rows, columns."""
    rows = pixels.shape[-2]
    return pixels if rows == ROWS else pixels[..., np.arange(ROWS) % rows, :]


def image(samples, recipe_name="averaged", rows=ROWS):
    """Image of a frame, by the named recipe.

    Args:
        samples: complex64, shape (n,), n >= 256; all of the frame.
        recipe_name: `averaged` or `published`.
        rows: rows that the samples fill (`rows_of`); those of a stretch shorter than a frame are repeated.

    Returns:
        float32, shape (channels, 256, 256), 0..1.
    """
    if recipe(recipe_name).name == "published":
        return published_image(samples)
    levels, _ = normalise(power(samples, rows), len(samples))
    return fill_rows(levels)[None]


def power(samples, rows=ROWS):
    """Mean power in every pixel, linear.

    Args:
        samples: complex, shape (n,), n >= rows.
        rows: time pixels; 256 in a whole frame, fewer for a stretch that is shorter.

    Returns:
        float32, shape (rows, 256). White noise of power p gives p / 256 everywhere.
    """
    samples = np.ascontiguousarray(samples, np.complex64)
    if samples.ndim != 1 or samples.size < rows or rows < 1:
        raise ParameterError(f"samples have shape {samples.shape}; one dimension of at least {rows} samples "
                             "(one a row) is needed")
    n = samples.size
    hop = min(COLUMNS // 2, n // rows)
    centres = hop * np.arange(-(-n // hop) + 1)
    row_of = np.minimum(centres * rows // n, rows - 1)
    first_of_row = np.searchsorted(row_of, np.arange(rows + 1))
    squares = np.empty((rows, 2 * COLUMNS), np.float32)
    # One buffer for all chunks: memory that is new for each costs more than the arithmetic in it.
    buffer = np.empty((max(CHUNK_WINDOWS, int(np.diff(first_of_row).max())), 2 * COLUMNS), np.float32)
    for first_row, last_row in _chunks(first_of_row):
        first, last = first_of_row[first_row], first_of_row[last_row]
        windows = _windows(samples, hop * first - COLUMNS // 2, hop, last - first)
        # As real numbers: numpy would multiply complex by complex, four times the work.
        weighted = np.multiply(windows.view(np.float32), INTERLEAVED_WINDOW, out=buffer[:last - first])
        parts = scipy.fft.fft(weighted.view(np.complex64), axis=1, overwrite_x=True).view(np.float32)
        np.multiply(parts, parts, out=parts)
        for row in range(first_row, last_row):
            parts[first_of_row[row] - first:first_of_row[row + 1] - first].sum(axis=0, out=squares[row])
    summed = squares[:, 0::2] + squares[:, 1::2]
    summed /= np.float32(COLUMNS) * _window_energy(n, hop, centres, row_of, rows)[:, None]
    return scipy.fft.fftshift(summed, axes=1)


def _chunks(first_of_row):
    """Ranges of rows whose windows fit the processor's cache: (first row, row after the last)."""
    start, rows = 0, len(first_of_row) - 1
    while start < rows:
        end = int(np.searchsorted(first_of_row, first_of_row[start] + CHUNK_WINDOWS, side="right")) - 1
        end = min(max(end, start + 1), rows)
        yield start, end
        start = end


def _windows(samples, start, hop, count):
    """`count` stretches of 256 samples from `start` on, `hop` apart; zeros outside the frame."""
    end = start + hop * (count - 1) + COLUMNS
    if start < 0 or end > samples.size:
        padded = np.zeros(end - start, np.complex64)
        low, high = max(start, 0), min(end, samples.size)
        padded[low - start:high - start] = samples[low:high]
        samples, start = padded, 0
    step = samples.itemsize
    return np.lib.stride_tricks.as_strided(samples[start:], (count, COLUMNS), (hop * step, step), writeable=False)


def _window_energy(n, hop, centres, row_of, rows):
    """Sum of the squared window weights that lie inside the frame, for every row."""
    cumulative = np.concatenate([[0.0], np.cumsum(WINDOW.astype(np.float64) ** 2)])
    starts = centres - COLUMNS // 2
    low = np.clip(-starts, 0, COLUMNS)
    high = np.clip(n - starts, 0, COLUMNS)
    return np.bincount(row_of, cumulative[high] - cumulative[low], rows).astype(np.float32)


def noise_floor(power_image, samples_in_frame):
    """Mean noise power in a pixel, from the frame alone.

    The weakest tenth of the pixels is taken to hold noise. Their upper limit lies below the mean of noise by
    a factor that the number of averaged windows fixes (a Gamma quantile), and is corrected by it. So noise
    alone comes out right at every sample rate, and carriers over up to two thirds of the picture raise the
    estimate by less than a decibel. In a span without any noise-only pixel the floor is that of the weakest
    pixels of the signal.
    """
    averages = max(1.0, 0.95 * samples_in_frame / power_image.shape[0] / (COLUMNS // 2))
    quantile = np.quantile(power_image, FLOOR_QUANTILE)
    return float(quantile * averages / gammaincinv(averages, FLOOR_QUANTILE))


def normalise(power_image, samples_in_frame):
    """Powers -> levels 0..1 over the frame's own noise floor.

    Args:
        power_image: float32, shape (rows, 256), linear (from `power`).
        samples_in_frame: samples that went into it.

    Returns:
        (levels, floor): float32 of the same shape, 0 at -5 dB and 1 at 55 dB over the floor; and the floor
        that was used, linear. Where the strongest pixels lie more than 52 dB over the noise (a recording without
        noise), the floor is raised until they fit, so that a strong carrier keeps its texture.
    """
    strongest = float(np.quantile(power_image, 0.999))
    floor = max(noise_floor(power_image, samples_in_frame), strongest * 10 ** (-HEADROOM_DB / 10))
    if not floor > 0:
        return np.zeros(power_image.shape, np.float32), 0.0
    decibels = 10 * np.log10(np.maximum(power_image / np.float32(floor), np.float32(1e-9)))
    return np.clip((decibels - DB_MIN) / np.float32(DB_MAX - DB_MIN), 0, 1, dtype=np.float32), floor


def to_uint8(levels):
    """Levels 0..1 -> 0..255 (0.24 dB a step), for storage and messages."""
    return np.round(levels * 255).astype(np.uint8)


def stored_image(samples, rows=ROWS, recipe_name="averaged"):
    """The image as it is stored, uint8, shape (channels, 256, 256); arguments as of `image`."""
    return to_uint8(image(samples, recipe_name, rows))


PUBLISHED_WINDOW = 256
PUBLISHED_HOP = 246
PUBLISHED_FFT = 4096

# Colours at eight equal steps of MATLAB's `parula` map, read from its documentation's picture; linear in between.
PARULA = np.array([[0.242, 0.150, 0.660], [0.281, 0.323, 0.958], [0.179, 0.529, 0.968], [0.069, 0.695, 0.839],
                   [0.216, 0.784, 0.592], [0.672, 0.779, 0.223], [0.997, 0.766, 0.220], [0.977, 0.984, 0.081]])


def published_image(samples):
    """The paper's image: float32, shape (3, 256, 256), 0..1.

    Hann window of 256, overlap 10, 4096-point spectra in dB, min-max over the whole frame, nearest-neighbour
    resize, `parula` colours. Every spectrum is computed, since the minimum and maximum are of all of them, but
    only 256 rows of them are seen. Slow (seconds a frame): for parity with published data sets only.
    """
    samples = np.ascontiguousarray(samples, np.complex64)
    count = (samples.size - PUBLISHED_WINDOW) // PUBLISHED_HOP + 1
    if count < 1:
        raise ParameterError(f"a frame of {samples.size} samples is too short; {PUBLISHED_WINDOW} at least are needed")
    rows = _nearest(count, ROWS)
    columns = _nearest(PUBLISHED_FFT, COLUMNS)
    picture = np.empty((ROWS, COLUMNS), np.float32)
    low, high = np.inf, -np.inf
    for first in range(0, count, CHUNK_WINDOWS):
        last = min(first + CHUNK_WINDOWS, count)
        decibels = _published_spectra(samples, first, last)
        low, high = min(low, decibels.min()), max(high, decibels.max())
        here = np.flatnonzero((rows >= first) & (rows < last))
        picture[here] = decibels[rows[here] - first][:, columns]
    picture = (picture - low) / max(high - low, 1e-12)
    steps = np.linspace(0, 1, len(PARULA))
    return np.stack([np.interp(picture, steps, PARULA[:, channel]) for channel in range(3)]).astype(np.float32)


def _published_spectra(samples, first, last):
    """dB of spectra `first` to `last` (excluded), shape (last - first, 4096), lowest frequency first."""
    window = np.sin(np.pi * np.arange(PUBLISHED_WINDOW) / (PUBLISHED_WINDOW - 1)) ** 2
    starts = np.arange(first, last) * PUBLISHED_HOP
    parts = samples[starts[:, None] + np.arange(PUBLISHED_WINDOW)] * window.astype(np.float32)
    spectra = scipy.fft.fftshift(scipy.fft.fft(parts, PUBLISHED_FFT, axis=1), axes=1)
    density = (spectra.real ** 2 + spectra.imag ** 2) / np.float32(np.sum(window ** 2))
    return 10 * np.log10(density + np.finfo(np.float32).tiny)


def _nearest(length, size):
    """Indices of a nearest-neighbour resize from `length` to `size`."""
    return np.minimum(((np.arange(size) + 0.5) * length / size).astype(int), length - 1)
