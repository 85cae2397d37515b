# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies between transmitter and receiver: multipath (`fading`) and noise."""
