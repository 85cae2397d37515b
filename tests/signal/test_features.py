# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass over a frame's samples: input quality, powers, artefacts, network input."""

import numpy as np
import pytest
from oracle import flat_band

from rpmsn.errors import ParameterError
from rpmsn.signal import features, quality
from rpmsn.signal.artefacts import NO_ARTEFACTS, Artefacts, find_artefacts
from rpmsn.signal.features import FeatureExtractor
from rpmsn.signal.quality import DC_SPUR, OVERLOAD, TOO_WEAK, Finding, InputQuality

RATE = 5e6


@pytest.fixture
def extractor():
    return FeatureExtractor(RATE, 0.04, "cyclic")


def signal(samples=200_000, seed=1):
    return flat_band(samples, RATE, -1e6, 2e6, np.random.default_rng(seed), snr_db=20)


def as_int16(samples):
    return np.round(samples.view(np.float32).reshape(-1, 2) * 32768).astype(np.int16)


def test_the_samples_are_converted_once_and_left_as_they_are(extractor, monkeypatch):
    calls = []
    real_values = features.real_values
    monkeypatch.setattr(features, "real_values", lambda samples: calls.append(1) or real_values(samples))
    for samples in (signal(), as_int16(signal())):
        before = samples.copy()
        extractor.extract(samples)
        assert np.array_equal(samples, before)
    assert len(calls) == 2


def test_integers_have_the_features_of_the_numbers_that_they_stand_for(extractor):
    whole = as_int16(signal())
    same = (whole.astype(np.float32) / np.float32(32768)).view(np.complex64)[:, 0]
    ints, floats = extractor.extract(whole), extractor.extract(same)
    assert np.allclose(ints.network_input, floats.network_input, atol=1e-5)
    assert ints.floor == pytest.approx(floats.floor, rel=1e-5)


@pytest.mark.parametrize("count", [0, 255])
def test_too_few_samples_are_refused_by_their_number(extractor, count):
    with pytest.raises(ParameterError, match=f"{count} samples are too few"):
        extractor.extract(np.zeros(count, np.complex64))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e20])
def test_a_bad_value_keeps_a_frame_from_being_judged_and_leaves_the_other_rows_as_they_are(extractor, value):
    samples = signal()
    clean = extractor.extract(samples)
    samples[1000] = value
    found = extractor.extract(samples)
    assert found.quality.kind == quality.NON_FINITE and not found.quality.judged
    assert found.network_input is None and found.artefacts is NO_ARTEFACTS
    assert np.allclose(found.power[3:], clean.power[3:], rtol=1e-4) and np.isfinite(found.power).all()


def test_the_quality_names_every_fault_once_the_most_severe_first():
    weak, spur = Finding(TOO_WEAK, "weak", True), Finding(DC_SPUR, "spur", True)
    both = InputQuality((spur, weak, spur))
    assert (both.kind, both.text, both.information, both.judged) == (TOO_WEAK, "weak", "spur", True)
    assert not InputQuality((spur, Finding(OVERLOAD, "overload", False))).judged
    assert (InputQuality((spur,)).kind, InputQuality((spur,)).text) == ("ok", "ok")
    assert (quality.OK.kind, quality.OK.text, quality.OK.judged) == ("ok", "ok", True)


def test_artefacts_are_removed_from_a_copy():
    probabilities = np.random.default_rng(1).random((3, 4, 256), np.float32)
    before = probabilities.copy()
    clean = Artefacts(True, np.arange(256) == 10).without(probabilities, noise=0)
    assert np.array_equal(probabilities, before)
    assert (clean[0, :, 10] == 1).all() and not clean[1:, :, 10].any()
    neighbours = (before[..., 126] + before[..., 130]) / 2
    assert all(np.array_equal(clean[..., column], neighbours) for column in (127, 128, 129))
    assert NO_ARTEFACTS.without(probabilities, 0) is probabilities


def test_a_line_at_the_centre_is_a_spur_only_if_it_is_on_all_the_time():
    power = np.ones((256, 256), np.float32)
    power[:, 127:130] = 10
    assert find_artefacts(None, power, 1.0).dc_spur
    power[:32] = 1
    assert not find_artefacts(None, power, 1.0).dc_spur
