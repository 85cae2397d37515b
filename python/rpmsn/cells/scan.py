# SPDX-License-Identifier: GPL-3.0-or-later
"""Which places of a recording are searched for cells, and what is found there."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ..errors import ParameterError, RecordingError
from ..standards import bands
from ..standards.nr import SSB_CASES, SSB_SUBCARRIERS
from . import lte, nr
from .cell import BROADCAST, Cell
from .channels import Channel, channel_of
from .lte.narrowband import HALF_WIDTH as NARROWBAND_HALF_WIDTH
from .lte.search import HALF_WIDTH as LTE_HALF_WIDTH
from .lte.search import LOWEST_RATE, TOLERANCE
from .nr.spectrum import fits

LTE, NR, NB_IOT = "LTE", "NR", "NB-IoT"
TECHNOLOGIES = (LTE, NR, NB_IOT)
DEFAULT_TECHNOLOGIES = (LTE, NR)
"""NB-IoT's broadcast channel is not decoded, so that nothing proves such a cell."""

DEFAULT_SECONDS, LONGEST_SECONDS = 0.2, 2.0
MOST_SAMPLES = 1 << 26
"""Samples that are searched at most: 0.5 GB, and the search takes four times that."""
NR_TOLERANCE = 7.5e3
"""Hz: 2 ppm at 3.5 GHz. More costs a correlation for every half subcarrier; `everywhere` does without."""
SAME_HZ = 5e3
"""Cells of one identity that two searches found closer than this are one."""


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
        center_frequency: of the recording, Hz; None where it is not known.
        offset: Hz from the place that was searched to the cell; None where no place was named.
    """

    cell: Cell
    center_frequency: float | None
    offset: float | None

    @property
    def frequency(self) -> float:
        """Hz, absolute where the centre is known, else from the centre."""
        return self.cell.frequency + (self.center_frequency or 0.0)

    @property
    def channel(self) -> Channel | None:
        """Bands and channel numbers; None where the centre is not known."""
        return None if self.center_frequency is None else channel_of(self.cell, self.center_frequency)

    @property
    def duplex(self) -> str | None:
        """FDD or TDD, as the cell's signals say, or else all bands that fit; None where it is not known."""
        return self.cell.duplex or (self.channel.duplex if self.channel else None)


@dataclass(frozen=True, slots=True)
class Scan:
    """Result of a scan.

    Attributes:
        start_s, seconds: what was searched of the recording.
        sample_rate: Hz.
        center_frequency: Hz; None where it is not known.
        cells: by frequency.
        searched: for each technology, where.
        warnings: what could not be searched, and why.
    """

    start_s: float
    seconds: float
    sample_rate: float
    center_frequency: float | None
    cells: list[FoundCell] = field(default_factory=list)
    searched: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Step:
    """One search: its technology, where in words, and how; `is_named` where its offsets count from named places."""

    technology: str
    where: str
    find: Callable[[np.ndarray], list[Cell]]
    is_named: bool = True


def scan_recording(
    recording: Source,
    seconds: float = DEFAULT_SECONDS,
    at: Sequence[float] = (),
    everywhere: bool = False,
    technologies: Iterable[str] = DEFAULT_TECHNOLOGIES,
    progress: Callable[[str, float], None] | None = None,
) -> Scan:
    """Search the beginning of a recording's longest capture for cells.

    Where nothing is named: LTE and NB-IoT at the centre, NR on the synchronisation raster of the bands in view, or at
    the centre where the centre's frequency is not known.

    Args:
        recording: a `rpmsn.recording.Recording`.
        seconds: that are searched, up to `LONGEST_SECONDS`.
        at: Hz, centres of LTE carriers or SS/PBCH blocks to search instead: absolute where the centre frequency is
            known, else from the centre.
        everywhere: search the whole span as well, which takes minutes at high rates.
        technologies: of `TECHNOLOGIES`.
        progress: is called with the technology and the fraction that is done before each search.

    Raises:
        ParameterError: a value is not allowed.
        RecordingError: nothing of what is asked for can be searched at this rate and frequency; the recording cannot
            be read.
    """
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ParameterError(f"seconds is {seconds:g}; choose above 0 to {LONGEST_SECONDS:g}")
    wanted = _wanted(technologies)
    rate = recording.sample_rate
    start, end, center_frequency = _longest_capture(recording)
    plan = _Plan(rate, center_frequency, at, everywhere, wanted)
    if not plan.steps:
        raise RecordingError(f"nothing can be searched: {'; '.join(plan.warnings)}")
    count = min(end - start, round(seconds * rate), MOST_SAMPLES)
    samples, warnings = _finite(recording.read(start, count))
    if count < min(end - start, round(seconds * rate)):
        warnings.append(f"only {count / rate:.3g} s are searched: more does not fit in memory at this sample rate")
    if len(recording.captures) > 1:
        warnings.append(f"only the longest of {len(recording.captures)} captures is searched")
    found: list[FoundCell] = []
    for number, step in enumerate(plan.steps):
        if progress is not None:
            progress(step.technology, number / len(plan.steps))
        cells = step.find(samples)
        named = step.is_named
        found = _merged(
            found, [FoundCell(one, center_frequency, one.frequency_offset if named else None) for one in cells]
        )
    searched = [f"{step.technology} {step.where}" for step in plan.steps]
    found.sort(key=lambda one: (one.cell.frequency, one.cell.cell_id))
    return Scan(start / rate, count / rate, rate, center_frequency, found, searched, [*warnings, *plan.warnings])


class _Plan:
    """The searches for one recording, and what cannot be searched in it."""

    def __init__(
        self,
        sample_rate: float,
        center_frequency: float | None,
        at: Sequence[float],
        everywhere: bool,
        technologies: Sequence[str],
    ) -> None:
        self.rate, self.center, self.everywhere = sample_rate, center_frequency, everywhere
        self.named = [self._relative(frequency) for frequency in at]
        self.at_places = "at " + ", ".join(f"{frequency / 1e6:.6g} MHz" for frequency in at) if at else "at the centre"
        self.warnings: list[str] = []
        searches = {LTE: self._lte, NR: self._nr, NB_IOT: self._narrowband}
        self.steps = [step for technology in technologies for step in searches[technology]()]

    def _relative(self, frequency: float) -> float:
        """Hz from the centre of a place that the user names."""
        relative = frequency - (self.center or 0.0)
        if not abs(relative) < self.rate / 2:
            middle = self.center or 0.0
            raise ParameterError(
                f"at is {frequency:g} Hz; choose a frequency from {(middle - self.rate / 2) / 1e6:.9g} to "
                f"{(middle + self.rate / 2) / 1e6:.9g} MHz, which the recording covers"
                + ("" if self.center is not None else " (its centre frequency is not known: offsets from the centre)")
            )
        return relative

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
        # A search without places takes in every one of the raster, whatever the receiver's frequency error.
        places = None if self.everywhere else self._inside(LTE, LTE_HALF_WIDTH)
        if places != []:
            yield _Step(
                LTE,
                "everywhere" if places is None else f"{self.at_places} +-{TOLERANCE / 1e3:g} kHz",
                lambda samples: lte.find_cells(samples, self.rate, places, center_frequency=self.center),
                is_named=places is not None,
            )

    def _narrowband(self) -> Iterator[_Step]:
        if not self._is_fast_enough(NB_IOT):
            return
        tolerance = TOLERANCE
        if self.everywhere:
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
                is_named=not self.everywhere,
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
        if self.named or self.center is None:
            if not self.everywhere or self.named:
                yield from self._nr_at(spacings)
        else:
            yield from self._nr_raster(spacings)
        if self.everywhere:
            yield _Step(
                NR, "everywhere", lambda samples: nr.find_cells(samples, self.rate, spacings=spacings), is_named=False
            )

    def _nr_at(self, spacings: Sequence[float]) -> Iterator[_Step]:
        places = self._inside(NR, SSB_SUBCARRIERS / 2 * min(spacings))
        if places:
            yield _Step(
                NR,
                f"{self.at_places} +-{NR_TOLERANCE / 1e3:g} kHz",
                lambda samples: nr.find_cells(samples, self.rate, places, spacings, NR_TOLERANCE, self.center),
            )

    def _nr_raster(self, spacings: Sequence[float]) -> Iterator[_Step]:
        """The synchronisation raster's places of all bands in view."""
        assert self.center is not None
        edges = self.center - self.rate / 2, self.center + self.rate / 2
        frequencies = [bands.gscn_frequency(number) for number in bands.ssb_places(*edges, min(spacings))]
        places = [frequency - self.center for frequency in frequencies if bands.bands_at(frequency, NR)]
        if not places:
            self.warnings.append(
                f"NR has no band with a place of the synchronisation raster from {edges[0] / 1e6:.6g} to "
                f"{edges[1] / 1e6:.6g} MHz" + ("" if self.everywhere else ": name a place by --at, or use --everywhere")
            )
            return
        yield _Step(
            NR,
            f"at {len(places)} places of the synchronisation raster +-{NR_TOLERANCE / 1e3:g} kHz",
            lambda samples: nr.find_cells(samples, self.rate, places, spacings, NR_TOLERANCE, self.center),
        )


def _wanted(technologies: Iterable[str]) -> list[str]:
    """The technologies in our order, each once."""
    chosen = set(technologies)
    for technology in chosen - set(TECHNOLOGIES):
        raise ParameterError(f"technology is {technology!r}; choose one of {', '.join(TECHNOLOGIES)}")
    return [technology for technology in TECHNOLOGIES if technology in chosen]


def _longest_capture(recording: Source) -> tuple[int, int, float | None]:
    """First sample and end of the longest capture, and its centre frequency."""
    captures = recording.captures
    ends = [capture.sample_start for capture in captures[1:]] + [recording.sample_count]
    capture, end = max(zip(captures, ends), key=lambda pair: pair[1] - pair[0].sample_start)
    # 0 Hz stands for a baseband.
    is_known = capture.center_frequency is not None and capture.center_frequency > 0
    return capture.sample_start, end, capture.center_frequency if is_known else None


def _finite(samples: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The samples with silence for what is not finite, and a sentence about that."""
    bad = ~np.isfinite(samples)
    count = int(np.count_nonzero(bad))
    if not count:
        return samples, []
    return np.where(bad, np.complex64(0), samples), [
        f"{count} of {len(samples)} samples are not finite (NaN or infinity) and count as silence"
    ]


def _merged(found: list[FoundCell], more: list[FoundCell]) -> list[FoundCell]:
    """The cells of two searches; what both found once, with the better evidence."""
    proven = [one for one in more if one.cell.evidence == BROADCAST]
    kept = [one for one in found if one.cell.evidence == BROADCAST or not _has(proven, one)]
    return kept + [one for one in more if not _has(kept, one)]


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
        and abs(one.cell.frequency - other.cell.frequency) < SAME_HZ
        for other in found
    )
