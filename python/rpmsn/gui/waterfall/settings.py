# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user can set about the waterfall, as plain values, checked (no Qt)."""

import dataclasses
import math

from ...classes import CLASS_NAMES, NOISE
from ...errors import is_number, require
from .levels import HIGHEST_OFFSET, NO_GAIN, UNITS

SHOWN_CLASSES = tuple(name for class_id, name in enumerate(CLASS_NAMES) if class_id != NOISE)
THEME_NAMES = ("dark", "light")
COLOR_MAP_NAMES = ("gray", "inferno", "viridis", "cividis")
NEWEST = ("top", "bottom")
LEVEL_LIMITS = (-40.0, 100.0)
SMALLEST_RANGE = 3.0
"""dB between the levels."""
TIME_LIMITS = (0.01, 3600.0)
"""s, of average and max hold."""
FOR_EVER = 0.0


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the user can set.

    Attributes:
        theme: `dark` or `light`.
        color_map: of power: `gray`, `inferno`, `viridis` or `cividis`.
        alpha: how much the colours of the classes cover, 0..1.
        levels: power, in dB over the noise floor, of the first and the last colour.
        classes: names of the classes that are coloured and whose boxes are drawn.
        boxes: whether boxes are drawn.
        references: whether annotations that a file already has are drawn.
        bands: whether 3GPP bands are drawn below the frequency axis.
        spectrum, average, max_hold: whether the spectrum is there, and its two further lines.
        average_seconds: time constant of the average.
        hold_seconds: how long the strongest value holds; 0 until a reset.
        unit: of powers: `dB over noise`, `dBFS` or `dBm`.
        dbm_offsets: gain of the radio in dB, as text ("" where it is not known) -> dB from dBFS to dBm.
        from_start: whether times count from the beginning; otherwise they are those of day, where these are known.
        newest: where the newest row is, `top` or `bottom`.
    """

    theme: str = "dark"
    color_map: str = "gray"
    alpha: float = 0.4
    levels: tuple[float, float] = (-5.0, 45.0)
    classes: tuple[str, ...] = SHOWN_CLASSES
    boxes: bool = True
    references: bool = True
    bands: bool = True
    spectrum: bool = True
    average: bool = True
    max_hold: bool = True
    average_seconds: float = 1.0
    hold_seconds: float = FOR_EVER
    unit: str = UNITS[0]
    dbm_offsets: dict[str, float] = dataclasses.field(default_factory=dict)
    from_start: bool = False
    newest: str = "top"

    def changed(self, changes: dict) -> "Settings":
        """A copy with other values; keys that are not known are ignored: a file of settings may be older or newer.

        Raises:
            rpmsn.errors.ParameterError: a value is not allowed.
        """
        names = {field.name for field in dataclasses.fields(self)}
        known = {name: value for name, value in changes.items() if name in names}
        for name in ("levels", "classes"):
            if name in known:
                require("the waterfall", name, known[name], isinstance(known[name], (list, tuple)), "a list")
                known[name] = tuple(known[name])
        new = dataclasses.replace(self, **known)
        new._check()
        return new

    def as_dict(self) -> dict:
        """Plain values: str, float, bool, lists and dicts."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in dataclasses.asdict(self).items()
        }

    def _check(self) -> None:
        """Raise ParameterError unless all values can be shown."""
        for name, allowed in (
            ("theme", THEME_NAMES),
            ("color_map", COLOR_MAP_NAMES),
            ("newest", NEWEST),
            ("unit", UNITS),
        ):
            value = getattr(self, name)
            require("the waterfall", name, value, value in allowed, "one of " + ", ".join(allowed))
        require(
            "the waterfall",
            "alpha",
            self.alpha,
            is_number(self.alpha) and 0 <= self.alpha <= 1,
            "a value from 0 (classes not seen) to 1 (power not seen)",
        )
        require(
            "the waterfall",
            "levels",
            self.levels,
            self._levels_are_right(),
            "two values in dB from {:g} to {:g}, the first at least {:g} dB lower".format(
                *LEVEL_LIMITS, SMALLEST_RANGE
            ),
        )
        require(
            "the waterfall",
            "classes",
            self.classes,
            all(name in SHOWN_CLASSES for name in self.classes),
            "some of " + ", ".join(SHOWN_CLASSES),
        )
        for name in ("boxes", "references", "bands", "spectrum", "average", "max_hold", "from_start"):
            require("the waterfall", name, getattr(self, name), isinstance(getattr(self, name), bool), "True or False")

        for name, also in (("average_seconds", ()), ("hold_seconds", (FOR_EVER,))):
            value = getattr(self, name)
            is_right = is_number(value) and (value in also or TIME_LIMITS[0] <= value <= TIME_LIMITS[1])
            or_ever = ", or 0 for ever" if also else ""
            require("the waterfall", name, value, is_right, "{:g} to {:g} s".format(*TIME_LIMITS) + or_ever)
        require(
            "the waterfall",
            "dbm_offsets",
            self.dbm_offsets,
            isinstance(self.dbm_offsets, dict) and all(map(_is_offset, self.dbm_offsets.items())),
            f"gain in dB as text -> dB from -{HIGHEST_OFFSET:g} to {HIGHEST_OFFSET:g}",
        )

    def _levels_are_right(self) -> bool:
        if len(self.levels) != 2 or not all(map(is_number, self.levels)):
            return False
        low, high = self.levels
        return LEVEL_LIMITS[0] <= low and high <= LEVEL_LIMITS[1] and high - low >= SMALLEST_RANGE - 1e-9


def _is_offset(entry: tuple) -> bool:
    gain, offset = entry
    try:
        is_gain = gain == NO_GAIN or math.isfinite(float(gain))
    except (TypeError, ValueError):
        return False
    return isinstance(gain, str) and is_gain and is_number(offset) and abs(offset) <= HIGHEST_OFFSET
