# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples to features. `features` is the one pass over a frame's samples; it uses

`image` (the one definition of the image), `sums` (fast sums of spectra), `quality` (is the input fit to be judged),
`iq_image` and `artefacts` (what the receiver makes itself, and its removal). `channelizer` cuts bands out of a stream.
"""
