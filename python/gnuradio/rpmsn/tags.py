# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of the stream tags that our blocks set and follow, named once."""

RX_TIME = "rx_time"  # tuple (uint64 whole s since 1970, double fraction), UTC; as UHD and Soapy send it
RX_FREQ = "rx_freq"  # double, Hz, centre frequency from this sample on
RX_RATE = "rx_rate"  # double, Hz, sample rate from this sample on
STREAM_END = "stream_end"  # on the last sample of a recording that is not repeated; any value
