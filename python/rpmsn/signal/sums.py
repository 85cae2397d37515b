# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples -> sums over windows, fast: the arithmetic behind `rpmsn.signal.image`, which defines the image.

`Layout` holds which windows a chunk of samples has, and which pixels they belong to. `WindowSums` adds up their
squared spectra, and the products of spectra a lag apart. What makes it fast:

* The samples are taken in chunks that stay in the CPU's cache from the first step to the last.
* Everything that a chunk's length fixes is worked out once, and so are the buffers made.
* Integers become float32 where they are multiplied by the window, which holds their scale: no pass of its own.
* The windows that the correlations need lie together, so that each product is one run over memory.

NaN propagates over the rows of its chunk.
"""

import logging
import math
from collections.abc import Iterable
from functools import cache, cached_property
from typing import Protocol

import numpy as np
import scipy.fft

from ..errors import ParameterError

log = logging.getLogger(__name__)

COLUMNS = 256

LONGEST_HOP = 230
"""Samples from one window to the next at most: a tenth of overlap, so that every sample has some weight."""

USEFUL_SYMBOL = 1 / 15e3
"""Useful part of an OFDM symbol of LTE, and of NR with 15 kHz subcarriers, seconds."""
PERIODS_A_SYMBOL = 6
LAGS = (2, 3, 6)
"""Lags of the cyclic correlations, in periods of a sixth of a useful symbol."""
CORRELATED_ROWS = 64

CHUNK_WINDOWS = 768
"""Windows at once. What they need, 5 MB, stays in the processor's cache; with fewer, GIL contention
with a thread that draws holds them up."""

FULL_SCALE: dict[np.dtype, float] = {np.dtype(np.float32): 1.0, np.dtype(np.int16): 32768.0, np.dtype(np.int8): 128.0}
"""The value that stands for 1.0, for each type of the values of samples."""


def hann(length: int) -> np.ndarray:
    """Hann window, float64, symmetric, without zeros at its ends."""
    return np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2


class Layout:
    """The windows of a chunk of samples, and the pixels that they belong to.

    Args:
        sample_rate: Hz.
        samples: length of the chunk.
        rows: time pixels that it fills.

    Attributes:
        period: samples in a sixth of a useful symbol.
        late: samples by which `period` is longer than that really is.
        offsets: places of the windows' centres within a period; the first is 0.
        periods: their number; the first window is centred on the first sample, the last one after the end.
        centres: int, shape (periods, len(offsets)), the sample in the middle of every window.
        row_of: int, shape (periods, len(offsets)), the row of every window.
        blocks: the period in which every block of 64 rows begins, and at last `periods`.
    """

    def __init__(self, sample_rate: float, samples: int, rows: int) -> None:
        exact = USEFUL_SYMBOL / PERIODS_A_SYMBOL * sample_rate
        self.samples = samples
        self.rows = rows
        self.period = max(1, round(exact))
        self.late = self.period - exact
        count = int(np.ceil(self.period / min(LONGEST_HOP, samples / rows)))
        self.offsets = np.round(np.arange(count) * self.period / count).astype(int)
        self.periods = -(-samples // self.period) + 1
        self.centres = self.period * np.arange(self.periods)[:, None] + self.offsets
        self.row_of = np.minimum(self.centres * rows // samples, rows - 1)
        self.blocks = np.append(np.searchsorted(self.row_of[:, 0], np.arange(0, rows, CORRELATED_ROWS)), self.periods)

    @cached_property
    def cuts(self) -> np.ndarray:
        """Periods at which the sums of squares for the correlations are cut into pieces.

        With each lag, the earlier spectra of a block's pairs are others than the later ones. All of these chunks
        begin and end at a cut, so that each is a sum of whole pieces and no square is added up twice.
        """
        lags = np.array([0, *LAGS])
        cuts = np.add.outer(self.blocks, lags).ravel(), self.periods - lags, [0]
        return np.unique(np.clip(np.concatenate(cuts), 0, self.periods))

    @cached_property
    def piece_of(self) -> np.ndarray:
        """The piece between two cuts in which every period lies; int, shape (periods,)."""
        return np.searchsorted(self.cuts, np.arange(self.periods), side="right") - 1

    @cached_property
    def block_of(self) -> np.ndarray:
        """The block in which the earlier one of every pair of periods a lag apart lies, by the later one; the first
        block where there is none; int, shape (3, periods)."""
        earlier = np.maximum(np.arange(self.periods) - np.array(LAGS)[:, None], 0)
        return np.searchsorted(self.blocks, earlier, side="right") - 1

    def early_and_later(self, pieces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Squares of the earlier and of the later spectra of all pairs whose earlier one lies in a block.

        Args:
            pieces: shape (len(cuts) - 1, 256), squared magnitudes summed over every piece.

        Returns:
            (early, later): float32, shape (3 lags, blocks, 256).
        """
        shape = len(LAGS), len(self.blocks) - 1, COLUMNS
        early, later = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        for index, lag in enumerate(LAGS):
            for block, (first, last) in enumerate(zip(self.blocks, self.blocks[1:])):
                last = max(first, min(last, self.periods - lag))
                low, high = np.searchsorted(self.cuts, [first, last])
                early[index, block] = pieces[low:high].sum(axis=0)
                low, high = np.searchsorted(self.cuts, [first + lag, last + lag])
                later[index, block] = pieces[low:high].sum(axis=0)
        return early, later

    @cached_property
    def energy(self) -> np.ndarray:
        """Sum of the squared window weights that lie inside the chunk, for every row; float32, shape (rows,)."""
        cumulative = np.concatenate([[0.0], np.cumsum(hann(COLUMNS) ** 2)])
        starts = self.centres - COLUMNS // 2
        low, high = np.clip(-starts, 0, COLUMNS), np.clip(self.samples - starts, 0, COLUMNS)
        energies = cumulative[high] - cumulative[low]
        return np.bincount(self.row_of.ravel(), energies.ravel(), self.rows).astype(np.float32)

    @cached_property
    def averages(self) -> float:
        """Equivalent number of independent spectra in the overlapping windows of a row (Welch's formula)."""
        hop = self.period / len(self.offsets)
        windows = self.samples / self.rows / hop
        apart = np.arange(1, np.ceil(min(COLUMNS / hop, windows)))
        window = hann(COLUMNS)
        correlation = [
            np.dot(window[shift:], window[: COLUMNS - shift]) / np.dot(window, window)
            for shift in np.round(apart * hop).astype(int)
        ]
        return max(1.0, windows / (1 + 2 * np.sum((1 - apart / windows) * np.square(correlation))))


class Sums(Protocol):
    """What adds up windows: `WindowSums`, or `fused.FusedSums`."""

    def measure(self, values: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray] | None]:
        """As `WindowSums.measure`."""


FEW_SAMPLES = 1.4e8
"""Numba starts in as long as it saves in so many samples: 0.7 s, of 13 ms a frame of 61.44 Msps; measured."""

_expected = {"samples": math.inf}


def expect_samples(count: float) -> None:
    """Say how many samples this process will analyse in all: of few, Numba's start is not made up for."""
    _expected["samples"] = count


def is_compiled() -> bool:
    """Whether the compiled forms of `rpmsn.signal.fused` are used: where Numba is installed, compiles, and pays."""
    return _expected["samples"] >= FEW_SAMPLES and _compiles()


@cache
def _compiles() -> bool:
    try:
        import numba  # noqa: F401
    except ModuleNotFoundError:
        return False
    except Exception as error:  # a Numba that does not know this numpy, or without its compiler
        return _not_compiled(error)
    try:
        from .fused import mirrored_sums

        mirrored_sums(np.zeros((1, 2 * COLUMNS), np.float32), np.ones(COLUMNS, np.float32))
    except Exception as error:  # Numba's errors share no base but this one
        return _not_compiled(error)
    return True


def _not_compiled(error: Exception) -> bool:
    log.warning("numba cannot be used, and spectra take three times as long: %s", str(error).strip()[:200])
    return False


def window_sums(layout: Layout, correlated: bool = False) -> Sums:
    """The fastest that is there: compiled where Numba is installed, else `WindowSums`; arguments as of both."""
    if not is_compiled():
        return WindowSums(layout, correlated)
    from .fused import FusedSums

    return FusedSums(layout, correlated)


class WindowSums:
    """Adds up what the windows of a chunk of samples hold. Keeps its buffers: not for two threads at once.

    Args:
        layout: Layout.
        correlated: whether the sums for the correlations are wanted.
    """

    def __init__(self, layout: Layout, correlated: bool = False) -> None:
        self.layout = layout
        self.correlated = correlated
        positions = len(layout.offsets)
        self._at_once = min(max(1, CHUNK_WINDOWS // positions), layout.periods)
        self._windows = _Windows(layout, -(COLUMNS // 2), layout.offsets, COLUMNS, self._at_once)
        # Where 256 samples last longer than a period, the correlations have windows of their own, a period long.
        self._is_short = layout.period < COLUMNS
        if correlated and self._is_short:
            self._short = _Windows(layout, -(layout.period // 2), [0], layout.period, self._at_once)
        self._conjugates = _aligned((self._at_once + max(LAGS), COLUMNS), np.complex64)
        self._product = _aligned((self._at_once, COLUMNS), np.complex64)
        self._chunks = [
            _Chunk(self, first, min(self._at_once, layout.periods - first))
            for first in range(0, layout.periods, self._at_once)
        ]

    def measure(self, values: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray] | None]:
        """Add up the windows of one chunk.

        Args:
            values: the samples as `real_values` gives them; as many as in the layout.

        Returns:
            (squares, pairs): squared magnitudes summed over the windows of every row, float32, shape (rows, 256), in
            the order of the FFT; and, if asked for, else None, (products, early,
            later), each of shape (3 lags, blocks, 256): sums over the pairs of spectra whose earlier one lies in the
            block, of the later one times the conjugate of the earlier one (complex64), and of the squared magnitudes
            of both (float32).
        """
        layout = self.layout
        squares = np.zeros((layout.rows, 2 * COLUMNS), np.float32)
        pieces = np.zeros((len(layout.cuts) - 1, 2 * COLUMNS), np.float32)
        products = np.zeros((len(LAGS), len(layout.blocks) - 1, 2 * COLUMNS), np.float32)
        self._conjugates[: max(LAGS)] = 0
        for chunk in self._chunks:
            self._add(chunk, values, squares, pieces, products)
        squares = squares[:, 0::2] + squares[:, 1::2]
        if not self.correlated:
            return squares, None
        return squares, (products.view(np.complex64), *layout.early_and_later(pieces[:, 0::2] + pieces[:, 1::2]))

    def _add(self, chunk, values, squares, pieces, products):
        """Add what a chunk holds to the sums; of all three, real and imaginary parts alternate along the columns."""
        spectra = _fft(self._windows.weighted(values, chunk.first, chunk.count))
        alone = spectra[: chunk.count]
        if self.correlated:
            if self._is_short:
                alone = _fft(self._short.weighted(values, chunk.first, chunk.count))
            self._add_products(chunk, alone, products)
        parts = spectra.view(np.float32)
        np.multiply(parts, parts, out=parts)
        chunk.rows.add(parts, squares)
        if self.correlated:
            parts = alone.view(np.float32)
            if self._is_short:
                np.multiply(parts, parts, out=parts)
            chunk.pieces.add(parts, pieces)

    def _add_products(self, chunk, spectra, products):
        """Add the products of a chunk's spectra and the conjugates of those a lag before.

        The last spectra of a chunk are kept for the next.
        """
        count, kept = chunk.count, max(LAGS)
        np.conjugate(spectra, out=self._conjugates[kept : kept + count])
        product = self._product[:count]
        for index, lag in enumerate(LAGS):
            np.multiply(spectra, self._conjugates[kept - lag : kept - lag + count], out=product)
            chunk.blocks[index].add(product.view(np.float32), products[index])
        self._conjugates[:kept] = self._conjugates[count : count + kept]


class _Chunk:
    """Some periods after each other, and where what they hold is added.

    Attributes:
        first, count: the first period, and how many.
        rows: _Addition of the squares of all windows to the rows; first all that are first in their period, and so on.
        pieces: the same of the squares for the correlations.
        blocks: the same of the products for the correlations, for every lag.
    """

    def __init__(self, sums: WindowSums, first: int, count: int) -> None:
        self.first, self.count = first, count
        layout = sums.layout
        periods = np.arange(first, first + count)
        self.rows = _Addition(layout.row_of[first : first + count].T.ravel())
        if not sums.correlated:
            return
        self.pieces = _Addition(layout.piece_of[periods])
        self.blocks = [
            _Addition(blocks) for blocks in layout.block_of[:, periods]
        ]  # before the first period all is zero


class _Addition:
    """Which items are added to which of several sums.

    Args:
        sum_of: int, shape (items,), number of the sum for each item.
    """

    def __init__(self, sum_of: np.ndarray) -> None:
        edges = np.flatnonzero(np.diff(sum_of)) + 1
        starts, ends = np.append(0, edges), np.append(edges, len(sum_of))
        self.runs = [(int(sum_of[start]), int(start), int(end)) for start, end in zip(starts, ends)]

    def add(self, items: np.ndarray, sums: np.ndarray) -> None:
        """Add items, float32, shape (items, 512), to their sums."""
        for number, start, end in self.runs:
            sums[number] += np.add.reduce(items[start:end], axis=0)


class _Windows:
    """Windows of a chunk, multiplied by their weights, in a buffer: what an FFT takes.

    Args:
        layout: Layout.
        start: where the first window of the first period begins, in samples.
        offsets: places of the windows within a period, relative to the first.
        length: samples in a window, 256 at most; zeros follow.
        periods: in the buffer.
    """

    def __init__(self, layout: Layout, start: int, offsets: Iterable[int], length: int, periods: int) -> None:
        self._layout, self._start, self._length = layout, start, length
        self._offsets = [int(offset) for offset in offsets]
        self._span = self._offsets[-1] + length
        self._buffer = _aligned((len(self._offsets) * periods, COLUMNS), np.complex64)
        self._weights: dict[np.dtype, np.ndarray] = {}

    def weighted(self, values: np.ndarray, first: int, count: int) -> np.ndarray:
        """The windows of `count` periods from `first` on: complex64, shape (positions * count, 256).

        Args:
            values: of all samples, as `real_values` gives them.
        """
        source = self._source(values, first, count)
        weights = self._weights_for(values.dtype)[:count]
        parts = self._buffer[: len(self._offsets) * count]
        places = parts.view(np.float32).reshape(len(self._offsets), count, 2 * COLUMNS)[..., : 2 * self._length]
        # As real numbers: numpy would multiply complex by complex, four times the work.
        for offset, place in zip(self._offsets, places):
            np.multiply(source[:, 2 * offset : 2 * (offset + self._length)], weights, out=place)
        return parts

    def _source(self, values, first, count):
        """The values that the windows of each period reach over, without a copy; zeros outside the chunk."""
        period = self._layout.period
        start = self._start + period * first
        end = start + period * (count - 1) + self._span
        if start < 0 or end > self._layout.samples:
            padded = np.zeros(2 * (end - start), values.dtype)
            low = max(start, 0)
            high = max(low, min(end, self._layout.samples))
            padded[2 * (low - start) : 2 * (high - start)] = values[2 * low : 2 * high]
            values, start = padded, 0
        size = values.itemsize
        return np.ndarray((count, 2 * self._span), values.dtype, values, 2 * start * size, (2 * period * size, size))

    def _weights_for(self, dtype):
        """The window's weights over full scale, once for each period: one row for all would be slower."""
        if dtype not in self._weights:
            rows = len(self._buffer) // len(self._offsets)
            self._weights[dtype] = _aligned((rows, 2 * self._length), np.float32)
            self._weights[dtype][:] = np.repeat(hann(self._length) / FULL_SCALE[dtype], 2)
        return self._weights[dtype]


def real_values(samples: np.ndarray) -> np.ndarray:
    """Samples as a row of real numbers, real and imaginary parts in turn; without a copy where they allow it.

    Args:
        samples: complex, shape (n,), or int16 or int8, shape (n, 2).

    Returns:
        float32, int16 or int8, shape (2 * n,).

    Raises:
        ParameterError: samples are something else.
    """
    samples = np.asarray(samples)
    if samples.ndim == 1 and samples.dtype.kind == "c":
        return np.ascontiguousarray(samples, np.complex64).view(np.float32)
    if samples.ndim == 2 and samples.shape[1] == 2 and samples.dtype in (np.int16, np.int8):
        return np.ascontiguousarray(samples).reshape(-1)
    raise ParameterError(
        f"samples have shape {samples.shape} and type {samples.dtype}; complex numbers of shape (n,) "
        "are needed, or int16 or int8 of shape (n, 2)"
    )


def exact_scale(values: np.ndarray) -> np.float32:
    """The power of two that brings the largest magnitude to 0.5..1; 1 where there is none that is a number.

    What is multiplied by it keeps every bit.
    """
    largest = max(abs(float(values.max())), abs(float(values.min())))
    exponent = math.frexp(largest)[1] if math.isfinite(largest) else 0
    return np.float32(math.ldexp(1.0, -min(max(exponent, -126), 126)))


def _fft(windows: np.ndarray) -> np.ndarray:
    """Spectra of the rows of an array, in a new one."""
    return scipy.fft.fft(windows, axis=1, workers=1)


def _aligned(shape, dtype):
    """An array of zeros that begins at a multiple of 64 bytes, for vector instructions."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)
