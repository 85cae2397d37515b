# SPDX-License-Identifier: GPL-3.0-or-later
"""Features and network to mask and segments: `segmenter` goes the whole way for one frame, `segments` measures."""
