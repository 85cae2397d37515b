# SPDX-License-Identifier: GPL-3.0-or-later
"""LTE cells, by the signals that every cell sends: PSS and SSS (TS 36.211 6.11), then PBCH (6.6).

`search` is the way in; `baseband` takes the middle of a carrier out of the samples, `primary` and `secondary` find the
synchronisation signals in it, `broadcast` decodes the master information block. `narrowband` finds NB-IoT.
"""

from .narrowband import find_narrowband_cells
from .search import LteSearcher, find_cells

__all__ = ["LteSearcher", "find_cells", "find_narrowband_cells"]
