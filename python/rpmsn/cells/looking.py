# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches of a plan carried out on frames of a stream."""

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..signal.channelizer import as_complex
from ..signal.image import decibels
from ..standards.nr import SSB_SUBCARRIERS
from . import lte, nr
from .cell import APART_HZ, BROADCAST, SYNC, Cell
from .channels import channel_of
from .finding import SYNC_WIDTH, Finding, Middle, Piece, Power, Proof, References, Uplink
from .grid import SymbolGrid, symbol_grid
from .lte.baseband import RATE
from .lte.reference import HALF_SLICE
from .lte.search import HALF_WIDTH
from .nr.spectrum import fits
from .plan import LTE_NAME, NR_NAME, RENEWAL_TOLERANCE, UPLINK_AROUND_HZ, Hypothesis
from .spectrum import BASE_RATE, FLAT, History, Spectrum, band_rate, nearest
from .threads import each, threads
from .uplink import find_uplink

POWER_FFT, POWER_CHUNKS = 4096, 32
CLEAR_SCORE = 2.5
"""LTE cells whose secondary sequence is so clear are no ghosts of stronger ones: `lte.secondary.RATIO_LIMIT`."""
MOST_SAMPLES = 10_000_000
"""Samples of a look at most: 80 MB, and a search takes three times that."""


@dataclass(frozen=True, slots=True)
class Look:
    """Successive frames of a stream.

    Attributes:
        frames: samples of each, complex64, shape (n,), or int16 or int8, shape (n, 2); or what becomes such an array
            when it is searched (`__array__`).
        start: number of the first sample since the stream began.
        sample_rate: Hz.
        center_frequency: Hz; 0 where it is not known.
    """

    frames: Sequence[np.ndarray]
    start: int
    sample_rate: float
    center_frequency: float

    @property
    def end(self) -> int:
        """Number of the sample after the last."""
        return self.start + sum(map(len, self.frames))

    def followed_by(self, samples: np.ndarray, start: int, rate: float, center: float, most_frames: int) -> "Look":
        """This with one more frame, without those that are too many; the frame alone where it does not follow."""
        fits = (start, rate, center) == (self.end, self.sample_rate, self.center_frequency)
        kept = list(self.frames) if fits else []
        kept = kept[-(most_frames - 1) :] if most_frames > 1 else []
        while kept and len(samples) + sum(map(len, kept)) > MOST_SAMPLES:
            del kept[0]
        return Look([*kept, samples], start - sum(map(len, kept)), rate, center)


class Looker:
    """Makes searches in one Look; its samples are converted once, and all searches share the spectra of its frames.

    Args:
        look: what is searched.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._converted: list[np.ndarray] = []
        self._spectra: list[Spectrum] = []
        self._powers: dict[int, NDArray[np.float32]] = {}

    def findings(self, hypotheses: Sequence[Hypothesis]) -> Iterator[Finding]:
        """Search, one Finding at a time; side by side where there are threads, and no search takes most of the time,
        which would have use for all of them itself."""
        costs = [search.cost_s for search in hypotheses]
        if threads() < 2 or len(costs) < 2 or 2 * max(costs) > sum(costs):
            return map(self._find, hypotheses)
        # Once, before several threads need them.
        self._spectra_of(len(self._last(max(search.frames for search in hypotheses))))
        return iter(each(self._find, hypotheses))

    def _find(self, search: Hypothesis) -> Finding:
        look = self._look
        frames = self._last(search.frames)
        start = look.end - sum(map(len, frames))
        if search.piece is not None:
            piece = search.piece if self._is_piece(search.piece, len(frames)) else None
            return Finding(search.technology, (), start, look.end, piece=piece)
        if search.uplink is not None:
            return Finding(search.technology, (), start, look.end, uplink=self._uplink(search, len(frames)))
        if search.references is not None:
            assert search.band is not None, "the carrier's"
            spectra = self._spectra_of(len(frames))
            references = self._references(search.references, search.band, spectra, quarter=search.quarter)
            return Finding(search.technology, (), start, look.end, references=references)
        places = search.frequencies
        cells: list[tuple[Cell, dict[str, float]]]
        middles: list[Middle] = []
        if search.is_slice:
            cells = [found for place in places for found in self._in_slice(place, len(frames))]
        else:
            found, strengths = self._cells(search, frames, places)
            cells = [(cell, {}) for cell in found]
            middles = [self._middle(search, *one, frames) for one in zip(places, strengths)]
        reach = max(search.tolerance, search.spacing / 2)
        has_nr = search.technology != LTE_NAME and bool(cells)
        return Finding(
            search.technology,
            tuple((place - reach, place + reach) for place in places) if search.is_renewal else (),
            start,
            look.end,
            tuple(self._proof(cell, frames, start, seen) for cell, seen in sorted(cells, key=_rank)),
            search.is_slice,
            tuple(middles),
            power=self._power(frames) if has_nr else None,
            band=search.band,
            spacing=search.spacing,
            empty_slices=places if search.is_slice and not cells else (),
            seconds=(look.end - start) / look.sample_rate,
        )

    @property
    def _center(self) -> float | None:
        """Of the span, Hz; 0 Hz stands for a baseband, whose centre is not known."""
        return self._look.center_frequency if self._look.center_frequency > 0 else None

    def _power(self, frames: Sequence[np.ndarray]) -> Power:
        values = self._mean_power(frames)
        step = self._look.sample_rate / len(values)
        return Power(self._look.center_frequency - len(values) // 2 * step, step, np.fft.fftshift(values))

    def _middle(self, search: Hypothesis, place: float, strength: float, frames: Sequence[np.ndarray]) -> Middle:
        middle, half = place - self._look.center_frequency, SYNC_WIDTH / 2
        pwr_db = self._power_db(frames, middle - half, middle + half)
        return Middle(place - search.tolerance, place + search.tolerance, strength, pwr_db)

    def _cells(
        self, search: Hypothesis, frames: Sequence[np.ndarray], places: Sequence[float]
    ) -> tuple[list[Cell], list[float]]:
        """Cells, and of LTE the PSS's correlation at each place."""
        rate, spectra = self._look.sample_rate, self._spectra_of(len(frames))
        if search.band is not None:
            return self._anywhere_in(search, spectra), []
        relative = [frequency - self._look.center_frequency for frequency in places]
        if search.technology == LTE_NAME:
            cells, strengths = lte.find_cells_and_pss(spectra, rate, relative, search.tolerance, self._center)
            return [self._measured(cell, spectra) for cell in self._without_ghosts(cells, spectra)], strengths
        return self._with_sib1(search, self._at_places(search, spectra, relative), spectra), []

    def _at_places(self, search: Hypothesis, spectra: Sequence[Spectrum], relative: Sequence[float]) -> list[Cell]:
        """Cells of NR at frequencies, Hz from the centre. A block that reaches a little beyond the span, as one that a
        search at any frequency has found may, is looked for by such a search."""
        rate, center, spacing = self._look.sample_rate, self._look.center_frequency, search.spacing
        inside = [place for place in relative if fits(place, spacing, rate)]
        cells = nr.find_cells(spectra, rate, inside, (spacing,), search.tolerance, self._center) if inside else []
        for place in relative:
            if place not in inside and abs(place) < rate / 2:
                reach = SSB_SUBCARRIERS / 2 * spacing + max(search.tolerance, spacing)
                band = replace(search, band=(center + place - reach, center + place + reach), reads_sib1=False)
                cells += self._anywhere_in(band, spectra)
        return cells

    def _anywhere_in(self, search: Hypothesis, spectra: Sequence[Spectrum]) -> list[Cell]:
        """Cells at any frequency of a band, whose samples are at its own rate where that is lower than the span's."""
        assert search.band is not None, "only a search of a band"
        rate, center = self._look.sample_rate, self._look.center_frequency
        lower, upper = (end - center for end in search.band)
        width = math.ceil((upper - lower) / (FLAT * BASE_RATE))
        if band_rate(rate, width) < rate:
            values, middle, rate = self._band((lower + upper) / 2, width, spectra)
        else:
            values, middle = np.concatenate(self._converted[-len(spectra) :]), 0.0
        if search.technology == LTE_NAME:
            found = lte.find_cells_anywhere(values, rate, center + middle if self._center is not None else None)
            cells = [replace(cell, frequency=cell.frequency + middle) for cell in found]
            return [self._measured(cell, spectra) for cell in cells]
        cells = nr.find_cells(values, rate, None, (search.spacing,))
        cells = [replace(cell, frequency=cell.frequency + middle) for cell in cells]
        return self._with_sib1(search, cells, spectra)

    def _with_sib1(self, search: Hypothesis, cells: Sequence[Cell], spectra: Sequence[Spectrum]) -> list[Cell]:
        """Cells of NR, with what their SIB1 says where that is asked for and sent."""
        if not search.reads_sib1:
            return list(cells)
        return [nr.with_sib1(spectra, self._look.sample_rate, cell) for cell in cells]

    def _without_ghosts(self, cells: Sequence[Cell], spectra: Sequence[Spectrum]) -> list[Cell]:
        """Cells of LTE, or those of which they are ghosts. What is clear needs no second look."""
        kept: list[Cell] = []
        real: list[Cell] = []
        known_to = -math.inf
        center, half = self._look.center_frequency, self._look.sample_rate / 2
        for cell in sorted(cells, key=lambda cell: cell.frequency):
            if cell.evidence == BROADCAST or cell.score >= CLEAR_SCORE:
                kept.append(cell)
                continue
            if cell.frequency > known_to:
                # One search serves all that are this close together.
                known_to = cell.frequency + APART_HZ
                reach = APART_HZ + HALF_WIDTH
                band = center + max(cell.frequency - reach, -half), center + min(known_to + reach, half)
                search = Hypothesis(LTE_NAME, (), 0.0, cell.subcarrier_spacing, len(spectra), False, 0.0, band=band)
                real = self._anywhere_in(search, spectra)
            others = [other for other in real if cell.is_ghost_of(other, cell.frequency - other.frequency)]
            kept += [other for other in others or [cell] if other not in kept]
        return kept

    def _band(self, middle: float, width: int, spectra: Sequence[Spectrum]) -> tuple[np.ndarray, float, float]:
        """(samples of a band, their centre and rate in Hz)."""
        middle, rate = nearest(middle, self._look.sample_rate), band_rate(self._look.sample_rate, width)
        history, start = History(), 0
        for spectrum in spectra:
            history.add(*spectrum.band(middle, width, start))
            start += spectrum.count
        # The filter rings before the first sample and after the last.
        return history.values[-history.start :][: int(start * rate / self._look.sample_rate)], middle, rate

    def _even_band(self, lower: float, upper: float, spectra: Sequence[Spectrum]) -> tuple[np.ndarray, int, float]:
        """(samples of a band between two frequencies in Hz from the centre; its width in units of the base rate, even,
        which shows subcarriers of 30 kHz, too; its centre in Hz)."""
        width = 2 * math.ceil((upper - lower) / (2 * FLAT * BASE_RATE))
        values, middle, _ = self._band((lower + upper) / 2, width, spectra)
        return values, width, middle

    def _is_piece(self, piece: Piece, frames: int) -> bool:
        """Whether a carrier is a piece of the one beside it: both have the same symbols and subcarriers, and those say
        that it is the same cell, or cannot say anything and are near."""
        spectrum = max(self._spectra_of(frames), key=lambda spectrum: spectrum.count)
        if not self._is_shared(piece, spectrum):
            return False
        if piece.is_near:
            return True
        band = piece.lower, piece.upper
        return self._references(piece.key, band, [spectrum], cell_ids=(piece.cell_id,)) is not None

    def _is_shared(self, piece: Piece, spectrum: Spectrum) -> bool:
        """Whether a piece has the symbols and subcarriers of the carrier beside it, or of the cell there."""
        center = self._look.center_frequency
        found = symbol_grid(spectrum, piece.lower - center, piece.upper - center)
        if found is None:
            return False
        host = symbol_grid(spectrum, piece.host_lower - center, piece.host_upper - center)
        if host is not None and found.is_shared_with(host):
            return True
        at_host = Hypothesis(NR_NAME, (piece.ssb_frequency,), 0.0, piece.spacing, 1, False, 0.0)
        cells = self._at_places(at_host, [spectrum], [piece.ssb_frequency - center])
        return any(
            cell.cell_id == piece.cell_id and found.is_shared_with(SymbolGrid.of_cell(cell, found.subcarrier_spacing))
            for cell in cells
        )

    def _references(
        self, key: Hashable, band: tuple[float, float], spectra: Sequence[Spectrum], **known: Any
    ) -> References | None:
        """Reference signals of NR data in a band, of a carrier with this key; what is known as of
        `find_data_references`."""
        center = self._look.center_frequency
        lower, upper = (end - center for end in band)
        values, width, middle = self._even_band(lower, upper, spectra)
        part = lower - middle, upper - middle
        found = nr.find_data_references(values, width, part, **known)
        if found is None:
            return None
        return References(key, found.cell_id, found.first_block + middle + center, found.spacing)

    def _uplink(self, search: Hypothesis, frames: int) -> Uplink | None:
        """The uplink of a cell in a band, whose ends may lie beyond."""
        assert search.band is not None, "the carrier's"
        center, half = self._look.center_frequency, self._look.sample_rate / 2
        lower, upper = (end - center for end in search.band)
        first, last = max(lower - UPLINK_AROUND_HZ, -half), min(upper + UPLINK_AROUND_HZ, half)
        values, width, middle = self._even_band(first, last, self._spectra_of(frames))
        found = find_uplink(values, width, (lower - middle, upper - middle), (first - middle, last - middle))
        if found is None:
            return None
        edges = found.edges and (found.edges[0] + middle + center, found.edges[1] + middle + center)
        return Uplink(search.uplink, found.technology, found.group, edges, found.channel_bandwidth)

    def _in_slice(self, place: float, frames: int) -> list[tuple[Cell, dict[str, float]]]:
        """The cell whose reference signals are around a frequency, or the cells whose PSS is at the centre that they
        say, where that is in view; and what a Proof has of that.

        Of a slice at the end of the span, half is in it at least. Beyond are aliases of the receiver, which have no PSS
        at their centre.
        """
        rate, room = self._look.sample_rate, self._look.sample_rate / 2 - HALF_SLICE / 2
        middle = min(max(place - self._look.center_frequency, -room), room)
        spectra = self._spectra_of(frames)
        found = lte.find_reference_signals(spectra, rate, middle)
        if found is None:
            return []
        if abs(found.frequency) <= rate / 2 - HALF_WIDTH:
            tolerance = RENEWAL_TOLERANCE[LTE_NAME]
            cells = lte.find_cells(spectra, rate, [found.frequency], tolerance, self._center)
            return [(self._measured(cell, spectra), {"seen_hz": abs(middle - cell.frequency)}) for cell in cells]
        cell = Cell(LTE_NAME, found.cell_id, SYNC, found.frequency, start_s=found.start_s, score=found.ratio)
        return [(self._measured(cell, spectra), {"slice_frequency": place})]

    def _measured(self, cell: Cell, spectra: Sequence[Spectrum]) -> Cell:
        """A cell of LTE with the bandwidth that its reference signals show, where it broadcasts none."""
        if cell.evidence == BROADCAST or cell.extended_prefix or self._look.sample_rate < RATE:
            return cell
        bandwidth = lte.measured_bandwidth(spectra, self._look.sample_rate, cell.cell_id, cell.frequency, cell.start_s)
        return replace(cell, channel_bandwidth=bandwidth)

    def _proof(self, cell: Cell, frames: Sequence[np.ndarray], start: int, seen: dict[str, float]) -> Proof:
        look = self._look
        proof = Proof(
            cell,
            look.center_frequency + cell.frequency,
            start,
            look.end,
            look.sample_rate,
            channel_of(cell, self._center) if self._center is not None else None,
            **seen,
        )
        lower, upper = (edge - look.center_frequency for edge in proof.least_edges)
        return replace(proof, pwr_db=self._power_db(frames, lower, upper))

    def _power_db(self, frames: Sequence[np.ndarray], lower: float, upper: float) -> float:
        """Mean power of the last frames between two frequencies in Hz from the centre, dB over full scale (1.0); what
        is beyond the span is not in it."""
        power = self._mean_power(frames)
        frequencies = np.fft.fftfreq(len(power), 1 / self._look.sample_rate)
        inside = power[(frequencies >= lower) & (frequencies <= upper)].sum()
        return decibels(inside)

    def _mean_power(self, frames: Sequence[np.ndarray]) -> NDArray[np.float32]:
        """`mean_power` of the last frames, worked out once."""
        if len(frames) not in self._powers:
            self._powers[len(frames)] = mean_power(frames)
        return self._powers[len(frames)]

    def _last(self, frames: int) -> list[np.ndarray]:
        """The last frames, complex; a short one, at the end of a recording, counts for no frame."""
        lengths = [len(samples) for samples in reversed(self._look.frames)]
        enough = [number for number in range(1, len(lengths)) if sum(lengths[:number]) >= frames * max(lengths)]
        count = enough[0] if enough else len(lengths)
        while len(self._converted) < count:
            self._converted.insert(0, as_complex(np.asarray(self._look.frames[-1 - len(self._converted)])))
        return self._converted[-count:]

    def _spectra_of(self, count: int) -> list[Spectrum]:
        """Of the last frames, made when they are first asked for."""
        missing = self._converted[-count : len(self._converted) - len(self._spectra)]
        self._spectra = [*each(partial(Spectrum, sample_rate=self._look.sample_rate), missing), *self._spectra]
        return self._spectra[-count:]


def mean_power(frames: Sequence[np.ndarray]) -> NDArray[np.float32]:
    """Mean power of frames over frequency, zero frequency first; their sum is that of the samples. Shape (n,)."""
    count = min(POWER_FFT, *map(len, frames))
    window = np.hanning(count).astype(np.float32)
    chunks = [
        samples[start : start + count]
        for samples in frames
        for start in np.unique(np.linspace(0, len(samples) - count, POWER_CHUNKS).astype(int))
    ]
    spectra = np.fft.fft(np.stack(chunks) * window)
    return np.mean(np.abs(spectra) ** 2, axis=0) / (count * np.sum(window**2))


def _rank(found: tuple[Cell, dict[str, float]]) -> tuple[bool, float]:
    cell, _ = found
    return cell.evidence != BROADCAST, -cell.snr_db
