# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples -> image: the one definition that training, replay and live use share.

A frame of complex samples becomes a 256 x 256 image: row = time (first row first), column = frequency
(lowest first). Column `c` is centred on `(c - 128) * sample_rate / 256` relative to the centre frequency,
row `r` holds the samples from `r / 256` to `(r + 1) / 256` of the frame.

Recipe `averaged`:

1. Hann windows of 256 samples, centred at times that repeat every period of 11.1 us: one sixth of the useful symbol of
   LTE and of NR with 15 kHz subcarriers, 66.7 us. A period holds as many evenly spaced windows as it takes for
   neighbours to overlap by at least a tenth; they reach over both ends of the frame. So every sample has a weight:
   the least, between two windows, is 30 dB below the greatest.
2. The squared magnitudes of all windows centred in a row are averaged (Welch's method, IEEE Trans. Audio
   Electroacoust. 15 (1967) 70). White noise of power p gives p / 256 in every pixel.
3. dB over the frame's own noise floor, clipped to -5..55 dB, mapped to 0..1.

Recipe `cyclic` (the one that the shipped models use): the `averaged` image as channel 0, and three channels that say
how alike the signal is to itself a little later, in the manner of W. A. Gardner's cyclostationary analysis (IEEE Signal
Processing Magazine 8(2) (1991) 14). OFDM repeats the end of every symbol as its cyclic prefix, one useful symbol
earlier, and LTE's cell-specific reference signals, on every sixth subcarrier for each antenna port and shifted by
three for the second, repeat within their symbol (3GPP TS 36.211 6.10.1.2 and 6.12, TS 38.211 5.3.1):

| channel | lag | who stands out |
|---|---|---|
| 1 | 22.2 us | LTE: reference signals |
| 2 | 33.3 us | NR with 30 kHz subcarriers: cyclic prefix; comb-like reference signals of NR at 15 kHz |
| 3 | 66.7 us | LTE, and NR with 15 kHz subcarriers: cyclic prefix |

Each is the magnitude of the correlation coefficient between one window a period and that a lag later, over 64 rows
(10 ms) and 720 kHz; below 23 Msps, where 256 samples last longer than a period, these windows are a period long.
Values from 10 ** -2.5 = 0.003 (0.0) to 1 (1.0) stand on a logarithmic scale. They do not depend on level.

Recipe `published` is that of the RPMSN paper (doi 10.1109/IMCOM64595.2025.10857521), for parity with its data:
one 4 us snapshot a row, min-max scaled, in false colours, three channels.
"""
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.fft
from scipy.ndimage import uniform_filter1d
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

LONGEST_HOP = 230
"""Samples from one window to the next at most: a tenth of overlap, so that every sample has some weight."""

USEFUL_SYMBOL = 1 / 15e3
"""Useful part of an OFDM symbol of LTE, and of NR with 15 kHz subcarriers, seconds."""
PERIODS_A_SYMBOL = 6
LAGS = (2, 3, 6)
"""Lags of the cyclic correlations, in periods of a sixth of a useful symbol."""
CORRELATED_ROWS = 64
CORRELATED_HZ = 720e3
CORRELATED_AT_ONCE = 128
DECADES = 2.5
"""Correlation coefficients from 10 ** -DECADES to 1 are told apart."""

WINDOW = (np.sin(np.pi * (np.arange(COLUMNS) + 0.5) / COLUMNS) ** 2).astype(np.float32)
INTERLEAVED_WINDOW = np.repeat(WINDOW, 2)


@dataclass(frozen=True)
class Recipe:
    """How samples become what a network sees: its name in model cards, and the number of channels."""

    name: str
    channels: int


RECIPES = {recipe.name: recipe for recipe in (Recipe("averaged", 1), Recipe("cyclic", 1 + len(LAGS)),
                                                Recipe("published", 3))}


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


def image(samples, sample_rate, recipe_name="averaged", rows=ROWS):
    """Image of a frame, by the named recipe.

    Args:
        samples: complex64, shape (n,), n >= 256; all of the frame.
        sample_rate: Hz.
        recipe_name: `averaged`, `cyclic` or `published`.
        rows: rows that the samples fill (`rows_of`); those of a stretch shorter than a frame are repeated.

    Returns:
        float32, shape (channels, 256, 256), 0..1.
    """
    if recipe(recipe_name).name == "published":
        return published_image(samples)
    analysis = analyse(samples, sample_rate, rows, correlated=recipe_name == "cyclic")
    return analysis.image()


@dataclass
class Analysis:
    """What a frame's samples are turned into.

    Attributes:
        power: float32, shape (rows, 256), mean power in every pixel, linear. White noise of power p gives p / 256.
        averages: number of independent spectra that the power of a pixel is worth.
        correlation: float32, shape (3, rows, 256), correlation coefficients 0..1 at the three lags; None if not asked
            for.
    """

    power: np.ndarray
    averages: float
    correlation: np.ndarray | None = None

    @cached_property
    def _normalised(self):
        return normalise(self.power, self.averages)

    @property
    def levels(self):
        """float32, shape (rows, 256): 0 at -5 dB and 1 at 55 dB over the floor."""
        return self._normalised[0]

    @property
    def floor(self):
        """The noise floor that the levels are relative to, linear."""
        return self._normalised[1]

    def image(self):
        """The image, float32, shape (channels, 256, 256): recipe `cyclic` with the correlations, else `averaged`."""
        channels = self.levels[None]
        if self.correlation is not None:
            steps = 1 + np.log10(np.maximum(self.correlation, np.float32(10 ** -DECADES))) / np.float32(DECADES)
            channels = np.concatenate([channels, np.clip(steps, 0, 1)])
        return fill_rows(channels)


def analyse(samples, sample_rate, rows=ROWS, correlated=False):
    """Powers of the pixels of a frame, and the cyclic correlations if asked for.

    Args:
        samples: complex, shape (n,), n >= rows.
        sample_rate: Hz.
        rows: time pixels; 256 in a whole frame, fewer for a stretch that is shorter.
        correlated: whether the correlations are wanted.

    Returns:
        Analysis.
    """
    samples = np.ascontiguousarray(samples, np.complex64)
    if samples.ndim != 1 or samples.size < rows or rows < 1:
        raise ParameterError(f"samples have shape {samples.shape}; one dimension of at least {rows} samples "
                             "(one a row) is needed")
    n = samples.size
    period = max(1, round(USEFUL_SYMBOL / PERIODS_A_SYMBOL * sample_rate))
    windows = int(np.ceil(period / min(LONGEST_HOP, n / rows)))
    periods = -(-n // period) + 1
    offsets = np.round(np.arange(windows) * period / windows).astype(int)
    centres = (period * np.arange(periods)[:, None] + offsets).ravel()
    row_of = np.minimum(centres * rows // n, rows - 1)
    first_of_row = np.searchsorted(row_of, np.arange(rows + 1))
    squares = np.zeros((rows, 2 * COLUMNS), np.float32)
    spectra = np.empty((periods if correlated else 0, COLUMNS), np.complex64)
    at_once = max(1, CHUNK_WINDOWS // windows)
    # One buffer for all chunks: memory that is new for each costs more than the arithmetic in it.
    buffer = np.empty((min(at_once, periods), windows, COLUMNS), np.complex64)
    for start in range(0, periods, at_once):
        count = min(at_once, periods - start)
        for position, offset in enumerate(offsets):
            parts = _windows(samples, start * period + offset - COLUMNS // 2, period, count)
            # As real numbers: numpy would multiply complex by complex, four times the work.
            np.multiply(parts.view(np.float32), INTERLEAVED_WINDOW, out=buffer[:count, position].view(np.float32))
        parts = scipy.fft.fft(buffer[:count], axis=2, overwrite_x=True)
        if correlated:
            is_short = period < COLUMNS
            spectra[start:start + count] = _short_spectra(samples, start, period, count) if is_short else parts[:, 0]
        parts = parts.reshape(-1, COLUMNS).view(np.float32)
        np.multiply(parts, parts, out=parts)
        first = start * windows
        for row in range(row_of[first], row_of[first + len(parts) - 1] + 1):
            low, high = np.clip(first_of_row[row:row + 2] - first, 0, len(parts))
            squares[row] += parts[low:high].sum(axis=0)
    summed = squares[:, 0::2] + squares[:, 1::2]
    summed /= np.float32(COLUMNS) * _window_energy(n, centres, row_of, rows)[:, None]
    power = scipy.fft.fftshift(summed, axes=1)
    correlation = None
    if correlated:
        late = period - USEFUL_SYMBOL / PERIODS_A_SYMBOL * sample_rate
        correlation = _correlation(spectra, row_of[::windows], rows, late, sample_rate)
    return Analysis(power, _averages(n / rows, period / windows), correlation)


def _short_spectra(samples, first, period, count):
    """Spectra of `count` Hann windows of one period each, from period `first` on; complex64, shape (count, 256)."""
    window = np.sin(np.pi * (np.arange(period) + 0.5) / period) ** 2
    parts = _windows(samples, first * period - period // 2, period, count, period) * window.astype(np.float32)
    return scipy.fft.fft(parts, COLUMNS, axis=1)


def power(samples, sample_rate, rows=ROWS):
    """Mean power in every pixel, linear: `analyse(...).power`."""
    return analyse(samples, sample_rate, rows).power


def _windows(samples, start, step, count, length=COLUMNS):
    """`count` stretches of `length` samples from `start` on, `step` apart; zeros outside the frame."""
    end = start + step * (count - 1) + length
    if start < 0 or end > samples.size:
        padded = np.zeros(end - start, np.complex64)
        low, high = max(start, 0), min(end, samples.size)
        padded[low - start:high - start] = samples[low:high]
        samples, start = padded, 0
    size = samples.itemsize
    return np.lib.stride_tricks.as_strided(samples[start:], (count, length), (step * size, size), writeable=False)


def _window_energy(n, centres, row_of, rows):
    """Sum of the squared window weights that lie inside the frame, for every row."""
    cumulative = np.concatenate([[0.0], np.cumsum(WINDOW.astype(np.float64) ** 2)])
    starts = centres - COLUMNS // 2
    low = np.clip(-starts, 0, COLUMNS)
    high = np.clip(n - starts, 0, COLUMNS)
    return np.bincount(row_of, cumulative[high] - cumulative[low], rows).astype(np.float32)


def _averages(samples_in_row, hop):
    """Independent spectra that the windows of a row, `hop` samples apart, are worth (Welch, as above)."""
    windows = samples_in_row / hop
    apart = np.arange(1, np.ceil(min(COLUMNS / hop, windows)))
    window = WINDOW.astype(np.float64)
    alike = [np.dot(window[shift:], window[:COLUMNS - shift]) / np.dot(window, window)
             for shift in np.round(apart * hop).astype(int)]
    return max(1.0, windows / (1 + 2 * np.sum((1 - apart / windows) * np.square(alike))))


def _correlation(spectra, row_of, rows, late, sample_rate):
    """Correlation coefficients of spectra a lag apart.

    Args:
        spectra: complex64, shape (periods, 256), in the order of the FFT.
        row_of: row of each of them.
        rows: number of rows.
        late: samples by which a period is longer than a sixth of a useful symbol.
        sample_rate: Hz.

    Returns:
        float32, shape (3, rows, 256), lowest frequency first.
    """
    half = max(1, int(CORRELATED_HZ / 2 / (sample_rate / COLUMNS)))
    found = np.empty((len(LAGS), rows, COLUMNS), np.float32)
    for first_row in range(0, rows, CORRELATED_ROWS):
        here = slice(first_row, first_row + CORRELATED_ROWS)
        first, last = np.searchsorted(row_of, [first_row, first_row + CORRELATED_ROWS])
        products, early, later = _lagged_sums(spectra, first, last)
        coefficients = products / np.maximum(np.sqrt(early * later), np.finfo(np.float32).tiny)
        # A lag that is a fraction of a sample off turns the phase along the frequencies.
        coefficients *= np.exp(-2j * np.pi * late * np.multiply.outer(LAGS, np.fft.fftfreq(COLUMNS)))
        coefficients = scipy.fft.fftshift(coefficients, axes=1)
        smooth = [uniform_filter1d(part, 2 * half + 1, mode="nearest")
                  for part in (coefficients.real, coefficients.imag)]
        found[:, here] = np.hypot(*smooth)[:, None]
    return found


def _lagged_sums(spectra, first, last):
    """Sums over the pairs of spectra whose earlier one is number `first` to `last` (excluded), for every lag.

    Returns:
        (products, early, later): sum of later times conjugate of earlier, complex64, and sums of the squared magnitudes
        of both, float32; each of shape (3, 256).
    """
    products = np.zeros((len(LAGS), 2 * COLUMNS), np.float32)
    early, later = (np.zeros((len(LAGS), 2 * COLUMNS), np.float32) for _ in range(2))
    for start in range(first, last, CORRELATED_AT_ONCE):
        end = min(start + CORRELATED_AT_ONCE, last)
        conjugate = spectra[start:end].conj()
        squares = np.square(spectra[start:end + max(LAGS)].view(np.float32))
        for index, lag in enumerate(LAGS):
            pairs = max(0, min(end, len(spectra) - lag) - start)
            pair_products = spectra[start + lag:start + lag + pairs] * conjugate[:pairs]
            products[index] += pair_products.view(np.float32).sum(axis=0)
            early[index] += squares[:pairs].sum(axis=0)
            later[index] += squares[lag:lag + pairs].sum(axis=0)
    return products.view(np.complex64), early[:, 0::2] + early[:, 1::2], later[:, 0::2] + later[:, 1::2]


def noise_floor(power_image, averages):
    """Mean noise power in a pixel, from the frame alone.

    The weakest tenth of the pixels is taken to hold noise. Their upper limit lies below the mean of noise by
    a factor that the number of averaged spectra fixes (a Gamma quantile), and is corrected by it. So noise
    alone comes out right at every sample rate, and carriers over up to two thirds of the picture raise the
    estimate by less than a decibel. In a span without any noise-only pixel the floor is that of the weakest
    pixels of the signal.
    """
    quantile = np.quantile(power_image, FLOOR_QUANTILE)
    return float(quantile * averages / gammaincinv(averages, FLOOR_QUANTILE))


def normalise(power_image, averages):
    """Powers -> levels 0..1 over the frame's own noise floor.

    Args:
        power_image: float32, shape (rows, 256), linear.
        averages: independent spectra that each is worth (`Analysis.averages`).

    Returns:
        (levels, floor): float32 of the same shape, 0 at -5 dB and 1 at 55 dB over the floor; and the floor
        that was used, linear. Where the strongest pixels lie more than 52 dB over the noise (a recording without
        noise), the floor is raised until they fit, so that a strong carrier keeps its texture.
    """
    strongest = float(np.quantile(power_image, 0.999))
    floor = max(noise_floor(power_image, averages), strongest * 10 ** (-HEADROOM_DB / 10))
    if not floor > 0:
        return np.zeros(power_image.shape, np.float32), 0.0
    decibels = 10 * np.log10(np.maximum(power_image / np.float32(floor), np.float32(1e-9)))
    return np.clip((decibels - DB_MIN) / np.float32(DB_MAX - DB_MIN), 0, 1, dtype=np.float32), floor


def to_uint8(levels):
    """Levels 0..1 -> 0..255 (0.24 dB a step), for storage and messages."""
    return np.round(levels * 255).astype(np.uint8)


def stored_image(samples, sample_rate, rows=ROWS, recipe_name="averaged"):
    """The image as it is stored, uint8, shape (channels, 256, 256); arguments as of `image`."""
    return to_uint8(image(samples, sample_rate, recipe_name, rows))


PUBLISHED_WINDOW = 256
PUBLISHED_HOP = 246
PUBLISHED_FFT = 4096
PUBLISHED_AT_ONCE = 32

# Colours at eight equal steps of MATLAB's `parula` map, read from its documentation's picture; linear in between.
PARULA = np.array([[0.242, 0.150, 0.660], [0.281, 0.323, 0.958], [0.179, 0.529, 0.968], [0.069, 0.695, 0.839],
                   [0.216, 0.784, 0.592], [0.672, 0.779, 0.223], [0.997, 0.766, 0.220], [0.977, 0.984, 0.081]])


def published_image(samples):
    """The paper's image: float32, shape (3, 256, 256), 0..1.

    Hann window of 256, overlap 10, 4096-point spectra in dB, min-max over the whole frame, nearest-neighbour
    resize, `parula` colours. Every spectrum is computed, since the minimum and maximum are of all of them, but
    only 256 rows of them are seen. For parity with published data sets only.
    """
    samples = np.ascontiguousarray(samples, np.complex64)
    count = (samples.size - PUBLISHED_WINDOW) // PUBLISHED_HOP + 1
    if count < 1:
        raise ParameterError(f"a frame of {samples.size} samples is too short; {PUBLISHED_WINDOW} at least are needed")
    rows = _nearest(count, ROWS)
    # The spectra come in the order of the FFT, the columns with the lowest frequency first.
    columns = (_nearest(PUBLISHED_FFT, COLUMNS) + PUBLISHED_FFT // 2) % PUBLISHED_FFT
    seen = np.empty((ROWS, COLUMNS), np.float32)
    low, high = np.inf, -np.inf
    for first in range(0, count, PUBLISHED_AT_ONCE):
        last = min(first + PUBLISHED_AT_ONCE, count)
        density = _published_spectra(samples, first, last)
        low, high = min(low, density.min()), max(high, density.max())
        here = np.flatnonzero((rows >= first) & (rows < last))
        seen[here] = density[rows[here] - first][:, columns]
    picture, low, high = (10 * np.log10(values + np.finfo(np.float32).tiny) for values in (seen, low, high))
    picture = (picture - low) / max(high - low, 1e-12)
    steps = np.linspace(0, 1, len(PARULA))
    return np.stack([np.interp(picture, steps, PARULA[:, channel]) for channel in range(3)]).astype(np.float32)


def _published_spectra(samples, first, last):
    """Power density of spectra `first` to `last` (excluded), shape (last - first, 4096), in the order of the FFT."""
    window = np.sin(np.pi * np.arange(PUBLISHED_WINDOW) / (PUBLISHED_WINDOW - 1)) ** 2
    parts = _windows(samples, first * PUBLISHED_HOP, PUBLISHED_HOP, last - first, PUBLISHED_WINDOW)
    spectra = scipy.fft.fft(parts * window.astype(np.float32), PUBLISHED_FFT, axis=1).view(np.float32)
    np.multiply(spectra, spectra, out=spectra)
    density = spectra[:, 0::2] + spectra[:, 1::2]
    density /= np.float32(np.sum(window ** 2))
    return density


def _nearest(length, size):
    """Indices of a nearest-neighbour resize from `length` to `size`."""
    return np.minimum(((np.arange(size) + 0.5) * length / size).astype(int), length - 1)
