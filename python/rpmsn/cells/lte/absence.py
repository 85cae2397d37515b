# SPDX-License-Identifier: GPL-3.0-or-later
"""No LTE downlink: its PSS would have been seen, several times, and was not.

Every downlink sends PSS every 5 ms, whatever else it does (TS 36.211 6.11.1.2). Of a signal whose signal-to-noise ratio
in the middle is r, the PSS correlates with 127 r / (1 + r) above noise, less what multipath, a frequency offset between
two that are tried, boosted data and other cells on the same frequency take of it.
"""

from ...errors import ParameterError

LOWEST_SNR_DB = 3.0
"""Below it a look says nothing: noise alone reaches 4.0 of the 5.2 below which a PSS counts as not seen."""
MISSING = 0.05
"""Part of the correlation that the SNR promises, below which the PSS is not there. `benchmarks/cells_lte.py absence`:
in white noise, EPA5, EVA70, ETU70, TDL-C of 300 and 1000 ns the lowest of 760 looks had 0.19. Three equal cells leave a
third of it."""
MISSED_LOOK = 0.05
"""Taken for the probability that a PSS that is sent is missed in a look. None of 760 looks did, at most 0.4 % at a
confidence of 95 %; the rest is for what was not simulated."""


class Absence:
    """Evidence that a carrier with its middle in view is no LTE downlink.

    Looks are of other times, so that they fade on their own: a second apart, or more.

        absence = Absence()
        searcher.feed(samples, start)
        absence.add(searcher.pss_strengths()[0], snr_db)
        absence.miss_probability

    Attributes:
        looks: that showed no PSS.
        miss_probability: that a PSS which is sent was missed in all of them.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all looks."""
        self.looks = 0
        self.miss_probability = 1.0

    def add(self, pss_strength: float, snr_db: float) -> bool:
        """Add a look of 18 ms or more. One that shows something takes the others' evidence back; whether this did.

        Args:
            pss_strength: from `LteSearcher.pss_strengths`, of the look alone.
            snr_db: of the signal in the middle 0.93 MHz in the look. Below 3 dB the look does not count.

        Raises:
            ParameterError: a value is no number.
        """
        if not (pss_strength >= 0 and snr_db == snr_db):
            raise ParameterError(
                f"pss_strength is {pss_strength} and snr_db {snr_db}; choose numbers, the strength 0 or more"
            )
        if snr_db < LOWEST_SNR_DB or pss_strength == 0:
            return False
        ratio = 10 ** (snr_db / 10)
        if pss_strength - 1 < MISSING * 127 * ratio / (1 + ratio):
            self.looks += 1
            self.miss_probability *= MISSED_LOOK
            return False
        self.reset()
        return True
