# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers of files that are not SigMF pairs: what each begins with, and what its header says, as SigMF metadata.

================ ==========================================================
`find`           what a file is, by its first bytes
`found`          `Found`: bytes and metadata of a recording
`kinds`          files that hold no samples to read: what each is, what to do
`names`          format, rate and frequency from a file's name
`wav`            WAV, RF64, BW64
`npy`            arrays of numpy
`gnuradio_meta`  files of GNU Radio's File Meta Sink
`blue`           BLUE, Platinum
`sigmf_archive`  SigMF archives and collections
`compressed`     gzip, bzip2, xz, zstd, zip, pipes
`digital_rf`     folders of Digital RF
================ ==========================================================
"""

from .find import find
from .found import Found

__all__ = ["Found", "find"]
