#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""256-point FFTs of one frame (40 ms at 61.44 Msps), one thread, by every installed library.

    .venv/bin/python benchmarks/fft.py [--repeats 20]

numpy, scipy, torch; pyfftw and mkl_fft where they are installed; and GNU Radio's C++ blocks, with and without the
squared magnitude. Prints ms a frame and the ratio to the fastest. Run it on a quiet machine.
"""

import argparse
import time

import numpy as np
import scipy.fft

from rpmsn.cli import report, timing

SAMPLES = 2_457_600
COLUMNS = 256


def libraries(blocks):
    """(name, callable) of every library that is installed."""
    yield "numpy (float64)", lambda: np.fft.fft(blocks, axis=1)
    yield "scipy", lambda: scipy.fft.fft(blocks, axis=1, workers=1)
    import torch

    torch.set_num_threads(1)
    tensor = torch.from_numpy(blocks)
    yield "torch", lambda: torch.fft.fft(tensor)
    try:
        import pyfftw

        plan = pyfftw.builders.fft(blocks.copy(), axis=1, threads=1, planner_effort="FFTW_MEASURE")
        yield "pyfftw", lambda: plan(blocks)
    except ImportError:
        yield "pyfftw", None
    try:
        import mkl_fft

        yield "mkl_fft", lambda: mkl_fft.fft(blocks, axis=1)
    except ImportError:
        yield "mkl_fft", None


def gnuradio_seconds(with_squares, frames=50):
    """Seconds a frame of GNU Radio's own blocks, as a flowgraph."""
    from gnuradio import blocks, fft, gr
    from gnuradio.fft import window

    flowgraph = gr.top_block()
    chain = [
        blocks.null_source(gr.sizeof_gr_complex),
        blocks.head(gr.sizeof_gr_complex, frames * SAMPLES),
        blocks.stream_to_vector(gr.sizeof_gr_complex, COLUMNS),
        fft.fft_vcc(COLUMNS, True, window.hann(COLUMNS), True, 1),
    ]
    if with_squares:
        chain += [blocks.complex_to_mag_squared(COLUMNS), blocks.null_sink(gr.sizeof_float * COLUMNS)]
    else:
        chain += [blocks.null_sink(gr.sizeof_gr_complex * COLUMNS)]
    flowgraph.connect(*chain)
    started = time.perf_counter()
    flowgraph.run()
    return (time.perf_counter() - started) / frames


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    blocks = timing.scene()[:SAMPLES].reshape(-1, COLUMNS)
    found = {name: work and timing.median_seconds(work, options.repeats) for name, work in libraries(blocks)}
    for name, with_squares in (("GNU Radio: window, FFT", False), ("GNU Radio: window, FFT, squares", True)):
        found[name] = gnuradio_seconds(with_squares)
    fastest = min(seconds for seconds in found.values() if seconds)
    print(
        report.format_table(
            ("library", "ms", "x fastest"),
            [
                (name, f"{1e3 * seconds:.1f}", f"{seconds / fastest:.1f}") if seconds else (name, "not installed", "")
                for name, seconds in found.items()
            ],
        )
    )


if __name__ == "__main__":
    main()
