# SPDX-License-Identifier: GPL-3.0-or-later
"""From samples to carriers. In the order of the data:

`model` (cards and weights) -> `runtimes` (images -> class scores) -> `segmenter` (samples -> frame -> mask) ->
`segments` (mask -> segments, measured) -> `carriers` (segments followed over frames) -> `analysis` (a whole recording).
"""
