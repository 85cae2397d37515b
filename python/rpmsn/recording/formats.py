# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample formats that can be read, under their SigMF names, and their scaling to full scale 1.0."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import RecordingError


@dataclass(frozen=True)
class SampleFormat:
    """How one sample lies in a file: a complex one as I then Q, each a `component`; a real one as one.

    A component x becomes (x - `zero`) / `full_scale`.
    """

    name: str
    component: np.dtype
    zero: float
    full_scale: float
    is_complex: bool = True

    @property
    def components(self) -> int:
        """Numbers of a sample: 2, or 1 of a real one."""
        return 2 if self.is_complex else 1

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of a sample."""
        return self.components * self.component.itemsize

    def convert(self, components: np.ndarray, values: NDArray[np.float32]) -> None:
        """Scale components into float32 of the same number, in place. What float32 cannot hold becomes infinite.

        Copy first, then scale: twice as fast as one multiplication that has to cast.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            np.copyto(values, components, casting="same_kind" if components.dtype.kind == "f" else "unsafe")
            if self.zero:
                np.subtract(values, np.float32(self.zero), out=values)
            if self.full_scale != 1.0:
                np.multiply(values, np.float32(1.0 / self.full_scale), out=values)


def _format(kind: str, number: str, bits: int, order: str) -> SampleFormat:
    ending = "" if bits == 8 else "_be" if order == ">" else "_le"
    component = np.dtype(f"{order}{number}{bits // 8}")
    half = 2.0 ** (bits - 1)
    zero, full_scale = {"f": (0.0, 1.0), "i": (0.0, half), "u": (half - 0.5, half)}[number]
    return SampleFormat(f"{kind}{number}{bits}{ending}", component, zero, full_scale, kind == "c")


FORMATS = {
    one.name: one
    for one in (
        _format(kind, number, bits, order)
        for kind in "cr"
        for number, bits in (("i", 8), ("u", 8), ("i", 16), ("u", 16), ("i", 32), ("u", 32), ("f", 32), ("f", 64))
        for order in "<>"
        if bits > 8 or order == "<"
    )
}
"""SigMF name -> format. `sample_format` also finds them under the names that other programs use."""
USUAL_FORMATS = ("ci8", "cu8", "ci16_le", "cf32_le")
"""What most recordings are, and what messages name as examples."""
WHOLE_NAMES = {
    "complex64": "cf32_le",
    "complex128": "cf64_le",
    "complexfloat": "cf32_le",
    "cfile": "cf32_le",
    "fc": "cf32_le",
    "float": "rf32_le",
    "float32": "rf32_le",
    "float64": "rf64_le",
    "double": "rf64_le",
    "short": "ri16_le",
    "byte": "ri8",
}
"""Names without a system -> format; a complex64 of numpy is two float32."""
NAME = re.compile(
    r"(?P<kind>c|r|)(?P<number>[fius]|int|uint|float)(?P<complex>c|)(?P<bits>8|16|32|64)_?(?P<order>le|be|)"
)
"""ci16_le, cs16, sc16, int16, fc32, cf32be, u8: `c` says complex, before the kind of number or after it."""


def sample_format(datatype: object) -> SampleFormat:
    """Look a format up by its name: that of SigMF, with or without `_le`, or one that other programs use (`cs16`,
    `sc16`, `fc32`, `CI16`). 32 bits are those of each component, as everywhere but in numpy.

    Raises:
        RecordingError: no such format; the message lists those there are.
    """
    name = datatype.strip().lower().replace("-", "_").replace(" ", "_") if isinstance(datatype, str) else ""
    found = NAME.fullmatch(name)
    if name in WHOLE_NAMES:
        return FORMATS[WHOLE_NAMES[name]]
    if found:
        number = found["number"][0].replace("s", "i")
        kind = "c" if found["complex"] else found["kind"] or "r"
        bare = f"{kind}{number}{found['bits']}"
        for full in (bare, f"{bare}_{found['order'] or 'le'}"):
            if full in FORMATS:
                return FORMATS[full]
    raise RecordingError(
        f"datatype {datatype!r:.60} is not supported: it must be one of {', '.join(USUAL_FORMATS)}, or another of "
        "SigMF: c or r (complex or real), i, u or f (signed, unsigned, float), 8, 16, 32 or 64 bits, _le or _be."
    )
