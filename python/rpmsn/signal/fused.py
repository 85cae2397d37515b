# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums over windows in one pass, compiled by Numba: what `sums.WindowSums` computes, several times as fast.

Each window is read, weighted, transformed and added while it is in the first-level cache. Nothing is stored between,
and the GIL is not held. The transform is a radix-4 FFT in Stockham's order (C. Van Loan, "Computational Frameworks for
the Fast Fourier Transform", SIAM 1992, 1.7), with real and imaginary parts apart, so that the compiler makes vector
instructions of every inner loop.

Compiled code is kept on disk by Numba: beside this file, or in the user's cache where that cannot be written.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np

from .sums import COLUMNS, FULL_SCALE, LAGS, Layout, hann

QUARTER = COLUMNS // 4
KEPT = max(LAGS)
"""Spectra that are kept for the products with later ones."""


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile at the first call. NaN and infinity keep their meaning: they say what input is faulty."""
    options: dict[str, Any] = dict(nogil=True, error_model="numpy", fastmath={"contract", "nsz"})
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder for the cache can be written
        return numba.njit(**options)(function)


class FusedSums:
    """As `sums.WindowSums`: same arguments, same results but for the order of additions. Not for two threads at once.

    Args:
        layout: Layout.
        correlated: whether the sums for the correlations are wanted.
    """

    def __init__(self, layout: Layout, correlated: bool = False) -> None:
        self.layout, self.correlated = layout, correlated
        self._starts = (layout.centres - COLUMNS // 2).astype(np.int64)
        self._row_of = layout.row_of.astype(np.int64)
        # Where 256 samples last longer than a period, the correlations have windows of their own, a period long.
        self._short = layout.period if correlated and layout.period < COLUMNS else 0
        self._short_starts = layout.centres[:, 0] - layout.period // 2
        self._piece_of, self._block_of = layout.piece_of, layout.block_of
        self._weights: dict[np.dtype, tuple[np.ndarray, np.ndarray]] = {}
        self._memory, self._short_memory = _Memory(len(layout.offsets)), _Memory(1)
        self._kept = np.zeros((KEPT, 2, COLUMNS), np.float32)

    def measure(self, values: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray] | None]:
        """As `sums.WindowSums.measure`."""
        layout = self.layout
        squares = np.zeros((layout.rows, COLUMNS), np.float32)
        pieces = np.zeros((len(layout.cuts) - 1, COLUMNS), np.float32)
        products = np.zeros((len(LAGS), len(layout.blocks) - 1, 2, COLUMNS), np.float32)
        weights, short_weights = self._weights_for(values.dtype)
        _add_windows(
            values, self._starts, self._row_of, weights, self.correlated, self._short_starts, self._short,
            short_weights, self._piece_of, self._block_of, LAGS, _twiddles(), self._memory.parts, self._memory.blocks,
            self._short_memory.parts, self._short_memory.blocks, self._kept, squares, pieces, products,
        )  # fmt: skip
        if not self.correlated:
            return squares, None
        return squares, (products[:, :, 0] + np.complex64(1j) * products[:, :, 1], *layout.early_and_later(pieces))

    def _weights_for(self, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
        """Weights over full scale of a window and of a short one."""
        if dtype not in self._weights:
            scale = FULL_SCALE[dtype]
            lengths = COLUMNS, self._short
            self._weights[dtype] = tuple((hann(n) / scale).astype(np.float32) for n in lengths)  # type: ignore[assignment]
        return self._weights[dtype]


def mirrored_sums(windows: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `iq_image._sums`."""
    memory, (powers, squares) = _Memory(1), np.zeros((2, COLUMNS), np.float32)
    products = np.zeros((2, COLUMNS), np.float32)
    _add_mirrored(windows, weights, _twiddles(), memory.parts, memory.blocks, powers, products, squares)
    return powers, products[0] + np.complex64(1j) * products[1], squares


@cache
def _twiddles() -> np.ndarray:
    """Factors after each of the first three stages, float32, shape (3, 6, 64): of outputs 1 to 3, two parts each."""
    factors = np.empty((3, 3, 2, QUARTER), np.float32)
    for stage in range(3):
        turns = np.multiply.outer(np.arange(1, 4), np.arange(QUARTER) // 4**stage) / (COLUMNS / 4**stage)
        factors[stage, :, 0], factors[stage, :, 1] = np.cos(2 * np.pi * turns), -np.sin(2 * np.pi * turns)
    return factors.reshape(3, 6, QUARTER)


def compile_all() -> None:
    """Compile for all types of samples, which takes some seconds once; afterwards it lies on disk."""
    for dtype in FULL_SCALE:
        FusedSums(Layout(10e6, 4 * COLUMNS, 1), correlated=True).measure(np.zeros(8 * COLUMNS).astype(dtype))
        mirrored_sums(np.zeros((1, 2 * COLUMNS)).astype(dtype), np.ones(COLUMNS, np.float32))


class _Memory:
    """What the transforms of some windows work in; arguments of `_transform`."""

    def __init__(self, windows: int) -> None:
        self.parts = (
            *(np.zeros((windows, COLUMNS), np.float32) for _ in range(4)),
            np.zeros((windows, 512), np.float32),
        )
        _, _, real_2, imag_2, results = self.parts
        self.blocks = tuple(part.view(np.complex128) for part in (results, real_2, imag_2))


@_compiled
def _add_windows(
    values, starts, row_of, weights, correlated, short_starts, short, short_weights, piece_of, block_of, lags, twiddles,
    parts, blocks, short_parts, short_blocks, kept, squares, pieces, products,
):  # fmt: skip
    """Add up all windows: `squares` by rows, and `pieces` and `products` of the first window of each period."""
    periods, positions = starts.shape
    real, imag = parts[2], parts[3]
    alone_real, alone_imag = (short_parts[2][0], short_parts[3][0]) if short else (real[0], imag[0])
    for period in range(periods):
        for position in range(positions):
            _fill(values, starts[period, position], COLUMNS, weights, parts[0][position], parts[1][position])
        _transform(parts, blocks, twiddles)
        for position in range(positions):
            _add_squares(real[position], imag[position], squares[row_of[period, position]])
        if not correlated:
            continue
        if short:
            _fill(values, short_starts[period], short, short_weights, short_parts[0][0], short_parts[1][0])
            _transform(short_parts, short_blocks, twiddles)
        _add_squares(alone_real, alone_imag, pieces[piece_of[period]])
        for index in range(len(lags)):
            if period >= lags[index]:
                earlier = kept[(period - lags[index]) % KEPT]
                product = products[index, block_of[index, period]]
                _add_product(alone_real, alone_imag, earlier[0], earlier[1], product[0], product[1])
        kept[period % KEPT, 0, :] = alone_real
        kept[period % KEPT, 1, :] = alone_imag


@_compiled
def _add_mirrored(windows, weights, twiddles, parts, blocks, powers, products, squares):
    """Add up the spectra of windows, and their products with the same reversed."""
    real, imag = parts[2][0], parts[3][0]
    power, reversed_power = parts[0][0], parts[1][0]
    for number in range(len(windows)):
        _fill(windows[number], 0, COLUMNS, weights, parts[0][0], parts[1][0])
        _transform(parts, blocks, twiddles)
        for n in range(COLUMNS):
            power[n] = real[n] * real[n] + imag[n] * imag[n]
            powers[n] += power[n]
        reversed_power[0] = power[0]
        for n in range(1, COLUMNS):
            reversed_power[n] = power[COLUMNS - n]
        for n in range(COLUMNS):
            squares[n] += power[n] * reversed_power[n]
        products[0, 0] += real[0] * real[0] - imag[0] * imag[0]
        products[1, 0] += 2 * real[0] * imag[0]
        for n in range(1, COLUMNS):
            other_real, other_imag = real[COLUMNS - n], imag[COLUMNS - n]
            products[0, n] += real[n] * other_real - imag[n] * other_imag
            products[1, n] += real[n] * other_imag + imag[n] * other_real


@_compiled
def _fill(values, start, length, weights, real, imag):
    """Weighted samples; zeros outside the chunk and behind the window."""
    count = len(values) // 2
    if length == COLUMNS and start >= 0 and start + COLUMNS <= count:
        part = values[2 * start : 2 * (start + COLUMNS)]
        for n in range(COLUMNS):
            real[n] = part[2 * n] * weights[n]
            imag[n] = part[2 * n + 1] * weights[n]
        return
    real[:] = 0
    imag[:] = 0
    for n in range(max(0, -start), min(length, count - start)):
        real[n] = values[2 * (start + n)] * weights[n]
        imag[n] = values[2 * (start + n) + 1] * weights[n]


@_compiled
def _transform(parts, blocks, twiddles):
    """FFTs of 256 points, each stage of all of them before the next: so no value is read as soon as it is written.

    Args:
        parts: (real, imag, real_2, imag_2, results), of float32, shape (windows, 256), the last one (windows, 512). The
            first two are what is transformed, the second two the spectra.
        blocks: (results, real_2, imag_2) as complex128: four values at a time.
        twiddles: as of `_twiddles`.
    """
    real, imag, real_2, imag_2, results = parts
    for n in range(len(real)):
        _first_stage(real[n], imag[n], twiddles[0], real_2[n], imag_2[n])
    for n in range(len(real)):
        _second_stage(real_2[n], imag_2[n], twiddles[1], results[n])
    for n in range(len(real)):
        _in_fours(blocks[0][n], blocks[1][n], blocks[2][n])
    for n in range(len(real)):
        _third_stage(real_2[n], imag_2[n], twiddles[2], real[n], imag[n])
    for n in range(len(real)):
        _last_stage(real[n], imag[n], real_2[n], imag_2[n])


@_compiled
def _butterfly(real, imag, n):
    """DFT of the values n, n + 64, n + 128 and n + 192: four real parts, four imaginary ones."""
    sum_0, sum_1 = real[n] + real[n + 128], real[n + 64] + real[n + 192]
    difference_0, difference_1 = real[n] - real[n + 128], real[n + 64] - real[n + 192]
    imag_sum_0, imag_sum_1 = imag[n] + imag[n + 128], imag[n + 64] + imag[n + 192]
    imag_difference_0, imag_difference_1 = imag[n] - imag[n + 128], imag[n + 64] - imag[n + 192]
    return (
        sum_0 + sum_1, difference_0 + imag_difference_1, sum_0 - sum_1, difference_0 - imag_difference_1,
        imag_sum_0 + imag_sum_1, imag_difference_0 - difference_1,
        imag_sum_0 - imag_sum_1, imag_difference_0 + difference_1,
    )  # fmt: skip


@_compiled
def _first_stage(real, imag, factors, out_real, out_imag):
    for n in range(QUARTER):
        x0, x1, x2, x3, y0, y1, y2, y3 = _butterfly(real, imag, n)
        out_real[4 * n], out_imag[4 * n] = x0, y0
        out_real[4 * n + 1] = x1 * factors[0, n] - y1 * factors[1, n]
        out_imag[4 * n + 1] = x1 * factors[1, n] + y1 * factors[0, n]
        out_real[4 * n + 2] = x2 * factors[2, n] - y2 * factors[3, n]
        out_imag[4 * n + 2] = x2 * factors[3, n] + y2 * factors[2, n]
        out_real[4 * n + 3] = x3 * factors[4, n] - y3 * factors[5, n]
        out_imag[4 * n + 3] = x3 * factors[5, n] + y3 * factors[4, n]


@_compiled
def _second_stage(real, imag, factors, out):
    """Leaves its results where vector instructions can put them; `_in_fours` brings them into their order."""
    for n in range(QUARTER):
        x0, x1, x2, x3, y0, y1, y2, y3 = _butterfly(real, imag, n)
        out[n], out[n + 256] = x0, y0
        out[n + 64] = x1 * factors[0, n] - y1 * factors[1, n]
        out[n + 320] = x1 * factors[1, n] + y1 * factors[0, n]
        out[n + 128] = x2 * factors[2, n] - y2 * factors[3, n]
        out[n + 384] = x2 * factors[3, n] + y2 * factors[2, n]
        out[n + 192] = x3 * factors[4, n] - y3 * factors[5, n]
        out[n + 448] = x3 * factors[5, n] + y3 * factors[4, n]


@_compiled
def _in_fours(results, real, imag):
    for n in range(16):
        real[4 * n], real[4 * n + 1] = results[n], results[n + 16]
        real[4 * n + 2], real[4 * n + 3] = results[n + 32], results[n + 48]
    for n in range(16):
        imag[4 * n], imag[4 * n + 1] = results[n + 64], results[n + 80]
        imag[4 * n + 2], imag[4 * n + 3] = results[n + 96], results[n + 112]


@_compiled
def _third_stage(real, imag, factors, out_real, out_imag):
    for group in range(4):
        factor = factors[:, 16 * group]
        cos_1, sin_1, cos_2, sin_2, cos_3, sin_3 = factor[0], factor[1], factor[2], factor[3], factor[4], factor[5]
        for n in range(16):
            x0, x1, x2, x3, y0, y1, y2, y3 = _butterfly(real, imag, 16 * group + n)
            place = 64 * group + n
            out_real[place], out_imag[place] = x0, y0
            out_real[place + 16], out_imag[place + 16] = x1 * cos_1 - y1 * sin_1, x1 * sin_1 + y1 * cos_1
            out_real[place + 32], out_imag[place + 32] = x2 * cos_2 - y2 * sin_2, x2 * sin_2 + y2 * cos_2
            out_real[place + 48], out_imag[place + 48] = x3 * cos_3 - y3 * sin_3, x3 * sin_3 + y3 * cos_3


@_compiled
def _last_stage(real, imag, out_real, out_imag):
    for n in range(QUARTER):
        x0, x1, x2, x3, y0, y1, y2, y3 = _butterfly(real, imag, n)
        out_real[n], out_real[n + 64], out_real[n + 128], out_real[n + 192] = x0, x1, x2, x3
        out_imag[n], out_imag[n + 64], out_imag[n + 128], out_imag[n + 192] = y0, y1, y2, y3


@_compiled
def _add_squares(real, imag, sums):
    for n in range(COLUMNS):
        sums[n] += real[n] * real[n] + imag[n] * imag[n]


@_compiled
def _add_product(real, imag, earlier_real, earlier_imag, sums_real, sums_imag):
    """Spectrum times the conjugate of an earlier one."""
    for n in range(COLUMNS):
        sums_real[n] += real[n] * earlier_real[n] + imag[n] * earlier_imag[n]
        sums_imag[n] += imag[n] * earlier_real[n] - real[n] * earlier_imag[n]
