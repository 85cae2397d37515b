# SPDX-License-Identifier: GPL-3.0-or-later
"""Training: `config` (what is trained), `dataset` (images and masks), `train` (the loop), `evaluation` (scores)."""
