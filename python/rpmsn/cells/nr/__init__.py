# SPDX-License-Identifier: GPL-3.0-or-later
"""NR cells, found by their SS/PBCH blocks (TS 38.211 7.4.2, 7.4.3, TS 38.213 4.1).

============ ==================================================================
`search`     which places, over which time; what is a cell: read this first
`spectrum`   one FFT of the samples, from which every place takes its subcarriers
`sync`       PSS: where in time; SSS: which cell
`broadcast`  PBCH: channel, index of the block, frame number, MIB
`sib1`       SIB1: whose cell it is, how wide its carrier
`dmrs`       reference signals of data: NR where no block is in view
============ ==================================================================
"""

from .dmrs import DataReferences, find_data_references
from .search import NrSearcher, find_cells
from .sib1 import with_sib1

__all__ = ["DataReferences", "NrSearcher", "find_cells", "find_data_references", "with_sib1"]
