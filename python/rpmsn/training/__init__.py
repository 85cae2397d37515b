# SPDX-License-Identifier: GPL-3.0-or-later
"""Training: `config` (what is trained), `dataset` (images and masks on disk), `train` (the loop), `evaluation` (scores)."""
