# SPDX-License-Identifier: GPL-3.0-or-later
"""What TS 36 and TS 38 fix: sequences, modulation, tables. Synthesis sends by them, cells are found by them."""
