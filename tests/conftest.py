# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures that several test files share."""
import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYQTGRAPH_QT_LIB", "PyQt5")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def captures() -> Path:
    """Folder of recordings from other encoders and radios; they cannot be redistributed, so it may be missing."""
    folder = ROOT.parent / "shared" / "captures"
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}")
    return folder


@pytest.fixture(scope="session")
def untrained_model(tmp_path_factory):
    """Path of the card of a model with random weights, for tests of the way and not of the result."""
    import torch

    from rpmsn import network
    from rpmsn.inference.model import save_model

    torch.manual_seed(1)
    arguments = {"in_channels": 1, "classes": 4, "widths": [4, 8], "stages": 1}
    return save_model(network.create("rpmsn-rt", **arguments), {
        "name": "untrained", "version": "0", "architecture": "rpmsn-rt", "arguments": arguments,
        "classes": ["noise", "LTE", "NR", "other"], "recipe": "averaged", "frame_seconds": 0.04,
        "sample_rates": [5e6, 125e6],
    }, tmp_path_factory.mktemp("model"))
