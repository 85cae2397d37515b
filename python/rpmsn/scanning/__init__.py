# SPDX-License-Identifier: GPL-3.0-or-later
"""A range wider than the radio's span: steps through it, one picture of all steps, carriers over sweeps.

`plan` has the centre frequencies; `stepping` tunes, waits and collects; `panorama` puts the steps side by side and
finds segments in the whole; `sweep_tracker` gives them to carriers; `scanner` does all of it for a stream of samples.
docs/scanner.md is for users.
"""
