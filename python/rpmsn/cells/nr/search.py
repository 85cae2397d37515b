# SPDX-License-Identifier: GPL-3.0-or-later
"""The search for NR cells: places, time, and what counts as a cell.

Every place (a frequency and a subcarrier spacing) adds up the PSS's correlation over periods of 20 ms, in which blocks
that come every 5, 10 or 20 ms always fall on the same samples; the largest value of each sample is kept as well, for
those that come every 40 to 160 ms. The highest peaks are looked into: the SSS says whether it is a cell and which, the
PBCH proves it by its CRC.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import scipy.special

from ...errors import ParameterError
from ...standards.bands import gscn_frequency, ssb_places
from ...standards.nr import SSB_CASES, SSB_FIRST_SYMBOLS, SSB_SUBCARRIERS, symbol_time
from ..cell import BROADCAST, SYNC, Cell
from ..screening import nr_sequences, screen
from ..spectrum import History, Spectrum, band_rate, check_rates, nearest, silenced
from ..threads import each
from .broadcast import Broadcast, Pbch
from .spectrum import N_FFT, fits, width
from .sync import BLOCK, MARGIN, PSS_SAMPLES, Secondary, Sync, Windows, align, pss_correlator, refine

PERIOD_S = 0.02
"""Every period of SS/PBCH blocks that a network may choose divides it, or is a multiple of it: TS 38.331."""
SPACINGS = tuple(SSB_CASES)
BLOCK_S = 0.04
"""Seconds of samples that are searched at once."""
HISTORY_S = 0.32
"""Seconds of samples that a `NrSearcher` keeps of every place."""
FORGET_PERIODS = 64
"""Periods after which what is kept of the PSS's correlation is halved: 1.3 s."""

SYNC_STRENGTH, SYNC_SCORE = 26.0, 1.45
"""A cell by its synchronisation signals. In noise 336 exp(-26) = 2e-9 of the peaks come so far. In 96 looks of 40 ms
at scenes and noise the largest strength was 17.5, with scores up to 1.66: `benchmarks/cells_false.py`."""
PBCH_STRENGTH = 15.0
"""From here on a PBCH is worth decoding. In noise 336 exp(-15) = 1e-4 of the peaks come so far, in each of three sets
of windows; the CRC of 24 bits with a list of 8 passes 5e-7 of the blocks, of which some 30 are tried: 5e-9 a peak."""
FALSE_PEAKS = 1e-5
"""Probability that noise exceeds the limit of the PSS, at one place in time and frequency: some of a period do. Where
the SSS, of the same power, reaches `PBCH_STRENGTH`, the PSS is above this limit as well."""
CANDIDATES = 8
"""Peaks of a place that are looked into at most."""
APART = 6
"""Samples (128 a symbol) within which peaks of one PSS are the same block."""
SCREEN_ROOM = PSS_SAMPLES // 2
"""Samples by which a PSS may begin before or after the times that a screen has for it: its windows hold 7/8 of one."""
MAX_PLACES = 96
"""Places that are searched in full; of more, those where the PSS stands out most."""
SCREEN_S, SCREEN_PLACES = 0.08, 24
"""Seconds that are looked at to choose places: four periods of the usual 20 ms; places of a spacing with no hint."""
FALSE_PLACES = 1e-6
"""Of a screen: in 20 MHz and 20 ms some ten places of noise are searched in vain."""


@dataclass(frozen=True)
class _Peak:
    """A PSS that may be one: its sector, sample in the period (128 a symbol), frequency offset and how far it stands
    out."""

    sector: int
    sample: int
    offset: float
    height: float


@dataclass(frozen=True)
class _Found:
    """A cell's blocks of one index: PSS at `time` seconds, which is in the frame where the broadcast channel says."""

    sync: Sync
    frequency: float
    time: float
    dmrs_index: int
    turn: float
    broadcast: Broadcast | None


class _Place:
    """A frequency and a spacing, with the samples of the last seconds and the PSS's correlations since the start."""

    def __init__(self, sample_rate, frequency, spacing, offsets, history_s, case):
        self.frequency, self.spacing, self.offsets, self.case = frequency, spacing, offsets, case
        self.band_frequency = nearest(frequency, sample_rate)
        self.rate = N_FFT * spacing
        self.ratio = band_rate(sample_rate, width(spacing)) / sample_rate
        self.period = round(PERIOD_S * self.rate)
        self.room = round(history_s * self.rate)
        self.history = History()
        self.end = self.correlated = 0
        self.sums = np.zeros((len(offsets), 3, self.period // 2), np.float32)
        self.peaks = np.zeros_like(self.sums)
        self.counts = np.zeros(self.period // 2, np.float32)

    def add(self, spectrum: Spectrum, start: int) -> None:
        """Take in a frame, by its spectrum and its place in the stream."""
        # What the next frame adds to the last values is not known yet.
        self._correlate(self._take(spectrum, start))
        self.history.keep(self.room + len(self.history.values) - (self.end - self.history.start))

    def flush(self) -> None:
        """Nothing follows."""
        self._correlate(self.end)

    def shows_pss(self, spectra: Sequence[Spectrum], begin_s: float, end_s: float) -> bool:
        """Whether a PSS is in some frames where a screen saw one: between these two times in the period, and no others.
        For a place without any frames."""
        start = 0
        for spectrum in spectra:
            self._take(spectrum, start)
            start += spectrum.count
        first, last = (round(seconds * self.rate / 2) for seconds in (begin_s, end_s))
        for begin in range(first - SCREEN_ROOM, self.end // 2, self.period // 2):
            begin, end = max(begin, 0), min(begin + last - first + 2 * SCREEN_ROOM, self.end // 2 - PSS_SAMPLES + 1)
            self._add_up(begin, end - begin)
        return bool(self.candidates())

    def _take(self, spectrum, start):
        """Take in a frame's band; returns the end of the samples to which the next frame adds nothing."""
        place, values = spectrum.band(self.band_frequency, width(self.spacing), start)
        self.history.add(place, values)
        self.end = math.floor((start + spectrum.count) * self.ratio)
        return self.end - (math.floor(start * self.ratio) - place)

    def _correlate(self, end):
        """Add up the correlation with the PSS from all places from which on one ends before `end`."""
        first, n = self.correlated, end // 2 - PSS_SAMPLES + 1 - self.correlated
        if n <= 0:
            return
        self._add_up(first, n)
        self.correlated += n
        if self.counts.max(initial=0) > FORGET_PERIODS:
            for kept in (self.sums, self.counts, self.peaks):
                kept *= 0.5

    def _add_up(self, first, n):
        """Add up the correlation with the PSS from n places on; none where n is not above 0."""
        if n <= 0:
            return
        begin = 2 * first - self.history.start
        values = self.history.values[begin : begin + 2 * (n + PSS_SAMPLES - 1)]
        metrics = pss_correlator().normalised(values, self.offsets / self.rate)
        for sums, peaks, metric in zip(self.sums, self.peaks, metrics):
            self._fold(sums, peaks, metric, first)
        for _, _, target in self._pieces(first, n):
            self.counts[target] += 1

    def _fold(self, sums, peaks, metric, first):
        for start, stop, target in self._pieces(first, metric.shape[1]):
            sums[:, target] += metric[:, start:stop]
            np.maximum(peaks[:, target], metric[:, start:stop], out=peaks[:, target])

    def _pieces(self, first, n):
        """Runs of the n samples from `first` on that lie in one period: (start, stop, where in the period)."""
        length, start = len(self.counts), 0
        while start < n:
            place = (first + start) % length
            stop = min(n, start + length - place)
            yield start, stop, slice(place, place + stop - start)
            start = stop

    def candidates(self):
        """The peaks to look into: by their mean, and by their largest value."""
        counts = np.maximum(self.counts, 1)
        typical = max(float(self.counts.sum() / max(np.count_nonzero(self.counts), 1)), 1.0)
        limit = (scipy.special.gammainccinv(typical, FALSE_PEAKS) / typical - 1) * np.sqrt(typical)
        highest = 1 - (FALSE_PEAKS / typical) ** (1 / (PSS_SAMPLES - 1))
        # In units of what one value of noise has: the mean of m values is as rare as far out.
        root = np.sqrt(counts)
        scale = (PSS_SAMPLES / root).astype(np.float32)
        chosen = [
            *_highest(self.sums, self.offsets, CANDIDATES, scale, root.astype(np.float32), limit),
            *_highest(self.peaks, self.offsets, CANDIDATES // 2, np.ones_like(scale), np.zeros_like(scale), highest),
        ]
        different: list[_Peak] = []
        for peak in chosen:
            if not any(_same(peak, other) for other in different):
                different.append(peak)
        return different

    def synchronise(self, peak: _Peak) -> tuple[Sync, Windows] | None:
        """The cell that a peak would be, and the windows that say so; None where no block around it is whole."""
        windows = self._windows(peak)
        if windows is None:
            return None
        windows, heights = align(windows, peak.sector)
        signal = Secondary(windows, peak.sector)
        sync, some = signal.best(), windows
        for chosen in _subsets(heights):
            other = signal.best(chosen)
            # More windows confirm more, where they are not much worse.
            if other.strength > 1.2 * sync.strength:
                sync, some = other, windows.some(chosen)
        return sync, some

    def look(self, peak: _Peak) -> _Found | None:
        """What a peak is; None where it is no cell."""
        synchronised = self.synchronise(peak)
        if synchronised is None:
            return None
        sync, some = synchronised
        if not sync.strength >= PBCH_STRENGTH:
            return None
        sync = refine(some, sync)
        pbch = Pbch(some, sync.cell_id, sync.turn)
        broadcast = pbch.decode((some.starts - some.starts[0]) // self.period)
        if broadcast is None and (sync.strength < SYNC_STRENGTH or sync.score < SYNC_SCORE):
            return None
        start = some.starts[broadcast.window if broadcast else int(np.argmax(pbch.quality))]
        return _Found(
            sync, self.band_frequency + sync.offset, float(start / self.rate), pbch.dmrs_index, pbch.turn, broadcast
        )

    def cells(self) -> list[Cell]:
        """The cells among the candidates."""
        return _cells(self, [found for peak in self.candidates() if (found := self.look(peak)) is not None])

    def _windows(self, peak):
        """The samples around a peak in every period that is kept; None where none is whole."""
        oldest = self.history.start
        first = 2 * peak.sample - MARGIN
        first += -(-(oldest - first) // self.period) * self.period if first < oldest else 0
        starts = np.arange(first, self.end - BLOCK - 2 * MARGIN + 1, self.period)
        if not len(starts):
            return None
        taken = (starts - oldest)[:, None] + np.arange(BLOCK + 2 * MARGIN)
        return Windows(self.history.values[taken], starts + MARGIN, peak.offset, self.rate)


def _highest(values, offsets, count, scale, mean, limit):
    """The highest of values (offset, sector, sample) * scale - mean above a limit, `APART` samples or more apart."""
    flat = np.flatnonzero(values > (np.float32(limit) + mean) / scale)
    samples = flat % values.shape[-1]
    heights = values.reshape(-1)[flat] * scale[samples] - mean[samples]
    order = np.argsort(-heights, kind="stable")[: 32 * count]
    peaks: list[_Peak] = []
    for index, height in zip(flat[order], heights[order]):
        offset, sector, sample = np.unravel_index(index, values.shape)
        peak = _Peak(int(sector), int(sample), float(offsets[offset]), float(height))
        if not any(_same(peak, other) for other in peaks):
            peaks.append(peak)
            if len(peaks) == count:
                break
    return peaks


def _same(one, other):
    return one.sector == other.sector and abs(one.sample - other.sample) < APART


def _subsets(heights):
    """Fewer of the windows: those that hold a PSS where not all do, and the best one."""
    if len(heights) > 1:
        strong = np.flatnonzero(heights > 0.5 * heights.max())
        if 1 < len(strong) < len(heights):
            yield strong
        yield np.array([np.argmax(heights)])


class NrSearcher:
    """Finds NR cells in samples that come bit by bit, with a sensitivity that grows with time.

    Memory is bounded: for each frequency and spacing, room for twice the samples of `history_s` (40 MB at 30 kHz, 20 MB
    at 15 kHz for 0.32 s) and two sums over 20 ms for each frequency offset (2 MB).

    Args:
        sample_rate: Hz.
        frequencies: centres of SS/PBCH blocks (subcarrier 120), Hz from the centre of the samples.
        spacings: subcarrier spacings, 15e3, 30e3 Hz. What does not fit the span at one of them is left out.
        tolerance: Hz by which the blocks may be beside `frequencies`; what a receiver's frequency error makes.
        case: 'B' or 'C' at 30 kHz, as the band has it (`standards.bands.ssb_case`); None: by what is sent where
            blocks of several indices come, else C.
        history_s: seconds of samples that are kept.
        block_s: seconds that are searched at once.

    Raises:
        ParameterError: a value cannot be used.
    """

    def __init__(
        self,
        sample_rate: float,
        frequencies: Iterable[float],
        spacings: Sequence[float] = SPACINGS,
        tolerance: float = 7.5e3,
        case: str | None = None,
        history_s: float = HISTORY_S,
        block_s: float = BLOCK_S,
    ) -> None:
        frequencies = [float(frequency) for frequency in frequencies]
        _check(sample_rate, frequencies, spacings, tolerance, case)
        self.sample_rate, self.case, self.history_s = sample_rate, case, history_s
        self.tolerance = tolerance
        self.places = [
            (frequency, spacing)
            for spacing in spacings
            for frequency in frequencies
            if fits(frequency, spacing, sample_rate)
        ]
        if not self.places:
            raise ParameterError(
                f"frequencies are {frequencies[:4]} Hz at a sample_rate of {sample_rate:g} Hz, where no SS/PBCH block "
                f"of {_widths(spacings)} MHz fits; choose frequencies that keep it within +-{sample_rate / 2e6:g} MHz"
            )
        self._chunk = max(1, round(block_s * sample_rate))
        self.reset()

    def reset(self) -> None:
        """Forget all: after a gap, or another frequency of the radio. The next sample is number 0."""
        self._places = [
            _Place(self.sample_rate, frequency, spacing, _offsets(self.tolerance, spacing), self.history_s, self.case)
            for frequency, spacing in self.places
        ]
        self._waiting: list[np.ndarray] = []
        self._n_waiting = self._end = 0
        self._next: int | None = None

    def push(self, samples: np.ndarray | Spectrum, first: int | None = None) -> list[Cell]:
        """Take in samples, and say what is known by now.

        Args:
            samples: complex, shape (n,), any n, NaN and infinity count as silence; or a frame's spectrum, which other
                searchers have as well.
            first: number of the first of them; where it does not follow the last ones, all before is forgotten.

        Returns:
            the cells of the last `history_s`, strongest first; `start_s` counts from the first sample since the last
            gap. Empty also where too few samples have come.

        Raises:
            ParameterError: the samples are no row of complex values; the spectrum is of another sample rate.
        """
        if not isinstance(samples, Spectrum):
            samples = _as_samples(samples)
        elif samples.sample_rate != self.sample_rate:
            raise ParameterError(
                f"samples are a spectrum at {samples.sample_rate:g} Hz; the searcher's sample_rate is "
                f"{self.sample_rate:g} Hz: choose the same for both"
            )
        count = samples.count if isinstance(samples, Spectrum) else len(samples)
        if first is not None:
            if self._next is not None and first != self._next:
                self.reset()
            self._next = first + count
        if isinstance(samples, Spectrum):
            self._search(0)
            self._add(samples)
            return self.cells()
        self._waiting.append(samples)
        self._n_waiting += count
        if self._n_waiting < self._chunk:
            return []
        self._search(self._chunk)
        return self.cells()

    def flush(self) -> list[Cell]:
        """Search also what is left of the last block; nothing may follow but `reset`."""
        self._search(0)
        for place in self._places:
            place.flush()
        return self.cells()

    def _search(self, least):
        """Search what waits in chunks, and a last one of at least `least` samples."""
        if self._n_waiting:
            rest = np.concatenate(self._waiting)
            while len(rest) >= max(least, 1):
                self._add(Spectrum(rest[: self._chunk], self.sample_rate))
                rest = rest[self._chunk :]
            self._waiting, self._n_waiting = [rest], len(rest)

    def _add(self, spectrum):
        for place in self._places:
            place.add(spectrum, self._end)
        self._end += spectrum.count

    def cells(self) -> list[Cell]:
        """What is known by now, strongest first."""
        cells: list[Cell] = []
        for place in self._places:
            cells += place.cells()
        return _distinct(cells)


def find_cells(
    samples: np.ndarray | Sequence[Spectrum],
    sample_rate: float,
    frequencies: Iterable[float] | None = None,
    spacings: Sequence[float] = SPACINGS,
    tolerance: float = 7.5e3,
    center_frequency: float | None = None,
    case: str | None = None,
) -> list[Cell]:
    """NR cells whose SS/PBCH blocks are in samples.

    Args:
        samples: complex, shape (n,), from 1 ms on. NaN and infinity count as silence. Where the places are known, also
            the spectra of frames that follow each other.
        sample_rate: Hz, at least 3.6 MHz (15 kHz) or 7.2 MHz (30 kHz).
        frequencies: where the blocks' centres may be, Hz from the samples' centre. None: on the synchronisation
            raster where `center_frequency` is given, else everywhere, on a grid of half a subcarrier, from about
            -2 dB on where blocks come within the first 80 ms.
        spacings: subcarrier spacings, 15e3, 30e3 Hz.
        tolerance: Hz by which they may be beside `frequencies`.
        center_frequency: Hz, of the samples.
        case: 'B' or 'C' at 30 kHz; None: as `NrSearcher` does.

    Returns:
        the cells, strongest first, times from the first sample.

    Raises:
        ParameterError: a value cannot be used.
    """
    if not isinstance(samples, Sequence):
        samples = _as_samples(samples)
    if frequencies is None:
        _check(sample_rate, [], spacings, tolerance, case)
        if center_frequency is None:
            if isinstance(samples, Sequence):
                raise ParameterError("samples are spectra; choose frequencies, or give the samples themselves")
            return _blind(samples, sample_rate, spacings, case)
        places = _raster(sample_rate, spacings, center_frequency)
    else:
        places = NrSearcher(sample_rate, frequencies, spacings, tolerance, case, BLOCK_S).places
    spectra = _spectra(samples, sample_rate)
    if len(places) > MAX_PLACES:
        return _screened(spectra, sample_rate, places, tolerance, case)
    return _in_turn(spectra, sample_rate, places, tolerance, case)


def _spectra(samples, sample_rate):
    if isinstance(samples, Sequence):
        check_rates(samples, sample_rate)
        return samples
    chunk = round(BLOCK_S * sample_rate)
    return [Spectrum(samples[start : start + chunk], sample_rate) for start in range(0, len(samples), chunk)]


def _raster(sample_rate, spacings, center_frequency):
    """Places of the synchronisation raster in the span."""
    edges = center_frequency - sample_rate / 2, center_frequency + sample_rate / 2
    return [
        (gscn_frequency(number) - center_frequency, spacing)
        for spacing in spacings
        for number in ssb_places(*edges, spacing)
    ]


def _blind(samples, sample_rate, spacings, case):
    """Search the whole span: roughly first, then where it looks like a PSS, at last over all of the time."""
    fitting = [spacing for spacing in spacings if fits(0.0, spacing, sample_rate)]
    if not fitting:
        raise ParameterError(
            f"sample_rate is {sample_rate:g} Hz; an SS/PBCH block needs {_widths(spacings)} MHz of span"
        )
    part = samples[: round(SCREEN_S * sample_rate)]
    finite, spectra = silenced(part), _spectra(part, sample_rate)
    cells: list[Cell] = []
    for spacing in fitting:
        allowed = partial(_is_inside, sample_rate / 2 - SSB_SUBCARRIERS / 2 * spacing)
        places = screen(finite, sample_rate, nr_sequences(spacing), allowed, SCREEN_PLACES, FALSE_PLACES)
        shown = _with_pss(spectra, sample_rate, places, spacing, case)
        cells += _in_turn(spectra, sample_rate, shown, spacing / 2, case)
    cells = _distinct(cells)
    if len(part) == len(samples):
        return cells
    known = [(cell.frequency, cell.subcarrier_spacing) for cell in cells]
    return _in_turn(_spectra(samples, sample_rate), sample_rate, known, 0.0, case)


def _with_pss(spectra, sample_rate, places, spacing, case):
    """(frequency, spacing) of those places of a screen that show a PSS. As long as only phases are compared, the data
    of other signals come as far as a weak one does: most places are none."""
    seconds = sum(spectrum.count for spectrum in spectra) / sample_rate

    def shows_pss(place):
        offsets = _offsets(spacing / 2, spacing)
        search = _Place(sample_rate, place.frequency, spacing, offsets, seconds + BLOCK_S, case)
        return search.shows_pss(spectra, place.begin_s, place.end_s)

    return [(place.frequency, spacing) for place, is_shown in zip(places, each(shows_pss, places)) if is_shown]


def _is_inside(highest, frequencies):
    return np.abs(frequencies) <= highest


def _screened(spectra, sample_rate, places, tolerance, case):
    """Search in full only the places where the PSS stands out most."""
    first = spectra[: math.ceil(SCREEN_S / BLOCK_S)]

    def height_at(place):
        frequency, spacing = place
        search = _Place(sample_rate, frequency, spacing, _offsets(tolerance, spacing), 2 * BLOCK_S, case)
        _fill([search], first)
        return search.peaks.max()

    chosen = np.argsort(-np.array(each(height_at, places)), kind="stable")[:MAX_PLACES]
    return _in_turn(spectra, sample_rate, [places[number] for number in sorted(chosen)], tolerance, case)


def _in_turn(spectra, sample_rate, places, tolerance, case):
    """Search places one after the other: each keeps its samples of the whole time."""
    seconds = sum(spectrum.count for spectrum in spectra) / sample_rate

    def cells_at(place):
        frequency, spacing = place
        search = _Place(sample_rate, frequency, spacing, _offsets(tolerance, spacing), seconds + BLOCK_S, case)
        _fill([search], spectra)
        return search.cells()

    return _distinct([cell for cells in each(cells_at, places) for cell in cells])


def _fill(places, spectra):
    start = 0
    for spectrum in spectra:
        for place in places:
            place.add(spectrum, start)
        start += spectrum.count
    for place in places:
        place.flush()


def _widths(spacings):
    return " or ".join(f"{SSB_SUBCARRIERS * spacing / 1e6:g}" for spacing in spacings)


def _offsets(tolerance, spacing):
    """Frequency offsets to try, Hz: steps of half a subcarrier, that reach the tolerance to a quarter."""
    steps = max(0, math.ceil((tolerance - spacing / 4) / (spacing / 2)))
    return np.arange(-steps, steps + 1) * spacing / 2


def _cells(place, found):
    """Cells of a place: blocks of one identity and different indices are one."""
    cells = []
    for cell_id in dict.fromkeys(result.sync.cell_id for result in found):
        same = [result for result in found if result.sync.cell_id == cell_id]
        best = max(same, key=lambda result: (result.broadcast is not None, result.sync.strength))
        case = _case(place, same)
        count = [(_first_frame(result, place.spacing, case), result) for result in same if result.broadcast]
        expected = next((first for first, result in count if result is best), None)
        frames = sum(result.broadcast.frames for first, result in count if first == expected)
        cells.append(_cell(place, best, case, frames))
    return cells


def _first_frame(found, spacing, case):
    """Frame number at the start of the samples, as a block's own number and time have it."""
    return (found.broadcast.mib.frame - round(_frame_start(found, spacing, case) / 0.01)) % 1024


def _case(place, found):
    """The case of blocks under which all of a cell's agree on the start of the frame."""
    cases = SSB_CASES[place.spacing]
    if len(cases) == 1:
        return cases[0]
    if place.case is not None:
        return place.case

    def spread(case):
        starts = [_frame_start(result, place.spacing, case) for result in found if result.broadcast]
        turns = np.exp(2j * np.pi * np.array(starts) / 0.005)
        return 1 - abs(turns.mean()) if len(starts) > 1 else 0.0

    # As far as the samples' rate can tell; the second is the usual one.
    spreads = {case: round(spread(case), 6) for case in reversed(cases)}
    return min(spreads, key=lambda case: spreads[case])


def _frame_start(found, spacing, case):
    """Start of the radio frame that holds a block, seconds; without a broadcast channel of a half frame."""
    index = found.broadcast.block_index if found.broadcast else found.dmrs_index
    half = found.broadcast.mib.half_frame if found.broadcast else 0
    return found.time - symbol_time(SSB_FIRST_SYMBOLS[case][index], spacing) - 0.005 * half


def _cell(place, found, case, frames):
    start = _frame_start(found, place.spacing, case)
    later = math.ceil(-start / 0.01 - 1e-3)
    fields = {}
    if found.broadcast:
        mib = found.broadcast.mib
        fields = replace(mib, frame=(mib.frame + later) % 1024).fields()
    return Cell(
        technology="NR",
        cell_id=found.sync.cell_id,
        evidence=BROADCAST if found.broadcast else SYNC,
        frequency=found.frequency,
        frequency_offset=found.frequency - place.frequency,
        start_s=max(0.0, start + later * 0.01),
        snr_db=found.sync.snr_db,
        score=found.sync.score,
        subcarrier_spacing=place.spacing,
        mib=fields,
        frames=frames,
        block_index=found.broadcast.block_index if found.broadcast else None,
        symbol_turn=found.turn,
    )


def _distinct(cells):
    """Each cell once, with its best evidence; seen from several places it has one frequency."""
    distinct: list[Cell] = []
    for cell in sorted(cells, key=lambda cell: (cell.evidence != BROADCAST, -cell.snr_db)):
        if not any(
            cell.cell_id == other.cell_id
            and cell.subcarrier_spacing == other.subcarrier_spacing
            and abs(cell.frequency - other.frequency) < cell.subcarrier_spacing
            for other in distinct
        ):
            distinct.append(cell)
    return distinct


def _as_samples(samples):
    samples = np.asarray(samples)
    if samples.ndim != 1 or samples.dtype.kind != "c":
        raise ParameterError(
            f"samples have the shape {samples.shape} and the type {samples.dtype}; one row of complex values is needed"
        )
    return np.ascontiguousarray(samples, np.complex64)


def _check(sample_rate, frequencies, spacings, tolerance, case):
    widest = f"at least {SSB_SUBCARRIERS * min(SPACINGS) / 1e6:g} MHz, the width of an SS/PBCH block"
    if not (math.isfinite(sample_rate) and sample_rate >= SSB_SUBCARRIERS * min(SPACINGS)):
        raise ParameterError(f"sample_rate is {sample_rate} Hz; choose {widest}")
    for frequency in frequencies:
        if not math.isfinite(frequency):
            raise ParameterError(f"frequencies hold {frequency}; finite numbers in Hz are needed")
    if not spacings or not set(spacings) <= set(SPACINGS):
        raise ParameterError(f"spacings are {tuple(spacings)}; choose some of 15e3, 30e3 Hz")
    if not (math.isfinite(tolerance) and 0 <= tolerance <= 1e6):
        raise ParameterError(f"tolerance is {tolerance} Hz; choose 0..1e6")
    if case not in (None, "B", "C"):
        raise ParameterError(f"case is {case!r}; choose 'B' or 'C', or None to find out")
