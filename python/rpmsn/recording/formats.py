# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample formats that can be read, under their SigMF names, and their scaling to full scale 1.0."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import RecordingError


@dataclass(frozen=True)
class SampleFormat:
    """How one complex sample lies in a file: I then Q, each a `component`.

    A component x becomes (x - `zero`) / `full_scale`.
    """

    name: str
    component: np.dtype
    zero: float
    full_scale: float

    @property
    def bytes_per_sample(self) -> int:
        """Bytes that I and Q take together."""
        return 2 * self.component.itemsize

    def convert(self, components: np.ndarray, out: NDArray[np.complex64]) -> None:
        """Scale `components` (2 n values, I and Q in turn) into `out` (n complex64, contiguous), in place.

        Copy first, then scale: twice as fast as one multiplication that has to cast.
        """
        values = out.view(np.float32)
        np.copyto(values, components)
        if self.zero:
            np.subtract(values, np.float32(self.zero), out=values)
        if self.full_scale != 1.0:
            np.multiply(values, np.float32(1.0 / self.full_scale), out=values)


FORMATS = {
    sample_format.name: sample_format
    for sample_format in (
        SampleFormat("ci8", np.dtype("i1"), 0.0, 128.0),
        SampleFormat("cu8", np.dtype("u1"), 127.5, 128.0),
        SampleFormat("ci16_le", np.dtype("<i2"), 0.0, 32768.0),
        SampleFormat("cf32_le", np.dtype("<f4"), 0.0, 1.0),
    )
}
"""SigMF name -> format. `sample_format` also finds them with or without `_le`."""


def sample_format(datatype: object) -> SampleFormat:
    """Look a format up by its SigMF name; the ending `_le` may be left out or, for 8 bit, be there.

    Raises:
        RecordingError: no such format, or one that cannot be read; the message lists those that can.
    """
    if isinstance(datatype, str):
        bare = datatype.removesuffix("_le")
        for name in (bare, bare + "_le"):
            if name in FORMATS:
                return FORMATS[name]
    raise RecordingError(
        f"datatype {datatype!r} is not supported: it must be one of {', '.join(FORMATS)}. "
        "Convert the recording to one of these first."
    )
