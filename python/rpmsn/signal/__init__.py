# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples to features: the one definition of the image (`image`), fast sums (`sums`), the I/Q image (`iq_image`),
input quality (`quality`), a filter that takes a band out (`channelizer`).
"""
