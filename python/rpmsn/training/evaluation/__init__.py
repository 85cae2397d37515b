# SPDX-License-Identifier: GPL-3.0-or-later
"""Accuracy of a model: `evaluation` runs it over sets, `carrier_scores` and `scores` count, `calibration` fits the
confidences, `report` writes it down.
"""
