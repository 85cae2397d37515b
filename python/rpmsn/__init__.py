# SPDX-License-Identifier: GPL-3.0-or-later
"""RPMSN engine: labels every pixel of a spectrogram noise, LTE, NR or other.

This package knows nothing of GNU Radio or Qt, and loads torch only when a model is first used.
Where to start reading:

==================== =======================================================
`spectrogram`        samples -> image, the one definition for training and live use
`network`            RPMSN as published, its real-time form, the registry
`inference`          model cards, the segmenter, segments, carriers
`recording`          SigMF and raw files in, annotations out
`publishing`         results over the network: publisher, subscriber, keys
`synthesis`          LTE, NR and other waveforms, channels, scenes, labels
`training`           data sets, training
`cli`                the `rpmsn` command
==================== =======================================================
"""

from .version import __version__

__all__ = ["__version__"]
