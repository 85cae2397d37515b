# SPDX-License-Identifier: GPL-3.0-or-later
"""The true class of every pixel of a scene's image, by one of two rules.

`published` is the rule of the RPMSN paper: the nominal channel bandwidth over the whole frame, for LTE and NR only.

`occupied` is that of the shipped models. Classes are given where a transmission is to be seen, and
`classes.IGNORED` where that is a matter of opinion:

* a carrier is its occupied band (N_RB x 12 x subcarrier spacing) over the time on the air; TDD gaps count as on;
* an NR carrier with little traffic is labelled where it carries energy, the rest of its band is ignored;
* other transmissions are labelled where they rise over the noise;
* ignored are also the pixels of an edge, carriers too weak to see, and what the receiver's filter hides;
* where transmissions overlap, the stronger (in power per hertz) wins. Leakage and mirror images are noise.
"""
import numpy as np
from scipy.ndimage import binary_closing

from ..classes import IGNORED, LTE, NOISE, NR, OTHER
from ..errors import ParameterError

VISIBLE_DB = -7.0
"""SNR in a pixel below which a carrier cannot be told from noise."""
HINT_DB = -13.0
"""SNR in a pixel below which a transmission leaves no trace at all."""
BUSY_SHARE = 0.6
"""An NR carrier is labelled whole if at least this share of its pixels carries energy."""
LIT_LEVEL = 0.05
"""Power in a pixel, relative to the power while on the air, from which on it counts as carrying energy."""
EDGE_PIXELS = 0.75
"""Columns whose centre is nearer than this to an edge of the occupied band are ignored."""
MIN_COLUMNS = 3
"""Bands narrower than this keep the column that holds most of them, edges or not."""

CLASS_OF = {"LTE": LTE, "NR": NR, "other": OTHER}

RULES = ("published", "occupied")


def mask(scene, truths, rule="occupied", rows=256, columns=256):
    """Class ids of all pixels.

    Args:
        scene: the `Scene` that was rendered.
        truths: list of `Truth` as rendered with it; all of one stretch (the scene, or one block of it).
        rule: `published` or `occupied`.

    Returns:
        uint8, shape (rows, columns). Row `r` is the time from r/rows to (r + 1)/rows of the stretch; column `c` is
        centred on (c - columns/2) * sample_rate / columns.

    Raises:
        ParameterError: no such rule.
    """
    if rule not in RULES:
        raise ParameterError(f"label rule {rule!r} is unknown; choose one of {', '.join(RULES)}")
    result = np.full((rows, columns), NOISE, np.uint8)
    edges = (np.arange(columns + 1) - columns / 2 - 0.5) * scene.sample_rate / columns
    for truth in sorted(truths, key=lambda truth: truth.snr_db):
        if rule == "published":
            _paint_nominal(result, truth, edges)
        else:
            _paint_occupied(result, truth, edges, scene.receiver.gain(_centres(edges) / scene.sample_rate))
    return result


def _paint_nominal(result, truth, edges):
    if truth.label == "other":
        return
    centres = _centres(edges)
    result[:, np.abs(centres - truth.center_hz) <= truth.bandwidth_hz / 2] = CLASS_OF[truth.label]


def _paint_occupied(result, truth, edges, receiver_gain):
    snr = pixel_snr(truth, result.shape[0], edges)
    inside, edge = _columns(truth, edges)
    hidden = inside & (truth.snr_db + 20 * np.log10(receiver_gain) < VISIBLE_DB)
    if truth.label == "other":
        lit, ignored = _burst_pixels(snr, inside, edge)
    elif truth.snr_db < VISIBLE_DB:
        lit, ignored = np.zeros(snr.shape, bool), np.broadcast_to(inside, snr.shape).copy()
    elif truth.label == "LTE":
        lit = np.broadcast_to(inside, snr.shape)
        ignored = np.zeros(snr.shape, bool)
    else:
        lit, ignored = _nr_pixels(truth, snr, inside)
    result[ignored] = IGNORED
    result[lit & ~ignored] = CLASS_OF[truth.label]
    touched = lit | ignored
    result[touched & (edge | hidden)] = IGNORED
    # An edge is a column that is only partly covered, or the one just outside.
    beside = _grown(touched) & edge
    result[beside] = IGNORED


def pixel_snr(truth, rows, edges):
    """Mean SNR in every pixel, linear, shape (rows, len(edges) - 1); `edges` of the columns are in Hz."""
    n_time, n_frequency = truth.level.shape
    time_share = _shares(np.linspace(0, 1, n_time + 1), np.linspace(0, 1, rows + 1))
    band = np.linspace(truth.occupied_lower, truth.occupied_upper, n_frequency + 1)
    level = time_share @ truth.level @ _shares(band, edges).T
    return level * np.float32(10 ** (truth.snr_db / 10))


def _shares(cells, pixels):
    """Share of every pixel that every cell fills, float32 (pixels, cells), from the edges of both (ascending)."""
    lower = np.maximum(cells[None, :-1], pixels[:-1, None])
    upper = np.minimum(cells[None, 1:], pixels[1:, None])
    return (np.maximum(upper - lower, 0) / np.diff(pixels)[:, None]).astype(np.float32)


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
        edge[max(middle - 1, 0):middle + 2] = True
        edge[middle] = False
    return inside, edge


def _burst_pixels(snr, inside, edge):
    """Pixels of another transmission that are seen, and those that may be seen."""
    lit = inside & (snr > 10 ** (VISIBLE_DB / 10))
    ignored = (inside | edge) & ~lit & (snr > 10 ** (HINT_DB / 10))
    return lit, ignored


def _nr_pixels(truth, snr, inside):
    """Pixels of an NR carrier that are labelled, and those ignored."""
    lit = inside & (snr > LIT_LEVEL * 10 ** (truth.snr_db / 10)) & (snr > 10 ** (VISIBLE_DB / 10))
    closed = _fill_gaps(lit, truth.gap_s / (truth.end_s - truth.start_s))
    if closed[:, inside].mean() >= BUSY_SHARE:
        return np.broadcast_to(inside, snr.shape), np.zeros(snr.shape, bool)
    return closed, np.broadcast_to(inside, snr.shape) & ~closed


def _fill_gaps(lit, gap_share):
    """Fill gaps in time that are no longer than a TDD pattern's own."""
    gap = int(np.ceil(gap_share * lit.shape[0]))
    if gap < 1:
        return lit
    padded = np.pad(lit, ((gap + 1, gap + 1), (0, 0)))
    return binary_closing(padded, np.ones((gap + 1, 1), bool))[gap + 1:-gap - 1]


def _grown(pixels):
    """The pixels and their neighbours in frequency."""
    grown = pixels.copy()
    grown[:, 1:] |= pixels[:, :-1]
    grown[:, :-1] |= pixels[:, 1:]
    return grown
