# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic spectrum: LTE, NR and other transmissions, channels, receivers, scenes and their labels.

Read `scene` first: a scene is a list of emissions and the way they are heard, and all else serves to render one.

========================================= ==============================================================================
`scene`                                   what is on the air and how it is heard, as plain numbers and YAML
`rendering`, `truth`                      scene -> samples, and the facts about every emission in them
`labels`                                  facts -> the true class of every pixel, by a named rule
`presets`                                 scenes drawn at random: `everyday`, `published`, `stitched`
`writing`, `preview`                      scenes -> SigMF recordings; scenes -> a picture
`lte`, `nr`, `dss`                        what a cell sends, as a resource grid (`grid`)
`lte_uplink`, `nr_uplink`                 what the terminals of a cell send
`sequences`, `qam`                        synchronisation and reference sequences; random data
`ofdm`                                    resource grid -> samples
`others`                                  GSM, WCDMA, DVB-T, Wi-Fi, Bluetooth, LoRa, FM, radar, tones, impulses
`recorded`                                carriers taken out of recordings
`fading`                                  multipath channels, on a grid or on samples
`noise`, `receiver`                       the floor; oscillator, mixer, filter, converter and their faults
`filtering`, `phasors`, `checking`        what several of them need: a filter in blocks, exp(j x), checks of parameters
========================================= ==============================================================================

>>> from rpmsn.synthesis import labels, presets, rendering
>>> example = presets.random_scene("wideband", seed=1)
>>> samples, truths = rendering.render(example)
>>> labels.mask(example, truths).shape
(256, 256)
"""
from importlib import import_module

GENERATOR = 3
"""Raised whenever a seed gives another scene than before, so that no set is completed with scenes of another kind."""

_HOMES = {
    "Emission": "scene", "Path": "scene", "Reception": "scene", "Scene": "scene", "Noise": "noise",
    "Receiver": "receiver", "Truth": "truth", "mask": "labels", "random_scene": "presets", "render": "rendering",
    "render_blocks": "rendering",
}

__all__ = [*_HOMES, "GENERATOR"]


def __getattr__(name):
    """Load the module behind an exported name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
