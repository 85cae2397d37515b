# SPDX-License-Identifier: GPL-3.0-or-later
"""The MIB that a synthetic NR cell sends where it is asked to."""

from dataclasses import asdict

import numpy as np
import pytest

from rpmsn.standards import nr_pbch, polar
from rpmsn.standards.nr import SSB_FIRST_SYMBOLS
from rpmsn.standards.nr_pbch import Mib
from rpmsn.synthesis.nr.broadcast import ss_pbch_reference
from rpmsn.synthesis.nr.downlink import NrDownlink


def mib_of(block, cell_id, index, blocks):
    """MIB of a block of a resource grid (4, 240)."""
    data = block[ss_pbch_reference(cell_id, 0, 0, 8)[1]]
    llr = np.stack([data.real, data.imag], axis=1).ravel()
    scrambling = nr_pbch.second_scrambling(cell_id, index % blocks)
    bits = polar.decode((llr * (1 - 2.0 * scrambling))[None])[0]
    return None if bits is None else Mib.of_payload(nr_pbch.descramble(bits, cell_id))


@pytest.mark.parametrize("spacing, case", [(15e3, "A"), (30e3, "B"), (30e3, "C")])
@pytest.mark.parametrize("blocks", [4, 8])
def test_every_block_has_the_frame_and_half_frame_that_it_is_in(spacing, case, blocks):
    indices = (1, blocks - 1)
    beams = tuple((index, -3.0) for index in indices)
    cell = NrDownlink(
        20e6, spacing, 702, beams=beams, ssb_case=case, ssb_blocks=blocks, ssb_period_ms=5, ssb_offset=29,
        start_ms=10 * 1023, dmrs_first=3, search_space_zero=4, coreset_zero=1, style="ssb_only",
    )  # fmt: skip
    symbols = cell.grid(20, np.random.default_rng(1)).symbols
    per_half = 70 * round(spacing / 15e3)
    for half in range(4):
        for index in indices:
            first = half * per_half + SSB_FIRST_SYMBOLS[case][index]
            mib = mib_of(symbols[first : first + 4, 29 : 29 + 240], 702, index, blocks)
            assert (mib.frame, mib.half_frame) == ((1023, 0)[half // 2], half % 2)
            assert mib.ssb_subcarrier_offset == 5 * round(spacing / 15e3)
            assert (mib.dmrs_position, mib.pdcch_config_sib1) == (3, 1 * 16 + 4)
            assert mib.subcarrier_spacing_common == (spacing == 30e3)


def test_a_cell_without_sib1_says_so():
    cell = NrDownlink(20e6, 30e3, 5, sib1=False, style="ssb_only")
    symbols = cell.grid(1, np.random.default_rng(1)).symbols
    mib = mib_of(symbols[4:8, cell.ssb_offset : cell.ssb_offset + 240], 5, 0, 8)
    assert mib.ssb_subcarrier_offset == 31


def test_the_broadcast_channel_is_random_where_that_is_asked_for():
    plain = NrDownlink(20e6, 30e3, 5, style="ssb_only", coded_broadcast=False)
    symbols = plain.grid(1, np.random.default_rng(1)).symbols
    assert mib_of(symbols[4:8, plain.ssb_offset : plain.ssb_offset + 240], 5, 0, 8) is None


def test_parameters_of_scenes_are_what_they_were():
    assert "coded_broadcast" not in asdict(NrDownlink(20e6, 30e3, 5))
