# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings in, annotations out: SigMF, and raw files of samples whose format the caller names.

    >>> from rpmsn.recording import open_recording
    >>> with open_recording("band.sigmf-meta") as recording:        # doctest: +SKIP
    ...     samples = recording.read(0, 1_000_000)

=============== ==========================================================
`recording`     `open_recording`, `Recording`: samples by position
`captures`      centre frequency and time from a sample on
`metadata`      finding the two files of a recording, checking the JSON
`layout`        where the samples lie between headers
`formats`       sample formats and their scaling
`annotations`   carriers -> a SigMF metadata file
=============== ==========================================================
"""

from .annotations import check_output, default_output, write_annotations
from .captures import Capture
from .formats import FORMATS
from .recording import Recording, open_recording

__all__ = ["FORMATS", "Capture", "Recording", "check_output", "default_output", "open_recording", "write_annotations"]
