# SPDX-License-Identifier: GPL-3.0-or-later
"""The broadcast channel of SS/PBCH blocks: which block it is, the channel by its reference signal, the MIB."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...standards import nr_pbch, polar
from ...standards.nr_pbch import Mib
from ...standards.sequences import nr_pbch_dmrs, nr_pss, nr_sss
from .sync import SYNC_BINS, Windows, delay_covariance

SUBCARRIERS = np.arange(-120, 120)
EDGES = np.r_[0:48, 192:240]
"""Subcarriers of the PBCH beside the SSS: TS 38.211 table 7.4.3.1-1."""
DESIGN_SNR = 0.5
"""Of one value of a reference signal, for the estimate of the channel: where the decoder begins to fail."""
COMBINED_PERIODS = 8
"""Periods of 20 ms in which only four bits of the frame number count: 160 ms."""
SINGLE_TRIES = 4
"""Blocks that are tried on their own before they are combined."""


@dataclass(frozen=True)
class Broadcast:
    """A decoded PBCH.

    Attributes:
        mib: of the block in window `window`.
        window: which of the windows.
        block_index: in the burst.
        frames: windows that decode on their own with the frame number that they should have; at least 1.
    """

    mib: Mib
    window: int
    block_index: int
    frames: int


class _Layout:
    """Where a cell's reference signal and data are, and how its channel is estimated.

    Attributes:
        pilots: places of the reference signal among 240 subcarriers, (60,).
        edge_pilots: whether each of them lies in `EDGES`.
        estimate: channel of 240 subcarriers from 60 mean pilots and 127 mean synchronisation values, (240, 187).
        likelihood: quadratic form that says how much of those values is a channel, (187, 187).
    """

    def __init__(self, shift):
        self.pilots = np.arange(shift, 240, 4)
        self.edge_pilots = (self.pilots < 48) | (self.pilots >= 192)
        known = np.concatenate([SUBCARRIERS[self.pilots], SYNC_BINS])
        # Means of two values, of three where the SSS's symbol has pilots as well.
        noise = np.r_[np.where(self.edge_pilots, 1 / 3, 1 / 2), np.full(127, 1 / 2)] / DESIGN_SNR
        inverse = np.linalg.inv(delay_covariance(known, known) + np.diag(noise))
        self.estimate = delay_covariance(SUBCARRIERS, known) @ inverse
        self.likelihood = np.diag(1 / noise) - inverse
        data = np.arange(240) % 4 != shift
        self.data = (np.flatnonzero(data), EDGES[data[EDGES]], np.flatnonzero(data))


@lru_cache(maxsize=4)
def _layout(shift):
    return _Layout(shift)


@lru_cache(maxsize=64)
def _references(cell_id):
    """Reference signals of the eight block indices, (8, 144)."""
    return np.array([nr_pbch_dmrs(cell_id, index) for index in range(8)])


class Pbch:
    """The PBCH of a cell in some windows.

    Args:
        windows: around its blocks, all of the same index.
        cell_id: 0..1007.
        turn: radians from symbol to symbol, or that and half a turn.

    Attributes:
        turn: radians from symbol to symbol, without ambiguity.
        dmrs_index: index of the reference signal, 0..7: the block's, with 4 blocks plus 4 times the half frame.
        quality: SNR of each window, in proportion; float (n,).
        llr: log-likelihood ratios of the 864 scrambled bits of each window, float (n, 864).
    """

    def __init__(self, windows: Windows, cell_id: int, turn: float) -> None:
        self.cell_id = cell_id
        layout = _layout(cell_id % 4)
        spectra = windows.symbols((0, 1, 2, 3))[:, :, SUBCARRIERS] * np.exp(-1j * turn * np.arange(4))[:, None]
        power = np.mean(np.abs(spectra[:, [1, 3]]) ** 2, axis=(1, 2)) + 1e-30
        # Half a turn a symbol changes the sign of the second and the fourth.
        signs = np.array([[1, 1, 1, 1], [1, -1, 1, -1]])[:, :, None]
        known = np.concatenate([self._known(spectra * sign, layout) for sign in signs], axis=1)
        likelihoods = np.einsum("nij,jk,nik->ni", known.conj(), layout.likelihood, known, optimize=True).real
        sign, self.dmrs_index = divmod(int(np.argmax(np.sum(likelihoods / power[:, None], axis=0))), 8)
        spectra *= signs[sign]
        self.turn = turn + np.pi * sign
        channel = known[:, 8 * sign + self.dmrs_index] @ layout.estimate.T
        signal = np.mean(np.abs(channel) ** 2, axis=1)
        noise = np.maximum(power - signal, 0.02 * power)
        self.quality = signal / noise
        values = np.concatenate(
            [spectra[:, symbol][:, data] * channel[:, data].conj() for symbol, data in zip((1, 2, 3), layout.data)],
            axis=1,
        )
        self.llr = np.empty((len(values), polar.RATE_MATCHED_BITS))
        self.llr[:, 0::2] = values.real / noise[:, None]
        self.llr[:, 1::2] = values.imag / noise[:, None]

    def _known(self, spectra, layout):
        """Mean channel values of each window with each index: (n, 8, 187)."""
        references = _references(self.cell_id).conj()
        pilots = spectra[:, :, layout.pilots]
        edges = np.zeros((len(spectra), 8, 60), complex)
        edges[:, :, layout.edge_pilots] = pilots[:, None, 2, layout.edge_pilots] * references[:, 60:84]
        means = pilots[:, None, 1] * references[:, :60] + pilots[:, None, 3] * references[:, 84:] + edges
        means /= np.where(layout.edge_pilots, 3, 2)
        sync = spectra[:, :, SYNC_BINS + 120]
        mean_sync = (sync[:, 0] * nr_pss(self.cell_id).real + sync[:, 2] * nr_sss(self.cell_id).real) / 2
        return np.concatenate([means, np.repeat(mean_sync[:, None], 8, axis=1)], axis=2)

    def decode(self, periods: np.ndarray) -> Broadcast | None:
        """The MIB, from the best windows on their own, else from windows of up to 160 ms together.

        Args:
            periods: number of the 20 ms that each window lies in, int (n,), ascending.
        """
        best = np.argsort(-self.quality)[:SINGLE_TRIES]
        for index in self._block_indices():
            descrambled = self.llr * (1 - 2.0 * nr_pbch.second_scrambling(self.cell_id, index))
            mibs = self._decoded(descrambled[best], index)
            for window, mib in zip(best.tolist(), mibs):
                if mib is not None:
                    return self._confirmed(mib, window, index, descrambled, periods)
            if len(periods) > 1:
                combined = self._combine(descrambled, index, periods)
                if combined is not None:
                    mib, window = combined
                    return self._confirmed(mib, window, index, descrambled, periods)
        return None

    def _block_indices(self):
        """Indices that the reference signal leaves possible: the second scrambling has 2 or 3 bits of it."""
        return dict.fromkeys((self.dmrs_index, self.dmrs_index % 4))

    def _decoded(self, llr, index):
        """MIB or None of each block."""
        return [None if bits is None else self._mib(bits, index) for bits in polar.decode(llr)]

    def _mib(self, bits, index):
        mib = Mib.of_payload(nr_pbch.descramble(bits, self.cell_id))
        # With 4 blocks a burst, the reference signal has the half frame as well.
        if mib is not None and index != self.dmrs_index and mib.half_frame != self.dmrs_index // 4:
            return None
        return mib

    def _combine(self, llr, index, periods):
        """(MIB, window) from several windows added up, under every frame number modulo 16; None without one."""
        for first in range(0, len(periods), COMBINED_PERIODS):
            chosen = np.flatnonzero((periods >= periods[first]) & (periods < periods[first] + COMBINED_PERIODS))
            tries = dict.fromkeys(self._groups(chosen, periods))
            sums = [
                sum(
                    llr[i] * (1 - 2.0 * _change(self.cell_id, start, int(periods[i] - periods[group[0]])))
                    for i in group
                )
                for start, group in tries
            ]
            if not sums:
                continue
            for (start, group), mib in zip(tries, self._decoded(np.array(sums), index)):
                if mib is not None and mib.frame % 16 // 2 == start:
                    return mib, group[0]
        return None

    def _groups(self, chosen, periods):
        """(half the frame number modulo 16 of the first window, windows before or after the count begins again)."""
        for start in range(COMBINED_PERIODS):
            counts = start + periods[chosen] - periods[chosen[0]]
            before, after = chosen[counts < COMBINED_PERIODS], chosen[counts >= COMBINED_PERIODS]
            group = before if self.quality[before].sum() >= self.quality[after].sum() else after
            if len(group) > 1:
                first = int(counts[np.flatnonzero(chosen == group[0])[0]]) % COMBINED_PERIODS
                yield first, tuple(group.tolist())

    def _confirmed(self, mib, window, index, llr, periods):
        """The result, with a count of the windows that say the same on their own."""
        near = np.argsort(np.abs(periods - periods[window]), kind="stable")[: 2 * COMBINED_PERIODS]
        frames = 0
        for i, other in zip(near.tolist(), self._decoded(llr[near], index)):
            expected = (mib.frame + 2 * int(periods[i] - periods[window])) % nr_pbch.SFN_PERIOD
            frames += other is not None and other.frame == expected
        return Broadcast(mib, window, index, max(1, frames))


@lru_cache(maxsize=1024)
def _change(cell_id, start, periods):
    """Bits of the codeword that change in some periods of 20 ms, where half the frame number modulo 16 is `start`."""
    return nr_pbch.change(cell_id, (2 * start, 2 * (start + periods)), (0, 0))
