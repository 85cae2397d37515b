# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a test waits before it says that something hangs; how fast it is on a quiet machine, `benchmarks` say."""

HANG_S = 20.0
"""One step within a process."""
PROCESS_S = 180.0
"""A process that starts, does its work and ends, on a machine that is busy with four others."""
