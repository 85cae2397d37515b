# SPDX-License-Identifier: GPL-3.0-or-later
"""Unattended use: a radio watched without a screen."""
