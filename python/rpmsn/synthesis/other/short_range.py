# SPDX-License-Identifier: GPL-3.0-or-later
"""Wi-Fi, Bluetooth and LoRa: packets in bands that need no licence."""

import numpy as np

from ...errors import require
from ...standards.qam import random_qam
from ..checking import require_number, require_whole
from .baseband import Baseband, cells, grid, n_cells, unit_phasor
from .fsk import gaussian_fsk
from .ofdm import modulate

WIFI_SPACING = 312.5e3
WIFI_SIFS, WIFI_ACK, WIFI_DIFS = 4, 7, 9
"""Pause before an answer, answer, and pause before the next packet, in symbols of 4 us (IEEE 802.11, OFDM)."""
WIFI_SHORT_TRAINING = {-24: 1, -20: -1, -16: 1, -12: -1, -8: -1, -4: 1, 4: -1, 8: -1, 12: 1, 16: 1, 20: 1, 24: 1}
"""Subcarrier -> sign of (1 + j) in the short training field, IEEE 802.11 17.3.3."""
WIFI_LONG_TRAINING = ("++--++-+-++++++--++-+-++++", "+--++-+-+-----++--+-+-++++")
"""Signs on subcarriers -26..-1 and 1..26 in the long training field, IEEE 802.11 17.3.3."""

BLUETOOTH_SLOT_S = 625e-6
BLUETOOTH_BURSTS = {1: 366e-6, 3: 1622e-6, 5: 2870e-6}
"""Slots that a packet takes -> longest time on the air."""
BLUETOOTH_RATE = 4e6
PLAN_SLOTS = 1600
"""A piconet's packets are drawn for a second at a time, so that every chunk finds the same ones."""
HOP_MARGIN_S = 6e-5
"""A hop begins this long before its burst and ends as long after it, so that the burst's skirts belong to it."""

LORA_PREAMBLE = 8
LORA_SYNC = (24, 32)
"""Shifts of the two symbols behind the preamble, in steps of 128 (those of the public network 0x34)."""
LORA_DOWN = 2.25


def wifi(
    duration_s: float, rng: np.random.Generator, start_s: float = 0.0, bandwidth_hz: float = 20e6, busy: float = 0.4
) -> Baseband:
    """Packets of IEEE 802.11 OFDM (312.5 kHz spacing, 4 us symbols) with preamble, and the answers to most of them.

    Args:
        bandwidth_hz: 20e6 (52 subcarriers) or 40e6 (114, the preamble and the answers in both halves).
        busy: fraction of time on the air, 0.01 to 0.95; the pauses of the standard leave about 0.9.
    """
    require("Wi-Fi", "bandwidth_hz", bandwidth_hz, bandwidth_hz in (20e6, 40e6), "20e6 or 40e6")
    require_number("Wi-Fi", "busy", busy, 0.01, 0.95)
    is_wide = bandwidth_hz == 40e6
    used = np.r_[-58:-1, 2:59] if is_wide else np.r_[-26:0, 1:27]
    n_fft = int(bandwidth_hz / WIFI_SPACING)
    samples, rate = grid(duration_s, bandwidth_hz)
    n_symbols = -(-samples // (n_fft + n_fft // 4))
    starts, lengths = _wifi_packets(n_symbols, busy, rng)
    sent = np.zeros(n_symbols, bool)
    for start, length in zip(starts, lengths):
        sent[start : start + length] = True
    symbols = np.zeros((n_symbols, used.size), np.complex64)
    symbols[sent] = random_qam(rng, (np.count_nonzero(sent), used.size), 4)
    for place, field in enumerate(_wifi_preamble(used, is_wide, n_fft)):
        symbols[starts[starts + place < n_symbols] + place] = field
    signal = np.zeros((n_symbols, n_fft + n_fft // 4), np.complex64)
    signal[sent] = modulate(symbols[sent], used, n_fft, n_fft // 4).reshape(-1, n_fft + n_fft // 4)
    half = (used.max() + 0.5) * WIFI_SPACING
    on_air = cells(np.repeat(sent, n_fft + n_fft // 4)[:samples], duration_s)
    return Baseband(signal.reshape(-1)[:samples], rate, -half, half, on_air)


def _wifi_packets(n_symbols, busy, rng):
    """(first symbols, lengths) of packets and answers; pauses are random beyond those that the standard requires."""
    data = rng.choice([10, 16, 40, 120, 400], n_symbols // 16 + 2, p=[0.25, 0.25, 0.2, 0.2, 0.1])
    is_answered = rng.random(data.size) < 0.85
    # Mean of the lengths above, and what one exchange takes besides.
    on_air, fixed = 98.5 + 0.85 * WIFI_ACK, 0.85 * WIFI_SIFS + WIFI_DIFS
    extra = rng.exponential(max(on_air * (1 - busy) / busy - fixed, 0.1), data.size).astype(np.int64)
    starts, lengths = [], []
    position = int(extra[0])
    for length, answered, pause in zip(data, is_answered, extra):
        if position >= n_symbols:
            break
        starts.append(position)
        lengths.append(length)
        position += length
        if answered:
            starts.append(position + WIFI_SIFS)
            lengths.append(WIFI_ACK)
            position += WIFI_SIFS + WIFI_ACK
        position += WIFI_DIFS + pause
    return np.array(starts, np.int64), np.array(lengths, np.int64)


def _wifi_preamble(used, is_wide, n_fft):
    """Short training (two symbols) and long training (two), complex64 (4, len(used))."""
    centres = {-32: 1, 32: 1j} if is_wide else {0: 1}
    fields = np.zeros((4, used.size), np.complex64)
    column = {subcarrier: index for index, subcarrier in enumerate(used)}
    gain = np.sqrt(used.size / (52 * len(centres)))
    long_training = dict(zip([*range(-26, 0), *range(1, 27)], "".join(WIFI_LONG_TRAINING)))
    for centre, turn in centres.items():
        for subcarrier, sign in WIFI_SHORT_TRAINING.items():
            fields[:2, column[centre + subcarrier]] = gain * turn * np.sqrt(13 / 6) * sign * (1 + 1j)
        for subcarrier, sign in long_training.items():
            fields[2:, column[centre + subcarrier]] = gain * turn * (1 if sign == "+" else -1)
    # The long field begins with a prefix of half a symbol: its first 4 us start a quarter symbol early.
    fields[2] *= np.exp(-0.5j * np.pi * used)
    return fields


def bluetooth(
    duration_s: float,
    rng: np.random.Generator,
    start_s: float = 0.0,
    n_channels: int = 40,
    load: float = 0.6,
    address: int = 0,
) -> Baseband:
    """Bluetooth piconet: GFSK of 1 Mbit/s (BT 0.5, index 0.32) that hops in slots of 625 us.

    Args:
        n_channels: channels of 1 MHz side by side that it hops over; 79 without other users, 20 at least.
        load: fraction of slots in packets, 0.05..1; packets take 1, 3 or 5 slots.
        address: of the piconet, a whole number that decides when it sends where.
    """
    require_whole("Bluetooth", "n_channels", n_channels, 1, 79)
    require_number("Bluetooth", "load", load, 0.05, 1)
    require_whole("Bluetooth", "address", address, 0, (1 << 32) - 1)
    samples, rate = grid(duration_s, BLUETOOTH_RATE)
    bits = 2.0 * rng.integers(0, 2, int(np.ceil(duration_s * 1e6)) + 1) - 1
    carrier = gaussian_fsk(bits, np.arange(samples) * (1e6 / rate), 0.5, 0.32)
    signal = np.zeros(samples, np.complex64)
    hops, on_air = [], np.zeros((n_cells(duration_s), n_channels), np.float32)
    edges_s = start_s + np.linspace(0, duration_s, len(on_air) + 1)
    for first_s, last_s, channel in _bluetooth_bursts(start_s, start_s + duration_s, n_channels, load, address):
        sent = slice(max(round((first_s - start_s) * rate), 0), round((last_s - start_s) * rate))
        signal[sent] = carrier[sent]
        hop = max(sent.start - round(HOP_MARGIN_S * rate), 0), min(sent.stop + round(HOP_MARGIN_S * rate), samples)
        hops.append((*hop, (channel - (n_channels - 1) / 2) * 1e6))
        fractions = (np.minimum(edges_s[1:], last_s) - np.maximum(edges_s[:-1], first_s)) / np.diff(edges_s)
        on_air[:, channel] += np.maximum(fractions, 0).astype(np.float32)
    return Baseband(signal, rate, -n_channels / 2 * 1e6, n_channels / 2 * 1e6, on_air, hops=hops)


def _bluetooth_bursts(start_s, end_s, n_channels, load, address):
    """(first_s, last_s, channel) of all bursts that touch a chunk."""
    bursts = []
    plan_s = PLAN_SLOTS * BLUETOOTH_SLOT_S
    for plan in range(int(start_s // plan_s), int(end_s // plan_s) + 1):
        draw = np.random.default_rng([address, plan])
        slots = draw.choice([1, 3, 5], PLAN_SLOTS, p=[0.6, 0.2, 0.2])
        # A packet has 2.2 slots on average.
        pauses = np.minimum(draw.exponential(2.2 * (1 - load) / load, PLAN_SLOTS).round(), 200)
        channels = draw.integers(0, n_channels, PLAN_SLOTS)
        begins = np.concatenate([[0], np.cumsum(slots + pauses)[:-1]])
        for begin, length, channel in zip(begins, slots, channels):
            first_s = plan * plan_s + begin * BLUETOOTH_SLOT_S
            if begin + length > PLAN_SLOTS or first_s >= end_s:
                break
            if first_s + BLUETOOTH_BURSTS[length] > start_s:
                bursts.append((first_s, first_s + BLUETOOTH_BURSTS[length], int(channel)))
    return bursts


def lora(
    duration_s: float,
    rng: np.random.Generator,
    start_s: float = 0.0,
    bandwidth_hz: float = 125e3,
    spreading_factor: int = 9,
    n_symbols: int = 30,
    pause_s: float = 0.05,
    delay_s: float = 0.0,
    address: int = 0,
) -> Baseband:
    """LoRa packets: chirps that sweep the band, data as their cyclic shift, packets at a steady pace.

    A packet is a preamble of eight rising chirps, two of sync word, 2.25 falling ones, and the data.

    Args:
        bandwidth_hz: 125e3, 250e3 or 500e3.
        spreading_factor: 7..12; a symbol lasts 2**spreading_factor / bandwidth_hz.
        n_symbols: data symbols of a packet.
        pause_s: from the end of a packet to the next one.
        delay_s: time at which a packet begins.
        address: of the sender, a whole number that decides on the data.
    """
    require("LoRa", "bandwidth_hz", bandwidth_hz, bandwidth_hz in (125e3, 250e3, 500e3), "125e3, 250e3 or 500e3")
    require_whole("LoRa", "spreading_factor", spreading_factor, 7, 12)
    require_whole("LoRa", "n_symbols", n_symbols, 1, 1000)
    require_number("LoRa", "pause_s", pause_s, 0, 1e4, "s")
    require_number("LoRa", "delay_s", delay_s, -1e4, 1e4, "s")
    require_whole("LoRa", "address", address, 0, (1 << 32) - 1)
    samples, rate = grid(duration_s, 2.5 * bandwidth_hz)
    symbol_s = 2**spreading_factor / bandwidth_hz
    before_data = LORA_PREAMBLE + len(LORA_SYNC) + LORA_DOWN
    packet_s = (before_data + n_symbols) * symbol_s
    packet, since = np.divmod(start_s - delay_s + np.arange(samples) / rate, packet_s + pause_s)
    sent = since < packet_s
    signal = np.zeros(samples, np.complex64)
    for number in np.unique(packet[sent]).astype(int):
        mine = sent & (packet == number)
        data = np.random.default_rng([address, number % (1 << 32)]).integers(0, 2**spreading_factor, n_symbols)
        signal[mine] = _lora_chirps(since[mine] / symbol_s, data, spreading_factor)
    return Baseband(signal, rate, -bandwidth_hz / 2, bandwidth_hz / 2, cells(sent, duration_s))


def _lora_chirps(times, data, spreading_factor):
    """Samples of one packet at times in symbols since its beginning."""
    n = 2**spreading_factor
    head = np.concatenate([np.zeros(LORA_PREAMBLE), np.array(LORA_SYNC) * n / 128, np.zeros(3)])
    data_from = LORA_PREAMBLE + len(LORA_SYNC) + LORA_DOWN
    is_data = times >= data_from
    symbol = np.where(is_data, times - data_from, times)
    whole = np.floor(symbol).astype(int)
    shift = np.where(is_data, data[np.minimum(whole, data.size - 1)], head[np.minimum(whole, head.size - 1)]) / n
    position = np.mod(shift + symbol - whole, 1)
    # Cycles of a chirp from -1/2 to 1/2 of the band; it comes back to where it began at the end of the band.
    cycles = n / 2 * (position**2 - position - shift**2 + shift)
    falling = ~is_data & (times >= LORA_PREAMBLE + len(LORA_SYNC))
    return unit_phasor(2 * np.pi * np.where(falling, -cycles, cycles))
