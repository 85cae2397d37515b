# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the samples lie in a data file that also holds headers (SigMF 1.2, "Non-Conforming Datasets")."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """Runs of samples without a header in between.

    Run k holds the samples from `starts[k]` to `starts[k + 1]` (the last run: to `sample_count`), the first of
    them at byte `offsets[k]` of the file. `left_over` bytes at the end are no whole sample.
    """

    starts: tuple[int, ...]
    offsets: tuple[int, ...]
    sample_count: int
    left_over: int

    def run(self, sample: int) -> tuple[int, int, int]:
        """(first sample, byte offset, first sample after) of the run that holds `sample`."""
        k = bisect_right(self.starts, sample) - 1
        end = self.starts[k + 1] if k + 1 < len(self.starts) else self.sample_count
        return self.starts[k], self.offsets[k], end


def layout(file_size: int, bytes_per_sample: int, headers: Iterable[tuple[int, int]], trailing_bytes: int) -> Layout:
    """Lay `file_size` bytes out.

    Args:
        headers: (sample, bytes) pairs in order of the sample that each header precedes.
        trailing_bytes: bytes at the end of the file that are no samples.
    """
    usable = max(0, file_size - trailing_bytes)
    starts, offsets, header_bytes = [0], [0], 0
    for sample, size in headers:
        position = sample * bytes_per_sample + header_bytes
        if size == 0 or position >= usable:
            continue
        header_bytes += size
        if sample == starts[-1]:
            offsets[-1] = position + size
        else:
            starts.append(sample)
            offsets.append(position + size)
    sample_count, left_over = divmod(max(0, usable - header_bytes), bytes_per_sample)
    return Layout(tuple(starts), tuple(offsets), sample_count, left_over)
