# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches of a plan carried out on frames of a stream."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..signal.channelizer import as_complex
from . import lte, nr
from .cell import BROADCAST, Cell
from .channels import channel_of
from .finding import Finding, Proof
from .plan import LTE_NAME, Hypothesis

POWER_FFT, POWER_CHUNKS = 4096, 32
MOST_SAMPLES = 10_000_000
"""Samples of a look at most: 80 MB, and a search takes three times that."""


@dataclass(frozen=True, slots=True)
class Look:
    """Successive frames of a stream.

    Attributes:
        frames: samples of each, complex64, shape (n,), or int16 or int8, shape (n, 2).
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
    """Makes searches in one Look; its samples are converted once.

    Args:
        look: what is searched.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._converted: list[np.ndarray] = []

    def findings(self, hypotheses: Sequence[Hypothesis]) -> Iterator[Finding]:
        """Search, one Finding at a time; searches that differ in their places alone are made at once."""
        groups: dict[tuple, list[Hypothesis]] = {}
        for one in hypotheses:
            kind = one.technology, one.tolerance, one.spacing, one.frames, one.is_renewal, one.frequencies is None
            groups.setdefault(kind, []).append(one)
        for group in groups.values():
            yield self._find(group)

    def _find(self, group: Sequence[Hypothesis]) -> Finding:
        first, look = group[0], self._look
        samples = self._last(first.frames)
        start = look.end - len(samples)
        places = [frequency for one in group for frequency in one.frequencies or ()]
        relative = [frequency - look.center_frequency for frequency in places]
        # 0 Hz stands for a baseband.
        center = look.center_frequency if look.center_frequency > 0 else None
        if first.technology == LTE_NAME:
            cells = lte.find_cells(samples, look.sample_rate, relative, first.tolerance, center)
        else:
            blind = first.frequencies is None
            cells = nr.find_cells(
                samples,
                look.sample_rate,
                None if blind else relative,
                (first.spacing,),
                first.tolerance,
                None if blind else center,
            )
        reach = max(first.tolerance, first.spacing / 2)
        return Finding(
            first.technology,
            tuple((place - reach, place + reach) for place in places) if first.is_renewal else (),
            start,
            look.end,
            tuple(self._proof(cell, samples, start, center) for cell in sorted(cells, key=_rank)),
        )

    def _proof(self, cell: Cell, samples: np.ndarray, start: int, center: float | None) -> Proof:
        look = self._look
        proof = Proof(
            cell,
            look.center_frequency + cell.frequency,
            start,
            look.end,
            look.sample_rate,
            channel_of(cell, center) if center is not None else None,
        )
        lower, upper = (edge - look.center_frequency for edge in proof.least_edges)
        return replace(proof, pwr_db=power_db(samples, look.sample_rate, lower, upper))

    def _last(self, frames: int) -> np.ndarray:
        """The last frames as one row of complex values; a short one, at the end of a recording, counts for no frame."""
        lengths = [len(samples) for samples in reversed(self._look.frames)]
        enough = [number for number in range(1, len(lengths)) if sum(lengths[:number]) >= frames * max(lengths)]
        count = enough[0] if enough else len(lengths)
        while len(self._converted) < count:
            self._converted.insert(0, as_complex(self._look.frames[-1 - len(self._converted)]))
        wanted = self._converted[-count:]
        return wanted[0] if len(wanted) == 1 else np.concatenate(wanted)


def power_db(samples: np.ndarray, sample_rate: float, lower: float, upper: float) -> float:
    """Power between two frequencies in Hz from the centre, dB over full scale (1.0); what is beyond the span is not in
    it."""
    count = min(POWER_FFT, len(samples))
    window = np.hanning(count).astype(np.float32)
    starts = np.unique(np.linspace(0, len(samples) - count, POWER_CHUNKS).astype(int))
    spectra = np.fft.fft(np.stack([samples[start : start + count] for start in starts]) * window)
    power = np.mean(np.abs(spectra) ** 2, axis=0) / (count * np.sum(window**2))
    frequencies = np.fft.fftfreq(count, 1 / sample_rate)
    inside = power[(frequencies >= lower) & (frequencies <= upper)].sum()
    return float(10 * np.log10(max(inside, 1e-30)))


def _rank(cell: Cell) -> tuple[bool, float]:
    return cell.evidence != BROADCAST, -cell.snr_db
