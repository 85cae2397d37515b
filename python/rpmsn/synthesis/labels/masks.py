# SPDX-License-Identifier: GPL-3.0-or-later
"""The true class of every pixel of a scene's image, by one of five policies.

`published` is the policy of the RPMSN paper: the nominal channel bandwidth over the whole frame, for LTE and NR only.

`occupied` is that of the shipped models. Classes are given where a transmission is visible, and
`classes.IGNORED` where the class of a pixel is ambiguous:

* an LTE downlink is its occupied band (N_RB x 12 x subcarrier spacing) over the time on the air; TDD gaps count as on;
* an NR carrier and an uplink are the same with much traffic; with little they are labelled where they carry
  energy, and the rest of the band is ignored;
* a DSS carrier, shared by LTE and NR, is LTE, since LTE's reference signals are sent all the time; pixels in which
  more than half of the power is NR's own are ignored, because there both answers are right;
* other transmissions are labelled where they rise over the noise;
* ignored are also the pixels of an edge, carriers too weak to see, and what the receiver's filter hides;
* where transmissions overlap, the one that is stronger in the pixel wins. Leakage, I/Q images and intermodulation
  are noise.

`filled` is `occupied` but for carriers with some traffic: less of it is enough for a carrier to be labelled whole.
Models are trained by it, so that a carrier's bursts come out as one; they are judged by `occupied`.

`split` is `occupied`, but carriers of the same class side by side have a column of noise or more between them instead
of ignored edges, so that a model trained by it separates them. `filled_split` is both.
"""

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import binary_closing

from ...classes import IGNORED, LTE, NOISE, NR, OTHER
from ...errors import ParameterError
from .truth import Truth, overlap_fractions

if TYPE_CHECKING:
    from ..scene.scene import Scene

VISIBLE_DB = -7.0
"""SNR in a pixel below which a carrier is not distinguishable from noise."""
TRACE_DB = -13.0
"""SNR in a pixel below which a transmission is not visible at all."""
BUSY_FRACTIONS = {"occupied": 0.6, "filled": 0.3, "split": 0.6, "filled_split": 0.3}
"""Policy -> a carrier with traffic in at least this fraction of its pixels is labelled whole."""
LIT_LEVEL = 0.05
"""Power in a pixel, relative to the power while on the air, from which on it counts as carrying energy."""
SHARED_POWER = 0.5
"""Fraction of NR's own signals in the power of a DSS carrier's pixel from which on it is not judged."""
EDGE_PIXELS = 0.75
"""Columns whose centre is nearer than this to an edge of the occupied band are ignored."""
SPLIT_POLICIES = ("split", "filled_split")
SPLIT_COLUMNS = 3
"""By these policies, carriers of one class that are nearer than this have noise between them."""
MIN_COLUMNS = 3
"""Bands narrower than this keep the column that holds most of them, edges or not."""

CLASS_OF = {"LTE": LTE, "NR": NR, "other": OTHER}

POLICIES = ("published", *BUSY_FRACTIONS)


def check_policy(policy: str) -> None:
    """Raise a ParameterError for an unknown policy."""
    if policy not in POLICIES:
        raise ParameterError(f"label policy {policy!r} is unknown; choose one of {', '.join(POLICIES)}")


def mask(
    scene: "Scene", truths: "list[Truth]", policy: str = "occupied", rows: int = 256, columns: int = 256
) -> np.ndarray:
    """Class ids of all pixels.

    Args:
        scene: the `Scene` that was rendered.
        truths: list of `Truth` as rendered with it; all of one chunk (the scene, or one block of it).
        policy: one of `POLICIES`.

    Returns:
        uint8, shape (rows, columns). Row `r` is the time from r/rows to (r + 1)/rows of the chunk; column `c` is
        centred on (c - columns/2) * sample_rate / columns.

    Raises:
        ParameterError: no such policy.
    """
    check_policy(policy)
    edges = (np.arange(columns + 1) - columns / 2 - 0.5) * scene.sample_rate / columns
    weakest_first = sorted(truths, key=lambda truth: truth.snr_db)
    if policy == "published":
        return _nominal(weakest_first, rows, edges)
    painted = _Mask(rows, edges, scene, BUSY_FRACTIONS[policy])
    for truth in weakest_first:
        painted.paint(truth)
    if policy in SPLIT_POLICIES:
        _separate(painted.classes, truths, edges)
    return painted.classes


def _separate(classes, truths, edges):
    """Put noise between neighbouring carriers of one class, in place."""
    width = edges[1] - edges[0]
    for label in ("LTE", "NR"):
        bands = sorted((truth.occupied_lower, truth.occupied_upper) for truth in truths if truth.label == label)
        for (_, upper), (lower, _) in zip(bands, bands[1:]):
            if -width < lower - upper < SPLIT_COLUMNS * width:
                between = np.abs(_centres(edges) - (lower + upper) / 2) <= max(lower - upper, width) / 2
                part = classes[:, between]
                part[(part == CLASS_OF[label]) | (part == IGNORED)] = NOISE
                classes[:, between] = part


def _nominal(truths, rows, edges):
    """Mask of policy `published`."""
    row = np.full(edges.size - 1, NOISE, np.uint8)
    for truth in truths:
        if truth.label != "other":
            row[np.abs(_centres(edges) - truth.center_hz) <= truth.bandwidth_hz / 2] = CLASS_OF[truth.label]
    return np.repeat(row[None], rows, axis=0)


class _Mask:
    """A mask on which transmissions are painted, the weakest first; not for policy `published`."""

    def __init__(self, rows: int, edges: np.ndarray, scene: "Scene", busy_fraction: float) -> None:
        self.busy_fraction = busy_fraction
        self.rows, self.edges = rows, edges
        self.classes = np.full((rows, edges.size - 1), NOISE, np.uint8)
        self.strongest = np.zeros(self.classes.shape, np.float32)
        frequency = _centres(edges) / scene.sample_rate
        reception = scene.reception
        self.receiver_db = 20 * np.log10(reception.receiver.gain(frequency))
        # A receiver's floor that is not flat hides more where it is higher.
        self.floor = 1.0 if reception.noise is None else reception.noise.gain(frequency).astype(np.float32)

    def paint(self, truth: Truth) -> None:
        """Give the pixels of one transmission their class, where it is the strongest."""
        snr = pixel_snr(truth, self.rows, self.edges) / self.floor
        inside, edge = _columns(truth, self.edges)
        lit, unsure = _pixels(truth, snr, inside, edge, self.busy_fraction)
        wins = lit & ~unsure & (snr >= self.strongest)
        self.classes[unsure & (self.classes == NOISE)] = IGNORED
        self.classes[wins] = CLASS_OF[truth.label]
        self.strongest[wins] = snr[wins]
        self._ignore_shared(truth, wins)
        self._ignore_borders(truth, lit | unsure, inside, edge)

    def _ignore_shared(self, truth, wins):
        if truth.shared is not None:
            nr_power = _per_pixel(truth, truth.shared, self.rows, self.edges)
            whole = _per_pixel(truth, truth.level, self.rows, self.edges)
            self.classes[wins & (nr_power > SHARED_POWER * whole)] = IGNORED

    def _ignore_borders(self, truth, touched, inside, edge):
        """Ignore edges (columns only partly covered, or just outside) and what the receiver's filter hides."""
        hidden = inside & (truth.snr_db + self.receiver_db < VISIBLE_DB)
        self.classes[touched & (edge | hidden)] = IGNORED
        self.classes[_widened(touched) & edge] = IGNORED


def _pixels(truth, snr, inside, edge, busy_fraction):
    """(pixels that get the class of a transmission, pixels that may be it or not), bool (rows, columns)."""
    band = np.broadcast_to(inside, snr.shape)
    nothing = np.zeros(snr.shape, bool)
    if truth.label == "other":
        lit = inside & (snr > 10 ** (VISIBLE_DB / 10))
        return lit, (inside | edge) & ~lit & (snr > 10 ** (TRACE_DB / 10))
    if truth.snr_db < VISIBLE_DB:
        return nothing, band
    if truth.fills_band:
        return band, nothing
    lit = inside & (snr > LIT_LEVEL * 10 ** (truth.snr_db / 10)) & (snr > 10 ** (VISIBLE_DB / 10))
    closed = _fill_gaps(lit, truth.gap_s / (truth.end_s - truth.start_s))
    if not inside.any() or closed[:, inside].mean() >= busy_fraction:
        return band, nothing
    return closed, band & ~closed


def pixel_snr(truth: Truth, rows: int, edges: np.ndarray) -> np.ndarray:
    """Mean SNR in every pixel, linear, shape (rows, len(edges) - 1); `edges` of the columns are in Hz."""
    return _per_pixel(truth, truth.level, rows, edges) * np.float32(10 ** (truth.snr_db / 10))


def _per_pixel(truth, values, rows, edges):
    """Mean of a truth's cells in every pixel."""
    n_time, n_frequency = values.shape
    band = np.linspace(truth.occupied_lower, truth.occupied_upper, n_frequency + 1)
    return (
        overlap_fractions(np.linspace(0, 1, n_time + 1), np.linspace(0, 1, rows + 1))
        @ values
        @ overlap_fractions(band, edges).T
    )


def _centres(edges):
    return (edges[:-1] + edges[1:]) / 2


def _columns(truth, edges):
    """(columns of the occupied band, columns of its edges), bool. Edges outside the span are none."""
    width = edges[1] - edges[0]
    centres = _centres(edges)
    lower, upper = truth.occupied_lower, truth.occupied_upper
    inside = (centres >= lower) & (centres < upper)
    edge = np.zeros(centres.size, bool)
    for frequency in (lower, upper):
        if edges[0] < frequency < edges[-1]:
            edge |= np.abs(centres - frequency) < EDGE_PIXELS * width
    if upper - lower < MIN_COLUMNS * width:
        middle = int(np.clip(np.searchsorted(edges, (lower + upper) / 2) - 1, 0, centres.size - 1))
        inside[middle] = True
        edge[max(middle - 1, 0) : middle + 2] = True
        edge[middle] = False
    return inside, edge


def _fill_gaps(lit, gap_fraction):
    """Fill gaps in time that are no longer than a TDD pattern's own."""
    gap = int(np.ceil(gap_fraction * lit.shape[0]))
    if gap < 1:
        return lit
    padded = np.pad(lit, ((gap + 1, gap + 1), (0, 0)))
    return binary_closing(padded, np.ones((gap + 1, 1), bool))[gap + 1 : -gap - 1]


def _widened(pixels):
    """The pixels and their neighbours in frequency."""
    widened = pixels.copy()
    widened[:, 1:] |= pixels[:, :-1]
    widened[:, :-1] |= pixels[:, 1:]
    return widened
