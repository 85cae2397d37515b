# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof by the standards' own signals: LTE and NR cells found by their synchronisation signals and broadcast channel.

`cell` says what is known of a cell; `lte` and `nr` find and decode them.
"""
