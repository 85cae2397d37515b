# SPDX-License-Identifier: GPL-3.0-or-later
"""Stream tags that our blocks set and follow: their keys, and what a source says about a sample."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pmt
from gnuradio import gr

RX_TIME = "rx_time"  # tuple (uint64 whole s since 1970, double fraction), UTC; as UHD and Soapy send it
RX_FREQ = "rx_freq"  # double, Hz, centre frequency from this sample on
RX_RATE = "rx_rate"  # double, Hz, sample rate from this sample on
STREAM_END = "stream_end"  # on the last sample of a recording that is not repeated; any value


@dataclass(frozen=True)
class Tagged:
    """What the tags of one sample say; None where there is no such tag.

    Attributes:
        sample_rate, center_frequency: Hz, from this sample on.
        seconds: (whole seconds, fraction) of this sample, UTC since 1970.
    """

    sample_rate: float | None
    center_frequency: float | None
    seconds: tuple[int, float] | None


def read(found: dict, on_error: Callable[[str], None]) -> Tagged:
    """Read the tags of one sample. One that cannot be read is reported and left out, and the others hold.

    Args:
        found: key -> value (pmt) of each tag.
        on_error: called with a sentence.
    """

    def value(key, convert):
        if key not in found:
            return None
        try:
            return convert(found[key])
        except Exception as error:  # a source may tag anything
            on_error(f"tag {key} is {found[key]} and was ignored ({error}); see the block's page for what it may be")
            return None

    return Tagged(value(RX_RATE, pmt.to_double), value(RX_FREQ, pmt.to_double), value(RX_TIME, _moment))


def runs(block: gr.sync_block, samples: np.ndarray) -> Iterator[tuple[int, np.ndarray, dict]]:
    """Cut what a block's `work` got at its tags: (number of the first sample, samples, tags of what follows them).

    A run may be empty, and the last one has no tags.
    """
    first = block.nitems_read(0)
    changes: dict[int, dict] = {}
    for tag in block.get_tags_in_window(0, 0, len(samples)):
        changes.setdefault(tag.offset - first, {})[pmt.symbol_to_string(tag.key)] = tag.value
    done = 0
    for place in [*sorted(changes), len(samples)]:
        yield first + done, samples[done:place], changes.get(place, {})
        done = place


def _moment(value) -> tuple[int, float]:
    seconds, fraction = pmt.to_python(value)
    return int(seconds), float(fraction)
