# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums over windows: the compiled form and NumPy's give the same, for every type of samples, and bad values show."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from limits import PROCESS_S

from rpmsn.signal import iq_image, sums
from rpmsn.signal.image import Analyser, frame_length
from rpmsn.signal.sums import COLUMNS, Layout, WindowSums, hann

LENGTHS = [(61.44e6, 614_400, 64), (61.44e6, 100_003, 10), (1.92e6, 76_800, 256), (10e6, 40_000, 26), (125e6, 256, 1)]
TYPES = [np.int8, np.int16, np.float32]


def values_of(dtype, count, seed=1):
    scale = 0.2 if dtype == np.float32 else 30
    return (np.random.default_rng(seed).standard_normal(2 * count) * scale).astype(dtype)


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("rate, samples, rows", LENGTHS)
def test_the_compiled_sums_are_those_of_numpy(rate, samples, rows, dtype, correlated):
    pytest.importorskip("numba")
    from rpmsn.signal.fused import FusedSums

    layout, values = Layout(rate, samples, rows), values_of(dtype, samples)
    expected, fused = WindowSums(layout, correlated).measure(values), FusedSums(layout, correlated)
    for _ in range(2):  # nothing of a frame is left for the next
        found = fused.measure(values)
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-4, atol=1e-6 * expected[0].max())
        for one, other in zip(found[1] or (), expected[1] or (), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6 * np.abs(other).max())


@pytest.mark.parametrize("dtype", TYPES)
def test_the_compiled_sums_for_iq_images_are_those_of_numpy(dtype, monkeypatch):
    pytest.importorskip("numba")
    windows, weights = values_of(dtype, 40 * COLUMNS).reshape(40, 2 * COLUMNS), hann(COLUMNS).astype(np.float32)
    monkeypatch.setattr(iq_image, "is_compiled", lambda: True)
    found = iq_image._sums(windows, weights)
    monkeypatch.setattr(iq_image, "is_compiled", lambda: False)
    for one, other in zip(found, iq_image._sums(windows, weights), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6 * np.abs(other).max())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("is_compiled", [False, True])
def test_a_bad_value_shows_in_the_powers(bad, is_compiled, monkeypatch):
    if is_compiled:
        pytest.importorskip("numba")
    monkeypatch.setattr(sums, "is_compiled", lambda: is_compiled)
    values = values_of(np.float32, frame_length(2e6))
    values[12_345] = bad
    with np.errstate(invalid="ignore"):
        power = Analyser(2e6, len(values) // 2).analyse(values).power
    assert not np.isfinite(power.max())


def test_without_numba_everything_works():
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import numpy as np; from rpmsn.signal.features import FeatureExtractor\n"
        "samples = np.random.default_rng(1).normal(0, 300, (80_000, 2)).astype(np.int16)\n"
        "print(FeatureExtractor(2e6, 0.04, 'cyclic').extract(samples).network_input.shape)"
    )
    environment = dict(os.environ, PYTHONPATH=str(Path(sums.__file__).resolve().parents[2]))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PROCESS_S, env=environment
    )
    assert done.stdout.strip() == "(1, 4, 256, 256)", done.stderr


def test_a_numba_that_does_not_work_is_named_and_done_without(tmp_path, monkeypatch, caplog):
    (tmp_path / "numba.py").write_text("raise ImportError('Numba needs NumPy 1.20 or less')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    sums._compiles.cache_clear()
    try:
        assert not sums.is_compiled() and "Numba needs NumPy 1.20" in caplog.text
    finally:
        sums._compiles.cache_clear()
