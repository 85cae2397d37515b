# SPDX-License-Identifier: GPL-3.0-or-later
"""Qt windows and widgets; no GNU Radio. `qt` imports Qt once and for all, `theme` has the colours."""
