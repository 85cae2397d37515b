# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn watch`: a window on a recording, a radio, or what a publisher sends."""
