# SPDX-License-Identifier: GPL-3.0-or-later
"""Many recordings: found, annotated by processes of their own, and summed up.

============= ==========================================================
`listing`     files, folders, patterns -> recordings, each once
`annotating`  one recording -> its annotations; `rpmsn annotate` of one file runs this, too
`batch`       what is to be done, and doing it in processes
`summary`     the carriers and cells of all recordings, grouped
============= ==========================================================
"""
