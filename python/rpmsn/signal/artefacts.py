# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals in a frame that the receiver makes itself: a DC spur and I/Q images. Found once, and removed here alone.

A DC spur is a line at the centre frequency that is on all the time; the window spreads it over three columns. For I/Q
images, see `iq_image`.
"""

from dataclasses import dataclass

import numpy as np

from .iq_image import image_columns
from .sums import COLUMNS

SPUR_DB = 6.0
"""A spur is stronger than its neighbours by this..."""
SPUR_PARTS = 8
"""...in each of this many parts of the frame."""
SPUR_COLUMN = COLUMNS // 2
SPUR_COLUMNS = (SPUR_COLUMN - 1, SPUR_COLUMN + 2)
"""Columns of a spur at zero frequency, the end excluded: the window spreads it to one on either side."""
NEIGHBOURS = 4
"""Columns on either side of a spur that it is compared with."""


@dataclass(frozen=True)
class Artefacts:
    """Which columns of a frame show what the receiver makes itself.

    Attributes:
        dc_spur: whether there is a spur at zero frequency.
        image_columns: bool, shape (256,): columns with an I/Q image and little else but noise.
    """

    dc_spur: bool
    image_columns: np.ndarray

    def without(self, probabilities: np.ndarray, noise: int) -> np.ndarray:
        """Class probabilities without the artefacts: I/Q images are noise, then a spur is what lies beside it.

        Args:
            probabilities: float32, shape (classes, rows, 256).
            noise: index of the class noise.

        Returns:
            The same array where there is no artefact, else a changed copy.
        """
        if self.image_columns.any():
            probabilities = probabilities.copy()
            probabilities[..., self.image_columns] = 0
            probabilities[noise][:, self.image_columns] = 1
        return self.without_spur(probabilities)

    def without_spur(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels, shape (..., 256), whose columns of a spur hold the mean of the columns beside them.

        So a spur is not reported, and does not split a carrier that goes on to both sides.

        Returns:
            The same array where there is no spur, else a changed copy.
        """
        if not self.dc_spur:
            return pixels
        first, after = SPUR_COLUMNS
        changed = pixels.copy()
        changed[..., first:after] = (pixels[..., first - 1 : first] + pixels[..., after : after + 1]) / 2
        return changed


NO_ARTEFACTS = Artefacts(False, np.zeros(COLUMNS, bool))
NO_ARTEFACTS.image_columns.flags.writeable = False


def find_artefacts(coherence: np.ndarray | None, power: np.ndarray, floor: float) -> Artefacts:
    """The artefacts of a frame.

    Args:
        coherence: float, shape (256,), from `iq_image.image_coherence`; None where it is not known.
        power: float32, shape (rows, 256), linear (`rpmsn.signal.image.power`).
        floor: noise power in a pixel, linear.
    """
    columns = NO_ARTEFACTS.image_columns if coherence is None else image_columns(coherence, power, floor)
    return Artefacts(has_dc_spur(power), columns)


def has_dc_spur(power: np.ndarray) -> bool:
    """Whether there is a spur at zero frequency, all the time; `power` is float32, shape (rows, 256), linear."""
    parts = np.array_split(
        power[:, SPUR_COLUMNS[0] - NEIGHBOURS : SPUR_COLUMNS[1] + NEIGHBOURS], min(SPUR_PARTS, len(power))
    )
    spectra = np.array([part.mean(axis=0) for part in parts])
    beside = np.maximum(spectra[:, :NEIGHBOURS].mean(axis=1), spectra[:, -NEIGHBOURS:].mean(axis=1))
    spur = spectra[:, NEIGHBOURS + SPUR_COLUMN - SPUR_COLUMNS[0]]
    return bool((spur > beside * 10 ** (SPUR_DB / 10)).all())
