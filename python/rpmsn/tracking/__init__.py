# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments tracked over frames or sweeps: `carrier` describes a carrier, `tracker` decides what belongs to it."""
