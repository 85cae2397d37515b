# SPDX-License-Identifier: GPL-3.0-or-later
"""The `rpmsn` command: `main` first."""
