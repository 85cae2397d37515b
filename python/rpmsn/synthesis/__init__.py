# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic spectrum: LTE, NR and other transmissions, channels, receivers, scenes and their labels.

Read `scene.scene` first: a scene is a list of emissions and how they are received; all else serves to render one.

=========== ===============================================================================================
`scene`     what is on the air, as plain numbers and YAML; scene -> samples, recordings, pictures; presets
`labels`    facts about every emission, and the true class of every pixel, by a named policy
`lte`, `nr` what cells and terminals send, as a resource grid (`grid`); `ofdm` turns it into samples
`dss`       LTE and NR on one carrier
`other`     GSM, WCDMA, DVB-T, Wi-Fi, Bluetooth, LoRa, FM, radar, tones, impulses
`channel`   multipath fading, on a grid or on samples; the noise floor
`receiver`  oscillator, mixer, filter, converter and their impairments
=========== ===============================================================================================

`filtering`, `phasors` and `checking` are what several of them need.

>>> from rpmsn.synthesis.labels import masks
>>> from rpmsn.synthesis.scene import presets, rendering
>>> example = presets.random_scene("wideband", seed=1)
>>> samples, truths = rendering.render(example)
>>> masks.mask(example, truths).shape
(256, 256)
"""

from importlib import import_module

GENERATOR = 5
"""Raised whenever a seed gives another scene than before, so that no set is completed with scenes of another kind."""

_HOMES = {
    "Emission": "scene.scene",
    "Path": "scene.scene",
    "Reception": "scene.scene",
    "Scene": "scene.scene",
    "Noise": "channel.noise",
    "Receiver": "receiver.receiver",
    "Truth": "labels.truth",
    "mask": "labels.masks",
    "random_scene": "scene.presets",
    "render": "scene.rendering",
    "render_blocks": "scene.rendering",
}

__all__ = [*_HOMES, "GENERATOR"]  # noqa: PLE0604 - the names are strings


def __getattr__(name):
    """Load the module behind an exported name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
