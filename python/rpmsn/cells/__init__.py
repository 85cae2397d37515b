# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof by the standards' own signals: LTE and NR cells found by their synchronisation signals and broadcast channel.

========== ==================================================================
`cell`     what is known of a cell
`spectrum` FFTs of a frame, which serve all searches: read this first
`lte`      LTE and NB-IoT cells; slices of a carrier; that there is no LTE
`nr`       NR cells
`grid`     symbols and subcarriers, by which pieces of a carrier are compared
`channels` bands and channel numbers
`scan`     search of a recording
`threads`  parts of a search on several cores
========== ==================================================================
"""
