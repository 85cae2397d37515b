# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights that ship: `<name>.safetensors` and `<name>.yml`, the model card. `rpmsn.models.model` reads them."""

DEFAULT_MODEL = "rpmsn-rt"
"""The one that is used where none is named."""
