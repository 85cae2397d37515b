# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a test waits before it says that something hangs; how fast it is on a quiet machine, `benchmarks` say."""

HANG_S = 20.0
