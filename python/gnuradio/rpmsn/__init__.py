# SPDX-License-Identifier: GPL-3.0-or-later
"""RPMSN blocks: see which cellular signals are on the air.

`from gnuradio import rpmsn`, then `rpmsn.sigmf_source`, `rpmsn.radio_source`, `rpmsn.segmenter_sink`,
`rpmsn.waterfall_overlay`, `rpmsn.segment_publisher`, `rpmsn.band_scanner`. Qt is loaded when a window is made, torch
when a sink is, pyzmq when a publisher is, a radio's driver when it is opened: not by this import. The engine behind the
blocks is the package `rpmsn`, which needs no GNU Radio.
"""

try:
    from .band_scanner import band_scanner
    from .radio_source import radio_source
    from .segment_publisher import segment_publisher
    from .segmenter_sink import segmenter_sink
    from .sigmf_source import sigmf_source
    from .waterfall_overlay import waterfall_overlay
except ImportError:
    from rpmsn.radios.flowgraphs import check_gnuradio

    check_gnuradio("these blocks run in")
    raise

__all__ = ["band_scanner", "radio_source", "segment_publisher", "segmenter_sink", "sigmf_source", "waterfall_overlay"]
