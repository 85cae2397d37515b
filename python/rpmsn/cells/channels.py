# SPDX-License-Identifier: GPL-3.0-or-later
"""Bands and channel numbers that a cell's frequency may stand for: several bands overlap, and a receiver errs."""

from dataclasses import dataclass

from ..standards import bands
from ..standards.bands import FDD, NR, SDL, Band
from .cell import Cell

CLEAR_HZ = 25e3
"""A frequency this close to a place of the raster is taken for it: 14 ppm at 1.8 GHz. Where the raster's step is
100 kHz, a receiver that errs by less than 75 kHz gives no wrong channel number."""


EDGE_HZ = 250e3
"""Edges are seen to one column of an image, 0.24 MHz at 61.44 Msps."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What a cell's frequency says.

    Attributes:
        bands: every band that fits.
        earfcns: of an LTE cell's centre, one for each band; empty where the raster place is not clear.
        gscn: of an NR cell's SS/PBCH block; None where its place on the raster is not clear.
        nr_arfcn: of the same place.
    """

    bands: tuple[Band, ...] = ()
    earfcns: tuple[int, ...] = ()
    gscn: int | None = None
    nr_arfcn: int | None = None

    @property
    def band(self) -> str:
        """Names of all bands that fit, such as `3` or `n77, n78`."""
        return ", ".join(band.name for band in self.bands)

    @property
    def duplex(self) -> str | None:
        """That of all bands; None where they differ, or there are none."""
        kinds = {_frame_structure(band) for band in self.bands}
        return kinds.pop() if len(kinds) == 1 else None


def channel_of(cell: Cell, center_frequency: float) -> Channel:
    """Bands and channel numbers of a cell.

    Args:
        cell: the cell.
        center_frequency: of the samples that it was found in, Hz.
    """
    frequency = center_frequency + cell.frequency
    technology = NR if cell.technology == NR else bands.LTE
    fitting = tuple(
        band
        for band in bands.bands_at(frequency, technology)
        if cell.technology == NR or cell.duplex is None or cell.duplex == _frame_structure(band)
    )
    if cell.technology == NR:
        said = {f"n{number}" for number in cell.sib1.bands} if cell.sib1 else set()
        fitting = tuple(band for band in fitting if band.name in said) or fitting
        return _nr_channel(frequency, fitting)
    # The middle of an NB-IoT carrier is on no raster where it lies in an LTE carrier.
    nearest = round(frequency / bands.LTE_RASTER) * bands.LTE_RASTER
    is_clear = cell.technology == bands.LTE and abs(frequency - nearest) <= CLEAR_HZ
    return Channel(fitting, tuple(bands.earfcn(frequency, band) for band in fitting) if is_clear else ())


def channel_of_carrier(lower: float, upper: float, technology: str, duplex: str | None = None) -> Channel:
    """Bands in which a carrier without a known cell may be: those whose downlink, or else whose uplink, has its middle,
    with a channel as wide.

    Its channel number is not known: edges that were seen are no places of a raster.

    Args:
        lower, upper: edges that were seen, Hz; a carrier may be wider, and up to `EDGE_HZ` narrower at each.
        technology: LTE or NR.
        duplex: FDD or TDD where it is known.
    """
    width, middle = upper - lower - 2 * EDGE_HZ, (lower + upper) / 2
    return Channel(
        tuple(
            band
            for band in bands.bands_at(middle, technology) or bands.bands_at(middle, technology, "uplink")
            if duplex in (None, _frame_structure(band)) and band.bandwidths[-1] >= width
        )
    )


def _nr_channel(frequency: float, fitting: tuple[Band, ...]) -> Channel:
    number = bands.gscn(frequency)
    place = bands.gscn_frequency(number)
    if not fitting or abs(frequency - place) > CLEAR_HZ:
        return Channel(fitting)
    return Channel(fitting, gscn=number, nr_arfcn=bands.nr_arfcn(place))


def _frame_structure(band: Band) -> str:
    """FDD or TDD: a downlink-only band has the frames of FDD."""
    return FDD if band.duplex == SDL else band.duplex
