# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of a search on several cores."""

import threading

import pytest

from rpmsn.cells.threads import each, on_threads


def test_without_a_word_all_is_done_in_the_callers_thread():
    here = threading.get_ident()
    assert each(lambda item: (item, threading.get_ident()), "abc") == [("a", here), ("b", here), ("c", here)]


def test_as_many_threads_work_at_once_as_are_allowed_and_results_keep_their_order():
    together = threading.Barrier(3, timeout=30)

    def meet(number):
        together.wait()
        return number

    with on_threads(3):
        assert each(meet, range(3)) == [0, 1, 2]


def test_a_part_takes_no_more_threads_itself():
    with on_threads(2):
        found = each(lambda _: len(set(each(lambda _: threading.get_ident(), range(20)))), range(4))
    assert found == [1, 1, 1, 1]


def test_the_number_holds_within_only_also_after_an_error():
    here = threading.get_ident()
    with pytest.raises(ZeroDivisionError), on_threads(2):
        each(lambda item: 1 / item, [1, 0])
    assert each(lambda _: threading.get_ident(), range(2)) == [here, here]
