# SPDX-License-Identifier: GPL-3.0-or-later
"""The classes of a pixel. A model's card lists those it has, in the order of its outputs."""

NOISE, LTE, NR, OTHER = range(4)

CLASS_NAMES = ("noise", "LTE", "NR", "other")
"""Class id -> name, as in messages, annotations and model cards."""

IGNORED = 255
"""Value of a mask's pixel that is not to be judged (in the loss and in scores)."""

CLASS_COLORS = {"noise": (0, 0, 0), "LTE": (0x00, 0x72, 0xB2), "NR": (0xE6, 0x9F, 0x00), "other": (0x99, 0x99, 0x99)}
"""RGB of each class: blue and orange of the Okabe-Ito set, safe for colour-blind eyes."""
