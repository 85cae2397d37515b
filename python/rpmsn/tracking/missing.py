# SPDX-License-Identifier: GPL-3.0-or-later
"""What a carrier that is called LTE or NR would show if it were, and does not: how probable it is that this was missed.

Every LTE downlink sends PSS and reference signals all the time, and an NR carrier an SS/PBCH block every 20 ms as a
rule. A look counts where it is long enough, and there is a carrier to be seen, above the noise, and no uplink, which
has none of these.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..cells.finding import SUBCARRIER_HZ, SYNC_WIDTH
from ..cells.lte import Absence
from ..cells.plan import LTE_NAME
from ..classes import LTE, NR
from ..standards import bands

if TYPE_CHECKING:
    from ..cells.finding import Finding, Middle
    from .carrier import Carrier

LOOK_S = {LTE_NAME: 0.018, bands.NR: 0.035}
"""In a look so long, signals are in view so often that a fade hides them no more than in a longer one: of nine real LTE
carriers all were found in 20 ms, and one of 11 dB was not in 12 ms. A shorter one says nothing of an LTE carrier's
middle or of a slice."""
PERIOD_S = {LTE_NAME: 0.005, bands.NR: 0.02}
"""Of what a search looks for, of NR as a rule: TS 36.211 6.11.1.2, TS 38.213 4.1. In a shorter look it is with a
probability of its length, less a slot, over this. In 100 drawn scenes (seeds 40001 on), above 3 dB, 14 of 33 LTE cells
were found in 3 ms, 35 of 36 in 6 and 52 of 53 in 9 to 18 ms; of NR's 2 of 15 in 3, 12 of 20 in 9, 12 of 17 in 15 and
19 of 19 in 20 ms. Of real LTE carriers 24 of 27 were in 6 ms and 88 of 91 in 9 to 15."""
SLOT_S = 0.5e-3
"""Holds what has to be in view as a whole."""
SEPARATE_S = 0.9
"""Looks at LTE that are closer than this are one: what fades has not changed meanwhile."""
LOWEST_SNR_DB = 3.0
"""Below it, a look at reference signals or for NR's blocks says nothing: what is weak may be a piece of a carrier whose
block is elsewhere."""
MISSED_REFERENCES = 0.05
"""Taken for the probability that LTE's reference signals are missed in a slice of a carrier that is cut."""
MISSED = ((LOWEST_SNR_DB, 0.05), (-3.0, 0.15))
"""Taken for the probability that a PSS or a block which is sent is missed by a search at all frequencies of a carrier,
with so much SNR in dB or more; it may fade far below the rest. In 270 drawn scenes of 40 and 80 ms (seeds 30001 on)
all 21 LTE cells of which a region of -3 to 3 dB was seen were found; above 3 dB all 19 NR downlinks of 118 others
showed a block in 40 ms."""
MISSED_BESIDE_PSS = 0.3
"""The same where its middle seems to have a PSS. Other signals correlate with one, GSM's 97 times as much as noise; of
LTE two cells may have the same PSS and hide each other's secondary sequences."""
NO_BLOCK = 0.02
"""Taken for the part of NR carriers that send no block in their band."""


class MissingSignals:
    """Looks that found no cell; `Carrier.missed` is what they leave. For a carrier without a cell, while it is on."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._looked_s = -math.inf
        self._absence = Absence()
        self._missed: dict[tuple[str, float], tuple[float, float, int]] = {}
        self._has_pss = False

    def forget(self) -> None:
        """A cell was found."""
        self._absence.reset()
        self._missed.clear()
        self._has_pss = False

    def look(self, finding: Finding, end_s: float, may_be_piece: bool) -> None:
        """Take in what a search has not found.

        Args:
            finding: of the search.
            end_s: of the look, seconds since the stream began.
            may_be_piece: whether the carrier may be a part of an NR carrier whose block is elsewhere.
        """
        if finding.seconds >= LOOK_S[finding.technology]:
            for middle in finding.middles:
                self._look_at_middle(middle, end_s)
            for place in finding.empty_slices:
                self._look_at_slice(place, end_s)
        if finding.band is not None:
            self._look_anywhere(finding, finding.band, may_be_piece)

    def _look_at_middle(self, middle: Middle, end_s: float) -> None:
        """How strong the PSS was where an LTE carrier's middle was looked for."""
        carrier = self._carrier
        is_here = middle.lower <= carrier.center_frequency <= middle.upper and carrier.bandwidth > SYNC_WIDTH
        if self._is_cut or not (is_here and self._may_be_seen(LTE)) or end_s - self._looked_s < SEPARATE_S:
            return
        self._looked_s = end_s
        # Of the frames' noise, the part that the PSS's subcarriers have.
        snr = 10 ** (carrier.snr_db / 10)
        noise = 10 ** (carrier.pwr_db / 10) / (1 + snr) * SYNC_WIDTH / carrier.bandwidth
        ratio = 10 ** (middle.pwr_db / 10) / noise - 1 if noise > 0 else 0.0
        if ratio > 0:
            self._has_pss = self._absence.add(middle.pss_strength, 10 * math.log10(ratio))
            self._judge_lte()

    def _look_at_slice(self, place: float, end_s: float) -> None:
        """LTE's reference signals were not found around a frequency in Hz. Where the middle of a carrier is in view,
        its PSS says more."""
        carrier = self._carrier
        is_here = self._is_cut and carrier.freq_lower <= place <= carrier.freq_upper
        if not (is_here and self._may_be_seen(LTE)) or carrier.snr_db < LOWEST_SNR_DB:
            return
        if end_s - self._looked_s >= SEPARATE_S:
            self._looked_s = end_s
            carrier.missed *= MISSED_REFERENCES

    def _look_anywhere(self, finding: Finding, band: tuple[float, float], may_be_piece: bool) -> None:
        """A search at any frequency of a band has found no cell in the carrier."""
        carrier, kind, (lower, upper) = self._carrier, (finding.technology, finding.spacing), band
        if self._is_cut or carrier.is_proven:
            return
        if not lower <= carrier.freq_lower < carrier.freq_upper <= upper:
            return
        missed = self._missed_in(finding)
        before, latest, searched_to = self._missed.get(kind, (1.0, 1.0, finding.start))
        if finding.technology == LTE_NAME or finding.start < searched_to:
            # Of the same samples, or soon after each other, when what fades has not changed: the surest counts.
            missed = min(missed, latest)
        else:
            before *= latest
        self._missed[kind] = before, missed, finding.end
        if self._may_be_seen(LTE):
            self._judge_lte()
        elif self._may_be_seen(NR) and not may_be_piece and carrier.snr_db >= LOWEST_SNR_DB:
            spacings = bands.block_spacings(carrier.center_frequency)
            missed = max(self._missed_by(bands.NR, spacing) for spacing in spacings)
            carrier.missed = NO_BLOCK + (1 - NO_BLOCK) * missed

    def _judge_lte(self) -> None:
        """The middle may not be where the region's is: it counts once all of the region was searched, which tells
        something where the region's own middle is too weak to: one of GSM carriers side by side has a gap there."""
        if (LTE_NAME, SUBCARRIER_HZ) in self._missed:
            missed = max(self._missed_by(LTE_NAME, SUBCARRIER_HZ), MISSED_BESIDE_PSS if self._has_pss else 0.0)
            self._carrier.missed = min(missed, self._absence.miss_probability)

    def _missed_by(self, technology: str, spacing: float) -> float:
        """The probability that all searches of a kind missed what is sent."""
        before, latest, _ = self._missed.get((technology, spacing), (1.0, 1.0, 0))
        return before * latest

    def _missed_in(self, finding: Finding) -> float:
        """The probability that a search of all of the carrier misses what it sends."""
        missed = next((missed for snr_db, missed in MISSED if self._carrier.snr_db >= snr_db), 1.0)
        if missed == 1.0 or finding.seconds >= LOOK_S[finding.technology]:
            return missed
        # What is in view once or twice may fade, or another cell hide it.
        in_view = min(1.0, max(0.0, finding.seconds - SLOT_S) / PERIOD_S[finding.technology])
        return 1 - in_view * (1 - 2 * missed)

    @property
    def _is_cut(self) -> bool:
        return self._carrier.cut_lower or self._carrier.cut_upper

    def _may_be_seen(self, class_id: int) -> bool:
        """Whether it is called a class whose cells send what is looked for here."""
        carrier = self._carrier
        is_uplink = carrier.is_absolute and bands.is_uplink(carrier.center_frequency)
        return not carrier.is_proven and carrier.voted_class_id == class_id and not is_uplink
