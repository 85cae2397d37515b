# SPDX-License-Identifier: GPL-3.0-or-later
"""RPMSN engine: labels every pixel of a spectrogram noise, LTE, NR or other.

This package knows nothing of GNU Radio or Qt, and loads torch only when a model is first used.
Where to start reading:

==================== =======================================================
`signal`             samples -> image, the one definition for training and live use
`network`, `models`  RPMSN as published, its real-time form; cards and weights
`runtimes`           what runs a network: OpenVINO, ONNX Runtime, torch
`detection`          the segmenter: frame -> mask and segments
`tracking`           segments -> carriers
`cells`, `standards` LTE and NR cells, which prove carriers; sequences, bands
`streaming`          frames between threads, live and of recordings
`recording`          SigMF and other files in; annotations, logs, snippets out
`messages`           the table of fields, and what is made from it
`publishing`         results over the network: publisher, subscriber, keys
`scanning`, `radios` bands wider than a radio; radios and monitors
`gui`                waterfall, carrier table, `rpmsn watch`
`synthesis`          LTE, NR and other waveforms, channels, scenes, labels
`training`           data sets, training, evaluation
`cli`                the `rpmsn` command
==================== =======================================================
"""

from .version import __version__

__all__ = ["__version__"]
