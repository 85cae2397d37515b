# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments followed over frames: `carrier` describes a carrier, `tracker` decides what belongs to it."""
