# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes: what is on the air, how it is heard, and the truth about it.

A `Scene` is a list of emissions and a receiver, plain numbers that go to YAML and back. `render` makes samples of it.
Every emission draws from a generator of its own, so one more emission leaves the others as they were.
`presets` draws scenes at random.
"""
from dataclasses import asdict, dataclass, field, fields, replace

import numpy as np

from ..errors import ParameterError
from . import fading, lte, nr, ofdm, others
from .lte import LteDownlink
from .nr import NrDownlink
from .receiver import Receiver, mean_power

BLOCK_S = 0.04
"""Scenes longer than this are rendered in blocks of it."""

CARRIERS = {"lte": LteDownlink, "nr": NrDownlink}
KINDS = (*CARRIERS, *others.KINDS)


@dataclass
class Emission:
    """One transmitter.

    Args:
        kind: `lte`, `nr` or a key of `others.KINDS`.
        offset_hz: its centre relative to the receiver's; a carrier's is rounded to a whole subcarrier.
        power_db: power per hertz of its occupied band, at full load, over that of the noise, dB.
        parameters: arguments of `LteDownlink`, `NrDownlink` or the function in `others`.
        channel: None, or profile, doppler_hz and delay_spread_s as in `fading.gains`.
        early_s: 0..0.001; a carrier's millisecond (`start_ms` of its parameters) begins this long before the scene.
        ramp: of a carrier's symbols, see `ofdm.modulate`.
        seed: of its contents and its channel.

    Raises:
        ParameterError: no such kind; early_s is outside 0..0.001.
    """

    kind: str
    offset_hz: float = 0.0
    power_db: float = 20.0
    parameters: dict = field(default_factory=dict)
    channel: dict | None = None
    early_s: float = 0.0
    ramp: float = 0.3
    seed: int = 0

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ParameterError(f"kind of emission {self.kind!r} is unknown; choose one of {', '.join(KINDS)}")
        if not 0 <= self.early_s <= 1e-3:
            raise ParameterError(f"early_s is {self.early_s} s; choose 0 to 0.001, and start_ms for more")


@dataclass
class Scene:
    """What is on the air and the receiver that hears it.

    Args:
        sample_rate: Hz, a multiple of the subcarrier spacings in use.
        duration_s: whole milliseconds.
        seed: of noise and receiver.
        emissions: list of `Emission`.
        receiver: `Receiver`.
        noise: False for a recording made without a radio, such as an encoder's output.

    Raises:
        ParameterError: the duration is not whole milliseconds.
    """

    sample_rate: float
    duration_s: float = BLOCK_S
    seed: int = 0
    emissions: list = field(default_factory=list)
    receiver: Receiver = field(default_factory=Receiver)
    noise: bool = True

    def __post_init__(self):
        milliseconds = self.duration_s * 1e3
        if milliseconds < 0.5 or abs(milliseconds - round(milliseconds)) > 1e-6:
            raise ParameterError(f"duration_s of a scene is {self.duration_s}; give whole milliseconds, 0.001 at least")

    def to_dict(self):
        """As plain dictionaries, lists and numbers."""
        return _plain(asdict(self))

    @classmethod
    def from_dict(cls, values):
        """The scene that `to_dict` wrote.

        Raises:
            ParameterError: a key is none of a scene's.
        """
        values = dict(values)
        values["emissions"] = [_from_dict(Emission, emission) for emission in values.get("emissions", [])]
        values["receiver"] = _from_dict(Receiver, values.get("receiver", {}))
        return _from_dict(cls, values)


@dataclass
class Truth:
    """What one emission left in a stretch of samples.

    Frequencies are in Hz relative to the receiver's centre, times in seconds from the scene's beginning.

    Attributes:
        label: `LTE`, `NR` or `other`.
        center_hz, bandwidth_hz: centre and nominal channel bandwidth.
        occupied_lower, occupied_upper: edges of the occupied band, also where they lie outside the span.
        freq_lower, freq_upper: the same, clipped to the span.
        start_s, end_s: the stretch.
        snr_db: mean power per hertz while on the air (LTE: over its downlink subframes) over that of all noise, the
            converter's included.
        level: float32 (time cells, frequency cells), power in cells of the stretch x the occupied band relative
            to `snr_db`.
        gap_s: longest pause that a TDD pattern makes; 0 where there is none.
    """

    label: str
    center_hz: float
    bandwidth_hz: float
    occupied_lower: float
    occupied_upper: float
    freq_lower: float
    freq_upper: float
    start_s: float
    end_s: float
    snr_db: float
    level: np.ndarray
    gap_s: float = 0.0


def render(scene):
    """Samples and truths of a scene.

    Long scenes are best taken from `render_blocks`, which gives the same samples.

    Returns:
        (samples, truths): complex64, shape (sample_rate * duration_s,), 1.0 the converter's full scale; list of
        `Truth`, one for every emission in the span and every block of `BLOCK_S`.
    """
    blocks = list(render_blocks(scene))
    truths = [truth for _, block_truths in blocks for truth in block_truths]
    return blocks[0][0] if len(blocks) == 1 else np.concatenate([samples for samples, _ in blocks]), truths


def render_blocks(scene):
    """Render a scene of any length without holding it: yields (samples, truths) of `BLOCK_S` at a time.

    Cells keep their frames and fading from block to block; traffic is drawn anew in each.
    """
    reference_power = None
    total_ms, block_ms = round(scene.duration_s * 1e3), round(BLOCK_S * 1e3)
    for start_ms in range(0, total_ms, block_ms):
        stretch = _Stretch(scene.sample_rate, start_ms, min(block_ms, total_ms - start_ms))
        samples, truths = _on_the_air(scene, stretch)
        if reference_power is None:
            reference_power = mean_power(samples)
        floor = float(scene.noise) + scene.receiver.quantisation_noise(reference_power)
        for truth in truths:
            truth.snr_db -= float(10 * np.log10(floor))
        rng = generator(scene.seed, "receiver", start_ms)
        yield scene.receiver.apply(samples, scene.sample_rate, rng, reference_power), truths


@dataclass
class _Stretch:
    """A block of a scene: sample rate (Hz), beginning and length (whole ms)."""

    sample_rate: float
    start_ms: int
    n_ms: int

    @property
    def start_s(self):
        return self.start_ms * 1e-3

    @property
    def duration_s(self):
        return self.n_ms * 1e-3

    @property
    def n_samples(self):
        return round(self.sample_rate * self.n_ms / 1000)


def _on_the_air(scene, stretch):
    """Signal at the antenna, with noise of power 1, and the truths (SNR over that noise)."""
    if scene.noise:
        rng = generator(scene.seed, "noise", stretch.start_ms)
        samples = rng.standard_normal(2 * stretch.n_samples, dtype=np.float32)
        samples *= np.float32(np.sqrt(0.5))
        samples = samples.view(np.complex64)
    else:
        samples = np.zeros(stretch.n_samples, np.complex64)
    truths = []
    for emission in scene.emissions:
        add = _add_carrier if emission.kind in CARRIERS else _add_other
        truth = add(samples, emission, stretch)
        if truth.freq_lower < truth.freq_upper:
            truths.append(truth)
    return samples, truths


def _add_carrier(samples, emission, stretch):
    """Add an LTE or NR carrier to the samples; returns its truth."""
    cell = CARRIERS[emission.kind](**emission.parameters)
    cell = replace(cell, start_ms=cell.start_ms + stretch.start_ms)
    # A millisecond more, because the scene may begin within one.
    grid = cell.grid(stretch.n_ms + 1, generator(emission.seed, "contents", stretch.start_ms))
    if emission.channel:
        times = stretch.start_s - emission.early_s + fading.symbol_times(grid)
        grid = fading.on_grid(grid, **emission.channel, rng=generator(emission.seed, "channel"), times=times)
    center = round(emission.offset_hz / grid.subcarrier_spacing) * grid.subcarrier_spacing
    skipped = round(emission.early_s * stretch.sample_rate)
    wave = ofdm.modulate(grid, stretch.sample_rate, center, ramp=emission.ramp)[skipped:skipped + stretch.n_samples]
    wave *= np.float32(_amplitude(emission.power_db, grid.occupied_bandwidth, stretch.sample_rate))
    samples += wave
    first = round(emission.early_s * 1e3 * grid.symbols_per_ms)
    symbols = slice(first, first + stretch.n_ms * grid.symbols_per_ms)
    level = _block_power(grid.symbols[symbols])
    is_downlink = np.repeat(grid.active, 14)[symbols]
    on_air = np.broadcast_to(is_downlink[:, None], level.shape) if emission.kind == "lte" else level > 0
    half = grid.occupied_bandwidth / 2
    return _truth(grid.technology, emission, stretch, center, grid.bandwidth, (center - half, center + half),
                  level, on_air, _longest_gap(grid))


def _add_other(samples, emission, stretch):
    """Add a transmission of class `other` to the samples; returns its truth."""
    rng = generator(emission.seed, "contents", stretch.start_ms)
    signal = others.KINDS[emission.kind](stretch.duration_s, rng, stretch.start_s, **emission.parameters)
    if emission.channel:
        signal.samples = fading.in_time(signal.samples, signal.sample_rate, **emission.channel,
                                        rng=generator(emission.seed, "channel"), start_s=stretch.start_s)
    wave = others.place(signal, stretch.n_samples, stretch.sample_rate, emission.offset_hz)
    wave *= np.float32(_amplitude(emission.power_db, signal.occupied_bandwidth, stretch.sample_rate))
    samples += wave
    level = signal.on_air * np.float32(_channel_power(emission.channel, emission.seed, stretch))
    edges = (emission.offset_hz + signal.lower, emission.offset_hz + signal.upper)
    return _truth("other", emission, stretch, emission.offset_hz, signal.upper - signal.lower, edges, level,
                  signal.on_air > 0.5, 0.0)


def _channel_power(channel, seed, stretch):
    """Mean power that a fading channel passes over a stretch and all frequencies."""
    if not channel:
        return 1.0
    times = np.linspace(stretch.start_s, stretch.start_s + stretch.duration_s, 64)
    _, taps = fading.gains(times, **channel, rng=generator(seed, "channel"))
    return float(np.mean(np.sum(np.abs(taps) ** 2, axis=0)))


def _truth(label, emission, stretch, center, bandwidth, edges, level, on_air, gap_s):
    mean = max(float(level.mean(where=on_air)) if on_air.any() else float(level.max()), 1e-12)
    half = stretch.sample_rate / 2
    return Truth(
        label=label, center_hz=center, bandwidth_hz=bandwidth, occupied_lower=edges[0], occupied_upper=edges[1],
        freq_lower=float(np.clip(edges[0], -half, half)), freq_upper=float(np.clip(edges[1], -half, half)),
        start_s=stretch.start_s, end_s=stretch.start_s + stretch.duration_s,
        snr_db=emission.power_db + 10 * float(np.log10(mean)), level=level / np.float32(mean), gap_s=gap_s)


def _amplitude(power_db, occupied_hz, sample_rate):
    """Amplitude that a signal of unit power needs over noise of power 1 in the whole span."""
    return np.sqrt(10 ** (power_db / 10) * occupied_hz / sample_rate)


def _block_power(symbols):
    """Mean power of every symbol and resource block, float32 (n_symbols, n_rb)."""
    parts = np.ascontiguousarray(symbols).view(np.float32).reshape(len(symbols), -1, 24)
    return np.einsum("srk,srk->sr", parts, parts) / np.float32(12)


def _longest_gap(grid):
    """Seconds of the longest run of slots without downlink, with a slot more for the special one; 0 for FDD."""
    runs = np.diff(np.flatnonzero(np.concatenate([[True], grid.active, [True]]))) - 1
    longest = int(runs.max())
    return (longest + 1) * grid.slot_duration_s if longest else 0.0


def generator(seed, purpose, index=0):
    """A generator that depends on nothing but its arguments."""
    return np.random.default_rng(np.random.SeedSequence([seed, *purpose.encode(), index]))


def _from_dict(cls, values):
    known = [item.name for item in fields(cls)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ParameterError(f"{cls.__name__} has no {', '.join(unknown)}; its keys are {', '.join(known)}")
    return cls(**values)


def _plain(value):
    """numpy scalars and tuples -> Python numbers and lists, all the way down."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
