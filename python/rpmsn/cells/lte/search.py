# SPDX-License-Identifier: GPL-3.0-or-later
"""Search for LTE cells in samples of any rate: once over what there is, or frame after frame."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from ...errors import ParameterError
from ...standards.lte import N_RB
from ...standards.lte_broadcast import FRAME_NUMBERS, PHICH_RESOURCES
from ..cell import BROADCAST, SYNC, Cell
from ..screening import lte_sequences, screen, screened_part
from ..spectrum import History, Spectrum, band_rate, check_rates, nearest
from ..threads import each
from .baseband import CHUNK_S, HALF_FRAME, RATE, baseband
from .broadcast import decode_broadcast, has_references
from .primary import STEP_HZ, SYMBOL, Candidate, PssMap
from .secondary import CLEAR_RATIO, RATIO_BESIDE_ANOTHER, SSS_LIMIT, UNCLEAR_RATIO, Synchronisation, synchronise

LOWEST_RATE = 1.4e6
"""The middle six resource blocks are 1.08 MHz wide, and an oscillator may be off."""

HALF_WIDTH = 0.48e6
"""Of the synchronisation signals, Hz."""

TOLERANCE = 135e3
"""50 ppm of an RTL-SDR at 2.7 GHz."""

BLIND_SPACING = 360e3
"""Between the basebands of a search without frequencies: each serves half of it on both sides, and all of the PBCH."""

MEMORY_S, MEMORY_WITHOUT_CLOCK_S = 1.0, 0.16
"""How long signals are summed. Where the clock's error cannot be told, the symbols soon are not where they were."""

FRAME_S = 0.01

SCREENED_TOLERANCE = 22.5e3
"""Hz: a screen is a subcarrier off at its weakest."""

SAME_CELL_HZ, SAME_CELL_SAMPLES = 5e3, 12
"""Detections of one identity that are closer than both are one cell."""


def find_cells(
    samples: np.ndarray | Sequence[Spectrum],
    sample_rate: float,
    frequencies: Sequence[float] | None = None,
    tolerance: float = TOLERANCE,
    center_frequency: float | None = None,
) -> list[Cell]:
    """LTE cells in samples, the strongest first.

    Args:
        samples: complex, one-dimensional; 10 ms and more are useful. Or the spectra of frames that follow each other.
        sample_rate: Hz, 1.4e6 or more.
        frequencies: where carriers' centres may be, Hz from the samples' centre; None: anywhere, which takes long.
        tolerance: Hz around each frequency that are searched.
        center_frequency: absolute frequency of the samples' centre, Hz: with it the frequency offset also says how far
            off the sample clock is, which matters from 40 ms on.

    Raises:
        ParameterError: a value is not allowed; the samples have values that are not finite; a spectrum is of another
            sample rate.
    """
    return find_cells_and_pss(samples, sample_rate, frequencies, tolerance, center_frequency)[0]


def find_cells_and_pss(
    samples: np.ndarray | Sequence[Spectrum],
    sample_rate: float,
    frequencies: Sequence[float] | None = None,
    tolerance: float = TOLERANCE,
    center_frequency: float | None = None,
) -> tuple[list[Cell], list[float]]:
    """The same, and the correlation with the best PSS around each of `frequencies`, as of
    `LteSearcher.pss_strengths`."""
    everywhere = _Searches(sample_rate, frequencies, tolerance, center_frequency)
    spectra = _placed_spectra(samples, sample_rate, everywhere.chunk)
    longest = everywhere.memory_s * sample_rate

    # One baseband after the other: a blind search has too many to keep them all.
    def cells_and_strength(search: _Search) -> tuple[list[Cell], float]:
        cells: list[Cell] = []
        begin = 0
        for start, spectrum in spectra:
            if start - begin + spectrum.count > longest and start > begin:
                cells += search.cells()
                search.reset()
                begin = start
            search.add(spectrum, start)
        cells += search.cells()
        strength = search.strength
        search.reset()
        return cells, strength

    found = each(cells_and_strength, everywhere.searches())
    cells = _distinct([cell for some, _ in found for cell in some])
    return [_from_first_sample(cell) for cell in cells], [strength for _, strength in found]


def _placed_spectra(samples, sample_rate, chunk):
    """(place of the first sample, Spectrum) of each frame."""
    if isinstance(samples, Sequence):
        check_rates(samples, sample_rate)
        starts = np.cumsum([0, *(spectrum.count for spectrum in samples)])
        return [(int(start), spectrum) for start, spectrum in zip(starts, samples)]
    samples = checked_samples(samples)
    return [(start, Spectrum(samples[start : start + chunk], sample_rate)) for start in range(0, len(samples), chunk)]


class LteSearcher:
    """Search for LTE cells in a stream: what a frame shows too weakly is summed over the next ones.

    Memory is bounded: after `MEMORY_S` (0.16 s without `center_frequency`) the sums start over. A gap, or samples of
    another place in the stream, restarts them, too.

    Args:
        sample_rate: Hz, 1.4e6 or more.
        frequencies: where carriers' centres may be, Hz from the samples' centre.
        tolerance: Hz around each frequency that are searched.
        center_frequency: as in `find_cells`.

    Raises:
        ParameterError: a value is not allowed.
    """

    def __init__(
        self,
        sample_rate: float,
        frequencies: Sequence[float],
        tolerance: float = TOLERANCE,
        center_frequency: float | None = None,
    ) -> None:
        plan = _Searches(sample_rate, frequencies, tolerance, center_frequency)
        self.sample_rate, self._chunk, self._longest = sample_rate, plan.chunk, plan.memory_s * sample_rate
        self._searches = list(plan.searches())
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self._waiting = np.zeros(0, np.complex64)
        self._begin: int | None = None
        self._next = 0
        for search in self._searches:
            search.reset()

    def feed(self, samples: np.ndarray | Spectrum, start_sample: int) -> list[Cell]:
        """Add samples, and look at all since the last new start.

        Args:
            samples: complex, one-dimensional, any number; or a frame's spectrum, which other searchers have as well.
            start_sample: place of the first one in the stream; where it is not the next one, samples are missing.

        Returns:
            Cells, the strongest first; of samples empty until a chunk of 40 ms is complete, of a spectrum what is
            known with it. `start_s` is counted from sample 0 of the stream.

        Raises:
            ParameterError: the samples have values that are not finite; the spectrum is of another sample rate.
        """
        try:
            checked = self._checked(samples)
        except ParameterError:
            self.reset()
            raise
        if self._begin is None or start_sample != self._next + len(self._waiting):
            self.reset()
            self._begin = self._next = start_sample
        cells: list[Cell] = []
        is_new = False
        for spectrum in self._spectra(checked):
            if self._next - self._begin + spectrum.count > self._longest and self._next > self._begin:
                cells += self._cells() if is_new else []
                self._start_anew()
            for search in self._searches:
                search.add(spectrum, self._next)
            self._next, is_new = self._next + spectrum.count, True
        return _distinct(cells + (self._cells() if is_new else []))

    def pss_strengths(self) -> list[float]:
        """Correlation with the best PSS around each of `frequencies`, over all since the last new start: mean over the
        half frames, in units of what noise gives; 0 without samples. What `Absence` wants to know of a look."""
        return [search.strength for search in self._searches]

    def _checked(self, samples):
        if not isinstance(samples, Spectrum):
            return checked_samples(samples)
        if samples.sample_rate != self.sample_rate:
            raise ParameterError(
                f"samples are a spectrum at {samples.sample_rate:g} Hz; the searcher's sample_rate is "
                f"{self.sample_rate:g} Hz: choose the same for both"
            )
        return samples

    def _spectra(self, samples):
        """What is to be searched now: whole chunks of samples, or a spectrum after the samples that waited."""
        if isinstance(samples, Spectrum):
            waiting, self._waiting = self._waiting, np.zeros(0, np.complex64)
            if len(waiting):
                yield Spectrum(waiting, self.sample_rate)
            yield samples
            return
        waiting = np.concatenate([self._waiting, samples])
        whole = len(waiting) // self._chunk * self._chunk
        self._waiting = waiting[whole:].copy()
        for first in range(0, whole, self._chunk):
            yield Spectrum(waiting[first : first + self._chunk], self.sample_rate)

    def _cells(self):
        return [cell for search in self._searches for cell in search.cells()]

    def _start_anew(self):
        self._begin = self._next
        for search in self._searches:
            search.reset()


def find_cells_anywhere(
    samples: np.ndarray,
    sample_rate: float,
    center_frequency: float | None = None,
    allowed: Callable[[np.ndarray], np.ndarray] | None = None,
) -> list[Cell]:
    """LTE cells wherever a PSS stands out, the strongest first: a hundredth of what `find_cells` takes for all places.

    Args:
        samples, sample_rate, center_frequency: as of `find_cells`; finite.
        allowed: which of some frequencies (Hz from the centre) are looked at; None: all.
    """
    places = screen(screened_part(samples, sample_rate), sample_rate, lte_sequences(), allowed)
    inside = [place.frequency for place in places if abs(place.frequency) < sample_rate / 2 - HALF_WIDTH]
    return find_cells(samples, sample_rate, inside, SCREENED_TOLERANCE, center_frequency) if inside else []


class _Searches:
    """Checks what is asked for, and makes the search of each baseband."""

    def __init__(self, sample_rate, frequencies, tolerance, center_frequency):
        if not (np.isfinite(sample_rate) and sample_rate >= LOWEST_RATE):
            raise ParameterError(
                f"sample_rate is {sample_rate:g} Hz; choose {LOWEST_RATE:g} Hz or more: an LTE cell's "
                f"synchronisation and broadcast signals are 1.08 MHz wide"
            )
        if not (np.isfinite(tolerance) and 0 <= tolerance <= 200e3):
            raise ParameterError(f"tolerance is {tolerance:g} Hz; choose 0 to 200000 Hz")
        if center_frequency is not None and not (np.isfinite(center_frequency) and center_frequency > 0):
            raise ParameterError(f"center_frequency is {center_frequency:g} Hz; choose a positive frequency, or None")
        self.highest = sample_rate / 2 - HALF_WIDTH
        for frequency in frequencies if frequencies is not None else ():
            if not abs(frequency) < self.highest + tolerance:
                raise ParameterError(
                    f"one of frequencies is {frequency:g} Hz; choose frequencies within +-{self.highest:g} Hz of the "
                    f"centre, so that the middle of the carrier is in the samples"
                )
        self.frequencies, self.tolerance, self.center_frequency = frequencies, tolerance, center_frequency
        self.sample_rate, self.chunk = sample_rate, round(CHUNK_S * sample_rate)
        self.memory_s = MEMORY_WITHOUT_CLOCK_S if center_frequency is None else MEMORY_S

    def searches(self) -> Iterable["_Search"]:
        frequencies, tolerance = self.frequencies, self.tolerance
        if frequencies is None:
            n = max(1, int(np.ceil(2 * self.highest / BLIND_SPACING)))
            frequencies = (np.arange(n) + 0.5) / n * 2 * self.highest - self.highest
            tolerance = self.highest / n
        for frequency in frequencies:
            offsets = np.arange(-np.ceil(tolerance / STEP_HZ), np.ceil(tolerance / STEP_HZ) + 1) * STEP_HZ
            offsets = offsets[np.abs(frequency + offsets) <= self.highest + STEP_HZ]
            yield _Search(self.sample_rate, float(frequency), offsets, self.center_frequency)


class _Search:
    """Search around one frequency, over chunks that follow each other."""

    def __init__(self, sample_rate, frequency, offsets, center_frequency):
        self.frequency, self.offsets = frequency, offsets
        self.middle, self.rate = nearest(frequency, sample_rate), band_rate(sample_rate)
        self.carrier_frequency = None if center_frequency is None else center_frequency + frequency
        self.reset()

    def reset(self) -> None:
        self.baseband = History()
        self.map: PssMap | None = None
        self.correlated = 0
        self.is_narrow: bool | None = None

    def add(self, spectrum: Spectrum, start: int) -> None:
        """Add a frame, by its spectrum and its place in the stream."""
        place, values = baseband(spectrum, self.middle, start)
        if self.map is None:
            self.map = PssMap(self.rate, self.offsets, self.carrier_frequency)
            self.first = int(start * self.rate / spectrum.sample_rate)
        self.baseband.add(place, values)
        self.end = int((start + spectrum.count) * self.rate / spectrum.sample_rate)
        if self.is_narrow is None:
            self._correlate(self.map, 2 * HALF_FRAME)
            self.is_narrow = self.correlated == 2 * HALF_FRAME and self.map.narrow()
        self._correlate(self.map)

    def _correlate(self, pss_map: PssMap, most: int | None = None) -> None:
        """Take the places that have come since into the map, `most` of them."""
        values = self.values()[self.correlated :][: None if most is None else most + SYMBOL - 1]
        pss_map.add(values, self.correlated)
        self.correlated += max(len(values) - SYMBOL + 1, 0)

    @property
    def strength(self) -> float:
        """Correlation with the best PSS, over all chunks since the start; 0 without any."""
        return self.map.strongest() if self.map is not None else 0.0

    def values(self) -> np.ndarray:
        """Baseband from the first sample on."""
        begin = self.first - self.baseband.start
        return self.baseband.values[begin : begin + self.end - self.first]

    def cells(self) -> list[Cell]:
        """Cells in all chunks since the start."""
        if self.map is None:
            return []
        found = self._cells(self.map)
        if not found and self.is_narrow:
            # What stood out in the first radio frame was no cell: all offsets get all samples.
            self.map = PssMap(self.rate, self.offsets, self.carrier_frequency)
            self.correlated, self.is_narrow = 0, False
            self._correlate(self.map)
            found = self._cells(self.map)
        return found

    def _cells(self, pss_map: PssMap) -> list[Cell]:
        values = self.values()
        cells: list[Cell] = []
        taken: list[Candidate] = []
        for candidate in pss_map.candidates():
            beside = [other.sector for other in taken if _is_near(other.place, candidate.place)]
            # A PSS that is shifted in frequency looks like itself at another time: one cell has many such places.
            if candidate.sector in beside:
                continue
            # What falls into a strong cell's own SSS correlates with parts of it.
            cell = self._cell(values, candidate, RATIO_BESIDE_ANOTHER if beside else UNCLEAR_RATIO)
            if cell is not None:
                cells.append(cell)
                taken.append(candidate)
        return cells

    def _cell(self, values, candidate, least_ratio):
        period = 5e-3 * self.rate * (1 + candidate.drift)
        begins = np.round(np.arange(len(values) // period + 1) * period).astype(int)
        starts = begins + candidate.place
        starts = starts[starts + SYMBOL <= len(values)]
        if not len(starts):
            return None
        sync = synchronise(values, starts, candidate.sector, candidate.offset, self.rate)
        if sync is None or sync.strength < SSS_LIMIT or sync.ratio < least_ratio:
            return None
        # Frames from the one on in which the first half frame lies.
        first = candidate.place - sync.to_frame - (HALF_FRAME if sync.second_half else 0)
        frames = first + np.round(np.arange(-(first // (2 * period)) - 1, len(values) // (2 * period) + 2) * 2 * period)
        frames = frames[frames >= 0].astype(int)
        return self._described(values, sync, frames, 2 * period)

    def _described(self, values, sync: Synchronisation, frames, period):
        rate = self.rate
        start = int(frames[0]) if len(frames) else 0
        cell = Cell(
            technology="LTE",
            cell_id=sync.cell_id,
            evidence=SYNC,
            frequency=self.middle + sync.offset,
            frequency_offset=self.middle + sync.offset - self.frequency,
            start_s=(self.first + start) / rate,
            snr_db=float(10 * np.log10(max(sync.snr, 1e-9))),
            score=sync.ratio,
            duplex=sync.duplex,
            extended_prefix=sync.extended,
        )
        if not len(frames):
            return cell if sync.is_certain else None
        found = decode_broadcast(values, frames, sync.offset, rate, sync.cell_id, sync.extended, sync.snr)
        if found is None:
            return cell if sync.is_certain and not self._is_refuted(values, sync, frames) else None
        information = found.information
        return replace(
            cell,
            evidence=BROADCAST,
            frequency=self.middle + found.offset,
            frequency_offset=self.middle + found.offset - self.frequency,
            channel_bandwidth=_bandwidth(information.n_rb),
            frames=found.frames,
            mib={
                "dl-Bandwidth": information.n_rb,
                "phich-Duration": "extended" if information.extended_phich else "normal",
                "phich-Resource": PHICH_RESOURCES[information.phich_resource][0],
                "systemFrameNumber": information.frame_number,
                "antennaPortsCount": found.ports,
            },
        )

    def _is_refuted(self, values, sync, frames):
        """Whether noise may have given what PSS and SSS say, and the cell's reference signals are missing."""
        if sync.ratio >= CLEAR_RATIO:
            return False
        return not has_references(values, frames, sync.offset, self.rate, sync.cell_id, sync.extended, sync.duplex)


def _bandwidth(n_rb):
    return next(bandwidth for bandwidth, blocks in N_RB.items() if blocks == n_rb)


def _is_near(place, other):
    distance = abs(place - other)
    return min(distance, HALF_FRAME - distance) < 2 * SYMBOL


def checked_samples(samples: np.ndarray) -> np.ndarray:
    """Samples as complex64; a ParameterError where they are no row of finite values."""
    samples = np.asarray(samples)
    if samples.ndim != 1:
        raise ParameterError(f"samples have the shape {samples.shape}; choose one dimension")
    if not np.isfinite(samples.view(samples.real.dtype) if samples.flags.c_contiguous else samples).all():
        raise ParameterError("samples have values that are not finite (NaN or infinity); leave these frames out")
    return samples.astype(np.complex64, copy=False)


def _distinct(cells):
    """Cells without those that were found twice, of these the one that says more, then the stronger; and without those
    that are another one seen beside its frequency."""
    kept: list[Cell] = []
    for cell in sorted(cells, key=lambda cell: (cell.evidence == BROADCAST, cell.snr_db), reverse=True):
        if not any(
            _is_same(cell, other) or cell.is_ghost_of(other, cell.frequency - other.frequency) for other in kept
        ):
            kept.append(cell)
    return sorted(kept, key=lambda cell: -cell.snr_db)


def _is_same(cell, other):
    apart = abs((cell.start_s - other.start_s + 5e-3) % 10e-3 - 5e-3)
    return (
        cell.cell_id == other.cell_id
        and abs(cell.frequency - other.frequency) < SAME_CELL_HZ
        and apart < SAME_CELL_SAMPLES / RATE + 60e-6 * abs(cell.start_s - other.start_s)
    )


def _from_first_sample(cell):
    """A cell that was found in a later part, as of the first radio frame in the samples."""
    frames = int(cell.start_s / FRAME_S)
    mib = dict(cell.mib)
    if mib:
        mib["systemFrameNumber"] = (int(mib["systemFrameNumber"]) - frames) % FRAME_NUMBERS
    return replace(cell, start_s=cell.start_s - frames * FRAME_S, mib=mib)
