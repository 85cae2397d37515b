# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done before GNU Radio is loaded."""

import os

import pytest

from rpmsn.radios import flowgraphs


@pytest.mark.parametrize("is_made", [True, False])
def test_a_home_that_gnu_radio_can_use_stays(tmp_path, monkeypatch, is_made):
    if is_made:
        (tmp_path / ".gnuradio").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    flowgraphs._use_home_or_none()
    assert os.environ["HOME"] == str(tmp_path)


@pytest.mark.parametrize("home", ["none", "file", "locked"])
def test_a_home_that_it_cannot_use_would_end_the_process_and_is_left_out(tmp_path, monkeypatch, caplog, home):
    (tmp_path / "file").write_text("")
    (tmp_path / "locked").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / home))
    if home == "locked":  # root may do everything
        monkeypatch.setattr(os, "access", lambda *_: False)
    flowgraphs._use_home_or_none()
    assert "HOME" not in os.environ and "cannot be used" in caplog.text


def test_without_a_home_nothing_is_said(monkeypatch, caplog):
    monkeypatch.delenv("HOME", raising=False)
    flowgraphs._use_home_or_none()
    assert not caplog.text
