# SPDX-License-Identifier: GPL-3.0-or-later
"""NR's control channel, the PDCCH in its CORESET: TS 38.211 7.3.2 and 7.4.1.3."""

import numpy as np

from ...standards.nr_grant import control_channel_elements
from ...standards.qam import qpsk
from ..grid import SUBCARRIERS_PER_RB
from .data import RandomData, reference_values


def add_pdcch(
    slot: np.ndarray,
    in_frame: int,
    cell_id: int,
    coreset: tuple[int, int, int],
    interleaved: bool,
    used: np.ndarray,
    amplitude: float,
    data: RandomData,
    first_symbol: int = 0,
    reference_block: int = 0,
    bits: np.ndarray | None = None,
) -> None:
    """Grants on the used control channel elements and their reference signals.

    Args:
        slot: complex64, shape (14, n_subcarriers), is changed.
        in_frame: slot in the frame.
        coreset: (first resource block, resource blocks, symbols).
        interleaved: spread each control channel element over the CORESET.
        used: bool (n_cce,).
        amplitude: 1 for unit power.
        data: `RandomData`.
        first_symbol: first symbol of the CORESET.
        reference_block: resource block in which the reference sequence begins; not 0 for system information.
        bits: scrambled bits of the one grant that is in all of them; None: random ones.
    """
    first, width, n_symbols = coreset
    groups = control_channel_elements(width, n_symbols, interleaved, cell_id)[used].ravel()
    blocks, symbols = np.divmod(groups, n_symbols)
    blocks += first
    symbols += first_symbol
    values = data.symbols(groups.size, SUBCARRIERS_PER_RB, 2, float(amplitude))
    if bits is not None:
        order, elements = np.lexsort((blocks, symbols)), np.arange(SUBCARRIERS_PER_RB) % 4 != 1
        values[np.ix_(order, elements)] = np.float32(amplitude) * qpsk(bits).reshape(groups.size, -1)
    n_sequence = 3 * (slot.shape[1] // SUBCARRIERS_PER_RB)
    for symbol in range(first_symbol, first_symbol + n_symbols):
        here = symbols == symbol
        reference = reference_values(cell_id, symbol, n_sequence)[in_frame].reshape(-1, 3)
        values[here, 1::4] = np.float32(amplitude) * reference[blocks[here] - reference_block]
    slot.reshape(slot.shape[0], -1, SUBCARRIERS_PER_RB)[symbols, blocks] = values
