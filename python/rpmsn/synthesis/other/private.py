# SPDX-License-Identifier: GPL-3.0-or-later
"""OFDM links of other systems: drones, private networks, telemetry; frames, preambles and pilots of their own."""

import numpy as np

from ...standards.qam import random_qam
from ..checking import require_number, require_whole
from ..grid import scattered_runs
from .baseband import Baseband, n_cells
from .ofdm import ofdm_grid, symbol_bodies

BLOCK_SUBCARRIERS = 12
"""Subcarriers are given to users in blocks of so many."""
LTE_PREFIX, LTE_LONG_PREFIX, LTE_HALF_MS_SYMBOLS = 144 / 2048, 160 / 2048, 7
"""Prefixes as fractions of the useful symbol, and symbols from one long one to the next: TS 36.211 6.12."""
DRAWS = 4
"""Blocks are assigned anew so many times in a burst."""


def private_ofdm(
    duration_s: float,
    rng: np.random.Generator,
    start_s: float = 0.0,
    subcarrier_spacing: float = 15e3,
    n_subcarriers: int = 600,
    prefix: float = LTE_PREFIX,
    lte_prefixes: bool = True,
    frame_s: float = 0.01,
    on_fraction: float = 1.0,
    load: float = 1.0,
    preamble_symbols: int = 1,
    pilot_every: int = 0,
    pilot_boost_db: float = 0.0,
    single_carrier: bool = False,
    dc_null: bool = True,
) -> Baseband:
    """OFDM in frames that is neither LTE nor NR: no cell's synchronisation or reference signals.

    Args:
        subcarrier_spacing: 1e3..320e3 Hz.
        n_subcarriers: in use, 24..4096.
        prefix: cyclic prefix over useful symbol, 0..0.5; not with `lte_prefixes`.
        lte_prefixes: the prefixes of LTE and NR, scaled: of seven symbols the first has a longer one.
        frame_s: length of a frame, 0.5 ms to 1 s.
        on_fraction: fraction of a frame, from its beginning, that is sent; the rest is the other direction's.
        load: fraction of the blocks of 12 subcarriers that carry data; preambles have all.
        preamble_symbols: symbols at a frame's beginning with a Zadoff-Chu sequence, 0..8.
        pilot_every: a pilot on every so many subcarriers in use, all the time; 0 for none.
        pilot_boost_db: power of a pilot over that of a data element.
        single_carrier: data are transform precoded (DFT-s-OFDM).
        dc_null: the subcarrier in the middle is empty.
    """
    name = "private OFDM"
    require_number(name, "subcarrier_spacing", subcarrier_spacing, 1e3, 320e3, "Hz")
    require_whole(name, "n_subcarriers", n_subcarriers, 2 * BLOCK_SUBCARRIERS, 4096)
    require_number(name, "prefix", prefix, 0, 0.5)
    require_number(name, "frame_s", frame_s, 5e-4, 1, "s")
    require_number(name, "on_fraction", on_fraction, 0.01, 1)
    require_number(name, "load", load, 0, 1)
    require_whole(name, "preamble_symbols", preamble_symbols, 0, 8)
    require_whole(name, "pilot_every", pilot_every, 0, n_subcarriers)
    require_number(name, "pilot_boost_db", pilot_boost_db, 0, 20, "dB")
    samples, rate, n_fft = ofdm_grid(duration_s, subcarrier_spacing, n_subcarriers + dc_null)
    times = _SymbolTimes(n_fft / rate, prefix, lte_prefixes, frame_s, on_fraction)
    starts, ends, numbers = times.between(start_s, start_s + duration_s)
    symbols = np.zeros((len(starts), n_subcarriers), np.complex64)
    _fill_frames(symbols, numbers, load, single_carrier, rng)
    if pilot_every:
        amplitude = np.float32(10 ** (pilot_boost_db / 20))
        symbols[:, ::pilot_every] = amplitude * random_qam(rng, symbols[:, ::pilot_every].shape)
    symbols[numbers < preamble_symbols] = _zadoff_chu(n_subcarriers)
    subcarriers = np.arange(n_subcarriers) - n_subcarriers // 2
    subcarriers += dc_null * (subcarriers >= 0)
    bodies = symbol_bodies(symbols, subcarriers, n_fft)
    signal = np.zeros(samples, np.complex64)
    edges = np.rint((np.stack([starts, ends]) - start_s) * rate).astype(np.int64)
    for body, first, last in zip(bodies, *edges):
        # The useful part comes last, so places are counted from its end.
        inside = np.arange(max(first, 0), min(last, samples))
        signal[inside] = body[(inside - last) % n_fft]
    level, on_air = _levels(symbols, starts - start_s, ends - start_s, duration_s)
    spacing = rate / n_fft
    band = (subcarriers[0] - 0.5) * spacing, (subcarriers[-1] + 0.5) * spacing
    made = Baseband(signal, rate, *band, on_air, level=level)
    # A level of 1 is a power of 1 over the band in use.
    return made.with_samples(signal * np.float32(np.sqrt((band[1] - band[0]) / made.occupied_bandwidth)))


class _SymbolTimes:
    """When symbols are sent: in the first part of every frame, one after another.

    Args:
        useful_s: length of the useful part of a symbol.
    """

    def __init__(self, useful_s: float, prefix: float, lte_prefixes: bool, frame_s: float, on_fraction: float) -> None:
        per_half_ms = [LTE_LONG_PREFIX, *[LTE_PREFIX] * (LTE_HALF_MS_SYMBOLS - 1)] if lte_prefixes else [prefix]
        shortest = useful_s * (1 + min(per_half_ms))
        prefixes = np.resize(per_half_ms, int(frame_s / shortest) + 2)
        ends = np.cumsum(useful_s * (1 + prefixes))
        count = max(1, int(np.searchsorted(ends, on_fraction * frame_s * (1 + 1e-9), side="right")))
        self.frame_s = max(frame_s, float(ends[0]))
        self.ends = ends[:count]
        self.starts = np.concatenate([[0.0], ends[: count - 1]])

    def between(self, first_s, last_s):
        """(starts, ends, number in its frame) of the symbols that touch a chunk; times in s, float64."""
        frames = np.arange(int(first_s // self.frame_s), int(last_s // self.frame_s) + 1)
        begins = frames[:, None] * self.frame_s
        starts, ends = (begins + self.starts).ravel(), (begins + self.ends).ravel()
        numbers = np.tile(np.arange(self.starts.size), frames.size)
        touches = (ends > first_s) & (starts < last_s)
        return starts[touches], ends[touches], numbers[touches]


def _fill_frames(symbols, numbers, load, single_carrier, rng):
    """Data on some blocks of every symbol, in place; the blocks change a few times in a frame."""
    n_symbols, n_subcarriers = symbols.shape
    n_blocks = n_subcarriers // BLOCK_SUBCARRIERS
    longest = int(numbers.max(initial=0)) + 1
    is_new = np.diff(numbers * DRAWS // longest, prepend=-1) != 0
    for first, last in zip(np.flatnonzero(is_new), [*np.flatnonzero(is_new)[1:], n_symbols]):
        count = min(n_blocks, int(n_blocks * load + rng.random()))
        bits = int(rng.choice((2, 4, 6)))
        for start, width in scattered_runs(n_blocks, count, int(rng.integers(1, 4)), rng):
            # The last block has what is left over.
            end = n_subcarriers if start + width == n_blocks else (start + width) * BLOCK_SUBCARRIERS
            part = slice(start * BLOCK_SUBCARRIERS, end)
            if width:
                data = random_qam(rng, (last - first, part.stop - part.start), bits)
                symbols[first:last, part] = np.fft.fft(data, axis=1, norm="ortho") if single_carrier else data


def _zadoff_chu(n):
    """A sequence of constant amplitude, complex64 (n,)."""
    index = np.arange(n)
    return np.exp(-1j * np.pi * index * (index + n % 2) / n).astype(np.complex64)


def _levels(symbols, starts_s, ends_s, duration_s):
    """(power, fraction on the air) in every cell of time and block of subcarriers, float32 (cells, blocks)."""
    n_blocks = symbols.shape[1] // BLOCK_SUBCARRIERS
    power = np.abs(symbols) ** 2
    firsts = np.linspace(0, symbols.shape[1], n_blocks + 1).astype(int)[:-1]
    power = np.add.reduceat(power, firsts, axis=1) / np.diff([*firsts, symbols.shape[1]])
    cell_s = duration_s / n_cells(duration_s)
    cells = np.arange(n_cells(duration_s))[:, None] * cell_s
    shared = np.minimum(cells + cell_s, ends_s) - np.maximum(cells, starts_s)
    fraction = (np.maximum(shared, 0) / cell_s).astype(np.float32)
    return fraction @ power, fraction @ (power > 0).astype(np.float32)
