# SPDX-License-Identifier: GPL-3.0-or-later
"""How sure a carrier's label is, and what it rests on."""

from ..cells.cell import BROADCAST, SYNC

PROVEN, LIKELY, UNSURE = VERDICTS = ("proven", "likely", "unsure")
SURE = (LIKELY, PROVEN)
"""Verdicts by which pixels are shown, the surer one last."""
NETWORK = "network"
ABSENCE = "absence"
NO_BAND = "no_band"
UPLINK, DATA = "uplink", "data"
EVIDENCE = (NETWORK, SYNC, BROADCAST, UPLINK, DATA, ABSENCE, NO_BAND)
"""The network alone; PSS and SSS, or LTE's reference signals; the CRC of the PBCH; what terminals send; reference
signals of NR data; no PSS or SS/PBCH block where one would be seen; neither LTE nor NR has a band there."""


def verdict_of(confidence: float) -> str:
    """Verdict on a label that rests on the network alone: `likely` where the probability is above one half,
    so that it is rather right than wrong."""
    return LIKELY if confidence > 0.5 else UNSURE
