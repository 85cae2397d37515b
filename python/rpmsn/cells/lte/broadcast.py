# SPDX-License-Identifier: GPL-3.0-or-later
"""PBCH: the master information block, summed over all frames there are (TS 36.211 6.6, TS 36.212 5.3.1).

A block is sent in four frames, four times in each, and the next one differs in the frame number alone. The code is
linear, so a block that is p periods later is the first one plus a known codeword, if one knows where the number
carries: few ways to carry are possible, all are summed, and the sums in which the copies agree best are decoded.

What makes a result certain. The CRC alone passes one block of noise in 65536. The copies of a block are independent,
so in noise the energy of their sum is the sum of their energies, within sqrt(2 / 120); AGREEMENT of 2.2 lies nine
standard deviations above. A cell that is there gives agreement too, and a block that is decoded wrongly may pass the
CRC; at an agreement of 2.2, 0.8 dB for each of the code's bits, few blocks in a hundred are decoded wrongly, so that
with ATTEMPTS sums the probability is 8 * 0.03 / 65536 = 4e-6, and falls with every tenth of a decibel. PSS and SSS were
certain before.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft

from ...standards import lte_broadcast
from ...standards.crc import CRC16
from ...standards.lte_broadcast import FRAMES, PORT_MASKS, MasterInformation
from ...standards.sequences import lte_crs, lte_crs_subcarriers
from .secondary import MARGIN, wiener, windows

AGREEMENT = 2.2
ATTEMPTS = 8
CODED_BITS = 120
PRESENT = 3.0
"""Standard errors by which reference signals are there: noise has them once in exp(9)."""
MIDDLE_72 = np.r_[-36:0, 1:37]
"""FFT bins of the middle six resource blocks."""

SLOT = 960


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What was decoded.

    Attributes:
        information: master information block, as of the first frame.
        ports: antenna ports of the cell.
        frames: how many frames decode on their own, with the frame number counting.
        agreement: energy of the sum of all copies over what unrelated values give.
        offset: frequency, Hz, from the reference signals.
    """

    information: MasterInformation
    ports: int
    frames: int
    agreement: float
    offset: float


def decode_broadcast(
    values: np.ndarray, starts: np.ndarray, offset: float, rate: float, cell_id: int, extended: bool, snr: float
) -> Broadcast | None:
    """Decode the master information block.

    Args:
        values: baseband.
        starts: places of the starts of successive radio frames; frames that are not whole are left out.
        offset: frequency, Hz, known to 1 kHz.
        rate: samples a second.
        cell_id: 0..503.
        extended: cyclic prefix.
        snr: power ratio, roughly.
    """
    inside = (starts >= MARGIN) & (starts + 2 * SLOT <= len(values))
    if not inside.any():
        return None
    numbers, starts = np.flatnonzero(inside), starts[inside]
    layout = _Layout(cell_id, extended, min(max(round(np.log2(max(snr, 1e-3))), -4), 4))
    offset += layout.offset_error(values, starts, offset, rate)
    received, channel = layout.receive(values, starts, offset, rate)
    tries = [_Try(layout, received, channel, ports, numbers) for ports in PORT_MASKS]
    ranked = sorted((sum_ for one in tries for sum_ in one.sums()), key=lambda sum_: -sum_[0])[:ATTEMPTS]
    ranked = [sum_ for sum_ in ranked if sum_[0] >= AGREEMENT]
    if not ranked:
        return None
    blocks = lte_broadcast.decode(np.array([vector for _, _, _, vector in ranked]))
    for (agreement, one, phase, _), block in zip(ranked, blocks):
        information = _checked(block, one.ports)
        if information is not None:
            first = information.later(phase)
            return Broadcast(first, one.ports, one.alone(first), float(agreement), offset)
    return None


def has_references(
    values: np.ndarray, starts: np.ndarray, offset: float, rate: float, cell_id: int, extended: bool, duplex: str | None
) -> bool:
    """Whether a cell's reference signals are in the middle six resource blocks: those of port 0 in the two slots of a
    subframe, multiplied with each other; in all subframes, or those that are never uplink (TS 36.211 table 4.2-2).

    Args:
        values, starts, offset, rate, cell_id, extended: as of `decode_broadcast`.
        duplex: of the cell.
    """
    layout = _Layout(cell_id, extended, 0)
    products = [np.zeros(0, np.complex64)]
    for subframe in range(10) if duplex == "FDD" else (0, 5):
        slots = 2 * subframe, 2 * subframe + 1
        inside = starts[(starts + SLOT * slots[0] >= MARGIN) & (starts + SLOT * (slots[1] + 1) <= len(values))]
        if not len(inside):
            continue
        for symbol in (0, layout.last):
            one, other = (layout.reference(values, inside, 0, slot, symbol, offset, rate)[1] for slot in slots)
            # A strong symbol says no more than a weak one.
            products.append((one * other.conj() / (np.abs(one * other).mean() + 1e-30)).ravel())
    return are_present(PRESENT, np.concatenate(products))


def are_present(errors: float, products: np.ndarray) -> bool:
    """Whether reference signals are there: their products with those of the slot before agree, by so many standard
    errors of their mean."""
    if not products.size:
        return False
    mean = products.mean()
    error = np.mean(np.abs(products - mean) ** 2) / products.size
    return bool(abs(mean) ** 2 >= errors**2 * error > 0)


def _checked(block, ports):
    """The information of 40 decoded bits, None where the CRC does not fit this number of ports."""
    mask = int("".join(map(str, CRC16.mask(block))), 2)
    return MasterInformation.from_bits(block[:24]) if mask == PORT_MASKS[ports] else None


class _Layout:
    """Places of PBCH and reference signals in subframe 0 of a cell, and the channel's estimator."""

    def __init__(self, cell_id, extended, snr_octave):
        self.cell_id, self.extended = cell_id, extended
        self.last = 3 if extended else 4
        self.noise = 2.0**-snr_octave / 2
        self.scrambling = 1 - 2 * lte_broadcast.scrambling(cell_id, extended).astype(np.float32)
        self.elements = lte_broadcast.elements(cell_id, extended)

    def _symbol(self, values, starts, slot, symbol, offset, rate):
        """The 72 subcarriers of a symbol of each frame, (n, 72)."""
        prefix, length = (32, 160) if self.extended else (10, 137)
        places = starts + SLOT * slot + prefix + length * symbol - MARGIN
        return scipy.fft.fft(windows(values, places, offset, rate), axis=1)[:, MIDDLE_72]

    def reference(self, values, starts, port, slot, symbol, offset, rate):
        """Subcarriers of a port's references in a symbol, and the channel there, (n, 12)."""
        as_normal = 4 if symbol == self.last else symbol
        subcarriers = lte_crs_subcarriers(self.cell_id, 6, port, slot, as_normal)
        sent = lte_crs(self.cell_id, 6, slot, symbol, self.extended)
        return subcarriers, self._symbol(values, starts, slot, symbol, offset, rate)[:, subcarriers] * sent.conj()

    def offset_error(self, values, starts, offset, rate):
        """Hz, from the phase between the references of the two slots."""
        total = 0j
        for symbol in (0, self.last):
            first, second = (self.reference(values, starts, 0, slot, symbol, offset, rate)[1] for slot in (0, 1))
            total += np.vdot(first, second)
        return float(np.angle(total)) * rate / (2 * np.pi * SLOT)

    def receive(self, values, starts, offset, rate):
        """Symbols of the PBCH (frames, n), and the channel there of four ports (4, frames, n); power 1 a frame."""
        slot = np.stack([self._symbol(values, starts, 1, symbol, offset, rate) for symbol in range(4)], axis=1)
        received = slot.reshape(len(starts), -1)[:, self.elements]
        scale = 1 / np.sqrt(np.maximum(np.mean(np.abs(received) ** 2, axis=1, keepdims=True), 1e-30))
        channel = np.stack([self._channel(values, starts, port, offset, rate) for port in range(4)])
        return received * scale, np.tile(channel, (1, 1, 4))[..., self.elements] * scale

    def _channel(self, values, starts, port, offset, rate):
        """A port's channel on the middle 72 subcarriers, (frames, 72), as its mean over the subframe."""
        pairs = [(slot, symbol) for slot in (0, 1) for symbol in ((0, self.last) if port < 2 else (1,))]
        parts = [self.reference(values, starts, port, slot, symbol, offset, rate) for slot, symbol in pairs]
        known = np.unique(np.concatenate([subcarriers for subcarriers, _ in parts]))
        mean, count = np.zeros((len(starts), len(known)), np.complex64), np.zeros(len(known), np.float32)
        for subcarriers, values_there in parts:
            at = np.searchsorted(known, subcarriers)
            mean[:, at] += values_there
            count[at] += 1
        return (mean / count) @ _estimator(tuple(known.tolist()), self.noise)


@lru_cache(maxsize=64)
def _estimator(known, noise):
    return wiener(MIDDLE_72[list(known)], MIDDLE_72, noise).T.copy()


class _Try:
    """The frames' soft values for one number of antenna ports."""

    def __init__(self, layout, received, channel, ports, numbers):
        self.ports, self.numbers = ports, numbers
        data = lte_broadcast.combined(received, channel, ports)
        soft = np.stack([data.real, data.imag], axis=-1).reshape(len(data), -1)
        self.energy = max(float(np.sum(soft.astype(float) ** 2)), 1e-30)
        # (phase of a frame in its period, frame, 120)
        self.coded = np.stack([(soft * layout.scrambling[k]) @ _places(k, layout.extended) for k in range(FRAMES)])

    def sums(self):
        """(agreement, self, phase of frame number 0 in its period, soft values (120,)) of every way to count."""
        for phase in range(FRAMES):
            counted = self.numbers + phase
            periods = counted // FRAMES
            by_period = np.zeros((periods[-1] + 1, CODED_BITS), np.float32)
            np.add.at(by_period, periods, self.coded[counted % FRAMES, np.arange(len(counted))])
            used = np.unique(periods)
            ways = _ways_to_count(int(periods[-1]) + 1)
            vectors = np.einsum("wpb,pb->wb", _advance_signs()[ways[:, used]], by_period[used], optimize=True)
            for vector in vectors:
                yield float(np.sum(vector.astype(float) ** 2)) / self.energy, self, phase, vector

    def alone(self, first):
        """How many frames decode on their own to what the first one's information says."""
        later = [first.later(int(number)) for number in self.numbers]
        phases = np.array([information.frame_number % FRAMES for information in later])
        blocks = lte_broadcast.decode(self.coded[phases, np.arange(len(phases))])
        fits = [_checked(block, self.ports) is not None for block in blocks]
        right = [np.array_equal(block[:24], information.bits()) for block, information in zip(blocks, later)]
        return int(np.sum(np.logical_and(fits, right)))


@lru_cache(maxsize=8)
def _places(phase, extended):
    """Sums the bits of a frame in the circular buffer, float32 (480 or 432, 120)."""
    return np.eye(CODED_BITS, dtype=np.float32)[lte_broadcast.positions(phase, extended)]


@lru_cache(maxsize=64)
def _ways_to_count(periods):
    """Bits of the frame number that differ from period 0's, for every way to carry: int (ways, periods)."""
    begin = np.arange(256)[:, None]
    return np.unique(begin ^ (begin + np.arange(periods)) % 256, axis=0)


@lru_cache(maxsize=1)
def _advance_signs():
    """Signs (256, 120) of the codeword of each difference of frame numbers (in steps of four)."""
    differences = np.zeros((256, 24), np.uint8)
    differences[:, 6:14] = np.arange(256)[:, None] >> np.arange(7, -1, -1) & 1
    return (1 - 2 * lte_broadcast.codeword(differences).astype(np.int8)).astype(np.float32)
