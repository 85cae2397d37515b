# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of carriers: what it lists (`carrier_list`, without Qt), its columns, its widget, its exports."""
