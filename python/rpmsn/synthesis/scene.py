# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes: what is on the air, how it is heard, and the truth about it.

A `Scene` is a list of emissions and a receiver, plain numbers that go to YAML and back. `render` makes samples of it.
Every emission draws from a generator of its own, so one more emission leaves the others as they were.
`random_scene` draws a scene from a preset; the same seed gives the same scene.
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

PRESETS = ("any_rate", "wideband", "published", "demo")

ANY_RATES = {61.44e6: 0.48, 46.08e6: 0.07, 30.72e6: 0.12, 23.04e6: 0.07, 19.2e6: 0.05, 15.36e6: 0.04, 122.88e6: 0.03,
             11.52e6: 0.06, 7.68e6: 0.04, 5.76e6: 0.04}
"""Sample rate (Hz) -> share of the scenes of preset `any_rate`."""

LTE_BANDWIDTHS = {1.4e6: 0.04, 3e6: 0.04, 5e6: 0.15, 10e6: 0.27, 15e6: 0.18, 20e6: 0.32}
NR_BANDWIDTHS = {
    15e3: {5e6: 0.1, 10e6: 0.2, 15e6: 0.15, 20e6: 0.25, 25e6: 0.05, 30e6: 0.08, 40e6: 0.1, 50e6: 0.07},
    30e3: {10e6: 0.08, 15e6: 0.05, 20e6: 0.18, 30e6: 0.1, 40e6: 0.24, 50e6: 0.1, 60e6: 0.07, 80e6: 0.08, 100e6: 0.1},
}
"""Channel bandwidth (Hz) -> share, per subcarrier spacing (Hz) for NR."""

PUBLISHED_LTE_BANDWIDTHS = (5e6, 10e6, 15e6, 20e6)
PUBLISHED_NR_BANDWIDTHS = (10e6, 15e6, 20e6, 25e6, 30e6, 40e6, 50e6)


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
        rng = _generator(scene.seed, "receiver", start_ms)
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
        rng = _generator(scene.seed, "noise", stretch.start_ms)
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
    grid = cell.grid(stretch.n_ms + 1, _generator(emission.seed, "contents", stretch.start_ms))
    if emission.channel:
        times = stretch.start_s - emission.early_s + fading.symbol_times(grid)
        grid = fading.on_grid(grid, **emission.channel, rng=_generator(emission.seed, "channel"), times=times)
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
    rng = _generator(emission.seed, "contents", stretch.start_ms)
    signal = others.KINDS[emission.kind](stretch.duration_s, rng, stretch.start_s, **emission.parameters)
    if emission.channel:
        signal.samples = fading.in_time(signal.samples, signal.sample_rate, **emission.channel,
                                        rng=_generator(emission.seed, "channel"), start_s=stretch.start_s)
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
    _, taps = fading.gains(times, **channel, rng=_generator(seed, "channel"))
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


def _generator(seed, purpose, index=0):
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


def random_scene(preset, seed, duration_s=None):
    """Draw a scene.

    Args:
        preset: `any_rate` (all there is, at 5.76 to 122.88 Msps), `wideband` (the same at 61.44 Msps), `published`
            (the data of the RPMSN paper: one LTE or NR carrier or one of each), `demo` (one fixed scene, in which
            the seed only changes contents and noise).
        seed: whole number from 0 on; the same seed gives the same scene.
        duration_s: whole milliseconds; the preset's if not given (40 ms, in `any_rate` now and then less).

    Raises:
        ParameterError: no such preset.
    """
    if preset not in PRESETS:
        raise ParameterError(f"preset {preset!r} is unknown; choose one of {', '.join(PRESETS)}")
    draw = {"any_rate": _any_rate, "wideband": _wideband, "published": _published, "demo": _demo}[preset]
    scene = draw(_generator(seed, f"scene {preset}"))
    for index, emission in enumerate(scene.emissions):
        emission.seed = int(_generator(seed, "emission", index).integers(1 << 32))
    if duration_s is not None:
        scene = replace(scene, duration_s=duration_s)
    # Through plain numbers, so that a scene read from a file is equal to this one.
    return Scene.from_dict({**scene.to_dict(), "seed": int(seed)})


def _any_rate(rng):
    rate = _choose(rng, ANY_RATES)
    is_short = rate >= 15.36e6 and rng.random() < 0.1
    return _everyday(rng, rate, float(rng.choice([0.006, 0.01, 0.02])) if is_short else BLOCK_S)


def _wideband(rng):
    return _everyday(rng, 61.44e6, BLOCK_S)


def _everyday(rng, rate, duration_s):
    """Spectrum as it is found: nothing, one carrier, neighbours, a crowd, and what else is on the air."""
    situation = _choose(rng, {"noise": 0.07, "others": 0.08, "one": 0.2, "packed": 0.25, "scattered": 0.4})
    if situation == "one":
        carriers = [_filling_carrier(rng, rate)]
    elif situation == "packed":
        carriers = _packed_carriers(rng, rate)
    elif situation == "scattered":
        carriers = _scattered_carriers(rng, rate)
    else:
        carriers = []
    n_others = {"noise": 0, "others": int(rng.integers(1, 4))}.get(situation, int(rng.choice([0, 0, 0, 1, 1, 2])))
    strangers = [_other(rng, rate, carriers) for _ in range(n_others)]
    _set_levels(rng, carriers)
    _set_levels(rng, strangers)
    if situation == "one" and rng.random() < 0.3:
        return _cabled(rng, Scene(rate, duration_s, 0, carriers))
    return Scene(rate, duration_s, 0, carriers + strangers, _random_receiver(rng))


def _cabled(rng, scene):
    """An encoder's output: no noise but the converter's, no channel."""
    receiver = Receiver(adc_bits=int(rng.choice([8, 8, 12, 16])), headroom_db=float(rng.uniform(10, 18)))
    emissions = [replace(emission, channel=None, offset_hz=0.0) for emission in scene.emissions]
    return replace(scene, emissions=emissions, receiver=receiver, noise=False)


def _carrier(rng, kind, channel=None, **parameters):
    """An LTE or NR carrier at the centre, with a cell drawn round the parameters given."""
    cell = CARRIERS[kind].random(rng, **parameters)
    return Emission(kind, parameters=asdict(cell), channel=channel, early_s=float(rng.uniform(0, 1e-3)),
                    ramp=float(rng.choice([0, 0.2, 0.5, 0.8])))


def _any_carrier(rng, widest_hz):
    """A carrier of any technology and bandwidth up to `widest_hz`."""
    kind = str(rng.choice(["lte", "nr"]))
    if kind == "lte":
        return _carrier(rng, kind, _random_channel(rng), bandwidth_hz=_choose(rng, LTE_BANDWIDTHS, widest_hz))
    spacing = _choose(rng, {15e3: 0.35, 30e3: 0.65}) if widest_hz >= 10e6 else 15e3
    bandwidth = _choose(rng, NR_BANDWIDTHS[spacing], widest_hz)
    return _carrier(rng, kind, _random_channel(rng), bandwidth_hz=bandwidth, subcarrier_spacing=spacing)


def _filling_carrier(rng, rate):
    """One carrier about in the middle, from half as wide as the span to far wider than it."""
    wanted = float(rng.uniform(0.5, 1.3) if rng.random() < 0.85 else rng.uniform(1.3, 4)) * rate
    kind = str(rng.choice(["lte", "nr"]))
    spacing = 30e3 if wanted > 15e6 and rng.random() < 0.65 or wanted > 50e6 else 15e3
    bandwidths = lte.N_RB if kind == "lte" else nr.N_RB[spacing]
    parameters = {"bandwidth_hz": min(bandwidths, key=lambda bandwidth: abs(bandwidth - wanted))}
    if kind == "nr":
        parameters["subcarrier_spacing"] = spacing
    emission = _carrier(rng, kind, _random_channel(rng), **parameters)
    if rng.random() < 0.4:
        emission.offset_hz = float(rng.normal(0, 0.05) * rate)
    return emission


def _packed_carriers(rng, rate):
    """Carriers side by side, mostly without guard, as operators' blocks lie; the outer ones may leave the span."""
    emissions = []
    position = float(rng.uniform(-0.65, -0.2)) * rate
    count = int(rng.integers(2, 6))
    for _ in range(count):
        emission = _any_carrier(rng, 1.6 * rate / count)
        bandwidth = emission.parameters["bandwidth_hz"]
        emission.offset_hz = position + bandwidth / 2
        position += bandwidth + (float(rng.uniform(0, 0.1)) * rate if rng.random() < 0.25 else 0.0)
        emissions.append(emission)
        if position > 0.45 * rate:
            break
    return emissions


def _scattered_carriers(rng, rate):
    """Carriers anywhere, partly outside the span now and then; they hardly ever overlap."""
    emissions, taken = [], []
    count = int(rng.choice([1, 2, 3, 4, 5], p=[.2, .25, .25, .15, .15]))
    for _ in range(count):
        emission = _any_carrier(rng, rate * min(1.0, 1.5 / count))
        half = emission.parameters["bandwidth_hz"] / 2
        reach = rate / 2 if rng.random() < 0.2 else max(rate / 2 - half, 0.1 * rate)
        tries = rng.uniform(-reach, reach, 10)
        free = [center for center in tries if all(abs(center - other) >= half + width for other, width in taken)]
        if not free and rng.random() < 0.9:
            continue
        emission.offset_hz = float((free or tries)[0])
        taken.append((emission.offset_hz, half))
        emissions.append(emission)
    return emissions


def _set_levels(rng, emissions):
    """Powers: the first at random, the others within 10 dB below it in half of the scenes, within 40 dB in the rest."""
    strongest_db = float(rng.uniform(-5, 45))
    spread = 10 if rng.random() < 0.5 else 40
    for index, emission in enumerate(emissions):
        emission.power_db = max(strongest_db - (float(rng.uniform(0, spread)) if index else 0.0), -8.0)


def _random_channel(rng):
    """No channel for one in four; else any profile and speed."""
    if rng.random() < 0.25:
        return None
    doppler = 0.0 if rng.random() < 0.3 else float(10 ** rng.uniform(0, np.log10(300)))
    return {"profile": str(rng.choice(list(fading.PROFILES))), "doppler_hz": doppler,
            "delay_spread_s": float(10 ** rng.uniform(-8, -6))}


def _random_receiver(rng):
    """From a laboratory's to a cheap dongle's."""
    leak_db = rng.uniform(-70, -15) if rng.random() < 0.85 else rng.uniform(-15, 10)
    return Receiver(
        frequency_error_hz=float(rng.normal(0, 2e3)) if rng.random() < 0.5 else 0.0,
        phase_noise_dbc=float(rng.uniform(-110, -85)) if rng.random() < 0.4 else None,
        iq_gain_db=float(rng.normal(0, 0.3)),
        iq_phase_deg=float(rng.normal(0, 1.5)),
        dc_dbc=float(leak_db) if rng.random() < 0.7 else None,
        dc_phase=float(rng.uniform(0, 2 * np.pi)),
        rolloff=float(rng.uniform(0.75, 1.0)) if rng.random() < 0.6 else 1.0,
        stop_db=-float(rng.choice([3, 10, 20, 40], p=[.4, .3, .2, .1])),
        tilt_db=float(rng.normal(0, 2)) if rng.random() < 0.3 else 0.0,
        ripple_db=float(rng.uniform(0, 0.8)) if rng.random() < 0.3 else 0.0,
        ripple_periods=float(rng.uniform(1, 8)),
        ripple_phase=float(rng.uniform(0, 2 * np.pi)),
        gain_step_db=float(rng.choice([-10, -5, -2, 2, 5, 10])) if rng.random() < 0.05 else 0.0,
        gain_step_at=float(rng.uniform(0.1, 0.9)),
        adc_bits=int(rng.choice([8, 10, 12, 14, 16])),
        headroom_db=float(rng.uniform(10, 20) if rng.random() < 0.9 else rng.uniform(4, 10)))


def _other(rng, rate, carriers):
    """A transmission of class `other`, in most cases centred where no carrier is."""
    offsets = rng.uniform(-0.48, 0.48, 20) * rate
    free = [offset for offset in offsets
            if all(abs(offset - other.offset_hz) > other.parameters["bandwidth_hz"] / 2 for other in carriers)]
    offset = float((free if free and rng.random() < 0.8 else offsets)[0])
    kind = _choose(rng, {"gsm": 0.2, "band_noise": 0.15, "flat_ofdm": 0.2, "wifi": 0.15, "radar": 0.1, "tone": 0.12,
                         "fm": 0.08})
    channel = _random_channel(rng) if kind in ("gsm", "band_noise", "flat_ofdm", "wifi") else None
    return Emission(kind, offset, 0.0, _OTHER_PARAMETERS[kind](rng), channel)


def _gsm_parameters(rng):
    share = 1.0 if rng.random() < 0.4 else rng.uniform(0.15, 0.9)
    slots = rng.random(8) < share
    slots[int(rng.integers(8))] = True
    return {"slots_on": slots.tolist()}


def _fm_parameters(rng):
    if rng.random() < 0.6:
        return {"deviation_hz": 75e3, "audio_hz": 15e3}
    return {"deviation_hz": 2.5e3, "audio_hz": 3e3}


def _tone_parameters(rng):
    drift = rng.choice([0.0, rng.normal(0, 1e6), rng.normal(0, 1e8)], p=[.5, .3, .2])
    return {"drift_hz_per_s": float(drift)}


def _band_noise_parameters(rng):
    if rng.random() < 0.6:
        return {"symbol_rate": 3.84e6, "rolloff": 0.22}
    return {"symbol_rate": float(10 ** rng.uniform(5.3, 7)), "rolloff": float(rng.uniform(0.05, 0.35))}


def _flat_ofdm_parameters(rng):
    """Two in three as DVB-T, the others of any width and spacing."""
    guard = float(rng.choice([1 / 4, 1 / 8, 1 / 16, 1 / 32]))
    if rng.random() < 0.65:
        bandwidth = float(rng.choice([5e6, 6e6, 7e6, 8e6])) * 7.61 / 8
        return {"bandwidth_hz": bandwidth, "n_subcarriers": int(rng.choice([1705, 6817])), "guard": guard}
    bandwidth = float(10 ** rng.uniform(6, 7.4))
    n_subcarriers = max(24, int(bandwidth / 10 ** rng.uniform(3, 5)))
    return {"bandwidth_hz": bandwidth, "n_subcarriers": n_subcarriers, "guard": guard,
            "pilot_boost_db": float(rng.choice([0, 0, 2.5]))}


def _wifi_parameters(rng):
    return {"bandwidth_hz": float(rng.choice([20e6, 40e6], p=[.7, .3])), "busy": float(rng.uniform(0.05, 0.9))}


def _radar_parameters(rng):
    pulse = float(10 ** rng.uniform(-6, -4.1))
    return {"pulse_s": pulse, "interval_s": float(max(10 ** rng.uniform(-3.7, -2.5), 3 * pulse)),
            "sweep_hz": float(rng.uniform(0.5e6, 8e6)) if rng.random() < 0.7 else 0.0}


_OTHER_PARAMETERS = {"gsm": _gsm_parameters, "fm": _fm_parameters, "tone": _tone_parameters,
                     "band_noise": _band_noise_parameters, "flat_ofdm": _flat_ofdm_parameters,
                     "wifi": _wifi_parameters, "radar": _radar_parameters}


def _published(rng):
    """As the paper describes its data; its SNR is over the whole span and becomes one per occupied hertz here."""
    rate, snr_db = 61.44e6, float(rng.uniform(-10, 30))
    emissions = []
    for kind in (["lte"], ["nr"], ["lte", "nr"])[int(rng.integers(3))]:
        channel = {"profile": "flat", "doppler_hz": float(rng.uniform(0, 500)), "delay_spread_s": 0.0}
        if kind == "lte":
            load = float(rng.choice([0.05, rng.uniform(0.3, 1)]))
            emission = _carrier(rng, kind, channel, bandwidth_hz=float(rng.choice(PUBLISHED_LTE_BANDWIDTHS)),
                                tdd_config=None, load=load)
        else:
            bandwidth = float(rng.choice(PUBLISHED_NR_BANDWIDTHS))
            emission = _carrier(rng, kind, channel, bandwidth_hz=bandwidth, tdd_pattern=None, ssb_period_ms=20,
                                subcarrier_spacing=float(rng.choice([15e3, 30e3])), style="bursty",
                                load=float(rng.uniform(0.1, 0.5)), coreset=None, ssb_case=None, ssb_offset=None)
        bandwidth = emission.parameters["bandwidth_hz"]
        emission.offset_hz = float(rng.uniform(-1, 1) * (rate - bandwidth) / 2)
        emission.power_db = snr_db + 10 * float(np.log10(rate / bandwidth))
        emissions.append(emission)
    return Scene(rate, BLOCK_S, 0, emissions)


def _demo(rng):
    """A fixed, handsome scene at 61.44 Msps: three LTE and two NR carriers, and two of GSM."""
    pedestrian = {"profile": "EPA", "doppler_hz": 5.0, "delay_spread_s": 0.0}
    vehicle = {"profile": "TDL-A", "doppler_hz": 30.0, "delay_spread_s": 1e-7}

    def carrier(kind, offset_hz, power_db, channel, **parameters):
        return Emission(kind, offset_hz, power_db, asdict(CARRIERS[kind](**parameters)), channel, early_s=4e-4)

    emissions = [
        carrier("lte", -20.1e6, 27.0, vehicle, bandwidth_hz=20e6, cell_id=88, load=0.75, users=5),
        carrier("lte", -5.1e6, 22.0, pedestrian, bandwidth_hz=10e6, cell_id=17, load=0.0, allocation="idle"),
        carrier("nr", 11.4e6, 25.0, pedestrian, bandwidth_hz=20e6, subcarrier_spacing=30e3, cell_id=500,
                tdd_pattern="DDDSU", load=0.6, users=3, ssb_offset=60, beams=((0, 0.0), (1, -4.0), (2, -9.0))),
        carrier("lte", 23.9e6, 18.0, None, bandwidth_hz=5e6, cell_id=301, load=0.3, allocation="localised"),
        carrier("nr", 28.9e6, 20.0, None, bandwidth_hz=5e6, subcarrier_spacing=15e3, cell_id=733, load=0.9),
        Emission("gsm", 0.65e6, 30.0),
        Emission("gsm", -30.5e6, 26.0, {"slots_on": [True, False, True, True, False, False, True, False]}),
    ]
    receiver = Receiver(dc_dbc=-32.0, dc_phase=0.7, iq_gain_db=0.05, iq_phase_deg=0.3, adc_bits=12, headroom_db=13.0)
    return Scene(61.44e6, BLOCK_S, 0, emissions, receiver)


def _choose(rng, shares, limit=None):
    """A key drawn by its share; with a limit, of the keys up to it (the smallest key if there is none)."""
    keys = [key for key in shares if limit is None or key <= limit] or [min(shares)]
    weights = np.array([shares[key] for key in keys])
    return keys[int(rng.choice(len(keys), p=weights / weights.sum()))]
