# SPDX-License-Identifier: GPL-3.0-or-later
"""Features to mask and segments: `segmenter` runs all stages for one frame, `segments` measures, `lte_splitting`
splits neighbours, `deciding` says what each segment is."""
