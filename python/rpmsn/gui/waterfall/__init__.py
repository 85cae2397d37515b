# SPDX-License-Identifier: GPL-3.0-or-later
"""The waterfall: history, picture, boxes, axes, status bar. `widget` puts them together."""
