# SPDX-License-Identifier: GPL-3.0-or-later
"""A range wider than the radio: steps through it, one picture of all, carriers that go on from step to step.

`plan` says where the radio is tuned; `stepping` tunes, waits and collects; `panorama` puts the steps side by side and
finds the carriers in the whole; `keeping` follows them over sweeps; `scanner` does it all for a stream of samples.
docs/scanner.md tells users about it.
"""
