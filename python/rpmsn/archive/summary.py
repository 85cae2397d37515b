# SPDX-License-Identifier: GPL-3.0-or-later
"""The carriers and cells of many recordings, grouped: what came back, and in how many of them."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..messages import keys

SIGMF = {name: keys.FIELDS[name].sigmf for name in (keys.LABEL, keys.FREQ_LOWER, keys.FREQ_UPPER, keys.CELL_ID)}
CARRIER_ID = keys.FIELDS[keys.BURST_ID].sigmf


@dataclass
class Group:
    """Carriers of the same label and PCI at the same place.

    Attributes:
        label: class of the carriers.
        cell_id: PCI; None where no cell was decoded.
        is_absolute: whether its frequencies are; otherwise they are relative to the centres of recordings.
        center_frequency: of the first one, Hz; what the others are compared with.
        freq_lower, freq_upper: mean edges, Hz.
        band: operating bands, where a cell says so.
        recordings: in how many of them.
        carriers: how many there are.
    """

    label: str
    cell_id: int | None
    is_absolute: bool
    center_frequency: float
    freq_lower: float = 0.0
    freq_upper: float = 0.0
    band: str | None = None
    recordings: int = 0
    carriers: int = 0
    last: int = -1

    @property
    def bandwidth(self) -> float:
        """Distance of the mean edges, Hz."""
        return self.freq_upper - self.freq_lower

    def add(self, carrier: Mapping[str, Any], recording: int) -> None:
        """Count a carrier of a recording, which has a number."""
        self.carriers += 1
        self.freq_lower += (carrier[keys.FREQ_LOWER] - self.freq_lower) / self.carriers
        self.freq_upper += (carrier[keys.FREQ_UPPER] - self.freq_upper) / self.carriers
        self.band = self.band or carrier.get(keys.BAND)
        self.recordings += self.last != recording
        self.last = recording


class Summary:
    """Counts carriers as recordings come in. Memory grows with the number of different carriers alone."""

    def __init__(self) -> None:
        self.recordings = 0
        self._groups: dict[tuple[str, int | None, bool], list[tuple[float, int, Group]]] = {}

    @property
    def groups(self) -> list[Group]:
        """Those of most recordings first; of as many, the lowest frequency first."""
        found = [group for groups in self._groups.values() for _, _, group in groups]
        return sorted(found, key=lambda one: (-one.recordings, not one.is_absolute, one.freq_lower))

    def add(self, carriers: Iterable[Mapping[str, Any]], is_absolute: bool) -> None:
        """Add a recording.

        Args:
            carriers: as of `messages.results.carrier_fields`; those without edges do not count.
            is_absolute: whether their frequencies are.
        """
        self.recordings += 1
        for carrier in carriers:
            lower, upper = carrier.get(keys.FREQ_LOWER), carrier.get(keys.FREQ_UPPER)
            if lower is not None and upper is not None:
                self._group(carrier, (lower + upper) / 2, upper - lower, is_absolute).add(carrier, self.recordings)

    def _group(self, carrier: Mapping[str, Any], center: float, width: float, is_absolute: bool) -> Group:
        """The group of a carrier: its middle is inside those carriers, and theirs is inside it."""
        label, cell_id = str(carrier.get(keys.LABEL)), carrier.get(keys.CELL_ID)
        groups = self._groups.setdefault((label, cell_id, is_absolute), [])
        at = bisect_left(groups, (center,))
        near = [group for _, _, group in groups[max(0, at - 1) : at + 1]]
        group = min(near, key=lambda one: abs(one.center_frequency - center), default=None)
        if group is None or abs(group.center_frequency - center) > min(width, group.bandwidth) / 2:
            group = Group(label, cell_id, is_absolute, center)
            insort(groups, (center, len(groups), group))
        return group


def carriers_of(metadata: Mapping[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    """The carriers in annotations that this program wrote, each once, and whether their frequencies are absolute."""
    carriers = {
        entry.get(CARRIER_ID): {name: entry.get(sigmf) for name, sigmf in SIGMF.items()}
        | {keys.BAND: entry.get(keys.FIELDS[keys.BAND].sigmf)}
        for entry in metadata["annotations"]
        if CARRIER_ID in entry
    }
    return list(carriers.values()), any("core:frequency" in capture for capture in metadata["captures"])
