# SPDX-License-Identifier: GPL-3.0-or-later
"""NR: what a cell (`downlink`) and its terminals (`uplink`) send."""
