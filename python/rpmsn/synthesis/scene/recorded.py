# SPDX-License-Identifier: GPL-3.0-or-later
"""Carriers out of recordings: SigMF annotations with label and edges become emissions of a scene.

An annotation is read once, cut to whole milliseconds (whole frames of 10 ms where it is so long), joined end to
beginning, brought to 0 Hz, rid of all that lies beside its band, and kept in memory as a loop. `load` gives any
chunk of that loop; `catalogue` lists what a folder has to offer.
"""

import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import scipy.fft
from scipy.ndimage import binary_closing, maximum_filter

from ...errors import ParameterError, RecordingError, require
from ...recording import open_recording
from ...recording.formats import sample_format
from ...recording.metadata import META_SUFFIX, count, number
from ..labels.truth import overlap_fractions
from ..other import CELLS_PER_MS, Baseband

PARAMETERS = ("recording", "annotation", "delay_s", "repeat")
"""Arguments of `load` that identify the signal; the others select a chunk of it."""

LABELS = {"lte": "LTE", "nr": "NR", "other": "other"}
"""`core:label` in small letters -> label."""

LONGEST_SAMPLES = 1 << 22
"""Of a longer annotation only the beginning is used: what is read of it at most (68 ms at 61.44 Msps)."""
MEMORY_BYTES = 150e6
"""Loops that are kept in memory take no more than this, unless one alone does."""
SHORTEST_MS = 1
FRAME_MS = 10
FADE_S = 10e-6
"""Length of the cross-fade from the end of a loop to its beginning."""

OVERSAMPLING = 1.09
"""Sample rate of a loop over the width of its band and skirts: `others.place` is quicker with some room."""
BAND_HZ = 180e3
"""Width of a frequency cell of `Recorded.level`, about."""
FLOOR_CELL_HZ = 50e3
FLOOR_QUANTILE = 0.25
QUIET_QUANTILE = 0.02
SILENCE = 1e-7
"""Power in a pause, relative to that of the strong cells, below which the signal is an encoder's and was never on
the air: receivers are 30 dB noisier."""
ON_AIR_FRACTION = 0.01
"""Power of a cell, relative to the strong ones, from which on it counts as on the air (NR sends blocks of
synchronisation signals up to some 15 dB stronger than data)."""
OVER_FLOOR = 1.5
"""Power of a cell over the recording's noise, relative to that noise, from which on it counts as on the air."""
LEAKAGE = 0.15
"""A cell with less power than this, relative to the strongest of its neighbours, only shows what leaks from there."""
GAP_FRACTION = 0.1
"""Power of an LTE downlink, relative to that of its busiest tenth, below which it is switched off."""
LTE_PAUSE_S = 5e-4
"""Longest pause of an LTE downlink that is switched on: reference signals come in every slot (TS 36.211 6.10.1)."""

SPUR_HZ = 1e3
SPUR_RATIO = 30.0
"""Power of a line at 0 Hz over the spectrum beside it from which on it is the receiver's and not the signal's."""
NARROWEST_WITH_SPUR_HZ = 1e6

logger = logging.getLogger(__name__)


@dataclass
class Recorded(Baseband):
    """A chunk of a recorded transmission, at 0 Hz and without what was beside it.

    `samples` have mean power 1 over the time on the air, not counting the noise that came with them (power in NR
    blocks without traffic is such noise). That noise is still in the band: do not put a recording on the air much
    louder than `recorded_snr_db` over the scene's noise, or its noise shows as a pedestal.

    Attributes:
        label: `LTE`, `NR` or `other`.
        level: float32 (time cells, frequency cells): power in cells of 1/16 ms x about 180 kHz relative to the mean
            of the cells on the air, the recording's own noise subtracted.
        occupied_bandwidth: Hz in use at a time, on average while on the air.
        recorded_snr_db: power in the band while on the air over the recording's own noise: what is beside the band
            or in it in pauses, if more; that of rounding for an encoder's output; None without any of these.
        is_cut: True if the carrier is wider than what the recording shows of it.
    """

    # The default only puts a field in the place of what `Baseband` derives.
    occupied_bandwidth: float = 0.0
    recorded_snr_db: float | None = None
    is_cut: bool = False


@dataclass(frozen=True)
class Entry:
    """An annotation that `load` can use.

    Attributes:
        recording: path of the metadata; in a catalogue relative to its folder.
        annotation: its number, from 0.
        label: `LTE`, `NR` or `other`.
        lower, upper: edges that the recording shows, Hz relative to its centre frequency.
        guard_hz: width of the skirts beyond the edges.
        is_cut: True if the annotated band goes on beyond `lower` or `upper`.
        sample_start, sample_count: samples of the recording.
        sample_rate: of the recording, Hz.
    """

    recording: str
    annotation: int
    label: str
    lower: float
    upper: float
    guard_hz: float
    is_cut: bool
    sample_start: int
    sample_count: int
    sample_rate: float

    @property
    def bandwidth_hz(self) -> float:
        """Width of the band that the recording shows."""
        return self.upper - self.lower

    @property
    def duration_s(self) -> float:
        """Length of the annotation."""
        return self.sample_count / self.sample_rate


def load(
    recording: str | Path,
    annotation: int,
    duration_s: float,
    start_s: float = 0.0,
    delay_s: float = 0.0,
    repeat: bool = True,
) -> Recorded:
    """A chunk of an annotated transmission, exactly `duration_s` long. No randomness.

    Args:
        recording: path of a SigMF recording.
        annotation: number of the annotation in it, from 0.
        duration_s: length, a multiple of 1/16 ms.
        start_s: time of the first sample, so that chunks follow each other.
        delay_s: position in the annotation at time 0; rounded, with `start_s`, to 1/16 ms.
        repeat: True: what is too short is repeated; False: it is refused.

    Returns:
        Recorded, at a sample rate of which `duration_s` holds a whole number of samples.

    Raises:
        ParameterError: no such annotation, a length or position out of range, or the recording is too short for
            it and `repeat` is False.
        RecordingError: the recording is missing or cannot be used; the message says what it lacks.
    """
    _check(recording, annotation, duration_s, start_s, delay_s)
    n_cells = round(duration_s * 1e3 * CELLS_PER_MS)
    key = (str(Path(recording).absolute()), annotation)
    loop = _loops.get(key, lambda: _read_loop(recording, annotation))
    first = round((delay_s + start_s) * 1e3 * CELLS_PER_MS)
    length = len(loop.level)
    if not repeat and first + n_cells > length:
        raise ParameterError(
            f"annotation {annotation} of {recording} has {length / CELLS_PER_MS:g} usable ms, "
            f"but {(first + n_cells) / CELLS_PER_MS:g} ms are needed; allow it to repeat"
        )
    first %= length
    cell = loop.samples.size // length
    return replace(
        loop,
        samples=_around(loop.samples, first * cell, n_cells * cell),
        on_air=_around(loop.on_air, first, n_cells),
        level=_around(loop.level, first, n_cells),
    )


def _check(recording, annotation, duration_s, start_s, delay_s):
    _require = partial(require, "a recorded emission")
    _require("recording", recording, isinstance(recording, (str, Path)), "the path of a SigMF recording")
    _require("annotation", annotation, type(annotation) is int and annotation >= 0, "a whole number from 0 on")
    for name, value in (("duration_s", duration_s), ("start_s", start_s), ("delay_s", delay_s)):
        is_time = isinstance(value, (int, float)) and 0 <= value < math.inf
        _require(name, value, is_time, "a number of seconds, 0 or more")
    cells = duration_s * 1e3 * CELLS_PER_MS
    _require(
        "duration_s",
        duration_s,
        cells >= 0.5 and abs(cells - round(cells)) < 1e-6 * cells,
        "a multiple of 1/16 ms (6.25e-05 s)",
    )


def _around(values, first, length):
    """A copy of `length` values from `first` on, starting over at the end."""
    rounds = -(-(first + length) // len(values))
    if rounds == 1:
        return values[first : first + length].copy()
    return np.concatenate([values] * rounds)[first : first + length]


def catalogue(folder: str | Path) -> list[Entry]:
    """All annotations below a folder that `load` can use, sorted by path and number.

    Annotations with another label than LTE, NR or other, without edges, or shorter than a millisecond are left
    out, and so is what a model has found (`rpmsn:confidence`): that is a guess and no truth.

    Returns:
        list of Entry.

    Raises:
        RecordingError: there is no such folder, or nothing usable in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RecordingError(f"folder {folder} does not exist; give one with annotated SigMF recordings")
    metas = sorted(folder.rglob(f"*{META_SUFFIX}"), key=lambda path: path.relative_to(folder).as_posix())
    entries = [entry for meta in metas for entry in _entries(meta, meta.relative_to(folder).as_posix())]
    if not entries:
        raise RecordingError(
            f"folder {folder} has no usable annotation ({len(metas)} recordings); needed "
            "are SigMF recordings with annotations of core:label LTE, NR or other, "
            "core:freq_lower_edge and core:freq_upper_edge, and at least 1 ms of samples"
        )
    return entries


def _entries(meta, name):
    """Entries of a recording, under the name that they are to have; a recording that cannot be read has none."""
    found = []
    try:
        with open_recording(meta) as recording:
            for annotation, fields in enumerate(recording.annotations):
                try:
                    if "rpmsn:confidence" not in fields:
                        found.append(_entry(recording, name, annotation))
                except RecordingError as error:
                    logger.info("left out: %s", error)
    except RecordingError as error:
        logger.warning("left out: %s", error)
    return found


def _entry(recording, name, annotation):
    """What an annotation of an open recording holds, checked."""
    annotations = recording.annotations
    allowed = f"a number from 0 to {len(annotations) - 1}" if annotations else "another recording: it has none"
    if left_out := [warning for warning in recording.warnings if "annotation" in warning]:
        allowed += f" ({'; '.join(left_out)})"
    require(name, "annotation", annotation, annotation < len(annotations), allowed)
    fields, where = annotations[annotation], f"annotation {annotation} of {name}"
    label = LABELS.get(str(fields.get("core:label", "")).lower())
    if label is None:
        raise RecordingError(
            f"{where} has core:label {fields.get('core:label')!r}; needed is one of {', '.join(LABELS.values())}"
        )
    start = max(0, fields["core:sample_start"])
    end = fields["core:sample_start"] + count(where, fields, "core:sample_count", recording.sample_count - start)
    length = min(end, recording.sample_count) - start
    if length < recording.sample_rate * SHORTEST_MS * 1e-3:
        raise RecordingError(f"{where} has {max(0, length)} samples, less than the {SHORTEST_MS} ms that is needed")
    lower, upper, guard, is_cut = _band(recording, fields, where, start)
    return Entry(name, annotation, label, lower, upper, guard, is_cut, start, length, recording.sample_rate)


def _band(recording, fields, where, start):
    """(lower, upper, guard, is_cut): the annotated band as far as it and its skirts are inside the span, Hz."""
    found = [number(where, fields, f"core:freq_{side}_edge") for side in ("lower", "upper")]
    edges = [edge for edge in found if edge is not None]
    if len(edges) < 2 or not edges[0] < edges[1]:
        raise RecordingError(
            f"{where} has frequency edges {found}; needed are core:freq_lower_edge and, above it, "
            "core:freq_upper_edge in Hz"
        )
    center = recording.capture_at(start).center_frequency or 0.0
    guard = _guard(edges)
    half = recording.sample_rate / 2 - guard
    lower, upper = max(edges[0] - center, -half), min(edges[1] - center, half)
    if upper - lower < guard:
        raise RecordingError(
            f"{where} lies from {edges[0]:g} to {edges[1]:g} Hz, outside the recording's span of "
            f"{recording.sample_rate:g} Hz round {center:g} Hz; correct its edges"
        )
    return lower, upper, guard, (lower, upper) != (edges[0] - center, edges[1] - center)


def _guard(edges):
    """Width of the skirts beyond a band's edges, Hz."""
    return min(0.02 * (edges[1] - edges[0]), 100e3)


def _read_loop(path, annotation):
    """An annotation as a `Recorded` of all usable samples, whose end fits its beginning."""
    with open_recording(path) as recording:
        entry = _entry(recording, str(path), annotation)
        samples = recording.read(entry.sample_start, min(entry.sample_count, LONGEST_SAMPLES))
        is_clear = _clear_of_annotations(recording)
        rounding = _rounding(recording)
    samples = samples[_start_up(samples, entry) :]
    n_ms = _usable_ms(samples.size, entry.sample_rate)
    loop = _joined(samples, entry.sample_rate, n_ms)
    bin_hz = 1e3 / n_ms
    spectrum = scipy.fft.fft(loop, overwrite_x=True) / np.float32(loop.size)
    if entry.label != "other" or entry.bandwidth_hz > NARROWEST_WITH_SPUR_HZ:
        _remove_spur(spectrum, bin_hz)
    samples, lower, upper = _narrowed(spectrum, bin_hz, n_ms, entry)
    density = _cell_density(samples, n_ms, lower, upper)
    floors = _floors(_floor_beside(spectrum, bin_hz, is_clear), _floor_of_pauses(density), rounding, _strong(density))
    return _normalised(samples, density, floors, lower, upper, n_ms, entry)


def _start_up(samples, entry):
    """Number of samples at the beginning that are the receiver's start: in the first ms of the recording, at the
    converter's rail, and at least twice as large as all that follows."""
    largest = np.maximum(np.abs(samples.real), np.abs(samples.imag))
    head = round(1e-3 * entry.sample_rate)
    rest = largest[head:].max(initial=0.0)
    if entry.sample_start or samples.size < 2 * head or largest[:head].max() < max(0.98, 2 * rest):
        return 0
    return int(np.flatnonzero(largest[:head] > rest)[-1]) + 1


def _usable_ms(n_samples, sample_rate):
    """Whole milliseconds in this many samples; of 10 and more, whole frames, so that frame timing continues."""
    n_ms = int(n_samples / sample_rate * 1e3 + 1e-6)
    return n_ms if n_ms < FRAME_MS else n_ms - n_ms % FRAME_MS


def _joined(samples, sample_rate, n_ms):
    """The first `n_ms` of the samples with a soft passage from end to beginning, complex64.

    What follows the loop is cross-faded into its beginning. Without more samples, end and beginning are
    faded out and in instead. At a rate without whole samples in these milliseconds less than a sample is missing
    (25 ppm of 20 ms at 2 Msps).
    """
    length = int(n_ms * 1e-3 * sample_rate + 1e-6)
    fade = max(2, round(FADE_S * sample_rate))
    loop, rest = samples[:length].copy(), samples[length:]
    if rest.size < fade:
        fade //= 2
    # Equal power: the two are as different as two signals.
    rise = np.sin(np.pi / 2 * (np.arange(fade) + 0.5) / fade).astype(np.float32)
    loop[:fade] *= rise
    if rest.size >= fade:
        loop[:fade] += rest[:fade] * rise[::-1]
    else:
        loop[-fade:] *= rise[::-1]
    return loop


def _clear_of_annotations(recording):
    """Function that selects the frequencies (Hz from the centre, array) in the span and in no annotated band."""
    bands = []
    for fields in recording.annotations:
        edges = [fields.get(f"core:freq_{side}_edge") for side in ("lower", "upper")]
        if None not in edges:
            center = recording.capture_at(max(0, fields["core:sample_start"])).center_frequency or 0.0
            guard = _guard(edges)
            bands.append((edges[0] - center - guard, edges[1] - center + guard))
    # Next to the ends of the span a receiver's filter may hide its noise.
    reach = 0.49 * recording.sample_rate

    def is_clear(frequencies):
        clear = np.abs(frequencies) < reach
        for lower, upper in bands:
            clear &= (frequencies < lower) | (frequencies > upper)
        return clear

    return is_clear


def _remove_spur(spectrum, bin_hz):
    """Level the line that a zero-IF receiver leaves at 0 Hz with the spectrum beside it, if there is one.

    The line is some bins wide where the receiver's offset drifts.
    """
    reach = int(SPUR_HZ / bin_hz) + 1
    offsets = np.arange(reach + 1, reach + 1 + max(8, int(6 * SPUR_HZ / bin_hz)))
    # The stronger side: 0 Hz may be at an edge of the carrier.
    beside = max(float(np.median(np.abs(spectrum[side * offsets]) ** 2)) for side in (-1, 1))
    if abs(spectrum[0]) ** 2 <= SPUR_RATIO * beside:
        return
    for position in range(-reach, reach + 1):
        power = abs(spectrum[position]) ** 2
        if power > SPUR_RATIO / 3 * beside:
            spectrum[position] *= np.sqrt(beside / power)


def _floor_beside(spectrum, bin_hz, is_clear):
    """Noise power per Hz in the free part of the span, None without one.

    The weaker of its cells are taken, for there may be neighbours that nobody annotated.
    """
    n_cells = int(spectrum.size * bin_hz / FLOOR_CELL_HZ)
    cell = spectrum.size // max(1, n_cells)
    parts = scipy.fft.fftshift(spectrum)[: n_cells * cell].reshape(n_cells, cell)
    frequencies = ((np.arange(n_cells) + 0.5) * cell - spectrum.size // 2) * bin_hz
    clear = is_clear(frequencies)
    if clear.sum() < 3:
        return None
    densities = np.mean(np.abs(parts[clear]) ** 2, axis=1) / bin_hz
    return float(np.quantile(densities, FLOOR_QUANTILE))


def _narrowed(spectrum, bin_hz, n_ms, entry):
    """The entry's band at 0 Hz at a low rate: (samples, lower, upper), the edges relative to 0 Hz.

    The gain is 1 from edge to edge and falls as a raised cosine over the guard. The rate gives every cell of
    1/16 ms the same even number of samples, quick to transform.
    """
    center = round((entry.lower + entry.upper) / 2 / bin_hz)
    lower, upper = entry.lower - center * bin_hz, entry.upper - center * bin_hz
    width = (upper - lower + 2 * entry.guard_hz + 2 * bin_hz) * OVERSAMPLING
    cell = 2 * scipy.fft.next_fast_len(max(20, math.ceil(width / (2e3 * CELLS_PER_MS))))
    bins = np.arange(math.ceil((lower - entry.guard_hz) / bin_hz), math.floor((upper + entry.guard_hz) / bin_hz) + 1)
    outside = np.maximum(np.maximum(lower - bins * bin_hz, bins * bin_hz - upper), 0) / entry.guard_hz
    gain = (0.5 + 0.5 * np.cos(np.pi * np.minimum(outside, 1))).astype(np.float32)
    narrow = np.zeros(cell * CELLS_PER_MS * n_ms, np.complex64)
    narrow[bins] = spectrum[(bins + center) % spectrum.size] * gain
    return scipy.fft.ifft(narrow, norm="forward", overwrite_x=True), lower, upper


def _cell_density(samples, n_ms, lower, upper):
    """Power per Hz in every cell, float32 (time cells, frequency cells): Hann windows as long as a cell, half
    overlapped, of which a cell is the middle one and half of both beside it."""
    n_cells = n_ms * CELLS_PER_MS
    cell = samples.size // n_cells
    rate = cell * CELLS_PER_MS * 1e3
    hann = np.sin(np.pi * (np.arange(cell) + 0.5) / cell).astype(np.float32) ** 2
    bands = np.linspace(lower, upper, max(1, round((upper - lower) / BAND_HZ)) + 1)
    bins = (np.arange(cell + 1) - cell // 2 - 0.5) * (rate / cell)
    weights = scipy.fft.ifftshift(overlap_fractions(bins, bands), axes=1).T / np.float32(np.sum(hann**2) * rate)
    halves = []
    for delay in (0, cell // 2):
        windows = np.roll(samples, -delay).reshape(n_cells, cell) * hann
        spectra = scipy.fft.fft(windows, axis=1, overwrite_x=True)
        halves.append((spectra.real**2 + spectra.imag**2) @ weights)
    middle, between = halves
    return (middle + (between + np.roll(between, 1, axis=0)) / 2) / 2


def _floor_of_pauses(density):
    """Noise power per Hz while a carrier pauses, None if it never does."""
    over_time = density.mean(axis=1)
    quiet = float(np.quantile(over_time, QUIET_QUANTILE))
    return quiet if quiet < 0.1 * over_time.mean() else None


def _rounding(recording):
    """Noise power per Hz of rounding to the recording's format, whose steps are 1 / full scale."""
    kind = sample_format(recording.datatype)
    return 0.0 if kind.component.kind == "f" else 2 / kind.full_scale**2 / 12 / recording.sample_rate


def _floors(beside, pauses, rounding, strong):
    """Estimates of the noise, from that beside the band and in pauses, each None if unknown; power per Hz.

    A pause that is perfectly silent was never on the air: what is beside the band then is an encoder's leakage.
    """
    if pauses is not None and pauses < SILENCE * strong:
        return [rounding]
    return [floor for floor in (beside, pauses) if floor is not None]


def _normalised(samples, density, floors, lower, upper, n_ms, entry):
    """A loop of power 1 while on the air, from its samples, the power per Hz in its cells and that of noise.

    Of several estimates of the noise the lowest is subtracted, since each may hold some signal, and the highest is
    what has to be exceeded and what the SNR is relative to.
    """
    signal = np.maximum(density - np.float32(min(floors, default=0.0)), 0)
    if entry.label == "LTE":
        on_air = _while_switched_on(density)
    else:
        on_air = _cells_in_use(signal, max(floors, default=0.0))
    if not on_air.any():
        raise RecordingError(
            f"annotation {entry.annotation} of {entry.recording} holds nothing but noise; leave it "
            "out, or correct its edges"
        )
    mean = float(signal.mean(where=on_air))
    cells_at_a_time = on_air.sum() / on_air.any(axis=1).sum()
    occupied = float(cells_at_a_time * (upper - lower) / density.shape[1])
    samples *= np.float32(1 / np.sqrt(mean * occupied))
    snr_db = float(10 * np.log10(mean / max(*floors, 1e-12 * mean))) if floors else None
    return Recorded(
        samples=samples,
        sample_rate=samples.size / (n_ms * 1e-3),
        lower=lower,
        upper=upper,
        on_air=on_air.astype(np.float32),
        label=entry.label,
        level=signal / np.float32(mean),
        occupied_bandwidth=occupied,
        recorded_snr_db=snr_db,
        is_cut=entry.is_cut,
    )


def _cells_in_use(signal, floor):
    """Cells that carry power, bool as `signal`."""
    on = signal > max(ON_AIR_FRACTION * _strong(signal), OVER_FLOOR * floor)
    return on & (signal > LEAKAGE * maximum_filter(signal, 3, mode="nearest"))


def _while_switched_on(density):
    """Cells of an LTE downlink: all of its band, all the time but for TDD gaps, bool as `density`.

    With its noise: in a poor recording of an idle cell little but the noise shows that it is no gap.
    """
    over_time = density.mean(axis=1)
    on = over_time > GAP_FRACTION * np.quantile(over_time, 0.9)
    pause = round(LTE_PAUSE_S * 1e3 * CELLS_PER_MS)
    on = binary_closing(np.pad(on, 2 * pause, mode="wrap"), np.ones(pause + 1))[2 * pause : -2 * pause]
    return np.repeat(on[:, None], density.shape[1], axis=1)


def _strong(power):
    """Mean power, weighted with itself: that of the strong cells, however few they are."""
    return float(np.sum(power**2, dtype=np.float64) / max(np.sum(power, dtype=np.float64), 1e-30))


class _Loops:
    """The loops that were used last, as many as fit into `n_bytes`."""

    def __init__(self, n_bytes: float) -> None:
        self.n_bytes = n_bytes
        self._kept: OrderedDict[tuple, Recorded] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple, make: Callable[[], Recorded]) -> Recorded:
        """The loop of a key; `make()` makes it where it is not in memory."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and self.size > self.n_bytes:
                self._kept.popitem(last=False)
            return self._kept[key]

    @property
    def size(self) -> int:
        """Bytes in use."""
        return sum(
            int(array.nbytes) for loop in self._kept.values() for array in (loop.samples, loop.level, loop.on_air)
        )


_loops = _Loops(MEMORY_BYTES)
