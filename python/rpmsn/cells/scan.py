# SPDX-License-Identifier: GPL-3.0-or-later
"""Cells in recordings, or in what a radio received: which places are searched, and what is found there.

Wide spans are screened first (`screening`): a search looks only where synchronisation signals stand out. It looks at
more where that is cheap: at an LTE carrier in the middle, in all of a narrow span, at few places of NR's raster.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ..errors import ParameterError, RecordingError
from ..standards import bands
from ..standards.nr import SSB_CASES, SSB_SUBCARRIERS
from . import lte, nr
from .cell import BROADCAST, SAME_HZ, Cell
from .channels import CLEAR_HZ, Channel, channel_of
from .lte.narrowband import HALF_WIDTH as NARROWBAND_HALF_WIDTH
from .lte.search import HALF_WIDTH as LTE_HALF_WIDTH
from .lte.search import LOWEST_RATE, TOLERANCE
from .nr.spectrum import fits
from .screening import Sequence3, nr_sequences, screen, screened_part
from .spectrum import Spectrum

LTE, NR, NB_IOT = "LTE", "NR", "NB-IoT"
TECHNOLOGIES = (LTE, NR, NB_IOT)
DEFAULT_TECHNOLOGIES = (LTE, NR)
"""NB-IoT's broadcast channel is not decoded, so that nothing proves such a cell."""

DEFAULT_SECONDS, LONGEST_SECONDS = 0.2, 2.0
MOST_SAMPLES = 1 << 26
"""Samples that are searched at most: 0.5 GB, and the search takes four times that."""
NR_TOLERANCE = 7.5e3
"""Hz: 2 ppm at 3.5 GHz. More costs a correlation for every half subcarrier; the screen does without."""
LTE_FULL_RATE = 2.6e6
"""Up to this rate the whole span is searched for LTE in full: four basebands of 360 kHz."""
NR_FULL_PLACES = 12
"""Places of the raster that are searched in full; of more, those where the screen sees something."""
SIB1_SECONDS = 0.085
"""Of a piece are searched for SIB1: four of its usual periods of 20 ms."""
KNOWN_PPM, HIGHEST_PPM = 2.0, 50.0
"""How far a receiver's error may be beside that of the first cell; what a receiver's error may be at most."""


class Source(Protocol):
    """What a scan needs of a `rpmsn.recording.Recording`."""

    @property
    def sample_rate(self) -> float: ...
    @property
    def sample_count(self) -> int: ...
    @property
    def captures(self) -> Sequence["CaptureStart"]: ...
    def read(self, start: int, count: int) -> np.ndarray: ...


class CaptureStart(Protocol):
    """What a scan needs of a `rpmsn.recording.Capture`."""

    @property
    def sample_start(self) -> int: ...
    @property
    def center_frequency(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class FoundCell:
    """A cell of a scan.

    Attributes:
        cell: the cell; its `frequency` and `start_s` count from the centre and the start of what was searched.
        center_frequency: of the samples, Hz; None where it is not known.
        place_offset: Hz from the place that was named to the cell; None where none was.
        start_s: of the samples that were searched, s from the recording's start.
    """

    cell: Cell
    center_frequency: float | None
    place_offset: float | None
    start_s: float = 0.0

    @property
    def frequency(self) -> float:
        """Hz, absolute where the centre is known, else from the centre."""
        return self.cell.frequency + (self.center_frequency or 0.0)

    @property
    def edges(self) -> tuple[float, float] | None:
        """Lower and upper edge of an NR carrier as SIB1 says, Hz; None where it is not known."""
        return self.cell.sib1_edges(self.frequency)

    @property
    def channel(self) -> Channel | None:
        """Bands and channel numbers; None where the centre is not known."""
        return None if self.center_frequency is None else channel_of(self.cell, self.center_frequency)

    @property
    def duplex(self) -> str | None:
        """FDD or TDD, as the cell's signals say, or else all bands that fit; None where it is not known."""
        return self.cell.duplex or (self.channel.duplex if self.channel else None)

    @property
    def offset(self) -> float | None:
        """Hz from the place of the raster where that is clear, else from the place that was named; None without."""
        place = self.raster_frequency
        return self.place_offset if place is None else self.frequency - place

    @property
    def ppm(self) -> float | None:
        """Offset over frequency, where the centre is known: what the receiver's clock and the cell's differ by."""
        offset = self.offset
        return None if offset is None or self.center_frequency is None else 1e6 * offset / self.frequency

    @property
    def raster_frequency(self) -> float | None:
        """Hz of the channel number's place; None where it is not clear."""
        channel = self.channel
        if channel is None or not (channel.earfcns or channel.gscn is not None):
            return None
        if channel.gscn is not None:
            return bands.gscn_frequency(channel.gscn)
        return bands.earfcn_frequency(channel.earfcns[0])


@dataclass(frozen=True)
class Wanted:
    """What is to be searched.

    Attributes:
        seconds: of every capture, or in every step of a radio, up to `LONGEST_SECONDS`.
        at: Hz, centres of LTE carriers or SS/PBCH blocks to search instead of all: absolute where the centre frequency
            is known, else from the centre.
        everywhere: search every frequency of the span in full as well, which takes minutes at high rates.
        technologies: of `TECHNOLOGIES`.
        between: (lower, upper) in Hz to which the search is limited; None: all.

    Raises:
        ParameterError: a value is not allowed.
    """

    seconds: float = DEFAULT_SECONDS
    at: Sequence[float] = ()
    everywhere: bool = False
    technologies: Iterable[str] = DEFAULT_TECHNOLOGIES
    between: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= LONGEST_SECONDS:
            raise ParameterError(f"seconds is {self.seconds:g}; choose above 0 to {LONGEST_SECONDS:g}")
        chosen = set(self.technologies)
        for technology in chosen - set(TECHNOLOGIES):
            raise ParameterError(f"technology is {technology!r}; choose one of {', '.join(TECHNOLOGIES)}")
        object.__setattr__(self, "technologies", [technology for technology in TECHNOLOGIES if technology in chosen])
        if self.between is not None:
            lower, upper = self.between
            if not (math.isfinite(lower) and math.isfinite(upper) and 0 <= lower < upper):
                raise ParameterError(
                    f"the range is from {lower / 1e6:.6g} to {upper / 1e6:.6g} MHz; choose two frequencies of which "
                    "the second is the higher"
                )
            if self.at:
                raise ParameterError("at names places, and a range is given as well; choose one of the two")

    def holds(self, frequency: float, tolerance: float = 0.0) -> bool:
        """Whether a frequency, Hz, is in the range."""
        return self.between is None or self.between[0] - tolerance <= frequency <= self.between[1] + tolerance


@dataclass(frozen=True, slots=True)
class Scan:
    """Result of a scan.

    Attributes:
        start_s: of the first samples that were searched, s from the recording's start.
        seconds: that were searched, all captures or steps together.
        sample_rate: Hz.
        center_frequency: Hz; None where it is not known, or there were several.
        cells: by frequency.
        searched: for each technology, where.
        warnings: what could not be searched, and why.
        captures: how many captures or steps were searched.
        receiver_ppm: error of the receiver's clock, as the first proven cell shows it; None where none does.
        is_complete: False where the search was stopped.
    """

    start_s: float
    seconds: float
    sample_rate: float
    center_frequency: float | None
    cells: list[FoundCell] = field(default_factory=list)
    searched: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    captures: int = 1
    receiver_ppm: float | None = None
    is_complete: bool = True


Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class _Step:
    """One search: its technology, where in words, and how; `is_named` where its offsets count from named places.

    `weight` is about what it costs, for the progress.
    """

    technology: str
    where: str
    find: Callable[[np.ndarray], list[Cell]]
    is_named: bool = True
    weight: float = 1.0


class CellScan:
    """Cells of samples that come one capture, or one step of a radio, after the other; what is found is kept.

    Args:
        sample_rate: Hz.
        wanted: what is searched.

    Example:
        >>> scan = CellScan(1.92e6, Wanted(technologies=["LTE"]))
        >>> scan.search(np.zeros(9600, np.complex64), 1815e6)
        >>> scan.result().cells, scan.result().searched
        ([], ['LTE everywhere'])
    """

    def __init__(self, sample_rate: float, wanted: Wanted) -> None:
        self.sample_rate, self.wanted = sample_rate, wanted
        self.receiver_ppm: float | None = None
        self.warnings: list[str] = []
        self._found: list[FoundCell] = []
        self._searched: list[str] = []
        self._centers: list[float | None] = []
        self._start_s: float | None = None
        self._samples = 0
        self._is_complete = False

    def search(
        self,
        samples: np.ndarray,
        center_frequency: float | None,
        start_s: float = 0.0,
        progress: Progress | None = None,
    ) -> None:
        """Search samples, and add what is found.

        Args:
            samples: complex64, shape (n,).
            center_frequency: of theirs, Hz; None where it is not known.
            start_s: of the first, s from the recording's start.
            progress: is called with the technology and the fraction that is done before each search.

        Raises:
            ParameterError: a place that is named is not in the samples.
            RecordingError: nothing of what is asked for can be searched at this rate and frequency.
        """
        plan = _Plan(self.sample_rate, center_frequency, self.wanted, self.receiver_ppm)
        if not plan.steps:
            raise RecordingError(f"nothing can be searched: {'; '.join(plan.warnings)}")
        self._is_complete = False
        samples, warnings = _finite(samples)
        self._centers.append(center_frequency)
        self._start_s = start_s if self._start_s is None else min(self._start_s, start_s)
        self._samples += len(samples)
        self._say(self.warnings, [*warnings, *plan.warnings])
        self._say(self._searched, [f"{step.technology} {step.where}" for step in plan.steps])
        total = sum(step.weight for step in plan.steps)
        done = 0.0
        for step in plan.steps:
            if progress is not None:
                progress(step.technology, done / total)
            self._add(step, samples, center_frequency, start_s)
            plan.receiver_ppm = self.receiver_ppm
            done += step.weight
        self._is_complete = True

    @property
    def searches(self) -> int:
        """How many captures or steps have been searched, or begun."""
        return len(self._centers)

    def abandon(self) -> None:
        """Say that more was to come, which does not."""
        self._is_complete = False

    def result(self) -> Scan:
        """What is found so far."""
        centers = set(self._centers)
        cells = sorted(self._found, key=lambda one: (one.frequency, one.cell.cell_id))
        return Scan(
            self._start_s or 0.0,
            self._samples / self.sample_rate,
            self.sample_rate,
            centers.pop() if len(centers) == 1 else None,
            cells,
            list(self._searched),
            list(self.warnings),
            len(self._centers),
            self.receiver_ppm,
            self._is_complete,
        )

    def _add(self, step, samples, center_frequency, start_s):
        cells = [
            FoundCell(one, center_frequency, one.frequency_offset if step.is_named else None, start_s)
            for one in self._with_sib1(step.find(samples), samples)
        ]
        cells = [one for one in cells if self.wanted.holds(one.frequency, TOLERANCE)]
        self._found = _merged(self._found, cells)
        if self.receiver_ppm is None:
            self.receiver_ppm = _receiver_ppm(self._found)

    def _with_sib1(self, cells, samples):
        """Cells, those of NR with what their SIB1 says, where it is sent within the first `SIB1_SECONDS`."""
        if not any(cell.technology == NR for cell in cells):
            return cells
        spectra = [Spectrum(samples[: round(SIB1_SECONDS * self.sample_rate)], self.sample_rate)]
        return [nr.with_sib1(spectra, self.sample_rate, cell) if cell.technology == NR else cell for cell in cells]

    @staticmethod
    def _say(said, sentences):
        said += [sentence for sentence in sentences if sentence not in said]


def scan_recording(
    recording: Source,
    seconds: float = DEFAULT_SECONDS,
    at: Sequence[float] = (),
    everywhere: bool = False,
    technologies: Iterable[str] = DEFAULT_TECHNOLOGIES,
    progress: Progress | None = None,
    between: tuple[float, float] | None = None,
) -> Scan:
    """Search the beginnings of a recording's captures for cells; arguments as of `Wanted` and `CellScan.search`.

    Raises:
        ParameterError: a value is not allowed.
        RecordingError: nothing of what is asked for can be searched at this rate and frequency; the recording cannot
            be read.
    """
    scan = CellScan(recording.sample_rate, Wanted(seconds, at, everywhere, technologies, between))
    search_captures(scan, recording, progress)
    return scan.result()


def search_captures(scan: CellScan, recording: Source, progress: Progress | None = None) -> None:
    """Search the captures of a recording, as many as `MOST_SAMPLES` allow; those of other centre frequencies first."""
    rate, seconds = recording.sample_rate, scan.wanted.seconds
    captures = _captures(recording)
    if scan.wanted.between is not None:
        captures = _in_range(captures, rate, scan.wanted)
    chosen: list[tuple[int, int, float | None]] = []
    room = MOST_SAMPLES
    for start, end, center_frequency in captures:
        count = min(end - start, round(seconds * rate), room)
        if count < min(end - start, round(seconds * rate)) and chosen:
            break
        chosen.append((start, count, center_frequency))
        room -= count
    start, count, _ = chosen[0]
    if count < min(captures[0][1] - start, round(seconds * rate)):
        scan.warnings.append(f"only {count / rate:.3g} s are searched: more does not fit in memory at this sample rate")
    if len(chosen) < len(captures):
        scan.warnings.append(
            f"only {len(chosen)} of {len(captures)} captures are searched, of every frequency the longest first"
        )
    for number, (start, count, center_frequency) in enumerate(sorted(chosen, key=lambda one: one[0])):
        scan.search(
            recording.read(start, count), center_frequency, start / rate, part_of(progress, number, len(chosen))
        )


def part_of(progress: Progress | None, number: int, count: int) -> Progress | None:
    """Progress of one of several searches, as that of all."""
    if progress is None:
        return None
    return lambda technology, fraction: progress(technology, (number + fraction) / count)


def _captures(recording):
    """(first sample, end, centre frequency) of the captures: the longest of every frequency, then the others."""
    captures = recording.captures
    ends = [capture.sample_start for capture in captures[1:]] + [recording.sample_count]
    known = [
        # 0 Hz stands for a baseband.
        (capture.sample_start, end, capture.center_frequency if (capture.center_frequency or 0) > 0 else None)
        for capture, end in zip(captures, ends)
    ]
    known.sort(key=lambda one: one[0] - one[1])
    seen: dict[float | None, int] = {}
    ranked = []
    for capture in known:
        seen[capture[2]] = seen.get(capture[2], 0) + 1
        ranked.append((seen[capture[2]] > 1, capture))
    return [capture for _, capture in sorted(ranked, key=lambda one: one[0])]


def _in_range(captures, rate, wanted):
    """The captures that have a part of the range."""
    lower, upper = wanted.between
    if all(center_frequency is None for _, _, center_frequency in captures):
        raise ParameterError(
            "a range needs the recording's centre frequency, which is not known; give it by --center-frequency, or "
            "leave the range out"
        )
    kept = [one for one in captures if one[2] is not None and lower < one[2] + rate / 2 and one[2] - rate / 2 < upper]
    if not kept:
        spans = ", ".join(
            f"{(center - rate / 2) / 1e6:.6g} to {(center + rate / 2) / 1e6:.6g}"
            for center in sorted({one[2] for one in captures if one[2] is not None})[:4]
        )
        raise ParameterError(
            f"the range is from {lower / 1e6:.6g} to {upper / 1e6:.6g} MHz, and the recording has {spans} MHz; choose "
            "a range in it"
        )
    return kept


class _Plan:
    """The searches for one capture, and what cannot be searched in it."""

    def __init__(
        self, sample_rate: float, center_frequency: float | None, wanted: Wanted, receiver_ppm: float | None
    ) -> None:
        self.rate, self.center, self.wanted, self.receiver_ppm = sample_rate, center_frequency, wanted, receiver_ppm
        at = wanted.at
        self.named = [self._relative(frequency) for frequency in at]
        self.at_places = "at " + ", ".join(f"{frequency / 1e6:.6g} MHz" for frequency in at) if at else "at the centre"
        self.warnings: list[str] = []
        searches = {LTE: self._lte, NR: self._nr, NB_IOT: self._narrowband}
        self.steps = [step for technology in wanted.technologies for step in searches[technology]()]
        self._tell_bands()

    def _relative(self, frequency: float) -> float:
        """Hz from the centre of a place that the user names."""
        relative = frequency - (self.center or 0.0)
        if not abs(relative) < self.rate / 2:
            low, high = ((self.center or 0.0) + side * self.rate / 2 for side in (-1, 1))
            raise ParameterError(
                f"at is {frequency:g} Hz; choose a frequency from {low / 1e6:.6g} to {high / 1e6:.6g} MHz"
                + ("" if self.center is not None else " (its centre frequency is not known: offsets from the centre)")
            )
        return relative

    def _tell_bands(self) -> None:
        if self.center is None:
            return
        lower, upper = self.center - self.rate / 2, self.center + self.rate / 2
        if not bands.defined_at(lower, upper):
            self.warnings.append(
                f"no LTE or NR band is defined from {lower / 1e6:.6g} to {upper / 1e6:.6g} MHz: is that where the "
                "receiver was tuned to?"
            )

    def _allowed(self, frequencies: np.ndarray) -> np.ndarray:
        """Which frequencies, Hz from the centre, are in the range."""
        if self.wanted.between is None or self.center is None:
            return np.ones(frequencies.shape, bool)
        lower, upper = self.wanted.between
        absolute = frequencies + self.center
        return (lower - TOLERANCE <= absolute) & (absolute <= upper + TOLERANCE)

    def _inside(self, technology: str, half_width: float) -> list[float]:
        """The named places whose band is in the samples, the centre where none is named."""
        places = self.named or [0.0]
        kept = [place for place in places if abs(place) + half_width <= self.rate / 2]
        if len(kept) < len(places):
            self.warnings.append(
                f"{technology} is not searched at {len(places) - len(kept)} of the places given: its signals are "
                f"{2 * half_width / 1e6:.3g} MHz wide and reach beyond the samples there"
            )
        return kept

    def _lte(self) -> Iterator[_Step]:
        if not self._is_fast_enough(LTE):
            return
        is_narrow = self.rate <= LTE_FULL_RATE and not self.named
        if self.wanted.everywhere or is_narrow:
            # Takes in every place of the raster, whatever the receiver's frequency error.
            weight = 0.5 * self.rate / 360e3
            yield _Step(LTE, "everywhere", self._lte_at(None, TOLERANCE), is_named=False, weight=weight)
            if not self.named:
                return
        places = self._inside(LTE, LTE_HALF_WIDTH)
        if places and (self.named or self.wanted.holds(self.center or 0.0, TOLERANCE)):
            yield _Step(LTE, f"{self.at_places} +-{TOLERANCE / 1e3:g} kHz", self._lte_at(places, TOLERANCE))
        if not self.named:
            yield _Step(
                LTE, "wherever its PSS stands out", self._lte_screened, is_named=False, weight=1 + self.rate / 10e6
            )

    def _lte_at(self, places, tolerance):
        return lambda samples: lte.find_cells(samples, self.rate, places, tolerance, self.center)

    def _lte_screened(self, samples: np.ndarray) -> list[Cell]:
        return lte.find_cells_anywhere(samples, self.rate, self.center, self._allowed)

    def _screened(self, samples: np.ndarray, sequences: Sequence3) -> list[float]:
        part = screened_part(samples, self.rate)
        return [place.frequency for place in screen(part, self.rate, sequences, self._allowed)]

    def _narrowband(self) -> Iterator[_Step]:
        if not self._is_fast_enough(NB_IOT):
            return
        tolerance, everywhere = TOLERANCE, self.wanted.everywhere
        if everywhere:
            highest = self.rate / 2 - NARROWBAND_HALF_WIDTH
            n = max(1, math.ceil(highest / tolerance))
            places, where = list((np.arange(n) + 0.5) / n * 2 * highest - highest), "everywhere"
        else:
            places = self._inside(NB_IOT, NARROWBAND_HALF_WIDTH)
            where = f"{self.at_places} +-{tolerance / 1e3:g} kHz"
        if places:
            yield _Step(
                NB_IOT,
                where,
                lambda samples: _once(lte.find_narrowband_cells(samples, self.rate, places, tolerance, self.center)),
                is_named=not everywhere,
            )

    def _is_fast_enough(self, technology: str) -> bool:
        if self.rate >= LOWEST_RATE:
            return True
        self.warnings.append(
            f"{technology} needs {LOWEST_RATE / 1e6:g} Msps or more; the recording has {self.rate / 1e6:g}"
        )
        return False

    def _nr(self) -> Iterator[_Step]:
        spacings = tuple(spacing for spacing in SSB_CASES if fits(0.0, spacing, self.rate))
        too_wide = [spacing for spacing in SSB_CASES if spacing not in spacings]
        if too_wide:
            widths = " and ".join(f"{SSB_SUBCARRIERS * spacing / 1e6:g}" for spacing in too_wide)
            self.warnings.append(
                f"NR with SS/PBCH blocks of {widths} MHz ({' and '.join(f'{spacing / 1e3:g}' for spacing in too_wide)} "
                f"kHz subcarriers) cannot be searched in {self.rate / 1e6:g} Msps"
            )
        if not spacings:
            return
        if self.named:
            yield from self._nr_at(spacings)
        else:
            yield from self._nr_raster(spacings)
            for spacing in spacings:
                yield _Step(
                    NR,
                    f"({spacing / 1e3:g} kHz) wherever its PSS stands out",
                    self._nr_screened(spacing),
                    is_named=False,
                    weight=1 + self.rate / 10e6,
                )
        if self.wanted.everywhere:
            yield _Step(
                NR, "everywhere", lambda samples: nr.find_cells(samples, self.rate, spacings=spacings), is_named=False
            )

    def _nr_screened(self, spacing):
        def find(samples):
            places = self._screened(samples, nr_sequences(spacing))
            places = [place for place in places if fits(place, spacing, self.rate)]
            return nr.find_cells(samples, self.rate, places, (spacing,), spacing / 2) if places else []

        return find

    def _nr_at(self, spacings: Sequence[float]) -> Iterator[_Step]:
        places = self._inside(NR, SSB_SUBCARRIERS / 2 * min(spacings))
        if places:
            yield _Step(
                NR,
                f"{self.at_places} +-{NR_TOLERANCE / 1e3:g} kHz",
                lambda samples: nr.find_cells(samples, self.rate, places, spacings, NR_TOLERANCE, self.center),
            )

    def _nr_raster(self, spacings: Sequence[float]) -> Iterator[_Step]:
        """The synchronisation raster's places of all bands in view, where they are few."""
        center = self.center
        if center is None:
            return
        edges = center - self.rate / 2, center + self.rate / 2
        frequencies = [bands.gscn_frequency(number) for number in bands.ssb_places(*edges, min(spacings))]
        frequencies = [
            frequency for frequency in frequencies if bands.bands_at(frequency, NR) and self.wanted.holds(frequency)
        ]
        if not 0 < len(frequencies) <= NR_FULL_PLACES:
            return

        def find(samples):
            # The receiver's error is asked for now: LTE's cells, which are searched before, show it.
            ppm = self.receiver_ppm
            error, tolerance = (0.0, NR_TOLERANCE) if ppm is None else (ppm * 1e-6, KNOWN_PPM * 1e-6 * center)
            places = [frequency * (1 + error) - center for frequency in frequencies]
            places = [place for place in places if fits(place, min(spacings), self.rate)]
            return nr.find_cells(samples, self.rate, places, spacings, tolerance, center) if places else []

        yield _Step(
            NR,
            f"at {len(frequencies)} places of the synchronisation raster",
            find,
            is_named=False,
            weight=0.2 * len(frequencies),
        )


def _finite(samples: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The samples with silence for what is not finite, and a sentence about that."""
    bad = ~np.isfinite(samples)
    count = int(np.count_nonzero(bad))
    if not count:
        return samples, []
    return np.where(bad, np.complex64(0), samples), [
        f"{count} of {len(samples)} samples are not finite (NaN or infinity) and count as silence"
    ]


def _receiver_ppm(found: list[FoundCell]) -> float | None:
    """The receiver's error by the strongest proven cell that is clearly on the raster; None without one."""
    proven = [one for one in found if one.cell.evidence == BROADCAST and one.raster_frequency is not None]
    for one in sorted(proven, key=lambda one: -one.cell.snr_db):
        if abs(one.ppm or 0.0) <= HIGHEST_PPM and abs(one.offset or 0.0) <= CLEAR_HZ:
            return one.ppm
    return None


def _merged(found: list[FoundCell], more: list[FoundCell]) -> list[FoundCell]:
    """The cells of two searches; each once, with its better evidence, and without ghosts."""
    kept: list[FoundCell] = []
    # Sorting is stable: of the same evidence the one that was there before stays.
    for one in sorted([*found, *more], key=lambda one: one.cell.evidence != BROADCAST):
        if not _has(kept, one):
            kept.append(one)
    return [
        one for one in kept if not any(one.cell.is_ghost_of(two.cell, one.frequency - two.frequency) for two in kept)
    ]


def _once(cells: Iterable[Cell]) -> list[Cell]:
    """Cells of several places without those that a neighbour's tolerance takes in as well."""
    kept: list[Cell] = []
    for cell in cells:
        if not any(cell.cell_id == other.cell_id and abs(cell.frequency - other.frequency) < SAME_HZ for other in kept):
            kept.append(cell)
    return kept


def _has(found: list[FoundCell], one: FoundCell) -> bool:
    """Whether a cell is among those of another search."""
    return any(
        (one.cell.technology, one.cell.cell_id, one.cell.subcarrier_spacing)
        == (other.cell.technology, other.cell.cell_id, other.cell.subcarrier_spacing)
        and abs(one.frequency - other.frequency) < SAME_HZ
        for other in found
    )
