# SPDX-License-Identifier: GPL-3.0-or-later
"""The control region of an LTE subframe, its first symbols: PCFICH, PHICH and PDCCH of TS 36.211 6.7 to 6.9."""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ...standards.convolutional import INTERLEAVER_COLUMNS
from ...standards.qam import random_qam
from ..grid import SUBCARRIERS_PER_RB

if TYPE_CHECKING:
    from .downlink import LteDownlink

PHICH_RESOURCES = (1 / 6, 1 / 2, 1, 2)
"""N_g of TS 36.211 6.9."""

TDD_PHICH_FACTORS = (
    (2, 1, 0, 0, 0, 2, 1, 0, 0, 0),
    (0, 1, 0, 0, 1, 0, 1, 0, 0, 1),
    (0, 0, 0, 1, 0, 0, 0, 0, 1, 0),
    (1, 0, 0, 0, 0, 0, 0, 0, 1, 1),
    (0, 0, 0, 0, 0, 0, 0, 0, 1, 1),
    (0, 0, 0, 0, 0, 0, 0, 0, 1, 0),
    (1, 1, 0, 0, 0, 1, 1, 0, 0, 1),
)
"""m_i of TS 36.211 table 6.9-1, by configuration and subframe."""


def control_symbols(cell: "LteDownlink", in_frame: int, has_data: bool, rng: np.random.Generator) -> int:
    """Symbols of the control region in this subframe: TS 36.211 table 6.7-1."""
    fewest, most = (2, 4) if cell.n_rb <= 10 else (1, 3)
    if cell.tdd_config is not None and in_frame in (1, 6):
        most = 2
    return int(rng.integers(fewest, most + 1)) if has_data else fewest


def add_control_region(
    subframe: np.ndarray,
    cell: "LteDownlink",
    in_frame: int,
    n_control: int,
    load: float,
    has_common: bool,
    rng: np.random.Generator,
) -> None:
    """Fill the first n_control symbols of a downlink subframe; reference signals come later.

    Args:
        subframe: shape (14, n_subcarriers), is changed.
        cell: `LteDownlink`.
        in_frame: subframe in the frame, 0..9.
        n_control: symbols of the control region.
        load: of the control channel elements and of the PHICH groups in use, 0..1.
        has_common: also use the first eight control channel elements, as for system information.
    """
    n_phich = _phich_groups(cell, in_frame)
    pcfich, phich, pdcch = control_elements(cell.cell_id, cell.n_rb, cell.ports, n_control, n_phich)
    _add_pcfich(subframe, pcfich, rng)
    _add_phich(subframe, phich, load, rng)
    _add_pdcch(subframe, pdcch, load, has_common, rng)


def _add_pcfich(subframe, elements, rng):
    """Control format indicator, in every downlink subframe: TS 36.211 6.7."""
    subframe.flat[elements] = random_qam(rng, elements.shape)


def _add_phich(subframe, groups, load, rng):
    """Acknowledgements in a fraction of the groups, (n_groups, 12) elements: TS 36.211 6.9."""
    used = groups[rng.random(len(groups)) < load]
    subframe.flat[used] = random_qam(rng, used.shape)


def _add_pdcch(subframe, elements, load, has_common, rng):
    """Grants in a fraction of the control channel elements, (n_cce, 36) resource elements: TS 36.211 6.8.

    Args:
        has_common: also use the first eight control channel elements, as for system information.
    """
    aggregation = 1 << int(rng.integers(4))
    used = np.repeat(rng.random(-(-len(elements) // aggregation)) < load, aggregation)[: len(elements)]
    used[:8] |= has_common
    subframe.flat[elements[used]] = random_qam(rng, (int(used.sum()), elements.shape[1]))


@lru_cache(maxsize=256)
def control_elements(
    cell_id: int, n_rb: int, ports: int, n_control: int, n_phich: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of the control channels, as indices into a flattened subframe.

    Returns:
        PCFICH (16,), PHICH (n_phich, 12) and PDCCH (n_cce, 36).
    """
    first = _element_groups(cell_id, n_rb, 0, has_reference=True)
    pcfich = (cell_id % (2 * n_rb) + np.arange(4) * n_rb // 2) % len(first)
    free = np.delete(first, pcfich, axis=0)
    thirds = np.arange(3) * len(free) // 3
    phich = (cell_id + np.arange(n_phich)[:, None] + thirds) % len(free)
    control = [np.delete(free, phich.ravel(), axis=0)]
    for symbol in range(1, n_control):
        control.append(_element_groups(cell_id, n_rb, symbol, has_reference=symbol == 1 and ports == 4))
    pdcch = _control_channel_elements(np.concatenate(control), cell_id, n_rb, ports)
    return first[pcfich].ravel(), free[phich].reshape(n_phich, 12), pdcch


def _element_groups(cell_id, n_rb, symbol, has_reference):
    """Resource element groups of a symbol, (n_groups, 4) indices into a flattened subframe: TS 36.211 6.2.4."""
    subcarriers = np.arange(n_rb * SUBCARRIERS_PER_RB)
    if has_reference:
        subcarriers = subcarriers[subcarriers % 3 != cell_id % 3]
    return symbol * n_rb * SUBCARRIERS_PER_RB + subcarriers.reshape(-1, 4)


def _control_channel_elements(groups, cell_id, n_rb, ports):
    """Control channel elements, (n_cce, 36), out of the element groups left for them: TS 36.211 6.8.1, 6.8.5."""
    symbol, subcarrier = np.divmod(groups[:, 0], n_rb * SUBCARRIERS_PER_RB)
    width = np.array([6, 6 if ports == 4 else 4, 4, 4])[symbol]
    lowest = subcarrier // width * width
    groups = groups[np.lexsort((symbol, lowest))]
    content = np.roll(_interleaver(len(groups)), -cell_id)
    place = np.empty(len(groups), int)
    place[content] = np.arange(len(groups))
    n_cce = len(groups) // 9
    return groups[place[: 9 * n_cce]].reshape(n_cce, 36)


def _interleaver(n):
    """Sub-block interleaver of n entries: which one comes at each place: TS 36.212 5.1.4.2.1."""
    n_rows = -(-n // 32)
    matrix = np.concatenate([np.full(32 * n_rows - n, -1), np.arange(n)]).reshape(n_rows, 32)
    order = matrix[:, INTERLEAVER_COLUMNS].T.ravel()
    return order[order >= 0]


def _phich_groups(cell, in_frame):
    """PHICH groups in a subframe: TS 36.211 6.9 and table 6.9-1."""
    groups = int(np.ceil(cell.phich_resource * cell.n_rb / 8))
    return groups if cell.tdd_config is None else groups * TDD_PHICH_FACTORS[cell.tdd_config][in_frame]
