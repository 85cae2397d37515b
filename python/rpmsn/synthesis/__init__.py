# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic spectrum: LTE, NR and other transmissions, channels, receivers, scenes and their labels.

Read `scene` first: a scene is a list of emissions and a receiver, and all else serves to render one.

============= ==================================================================
`scene`       what is on the air and how it is heard; rendering
`presets`     scenes drawn at random
`writing`     scenes -> SigMF recordings
`labels`      the true class of every pixel
`lte`, `nr`   what a cell sends, as a resource grid (`grid`)
`sequences`   synchronisation and reference sequences; `qam`: random data
`ofdm`        resource grid -> samples
`others`      GSM, WCDMA, DVB-T, Wi-Fi, FM, radar, tones
`fading`      multipath channels, on a grid or on samples
`receiver`    oscillator, mixer, filter, converter and their faults
============= ==================================================================

>>> from rpmsn.synthesis import labels, presets, scene
>>> example = presets.random_scene("wideband", seed=1)
>>> samples, truths = scene.render(example)
>>> labels.mask(example, truths).shape
(256, 256)
"""
from importlib import import_module

__all__ = ["Emission", "Receiver", "Scene", "Truth", "mask", "random_scene", "render", "render_blocks"]

_HOMES = {"mask": "labels", "Receiver": "receiver", "random_scene": "presets"}


def __getattr__(name):
    """Load the module behind an exported name when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'scene')}"), name)
