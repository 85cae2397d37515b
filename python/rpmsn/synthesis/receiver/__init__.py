# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver and its impairments."""
