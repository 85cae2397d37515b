# SPDX-License-Identifier: GPL-3.0-or-later
"""The flowgraph of `rpmsn bench`: samples in memory, over and over, at a radio's pace -> segmenter_sink."""

import tempfile
from pathlib import Path

import numpy as np
from gnuradio import blocks, gr

from rpmsn.signal.channelizer import SAMPLE_TYPES

from .segmenter_sink import segmenter_sink

MEMORY = Path("/dev/shm")


class BenchFlowgraph(gr.top_block):
    """Samples in memory to a sink.

    Args:
        samples: complex64, shape (n,), or int16 or int8, shape (n, 2).
        rate: samples a second that come to the sink.
        model, runtime, workers: as of segmenter_sink.
        frames_per_second: likewise.

    Attributes:
        sink: segmenter_sink.
    """

    def __init__(
        self, samples: np.ndarray, rate: float, model: str, runtime: str, workers: int, frames_per_second: float = 0.0
    ) -> None:
        gr.top_block.__init__(self, "rpmsn bench")
        item = samples.dtype.itemsize * (samples.shape[1] if samples.ndim > 1 else 1)
        with tempfile.NamedTemporaryFile(prefix="rpmsn-bench-", dir=MEMORY if MEMORY.is_dir() else None) as file:
            samples.tofile(file)
            file.flush()
            # What is open outlives its name.
            self.source = blocks.file_source(item, file.name, True)
        self.throttle = blocks.throttle(item, rate, True)
        self.sink = segmenter_sink(
            rate,
            model=model,
            runtime=runtime,
            workers=workers,
            mode="live",
            input_type=next(name for name, kind in SAMPLE_TYPES.items() if samples.dtype == kind),
            frames_per_second=frames_per_second,
        )
        self.connect(self.source, self.throttle, self.sink)
