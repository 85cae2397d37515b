# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures that several test files share."""

import math
import os
import signal
import sys
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYQTGRAPH_QT_LIB", "PyQt5")
# Where a shell started the tests in the background, Ctrl-C is ignored, by every process that they start as well.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def known_installation():
    """Looked at once, before a test changes what is found."""
    from rpmsn import installation

    return installation.current()


@pytest.fixture(autouse=True)
def any_number_of_samples():
    """What a command expected of one recording is not expected of the next."""
    yield
    if "rpmsn.signal.sums" in sys.modules:
        sys.modules["rpmsn.signal.sums"].expect_samples(math.inf)


@pytest.fixture(scope="session")
def captures() -> Path:
    """Folder of recordings from other encoders and radios; they cannot be redistributed, so it may be missing."""
    folder = ROOT.parent / "shared" / "captures"
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}")
    return folder


@pytest.fixture(scope="session")
def untrained_model(tmp_path_factory):
    """Path of the card of a model with random weights, for tests of the data flow and not of the result."""
    return _small_model("untrained", tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def any_rate_model(tmp_path_factory):
    """The same, for any sample rate that there can be."""
    return _small_model("any-rate", tmp_path_factory.mktemp("model"), lowest_rate=1e6)


@pytest.fixture(scope="session")
def all_lte(tmp_path_factory):
    """Path of the card of a model that calls every pixel LTE."""
    return _small_model("all-lte", tmp_path_factory.mktemp("model"), logits=[0.0, 5.0, 0.0, 0.0])


def _small_model(name, folder, logits=None, lowest_rate=5e6):
    """Path of the card of a small model; with `logits`, one for each class, it gives these for every pixel."""
    torch = pytest.importorskip("torch")

    from rpmsn import network
    from rpmsn.models.model import save_model

    torch.manual_seed(1)
    arguments = {"in_channels": 1, "classes": 4, "widths": [4, 8], "stages": 1}
    built = network.create("rpmsn-rt", **arguments)
    if logits:
        with torch.no_grad():
            built.head[-2].weight.zero_()
            built.head[-2].bias.copy_(torch.tensor(logits).repeat_interleave(16))
    return save_model(
        built,
        {
            "name": name,
            "version": "0",
            "architecture": "rpmsn-rt",
            "arguments": arguments,
            "classes": ["noise", "LTE", "NR", "other"],
            "features": "averaged",
            "frame_seconds": 0.04,
            "sample_rates": [lowest_rate, 125e6],
        },
        folder,
    )
