# SPDX-License-Identifier: GPL-3.0-or-later
"""Bands extracted from a wide stream: shifted to zero, filtered and decimated, without a seam between blocks.

The stream is transformed in blocks that overlap. A band is the bins around its centre, weighted by a filter and
transformed back at a smaller size: filter, mixer and decimator in one ("overlap-save"). One forward transform serves
all bands. A centre is a whole number of bins, so the phase of a block follows exactly from its position in the stream.

    >>> band = plan_band(1860.7e6, 1874.3e6, 61.44e6, 1850e6)
    >>> band.sample_rate, round(band.center_frequency)
    (19200000.0, 1867500312)
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

BLOCK = 1 << 16
"""Samples of the stream in a block."""
HALF_TAPS = BLOCK // 16
"""Taps of the filter on either side of its centre; so many samples at both ends of a block are not valid."""
HOP = BLOCK - 2 * HALF_TAPS
OVERSAMPLING = 1.25
"""Lowest ratio of a band's sample rate to the bandwidth that it has to hold."""
SIZES = sorted(
    {
        BLOCK * numerator // 2**shift
        for numerator, longest in ((1, 7), (3, 8), (5, 9))
        for shift in range(longest + 1)
        if numerator <= 2**shift
    }
)
"""Bins that a band may have, 1/128 of the stream's to all: 1, 3 and 5 over powers of two, so that rates are tidy."""
STOP_BAND_DB = 80.0
"""Attenuation of what lies outside of a band."""


@dataclass(frozen=True)
class Band:
    """Which part of a stream to extract.

    Attributes:
        size: bins of a block that it has; as many as a block has where it is the whole stream.
        center_bin: its centre, in bins from the centre of the stream.
        sample_rate, center_frequency: Hz, of the band.
    """

    size: int
    center_bin: int
    sample_rate: float
    center_frequency: float

    @property
    def is_whole(self) -> bool:
        """Whether it is the stream itself."""
        return self.size == BLOCK

    @property
    def pass_band(self) -> tuple[float, float]:
        """(lower, upper) edge of what passes the filter unchanged, Hz."""
        stream_rate = self.sample_rate * BLOCK / self.size
        half = self.sample_rate / 2 - (0.0 if self.is_whole else _transition() * stream_rate)
        return self.center_frequency - half, self.center_frequency + half

    def at(self, sample_rate: float, center_frequency: float) -> "Band | None":
        """The same band in a stream at another centre frequency (Hz), to half a bin; None if it is not inside."""
        center_bin = round((self.center_frequency - center_frequency) / sample_rate * BLOCK)
        if 2 * abs(center_bin) + self.size > BLOCK:
            return None
        return Band(self.size, center_bin, self.sample_rate, center_frequency + center_bin * sample_rate / BLOCK)


def plan_band(freq_lower: float, freq_upper: float, sample_rate: float, center_frequency: float) -> Band:
    """The narrowest Band that holds what is between two edges, with some room.

    Args:
        freq_lower, freq_upper: edges, Hz.
        sample_rate, center_frequency: of the stream, Hz.
    """
    wanted = OVERSAMPLING * (freq_upper - freq_lower) / sample_rate * BLOCK
    size = next((size for size in SIZES if size >= wanted), BLOCK)
    room = (BLOCK - size) // 2
    center_bin = round(((freq_lower + freq_upper) / 2 - center_frequency) / sample_rate * BLOCK)
    center_bin = max(-room, min(room, center_bin))
    return Band(size, center_bin, sample_rate * size / BLOCK, center_frequency + center_bin * sample_rate / BLOCK)


class Spectra:
    """The stream as spectra of overlapping blocks.

    Args:
        start: number of the first sample since the stream began.
    """

    def __init__(self, start: int) -> None:
        self._samples = np.zeros(BLOCK, np.complex64)
        self._filled = HALF_TAPS
        self._block_start = start - HALF_TAPS

    @property
    def end(self) -> int:
        """Number of the sample after the last that was pushed."""
        return self._block_start + self._filled

    def push(self, samples: NDArray[np.complex64]) -> Iterator[tuple[int, NDArray[np.complex64]]]:
        """Take complex64 samples; yields (number of the first sample, spectrum) for every block that is full.

        A block's results hold from `HALF_TAPS` after its first sample on, for `HOP` samples.
        """
        taken = 0
        while taken < len(samples):
            count = min(len(samples) - taken, BLOCK - self._filled)
            self._samples[self._filled : self._filled + count] = samples[taken : taken + count]
            self._filled += count
            taken += count
            if self._filled == BLOCK:
                yield self._block_start, fft.fft(self._samples)
                self._samples[: 2 * HALF_TAPS] = self._samples[HOP:]
                self._filled = 2 * HALF_TAPS
                self._block_start += HOP

    def finish(self) -> Iterator[tuple[int, NDArray[np.complex64]]]:
        """End of the stream: yields the blocks of the samples that are left, filled up with zeros."""
        end = self.end
        while self._block_start + HALF_TAPS < end:
            yield from self.push(np.zeros(BLOCK - self._filled, np.complex64))


class BandExtractor:
    """Extracts one Band from spectra.

    Args:
        band: Band that is not the whole stream.
    """

    def __init__(self, band: Band) -> None:
        self.band = band
        size = band.size
        self._bins = (band.center_bin + np.arange(-(size // 2), size // 2)) % BLOCK
        self._bins = fft.ifftshift(self._bins)
        self._response = _response(size)
        self._edge = HALF_TAPS * size // BLOCK

    def extract(self, block_start: int, spectrum: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """Samples of one block, complex64, shape (HOP * size / BLOCK,); the first is at `block_start + HALF_TAPS`.

        Args:
            block_start, spectrum: as `Spectra.push` yields them.
        """
        samples = fft.ifft(spectrum[self._bins] * self._response, overwrite_x=True)[self._edge : -self._edge]
        phase = self.band.center_bin * block_start % BLOCK / BLOCK
        return samples * np.complex64(complex(math.cos(2 * math.pi * phase), -math.sin(2 * math.pi * phase)))

    def samples_before(self, block_start: int, end: int) -> int:
        """How many of a block's samples are before the stream's sample `end`."""
        return max(0, math.ceil((end - block_start - HALF_TAPS) * self.band.size / BLOCK))


SAMPLE_TYPES: dict[str, type[np.generic]] = {"complex": np.complex64, "ci16": np.int16, "ci8": np.int8}
"""Samples as a radio sends them: integers of full scale for real and imaginary part, shape (n, 2)."""


def as_complex(samples: np.ndarray) -> NDArray[np.complex64]:
    """Samples of any kind as complex64 with full scale 1.0; NaN and infinity become zero."""
    if samples.dtype != np.complex64:
        scale = np.float32(1 / (np.iinfo(samples.dtype).max + 1))
        return np.multiply(samples, scale, dtype=np.float32).view(np.complex64)[:, 0]
    if not np.isfinite(samples.view(np.float32).sum()):
        return np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    return samples


def _transition() -> float:
    """Width of the filter's slope, in cycles a sample (Kaiser's formula)."""
    return (STOP_BAND_DB - 7.95) / (2.285 * 2 * math.pi * 2 * HALF_TAPS)


def _response(size: int) -> NDArray[np.float32]:
    """The filter at the bins of a band, zero frequency first, with the scale of the transforms; float32, (size,)."""
    cutoff = size / BLOCK / 2 - _transition() / 2
    beta = 0.1102 * (STOP_BAND_DB - 8.7)
    n = np.arange(-HALF_TAPS, HALF_TAPS + 1)
    taps = 2 * cutoff * np.sinc(2 * cutoff * n) * np.kaiser(len(n), beta)
    kernel = np.zeros(BLOCK)
    kernel[n] = taps
    response = fft.fft(kernel).real
    return (np.concatenate([response[: size // 2], response[-(size // 2) :]]) * size / BLOCK).astype(np.float32)
