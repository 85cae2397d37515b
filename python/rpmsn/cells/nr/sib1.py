# SPDX-License-Identifier: GPL-3.0-or-later
"""SIB1 of a cell: the grant in CORESET 0, the transport block that it grants, and what that says.

TS 38.213 13 (SS/PBCH block and CORESET 0 in the same slots or near: multiplexing pattern 1).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import scipy.fft

from ...standards import nr_grant
from ...standards.ldpc import code
from ...standards.nr import CORESET_ZERO, SSB_FIRST_SYMBOLS, coreset_zero_edges, symbol_time
from ...standards.nr_grant import BLOCKS_PER_BUNDLE, GROUPS_PER_CCE, Grant
from ...standards.nr_sib1 import Sib1
from ...standards.sequences import nr_dmrs
from ..cell import Cell
from ..spectrum import BASE_RATE, FLAT, History, Spectrum, band_rate, nearest
from .broadcast import DESIGN_SNR
from .spectrum import N_FFT
from .sync import EARLY, delay_covariance

BLOCK = 12
"""Subcarriers of a resource block."""
SYMBOLS = 14
"""Of a slot."""
CONTROL_PILOTS = np.arange(1, BLOCK, 4)
"""Subcarriers of a resource block with reference signals of a PDCCH: TS 38.211 7.4.1.3.2."""
CONTROL_DATA = np.setdiff1d(np.arange(BLOCK), CONTROL_PILOTS)
DATA_PILOTS = np.arange(0, BLOCK, 2)
"""Those of a PDSCH: TS 38.211 7.4.1.1.2, configuration type 1, antenna port 1000."""
LEAST_LIKENESS, MOST_CANDIDATES = 1.3, 3
"""Candidates for a grant that are decoded: their reference signal agrees with itself so much more than noise does; the
best ones of an occasion. In noise, the CRC of 24 bits with a list of 8 passes 5e-7 of them."""
MOST_TIMES = 4
"""Transport blocks that are added up."""


@dataclass(frozen=True)
class _Place:
    """CORESET 0 in the samples.

    Attributes:
        cell: whose it is.
        width, n_symbols: resource blocks and symbols.
        frequency: Hz from the samples' centre, of the subcarrier in the middle.
        n_fft: samples of a symbol's useful part.
        turn: radians from one symbol of a slot to the next, as `Cell.symbol_turn`, around `frequency`.
    """

    cell: Cell
    width: int
    n_symbols: int
    frequency: float
    n_fft: int
    turn: float

    @property
    def spacing(self) -> float:
        return self.cell.subcarrier_spacing

    @property
    def rate(self) -> float:
        """Samples a second of the band."""
        return self.n_fft * self.spacing

    @property
    def units(self) -> int:
        """Width of the band in units of `BASE_RATE`."""
        return round(self.rate / BASE_RATE)

    @classmethod
    def of(cls, cell: Cell) -> "_Place | None":
        """From the MIB of a cell; None where it says that there is none, or by tables that are not known here."""
        spacing, found = cell.subcarrier_spacing, cell.coreset_zero
        if found is None or cell.block_index is None or cell.symbol_turn is None:
            return None
        k_ssb, index = found
        width, n_symbols, _ = CORESET_ZERO[spacing][index]
        lower, _ = coreset_zero_edges(cell.frequency, spacing, k_ssb, index)
        frequency = lower + width * BLOCK // 2 * spacing
        # A receiver turns a symbol by the carrier's frequency: TS 38.211 5.4.
        turn = cell.symbol_turn - 2 * np.pi * (frequency - cell.frequency) * (2192 / 2048) / spacing
        return cls(cell, width, n_symbols, frequency, 128 * math.ceil(width * BLOCK / (128 * FLAT)), turn)

    @property
    def slots_per_frame(self) -> int:
        return round(self.spacing / 1.5e3)


def with_sib1(spectra: Sequence[Spectrum], sample_rate: float, cell: Cell) -> Cell:
    """A cell with what its SIB1 says, where that is sent in the samples and decodes; arguments as of `read`."""
    bits = read(spectra, sample_rate, cell)
    sib1 = None if bits is None else Sib1.of_bits(bits)
    if sib1 is None:
        return cell
    duplex = ("TDD" if sib1.is_tdd else "FDD") if sib1.carriers else cell.duplex
    bandwidth = sib1.channel_bandwidth(cell.subcarrier_spacing)
    return replace(cell, sib1=sib1, duplex=duplex, channel_bandwidth=bandwidth)


def read(spectra: Sequence[Spectrum], sample_rate: float, cell: Cell) -> np.ndarray | None:
    """Bits of a cell's SIB1, uint8; None where none is sent in the samples, or none decodes.

    What is beyond the span counts as not received.

    Args:
        spectra: of frames that follow each other, in which the cell was found.
        sample_rate: of the samples, Hz.
        cell: with a MIB; its times count from the first sample.
    """
    place = _Place.of(cell)
    if place is None:
        return None
    history, start = History(), 0
    for spectrum in spectra:
        history.add(*spectrum.band(place.frequency, place.units, start))
        start += spectrum.count
    end_s = start / sample_rate
    band = _Band(place, history, nearest(place.frequency, sample_rate), band_rate(sample_rate, place.units))
    blocks = _Blocks()
    for slot_s, slot, first_symbol in _occasions(place, end_s):
        bits = blocks.add(band.slot(slot_s, slot), first_symbol)
        if bits is not None:
            return bits
    return None


def _starts(cell: Cell) -> list[float]:
    """Starts of the cell's first frame, seconds: one block does not show whether it is of case B or C."""
    if cell.subcarrier_spacing != 30e3:
        return [cell.start_s]
    of_b, of_c = (symbol_time(SSB_FIRST_SYMBOLS[case][cell.block_index or 0], 30e3) for case in ("B", "C"))
    return list(dict.fromkeys((cell.start_s, cell.start_s + of_c - of_b)))


def _occasions(place, end_s) -> Iterator[tuple[float, int, int]]:
    """(start in seconds, slot of the frame, first symbol of the PDCCH) of slots that may have a grant of SIB1."""
    for start_s in _starts(place.cell):
        yield from _occasions_from(place, start_s, end_s)


def _occasions_from(place, start_s, end_s):
    cell, per_frame = place.cell, place.slots_per_frame
    index, frame = int(cell.mib["searchSpaceZero"]), int(cell.mib["systemFrameNumber"])
    first, symbol = nr_grant.occasion(index, cell.block_index, per_frame // 10, place.n_symbols)
    for frames in range(-2, math.ceil((end_s - start_s) / 0.01)):
        if (frame + frames) % 2:
            continue
        for slot in (first, first + 1):
            start = start_s + 0.01 * frames + slot * 0.01 / per_frame
            if start >= 0 and start + 0.01 / per_frame <= end_s:
                yield start, slot % per_frame, symbol


class _Band:
    """Samples around CORESET 0."""

    def __init__(self, place: _Place, history: History, center: float, rate: float) -> None:
        self.place, self.history, self.offset, self.rate = place, history, place.frequency - center, rate

    def slot(self, start_s: float, number: int) -> "_Slot":
        """The spectra of a slot that begins at a time."""
        place, n_fft = self.place, self.place.n_fft
        subcarriers = np.arange(-place.width * BLOCK // 2, place.width * BLOCK // 2)
        early = EARLY * n_fft // N_FFT
        in_subframe = number % (place.slots_per_frame // 10)
        subframe_s = start_s - in_subframe * 0.01 / place.slots_per_frame
        numbers = range(in_subframe * SYMBOLS, (in_subframe + 1) * SYMBOLS)
        times = subframe_s + np.array([symbol_time(symbol, place.spacing) for symbol in numbers])
        exact = times * self.rate - self.history.start - early
        taken = np.floor(exact).astype(int)
        places = taken[:, None] + np.arange(n_fft)
        values = self.history.values[np.clip(places, 0, len(self.history.values) - 1)]
        seconds = (places - taken[0]) / self.rate
        values = values * np.exp(-2j * np.pi * self.offset * seconds)
        spectra = scipy.fft.fft(values, axis=1)[:, subcarriers]
        late = early + exact - taken
        spectra *= np.exp(2j * np.pi * np.outer(late, subcarriers) / n_fft)
        spectra *= np.exp(-1j * place.turn * np.arange(SYMBOLS))[:, None]
        return _Slot(place, number, spectra.astype(np.complex64))


class _Slot:
    """Spectra of a slot, complex (14, width, 12), and what is read from them."""

    def __init__(self, place: _Place, number: int, spectra: np.ndarray) -> None:
        self.place, self.number = place, number
        self.spectra = spectra.reshape(SYMBOLS, place.width, BLOCK)

    def grants(self, first_symbol: int) -> list[Grant]:
        """Grants of SIB1 whose CRC fits."""
        place = self.place
        elements = nr_grant.control_channel_elements(place.width, place.n_symbols, True, place.cell.cell_id)
        channel, likeness = self._control_channel(first_symbol)
        symbols = slice(first_symbol, first_symbol + place.n_symbols)
        values = self.spectra[symbols][:, :, CONTROL_DATA] * channel[None][:, :, CONTROL_DATA].conj()
        tries = []
        for first, level in nr_grant.candidates(len(elements)):
            groups = np.sort(elements[first : first + level].ravel())
            blocks, of_group = np.divmod(groups, place.n_symbols)
            strength = float(likeness[blocks].mean())
            if strength >= LEAST_LIKENESS:
                order = np.lexsort((blocks, of_group))
                tries.append((strength * level, values[of_group[order], blocks[order]].ravel()))
        tries.sort(key=lambda one: -one[0])
        grants = []
        for _, chosen in tries[:MOST_CANDIDATES]:
            (grant,) = nr_grant.decode(_qpsk_ratios(chosen)[None], place.width, place.cell.cell_id)
            if grant is not None and not grant.is_other and grant not in grants:
                grants.append(grant)
        return grants

    def _control_channel(self, first_symbol):
        """Channel (width, 12) of a PDCCH in all of CORESET 0, and how much more the pilots of each resource block agree
        than noise does (width,)."""
        place = self.place
        symbols = range(first_symbol, first_symbol + place.n_symbols)
        pilots = np.mean([self._pilots(symbol, CONTROL_PILOTS) for symbol in symbols], axis=0)
        together = max(1, GROUPS_PER_CCE // place.n_symbols)
        return _smoothed(pilots, together, tuple(CONTROL_PILOTS), place.n_symbols)[:2]

    def _pilots(self, symbol, which):
        """Channel at the reference signals of a symbol, complex (width, n)."""
        place = self.place
        reference = nr_dmrs(place.cell.cell_id, self.number, symbol, place.width * len(which))
        return self.spectra[symbol][:, which] * reference.conj().reshape(place.width, len(which))

    def block(self, grant: Grant) -> tuple[int, np.ndarray] | None:
        """(bits of the transport block, log-likelihood ratios of what is sent of it); None where it cannot be."""
        place = self.place
        dmrs_first = 2 + (place.cell.mib["dmrs-TypeA-Position"] == "pos3")
        allocated = nr_grant.allocation(grant.row, dmrs_first)
        n_bits = grant.block_bits(allocated)
        if n_bits is None:
            return None
        blocks = grant.resource_blocks(place.width)
        used = np.zeros(place.width, bool)
        used[blocks] = True
        pilots = [
            np.where(used[:, None], self._pilots(symbol, DATA_PILOTS), 0) for symbol in allocated.reference_symbols
        ]
        turns = np.array([np.vdot(pilots[0], other) for other in pilots])
        turns = np.exp(1j * np.angle(turns))
        mean = np.mean([other * turn.conj() for other, turn in zip(pilots, turns)], axis=0)
        channel, _, noise = _smoothed(mean, BLOCKS_PER_BUNDLE, tuple(DATA_PILOTS), len(pilots), used)
        values = []
        for symbol in range(allocated.start, allocated.stop):
            turn = turns[self._nearest(symbol, allocated.reference_symbols)]
            which: slice | np.ndarray = slice(None)
            if symbol in allocated.reference_symbols:
                if not allocated.has_data_beside:
                    continue
                which = DATA_PILOTS + 1
            product = self.spectra[symbol] * channel.conj() * turn.conj()
            values.append(product[blocks][:, which].ravel())
        ratios = _qpsk_ratios(np.concatenate(values)) / noise
        return n_bits, ratios * (1 - 2.0 * nr_grant.data_scrambling(place.cell.cell_id, len(ratios)))

    def _nearest(self, symbol, references):
        """Which of the symbols with reference signals is nearest, without a long cyclic prefix between if possible."""
        half = SYMBOLS // 2 if self.place.spacing == 15e3 else SYMBOLS
        return min(
            range(len(references)), key=lambda i: (symbol // half != references[i] // half, abs(symbol - references[i]))
        )


class _Blocks:
    """Transport blocks of one length, from one time or several together."""

    def __init__(self) -> None:
        self._received: dict[int, list[tuple[np.ndarray, int]]] = {}

    def add(self, slot: _Slot, first_symbol: int) -> np.ndarray | None:
        """What a slot has; returns the bits of SIB1 once they decode."""
        for grant in slot.grants(first_symbol):
            received = slot.block(grant)
            if received is None:
                continue
            n_bits, ratios = received
            times = self._received.setdefault(n_bits, [])
            times.append((ratios, grant.version))
            del times[:-MOST_TIMES]
            for chosen in (times[-1:], times) if len(times) > 1 else (times,):
                bits = code(n_bits).decode(chosen)
                if bits is not None:
                    return bits
        return None


def _qpsk_ratios(values):
    """Log-likelihood ratios in proportion, of values that were multiplied by the channel's conjugate."""
    ratios = np.empty(2 * len(values))
    ratios[0::2], ratios[1::2] = values.real, values.imag
    return ratios


def _smoothed(pilots, together, which, times, used=None):
    """Channel from mean pilots, resource blocks of one precoding on their own.

    Args:
        pilots: complex (width, n).
        together: resource blocks of one precoding.
        which: subcarriers of the pilots in a resource block.
        times: values that a mean is of.
        used: resource blocks that hold pilots, bool (width,); None: all.

    Returns:
        channel (width, 12); likeness of each resource block (width,); mean power of the noise.
    """
    estimate, expected = _estimator(together, which, times)
    grouped = pilots.reshape(len(pilots) // together, -1)
    channel = grouped @ estimate.T
    at_pilots = channel.reshape(len(pilots), BLOCK)[:, which]
    power = np.mean(np.abs(grouped) ** 2, axis=1) + 1e-30
    likeness = np.mean(np.abs(at_pilots.reshape(grouped.shape)) ** 2, axis=1) / power / expected
    rest = np.mean(np.abs(pilots - at_pilots) ** 2, axis=1)
    noise = times * float(np.mean(rest if used is None else rest[used])) + 1e-30
    return channel.reshape(len(pilots), BLOCK), np.repeat(likeness, together), noise


@lru_cache(maxsize=16)
def _estimator(together, which, times):
    """Linear MMSE estimate of the channel in resource blocks of one precoding, (12 n, pilots), and the power that it
    leaves of noise at the pilots."""
    subcarriers = np.arange(BLOCK * together)
    known = np.add.outer(BLOCK * np.arange(together), np.array(which)).ravel()
    noise = np.eye(len(known)) / (DESIGN_SNR * times)
    estimate = delay_covariance(subcarriers, known) @ np.linalg.inv(delay_covariance(known, known) + noise)
    expected = float(np.sum(np.abs(estimate[known]) ** 2)) / len(known)
    return estimate.astype(np.complex64), expected
