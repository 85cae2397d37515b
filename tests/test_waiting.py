# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits end, and report what they waited for."""

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError

import pytest

from rpmsn import waiting
from rpmsn.errors import StalledError


@pytest.fixture
def blocked():
    """A thread that waits in a function of a known name until the test is over."""
    over = threading.Event()

    def hold_on():
        over.wait(60)

    thread = threading.Thread(target=hold_on, name="held", daemon=True)
    thread.start()
    yield thread
    over.set()
    thread.join(10)


def test_a_condition_that_comes_true_gives_its_value():
    condition, found = threading.Condition(), []

    def bring():
        with condition:
            found.append("it")
            condition.notify_all()

    threading.Timer(0.05, bring).start()
    with condition:
        assert waiting.wait_for(condition, lambda: found and found[0], "it", 30.0) == "it"


def test_a_condition_that_never_comes_true_fails_and_says_what_it_waited_for():
    condition = threading.Condition()
    with condition, pytest.raises(StalledError, match=r"waited 0.1 s for the moon"):
        waiting.wait_for(condition, lambda: False, "the moon", 0.1)


def test_a_wait_that_goes_on_warns_at_the_limit_and_at_its_doublings(caplog):
    patience = waiting.Patience("samples", limit_s=1.0, goes_on=True)
    for _ in range(50):
        patience.spend(0.1)
    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == 3 and all("for samples; still waiting" in text for text in warned)


def test_what_comes_in_time_again_and_again_never_fails():
    patience = waiting.Patience("frames", limit_s=1.0)
    for _ in range(20):
        patience.spend(0.9)
        patience.reset()


def test_a_thread_that_does_not_end_is_left_behind_and_the_log_says_where_it_is(blocked, caplog):
    assert waiting.join(blocked, 0.1) is False
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "'held'" in record.getMessage() and "hold_on" in record.getMessage()


def test_a_thread_that_ends_is_joined():
    thread = threading.Thread(target=lambda: None)
    thread.start()
    assert waiting.join(thread, 30.0) is True


def test_the_error_says_where_the_threads_are_that_should_bring_it(blocked):
    with pytest.raises(StalledError, match="for a frame; thread 'held' is in .*hold_on"):
        waiting.Patience("a frame", limit_s=0.1).spend(0.2, [blocked])


def test_a_future_gives_its_result_or_what_its_work_raised():
    def late():
        raise FutureTimeoutError("of the work itself")

    with ThreadPoolExecutor(1) as pool:
        assert waiting.result(pool.submit(lambda: 3), "three") == 3
        with pytest.raises(FutureTimeoutError, match="of the work itself"):
            waiting.result(pool.submit(late), "nothing", 30.0)


def test_a_future_without_a_result_fails():
    with pytest.raises(StalledError, match="for the job"):
        waiting.result(Future(), "the job", 0.1)


def test_a_publisher_whose_thread_hangs_is_stopped_all_the_same(monkeypatch, caplog):
    pytest.importorskip("zmq")
    from rpmsn.publishing import publisher

    monkeypatch.setattr(publisher, "STOP_SECONDS", 0.2)
    hangs = threading.Event()
    monkeypatch.setattr(publisher.Outbox, "wait", lambda outbox, seconds: hangs.wait(30))
    stuck = publisher.Publisher(lambda topic, item: {}, "tcp://127.0.0.1:*")
    stuck.start()
    try:
        stuck.stop()
        assert "'rpmsn publisher' is in" in caplog.text
    finally:
        hangs.set()


def test_jobs_in_processes_may_take_any_time_and_the_log_says_so(monkeypatch, caplog):
    from rpmsn import processes

    monkeypatch.setattr(processes, "JOB_SECONDS", 0.2)
    assert list(processes.each_done(time.sleep, [(1.5,)], 1, "job", "sleeping", quiet=True)) == [None]
    assert "a job of 'sleeping'; still waiting" in caplog.text
