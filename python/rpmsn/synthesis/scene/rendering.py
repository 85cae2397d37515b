# SPDX-License-Identifier: GPL-3.0-or-later
"""Scene -> samples, and the truth about every emission in them.

Every emission draws from a generator of its own, so one more emission leaves the others as they were.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from .. import ofdm
from .. import other as others
from ..channel import fading
from ..labels.truth import Truth
from ..receiver.receiver import mean_power
from .scene import BLOCK_S, CARRIERS, RECORDED, Scene, generator

LOWEST_FLOOR = 1e-30
"""Noise power that stands for none, so that ratios to it are finite."""


def render(scene: Scene) -> tuple[np.ndarray, list[Truth]]:
    """Samples and truths of a scene.

    Long scenes are best taken from `render_blocks`, which gives the same samples.

    Returns:
        (samples, truths): complex64, shape (sample_rate * duration_s,), 1.0 the converter's full scale; list of
        `Truth`, one for every emission in the span and every block of `BLOCK_S`.
    """
    blocks = list(render_blocks(scene))
    truths = [truth for _, block_truths in blocks for truth in block_truths]
    return blocks[0][0] if len(blocks) == 1 else np.concatenate([samples for samples, _ in blocks]), truths


def render_blocks(scene: Scene) -> Iterator[tuple[np.ndarray, list[Truth]]]:
    """Render a scene of any length without holding it: yields (samples, truths) of `BLOCK_S` at a time.

    Cells keep their frames and fading from block to block; traffic is drawn for each. Impairments of the receiver that
    have a place in time (steps of gain, lost samples, the drift of its clock) come in every block.
    """
    receiver = scene.reception.receiver
    noise_power = reference_power = None
    total_ms, block_ms = round(scene.duration_s * 1e3), round(BLOCK_S * 1e3)
    for start_ms in range(0, total_ms, block_ms):
        chunk = _Chunk(scene.sample_rate, start_ms, min(block_ms, total_ms - start_ms))
        # BLAS rounds by how it shares a product among its threads: with one, a seed gives the same samples anywhere.
        with threadpool_limits(1, user_api="blas"):
            samples, truths = _on_the_air(scene, chunk)
        if noise_power is None:
            noise_power = _noise_power(scene.reception.noise, samples)
        _add_noise(samples, scene, chunk, noise_power)
        if reference_power is None:
            reference_power = mean_power(samples)
        _set_floor(truths, noise_power + receiver.quantisation_noise(reference_power))
        rng = generator(scene.seed, "receiver", start_ms)
        with threadpool_limits(1, user_api="blas"):
            samples = receiver.apply(samples, scene.sample_rate, rng, reference_power)
        yield samples, [_as_received(truth, receiver) for truth in truths]


@dataclass
class _Chunk:
    """A block of a scene: sample rate (Hz), beginning and length (whole ms)."""

    sample_rate: float
    start_ms: int
    n_ms: int

    @property
    def start_s(self) -> float:
        return self.start_ms * 1e-3

    @property
    def duration_s(self) -> float:
        return self.n_ms * 1e-3

    @property
    def n_samples(self) -> int:
        return round(self.sample_rate * self.n_ms / 1000)


def _on_the_air(scene, chunk):
    """Signal at the antenna without noise, and the truths (SNR over noise of power 1)."""
    samples = np.zeros(chunk.n_samples, np.complex64)
    truths = []
    for emission, path in zip(scene.emissions, scene.reception.paths):
        add = _add_carrier if emission.kind in CARRIERS else _add_baseband
        truth = add(samples, emission, path, chunk)
        if truth.freq_lower < truth.freq_upper:
            truths.append(truth)
    return samples, truths


def _noise_power(noise, signal):
    """Noise over the whole span: 0 without, 1, or what a ratio to the signal's mean power makes it."""
    if noise is None:
        return 0.0
    signal_power = mean_power(signal) if noise.snr_db is not None else 0.0
    return signal_power / 10 ** (noise.snr_db / 10) if signal_power else 1.0


def _add_noise(samples, scene, chunk, power):
    if power:
        noise = scene.reception.noise.samples(samples.size, generator(scene.seed, "noise", chunk.start_ms))
        if power != 1:
            noise *= np.float32(np.sqrt(power))
        samples += noise


def _set_floor(truths, floor):
    """Make the truths' SNR that over the floor, which is 0 where nothing is on the air and nothing adds noise."""
    for truth in truths:
        truth.snr_db -= float(10 * np.log10(max(floor, LOWEST_FLOOR)))


def _as_received(truth, receiver):
    """The truth of what is left of a transmission after samples were lost."""
    if not receiver.lost_s:
        return truth
    n_cells = len(truth.level)
    duration_s = truth.end_s - truth.start_s
    return truth.at_times(receiver.time_map((np.arange(n_cells) + 0.5) / n_cells, duration_s))


def _add_carrier(samples, emission, path, chunk):
    """Add a cell's carrier to the samples; returns its truth."""
    # A millisecond more, because the scene may begin within one.
    cell = emission.cell(chunk.start_ms)
    grid = cell.grid(chunk.n_ms + 1, generator(emission.seed, "contents", chunk.start_ms))
    if path.channel:
        times = chunk.start_s - emission.early_s + fading.symbol_times(grid)
        grid = fading.on_grid(grid, **path.channel, rng=generator(emission.seed, "channel"), times=times)
    center = round(emission.offset_hz / grid.subcarrier_spacing) * grid.subcarrier_spacing
    skipped = round(emission.early_s * chunk.sample_rate)
    amplitude = np.float32(_amplitude(path.power_db, grid.occupied_bandwidth, chunk.sample_rate))
    wave = ofdm.modulate(grid, chunk.sample_rate, center, gains=amplitude, ramp=emission.ramp)
    samples += wave[skipped : skipped + chunk.n_samples]
    first = round(emission.early_s * 1e3 * grid.symbols_per_ms)
    symbols = slice(first, first + chunk.n_ms * grid.symbols_per_ms)
    level = _block_power(grid.symbols)[grid.rows_in_time[symbols]]
    fills_band = emission.kind in ("lte", "dss")
    is_active = np.broadcast_to(np.repeat(grid.active, 14)[symbols][:, None], level.shape)
    half = grid.occupied_bandwidth / 2
    truth = _truth(
        grid.technology,
        path,
        chunk,
        (center - half, center + half),
        grid.bandwidth,
        level,
        is_active if fills_band else level > 0,
    )
    truth.center_hz, truth.fills_band, truth.gap_s = center, fills_band, _longest_gap(grid)
    if grid.shared is not None:
        truth.shared = truth.level * grid.shared[symbols]
    return truth


def _add_baseband(samples, emission, path, chunk):
    """Add a transmission that is no carrier to the samples; returns its truth."""
    rng = generator(emission.seed, "contents", chunk.start_ms)
    signal = emission.baseband(chunk.duration_s, rng, chunk.start_s)
    if path.channel:
        faded = fading.in_time(
            signal.samples,
            signal.sample_rate,
            **path.channel,
            rng=generator(emission.seed, "channel"),
            start_s=chunk.start_s,
        )
        signal = signal.with_samples(faded)
    amplitude = _amplitude(path.power_db, signal.occupied_bandwidth, chunk.sample_rate)
    others.place(signal, chunk.n_samples, chunk.sample_rate, emission.offset_hz, out=samples, amplitude=amplitude)
    level = signal.level * _channel_power(path.channel, emission.seed, chunk, signal)
    edges = (emission.offset_hz + signal.lower, emission.offset_hz + signal.upper)
    truth = _truth(signal.label, path, chunk, edges, signal.upper - signal.lower, level, signal.on_air > 0.5)
    truth.fills_band = emission.kind == RECORDED and signal.label == "LTE"
    return truth


def _channel_power(channel, seed, chunk, signal):
    """Power that a fading channel passes of a signal in each of its time cells; float32 (cells, 1)."""
    n_cells = len(signal.level)
    if not channel:
        return np.ones((n_cells, 1), np.float32)
    times = chunk.start_s + chunk.duration_s * (np.arange(n_cells) + 0.5) / n_cells
    power = fading.band_power(times, signal.occupied_bandwidth, **channel, rng=generator(seed, "channel"))
    return power[:, None]


def _truth(label, path, chunk, edges, bandwidth, level, on_air):
    mean = max(float(level.mean(where=on_air)) if on_air.any() else float(level.max()), 1e-12)
    half = chunk.sample_rate / 2
    return Truth(
        label=label,
        center_hz=sum(edges) / 2,
        bandwidth_hz=bandwidth,
        occupied_lower=float(edges[0]),
        occupied_upper=float(edges[1]),
        freq_lower=float(np.clip(edges[0], -half, half)),
        freq_upper=float(np.clip(edges[1], -half, half)),
        start_s=chunk.start_s,
        end_s=chunk.start_s + chunk.duration_s,
        snr_db=path.power_db + 10 * float(np.log10(mean)),
        level=level / np.float32(mean),
    )


def _amplitude(power_db, occupied_hz, sample_rate):
    """Amplitude that a signal of unit power needs over noise of power 1 in the whole span."""
    return np.sqrt(10 ** (power_db / 10) * occupied_hz / sample_rate)


def _block_power(symbols):
    """Mean power of every symbol and resource block, float32 (n_symbols, n_rb)."""
    parts = np.ascontiguousarray(symbols).view(np.float32).reshape(len(symbols), -1, 24)
    return np.einsum("srk,srk->sr", parts, parts) / np.float32(12)


def _longest_gap(grid):
    """Seconds of the longest run of silent slots, with a slot more for the special one; 0 for FDD."""
    runs = np.diff(np.flatnonzero(np.concatenate([[True], grid.active, [True]]))) - 1
    longest = int(runs.max())
    return (longest + 1) * grid.slot_duration_s if longest else 0.0
