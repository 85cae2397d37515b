# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples -> image: the one definition for training, replay and live use.

A frame of complex samples becomes a 256 x 256 image: row = time (first row first), column = frequency
(lowest first). Column `c` is centred on `(c - 128) * sample_rate / 256` relative to the centre frequency,
row `r` holds the samples from `r / 256` to `(r + 1) / 256` of the frame.

FeatureSet `averaged`:

1. Hann windows of 256 samples, centred at times that repeat every period of 11.1 us: one sixth of the useful symbol of
   LTE and of NR with 15 kHz subcarriers, 66.7 us. A period holds as many evenly spaced windows as it takes for
   neighbours to overlap by at least a tenth; they reach over both ends of the frame. So every sample has a weight:
   the least, between two windows, is 30 dB below the greatest.
2. The squared magnitudes of all windows centred in a row are averaged (Welch's method, IEEE Trans. Audio
   Electroacoust. 15 (1967) 70). White noise of power p gives p / 256 in every pixel.
3. dB over the frame's own noise floor, clipped to -5..55 dB, mapped to 0..1.

FeatureSet `cyclic` (the one that the shipped models use): the `averaged` image as channel 0, and three channels that
hold the correlation of the signal with itself a little later, as in W. A. Gardner's cyclostationary analysis (IEEE
Signal Processing Magazine 8(2) (1991) 14). OFDM repeats the end of every symbol as its cyclic prefix, one useful symbol
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

FeatureSet `published` is that of the RPMSN paper (doi 10.1109/IMCOM64595.2025.10857521), for parity with its data:
one 4 us snapshot a row, min-max scaled, in false colours, three channels.

Where the windows lie, and how they are added up fast, is in `rpmsn.signal.sums`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.fft
from scipy.ndimage import uniform_filter1d
from scipy.special import gammaincinv

from ..errors import ParameterError
from .rates import is_rate_within
from .sums import COLUMNS, CORRELATED_ROWS, FULL_SCALE, LAGS, Layout, WindowSums, exact_scale, real_values, window_sums

ROWS = 256
FRAME_SECONDS = 0.04

DB_MIN = -5.0
"""Level over the noise floor that is black (0.0) in the averaged image, dB."""
DB_MAX = 55.0
"""Level over the noise floor that is white (1.0) in the averaged image, dB."""

FLOOR_QUANTILE = 0.1
STRONGEST_QUANTILE = 0.999
HEADROOM_DB = 52.0
SAMPLED_PIXELS = 1024
"""Pixels, evenly spaced, from which a quantile is estimated."""

CORRELATED_HZ = 720e3
DECADES = 2.5
"""Correlation coefficients from 10 ** -DECADES to 1 are resolved."""


@dataclass(frozen=True)
class FeatureSet:
    """How samples become what a network sees.

    Attributes:
        name: as in model cards.
        channels: of the image.
        correlated: whether it needs the cyclic correlations.
    """

    name: str
    channels: int
    correlated: bool = False


FEATURE_SETS = {
    features.name: features
    for features in (
        FeatureSet("averaged", 1),
        FeatureSet("cyclic", 1 + len(LAGS), correlated=True),
        FeatureSet("published", 3),
    )
}


def feature_set(name: str) -> FeatureSet:
    """The feature set of this name.

    Raises:
        ParameterError: no such feature set; the message lists them.
    """
    if name not in FEATURE_SETS:
        raise ParameterError(f"feature set {name!r} is unknown; choose one of {', '.join(sorted(FEATURE_SETS))}")
    return FEATURE_SETS[name]


def frame_length(sample_rate: float, frame_seconds: float = FRAME_SECONDS) -> int:
    """Samples of a frame at `sample_rate` (Hz), rounded to whole samples.

    Raises:
        ParameterError: the rate is outside 1 to 125 Msps, or such a frame has fewer samples than an image has rows.
    """
    if not is_rate_within(sample_rate, 1e6, 125e6):
        raise ParameterError(
            f"sample_rate is {sample_rate:g} Hz, but 1e6 to 125e6 (1 to 125 Msps) is allowed; resample the signal"
        )
    length = round(sample_rate * frame_seconds)
    if length < ROWS:
        raise ParameterError(
            f"a frame of {frame_seconds:g} s at {sample_rate:g} Hz has {length} samples, fewer than "
            f"the {ROWS} rows of an image; choose a longer frame"
        )
    return length


def rows_of(samples: int, frame_samples: int) -> int:
    """Rows that a chunk of samples fills; all 256 in a whole frame. A shorter chunk keeps the pixel's size.

    Raises:
        ParameterError: fewer than 256 samples, which cannot be analysed.
    """
    if samples < COLUMNS:
        raise ParameterError(f"{samples} samples are too few to analyse; at least {COLUMNS} are needed")
    return min(ROWS, max(1, round(ROWS * samples / frame_samples)))


def fill_rows(pixels: np.ndarray) -> np.ndarray:
    """Repeat the rows of a chunk that is shorter than a frame up to 256; the last axes: rows, columns."""
    rows = pixels.shape[-2]
    return pixels if rows == ROWS else pixels[..., np.arange(ROWS) % rows, :]


def image(samples: np.ndarray, sample_rate: float, features: str = "averaged", rows: int = ROWS) -> np.ndarray:
    """Image of a frame, by the named feature set.

    Args:
        samples: all of the frame, as `sums.real_values` takes them; at least 256.
        sample_rate: Hz.
        features: `averaged`, `cyclic` or `published`.
        rows: rows that the samples fill (`rows_of`); those of a chunk shorter than a frame are repeated.

    Returns:
        float32, shape (channels, 256, 256), 0..1.
    """
    wanted = feature_set(features)
    if wanted.name == "published":
        return published_image(real_values(samples))
    return analyse(samples, sample_rate, rows, wanted.correlated).image()


@dataclass
class Analysis:
    """What a frame's samples are turned into.

    Attributes:
        power: float32, shape (rows, 256), mean power in every pixel, linear. White noise of power p gives p / 256.
        averages: equivalent number of independent spectra in the power of a pixel.
        block_correlation: float32, shape (3, blocks, 256), correlation coefficients 0..1 at the three lags, for every
            64 rows; None if not asked for.
    """

    power: np.ndarray
    averages: float
    block_correlation: np.ndarray | None = None

    @cached_property
    def _normalised(self):
        return normalise(self.power, self.averages)

    @property
    def levels(self) -> np.ndarray:
        """float32, shape (rows, 256): 0 at -5 dB and 1 at 55 dB over the floor."""
        return self._normalised[0]

    @property
    def floor(self) -> float:
        """The noise floor that the levels are relative to, linear."""
        return self._normalised[1]

    @property
    def correlation(self) -> np.ndarray | None:
        """float32, shape (3, rows, 256), correlation coefficients 0..1 at the three lags; None if not asked for."""
        return None if self.block_correlation is None else self._over_rows(self.block_correlation)

    def image(self) -> np.ndarray:
        """The image, float32, shape (channels, 256, 256): feature set `cyclic` with the correlations, else
        `averaged`."""
        blocks = self.block_correlation
        channels = np.empty((1 if blocks is None else 1 + len(LAGS), *self.power.shape), np.float32)
        channels[0] = self.levels
        if blocks is not None:
            steps = 1 + np.log10(np.maximum(blocks, np.float32(10**-DECADES))) / np.float32(DECADES)
            channels[1:] = self._over_rows(np.clip(steps, 0, 1))
        return fill_rows(channels)

    def picture(self) -> np.ndarray:
        """The levels as they are shown and stored, uint8, shape (256, 256)."""
        return to_uint8(fill_rows(self.levels))

    def _over_rows(self, blocks):
        """Values of blocks of rows, for every row."""
        return np.repeat(blocks, CORRELATED_ROWS, axis=1)[:, : len(self.power)]


class Analyser:
    """Analyses the frames of one signal, one after the other.

    What the length of a chunk fixes is worked out once, and kept for a whole frame and for the last shorter
    chunk; so are the buffers. Not to be used by two threads at once.

    Args:
        sample_rate: Hz.
        frame_samples: samples of a whole frame (`frame_length`).
        correlated: whether the cyclic correlations are wanted (`FeatureSet.correlated`).
        compiled: whether to use Numba where it is: a third of the time, and a third of a second before the first frame.
    """

    def __init__(self, sample_rate: float, frame_samples: int, correlated: bool = False, compiled: bool = True) -> None:
        self.sample_rate = sample_rate
        self.frame_samples = frame_samples
        self.correlated, self.compiled = correlated, compiled
        self._whole: _Measurement | None = None
        self._short: _Measurement | None = None

    def analyse(self, values: np.ndarray) -> Analysis:
        """Powers of the pixels, and the cyclic correlations if asked for.

        Args:
            values: of a frame, or of a chunk of at least 256 samples that is shorter, as `sums.real_values` gives them.

        Returns:
            Analysis.

        Raises:
            ParameterError: there are too few or too many samples.
        """
        count = len(values) // 2
        if count > self.frame_samples:
            raise ParameterError(
                f"{count} samples are more than a frame, which has {self.frame_samples}; cut them into frames"
            )
        if count == self.frame_samples:
            self._whole = self._whole or self._measurement(count, ROWS)
            return self._whole.of(values)
        if self._short is None or self._short.layout.samples != count:
            rows = rows_of(count, self.frame_samples)
            self._short = self._measurement(count, rows)
        return self._short.of(values)

    def _measurement(self, count: int, rows: int) -> "_Measurement":
        return _Measurement(self.sample_rate, count, rows, self.correlated, self.compiled)


def analyse(samples: np.ndarray, sample_rate: float, rows: int = ROWS, correlated: bool = False) -> Analysis:
    """Powers of the pixels of one frame, and the cyclic correlations if asked for; for many frames, see `Analyser`.

    Args:
        samples: as `sums.real_values` takes them; at least 256, and one a row.
        sample_rate: Hz.
        rows: time pixels; 256 in a whole frame, fewer for a chunk that is shorter.
        correlated: whether the correlations are wanted.

    Returns:
        Analysis.
    """
    values = real_values(samples)
    count = len(values) // 2
    if rows < 1 or count < max(rows, COLUMNS):
        raise ParameterError(f"{count} samples are given for {rows} rows; at least {COLUMNS} are needed, and one a row")
    return _Measurement(sample_rate, count, rows, correlated).of(values)


def power(samples: np.ndarray, sample_rate: float, rows: int = ROWS) -> np.ndarray:
    """Mean power in every pixel, linear: `analyse(...).power`."""
    return analyse(samples, sample_rate, rows).power


class _Measurement:
    """Measures chunks of one length: what the length fixes is worked out once."""

    def __init__(self, sample_rate: float, samples: int, rows: int, correlated: bool, compiled: bool = True) -> None:
        self.layout = Layout(sample_rate, samples, rows)
        self._sums = (window_sums if compiled else WindowSums)(self.layout, correlated)
        self._power_of_one = 1 / (np.float32(COLUMNS) * self.layout.energy)[:, None]
        # A lag that is a fraction of a sample off turns the phase along the frequencies.
        self._turned_back = np.exp(
            -2j * np.pi * self.layout.late * np.multiply.outer(LAGS, np.fft.fftfreq(COLUMNS, 1.0))
        )[:, None]
        self._smoothed_columns = 2 * max(1, int(CORRELATED_HZ / 2 / (sample_rate / COLUMNS))) + 1

    def of(self, values: np.ndarray) -> Analysis:
        """Analysis of a chunk of samples, given as `real_values`."""
        squares, pairs = self._sums.measure(values)
        power_image = scipy.fft.fftshift(squares, axes=1)
        power_image *= self._power_of_one
        return Analysis(power_image, self.layout.averages, pairs and self._coefficients(*pairs))

    def _coefficients(self, products, early, later):
        """Correlation coefficients, lowest frequency first, from what `WindowSums` says of the pairs of spectra."""
        # Where samples are not scaled to 1.0, the product of two powers may have no room in float32.
        scale = exact_scale(early)
        powers = np.sqrt((early * scale) * (later * scale))
        coefficients = products * scale / np.maximum(powers, np.finfo(np.float32).tiny)
        coefficients = scipy.fft.fftshift(coefficients * self._turned_back, axes=2)
        smooth = [
            uniform_filter1d(part, self._smoothed_columns, mode="nearest")
            for part in (coefficients.real, coefficients.imag)
        ]
        return np.hypot(*smooth).astype(np.float32)


def noise_floor(power_image: np.ndarray, averages: float) -> float:
    """Mean noise power in a pixel, from the frame alone.

    The weakest tenth of the pixels is taken to hold noise. Their upper limit lies below the mean of noise by
    a factor that the number of averaged spectra fixes (a Gamma quantile), and is corrected by it. So noise
    alone comes out right at every sample rate, and carriers over up to two thirds of the picture raise the
    estimate by less than a decibel. In a span without any noise-only pixel the floor is that of the weakest
    pixels of the signal.
    """
    return _quantile(power_image, FLOOR_QUANTILE) * averages / float(gammaincinv(averages, FLOOR_QUANTILE))


def normalise(power_image: np.ndarray, averages: float) -> tuple[np.ndarray, float]:
    """Powers -> levels 0..1 over the frame's own noise floor.

    Args:
        power_image: float32, shape (rows, 256), linear.
        averages: equivalent number of independent spectra in each (`Analysis.averages`).

    Returns:
        (levels, floor): float32 of the same shape, 0 at -5 dB and 1 at 55 dB over the floor; and the floor
        that was used, linear. Where the strongest pixels lie more than 52 dB over the noise (a recording without
        noise), the floor is raised until they fit, so that a strong carrier keeps its texture.
    """
    strongest = _quantile(power_image, STRONGEST_QUANTILE)
    floor = max(noise_floor(power_image, averages), strongest * 10 ** (-HEADROOM_DB / 10))
    if not floor > 0:
        return np.zeros(power_image.shape, np.float32), 0.0
    levels = power_image / np.float32(floor)
    np.maximum(levels, np.float32(1e-9), out=levels)
    # Natural logarithms: numpy has them in vector instructions on every CPU, which is not so of those to base ten.
    np.log(levels, out=levels)
    levels *= np.float32(10 / np.log(10) / (DB_MAX - DB_MIN))
    levels -= np.float32(DB_MIN / (DB_MAX - DB_MIN))
    return np.clip(levels, 0, 1, out=levels), floor


def _quantile(values, fraction):
    """As np.quantile, several times as fast.

    A small sample gives, but for rare cases, two values between which the quantile lies. Only what is between them has
    to be sorted.
    """
    values = values.ravel()
    place = fraction * (values.size - 1)
    rank = int(place)
    sample = np.sort(values[:: max(1, values.size // SAMPLED_PIXELS)])
    limits = np.concatenate([[-np.inf], sample, [np.inf]]).astype(np.float32)
    margin = 4 * np.sqrt(fraction * (1 - fraction) * sample.size) + 3
    low, high = (
        limits[int(np.clip(fraction * sample.size + distance, 0, sample.size + 1))] for distance in (-margin, margin)
    )
    below = np.count_nonzero(values < low)
    between = values[(values >= low) & (values <= high)]
    if not below <= rank < below + between.size - 1:
        below, between = 0, values
    rank -= below
    after = min(rank + 1, between.size - 1)
    ordered = np.partition(between, [rank, after])
    return float(ordered[rank] + (ordered[after] - ordered[rank]) * (place % 1))


def decibels(power: float) -> float:
    """A power in dB; -300 for none."""
    return float(10 * np.log10(max(power, 1e-30)))


def to_uint8(levels: np.ndarray) -> np.ndarray:
    """Levels 0..1 -> 0..255 (0.24 dB a step), for storage and messages."""
    return np.round(levels * 255).astype(np.uint8)


def stored_image(samples: np.ndarray, sample_rate: float, rows: int = ROWS, features: str = "averaged") -> np.ndarray:
    """The image as it is stored, uint8, shape (channels, 256, 256); arguments as of `image`."""
    return to_uint8(image(samples, sample_rate, features, rows))


PUBLISHED_WINDOW = 256
PUBLISHED_HOP = 246
PUBLISHED_FFT = 4096
PUBLISHED_AT_ONCE = 32

# Colours at eight equal steps of MATLAB's `parula` map, read from its documentation's picture; linear in between.
PARULA = np.array(
    [
        [0.242, 0.150, 0.660],
        [0.281, 0.323, 0.958],
        [0.179, 0.529, 0.968],
        [0.069, 0.695, 0.839],
        [0.216, 0.784, 0.592],
        [0.672, 0.779, 0.223],
        [0.997, 0.766, 0.220],
        [0.977, 0.984, 0.081],
    ]
)


def published_image(values: np.ndarray) -> np.ndarray:
    """The paper's image, float32, shape (3, 256, 256), 0..1; `values` as `sums.real_values` gives them.

    Hann window of 256, overlap 10, 4096-point spectra in dB, min-max over the whole frame, nearest-neighbour
    resize, `parula` colours. Every spectrum is computed, since the minimum and maximum are of all of them, but
    only 256 rows of them are seen. For parity with published data sets only.
    """
    samples = (values / np.float32(FULL_SCALE[values.dtype])).view(np.complex64)
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
    picture, low_db, high_db = (10 * np.log10(part + np.finfo(np.float32).tiny) for part in (seen, low, high))
    picture = (picture - low_db) / max(high_db - low_db, 1e-12)
    steps = np.linspace(0, 1, len(PARULA))
    return np.stack([np.interp(picture, steps, PARULA[:, channel]) for channel in range(3)]).astype(np.float32)


def _published_spectra(samples, first, last):
    """Power density of spectra `first` to `last` (excluded), shape (last - first, 4096), in the order of the FFT."""
    window = np.sin(np.pi * np.arange(PUBLISHED_WINDOW) / (PUBLISHED_WINDOW - 1)) ** 2
    parts = np.lib.stride_tricks.sliding_window_view(samples, PUBLISHED_WINDOW)
    parts = parts[first * PUBLISHED_HOP : (last - 1) * PUBLISHED_HOP + 1 : PUBLISHED_HOP]
    spectra = scipy.fft.fft(parts * window.astype(np.float32), PUBLISHED_FFT, axis=1).view(np.float32)
    np.multiply(spectra, spectra, out=spectra)
    density = spectra[:, 0::2] + spectra[:, 1::2]
    density /= np.float32(np.sum(window**2))
    return density


def _nearest(length, size):
    """Indices of a nearest-neighbour resize from `length` to `size`."""
    return np.minimum(((np.arange(size) + 0.5) * length / size).astype(int), length - 1)
