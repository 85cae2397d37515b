# SPDX-License-Identifier: GPL-3.0-or-later
"""The version of gr-rpmsn, in the one place that everything else reads."""

__version__ = "0.18.0"
