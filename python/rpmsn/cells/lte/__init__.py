# SPDX-License-Identifier: GPL-3.0-or-later
"""LTE cells, by the signals that every cell sends: PSS and SSS (TS 36.211 6.11), then PBCH (6.6).

`search` is the way in; `baseband` takes the middle of a carrier out of the samples, `primary` and `secondary` find the
synchronisation signals in it, `broadcast` decodes the master information block. `reference` proves a carrier whose
middle is out of view, `extent` says how wide it is, `absence` that there is none. `narrowband` finds NB-IoT.
"""

from .absence import Absence
from .extent import measured_bandwidth
from .narrowband import find_narrowband_cells
from .reference import ReferenceSignals, find_reference_signals
from .search import LteSearcher, find_cells, find_cells_and_pss, find_cells_anywhere

__all__ = [
    "Absence",
    "LteSearcher",
    "ReferenceSignals",
    "find_cells",
    "find_cells_and_pss",
    "find_cells_anywhere",
    "find_narrowband_cells",
    "find_reference_signals",
    "measured_bandwidth",
]
