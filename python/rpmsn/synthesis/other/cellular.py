# SPDX-License-Identifier: GPL-3.0-or-later
"""Cellular signals of the second and third generation."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import scipy.fft
from scipy.linalg import hadamard

from ...errors import require
from ...standards.qam import random_qam
from ..checking import require_number, require_whole
from .baseband import Baseband, always, cells, grid, n_cells
from .continuous import root_raised_cosine
from .fsk import gaussian_fsk

GSM_SYMBOL_RATE = 13e6 / 48
GSM_SLOT_SYMBOLS, GSM_BURST_SYMBOLS, GSM_SLOTS = 156.25, 148, 8
GSM_RASTER_HZ = 200e3
GSM_WIDEST_ALLOCATION = 64
"""Channels that a carrier may hop over: TS 44.018 10.5.2.21."""

CHIP_RATE = 3.84e6
SLOT_CHIPS = 2560
FRAME_CHIPS = 38400
SYNC_CHIPS = 256
GOLD_LENGTH = 2**18 - 1
ROLLOFF = 0.22

CPICH_DB, SCH_DB, BROADCAST_DB, PAGING_DB = -10.0, -10.0, -10.0, -18.0
"""Power of the common channels over the most that the cell sends, as in test model 1 of TS 25.141 6.1.1.1."""


def gsm(
    duration_s: float, rng: np.random.Generator, start_s: float = 0.0, slots_on: Sequence[bool] = (True,) * 8
) -> Baseband:
    """GSM carrier: GMSK (BT 0.3, 270.833 ksymbol/s) in bursts of eight time slots (TS 45.004, TS 45.002).

    Args:
        slots_on: which of the eight slots of a 4.615 ms frame are sent; a broadcast carrier sends all.
    """
    is_allowed = isinstance(slots_on, (list, tuple)) and len(slots_on) == 8 and any(slots_on)
    require("GSM", "slots_on", slots_on, is_allowed, "eight times True or False, not all off")
    signal, rate, number, is_burst = _gmsk(duration_s, rng, start_s)
    sent = np.asarray(slots_on, bool)[number % GSM_SLOTS] & is_burst
    return Baseband(signal * sent, rate, -100e3, 100e3, cells(sent, duration_s))


def gsm_hopping(
    duration_s: float,
    rng: np.random.Generator,
    start_s: float = 0.0,
    n_channels: int = 8,
    channel_step: int = 2,
    slots_on: Sequence[bool] = (True,) * 8,
    address: int = 0,
) -> Baseband:
    """GSM traffic carrier that hops from frame to frame over a set of channels (TS 45.002 6.2).

    Args:
        n_channels: channels of the mobile allocation, 2..64.
        channel_step: channels of the raster of 200 kHz from one of them to the next, 1..10.
        slots_on: which of the eight slots of a frame are sent.
        address: number that decides which frame is sent where, as HSN and frame number do; the hopping sequence's
            table is not followed.
    """
    is_allowed = isinstance(slots_on, (list, tuple)) and len(slots_on) == GSM_SLOTS and any(slots_on)
    require("GSM", "slots_on", slots_on, is_allowed, "eight times True or False, not all off")
    require_whole("GSM", "n_channels", n_channels, 2, GSM_WIDEST_ALLOCATION)
    require_whole("GSM", "channel_step", channel_step, 1, 10)
    require_whole("GSM", "address", address, 0, (1 << 32) - 1)
    signal, rate, number, is_burst = _gmsk(duration_s, rng, start_s)
    sent = np.asarray(slots_on, bool)[number % GSM_SLOTS] & is_burst
    frames = number // GSM_SLOTS
    first_frame = int(frames[0])
    step = channel_step * GSM_RASTER_HZ
    middle = (n_channels - 1) / 2
    on_air = np.zeros((n_cells(duration_s), (n_channels - 1) * channel_step + 1), np.float32)
    hops = []
    for frame in range(first_frame, int(frames[-1]) + 1):
        first, last = np.searchsorted(frames, [frame, frame + 1])
        channel = int(np.random.default_rng([address, frame]).integers(n_channels))
        hops.append((int(first), int(last), (channel - middle) * step))
        mine = np.zeros(sent.size, bool)
        mine[first:last] = sent[first:last]
        on_air[:, channel * channel_step] += cells(mine, duration_s)[:, 0]
    half = middle * step + GSM_RASTER_HZ / 2
    return Baseband(signal * sent, rate, -half, half, on_air, hops=hops)


def _gmsk(duration_s, rng, start_s):
    """(GMSK samples, rate, number of every sample's slot, whether it lies in the slot's burst)."""
    samples, rate = grid(duration_s, 4 * GSM_SYMBOL_RATE)
    times = np.arange(samples) * (GSM_SYMBOL_RATE / rate)
    bits = 2.0 * rng.integers(0, 2, int(times[-1]) + 2) - 1
    signal = gaussian_fsk(bits, times, 0.3, 0.5)
    slots = (times + start_s * GSM_SYMBOL_RATE) / GSM_SLOT_SYMBOLS
    number = np.floor(slots).astype(int)
    return signal, rate, number, slots - number < GSM_BURST_SYMBOLS / GSM_SLOT_SYMBOLS


def wcdma(
    duration_s: float, rng: np.random.Generator, start_s: float = 0.0, scrambling_code: int = 0, load: float = 0.5
) -> Baseband:
    """WCDMA downlink carrier of 3.84 Mchip/s (TS 25.211, TS 25.213).

    Pilot, primary and secondary synchronisation in the first 256 chips of every slot, broadcast channel in the rest
    of it, paging, and voice and packet channels with real channelisation and scrambling codes. Which secondary
    codes follow each other is drawn by the cell, not taken from the table of code groups.

    Args:
        scrambling_code: number of the primary scrambling code, 0..511.
        load: 0 (common channels only) to 1: how much of the cell's power traffic takes.
    """
    require_whole("WCDMA", "scrambling_code", scrambling_code, 0, 511)
    require_number("WCDMA", "load", load, 0, 1)
    samples, rate = grid(duration_s, 2 * CHIP_RATE)
    n_chips = samples // 2
    first = round(start_s * CHIP_RATE)
    index = np.arange(first, first + n_chips)
    cell_generator = np.random.default_rng(scrambling_code)
    secondary = cell_generator.integers(0, 16, 15)
    first_symbol, skipped = divmod(first, SYNC_CHIPS)
    n_symbols = -(-(skipped + n_chips) // SYNC_CHIPS)
    chips = _traffic(n_symbols, load, cell_generator, rng)
    chips += _common(first_symbol, n_symbols, rng)
    chips = chips.reshape(-1)[skipped : skipped + n_chips]
    chips *= scrambling(scrambling_code)[index % FRAME_CHIPS]
    chips += _synchronisation(secondary)[index % FRAME_CHIPS]
    chips *= np.float32(1 / np.sqrt(_mean_power(load)))
    return Baseband(_shaped(chips), rate, -CHIP_RATE / 2, CHIP_RATE / 2, always(duration_s))


def _amplitude(power_db):
    return np.float32(10 ** (power_db / 20))


def _mean_power(load):
    """Mean power of the cell, 1 at full load."""
    pilot, sync, broadcast, paging = (10 ** (power_db / 10) for power_db in (CPICH_DB, SCH_DB, BROADCAST_DB, PAGING_DB))
    sync_share = SYNC_CHIPS / SLOT_CHIPS
    return pilot + paging + (1 - sync_share) * broadcast + sync_share * sync + _traffic_power(load)


def _traffic_power(load):
    return load * (1 - sum(10 ** (power_db / 10) for power_db in (CPICH_DB, BROADCAST_DB, PAGING_DB)))


def _common(first_symbol, n_symbols, rng):
    """Pilot (code 0), broadcast (code 1) and paging (code 2 of 256), not scrambled, complex64 (n_symbols, 256)."""
    symbols = np.empty((n_symbols, 3), np.complex64)
    symbols[:, 0] = _amplitude(CPICH_DB) * (1 + 1j) / np.sqrt(2)
    symbols[:, 1] = _amplitude(BROADCAST_DB) * random_qam(rng, n_symbols)
    symbols[:, 2] = _amplitude(PAGING_DB) * random_qam(rng, n_symbols)
    # Broadcast leaves the first symbol of a slot to synchronisation.
    symbols[(first_symbol + np.arange(n_symbols)) % (SLOT_CHIPS // SYNC_CHIPS) == 0, 1] = 0
    return symbols @ ovsf(256)[:3].astype(np.complex64)


def _traffic(n_symbols, load, cell_generator, rng):
    """Voice channels of spreading factor 128 and packet channels of 16, complex64 (n_symbols, 256)."""
    packet_fraction = cell_generator.uniform(0, 0.8)
    # Packets have codes from 15 of 16 down; codes 4..59 of 128 have no branch of the tree in common with those or the
    # common channels.
    voices = np.sort(cell_generator.permutation(np.arange(4, 60))[: 1 + round(40 * load)])
    packets = np.arange(15, 15 - cell_generator.integers(1, 8), -1)
    chips = np.zeros((n_symbols, 256), np.complex64)
    for codes, factor, bits, part in ((voices, 128, 2, 1 - packet_fraction), (packets, 16, 4, packet_fraction)):
        powers = 10 ** (cell_generator.uniform(-6, 0, codes.size) / 10)
        powers *= part * _traffic_power(load) / powers.sum()
        symbols = random_qam(rng, (n_symbols * 256 // factor, codes.size), bits) * np.sqrt(powers).astype(np.float32)
        chips += (symbols @ ovsf(factor)[codes].astype(np.complex64)).reshape(chips.shape)
    return chips


def _shaped(chips):
    """Two samples a chip through a root-raised-cosine filter (TS 25.104 6.8.1), the chunk being periodic."""
    spectrum = scipy.fft.fft(chips)
    n = 2 * chips.size
    shape = root_raised_cosine(scipy.fft.fftfreq(n) * 2, ROLLOFF)
    return scipy.fft.ifft(np.concatenate([spectrum, spectrum]) * (2 * shape), overwrite_x=True)


def _synchronisation(secondary):
    """Both synchronisation channels of a frame, complex64 (38400,): TS 25.213 5.2.3; `secondary`: 15 codes, 0..15."""
    frame = np.zeros((15, SLOT_CHIPS), np.complex64)
    codes = np.stack([synchronisation_code() + synchronisation_code(int(number)) for number in secondary])
    frame[:, :SYNC_CHIPS] = codes * (_amplitude(SCH_DB) / 2)
    return frame.reshape(-1)


@lru_cache(maxsize=32)
def synchronisation_code(secondary: int | None = None) -> np.ndarray:
    """Primary or a secondary (0..15) synchronisation code, complex64 (256,), values +-1 +-j: TS 25.213 5.2.3.1."""
    a = np.array([1, 1, 1, 1, 1, 1, -1, -1, 1, -1, 1, -1, 1, -1, -1, 1])
    if secondary is None:
        code = np.kron([1, 1, 1, -1, -1, 1, -1, -1, 1, 1, 1, -1, 1, -1, 1, 1], a)
    else:
        b = np.concatenate([a[:8], -a[8:]])
        code = np.kron([1, 1, 1, -1, 1, 1, -1, -1, 1, -1, 1, -1, -1, -1, -1, -1], b) * hadamard(256)[16 * secondary]
    return (code * (1 + 1j)).astype(np.complex64)


@lru_cache(maxsize=8)
def ovsf(factor: int) -> np.ndarray:
    """Channelisation codes of a spreading factor, float32 (factor, factor), row k is code k: TS 25.213 4.3.1.1."""
    codes = np.ones((1, 1), np.float32)
    while len(codes) < factor:
        codes = np.stack([np.hstack([codes, codes]), np.hstack([codes, -codes])], 1).reshape(2 * len(codes), -1)
    return codes


@lru_cache(maxsize=16)
def scrambling(number: int) -> np.ndarray:
    """Primary scrambling code of a downlink, complex64 (38400,), of power 1: TS 25.213 5.2.2."""
    x, y = _m_sequences()
    index = np.arange(FRAME_CHIPS)
    first, second = (
        (x[(i + 16 * number) % GOLD_LENGTH] ^ y[i]).astype(np.float32) for i in (index, (index + 131072) % GOLD_LENGTH)
    )
    return ((1 - 2 * first + 1j * (1 - 2 * second)) * np.sqrt(0.5)).astype(np.complex64)


@lru_cache(maxsize=1)
def _m_sequences():
    """Both sequences of degree 18 that the scrambling codes are sums of, uint8 (2**18 - 1,): TS 25.213 5.2.2."""
    x, y = np.zeros((2, GOLD_LENGTH), np.uint8)
    x[0] = 1
    y[:18] = 1
    for sequence, taps in ((x, (0, 7)), (y, (0, 5, 7, 10))):
        # x(i + 18 k) is the sum of x(i + tap k) for every power of two k, so the part that is known doubles.
        known, k = 18, 1
        while known < GOLD_LENGTH:
            while known >= 36 * k:
                k *= 2
            count = min((18 - taps[-1]) * k, GOLD_LENGTH - known)
            parts = [sequence[known + (tap - 18) * k :][:count] for tap in taps]
            sequence[known : known + count] = np.bitwise_xor.reduce(parts)
            known += count
    return x, y
