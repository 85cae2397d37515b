# SPDX-License-Identifier: GPL-3.0-or-later
"""One recording annotated: what the result depends on."""

from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from rpmsn.archive.annotating import Annotator, Settings
from rpmsn.models.decision import Decision

CARD = SimpleNamespace(name="model", version="1", sha256="0", exports={}, temperature=1.0, decision=None)


def test_the_last_digits_do_not_depend_on_the_number_of_cores(monkeypatch):
    threads = []

    class Analyser:
        result = "result"

        def __init__(self, *_):
            np.dot(np.ones((2, 2)), np.ones((2, 2)))

        def frames(self):
            threads.extend(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")
            return iter(())

    monkeypatch.setattr("rpmsn.streaming.analysis.RecordingAnalyser", Analyser)
    annotator = Annotator(SimpleNamespace(card=CARD), Settings())
    assert annotator.analyse(SimpleNamespace(sample_count=1), 1, runtime=SimpleNamespace()) == "result"
    assert set(threads) == {1}


@pytest.mark.parametrize("name, value", [("runtime", "torch"), ("cells", False), ("sample_rate", 5e6), ("channel", 2)])
def test_every_setting_is_in_the_fingerprint(tmp_path, name, value):
    (tmp_path / "data").write_bytes(b"")
    made = [
        Annotator(SimpleNamespace(card=CARD), settings).fingerprint(tmp_path / "data", None)
        for settings in (Settings(), Settings(**{name: value}), Settings())
    ]
    assert made[0] == made[2] != made[1]


@pytest.mark.parametrize(
    "change", [{"sha256": "1"}, {"temperature": 2.0}, {"decision": Decision({"lte": 1.0}, {"nr": 1.0}, [], 0)}]
)
def test_all_of_the_model_that_decides_is_in_the_fingerprint(tmp_path, change):
    cards = CARD, SimpleNamespace(**(vars(CARD) | change))
    first, second = (Annotator(SimpleNamespace(card=card), Settings()).fingerprint(tmp_path, None) for card in cards)
    assert first != second


def test_the_fingerprint_of_a_folder_is_of_all_in_it(tmp_path):
    (tmp_path / "ch0" / "2024").mkdir(parents=True)
    annotator = Annotator(SimpleNamespace(card=CARD), Settings())
    made = []
    for size in (1, 2):
        (tmp_path / "ch0" / "2024" / "rf.h5").write_bytes(bytes(size))
        made.append(annotator.fingerprint(tmp_path / "ch0", None))
    assert made[0] != made[1]


def test_a_pipe_has_a_fingerprint(tmp_path):
    assert Annotator(SimpleNamespace(card=CARD), Settings()).fingerprint(tmp_path / "stdin", None)
