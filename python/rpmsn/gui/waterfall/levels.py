# SPDX-License-Identifier: GPL-3.0-or-later
"""In what power is said: over the noise, over full scale, or in dBm by an offset for each gain (no Qt).

>>> unit = LevelUnit("dBm", dbm_offset({"20": -50.0}, 30.0))
>>> unit.text(12.0, -90.0)
'-138 dBm'
"""

import dataclasses
import math
from collections.abc import Mapping

from ..translation import mark, tr

NOISE, DBFS, DBM = mark("dB over noise"), "dBFS", "dBm"
UNITS = (NOISE, DBFS, DBM)
NO_GAIN = ""
"""Key of the offset where no gain is known: recordings, publishers, the radio's own gain control."""
HIGHEST_OFFSET = 300.0


def gain_key(gain: float | None) -> str:
    """Under what the offset of a gain in dB is kept."""
    return NO_GAIN if gain is None else f"{gain:g}"


def dbm_offset(offsets: Mapping[str, float], gain: float | None) -> float | None:
    """dB from dBFS to dBm; None where none was set.

    Args:
        offsets: `gain_key` -> dB.
        gain: of the radio, dB; None where it is not known.

    Of a gain without an offset it is that of the nearest gain, less what the gain is higher.
    """
    key = gain_key(gain)
    known = [float(name) for name in offsets if name != NO_GAIN]
    if key in offsets or gain is None or not known:
        return offsets.get(key)
    nearest = min(known, key=lambda other: abs(other - gain))
    return offsets[gain_key(nearest)] - (gain - nearest)


@dataclasses.dataclass(frozen=True)
class LevelUnit:
    """What powers are said in.

    Attributes:
        name: one of UNITS.
        offset: dB from dBFS to dBm; None where it is not known: then it is dBFS.
    """

    name: str = NOISE
    offset: float | None = None

    def at(self, floor_db: float) -> "LevelUnit":
        """The unit that can be said over a noise floor in dBFS, which may be NaN."""
        if self.name == NOISE or not math.isfinite(floor_db):
            return LevelUnit()
        return LevelUnit(DBFS) if self.name == DBM and self.offset is None else self

    def shift(self, floor_db: float) -> float:
        """dB from the noise floor, in dBFS, to the unit's zero: to be added to dB over noise."""
        known = self.at(floor_db)
        if known.name == NOISE:
            return 0.0
        return floor_db + (known.offset or 0.0) if known.name == DBM else floor_db

    def text(self, over_noise: float, floor_db: float) -> str:
        """A power in dB over a noise floor in dBFS, with its unit."""
        known = self.at(floor_db)
        name = "dB" if known.name == NOISE else known.name
        return f"{over_noise + known.shift(floor_db):.0f} {name}"

    def label(self, floor_db: float, column_width: float) -> str:
        """For an axis; power over full scale depends on the bandwidth of a pixel, Hz."""
        known = self.at(floor_db)
        if known.name == NOISE:
            return tr(NOISE)
        return tr("{unit} in {width} kHz", unit=known.name, width=f"{column_width / 1e3:.3g}")
